//! The baseline of the server: one actix-web handler that makes a UUID, and nothing else; and one that sleeps before.

use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use structopt::StructOpt;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long `/delayed` sleeps.
const DELAY: Duration = Duration::from_secs(1);

#[derive(StructOpt)]
struct Options {
    /// The port to listen on, on loopback.
    port: u16,
    /// Threads that serve.
    workers: usize,
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let options = Options::from_args();
    let message =
        || async { HttpResponse::Ok().json(serde_json::json!({ "message_id": Uuid::new_v4().to_string() })) };
    let delayed = move || async move {
        actix_web::rt::time::sleep(DELAY).await;
        message().await
    };
    HttpServer::new(move || {
        App::new().route("/msg", web::get().to(message)).route("/delayed", web::get().to(delayed))
    })
    .workers(options.workers)
    .bind(("127.0.0.1", options.port))?
    .run()
    .await
}
