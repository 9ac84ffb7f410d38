//! Draws latencies with plain characters, in rows whose ranges grow with the latency. Pure.

use std::fmt::Write;

use super::tally::Latencies;

/// The number of rows that fit on a screen.
const MOST_ROWS: usize = 20;
/// The width of the longest bar.
const WIDTH: u64 = 50;
/// Where rows begin within each power of ten, in percent of it. The first scale that fits on a screen is used.
const SCALES: [&[u64]; 3] = [&[100, 150, 200, 300, 500, 700], &[100, 200, 500], &[100]];

/// A row: latencies from `low` up to but not including `high`, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    low: u64,
    high: u64,
    count: u64,
}

/// Draws the histogram. It is empty without latencies.
pub(super) fn render(latencies: &Latencies) -> String {
    let rows = rows(latencies);
    let longest = rows.iter().map(|row| row.count).max().unwrap_or(0);
    let mut text = String::new();
    for Row { low, high, count } in rows {
        // A row that counted anything has at least one mark.
        let width = (count * WIDTH).div_ceil(longest.max(1));
        let bar = "#".repeat(usize::try_from(width).unwrap_or(0));
        let range = format!("{} - {} ms", millis(low), millis(high));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{range:>24} |{bar:<50}| {count}");
    }
    text
}

fn rows(latencies: &Latencies) -> Vec<Row> {
    if latencies.is_empty() {
        return Vec::new();
    }
    let (min, max) = (latencies.min().max(1), latencies.max());
    let scaled = SCALES.iter().map(|scale| empty_rows(min, max, scale));
    let mut rows = scaled
        .reduce(|finer, coarser| if finer.len() <= MOST_ROWS { finer } else { coarser })
        .unwrap_or_default();
    for recorded in latencies.iter_recorded() {
        // A recorded value stands for a small range, whose end can lie beyond the longest latency.
        let value = recorded.value_iterated_to().min(max);
        if let Some(row) = rows.iter_mut().find(|row| value < row.high) {
            row.count += recorded.count_since_last_iteration();
        }
    }
    // For the same reason the first row can be empty.
    let first = rows.iter().position(|row| row.count > 0).unwrap_or(0);
    let last = rows.iter().rposition(|row| row.count > 0).map_or(0, |last| last + 1);
    rows[first..last].to_vec()
}

/// The rows of a scale from the one that holds `min` to the one that holds `max`.
fn empty_rows(min: u64, max: u64, scale: &[u64]) -> Vec<Row> {
    let powers = (0..).map_while(|n| 10_u64.checked_pow(n));
    // Below a hundred microseconds, some of the finest bounds fall together.
    let mut bounds: Vec<u64> = powers
        .flat_map(|power| scale.iter().map(move |percent| u128::from(power) * u128::from(*percent) / 100))
        .filter_map(|bound| u64::try_from(bound).ok())
        .collect();
    bounds.dedup();
    let rows = bounds.windows(2).map(|pair| Row { low: pair[0], high: pair[1], count: 0 });
    rows.skip_while(|row| row.high <= min).take_while(|row| row.low <= max).collect()
}

/// Formats microseconds as milliseconds, without trailing zeros.
fn millis(micros: u64) -> String {
    let text = format!("{}.{:03}", micros / 1_000, micros % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::tally::Tally, *};

    fn latencies(micros: impl IntoIterator<Item = u64>) -> Latencies {
        let mut tally = Tally::new();
        micros.into_iter().for_each(|us| tally.add("ok", Duration::from_micros(us)));
        tally.overall()
    }

    #[test]
    fn every_latency_is_in_exactly_one_row_and_the_rows_join() {
        for micros in [
            vec![1],
            vec![0, 1, 2, 3],
            (1..5_000).collect(),
            vec![1, 86_400_000_000],
            vec![999, 1_000, 1_001, 1_499, 1_500],
            vec![1_999_999, 2_000_000, 2_000_001],
            vec![u64::MAX],
        ] {
            let latencies = latencies(micros.clone());
            let rows = rows(&latencies);
            assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), latencies.len(), "{micros:?}");
            assert!(rows.windows(2).all(|pair| pair[0].high == pair[1].low), "{rows:?}");
            assert!(rows.len() <= MOST_ROWS, "{rows:?}");
            assert!(rows.first().unwrap().count > 0 && rows.last().unwrap().count > 0, "{rows:?}");
        }
    }

    #[test]
    fn it_is_drawn_with_plain_characters() {
        let drawn = render(&latencies([vec![1_200; 100], vec![1_700; 50], vec![4_000; 1]].concat()));
        let expected = format!(
            "{:>24} |{}| 100\n{:>24} |{}{}| 50\n{:>24} |{}| 0\n{:>24} |{}{}| 1\n",
            "1 - 1.5 ms",
            "#".repeat(50),
            "1.5 - 2 ms",
            "#".repeat(25),
            " ".repeat(25),
            "2 - 3 ms",
            " ".repeat(50),
            "3 - 5 ms",
            "#",
            " ".repeat(49),
        );
        assert_eq!(drawn, expected);
    }

    #[test]
    fn without_latencies_nothing_is_drawn() {
        assert_eq!(render(&latencies([])), "");
    }
}
