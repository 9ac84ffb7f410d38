//! JSON bodies, read with every problem in them reported at its place, in the words of pydantic.
//!
//! [`reader`] walks a value and collects [`problem`]s, [`object`] walks the fields of an object; the caller knows what a
//! body means.

pub mod object;
pub mod problem;
pub mod reader;

pub use object::Object;
pub use problem::{Place, Problem};
pub use reader::{Node, Problems};
