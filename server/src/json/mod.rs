//! JSON bodies, read with every problem in them reported at its place, in the words of pydantic.
//!
//! [`reader`] walks a value and collects [`problem`]s; the caller knows what a body means.

pub mod problem;
pub mod reader;

pub use problem::{Place, Problem};
pub use reader::{Node, Object, Problems};
