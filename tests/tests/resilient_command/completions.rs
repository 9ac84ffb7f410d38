//! The completion scripts, and what bash makes of its own.

use std::process::Command;

use crate::support::resilient;

async fn script(shell: &str) -> String {
    let outcome = resilient().arguments(&["completions", shell]).run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:#?}");
    outcome.stdout
}

/// The words that bash offers when the last of `words` is completed.
fn offered(script: &str, words: &[&str]) -> Vec<String> {
    let ask = format!(
        "{script}\nCOMP_WORDS=({}); COMP_CWORD={}; _resilient resilient; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words.len() - 1
    );
    let output =
        Command::new("bash").args(["--norc", "-c", &ask, "bash"]).output().expect("bash can be started");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn bash_completes_commands_and_flags() {
    let script = script("bash").await;
    if Command::new("bash").arg("--version").output().is_err() {
        println!("NOT RUN: there is no bash");
        return;
    }
    for (words, expected) in [
        (&["resilient", "''"][..], &["get", "post", "head", "load", "demo", "completions"][..]),
        (&["resilient", "lo"], &["load"]),
        (&["resilient", "get", "--max-a"], &["--max-attempts"]),
        (&["resilient", "post", "--"], &["--data", "--json", "--header", "--report", "--deadline"]),
        (&["resilient", "load", "--re"], &["--requests", "--report"]),
        (&["resilient", "demo", "--b"], &["--base-url"]),
    ] {
        let offered = offered(&script, words);
        for word in expected {
            assert!(offered.iter().any(|offer| offer == word), "{words:?}: {word} is not in {offered:?}");
        }
    }
    assert_eq!(offered(&script, &["resilient", "get", "--max-a"]), ["--max-attempts"]);
}

#[tokio::test]
async fn every_shell_gets_a_script_of_its_own_with_every_command() {
    for (shell, sign) in
        [("bash", "complete -F _resilient"), ("zsh", "#compdef resilient"), ("fish", "complete -c resilient")]
    {
        let script = script(shell).await;
        assert!(script.contains(sign), "{shell}: {script}");
        for word in
            ["get", "post", "put", "patch", "delete", "head", "load", "demo", "completions", "max-attempts"]
        {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[tokio::test]
async fn another_shell_is_refused_with_those_that_exist() {
    for shell in ["tcsh", "", "BASH"] {
        let outcome = resilient().arguments(&["completions", shell]).run().await;
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{outcome:#?}");
        let expected = format!("resilient: the shell must be bash, zsh or fish, got {shell:?}");
        assert_eq!(outcome.only_error_line(), expected);
    }
}
