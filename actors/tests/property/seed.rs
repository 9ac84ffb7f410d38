//! The seed of a random test: printed by each run, and taken back from the environment variable `SEED`.

/// Returns the seed in `SEED`, or a new one, and prints it. The test harness shows it when the test fails.
///
/// # Panics
/// When `SEED` is set, is not empty, and is not a whole number from 0 to 18446744073709551615.
pub(crate) fn seed() -> u64 {
    let seed = match std::env::var("SEED") {
        Ok(text) if !text.is_empty() => match text.parse() {
            Ok(seed) => seed,
            Err(error) => panic!("SEED={text:?} is not a whole number from 0 to {}: {error}", u64::MAX),
        },
        _ => fastrand::u64(..),
    };
    println!("to repeat this run: SEED={seed}");
    seed
}
