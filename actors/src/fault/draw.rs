//! What is random in a plan, as a function: the same inputs give the same number on every platform. Pure.

use derive_more::Display;
use sha2::{Digest, Sha256};

/// What a number is drawn for. Two purposes of one request draw independent numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display)]
pub enum Purpose {
    /// Whether the fault of a rule is injected.
    #[display("fault")]
    Fault,
    /// How long a delay lasts.
    #[display("delay")]
    Delay,
}

/// A number in `0.0..1.0`, uniformly distributed, for the `n`-th match (from 1) of the rule at index `rule`.
///
/// It is the first 8 bytes, big-endian, of SHA-256(`"{seed}/{rule}/{group}/{n}/{purpose}"`), shifted right by 11 and
/// divided by 2^53. `group` is the key where the rule counts by key, and empty elsewhere.
///
/// # Examples
///
/// ```
/// use resilience_actors::fault::{Purpose, uniform};
///
/// assert_eq!(uniform(42, 0, "", 1, Purpose::Fault), 0.10185912119946094);
/// assert_eq!(uniform(42, 0, "", 2, Purpose::Fault), 0.08373650425417256);
/// assert_eq!(uniform(7, 3, "order-1", 1, Purpose::Delay), 0.12598892642008852);
/// ```
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "53 bits are exact in an f64")]
pub fn uniform(seed: u64, rule: usize, group: &str, n: u64, purpose: Purpose) -> f64 {
    const TWO_TO_THE_53: f64 = 9_007_199_254_740_992.0;
    let digest = Sha256::digest(format!("{seed}/{rule}/{group}/{n}/{purpose}"));
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    (u64::from_be_bytes(first) >> 11) as f64 / TWO_TO_THE_53
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_evenly() {
        let mut tenths = [0_u32; 10];
        for n in 1..=10_000 {
            let u = uniform(1, 0, "", n, Purpose::Fault);
            assert!((0.0..1.0).contains(&u));
            let tenth = (0..9).rfind(|tenth| u >= f64::from(tenth + 1) / 10.0).map_or(0, |tenth| tenth + 1);
            tenths[usize::try_from(tenth).unwrap()] += 1;
        }
        for count in tenths {
            assert!((850..1150).contains(&count), "{tenths:?}");
        }
    }

    #[test]
    fn every_input_matters() {
        let all = [
            uniform(1, 0, "", 1, Purpose::Fault),
            uniform(2, 0, "", 1, Purpose::Fault),
            uniform(1, 1, "", 1, Purpose::Fault),
            uniform(1, 0, "k", 1, Purpose::Fault),
            uniform(1, 0, "", 2, Purpose::Fault),
            uniform(1, 0, "", 1, Purpose::Delay),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|other| other != one), "{all:?}");
        }
    }
}
