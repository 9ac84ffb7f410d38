//! A rate limit as one moment in time: the generic cell rate algorithm (ITU-T I.371), which admits what a token bucket
//! admits. Pure: the time is passed in.

use std::time::{Duration, Instant};

/// How many requests are admitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Requests a second over a long time; above 0.
    pub per_second: f64,
    /// Requests at once after a pause; at least 1.
    pub burst: u32,
}

/// When the bucket is full again; a moment in the past (or none) means that it is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    full_at: Option<Instant>,
}

/// Whether a request is admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It is, and the bucket becomes this.
    Admitted(Bucket),
    /// It is not; after this time one would be.
    Refused(Duration),
}

#[cfg(feature = "store")]
impl Bucket {
    /// A bucket that is full at this moment.
    pub(super) fn full_at(full_at: Instant) -> Self {
        Self { full_at: Some(full_at) }
    }
}

impl RateLimit {
    pub(super) fn admit(&self, bucket: Bucket, now: Instant) -> Admission {
        let interval = Duration::try_from_secs_f64(1.0 / self.per_second).unwrap_or(LONGEST).min(LONGEST);
        let allowance = interval.saturating_mul(self.burst - 1).min(LONGEST);
        let full_at = bucket.full_at.map_or(now, |full_at| full_at.max(now));
        let ahead = full_at - now;
        if ahead > allowance {
            return Admission::Refused(ahead - allowance);
        }
        Admission::Admitted(Bucket { full_at: Some(full_at + interval) })
    }
}

/// No interval is longer, so that no sum overflows.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn admitted(limit: RateLimit, bucket: &mut Bucket, now: Instant, requests: usize) -> usize {
        (0..requests)
            .filter(|_| match limit.admit(*bucket, now) {
                Admission::Admitted(next) => {
                    *bucket = next;
                    true
                }
                Admission::Refused(_) => false,
            })
            .count()
    }

    #[test]
    fn a_burst_is_admitted_and_then_the_rate() {
        let limit = RateLimit { per_second: 10.0, burst: 5 };
        let (mut bucket, start) = (Bucket::default(), Instant::now());
        assert_eq!(admitted(limit, &mut bucket, start, 100), 5);
        assert_eq!(admitted(limit, &mut bucket, start + SECOND / 10, 100), 1);
        assert_eq!(admitted(limit, &mut bucket, start + SECOND / 2, 100), 4);
        assert_eq!(
            admitted(limit, &mut bucket, start + 60 * SECOND, 100),
            5,
            "no more than the burst is saved up"
        );
    }

    #[test]
    fn a_refusal_says_when_one_is_admitted_again() {
        let limit = RateLimit { per_second: 0.5, burst: 1 };
        let (mut bucket, start) = (Bucket::default(), Instant::now());
        assert_eq!(admitted(limit, &mut bucket, start, 2), 1);
        assert_eq!(limit.admit(bucket, start), Admission::Refused(2 * SECOND));
        assert_eq!(limit.admit(bucket, start + SECOND), Admission::Refused(SECOND));
        assert_eq!(admitted(limit, &mut bucket, start + 2 * SECOND, 2), 1);
    }

    #[test]
    fn extreme_rates_do_not_overflow() {
        let now = Instant::now();
        for per_second in [f64::MIN_POSITIVE, 1e-300, 1e300] {
            let limit = RateLimit { per_second, burst: u32::MAX };
            assert!(matches!(limit.admit(Bucket::default(), now), Admission::Admitted(_)));
        }
    }
}
