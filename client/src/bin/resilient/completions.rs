//! Prints a completion script for a shell, made from the same declaration as the command line.

use std::str::FromStr;

use structopt::clap::Shell;

use crate::{
    cli::{self, Completions},
    exit::{Exit, Failure},
    out,
};

/// The shells that have a script.
const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Prints the script to standard output.
pub(crate) fn print(typed: &Completions) -> Result<Exit, Failure> {
    let shell = shell(&typed.shell)?;
    let mut script = Vec::new();
    cli::app().gen_completions_to("resilient", shell, &mut script);
    out::bytes(&script)?;
    Ok(Exit::Ok)
}

fn shell(name: &str) -> Result<Shell, Failure> {
    let known = SHELLS.contains(&name).then(|| Shell::from_str(name).ok()).flatten();
    known.ok_or_else(|| Failure::usage(format!("the shell must be bash, zsh or fish, got {name:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shells_with_a_script_are_accepted() {
        for name in SHELLS {
            assert!(shell(name).is_ok(), "{name}");
        }
        for name in ["", "BASH", "powershell", "elvish", "sh"] {
            assert!(shell(name).is_err(), "{name}");
        }
    }
}
