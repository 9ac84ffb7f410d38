//! What is set up on a server before it is measured, through its own API.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::Outcome;

/// The state in which a server is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Arrangement {
    /// As it starts.
    Fresh,
    /// It has so many sessions, whose ids are `0`, `1` and so on.
    Sessions(u32),
    /// Its plan has so many rules, none of which matches.
    Rules(usize),
    /// Its plan is a script of so many steps that inject nothing, over and over.
    Script(usize),
}

impl Arrangement {
    /// Brings the server on `port` into this state.
    pub(crate) fn arrange(self, port: u16) -> Outcome<()> {
        match self {
            Self::Fresh => Ok(()),
            Self::Sessions(count) => {
                let mut connection = Connection::open(port)?;
                (0..count).try_for_each(|id| {
                    connection.call("POST", "/sessions", &format!(r#"{{"id":"{id}"}}"#), "201")
                })
            }
            Self::Rules(count) => {
                let rule = r#"{"match":{"path":"/elsewhere/*"},"fault":"503"}"#;
                let rules = vec![rule; count].join(",");
                Connection::open(port)?.call("PUT", "/faults", &format!(r#"{{"rules":[{rules}]}}"#), "200")
            }
            Self::Script(steps) => {
                let steps = vec![r#""ok""#; steps].join(",");
                let plan = format!(r#"{{"rules":[{{"script":[{steps}],"then":"repeat"}}]}}"#);
                Connection::open(port)?.call("PUT", "/faults", &plan, "200")
            }
        }
    }
}

/// A connection that stays open from call to call.
struct Connection(TcpStream);

impl Connection {
    fn open(port: u16) -> Outcome<Self> {
        let open = || -> std::io::Result<TcpStream> {
            let stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_read_timeout(Some(Duration::from_secs(10)))?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        open().map(Self).map_err(|error| format!("no connection to the server: {error}"))
    }

    /// Sends a request and expects an answer with this status.
    fn call(&mut self, method: &str, path: &str, body: &str, status: &str) -> Outcome<()> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.write_all(request.as_bytes()).map_err(|error| format!("{method} {path}: {error}"))?;
        let answer = self.answer().map_err(|error| format!("{method} {path}: {error}"))?;
        if answer.starts_with(&format!("HTTP/1.1 {status} ")) {
            Ok(())
        } else {
            Err(format!("{method} {path} was answered with {answer}"))
        }
    }

    /// The answer, whose length its head says.
    fn answer(&mut self) -> std::io::Result<String> {
        let (mut answer, mut chunk) = (Vec::new(), [0; 16 * 1024]);
        loop {
            let text = String::from_utf8_lossy(&answer);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
                });
                if body.len() >= length.unwrap_or(0) {
                    return Ok(text.into_owned());
                }
            }
            match self.0.read(&mut chunk)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                read => answer.extend_from_slice(&chunk[..read]),
            }
        }
    }
}
