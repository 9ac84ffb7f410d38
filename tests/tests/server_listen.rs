//! Where the server listens: on every address that its host has, with one port.

use std::net::TcpListener;
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use workspace_tests::{Program, binary, within};

/// A test server whose `/etc/hosts` has these contents. `None`, with a note on standard output, where a process may not
/// have mounts of its own.
fn with_hosts(hosts: &str) -> Option<Program> {
    let program = Program::at(Path::new("unshare"));
    let path = program.directory().join("hosts");
    std::fs::write(&path, hosts).expect("a temporary file can be written");
    let mount = r#"mount --bind "$0" /etc/hosts && exec "$@""#;
    let own_mounts = ["--user", "--map-root-user", "--mount", "sh", "-c", mount];
    let trial = std::process::Command::new("unshare").args(own_mounts).arg(&path).arg("true").output();
    if !trial.is_ok_and(|trial| trial.status.success()) {
        println!("NOT RUN: this machine does not let a process have mounts of its own");
        return None;
    }
    Some(program.arguments(&own_mounts).argument(path).argument(binary::test_server()).argument("serve"))
}

#[tokio::test]
async fn a_name_with_addresses_of_both_families_is_listened_on_at_both_with_one_port() {
    if TcpListener::bind("[::1]:0").is_err() {
        println!("NOT RUN: this machine has no IPv6");
        return;
    }
    for hosts in ["127.0.0.1 localhost\n::1 localhost\n", "::1 localhost\n127.0.0.1 localhost\n"] {
        let Some(program) = with_hosts(hosts) else { return };
        let mut server = program.flag("--host", "localhost").flag("--port", 0).start().await;
        for host in ["127.0.0.1", "::1"] {
            let connect = TcpStream::connect((host, server.address().port()));
            let mut connection = within("a connection", connect).await.unwrap_or_else(|error| {
                panic!("{host}: {error}");
            });
            let request = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            connection.write_all(request).await.unwrap();
            let mut answer = String::new();
            within("an answer", connection.read_to_string(&mut answer)).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 "), "{host}: {answer}");
        }
        server.terminate();
        assert_eq!(server.wait_exit().await.code, Some(0));
    }
}
