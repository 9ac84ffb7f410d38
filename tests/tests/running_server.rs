//! What every client of the test server relies on, whatever its configuration: these tests run against the server at
//! `BASE_URL`, one after the other, or each against a server of its own.
//!
//! `BASE_URL=http://localhost:8000 cargo test -p workspace-tests --test running_server`. Nothing else must use that
//! server meanwhile, and its slots, its cache and its request timeout must not be smaller than the defaults.

use std::time::Duration;

use futures::future::join_all;
use resilient_client::{ClientConfig, ErrorKind, ResilientClient, RetryConfig};
use serde_json::{Value, json};
use uuid::Uuid;
use workspace_tests::{Answer, RunningServer, answer, within};

fn new_key() -> String {
    format!("running-{}", Uuid::new_v4())
}

async fn get(server: &RunningServer, path: &str) -> Answer {
    answer(server.get(path)).await
}

async fn keyed(server: &RunningServer, key: &str) -> Answer {
    answer(server.get_keyed("/msg", key)).await
}

async fn arm(server: &RunningServer, path: &str) {
    assert_eq!(answer(server.post(path)).await.status, 200, "{path}");
}

async fn failure_status(server: &RunningServer) -> Value {
    get(server, "/fail/status").await.body
}

#[tokio::test]
async fn the_complete_flow_of_the_specification_holds() {
    let server = RunningServer::take().await;
    let health = get(&server, "/health").await;
    assert_eq!((health.status, &health.body["status"]), (200, &json!("ok")));
    assert!(health.body["uptime_seconds"].as_f64().is_some_and(|uptime| uptime >= 0.0), "{health:#?}");

    arm(&server, "/fail/count/3").await;
    for _ in 0..3 {
        get(&server, "/msg").await.assert_is(500, &json!({"detail": "Induced server failure"}));
    }
    get(&server, "/msg").await.message_id();

    let key = new_key();
    let (first, again) = (keyed(&server, &key).await, keyed(&server, &key).await);
    assert_eq!(first.message_id(), again.message_id());
    assert_eq!((first.is_replayed(), again.is_replayed()), (false, true));

    arm(&server, "/fail/count/1").await;
    assert_eq!(keyed(&server, &key).await.status, 500);
    assert_eq!(keyed(&server, &key).await.message_id(), first.message_id());
}

#[tokio::test]
async fn exactly_as_many_requests_fail_as_were_armed_however_many_come_at_once() {
    let server = RunningServer::take().await;
    arm(&server, "/fail/count/17").await;
    let answers = join_all((0..40).map(|_| get(&server, "/msg"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 500).count(), 17);
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 23);
    assert_eq!(failure_status(&server).await["currently_failing"], false);
}

#[tokio::test]
async fn a_duration_and_a_count_are_independent_and_a_reset_ends_both() {
    let server = RunningServer::take().await;
    arm(&server, "/fail/duration/3600").await;
    arm(&server, "/fail/count/1").await;
    assert_eq!((get(&server, "/msg").await.status, get(&server, "/msg").await.status), (500, 500));
    let status = failure_status(&server).await;
    assert_eq!(status["failure_status"]["fail_requests_count"], 0);
    assert!(status["failure_status"]["fail_until_timestamp"].is_f64(), "{status}");
    assert!(
        status["failure_status"]["duration_remaining_seconds"].as_f64().is_some_and(|left| left > 3000.0)
    );
    assert_eq!(status["currently_failing"], true);

    let reset = answer(server.post("/fail/reset")).await;
    reset.assert_is(
        200,
        &json!({"message": "All failure modes have been reset", "status": "normal_operation"}),
    );
    get(&server, "/msg").await.message_id();
    let status = failure_status(&server).await;
    assert_eq!(status["failure_status"]["fail_until_timestamp"], Value::Null);
}

