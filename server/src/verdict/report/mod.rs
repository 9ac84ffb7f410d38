//! A verdict for people and for CI systems. As JSON it shows itself.

mod junit;
mod text;

pub(crate) use junit::escaped;
pub use junit::junit;
pub use text::text;
