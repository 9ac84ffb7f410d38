//! A program under one kind of load.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::arrange::Arrangement;
use crate::load::Script;
use crate::process::{Server, free_port, on_processors};
use crate::{Outcome, Programs};

const NO_HEADERS: &[&str] = &[];
pub(super) const CACHED: &[&str] = &["X-Request-ID: 6f9619ff-8b86-4011-b42d-00c04fc964ff"];

/// One program under one kind of load.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub(super) program: Program,
    pub(super) workers: usize,
    pub(super) headers: &'static [&'static str],
    /// Asked for by every request.
    pub(super) target: Target,
    pub(super) arrangement: Arrangement,
    pub(super) journal: Journal,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Program {
    /// nginx with a constant answer.
    Nginx,
    /// nginx in front of the bare handler.
    NginxProxy,
    Bare,
    Ours,
    /// Our server in front of the bare handler.
    OursUpstream,
}

/// What the load asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    /// `/msg`.
    Root,
    /// `/msg` in so many sessions, one after the other.
    Sessions(u32),
    /// `/msg` with so many keys, one after the other.
    Keys(u32),
    /// `/msg` with a new key each time.
    NewKeys,
}

/// The journal of our server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Journal {
    Off,
    /// As by default.
    On,
    /// Of so many requests.
    Of(u32),
}

pub(super) const BARE: Subject = Subject {
    program: Program::Bare,
    workers: 1,
    headers: NO_HEADERS,
    target: Target::Root,
    arrangement: Arrangement::Fresh,
    journal: Journal::On,
};
pub(super) const NGINX: Subject = Subject { program: Program::Nginx, ..BARE };
pub(super) const OURS: Subject = Subject { program: Program::Ours, ..BARE };

pub(super) const fn in_sessions(count: u32) -> Subject {
    Subject { target: Target::Sessions(count), arrangement: Arrangement::Sessions(count), ..OURS }
}

pub(super) const fn with(arrangement: Arrangement) -> Subject {
    Subject { arrangement, ..OURS }
}

/// Programs that run together: what is measured, and the upstream that it needs.
pub(super) struct Running {
    pub(super) server: Server,
    _upstream: Option<Server>,
}

impl Subject {
    /// Starts the program, and its upstream beside the load generator.
    pub(super) fn start(&self, programs: &Programs) -> Outcome<Running> {
        let upstream = match self.program {
            Program::NginxProxy | Program::OursUpstream => {
                let port = free_port()?;
                let mut command = on_processors("1", &programs.path("bare-server"));
                command.args([port.to_string(), "1".to_owned()]);
                Some(Server::start(command, port)?)
            }
            Program::Nginx | Program::Bare | Program::Ours => None,
        };
        let port = free_port()?;
        let behind = upstream.as_ref().map_or(0, Server::port);
        Ok(Running {
            server: Server::start(self.command(programs, port, behind)?, port)?,
            _upstream: upstream,
        })
    }

    /// After how many requests of the load it is in the state that is measured.
    pub(super) fn warm_after(&self) -> u64 {
        self.journal.fills_after().max(self.target.comes_round_after())
    }

    fn command(&self, programs: &Programs, port: u16, behind: u16) -> Outcome<Command> {
        let mut command = self.program.command(programs, port, behind, self.workers)?;
        if matches!(self.program, Program::Ours | Program::OursUpstream) {
            command.args(self.journal.arguments());
            if let Target::Keys(count) = self.target {
                command.args(["--cache-max-size", &count.to_string()]);
            }
        }
        if let Arrangement::Sessions(count) = self.arrangement {
            command.args(["--max-sessions", &count.to_string()]);
        }
        Ok(command)
    }
}

