//! Every example in the documents works: shell blocks are run against a server of the test's own and print what the
//! document shows, test suites in other languages pass, and JSON is JSON. Rust blocks are compiled as doc tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use reqwest::Method;
use resilient_client::ClientConfig;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use workspace_tests::fences::{Fence, fences, is_shown};
use workspace_tests::server::free_address;
use workspace_tests::{TestServer, answer, binary, within};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The address in the documents, which becomes that of the test's own server.
const SHOWN: &str = "localhost:8000";

/// The port in the documents for a server that an example starts, which becomes a free one.
const SHOWN_SECOND_PORT: &str = "8001";

/// Commands that build or install something, or need a container engine: their examples are not run here.
const NOT_RUN: [&str; 9] =
    ["cargo ", "docker ", "podman ", "kubectl ", "make", "pip ", "scripts/", "benches/", "target/release/"];

/// A document, and a server for its examples.
struct Document {
    name: &'static str,
    fences: Vec<Fence>,
    server: TestServer,
}

/// What an example left behind.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Document {
    async fn read(name: &'static str) -> Self {
        let text = fs::read_to_string(Path::new(ROOT).join(name)).expect("the document exists");
        Document { name, fences: fences(&text), server: TestServer::start().await }
    }

    fn with_info(&self, info: &str) -> Vec<&Fence> {
        self.fences.iter().filter(|fence| fence.info == info).collect()
    }

    /// Runs all shell examples; returns how many.
    async fn run_shell_examples(&self) -> usize {
        let builds = |line: &str| NOT_RUN.iter().any(|command| line.trim_start().starts_with(command));
        let examples = self.with_info("sh").into_iter().filter(|fence| !fence.content.lines().any(builds));
        let mut count = 0;
        for fence in examples {
            let place = Place::new();
            let script = place.write("example.sh", &self.localised(&fence.content));
            let ran = self.run(&place, &["bash", "-euo", "pipefail", &script]).await;
            let report = format!(
                "{}:{} ended with {:?}\n--- printed\n{}\n--- and on standard error\n{}",
                self.name, fence.line, ran.code, ran.stdout, ran.stderr
            );
            assert_eq!(ran.code, Some(0), "{report}");
            let printed = ran.stdout.replace(&self.server.address().to_string(), SHOWN);
            let is_shown = fence.output.as_ref().is_none_or(|expected| is_shown(expected, &printed));
            assert!(is_shown, "{report}\n--- instead of\n{}", fence.output.as_deref().unwrap_or_default());
            count += 1;
        }
        count
    }

    /// Runs the test suites written in one language, if `needs` succeeds here.
    async fn run_suites(&self, info: &str, file: &str, needs: &[&str], command: &[&str]) {
        let suites = self.with_info(info);
        let available = suites.is_empty() || self.run(&Place::new(), needs).await.code == Some(0);
        if !available {
            // Past the test harness, which hides what a passing test prints.
            let _ =
                writeln!(std::io::stderr(), "SKIPPED: the {info} examples of {}: {needs:?} fails", self.name);
            return;
        }
        for fence in suites {
            let place = Place::new();
            place.write(file, &self.localised(&fence.content));
            let ran = self.run(&place, command).await;
            assert_eq!(ran.code, Some(0), "{}:{}\n{}{}", self.name, fence.line, ran.stdout, ran.stderr);
        }
    }

    /// Replaces the addresses that the document shows by those of this test.
    fn localised(&self, example: &str) -> String {
        let example = example.replace(SHOWN, &self.server.address().to_string());
        example.replace(SHOWN_SECOND_PORT, &free_address().port().to_string())
    }

    /// Runs a command in `place`, with the programs of this build in the PATH, against a server that fails nothing.
    async fn run(&self, place: &Place, words: &[&str]) -> Ran {
        answer(self.server.post("/fail/reset")).await;
        let output = |name| File::create(place.path(name)).expect("a temporary file can be made");
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(place.0.path()).env("PATH", path_with_our_programs());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().to_lowercase();
            if ["server_", "resilient_", "base_url"].iter().any(|ours| name.starts_with(ours))
                || name.ends_with("_proxy")
            {
                command.env_remove(name);
            }
        }
        // Into files: a server that an example leaves running would hold a pipe open.
        command.stdin(Stdio::null()).stdout(output("stdout")).stderr(output("stderr")).process_group(0);
        let Ok(mut child) = command.kill_on_drop(true).spawn() else {
            return Ran { code: None, stdout: String::new(), stderr: format!("{words:?} cannot be run") };
        };
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let status =
            within(&format!("the end of {words:?}"), child.wait()).await.expect("a child can be waited for");
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        let read = |name| fs::read_to_string(place.path(name)).expect("what it printed is text");
        Ran { code: status.code(), stdout: read("stdout"), stderr: read("stderr") }
    }
}

