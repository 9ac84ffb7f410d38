//! Redirects: how far they are followed, and what a call ends with that is not followed any further.

use super::*;
use crate::config::Redirects;

fn leads_to(status: u16, location: &str) -> Step {
    Step::AnswerWith(status, "location", location.to_owned())
}

#[actix_rt::test]
async fn at_most_ten_redirects_are_followed() {
    tokio::time::pause();
    let bench = Bench::new(|_| (), |n| (Duration::ZERO, leads_to(302, &format!("/{n}"))));
    let error = bench.get().await.unwrap_err();
    assert_eq!((bench.sent(), error.status(), error.kind().name()), (11, Some(302), "status"));
    assert_eq!(error.attempts().len(), 1, "they belong to one attempt");
    assert!(error.message().contains("too many redirects"), "{error}");
    let bench = Bench::new(
        |_| (),
        |n| (Duration::ZERO, if n < 10 { leads_to(302, &format!("/{n}")) } else { Step::Answer(200) }),
    );
    assert_eq!(bench.get().await.unwrap().status(), 200);
}

#[actix_rt::test]
async fn a_redirect_that_is_not_followed_says_why() {
    tokio::time::pause();
    for (base, step, sentence) in [
        (
            "http://h",
            leads_to(302, "/on"),
            "302, a redirect in a loop: it leads to where the call has been before",
        ),
        (
            "https://h",
            leads_to(308, "http://h/"),
            "308, a redirect from https to http, which is never followed",
        ),
        ("http://h", Step::Answer(301), "301, a redirect without a Location"),
        ("http://h", leads_to(307, "ftp://h/"), "307, a redirect whose Location is not an http or https URL"),
        (
            "http://h",
            leads_to(307, "http:///h"),
            "307, a redirect whose Location is not an http or https URL",
        ),
        (
            "http://h",
            leads_to(303, "http://me:secret@h/"),
            "303, a redirect with credentials in its Location, which is never followed",
        ),
        ("http://h", Step::Answer(300), "300"),
        (
            "http://h",
            leads_to(304, "/on"),
            "304, Not Modified, which is an answer to a conditional request and has no body",
        ),
    ] {
        let bench = Bench::steps(|c| c.base_url = base.to_owned(), &[step]);
        let error = bench.get().await.unwrap_err();
        assert_eq!(error.kind().name(), "status");
        assert_eq!(error.message(), format!("the server answered {sentence}"));
    }
}

#[actix_rt::test]
async fn redirects_are_kept_where_the_client_or_the_call_says_so() {
    tokio::time::pause();
    for (client, call, sent) in [
        (false, None, 1),
        (true, Some(Redirects::Keep), 1),
        (true, None, 2),
        (false, Some(Redirects::Follow), 2),
    ] {
        let steps = [leads_to(307, "/on"), Step::Answer(200)];
        let bench = Bench::steps(|c| c.follow_redirects = client, &steps);
        let result = bench
            .call(match call {
                Some(redirects) => Call::get("/").redirects(redirects),
                None => Call::get("/"),
            })
            .await;
        assert_eq!(bench.sent(), sent);
        if sent == 1 {
            let error = result.unwrap_err();
            assert_eq!(error.status(), Some(307));
            assert_eq!(
                error.message(),
                "the server answered 307, a redirect, and redirects are not followed"
            );
            assert_eq!(error.response().unwrap().headers().get("Location"), Some("/on"));
        }
    }
}

#[actix_rt::test]
async fn a_replay_is_permitted_for_what_is_safe_to_repeat() {
    tokio::time::pause();
    use {Method::*, Replay::*, RetryMethods::*};
    for (methods, method, expected) in [
        (All, Post, Allowed),
        (All, Get, Allowed),
        (IdempotentOnly, Get, Allowed),
        (IdempotentOnly, Put, Allowed),
        (IdempotentOnly, Delete, Allowed),
        (IdempotentOnly, Post, Forbidden),
        (IdempotentOnly, Patch, Forbidden),
    ] {
        let bench = Bench::steps(|c| c.retry.methods = methods, &[Step::Answer(200)]);
        bench.call(Call::new(method, "/")).await.unwrap();
        assert_eq!(*bench.script.replays.borrow(), [expected], "{methods:?} {method}");
    }
    let steps = [leads_to(303, "/on"), Step::Answer(200)];
    let bench = Bench::steps(|c| c.retry.methods = IdempotentOnly, &steps);
    bench.call(Call::post("/")).await.unwrap();
    assert_eq!(*bench.script.replays.borrow(), [Forbidden, Allowed], "a POST that has become a GET");
}
