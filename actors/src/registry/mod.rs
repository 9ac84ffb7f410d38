//! Members that are known by an id and end when they have not been used for a while, and one that stays.
//!
//! * [`usage`]: when a member was last used, and by how many at the moment. Atomics, so that a use costs no message.
//! * [`table`]: the members, and who ends when. Pure.
//!
//! * `shared`: members that several servers share; their list is in a store, and this is a mirror of it.
//!
//! The actor alone adds and removes members (of a mirror, the store does); [`RegistryHandle`] looks them up without a message.

mod actor;
mod handle;
#[cfg(feature = "store")]
mod shared;
pub mod table;
pub mod usage;

pub use actor::Created;
pub use handle::{InUse, RegistryHandle, prepare};
#[cfg(feature = "store")]
pub use shared::{MakeMember, Reading, SharedMember, SharedMembers, SharedSettings, shared};
pub use table::{Entry, Full, Id, Member, Refused};
pub use usage::{Lifetime, Usage};