#[tokio::test]
async fn a_duration_ends_by_itself() {
    let server = RunningServer::take().await;
    arm(&server, "/fail/duration/1").await;
    assert_eq!(get(&server, "/msg").await.status, 500);
    let ended = async {
        // The end of a duration is no event that a client could wait for.
        while failure_status(&server).await["currently_failing"] == true {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    within("the end of the duration", ended).await;
    get(&server, "/msg").await.message_id();
}

#[tokio::test]
async fn requests_with_one_key_that_overlap_get_one_message_and_one_first_answer() {
    let server = RunningServer::take().await;
    let key = new_key();
    let answers = join_all((0..8).map(|_| answer(server.get_keyed("/msg?delay=200", &key)))).await;
    let first = answers[0].message_id();
    assert!(answers.iter().all(|answer| answer.message_id() == first), "{answers:#?}");
    assert_eq!(answers.iter().filter(|answer| !answer.is_replayed()).count(), 1);
}

#[tokio::test]
async fn an_induced_failure_is_not_stored_under_its_key() {
    let server = RunningServer::take().await;
    let key = new_key();
    arm(&server, "/fail/count/1").await;
    assert_eq!(keyed(&server, &key).await.status, 500);
    let retried = keyed(&server, &key).await;
    retried.message_id();
    assert!(!retried.is_replayed());
}

#[tokio::test]
async fn values_out_of_range_unknown_paths_and_wrong_methods_are_refused_and_arm_nothing() {
    let server = RunningServer::take().await;
    let too_many = answer(server.post("/fail/count/1001")).await;
    assert_eq!((too_many.status, &too_many.body["detail"][0]["type"]), (422, &json!("less_than_equal")));
    let no_number = get(&server, "/msg?delay=soon").await;
    assert_eq!(no_number.body["detail"][0]["loc"], json!(["query", "delay"]));
    assert_eq!(no_number.body["detail"][0]["type"], "int_parsing");
    get(&server, "/nothing-here").await.assert_is(404, &json!({"detail": "Not Found"}));
    let wrong_method = answer(server.post("/msg")).await;
    wrong_method.assert_is(405, &json!({"detail": "Method Not Allowed"}));
    assert!(wrong_method.header("Allow").is_some_and(|allowed| allowed.contains("GET")), "{wrong_method:#?}");
    get(&server, "/msg").await.message_id();
}

#[tokio::test]
async fn the_openapi_document_names_every_route_unless_the_documentation_is_turned_off() {
    let server = RunningServer::take().await;
    let document = get(&server, "/openapi.json").await;
    if document.status == 404 {
        assert_eq!(get(&server, "/docs").await.status, 404);
        return;
    }
    for path in
        ["/msg", "/fail/count/{count}", "/fail/duration/{seconds}", "/fail/reset", "/fail/status", "/health"]
    {
        assert!(document.body["paths"][path].is_object(), "{path}");
    }
}

#[tokio::test]
async fn the_client_retries_through_failures_with_one_request_id_and_gives_up_when_they_go_on() {
    let server = RunningServer::take().await;
    let quick = RetryConfig { min_wait: Duration::from_millis(1), max_attempts: 3, ..RetryConfig::default() };
    let config = ClientConfig { retry: quick, ..workspace_tests::direct(server.url("")) };
    let client = ResilientClient::start(config).unwrap();
    let key = new_key();

    arm(&server, "/fail/count/2").await;
    let response = within("a call", client.get("/msg").request_id(&key).send()).await.unwrap();
    assert_eq!(
        response.attempts().iter().map(|attempt| attempt.status).collect::<Vec<_>>(),
        [Some(500), Some(500), Some(200)]
    );
    let message: Value = response.json().unwrap();
    assert_eq!(keyed(&server, &key).await.body, message);

    arm(&server, "/fail/count/5").await;
    let error = within("a call", client.get("/msg").send()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connection(_)) && error.status() == Some(500), "{error:?}");
    assert_eq!(failure_status(&server).await["failure_status"]["fail_requests_count"], 2);
    client.close().await;
}
