//! Addresses of proxies, the hosts that need none, and the environment.

use std::collections::HashMap;

use super::*;
use crate::error::ErrorKind;

fn from_env(variables: &[(&str, &str)]) -> Result<Proxies, Error> {
    let variables: HashMap<String, OsString> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    Proxies::new(&ProxyConfig::default(), |name| variables.get(name).cloned())
}

/// Variables, and the proxies for http and https that they name.
type Case = (&'static [(&'static str, &'static str)], [Option<&'static str>; 2]);

/// The proxies of `http://h` and `https://h`.
fn both(proxies: &Proxies) -> [Option<String>; 2] {
    [(Scheme::Http, "http://h"), (Scheme::Https, "http://h:443")]
        .map(|(scheme, url)| proxies.find(scheme, &Uri::from_static(url)).map(ToString::to_string))
}

#[test]
fn a_proxy_is_an_http_url_with_or_without_credentials() {
    for (text, shown, credentials) in [
        ("http://proxy:3128", "proxy:3128", None),
        ("proxy:3128", "proxy:3128", None),
        (" http://PROXY:3128/ ", "proxy:3128", None),
        ("http://proxy", "proxy:80", None),
        ("http://127.0.0.1:8080", "127.0.0.1:8080", None),
        ("http://[::1]:8080", "[::1]:8080", None),
        ("http://user:password@proxy:1", "proxy:1", Some("Basic dXNlcjpwYXNzd29yZA==")),
        ("user:password@proxy:1", "proxy:1", Some("Basic dXNlcjpwYXNzd29yZA==")),
        ("http://user@proxy:1", "proxy:1", Some("Basic dXNlcjo=")),
        ("http://us%20er:p%40ss%3A@proxy:1", "proxy:1", Some("Basic dXMgZXI6cEBzczo=")),
    ] {
        let proxy = Proxy::parse(text).unwrap();
        assert_eq!(proxy.to_string(), shown, "{text}");
        assert_eq!(proxy.credentials.as_ref().map(|value| value.to_str().unwrap()), credentials, "{text}");
        assert!(!format!("{proxy:?}").contains("Basic"), "{proxy:?}");
    }
}

#[test]
fn what_is_no_proxy_is_refused_by_its_field_without_its_credentials() {
    for (url, why) in [
        ("socks5://user:hidden@proxy:1080", "SOCKS"),
        ("socks5h://proxy:1080", "SOCKS"),
        ("socks4://proxy", "SOCKS"),
        ("https://user:hidden@proxy:443", "TLS"),
        ("ftp://proxy", "must be http://["),
        ("http://", "must be http://["),
        ("", "must be http://["),
        ("http://proxy:99999", "must be http://["),
        ("http://proxy:0", "must be http://["),
        ("http://user:hidden@proxy/path", "must be http://["),
        ("http://proxy/?hidden", "must be http://["),
        ("http://us%3Aer:hidden@proxy", "no ':'"),
        ("http://user:hidden%0A@proxy", "control characters"),
        ("user:hidden@:1", "must be http://["),
    ] {
        let config = ProxyConfig { url: Some(url.to_owned()), ..ProxyConfig::default() };
        let error = check(&config).unwrap_err();
        assert_eq!((error.kind(), error.field().unwrap().field()), (ErrorKind::Config, "proxy.url"), "{url}");
        assert!(error.message().contains(why), "{url}: {error}");
        assert!(!format!("{error} {error:?}").contains("hidden") || url.contains("?hidden"), "{error:?}");

        if url.is_empty() {
            continue;
        }
        let error = from_env(&[("ALL_PROXY", url)]).unwrap_err();
        assert_eq!(error.field().unwrap().field(), "ALL_PROXY");
        assert!(!format!("{error} {error:?}").contains("user:hidden"), "{error:?}");
    }
}

#[test]
fn the_environment_names_a_proxy_for_each_scheme() {
    let all: [Case; 13] = [
        (&[], [None, None]),
        (&[("http_proxy", "http://a:1")], [Some("a:1"), None]),
        (&[("HTTP_PROXY", "http://a:1")], [Some("a:1"), None]),
        (&[("http_proxy", "http://a:1"), ("HTTP_PROXY", "http://b:1")], [Some("a:1"), None]),
        (&[("HTTPS_PROXY", "http://a:1")], [None, Some("a:1")]),
        (&[("https_proxy", "a:1"), ("HTTPS_PROXY", "b:1")], [None, Some("a:1")]),
        (&[("ALL_PROXY", "http://a:1")], [Some("a:1"), Some("a:1")]),
        (&[("all_proxy", "a:1"), ("ALL_PROXY", "b:1")], [Some("a:1"), Some("a:1")]),
        (&[("ALL_PROXY", "a:1"), ("HTTPS_PROXY", "b:1")], [Some("a:1"), Some("b:1")]),
        (&[("http_proxy", ""), ("HTTP_PROXY", "b:1")], [Some("b:1"), None]),
        // In a CGI program, HTTP_PROXY is what a request says.
        (&[("HTTP_PROXY", "a:1"), ("REQUEST_METHOD", "GET")], [None, None]),
        (&[("http_proxy", "a:1"), ("HTTP_PROXY", "b:1"), ("REQUEST_METHOD", "")], [Some("a:1"), None]),
        (
            &[("HTTPS_PROXY", "a:1"), ("ALL_PROXY", "b:1"), ("REQUEST_METHOD", "GET")],
            [Some("b:1"), Some("a:1")],
        ),
    ];
    for (variables, expected) in all {
        let proxies = from_env(variables).unwrap();
        assert_eq!(both(&proxies), expected.map(|name| name.map(str::to_owned)), "{variables:?}");
    }
}

