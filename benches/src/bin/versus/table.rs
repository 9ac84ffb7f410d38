//! Pairs of measurements, and the rows that show them.
//!
//! A program is measured beside its baseline, one right after the other, in each round. A row shows the round whose
//! ratio is the median of all rounds: the two values of that round and their ratio. A median of the values beside a
//! median of the ratios would look like a contradiction, because they come from different rounds.

use crate::Outcome;

/// The measurements of one program beside its baseline, a pair a round. Lower is better.
#[derive(Default)]
pub(crate) struct Pairs(Vec<Pair>);

/// What one round measured.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pair {
    subject: f64,
    baseline: f64,
}

impl Pair {
    fn ratio(self) -> f64 {
        self.subject / self.baseline
    }
}

/// Measures a program and its baseline one right after the other. Which one goes first changes from round to round, so
/// that what drifts (temperature, clock speed) favours neither.
pub(crate) fn side_by_side<T>(
    round: usize,
    subject: impl FnOnce() -> Outcome<T>,
    baseline: impl FnOnce() -> Outcome<T>,
) -> Outcome<(T, T)> {
    if round.is_multiple_of(2) {
        let subject = subject()?;
        Ok((subject, baseline()?))
    } else {
        let baseline = baseline()?;
        Ok((subject()?, baseline))
    }
}

impl Pairs {
    pub(crate) fn push(&mut self, subject: f64, baseline: f64) {
        self.0.push(Pair { subject, baseline });
    }

    fn by_ratio(&self) -> Vec<Pair> {
        let mut pairs = self.0.clone();
        pairs.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
        pairs
    }

    /// Returns the round whose ratio is the median; of an even number of rounds the upper one of the middle two.
    fn median_round(&self) -> Option<Pair> {
        let pairs = self.by_ratio();
        pairs.get(pairs.len() / 2).copied()
    }

    /// Returns the row, to be printed under [`heading`].
    pub(crate) fn row(&self, name: &str, unit: &str, bound: Bound) -> String {
        let pairs = self.by_ratio();
        let (Some(median), Some(lowest), Some(highest)) = (self.median_round(), pairs.first(), pairs.last())
        else {
            return format!("{name:<62} not measured");
        };
        let ratio = median.ratio();
        let verdict = match bound {
            Bound::AtMost(most) => format!("at most {most:.2}: {}", holds(ratio <= most)),
            Bound::Noise => "the noise".to_owned(),
            Bound::None => String::new(),
        };
        format!(
            "{name:<62} {:>7.2} {unit} {:>7.2} {unit} {ratio:>6.2} x {:>6.2} to {:.2}   {verdict}",
            median.subject,
            median.baseline,
            lowest.ratio(),
            highest.ratio()
        )
    }
}

/// What a row's ratio is held against.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    /// The median ratio must not be higher.
    AtMost(f64),
    /// The row shows a baseline beside itself.
    Noise,
    /// Nothing: the row is for information.
    None,
}

/// Returns the line above rows of [`Pairs::row`].
pub(crate) fn heading(what: &str) -> String {
    format!("{:<62} {:>10} {:>10} {:>8} {:>14}", what, "it", "baseline", "ratio", "all rounds")
}

/// Returns the middle one of several measurements of one thing.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Returns the line of a value that has no baseline: what it is, its bound, and whether it holds.
pub(crate) fn absolute(what: &str, value: f64, bound: f64, unit: &str) -> String {
    format!("{what:<70} {value:>9.2} {unit:<5} at most {bound:.2}: {}", holds(value <= bound))
}

fn holds(it: bool) -> &'static str {
    if it { "holds" } else { "MISSED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(values: &[(f64, f64)]) -> Pairs {
        Pairs(
            values
                .iter()
                .map(|(subject, baseline)| Pair { subject: *subject, baseline: *baseline })
                .collect(),
        )
    }

    #[test]
    fn a_row_shows_the_two_values_whose_quotient_is_the_median_of_the_ratios() {
        // The median of the first column is 7.6, that of the second 6.6, and the median of the ratios 1.02.
        let pairs = pairs(&[(7.6, 6.6), (6.63, 6.5), (9.0, 9.0), (7.7, 6.6), (8.0, 7.843)]);
        let row = pairs.row("GET /msg", "us", Bound::AtMost(1.1));
        assert!(row.contains("8.00 us    7.84 us   1.02 x   1.00 to 1.17   at most 1.10: holds"), "{row}");
    }

    #[test]
    fn a_ratio_above_its_bound_is_missed_and_a_program_beside_itself_has_no_bound() {
        let pairs = pairs(&[(2.0, 1.0)]);
        assert!(pairs.row("slow", "us", Bound::AtMost(1.5)).ends_with("at most 1.50: MISSED"));
        assert!(pairs.row("slow", "us", Bound::Noise).ends_with("2.00 to 2.00   the noise"));
    }

    #[test]
    fn a_row_without_a_round_says_that_it_was_not_measured() {
        assert!(Pairs::default().row("nothing", "us", Bound::Noise).ends_with("not measured"));
    }
}
