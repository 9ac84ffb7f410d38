//! tower's layers for retries, a limit and a timeout, over the client of hyper-util.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Empty};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::{Sleep, sleep};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, retry::Policy};
use uuid::Uuid;

use crate::{RETRIES, cost::Failure, succeed};

type Call = Request<Empty<Bytes>>;
/// A whole reply, so that its body is within the timeout and is retried.
type Reply = (StatusCode, Bytes);

pub(crate) fn client(concurrency: usize) -> impl Service<Call, Response = Reply, Error = BoxError> + Clone {
    let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build_http();
    ServiceBuilder::new()
        .retry(Backoff { left: RETRIES, wait: Duration::from_secs(1) })
        .concurrency_limit(concurrency.max(50))
        .timeout(Duration::from_secs(60))
        .service_fn(move |call: Call| {
            let reply = client.request(call);
            async move {
                let (head, body) = reply.await?.into_parts();
                Ok::<_, BoxError>((head.status, body.collect().await?.to_bytes()))
            }
        })
}

/// Sets a request id, sends, reads the body.
pub(crate) async fn get(
    client: impl Service<Call, Response = Reply, Error = BoxError>,
    url: Uri,
) -> Result<(), Failure> {
    let id = Uuid::new_v4().to_string();
    let call = Request::get(url).header("x-request-id", id).body(Empty::new())?;
    let (status, body) = client.oneshot(call).await.map_err(|why| -> Failure { why })?;
    succeed(status.is_success(), &body)
}

/// Repeats what has failed, after a wait that doubles.
#[derive(Clone)]
struct Backoff {
    left: u32,
    wait: Duration,
}

impl Policy<Call, Reply, BoxError> for Backoff {
    type Future = Sleep;

    fn retry(&mut self, _: &mut Call, result: &mut Result<Reply, BoxError>) -> Option<Sleep> {
        let failed = result.as_ref().map_or(true, |(status, _)| status.is_server_error());
        if !failed || self.left == 0 {
            return None;
        }
        self.left -= 1;
        let wait = self.wait;
        self.wait *= 2;
        Some(sleep(wait))
    }

    fn clone_request(&mut self, call: &Call) -> Option<Call> {
        Some(call.clone())
    }
}
