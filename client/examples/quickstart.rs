//! The shortest use of the client, from a plain tokio program.
//!
//! `cargo run --example quickstart`
//!
//! It starts a server of its own that fails twice before it answers, and shows that the caller does not notice.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use resilient_client::{ClientConfig, ResilientClient, RetryConfig};

/// Fails twice, then answers with the request id of the request.
async fn message(failures: web::Data<AtomicU32>, request: HttpRequest) -> HttpResponse {
    if failures.fetch_add(1, Ordering::SeqCst) < 2 {
        return HttpResponse::ServiceUnavailable().finish();
    }
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or("none");
    HttpResponse::Ok().json(serde_json::json!({ "request_id": id }))
}

/// Starts the server on a thread of its own, and returns its base URL.
fn start_server() -> std::io::Result<String> {
    let failures = web::Data::new(AtomicU32::new(0));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let base_url = format!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        let app = move || App::new().app_data(failures.clone()).route("/msg", web::get().to(message));
        let server = HttpServer::new(app).workers(1).listen(listener)?;
        actix_web::rt::System::new().block_on(server.run())
    });
    Ok(base_url)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base_url = start_server()?;
    let client = ResilientClient::start(ClientConfig {
        retry: RetryConfig { min_wait: Duration::from_millis(10), ..RetryConfig::default() },
        ..ClientConfig::new(base_url)
    })?;
    let reply = client.get("/msg").request_id("order-42").send().await?;

    assert_eq!(reply.status(), 200);
    assert_eq!(reply.json::<serde_json::Value>()?["request_id"], "order-42");
    let statuses: Vec<_> = reply.attempts().iter().filter_map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [503, 503, 200]);
    for (n, attempt) in reply.attempts().iter().enumerate() {
        println!(
            "attempt {}: {:?} in {:?}, then waited {:?}",
            n + 1,
            attempt.status,
            attempt.duration,
            attempt.wait
        );
    }
    client.close().await;
    Ok(())
}