/// A directory of an example's own.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory can be made"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).expect("a temporary file can be written");
        name.to_owned()
    }
}

/// Returns the PATH with `test-server` and `resilient` of this build in front.
fn path_with_our_programs() -> String {
    static PROGRAMS: OnceLock<TempDir> = OnceLock::new();
    let programs = PROGRAMS.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let resilient = binary::build("resilient-client", "resilient");
        for (name, program) in [("test-server", binary::test_server()), ("resilient", &resilient)] {
            symlink(program, folder.path().join(name)).expect("a link can be made");
        }
        folder
    });
    format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap_or_default())
}

async fn run_test_suites(document: &Document) {
    let pytest = ["python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_client.py"];
    document
        .run_suites("python", "test_client.py", &["python3", "-c", "import pytest, requests"], &pytest)
        .await;
    document
        .run_suites("js", "client.test.mjs", &["node", "--version"], &["node", "--test", "client.test.mjs"])
        .await;
    document.run_suites("go", "client_test.go", &["go", "version"], &["go", "test", "client_test.go"]).await;
}

#[tokio::test]
async fn the_shell_examples_of_the_servers_guide_print_what_it_shows() {
    let document = Document::read("docs/server.md").await;
    assert!(document.run_shell_examples().await >= 10);
}

/// The paths of all fields of a value: `retry.max_attempts`.
fn paths(value: &Value, path: &str, into: &mut Vec<String>) {
    let Value::Object(fields) = value else { return into.push(path.to_owned()) };
    for (name, value) in fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        paths(value, &path, into);
    }
}

#[test]
fn every_setting_of_the_client_has_its_row_in_the_guide() {
    let guide = fs::read_to_string(Path::new(ROOT).join("docs/client.md")).expect("the guide exists");
    let config = serde_json::to_value(ClientConfig::default()).expect("a configuration can be serialised");
    let mut settings = Vec::new();
    paths(&config, "", &mut settings);
    assert!(settings.len() > 20, "{settings:?}");
    for setting in settings {
        let rows = guide.lines().filter(|line| line.starts_with(&format!("| `{setting}` |"))).count();
        assert_eq!(rows, 1, "{setting}");
    }
}

#[tokio::test]
async fn the_shell_examples_of_the_clients_guide_print_what_it_shows() {
    let document = Document::read("docs/client.md").await;
    assert!(document.run_shell_examples().await >= 3);
}

#[tokio::test]
async fn the_shell_examples_of_the_page_on_faults_print_what_it_shows() {
    let document = Document::read("docs/faults.md").await;
    assert!(document.run_shell_examples().await >= 1);
}

#[tokio::test]
async fn every_plan_and_every_header_on_the_page_on_faults_is_taken() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/faults.md")).unwrap();
    let server = TestServer::start().await;
    let cells =
        page.lines().filter_map(|line| line.strip_suffix("` |")?.rsplit_once("| `").map(|(_, cell)| cell));
    let (mut plans, mut headers) = (0, 0);
    for cell in cells {
        if let Some(fault) = cell.strip_prefix("X-Fault: ") {
            // A fault on the wire may leave no answer. One that cannot be read is refused.
            let refused = server
                .get("/echo")
                .header("X-Fault", fault)
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 422);
            assert!(!refused, "{cell}");
            headers += 1;
        } else {
            let taken = server.request(Method::PUT, "/faults").body(cell.to_owned()).send().await.unwrap();
            assert_eq!(taken.status(), 200, "{cell}");
            let ended = server.request(Method::DELETE, "/faults").send().await.unwrap();
            assert_eq!(ended.status(), 204);
            plans += 1;
        }
    }
    assert!(plans >= 15 && headers >= 15, "{plans} plans, {headers} headers");
}

#[tokio::test]
async fn the_test_suites_in_the_servers_guide_pass() {
    run_test_suites(&Document::read("docs/server.md").await).await;
}

#[tokio::test]
async fn the_examples_of_the_readme_that_build_and_install_nothing_work() {
    let document = Document::read("README.md").await;
    document.run_shell_examples().await;
    run_test_suites(&document).await;
}

