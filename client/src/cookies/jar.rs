//! The cookies of one client, in memory.
//!
//! The rules are those of the crate `cookie_store`. Its store grows without limit, so the limits are set here: cookies
//! beyond them are not stored.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use cookie_store::{Cookie, CookieStore, RawCookie};
use http::{HeaderValue, Uri};
use url::Url;

/// The most cookies of one domain, and of a client (RFC 6265, 6.1, asks for at least 50).
const MOST_OF_A_DOMAIN: usize = 50;
const MOST: usize = 1_000;
/// The longest cookie: name and value together.
const LONGEST: usize = 4_096;

/// The cookies of one client.
#[derive(Default)]
pub(crate) struct CookieJar(Mutex<CookieStore>);

impl CookieJar {
    /// The cookies for a request, as the value of its header; `None` when there are none.
    pub(crate) fn header(&self, uri: &Uri) -> Option<HeaderValue> {
        let url = parse(uri)?;
        let store = self.lock();
        let mut cookies = store.matches(&url);
        // RFC 6265, 5.4: longer paths first. The names only make the order the same every time.
        cookies.sort_by(|one, other| {
            let path = |cookie: &Cookie<'_>| AsRef::<str>::as_ref(&cookie.path).len();
            path(other).cmp(&path(one)).then_with(|| one.name().cmp(other.name()))
        });
        let pairs: Vec<_> =
            cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        let mut value = HeaderValue::try_from(pairs.join("; ")).ok().filter(|value| !value.is_empty())?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Stores the cookies that a reply sets. What is not a cookie, or not one that this server may set, is passed over.
    pub(crate) fn store<'a>(&self, uri: &Uri, fields: impl Iterator<Item = &'a [u8]>) {
        let mut fields = fields.peekable();
        if fields.peek().is_none() {
            return;
        }
        let Some(url) = parse(uri) else { return };
        let mut store = self.lock();
        for field in fields {
            let Some(cookie) = std::str::from_utf8(field).ok().and_then(|text| RawCookie::parse(text).ok())
            else {
                continue;
            };
            if is_acceptable(&cookie, &url)
                && let Ok(cookie) = Cookie::try_from_raw_cookie(&cookie, &url)
                && has_place(&mut store, &cookie)
            {
                // What the store refuses is none of this server's cookies.
                let _ = store.insert(cookie.into_owned(), &url);
            }
        }
    }

    /// Forgets all cookies.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, CookieStore> {
        // The store stays consistent whatever a panic has interrupted: a cookie is there or not.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without the cookies.
impl fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieJar")
    }
}

fn parse(uri: &Uri) -> Option<Url> {
    Url::parse(&uri.to_string()).ok()
}

/// Whether a cookie can be sent back, is short enough, and is not set for a whole top-level domain.
fn is_acceptable(cookie: &RawCookie<'_>, url: &Url) -> bool {
    let sendable = |text: &str| !text.bytes().any(|byte| byte.is_ascii_control() || byte == b';');
    let short = cookie.name().len() + cookie.value().len() <= LONGEST;
    let domain = cookie.domain().map(|domain| domain.trim_matches('.'));
    let narrow = domain.is_none_or(|domain| {
        domain.contains('.') || url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(domain))
    });
    short && narrow && sendable(cookie.name()) && sendable(cookie.value())
}

