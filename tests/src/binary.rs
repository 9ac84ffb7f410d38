//! Builds the programs under test as people build them: the package alone, in the profile of the tests.
//! Nothing has to be built beforehand, and a program that is fresh costs one look by cargo.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use escargot::CargoBuild;

/// The path of the program `test-server`, built on first use.
pub fn test_server() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| build("test-server", "test-server"))
}

/// The path of program `bin` of `package`, built now.
///
/// There is no `--target`: with it, cargo would keep a second copy of every dependency.
///
/// # Panics
/// When it does not build.
pub fn build(package: &str, bin: &str) -> PathBuf {
    let run = CargoBuild::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .package(package)
        .bin(bin)
        .current_release()
        .run();
    match run {
        Ok(run) => run.path().to_owned(),
        Err(error) => panic!("{bin} of package {package} does not build: {error}"),
    }
}
