//! The soak passes against our server, and fails when one of its checks does not hold.

use workspace_tests::{Outcome, Program, TestServer};

async fn soak(arguments: &[&str]) -> Outcome {
    let soak = Program::at(env!("CARGO_BIN_EXE_soak").as_ref()).arguments(arguments);
    // Its server is built by cargo, which finds its own things by these.
    let passed = ["HOME", "CARGO", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR"];
    let set = passed.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    set.fold(soak, |soak, (name, value)| soak.env(name, value)).run().await
}

#[tokio::test]
async fn a_few_seconds_of_soak_hold() {
    // Built first, so that the bound on the run is not spent on it.
    drop(TestServer::start().await);
    let outcome = soak(&["--seconds", "3", "--seed", "7"]).await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:#?}");
    assert!(outcome.stdout.starts_with("soak: 3 s, seed 7\nsoak: everything held: "), "{outcome:#?}");
}

#[tokio::test]
async fn a_server_that_forgets_its_keys_is_detected() {
    let server = TestServer::builder().flag("--cache-max-size", 1).start().await;
    let outcome = soak(&["--seconds", "20", "--url", &server.url("/")]).await;
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    let line = outcome.only_error_line();
    assert!(line.starts_with("soak: BROKEN: key soak-") && line.contains("later with"), "{line}");
}

#[tokio::test]
async fn failures_that_another_client_uses_up_are_detected() {
    let server = TestServer::start().await;
    let thief = async {
        loop {
            // Its own answers do not matter, only that it takes some of the failures.
            let _ = server.get("/msg").send().await;
        }
    };
    let url = server.url("");
    let arguments = ["--seconds", "20", "--url", &url];
    let outcome = tokio::select! {
        outcome = soak(&arguments) => outcome,
        () = thief => unreachable!("it never ends"),
    };
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    assert!(outcome.only_error_line().contains("failures were armed"), "{outcome:#?}");
}

#[tokio::test]
async fn without_a_server_or_with_wrong_arguments_it_says_so_in_a_line() {
    let address = workspace_tests::server::free_address();
    for (arguments, code) in
        [(["--url", &format!("http://{address}")], 1), (["--url", "nowhere"], 1), (["--seconds", "soon"], 2)]
    {
        let outcome = soak(&arguments).await;
        assert_eq!(outcome.code, Some(code), "{outcome:#?}");
        assert!(outcome.stderr.starts_with("soak: "), "{outcome:#?}");
    }
}
