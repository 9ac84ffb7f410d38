//! Where a redirect leads.

use url::Url;

use crate::journal::Entry;

/// The path, without the prefix of a session, to which an answer of class 3xx sends the client.
pub(super) fn target(entry: &Entry) -> Option<String> {
    let redirected = entry.status.is_some_and(|status| (300..400).contains(&status));
    let location = entry.location.as_deref().filter(|_| redirected)?;
    let base = Url::parse("http://localhost/").ok()?.join(entry.path()).ok()?;
    Some(own_path(base.join(location).ok()?.path()).to_owned())
}

/// The path of an entry, written as [`target`] writes it.
pub(super) fn normalised(path: &str) -> String {
    Url::parse("http://localhost/")
        .and_then(|base| base.join(path))
        .map_or_else(|_| path.to_owned(), |url| url.path().to_owned())
}

/// The path without `/s/{id}`.
fn own_path(path: &str) -> &str {
    let below = path.strip_prefix("/s/").and_then(|rest| rest.find('/').map(|end| &rest[end..]));
    below.unwrap_or(path)
}
