//! Measures whole programs beside baselines, and prints one table with the ratios.
//!
//! Needs Linux, `wrk` and `taskset`, and `nginx` for two of the rows. It installs nothing and names what is missing.

mod arrange;
mod client;
mod load;
mod process;
mod server;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use structopt::StructOpt;

/// Measures the server and the client against baselines.
#[derive(StructOpt)]
pub(crate) struct Options {
    /// How often each pair is measured; the round with the median ratio is printed.
    #[structopt(long, default_value = "7")]
    rounds: usize,
    /// How long each measurement takes, in seconds.
    #[structopt(long, default_value = "3")]
    seconds: u32,
    /// Measure only the rows whose name contains this.
    #[structopt(long)]
    only: Option<String>,
}

impl Options {
    /// Returns whether the row of this name is to be measured.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|part| name.contains(part.as_str()))
    }
}

/// Programs that this one runs.
pub(crate) struct Programs {
    folder: PathBuf,
    /// Where the clients of others are, if they could be built.
    others: Option<PathBuf>,
}

impl Programs {
    /// One of the workspace's own, built already.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether the clients of others can be measured.
    pub(crate) fn has_others(&self) -> bool {
        self.others.is_some()
    }

    /// One of the programs with the clients of others.
    pub(crate) fn others(&self, name: &str) -> Outcome<PathBuf> {
        self.others.as_ref().map(|folder| folder.join(name)).ok_or_else(|| format!("{name} is not built"))
    }
}

pub(crate) type Outcome<T> = Result<T, String>;

fn main() -> ExitCode {
    match run(&Options::from_args()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            eprintln!("versus: {line}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Outcome<()> {
    for (tool, package) in [("wrk", "wrk"), ("taskset", "util-linux")] {
        if !is_installed(tool) {
            return Err(format!("{tool} is missing; it comes with the package {package}"));
        }
    }
    let programs = build(options)?;
    println!(
        "{} rounds of {} s. In each, a program and its baseline are measured one right after the other.\n\
         A row shows the round with the median ratio (its two values and their ratio), and the lowest and the\n\
         highest ratio of all rounds. A baseline beside itself shows the noise of this machine: a difference\n\
         within its spread means nothing.\n",
        options.rounds, options.seconds
    );
    server::measure(options, &programs)?;
    client::measure(options, &programs)
}

pub(crate) fn is_installed(tool: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&paths).chain(["/usr/sbin".into()]).any(|folder| folder.join(tool).is_file())
}

/// Builds what is measured, with the release profile. Without the clients of others their rows are left out.
fn build(options: &Options) -> Outcome<Programs> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if !cargo_build(&root, &["-p", "test-server", "-p", "benchmarks", "--bins"])? {
        return Err("the programs cannot be built".to_owned());
    }
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = own.with_file_name("");
    let mut others = None;
    if client::needs_others(options) {
        let target = folder.join("others");
        let arguments = ["--manifest-path", "benches/others/Cargo.toml", "--target-dir"];
        if cargo_build(&root, &[&arguments[..], &[&target.to_string_lossy()]].concat())? {
            others = Some(target.join("release"));
        } else {
            println!("benches/others cannot be built: the rows beside reqwest and tower are left out\n");
        }
    }
    Ok(Programs { folder, others })
}

fn cargo_build(root: &Path, arguments: &[&str]) -> Outcome<bool> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--locked"]).args(arguments).current_dir(root);
    let status = command.status().map_err(|error| format!("cargo cannot be run: {error}"))?;
    Ok(status.success())
}
