//! Medians, ratios, and the lines that show them.

/// The middle one of several measurements.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The median of the ratios, measurement by measurement: what drifts from round to round cancels out.
pub(crate) fn ratio(of: &[f64], to: &[f64]) -> f64 {
    median(of.iter().zip(to).map(|(of, to)| of / to).collect())
}

/// One line: what was compared, the ratio, its bound, and whether it holds.
pub(crate) fn verdict(what: &str, value: f64, bound: f64, unit: &str) {
    let holds = if value <= bound { "holds" } else { "MISSED" };
    println!("{what:<66} {value:>9.2} {unit:<5} at most {bound:>7.2}  {holds}");
}
