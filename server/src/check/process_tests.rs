use super::*;

const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(60),
    grace: Duration::from_millis(200),
    drain: Duration::from_millis(200),
    output: 1024,
};
const SHORT: Bounds = Bounds { time: Duration::from_millis(300), ..BOUNDS };

async fn shell(script: &str, bounds: Bounds) -> Ran {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    // Far beyond what any of these runs is allowed.
    timeout(Duration::from_secs(30), run(&mut command, bounds)).await.expect("a run is bounded").unwrap()
}

fn text(output: &Captured) -> &str {
    std::str::from_utf8(&output.kept).unwrap()
}

/// Whether the process whose id a script has printed runs. A zombie does not.
fn runs(output: &Captured) -> bool {
    let id: u32 = text(output).trim().parse().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

async fn ends(output: &Captured) {
    let until_gone = async {
        while runs(output) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), until_gone).await.expect("the process ends");
}

#[tokio::test]
async fn the_exit_code_and_both_outputs_are_reported() {
    let ran = shell("echo out; echo err >&2; exit 7", BOUNDS).await;
    assert_eq!((ran.end, text(&ran.stdout), text(&ran.stderr)), (End::Exited(7), "out\n", "err\n"));
}

#[tokio::test]
async fn a_signal_is_reported() {
    assert_eq!(shell("kill -9 $$", BOUNDS).await.end, End::Signalled(9));
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_an_error() {
    let error = run(&mut Command::new("/no/such/command"), BOUNDS).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[tokio::test]
async fn of_a_large_output_the_beginning_is_kept_and_the_rest_counted() {
    let ran = shell("head -c 3000000 /dev/zero; echo error >&2", BOUNDS).await;
    assert_eq!((ran.end, ran.stdout.kept.len(), ran.stdout.dropped), (End::Exited(0), 1024, 2_998_976));
    assert_eq!(text(&ran.stderr), "error\n");
}

#[tokio::test]
async fn a_command_whose_time_is_over_ends_and_may_clean_up() {
    let ran = shell("trap 'echo bye; exit 3' TERM; while :; do sleep 0.01; done", SHORT).await;
    assert_eq!((ran.end, text(&ran.stdout)), (End::TimedOut, "bye\n"));
    assert!(ran.took >= SHORT.time);
}

#[tokio::test]
async fn a_command_that_ignores_sigterm_is_killed_with_its_children() {
    let ran = shell("trap '' TERM; (while :; do sleep 0.01; done) & echo $!; wait", SHORT).await;
    assert_eq!(ran.end, End::TimedOut);
    ends(&ran.stdout).await;
}

#[tokio::test]
async fn what_a_command_leaves_in_its_group_ends_with_it() {
    let ran = shell("sleep 300 & echo $!", BOUNDS).await;
    assert_eq!(ran.end, End::Exited(0));
    ends(&ran.stdout).await;
}

#[tokio::test]
async fn a_process_that_left_the_group_and_holds_the_output_is_not_waited_for() {
    // It sleeps for longer than a run may take here.
    let ran = shell("setsid sleep 60 & echo $!; exit 4", BOUNDS).await;
    assert_eq!(ran.end, End::Exited(4));
    // What this test has started ends with it.
    let left = Pid::from_raw(text(&ran.stdout).trim().parse().unwrap()).unwrap();
    let _ = rustix::process::kill_process(left, Signal::KILL);
}

#[tokio::test]
async fn a_run_that_is_dropped_ends_its_group() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("sleep 300 & echo $! > {0}.new; mv {0}.new {0}; wait", file.display())]);
    let begun = async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    {
        let running = pin!(run(&mut command, BOUNDS));
        let begun = pin!(timeout(Duration::from_secs(20), begun));
        let either = future::select(running, begun).await;
        assert!(matches!(either, Either::Right((Ok(()), _))), "the command began");
    }
    let printed = Captured { kept: std::fs::read(&file).unwrap(), dropped: 0 };
    ends(&printed).await;
}
