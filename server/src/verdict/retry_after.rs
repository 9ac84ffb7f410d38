//! What an answer said in `Retry-After` (RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

use crate::journal::Entry;

/// When the client may come back, since the session began, and how exactly that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotBefore {
    pub(super) at: Duration,
    pub(super) tolerance: Duration,
    /// From the first byte of the answer.
    pub(super) wait: Duration,
}

/// What this answer demands; `None` if it demands nothing that can be read.
pub(super) fn not_before(entry: &Entry, began: SystemTime) -> Option<NotBefore> {
    let text = entry.retry_after.as_deref()?.trim();
    let answered = entry.at + entry.first_byte?;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let wait = Duration::from_secs(text.parse::<u32>().unwrap_or(u32::MAX).into());
        return Some(NotBefore { at: answered + wait, tolerance: Duration::from_millis(20), wait });
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let at = date.duration_since(began).unwrap_or_default();
    let wait = at.saturating_sub(answered);
    Some(NotBefore { at, tolerance: Duration::from_secs(1), wait })
}
