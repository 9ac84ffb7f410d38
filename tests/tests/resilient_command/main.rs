//! The command `resilient` from outside: what it prints, how it ends, and what the server sees of it.

mod calls;
mod completions;
mod compression;
mod demo;
mod errors;
mod load;
mod proxies;
mod sending;
mod stopping;
mod support;
mod terminal;
mod usage;
