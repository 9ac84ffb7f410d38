//! The command `resilient`: HTTP calls, load and a demonstration, through the resilient client.
//!
//! * `cli`: what is typed; `settings`: the flags that are the client's settings; `request`: what a call sends.
//! * `call`: one call, and `report`, how it is told. `load`: many. `demo`: every pattern against a test server.
//! * `exit`: how a command ends; `out`, `log`, `stop`: the terminal, the log, and the signals that end it.
//!
//! On standard error there is never more than the log that was asked for, a progress bar on a terminal, and one
//! line for each thing that went wrong.

mod call;
mod cli;
mod demo;
mod exit;
mod load;
mod log;
mod out;
mod preflight;
mod report;
mod request;
mod settings;
mod stop;

use std::process::ExitCode;

use crate::{
    cli::{Cli, Command, Unparsed},
    exit::{Exit, Failure},
    stop::Signals,
};

fn main() -> ExitCode {
    let exit = match cli::parse(std::env::args_os()) {
        Ok(cli) => run(cli),
        Err(Unparsed::Asked(text)) => out::line(&text).map(|()| Exit::Ok),
        Err(Unparsed::Wrong(line)) => Err(Failure::usage(line)),
    };
    exit.unwrap_or_else(|failure| {
        out::complain(&failure.line);
        failure.exit
    })
    .into()
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    actix_rt::System::new().block_on(async {
        let signals = Signals::listen()?;
        match cli.command {
            Command::Load(load) => load::run(load, signals).await,
            Command::Demo(demo) => demo::run(demo, signals).await,
            Command::Call(method, call) => tokio::select! {
                exit = call::run(method, call) => exit,
                stop = signals.stop() => Ok(stop.into()),
            },
        }
    })
}