/// Whether a cookie replaces another one or is within the limits. Expired ones are dropped when there is no place.
fn has_place(store: &mut CookieStore, new: &Cookie<'_>) -> bool {
    let place = |cookie: &Cookie<'_>| (String::from(&cookie.domain), String::from(&cookie.path));
    let replaces = |store: &CookieStore| {
        let (domain, path) = place(new);
        store.contains_any(&domain, &path, new.name())
    };
    let fits = |store: &CookieStore| {
        let of_domain = store.iter_any().filter(|cookie| cookie.domain == new.domain).count();
        of_domain < MOST_OF_A_DOMAIN && store.iter_any().count() < MOST
    };
    if replaces(store) || fits(store) {
        return true;
    }
    let expired: Vec<_> = store
        .iter_any()
        .filter(|cookie| cookie.is_expired())
        .map(|cookie| {
            let (domain, path) = place(cookie);
            (domain, path, cookie.name().to_owned())
        })
        .collect();
    for (domain, path, name) in expired {
        store.remove(&domain, &path, &name);
    }
    fits(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(jar: &CookieJar, url: &str) -> String {
        let value = jar.header(&url.parse().unwrap());
        value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    fn jar(from: &str, fields: &[&str]) -> CookieJar {
        let jar = CookieJar::default();
        jar.store(&from.parse().unwrap(), fields.iter().map(|field| field.as_bytes()));
        jar
    }

    #[test]
    fn a_cookie_goes_back_where_it_belongs_and_nowhere_else() {
        for (from, field, url, expected) in [
            ("http://h.test/a/b", "x=1", "http://h.test/a/c", "x=1"),
            ("http://h.test/a/b", "x=1", "http://h.test/", ""),
            ("http://h.test/a/b", "x=1; Path=/", "http://h.test/", "x=1"),
            ("http://h.test/", "x=1; Path=/a", "http://h.test/a/b", "x=1"),
            ("http://h.test/", "x=1; Path=/a", "http://h.test/ab", ""),
            ("http://h.test/", "x=1", "http://h.test:81/", "x=1"),
            ("http://h.test/", "x=1", "http://sub.h.test/", ""),
            ("http://h.test/", "x=1; Domain=h.test", "http://sub.h.test/", "x=1"),
            ("http://h.test/", "x=1; Domain=.h.test", "http://sub.h.test/", "x=1"),
            ("http://sub.h.test/", "x=1; Domain=h.test", "http://h.test/", "x=1"),
            ("http://h.test/", "x=1; Domain=other.test", "http://other.test/", ""),
            ("http://h.test/", "x=1; Domain=test", "http://other.test/", ""),
            ("http://h.test/", "x=1; Domain=test", "http://h.test/", ""),
            ("http://localhost/", "x=1; Domain=localhost", "http://localhost/", "x=1"),
            ("http://10.0.0.1/", "x=1; Domain=0.0.1", "http://1.0.0.1/", ""),
            ("https://h.test/", "x=1; Secure", "http://h.test/", ""),
            ("https://h.test/", "x=1; Secure", "https://h.test/", "x=1"),
            ("http://h.test/", "x=1; HttpOnly; SameSite=Strict", "http://h.test/", "x=1"),
            ("http://h.test/", "x=1; Max-Age=0", "http://h.test/", ""),
            ("http://h.test/", "x=1; Max-Age=1000", "http://h.test/", "x=1"),
            ("http://h.test/", "x=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "http://h.test/", ""),
            ("http://h.test/", "x=1; Expires=Wed, 21 Oct 2065 07:28:00 GMT", "http://h.test/", "x=1"),
            ("http://h.test/", "x=\"a b\"", "http://h.test/", "x=\"a b\""),
            ("http://h.test/", "no cookie", "http://h.test/", ""),
            ("http://h.test/", "=1", "http://h.test/", ""),
            ("http://h.test/", "", "http://h.test/", ""),
        ] {
            assert_eq!(sent(&jar(from, &[field]), url), expected, "{field:?} from {from} to {url}");
        }
    }

    #[test]
    fn several_cookies_are_one_header_with_the_longest_path_first() {
        let jar =
            jar("http://h.test/a/b/c", &["b=2; Path=/", "a=1; Path=/", "z=0; Path=/a/b", "b=3; Path=/"]);
        assert_eq!(sent(&jar, "http://h.test/a/b/c"), "z=0; a=1; b=3");
        jar.store(&"http://h.test/".parse().unwrap(), [&b"a=; Max-Age=0; Path=/"[..]].into_iter());
        assert_eq!(sent(&jar, "http://h.test/"), "b=3");
        jar.clear();
        assert_eq!(sent(&jar, "http://h.test/a/b/c"), "");
    }

    #[test]
    fn the_cookies_of_a_server_are_bounded_and_those_that_expire_make_place() {
        let jar = CookieJar::default();
        let uri: Uri = "http://h.test/".parse().unwrap();
        for n in 0..2_000 {
            jar.store(&uri, [format!("c{n}=1").as_bytes()].into_iter());
        }
        assert_eq!(sent(&jar, "http://h.test/").split("; ").count(), MOST_OF_A_DOMAIN);
        jar.store(&uri, [&b"c7=new"[..], b"c8=; Max-Age=0", b"late=1"].into_iter());
        let cookies = sent(&jar, "http://h.test/");
        assert!(
            cookies.contains("c7=new") && !cookies.contains("c8=") && cookies.contains("late=1"),
            "{cookies}"
        );
        for n in 0..2_000 {
            let uri: Uri = format!("http://h{n}.test/").parse().unwrap();
            jar.store(&uri, [&b"x=1"[..]].into_iter());
        }
        assert_eq!(jar.lock().iter_any().count(), MOST);
        let long = format!("long={}", "x".repeat(LONGEST));
        let other = CookieJar::default();
        other.store(&uri, [long.as_bytes()].into_iter());
        assert_eq!(sent(&other, "http://h.test/"), "");
    }
}