#[test]
fn the_settings_come_before_the_environment() {
    let variables = |name: &str| match name {
        "ALL_PROXY" => Some("http://environment:1".into()),
        "NO_PROXY" => Some("h".into()),
        _ => None,
    };
    let url = Some("http://own:1".to_owned());
    let none = || Some(String::new());
    for (config, expected) in [
        (ProxyConfig { no_proxy: none(), ..ProxyConfig::default() }, Some("environment:1")),
        (ProxyConfig { url: url.clone(), no_proxy: none(), ..ProxyConfig::default() }, Some("own:1")),
        (ProxyConfig { url: url.clone(), ..ProxyConfig::default() }, None),
        (ProxyConfig { url: url.clone(), from_env: false, ..ProxyConfig::default() }, Some("own:1")),
        (ProxyConfig { url, no_proxy: Some("*".into()), from_env: false }, None),
        (ProxyConfig { from_env: false, ..ProxyConfig::default() }, None),
        (ProxyConfig { no_proxy: Some("other".into()), ..ProxyConfig::default() }, Some("environment:1")),
    ] {
        let expected = expected.map(str::to_owned);
        assert_eq!(
            both(&Proxies::new(&config, variables).unwrap()),
            [expected.clone(), expected],
            "{config:?}"
        );
    }
}

#[test]
fn names_suffixes_addresses_networks_and_ports_need_no_proxy() {
    for (list, yes, no) in [
        ("*", &["h:1", "1.2.3.4:1", "[::1]:1"][..], &[][..]),
        ("", &[], &["h:1"]),
        (
            "example.com",
            &["example.com:1", "EXAMPLE.com.:1", "a.b.example.com:1"],
            &["notexample.com:1", "com:1"],
        ),
        (".example.com", &["a.example.com:1", "example.com:1"], &["badexample.com:1"]),
        ("*.example.com", &["a.example.com:1", "example.com:1"], &["badexample.com:1"]),
        ("a, b\tc,,", &["a:1", "b:2", "x.c:3"], &["d:1", "ab:1"]),
        ("h:8080", &["h:8080", "x.h:8080"], &["h:80"]),
        ("localhost", &["localhost:1"], &["127.0.0.1:1", "[::1]:1"]),
        ("127.0.0.1", &["127.0.0.1:1"], &["127.0.0.2:1", "localhost:1", "x.127.0.0.1:1"]),
        ("127.0.0.1:80", &["127.0.0.1:80"], &["127.0.0.1:81"]),
        ("::1", &["[::1]:1", "[0:0:0:0:0:0:0:1]:1"], &["[::2]:1", "127.0.0.1:1"]),
        ("[::1]:80", &["[::1]:80"], &["[::1]:81"]),
        ("[::1]", &["[::1]:80"], &["[::2]:80"]),
        ("10.0.0.0/8", &["10.255.3.4:1"], &["11.0.0.1:1", "[::a00:1]:1"]),
        ("192.168.1.64/26", &["192.168.1.64:1", "192.168.1.127:1"], &["192.168.1.63:1", "192.168.1.128:1"]),
        ("0.0.0.0/0", &["1.2.3.4:1"], &["h:1", "[::1]:1"]),
        ("1.2.3.4/32", &["1.2.3.4:1"], &["1.2.3.5:1"]),
        ("fd00::/8", &["[fd12::1]:1"], &["[fe80::1]:1", "10.0.0.1:1"]),
    ] {
        let bypass = Bypass::parse(list).unwrap();
        for (hosts, expected) in [(yes, true), (no, false)] {
            for target in hosts {
                let (host, port) = target.rsplit_once(':').unwrap();
                assert_eq!(bypass.includes(host, port.parse().unwrap()), expected, "{list:?} {target}");
            }
        }
    }
}

#[test]
fn an_entry_that_is_nothing_is_refused_in_a_setting_and_passed_over_in_the_environment() {
    for entry in [
        "h:port",
        "h:0",
        "h:99999",
        "10.0.0.0/33",
        "fd00::/129",
        "10.0.0.0/x",
        "/8",
        ".",
        "a/b",
        "::1:x",
        "h@x",
    ] {
        let config = ProxyConfig { no_proxy: Some(format!("a,{entry}")), ..ProxyConfig::default() };
        let error = check(&config).unwrap_err();
        assert_eq!(error.field().unwrap().field(), "proxy.no_proxy");
        assert!(error.message().contains(&format!("{entry:?}")), "{error}");
        let list = format!("{entry},h");
        let proxies = from_env(&[("ALL_PROXY", "proxy:1"), ("NO_PROXY", &list)]).unwrap();
        assert_eq!(both(&proxies), [None, None], "{entry}");
    }
}
