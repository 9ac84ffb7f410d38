//! The layers around every request, outermost first: [`envelope`], [`observe`](crate::observe), [`cors`],
//! [`hold`], [`timeout`].

pub mod cors;
pub mod envelope;
pub mod hold;
pub mod layer;
pub mod timeout;
