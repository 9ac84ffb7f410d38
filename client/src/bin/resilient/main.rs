//! The command `resilient`: HTTP calls, load and a demonstration, through the resilient client.
//!
//! * `cli`: the command line. `settings`: the flags that set the client. `request`: what a call sends, with `form` and
//!   `input`; `address`: where to. `completions`: scripts for shells.
//! * `call`: single calls, and `report`, their result as JSON. `load`: many calls. `demo`: each pattern against a
//!   test server.
//! * `stop`: signals end a command. `exit`: exit codes and the line that explains them. `out`, `log`: standard
//!   output and standard error. `secrets`: masks them in what is shown.
//!
//! Standard error gets the log that `-v` asks for, a progress bar on a terminal, and one line for each error.

mod address;
mod call;
mod cli;
mod completions;
mod demo;
mod exit;
mod form;
mod input;
mod load;
mod log;
mod out;
mod report;
mod request;
mod secrets;
mod settings;
mod stop;

use crate::{
    cli::{Command, Unparsed},
    exit::{Exit, Failure},
    stop::{OnStop, Stopped},
};

fn main() {
    let exit = match cli::parse(std::env::args_os()) {
        Ok(command) => run(command),
        Err(Unparsed::Asked(text)) => out::line(&text).map(|()| Exit::Ok),
        Err(Unparsed::Wrong(line)) => Err(Failure::usage(line)),
    };
    // All output is flushed. Threads that are blocked, as in a name look-up, are not waited for.
    std::process::exit(exit.unwrap_or_else(complain) as i32);
}

/// Runs a command until it ends or a signal ends it.
fn run(command: Command) -> Result<Exit, Failure> {
    let on_stop = match command {
        Command::Load(_) | Command::Demo(_) => OnStop::Finish,
        Command::Call(..) | Command::Completions(_) => OnStop::EndAtOnce,
    };
    stop::run(on_stop, move |stopped| {
        let system = actix_rt::System::new();
        let exit = system.block_on(perform(command, stopped)).unwrap_or_else(complain);
        // Dropping the system would wait for name look-ups that are still in flight.
        std::mem::forget(system);
        exit
    })
}

async fn perform(command: Command, stopped: Stopped) -> Result<Exit, Failure> {
    match command {
        Command::Call(method, call) => call::run(method, call).await,
        Command::Load(load) => load::run(load, stopped).await,
        Command::Demo(demo) => demo::run(demo, stopped).await,
        Command::Completions(shell) => completions::print(&shell),
    }
}

/// Writes the line that says why, and gives the exit code.
fn complain(failure: Failure) -> Exit {
    let Failure { exit, line } = failure;
    out::complain(&line);
    exit
}
