//! A careless HTTP client, for `test-server check` to find fault with.
//!
//! It takes whatever comes for the answer, however it ends, and prints its body. It repeats its request as often as it
//! is asked to, whatever the answer was and without a key, and uses a connection again that it should not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use structopt::StructOpt;

/// Sends a request, without any care.
#[derive(Debug, StructOpt)]
#[structopt(name = "careless")]
struct Options {
    /// The URL, beginning with `http://`
    url: String,
    /// The body of a POST; without it the request is a GET
    #[structopt(long)]
    post: Option<String>,
    /// How many requests are sent
    #[structopt(long, default_value = "1")]
    times: usize,
    /// How long to pause between two requests, in milliseconds
    #[structopt(long, default_value = "0")]
    pause_ms: u64,
    /// Send the requests on one connection as long as it takes them
    #[structopt(long)]
    same_connection: bool,
    /// The exit code
    #[structopt(long, default_value = "0")]
    exit: u8,
}

/// How long nothing may come before the answer is taken to be complete.
const SILENCE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let options = Options::from_args();
    let mut connection = None;
    let mut answer = Vec::new();
    for number in 0..options.times {
        if number > 0 {
            sleep(Duration::from_millis(options.pause_ms));
        }
        let kept = connection.take().filter(|_| options.same_connection);
        let Some(mut stream) = kept.or_else(|| connect(&options)) else { return ExitCode::from(9) };
        // An answer that cannot be read is an empty one.
        answer = exchange(&mut stream, &options).unwrap_or_default();
        connection = Some(stream);
    }
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
    let _ = std::io::stdout().write_all(&answer[end..]);
    ExitCode::from(options.exit)
}

fn connect(options: &Options) -> Option<TcpStream> {
    let (host, _) = split(&options.url)?;
    let stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(SILENCE)).ok()?;
    Some(stream)
}

fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    Some(rest.split_at(rest.find('/').unwrap_or(rest.len())))
}

/// Sends the request, and returns what comes until as much is there as the first head promises.
fn exchange(stream: &mut TcpStream, options: &Options) -> std::io::Result<Vec<u8>> {
    let (host, path) = split(&options.url).unwrap_or_default();
    let (method, body) = options.post.as_deref().map_or(("GET", ""), |body| ("POST", body));
    let length = if method == "POST" { format!("content-length: {}\r\n", body.len()) } else { String::new() };
    stream.write_all(format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{length}\r\n{body}").as_bytes())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !is_complete(&answer) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => answer.extend_from_slice(&buffer[..length]),
        }
    }
    Ok(answer)
}

fn is_complete(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    if !text.starts_with("http/1.") {
        return !text.is_empty();
    }
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
    length.map_or(body.len() > 100, |length: usize| body.len() >= length)
}
