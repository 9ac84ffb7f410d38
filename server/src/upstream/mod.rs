//! The upstream: a reverse proxy in front of the user's own API, which so gets bad days.
//!
//! * [`address`]: where the upstream is; [`own_paths`]: which paths are ours and which are the upstream's.
//! * [`forward`](fn@forward): one request forwarded and its answer streamed back; [`answer_body`]: the body of that
//!   answer.
//! * [`request_head`] \[pure\]: the head that the upstream gets; [`request_body`]: the body, as the client sends it.
//! * [`reply_head`], [`chunked`] \[pure\]: how the upstream's answer is read.
//! * [`connections`]: awc, which connects and keeps connections; [`stream`]: what lies between awc and the socket;
//!   [`exchange`]: what the two sides of awc know about one request; [`failure`]: what can go wrong.
//!
//! awc sends the whole body of a request before it reads a byte of the answer, takes a truncated answer for a whole
//! one, and changes heads. So awc gets a placeholder in each direction, and the [`stream`] below it sends and reads the
//! real ones: both bodies flow at the same time, each only as fast as its reader takes it.

pub mod address;
mod answer_body;
mod chunked;
mod connections;
mod exchange;
mod failure;
mod forward;
pub mod own_paths;
mod reply_head;
mod request_body;
mod request_head;
mod stream;

pub use address::UpstreamAddress;
pub use connections::register;
pub use failure::Failure;
pub use forward::forward;
