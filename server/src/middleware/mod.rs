//! The layers around every request, outermost first: [`envelope`], [`observe`](crate::observe),
//! [`spent`] (no layer of its own), [`any_method`], [`cors`], [`timeout`].

pub mod any_method;
pub mod cors;
pub mod envelope;
pub mod layer;
pub mod spent;
pub mod timeout;
