//! `test-server check`, with whole programs as clients: good ones, bad ones, and such as do not end.

mod bounds;
mod cases;
mod sessions;
mod support;
mod usage;