impl Target {
    /// What makes wrk ask for it; `None` if it does by itself.
    pub(super) fn script(self) -> Outcome<Option<Script>> {
        let in_turn = |count: u32, request: &str| {
            Script::new(&format!(
                "local n, all = 0, {{}}\nfunction init() for i = 0, {count} - 1 do all[i] = {request} end end\n\
                 function request() n = n + 1\n  return all[n % {count}] end\n"
            ))
            .map(Some)
        };
        match self {
            Self::Root => Ok(None),
            Self::Sessions(count) => in_turn(count, "wrk.format('GET', '/s/' .. i .. '/msg')"),
            Self::Keys(count) => {
                in_turn(count, "wrk.format('GET', '/msg', {['X-Request-ID'] = string.format('%036d', i)})")
            }
            // Counted from the time, so that no run repeats the keys of an earlier one.
            Self::NewKeys => Script::new(
                "local n = os.time() * 1000000\nfunction request() n = n + 1\n  \
                 return wrk.format('GET', '/msg', {['X-Request-ID'] = string.format('%036.0f', n)}) end\n",
            )
            .map(Some),
        }
    }

    /// After how many requests it has asked for everything once.
    fn comes_round_after(self) -> u64 {
        match self {
            Self::Root | Self::NewKeys | Self::Sessions(_) => 1,
            Self::Keys(count) => count.into(),
        }
    }
}

impl Journal {
    /// After how many requests it is full.
    fn fills_after(self) -> u64 {
        match self {
            Self::Off | Self::On => 1,
            Self::Of(size) => size.into(),
        }
    }

    fn arguments(self) -> Vec<String> {
        match self {
            Self::On => Vec::new(),
            Self::Off => vec!["--journal-size".to_owned(), "0".to_owned()],
            Self::Of(size) => vec!["--journal-size".to_owned(), size.to_string()],
        }
    }
}

impl Program {
    /// On the first processor with one worker, on the first two with two; the load generator has the second. `behind` is
    /// the port of the upstream, if the program has one.
    pub(super) fn command(
        self,
        programs: &Programs,
        port: u16,
        behind: u16,
        workers: usize,
    ) -> Outcome<Command> {
        let processors = if workers == 1 { "0" } else { "0,1" };
        let (port, workers) = (port.to_string(), workers.to_string());
        let ours = || {
            let mut command = on_processors(processors, &programs.path("test-server"));
            command.args(["serve", "--host", "127.0.0.1", "--port", &port, "--workers", &workers]);
            command
        };
        Ok(match self {
            // As large as the answer of the others.
            Self::Nginx => nginx(
                &port,
                "default_type application/json; \
                 return 200 '{\"message_id\":\"6f9619ff-8b86-4011-b42d-00c04fc964ff\"}';",
                "",
            )?,
            Self::NginxProxy => nginx(
                &port,
                "proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection '';",
                &format!(
                    "upstream behind {{ server 127.0.0.1:{behind}; keepalive 64; keepalive_requests 100000000; }}"
                ),
            )?,
            Self::Bare => {
                let mut command = on_processors(processors, &programs.path("bare-server"));
                command.args([port, workers]);
                command
            }
            // As it comes: every layer, the default configuration, logs at INFO.
            Self::Ours => ours(),
            Self::OursUpstream => {
                let mut command = ours();
                command.args(["--upstream", &format!("http://127.0.0.1:{behind}")]);
                command
            }
        })
    }
}

/// One process of nginx that does this with every request.
fn nginx(port: &str, location: &str, upstream: &str) -> Outcome<Command> {
    let folder = std::env::temp_dir().join(format!("versus-nginx-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let file = folder.join("nginx.conf");
    let text = format!(
        "daemon off; master_process off; pid {0}/pid; error_log {0}/error.log; events {{ worker_connections 1024; }}
         http {{ access_log off; keepalive_requests 100000000; {upstream}
           server {{ listen 127.0.0.1:{port}; location / {{ {location} }} }} }}",
        folder.display()
    );
    fs::write(&file, text).map_err(|error| error.to_string())?;
    let mut command = on_processors("0", Path::new("nginx"));
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").arg("-c").arg(file);
    Ok(command)
}
