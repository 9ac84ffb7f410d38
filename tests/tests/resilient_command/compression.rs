//! Compressed replies: printed decoded, or as they came.

use std::process::Stdio;

use workspace_tests::Footprint;
use workspace_tests::coded::{gzip, gzip_bomb};
use workspace_tests::wire_server::{Act, WireServer, send};

use crate::support::{received, resilient};

/// A reply with a body in gzip.
fn coded(body: &[u8]) -> Act {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
    send([head.as_bytes(), body].concat())
}

#[tokio::test]
async fn a_compressed_reply_is_printed_decoded_unless_it_is_not_wanted_so() {
    let body = gzip(b"hello\n");
    let server = WireServer::always(vec![coded(&body)]).await;
    let outcome = resilient().arguments(&["get", &server.url()]).run().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "hello\n"), "{outcome:#?}");
    let command = resilient().arguments(&["get", &server.url(), "--no-compression"]).command().output();
    assert_eq!(command.await.unwrap().stdout, body);
}

#[tokio::test]
async fn a_bomb_of_a_gibibyte_takes_little_memory() {
    let bomb = gzip_bomb();
    assert!(bomb.len() < 3 << 19, "{}", bomb.len());
    let server = WireServer::start(move |n| match n {
        0 => vec![coded(&bomb)],
        _ => vec![Act::Stall],
    })
    .await;
    let program = resilient().arguments(&["get", &server.url(), &server.url()]);
    let mut child = program.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The second call begins when the first has ended.
    received(&server, 2).await;
    let peak = Footprint::peak_mebibytes(child.id().unwrap()).expect("the second call waits");
    assert!(peak < 64, "{peak} MiB");
    child.kill().await.unwrap();
}
