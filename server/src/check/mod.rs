//! Examines a client: runs its command against the test server in every case of [`cases`](crate::cases), and says what
//! it did wrong.
//!
//! * [`host`]: the server inside this process, and its sessions. [`command`]: the client's command line. [`process`]:
//!   one bounded run of it.
//! * [`examine`]: one case. [`run`]: all of them. [`report`]: the forms of the report.
//! * [`judge`]: the judgement of a case. `ending`: what is wrong with how a run ended.

pub mod command;
mod ending;
pub mod examine;
pub mod host;
pub mod judge;
pub mod process;
pub mod report;
pub mod run;

pub use examine::{CheckError, Method, Sessions};
pub use judge::{CaseResult, Judged};
pub use run::{Checked, Kept, Options, check};
