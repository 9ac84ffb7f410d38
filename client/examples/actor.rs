//! The client as an actor among actors.
//!
//! `cargo run --example actor`
//!
//! The actor `Till` sends its charges as calls to a `Recipient<Call>`, which is the client. A test can pass another
//! actor instead, as the end of this example does.

use std::sync::atomic::{AtomicU32, Ordering};

use actix::{Actor, Context, Handler, Message, Recipient, ResponseFuture};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use resilient_client::{Call, ClientConfig, Error, ErrorKind, ResilientClient, Response};

/// Charges customers.
struct Till {
    bank: Recipient<Call>,
}

/// Asks for a charge for an order. Sent twice, it charges the order once.
#[derive(Message)]
#[rtype(result = "Result<u32, Error>")]
struct Charge {
    order: String,
    cents: u32,
}

impl Actor for Till {
    type Context = Context<Self>;
}

impl Handler<Charge> for Till {
    type Result = ResponseFuture<Result<u32, Error>>;

    fn handle(&mut self, charge: Charge, _: &mut Context<Self>) -> Self::Result {
        let body = serde_json::json!({ "cents": charge.cents });
        let reply = self.bank.send(Call::post("/charges").json(&body).request_id(charge.order));
        Box::pin(async move {
            // A handler must not wait; the future that it returns may.
            let reply = reply.await.expect("the bank is open")?;
            reply.json()
        })
    }
}

/// A bank for tests, which rejects every charge.
struct PoorBank;

impl Actor for PoorBank {
    type Context = Context<Self>;
}

impl Handler<Call> for PoorBank {
    type Result = ResponseFuture<Result<Response, Error>>;

    fn handle(&mut self, _: Call, _: &mut Context<Self>) -> Self::Result {
        let nowhere = ResilientClient::start(ClientConfig::default());
        // Without a base URL a relative path is an error: a simple way to fail.
        Box::pin(async move { nowhere?.get("/").send().await })
    }
}

/// The server: it fails the first request of each order, and charges an order once.
async fn charge(
    requests: web::Data<AtomicU32>,
    request: HttpRequest,
    body: web::Json<serde_json::Value>,
) -> HttpResponse {
    if requests.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
        return HttpResponse::BadGateway().finish();
    }
    if !request.headers().contains_key("x-request-id") {
        return HttpResponse::BadRequest().finish();
    }
    HttpResponse::Ok().json(&body["cents"])
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let requests = web::Data::new(AtomicU32::new(0));
    let shared = requests.clone();
    let server = HttpServer::new(move || {
        App::new().app_data(shared.clone()).route("/charges", web::post().to(charge))
    })
    .workers(1)
    .bind(("127.0.0.1", 0))?;
    let mut config = ClientConfig::new(format!("http://{}", server.addrs()[0]));
    config.retry.min_wait = std::time::Duration::from_millis(10);
    actix_web::rt::spawn(server.run());

    let client = ResilientClient::start(config)?;
    let till = Till { bank: client.recipient() }.start();
    for (order, cents) in [("order-1", 250), ("order-2", 999)] {
        let charged = till.send(Charge { order: order.to_owned(), cents }).await??;
        assert_eq!(charged, cents);
        println!("{order}: charged {charged} cents");
    }
    assert_eq!(requests.load(Ordering::SeqCst), 4, "each charge was retried once");

    let poor = Till { bank: PoorBank.start().recipient() }.start();
    let error = poor.send(Charge { order: "order-3".to_owned(), cents: 1 }).await?.expect_err("no money");
    assert_eq!(error.kind(), ErrorKind::InvalidUrl);
    println!("order-3: {error}");

    client.close().await;
    assert!(client.is_closed());
    Ok(())
}
