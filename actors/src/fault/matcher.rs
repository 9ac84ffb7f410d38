//! Which requests a rule concerns. Pure, and without a count: the same request always gives the same result.

use super::glob::Glob;

/// What a matcher asks of a request.
pub trait Request {
    /// The method, in upper case where it is a standard one.
    fn method(&self) -> &str;

    /// The path as it was sent, without the prefix of a session.
    fn path(&self) -> &str;

    /// The idempotency key, if the request has one.
    fn key(&self) -> Option<&str>;

    /// Whether any value of a header (its name in lower case) satisfies `holds`.
    fn any_header(&self, name: &str, holds: &mut dyn FnMut(&str) -> bool) -> bool;

    /// Whether any decoded value of a query parameter satisfies `holds`.
    fn any_query(&self, name: &str, holds: &mut dyn FnMut(&str) -> bool) -> bool;
}

/// Conditions on a request, all of which must hold. [`Default`] holds for every request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// Any of these methods; none given means every method.
    pub methods: Vec<String>,
    /// The path.
    pub path: Option<Glob>,
    /// The idempotency key; a request without one does not match.
    pub key: Option<Glob>,
    /// For each of these headers (names in lower case), any of its values.
    pub headers: Vec<(String, Glob)>,
    /// For each of these query parameters, any of its values.
    pub query: Vec<(String, Glob)>,
}

impl Matcher {
    /// Whether all conditions hold.
    pub fn matches(&self, request: &impl Request) -> bool {
        let method =
            || self.methods.is_empty() || self.methods.iter().any(|method| method == request.method());
        let path = || self.path.as_ref().is_none_or(|glob| glob.matches(request.path()));
        let key = || self.key.as_ref().is_none_or(|glob| request.key().is_some_and(|key| glob.matches(key)));
        let headers = || {
            self.headers.iter().all(|(name, glob)| request.any_header(name, &mut |value| glob.matches(value)))
        };
        let query = || {
            self.query.iter().all(|(name, glob)| request.any_query(name, &mut |value| glob.matches(value)))
        };
        method() && path() && key() && headers() && query()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A request as tests write it.
    #[derive(Clone, Default)]
    pub(in crate::fault) struct Sent {
        pub(in crate::fault) method: &'static str,
        pub(in crate::fault) path: &'static str,
        pub(in crate::fault) key: Option<&'static str>,
        pub(in crate::fault) headers: Vec<(&'static str, &'static str)>,
        pub(in crate::fault) query: Vec<(&'static str, &'static str)>,
    }

    fn any(pairs: &[(&str, &str)], name: &str, holds: &mut dyn FnMut(&str) -> bool) -> bool {
        pairs.iter().any(|(found, value)| *found == name && holds(value))
    }

    impl Request for Sent {
        fn method(&self) -> &str {
            self.method
        }

        fn path(&self) -> &str {
            self.path
        }

        fn key(&self) -> Option<&str> {
            self.key
        }

        fn any_header(&self, name: &str, holds: &mut dyn FnMut(&str) -> bool) -> bool {
            any(&self.headers, name, holds)
        }

        fn any_query(&self, name: &str, holds: &mut dyn FnMut(&str) -> bool) -> bool {
            any(&self.query, name, holds)
        }
    }

    #[test]
    fn every_condition_must_hold() {
        let request = Sent {
            method: "POST",
            path: "/echo/orders/7",
            key: Some("order-7"),
            headers: vec![("x-tenant", "b"), ("x-tenant", "a")],
            query: vec![("page", "1 2")],
        };
        let pair = |name: &str, glob: &str| vec![(name.to_owned(), Glob::new(glob))];
        let all = Matcher {
            methods: vec!["GET".to_owned(), "POST".to_owned()],
            path: Some(Glob::new("/echo/orders/*")),
            key: Some(Glob::new("order-?")),
            headers: pair("x-tenant", "a"),
            query: pair("page", "1 *"),
        };
        assert!(all.matches(&request));
        assert!(Matcher::default().matches(&request) && Matcher::default().matches(&Sent::default()));
        let spoiled = [
            Matcher { methods: vec!["GET".to_owned()], ..all.clone() },
            Matcher { path: Some(Glob::new("/echo")), ..all.clone() },
            Matcher { key: Some(Glob::new("order")), ..all.clone() },
            Matcher { headers: pair("x-tenant", "c"), ..all.clone() },
            Matcher { headers: pair("x-other", "*"), ..all.clone() },
            Matcher { query: pair("page", "1"), ..all.clone() },
            Matcher { query: pair("size", "*"), ..all.clone() },
        ];
        for matcher in spoiled {
            assert!(!matcher.matches(&request), "{matcher:?}");
        }
        let keyless = Sent { key: None, ..request };
        assert!(!Matcher { key: Some(Glob::new("*")), ..Matcher::default() }.matches(&keyless));
    }
}
