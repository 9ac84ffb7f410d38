//! The layers around every request, outermost first: [`errors`], [`request_log`], [`timeout`], [`concurrency`].

pub mod body;
pub mod concurrency;
pub mod errors;
pub mod layer;
pub mod request_log;
pub mod timeout;
