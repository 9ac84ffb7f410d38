//! Examines a client: runs its command against the test server in every case of [`cases`](crate::cases), and says what
//! it did wrong.
//!
//! * [`host`]: the server inside this process, and its sessions. [`command`]: the client's command line. [`process`]:
//!   one bounded run of it.
//! * [`examine`]: one case. [`run`]: all of them. [`judge`]: what a client did. [`report`]: how it is said.

pub mod command;
pub mod examine;
pub mod host;
pub mod judge;
pub mod process;
pub mod report;
pub mod run;

pub use examine::{CheckError, Method, Sessions};
pub use judge::{CaseResult, Judged};
pub use run::{Checked, Kept, Options, check};
