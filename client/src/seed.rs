//! The seed of a random test: printed by each run, and taken back from the environment variable `SEED`.

/// A generator for a random test, from its [`seed`].
pub(crate) fn rng() -> fastrand::Rng {
    fastrand::Rng::with_seed(seed())
}

/// The seed in `SEED`, or a new one; printed. To be asked for once a test. The harness shows it when the test fails.
pub(crate) fn seed() -> u64 {
    let seed = match std::env::var("SEED") {
        Ok(text) if !text.is_empty() => text.parse().expect("SEED is a whole number"),
        _ => fastrand::u64(..),
    };
    println!("to repeat this run: SEED={seed}");
    seed
}
