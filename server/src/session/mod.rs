//! A session: everything that one test needs, apart from every other test.
//!
//! * [`session`]: what a session is known by; [`state`]: what its requests share, until a reset.
//! * [`settings`]: what it is created with; [`id`]: its name; [`registry`]: all of them; [`resolve`]: which of them a
//!   request belongs to.
//!
//! Handlers get the session of the request at hand from the extractor
//! [`CurrentSession`](crate::context::CurrentSession) and never ask which one it is.

pub mod id;
pub mod registry;
pub mod resolve;
#[expect(clippy::module_inception, reason = "the session is one concept among those that belong to it")]
pub mod session;
pub mod settings;
pub mod state;

pub use registry::{SessionEntry, SessionInUse, Sessions};
pub use session::{Home, Session};
pub use settings::SessionSettings;
pub use state::SessionState;
