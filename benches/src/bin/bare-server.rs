//! The baseline of the server: one actix-web handler that makes a UUID, and nothing else.

use actix_web::{App, HttpResponse, HttpServer, web};
use structopt::StructOpt;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    HttpServer::new(move || App::new().route("/msg", web::get().to(message)))
        .workers(options.workers)
        .bind(("127.0.0.1", options.port))?
        .run()
        .await
}
