//! `Retry-After`.

use super::*;

#[actix_rt::test]
async fn a_retry_waits_as_long_as_the_server_asks() {
    tokio::time::pause();
    for (value, waited) in [("7", 7), ("60", 60), ("0", 1), ("soon", 1), ("-5", 1), ("", 1)] {
        let bench =
            Bench::steps(|c| c.deadline = seconds(90), &[asks_to_wait(503, value), Step::Answer(200)]);
        let start = Instant::now();
        bench.get().await.unwrap();
        assert_eq!(since(start), waited, "{value:?}");
    }
}

#[actix_rt::test]
async fn a_retry_waits_until_the_date_that_the_server_names() {
    tokio::time::pause();
    let date = |ahead| httpdate::fmt_http_date(SystemTime::now() + ahead);
    for (value, at_least, at_most) in
        [(date(seconds(50)), 5, 50), (httpdate::fmt_http_date(SystemTime::UNIX_EPOCH), 1, 1)]
    {
        let bench = Bench::steps(|_| (), &[asks_to_wait(429, value.clone()), Step::Answer(200)]);
        let start = Instant::now();
        bench.get().await.unwrap();
        let waited = since(start);
        assert!((at_least..=at_most).contains(&waited), "{value}: {waited} s");
    }
}

#[actix_rt::test]
async fn a_server_that_asks_to_wait_too_long_ends_the_call_at_once() {
    tokio::time::pause();
    for value in ["61", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let bench = Bench::steps(|_| (), &[asks_to_wait(429, value)]);
        let start = Instant::now();
        let error = bench.get().await.unwrap_err();
        assert_eq!(error.gave_up(), Some(GaveUp::RetryAfterTooLong), "{value}");
        assert!(error.retry_after().unwrap() > seconds(60));
        assert_eq!((since(start), bench.sent()), (0, 1));
    }
}
