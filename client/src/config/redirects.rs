//! What happens to a redirect.

/// What happens to a redirect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redirects {
    /// It is followed, at most 10 times and never from https to http.
    #[default]
    Follow,
    /// It is not followed: the call ends with [`StatusError::Other`](crate::StatusError::Other).
    Keep,
}
