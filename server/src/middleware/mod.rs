//! The layers around every request, outermost first: [`envelope`], [`observe`](crate::observe), [`cors`],
//! [`timeout`].

pub mod cors;
pub mod envelope;
pub mod layer;
pub mod timeout;
