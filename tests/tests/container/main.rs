//! The images, built from the Dockerfile and run with as few privileges as possible.
//!
//! A build takes minutes, so all but one of these tests are skipped, and say so, unless `TEST_CONTAINER=1`. Then a
//! missing engine is a failure.

mod engine;

use std::process::Command;

use engine::{Container, Network};
use serde_json::{Value, json};
use workspace_tests::within;

/// The images' size is a promise of the README.
const MOST_BYTES: u64 = 15_000_000;

#[test]
fn the_images_are_labelled_with_the_version_of_the_workspace() {
    let dockerfile = include_str!("../../../Dockerfile");
    let label = format!("org.opencontainers.image.version=\"{}\"", env!("CARGO_PKG_VERSION"));
    assert_eq!(dockerfile.matches("org.opencontainers.image.version").count(), 2);
    assert_eq!(dockerfile.matches(&label).count(), 2, "{label}");
}

#[test]
fn the_image_is_small_and_says_how_it_is_run() {
    if !engine::wanted() {
        return;
    }
    let image = engine::inspect(engine::server_image());
    assert!(image["Size"].as_u64().is_some_and(|size| size <= MOST_BYTES), "{}", image["Size"]);
    let config = &image["Config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], json!(["/test-server"]));
    assert_eq!(config["Cmd"], json!(["serve"]));
    assert!(config["ExposedPorts"]["8000/tcp"].is_object(), "{config}");
    assert_eq!(config["Labels"]["org.opencontainers.image.version"], env!("CARGO_PKG_VERSION"));
    // Engines differ in where they tell it.
    let check = [&config["Healthcheck"], &image["Healthcheck"], &image["HealthCheck"]];
    let check = check.iter().find(|check| check.is_object()).expect("the image has a health check");
    assert_eq!(check["Test"], json!(["CMD", "/test-server", "health"]));
}

#[tokio::test]
async fn a_hardened_container_answers_is_healthy_from_inside_and_has_no_shell() {
    if !engine::wanted() {
        return;
    }
    let container = Container::start(&[]).await;
    assert_eq!(container.get("/msg").await.status, 200);
    assert_eq!(container.get("/docs").await.status, 200);
    assert_eq!(container.exec(&["/test-server", "health"]), Some(0));
    assert_eq!(container.exec(&["/test-server", "health", "--url", "http://127.0.0.1:1/health"]), Some(1));
    assert_ne!(container.exec(&["/bin/sh", "-c", "true"]), Some(0));
}

#[tokio::test]
async fn the_health_check_follows_the_port_of_the_environment() {
    if !engine::wanted() {
        return;
    }
    let container = Container::start(&["--env", "SERVER_PORT=9000"]).await;
    assert_eq!(container.exec(&["/test-server", "health"]), Some(0));
}

#[tokio::test]
async fn an_idle_container_stops_by_itself_and_has_logged_json_lines() {
    if !engine::wanted() {
        return;
    }
    let container = Container::start(&["--env", "SERVER_LOG_LEVEL=DEBUG"]).await;
    container.get("/msg").await;
    within("the stop", container.begin_stop().wait()).await.expect("the engine stops it");
    // 137 would be the engine's kill.
    assert_eq!(container.exit_code(), "false 0");
    let lines: Vec<Value> =
        container.logs().lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().expect("a message")).collect();
    assert!(
        messages.contains(&"Shutdown begun") && messages.last() == Some(&"Shutdown done"),
        "{messages:?}"
    );
}

#[tokio::test]
async fn a_busy_container_finishes_what_is_in_flight() {
    if !engine::wanted() {
        return;
    }
    let container = Container::start(&["--env", "SERVER_LOG_LEVEL=DEBUG"]).await;
    let drain = async {
        container.wait_for_log("Request received").await;
        container.begin_stop().wait().await.expect("the engine stops it");
    };
    let (busy, ()) = tokio::join!(container.get("/msg?delay=3000"), within("the stop", drain));
    assert_eq!(busy.status, 200);
    assert_eq!(container.exit_code(), "false 0");
    let logs = container.logs();
    let begun = logs.find("Shutdown begun").expect("the shutdown is logged");
    assert!(logs[begun..].contains("Request completed"), "it was answered before the stop: {logs}");
}

#[tokio::test]
async fn the_client_finds_the_server_by_name_without_a_file_in_its_image() {
    if !engine::wanted() {
        return;
    }
    let network = Network::new();
    let container = Container::start(&["--network", network.name()]).await;
    let url = format!("http://{}:8000/msg", container.name());
    let output = engine::run_to_end(
        engine::client_image(),
        &["--network", network.name()],
        &["get", &url, "--report"],
    );
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{report} {}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_str(&report).expect("a report is JSON");
    assert_eq!(report["outcome"], "ok");
    // The container must be removed before its network.
    drop(container);
}

#[tokio::test]
async fn the_scenarios_hold_against_a_container() {
    if !engine::wanted() {
        return;
    }
    let container = Container::start(&[]).await;
    let mut scenarios = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/run_all.sh"));
    let status = scenarios.env("BASE_URL", container.url()).status().expect("the scenarios can be started");
    assert!(status.success(), "{}", container.logs());
}
