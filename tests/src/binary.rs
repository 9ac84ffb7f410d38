//! Builds the programs under test as users build them: one package, in the profile of the tests. Nothing has to be
//! built beforehand; if nothing has changed, cargo only checks that.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use escargot::CargoBuild;

/// Returns the path of the program `test-server`, and builds it on first use.
pub fn test_server() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| build("test-server", "test-server"))
}

/// Builds the program `bin` of `package` and returns its path.
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
