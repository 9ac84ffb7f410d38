//! How long a delay lasts: fixed, or drawn from a distribution. Pure: the random number is passed in.

use std::time::Duration;

/// The longest delay of one request, over all rules.
pub const MAX_DELAY: Duration = Duration::from_secs(30);

/// A delay, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delay {
    /// Always the same.
    Fixed(f64),
    /// Uniformly distributed over `min..=max`.
    Uniform {
        /// The shortest.
        min: f64,
        /// The longest.
        max: f64,
    },
    /// Lognormally distributed: the logarithm of the delay is normal with the deviation `sigma`.
    LogNormal {
        /// Half of the delays are shorter.
        median: f64,
        /// The standard deviation of the logarithm; 0 makes every delay the median.
        sigma: f64,
    },
}

impl Delay {
    /// The delay for a uniform `u` in `0.0..1.0`, at most [`MAX_DELAY`]. A drawn delay is rounded to a millisecond.
    #[must_use]
    pub fn sample(self, u: f64) -> Duration {
        let millis = match self {
            Self::Fixed(millis) => millis,
            Self::Uniform { min, max } => libm::round(min + u * (max - min)),
            Self::LogNormal { median, sigma } => libm::round(median * libm::exp(sigma * normal_quantile(u))),
        };
        if millis >= MAX_DELAY.as_secs_f64() * 1e3 {
            return MAX_DELAY;
        }
        Duration::try_from_secs_f64(millis / 1e3).unwrap_or_default()
    }

    /// Whether the delay depends on a random number.
    #[must_use]
    pub fn is_random(self) -> bool {
        !matches!(self, Self::Fixed(_))
    }
}

/// The quantile function of the standard normal distribution, by P. J. Acklam's rational approximation (relative
/// error below 1.15e-9). `libm` computes the same on every platform, which the system's library does not promise.
fn normal_quantile(u: f64) -> f64 {
    const LOW: f64 = 0.024_25;
    // The smallest number that can be drawn besides 0; at 0 the quantile is infinite.
    let u = u.clamp(f64::EPSILON / 2.0, 1.0 - f64::EPSILON / 2.0);
    if u < LOW {
        tail(libm::sqrt(-2.0 * libm::log(u)))
    } else if u > 1.0 - LOW {
        -tail(libm::sqrt(-2.0 * libm::log(1.0 - u)))
    } else {
        let q = u - 0.5;
        let r = q * q;
        q * polynomial(&A, r) / (polynomial(&B, r) * r + 1.0)
    }
}

fn tail(q: f64) -> f64 {
    polynomial(&C, q) / (polynomial(&D, q) * q + 1.0)
}

/// Evaluates a polynomial whose highest coefficient comes first.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

const A: [f64; 6] = [
    -3.969_683_028_665_376e1,
    2.209_460_984_245_205e2,
    -2.759_285_104_469_687e2,
    1.383_577_518_672_69e2,
    -3.066_479_806_614_716e1,
    2.506_628_277_459_239,
];
const B: [f64; 5] = [
    -5.447_609_879_822_406e1,
    1.615_858_368_580_409e2,
    -1.556_989_798_598_866e2,
    6.680_131_188_771_972e1,
    -1.328_068_155_288_572e1,
];
const C: [f64; 6] = [
    -7.784_894_002_430_293e-3,
    -3.223_964_580_411_365e-1,
    -2.400_758_277_161_838,
    -2.549_732_539_343_734,
    4.374_664_141_464_968,
    2.938_163_982_698_783,
];
const D: [f64; 4] =
    [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        let table = [
            (0.5, 0.0),
            (0.975, 1.959_963_985),
            (0.025, -1.959_963_985),
            (0.01, -2.326_347_874),
            (0.999, 3.090_232_306),
        ];
        for (u, expected) in table {
            assert!((normal_quantile(u) - expected).abs() < 1e-8, "{u}: {}", normal_quantile(u));
        }
        assert!(normal_quantile(0.0).is_finite() && normal_quantile(1.0).is_finite());
    }

    #[test]
    fn a_delay_is_sampled_and_cut_at_the_maximum() {
        let millis = Duration::from_millis;
        let table = [
            (Delay::Fixed(0.0), 0.5, millis(0)),
            (Delay::Fixed(1.5), 0.5, Duration::from_micros(1_500)),
            (Delay::Fixed(1e9), 0.0, MAX_DELAY),
            (Delay::Uniform { min: 50.0, max: 400.0 }, 0.0, millis(50)),
            (Delay::Uniform { min: 50.0, max: 400.0 }, 0.5, millis(225)),
            (Delay::Uniform { min: 50.0, max: 400.0 }, 0.999_999, millis(400)),
            (Delay::Uniform { min: 7.0, max: 7.0 }, 0.3, millis(7)),
            (Delay::LogNormal { median: 100.0, sigma: 0.5 }, 0.5, millis(100)),
            (Delay::LogNormal { median: 100.0, sigma: 0.5 }, 0.975, millis(266)),
            (Delay::LogNormal { median: 100.0, sigma: 0.0 }, 0.1, millis(100)),
            (Delay::LogNormal { median: 100.0, sigma: 50.0 }, 0.99, MAX_DELAY),
            (Delay::LogNormal { median: 100.0, sigma: 50.0 }, 0.0, millis(0)),
        ];
        for (delay, u, expected) in table {
            assert_eq!(delay.sample(u), expected, "{delay:?} at {u}");
        }
    }
}
