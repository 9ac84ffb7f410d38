//! The command `resilient` from outside: what it prints, how it ends, and what the server sees of it.

mod calls;
mod demo;
mod errors;
mod load;
mod sending;
mod support;
mod terminal;
mod usage;
