//! How the property tests of this crate are run: with a seed that is printed and taken back like any other.

mod seed;

use proptest::test_runner::{Config, RngSeed};

/// Returns the configuration of one property test. `SEED` repeats a run, `PROPTEST_CASES` sets the number of cases.
///
/// Nothing is written to a file: a failure is repeated by its seed, and a case worth keeping becomes a test by name.
pub(crate) fn config() -> Config {
    Config { rng_seed: RngSeed::Fixed(seed::seed()), failure_persistence: None, ..Config::default() }
}
