//! Members that are known by an id and end when they have not been used for a while, and one that stays.
//!
//! * [`usage`]: when a member was last used, and by how many at the moment. Atomics, so that a use costs no message.
//! * [`table`]: the members, and who ends when. Pure.
//!
//! The actor alone adds and removes members; [`RegistryHandle`] looks them up without a message.

mod actor;
mod handle;
pub mod table;
pub mod usage;

pub use actor::Created;
pub use handle::{InUse, RegistryHandle, prepare};
pub use table::{Entry, Full, Id, Member, Refused};
pub use usage::{Lifetime, Usage};
