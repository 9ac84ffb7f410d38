//! An actix-web application whose handlers share one client.
//!
//! `cargo run --example embedded`
//!
//! The client is started once, outside the server's factory, and every worker gets a handle. The example starts an
//! upstream server that fails at first, and shows what the application's users see: 502 while the client
//! retries, 503 at once while the breaker is open, and answers as soon as the upstream works again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpServer, web};
use resilient_client::{BreakerState, CircuitBreakerConfig, ClientConfig, ResilientClient, RetryConfig};

/// The application's route: it calls the upstream and passes on the result.
async fn price(client: web::Data<ResilientClient>, item: web::Path<String>) -> HttpResponse {
    let call = client.get("/price").query(&[("item", item.as_str())]);
    match call.send().await {
        Ok(reply) => HttpResponse::Ok().body(reply.into_body()),
        Err(error) if error.is_circuit_open() => {
            let wait = error.retry_after().unwrap_or_default().as_secs() + 1;
            HttpResponse::ServiceUnavailable().insert_header(("Retry-After", wait.to_string())).finish()
        }
        Err(error) => HttpResponse::BadGateway().body(error.to_string()),
    }
}

/// The upstream: it fails until it is set to work.
async fn upstream(works: web::Data<AtomicBool>) -> HttpResponse {
    if works.load(Ordering::SeqCst) {
        HttpResponse::Ok().body("42")
    } else {
        HttpResponse::InternalServerError().finish()
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let works = web::Data::new(AtomicBool::new(false));
    let shared = works.clone();
    let server =
        HttpServer::new(move || App::new().app_data(shared.clone()).route("/price", web::get().to(upstream)))
            .workers(1)
            .bind(("127.0.0.1", 0))?;
    let upstream_url = format!("http://{}", server.addrs()[0]);
    actix_web::rt::spawn(server.run());

    // One client for the whole application, on arbiters of its own, because the application's workers come and go.
    let client = ResilientClient::start_on(
        2,
        ClientConfig {
            retry: RetryConfig {
                max_attempts: 2,
                min_wait: Duration::from_millis(10),
                ..RetryConfig::default()
            },
            circuit_breaker: CircuitBreakerConfig {
                failure_threshold: 2,
                recovery_timeout: Duration::from_millis(200),
                ..CircuitBreakerConfig::default()
            },
            ..ClientConfig::new(upstream_url)
        },
    )?;
    let shared = web::Data::new(client.clone());
    let server = HttpServer::new(move || {
        App::new().app_data(shared.clone()).route("/items/{item}", web::get().to(price))
    })
    .workers(2)
    .bind(("127.0.0.1", 0))?;
    let item = format!("http://{}/items/tea", server.addrs()[0]);
    actix_web::rt::spawn(server.run());

    // A user of the application.
    let mut plain = ClientConfig::new("");
    plain.retry.max_attempts = 1;
    plain.circuit_breaker.failure_threshold = 1_000;
    let user = ResilientClient::start(plain)?;
    let mut seen = Vec::new();
    for _ in 0..2 {
        seen.push(user.get(&item).send().await.expect_err("the upstream is out of order").status());
    }
    assert_eq!(seen, [Some(502); 2]);
    println!("out of order: {seen:?}");

    client.force_open().await?;
    let refused = user.get(&item).send().await.expect_err("the breaker is open");
    assert_eq!(refused.status(), Some(503));
    assert!(refused.retry_after().is_some());
    println!("refused at once: {:?}, try again in {:?}", refused.status(), refused.retry_after());

    works.store(true, Ordering::SeqCst);
    client.force_closed().await?;
    let reply = user.get(&item).send().await?;
    assert_eq!(reply.text()?, "42");
    assert_eq!(client.state(), BreakerState::Closed);
    println!("back in order: {}", reply.text()?);
    Ok(())
}