#[tokio::test]
async fn json_in_the_documents_is_json() {
    for name in ["README.md", "docs/server.md", "docs/client.md", "docs/faults.md"] {
        for fence in Document::read(name).await.with_info("json") {
            let values = serde_json::Deserializer::from_str(&fence.content).into_iter::<Value>();
            let values: Result<Vec<_>, _> = values.collect();
            assert!(values.is_ok_and(|values| !values.is_empty()), "{name}:{}", fence.line);
        }
    }
}

#[test]
fn the_readme_is_short_and_begins_with_a_small_picture_of_the_live_page() {
    let readme = fs::read_to_string(Path::new(ROOT).join("README.md")).expect("the document exists");
    assert!(readme.lines().count() <= 200, "{} lines", readme.lines().count());
    assert!(readme.lines().take(30).any(|line| line.ends_with("](docs/ui.png)")), "no picture at the top");
    let picture = fs::read(Path::new(ROOT).join("docs/ui.png")).expect("there is a picture");
    assert!(picture.starts_with(b"\x89PNG"), "it is a PNG");
    assert!(picture.len() < 200_000, "{} bytes", picture.len());
}

#[test]
fn every_pod_in_the_documents_turns_service_links_off() {
    let folder = fs::read_dir(Path::new(ROOT).join("docs")).expect("there are documents").flatten();
    let is_text = |path: &PathBuf| path.extension().is_none_or(|extension| extension != "png");
    let paths = folder.map(|file| file.path()).filter(is_text).chain([Path::new(ROOT).join("README.md")]);
    let texts: BTreeMap<_, _> =
        paths.map(|path| (path.clone(), fs::read_to_string(path).expect("a document is text"))).collect();
    let pods = texts.iter().filter(|(_, text)| text.contains("containers:"));
    for (path, text) in pods.clone() {
        assert!(text.contains("enableServiceLinks: false"), "{}", path.display());
    }
    assert!(pods.count() > 0);
}

/// Returns the libraries in the tables of dependencies of every manifest, without the crates of this workspace.
fn dependencies() -> BTreeSet<String> {
    let ours = ["resilience-actors", "resilient-client", "test-server"];
    let mut found = BTreeSet::new();
    for member in ["", "actors/", "benches/", "benches/others/", "client/", "server/", "tests/"] {
        let manifest = Path::new(ROOT).join(format!("{member}Cargo.toml"));
        let mut in_table = false;
        for line in fs::read_to_string(manifest).expect("the manifest exists").lines() {
            if let Some(table) = line.strip_prefix('[') {
                in_table = table.trim_end_matches(']').ends_with("dependencies");
            } else if let Some((name, _)) = line.split_once('=').filter(|_| in_table) {
                found.insert(name.trim().trim_end_matches(".workspace").to_owned());
            }
        }
    }
    found.retain(|name| !ours.contains(&name.as_str()));
    found
}

#[test]
fn the_table_of_libraries_has_every_dependency_exactly_once() {
    let text = fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).expect("the document exists");
    let (_, table) = text.split_once("| crate | why |").expect("the document has the table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let named = rows.flat_map(|row| row.split('|').nth(1).into_iter().flat_map(|names| names.split(',')));
    let mut named: Vec<String> = named.map(|name| name.trim().to_owned()).collect();
    named.sort();
    assert_eq!(named, dependencies().into_iter().collect::<Vec<_>>());
}

#[test]
fn every_link_between_the_documents_leads_somewhere() {
    let folder = fs::read_dir(Path::new(ROOT).join("docs")).expect("there are documents").flatten();
    let documents =
        folder.map(|file| file.path()).filter(|path| path.extension().is_some_and(|it| it == "md"));
    let top = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
    let mut checked = 0;
    for path in documents.chain(top.map(|name| Path::new(ROOT).join(name))) {
        let text = fs::read_to_string(&path).expect("a document is text");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.contains(char::is_whitespace) {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { path.with_file_name("").join(file) };
            assert!(file.exists(), "{}: {target}", path.display());
            if !anchor.is_empty() {
                let text = fs::read_to_string(&file).expect("a document is text");
                let anchors: Vec<_> = text.lines().filter_map(anchor_of).collect();
                assert!(anchors.iter().any(|it| it == anchor), "{}: {target}", path.display());
            }
            checked += 1;
        }
    }
    assert!(checked >= 20, "{checked} links");
}

/// Returns the anchor of a heading.
fn anchor_of(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').trim();
    let kept = heading.to_lowercase().replace(' ', "-");
    Some(kept.chars().filter(|it| it.is_alphanumeric() || "-_".contains(*it)).collect())
}
