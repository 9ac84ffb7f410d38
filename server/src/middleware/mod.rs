//! The layers around every request, outermost first: [`envelope`], [`observe`](crate::observe), [`cors`],
//! [`timeout`], [`concurrency`].

pub mod body;
pub mod concurrency;
pub mod cors;
pub mod envelope;
pub mod layer;
pub mod timeout;
