//! The seed of a random test: printed by each run, and taken back from the environment variable `SEED`.

use std::env::VarError;

use fastrand::Rng;

/// Returns the random number generator of a test, seeded from `SEED` or anew, and prints the seed.
///
/// The seed decides what a test does. When it happens is up to the machine, so a failure that needs a certain timing
/// may need several runs with the same seed. The test harness shows what a test prints when the test fails.
///
/// # Panics
/// When `SEED` is set and is not a whole number from 0 to 18446744073709551615.
pub fn rng() -> Rng {
    let seed = seed();
    println!("to repeat this run: SEED={seed}");
    Rng::with_seed(seed)
}

/// Returns the seed in `SEED`, or a new one. For programs that print it in their own way; tests call [`rng`].
///
/// # Panics
/// As [`rng`] does.
pub fn seed() -> u64 {
    from_variable(std::env::var("SEED")).unwrap_or_else(|| fastrand::u64(..))
}

fn from_variable(variable: Result<String, VarError>) -> Option<u64> {
    let text = match variable {
        Ok(text) if text.is_empty() => return None,
        Ok(text) => text,
        Err(VarError::NotPresent) => return None,
        Err(VarError::NotUnicode(text)) => panic!("SEED={} is not a whole number", text.display()),
    };
    match text.parse() {
        Ok(seed) => Some(seed),
        Err(error) => panic!("SEED={text:?} is not a whole number from 0 to {}: {error}", u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_taken_from_the_variable_and_an_empty_or_missing_variable_means_a_new_one() {
        assert_eq!(from_variable(Ok("18446744073709551615".to_owned())), Some(u64::MAX));
        assert_eq!(from_variable(Ok(String::new())), None);
        assert_eq!(from_variable(Err(VarError::NotPresent)), None);
    }

    #[test]
    #[should_panic(expected = "SEED=\"soon\" is not a whole number")]
    fn a_seed_that_is_not_a_number_is_refused_and_not_replaced_by_another() {
        from_variable(Ok("soon".to_owned()));
    }
}
