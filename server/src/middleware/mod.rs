//! The layers around every request, outermost first: [`envelope`], [`observe`](crate::observe),
//! [`any_method`], [`cors`], [`timeout`].

pub mod any_method;
pub mod cors;
pub mod envelope;
pub mod layer;
pub mod timeout;
