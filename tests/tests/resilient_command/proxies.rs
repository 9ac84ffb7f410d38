//! The proxies of the environment, and the flags that come before them.

use workspace_tests::Program;
use workspace_tests::wire_server::{WireServer, reply};

use crate::support::resilient;

/// Which of the two answered a run: the proxy or the origin.
async fn answered(program: Program) -> String {
    let outcome = program.run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:#?}");
    outcome.stdout
}

#[tokio::test]
async fn the_environment_names_the_proxy_and_the_hosts_without_one() {
    let proxy = WireServer::always(vec![reply(200, "", "proxy")]).await;
    let origin = WireServer::always(vec![reply(200, "", "origin")]).await;
    let port = origin.url().rsplit(':').next().unwrap_or_default().to_owned();
    let through = proxy.url();
    let url = origin.url();
    for (variables, flags, expected) in [
        (&[][..], &[][..], "origin"),
        (&[("HTTP_PROXY", through.as_str())], &[], "proxy"),
        (&[("http_proxy", &through)], &[], "proxy"),
        (&[("ALL_PROXY", &through)], &[], "proxy"),
        (&[("all_proxy", &through)], &[], "proxy"),
        (&[("HTTPS_PROXY", &through)], &[], "origin"),
        (&[("HTTP_PROXY", &through), ("REQUEST_METHOD", "GET")], &[], "origin"),
        (&[("HTTP_PROXY", &through), ("NO_PROXY", "localhost")], &[], "proxy"),
        (&[("HTTP_PROXY", &through), ("NO_PROXY", "127.0.0.1")], &[], "origin"),
        (&[("HTTP_PROXY", &through), ("no_proxy", "10.0.0.0/8, 127.0.0.0/8")], &[], "origin"),
        (&[("HTTP_PROXY", &through), ("NO_PROXY", &format!("127.0.0.1:{port}"))], &[], "origin"),
        (&[("HTTP_PROXY", &through), ("NO_PROXY", "127.0.0.1:1")], &[], "proxy"),
        (&[("HTTP_PROXY", &through), ("NO_PROXY", "*")], &[], "origin"),
        (&[("HTTP_PROXY", &through)], &["--no-proxy"], "origin"),
        (&[("HTTP_PROXY", &through)], &["--proxy-bypass", "127.0.0.1"], "origin"),
        (&[("HTTP_PROXY", "http://127.0.0.1:1")], &["--proxy", &through], "proxy"),
        (&[("NO_PROXY", "127.0.0.1")], &["--proxy", &through], "origin"),
        (&[("RESILIENT_PROXY_URL", &through)], &[], "proxy"),
        (&[("HTTP_PROXY", &through), ("RESILIENT_PROXY_FROM_ENV", "false")], &[], "origin"),
    ] {
        let program = resilient().arguments(&["get", &url]).arguments(flags);
        let program = variables.iter().fold(program, |program, (name, value)| program.env(name, value));
        assert_eq!(answered(program).await, expected, "{variables:?} {flags:?}");
    }
}

#[tokio::test]
async fn a_variable_that_is_no_proxy_is_refused_by_its_name_without_its_password() {
    for value in ["socks5://user:hidden@127.0.0.1:1080", "http://user:hidden@", "ftp://user:hidden@h"] {
        let outcome =
            resilient().arguments(&["get", "http://127.0.0.1:1/"]).env("ALL_PROXY", value).run().await;
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        assert!(outcome.stderr.contains("ALL_PROXY") && !outcome.stderr.contains("hidden"), "{outcome:#?}");
    }
}
