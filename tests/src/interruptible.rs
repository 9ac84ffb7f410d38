//! Programs that SIGINT must reach, however the tests were started.

use std::ffi::OsStr;
use std::process::Command;

/// Returns a command that runs `program` with SIGINT at its default disposition.
///
/// A shell starts background jobs (`cargo test &` in a script, `nohup`, some CI runners) with SIGINT ignored, children
/// inherit that, and a shell script cannot trap a signal that was ignored when it started (POSIX, `trap`). A test that
/// sends SIGINT to a script starts it with this. Programs that install a handler, as ours do, need no help.
///
/// It goes through `env` of GNU coreutils (8.31 or newer), because to reset a disposition takes unsafe code.
pub fn interruptible(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("env");
    command.arg("--default-signal=INT").arg(program);
    command
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    const INTERRUPT_YOURSELF: &str = "kill -INT $$; exit 7";

    /// Runs the script with SIGINT ignored, as a shell starts a background job.
    fn end_in_the_background(command: &Command) -> (Option<i32>, Option<i32>) {
        let mut background = Command::new("env");
        background.arg("--ignore-signal=INT").arg(command.get_program()).args(command.get_args());
        let status = background.args(["-c", INTERRUPT_YOURSELF]).status().expect("env and sh can be run");
        (status.code(), status.signal())
    }

    #[test]
    fn sigint_reaches_an_interruptible_program_of_a_background_job_and_no_other() {
        assert_eq!(end_in_the_background(&Command::new("sh")), (Some(7), None));
        assert_eq!(end_in_the_background(&interruptible("sh")), (None, Some(2)));
    }
}
