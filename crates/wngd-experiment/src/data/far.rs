//! Rows of a trajectory that cannot belong to it: -999 for a value that was not measured.

/// Largest share of rows that are taken for strangers, by their value.
const SHARE: f64 = 0.05;
/// Largest share of rows that are, by their distance alone.
const FEW: f64 = 0.01;
/// Distance from the rest, in ranges of the rest, at which they are.
const RANGES: f64 = 5.0;
/// Numbers that stand for missing values, and are taken for such one range away from the rest.
const SENTINELS: [f64; 14] = [
    -9.0, -99.0, -999.0, -9999.0, -99999.0, -999999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0, -32768.0, -999.25, -99.9,
];
/// Fewest rows that make a rest.
const ROWS: usize = 20;

/// Refuses rows far away from all others; `values` are rows of coordinates of these names.
pub(super) fn check(values: &[f64], names: &[String]) -> Result<(), String> {
    let dim = names.len();
    let rows = values.len() / dim.max(1);
    if rows < ROWS {
        return Ok(());
    }
    for (axis, name) in names.iter().enumerate() {
        let column: Vec<f64> = values.iter().skip(axis).step_by(dim).copied().collect();
        let Some(limits) = limits(&column) else { continue };
        let Some(row) = column.iter().position(|v| *v < limits.0 || *v > limits.1) else { continue };
        let rest = || column.iter().filter(|v| **v >= limits.0 && **v <= limits.1);
        let n = rest().count() as f64;
        let mean = rest().sum::<f64>() / n;
        let scatter = (rest().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let (value, far) = (column[row], column.len() - n as usize);
        let away = (value - mean).abs() / scatter;
        let away = match away {
            away if away.is_finite() => format!("{away:.0} standard deviations"),
            _ => format!("{:e}", (value - mean).abs()),
        };
        let others = if far > 1 { format!(", and {} more rows like it", far - 1) } else { String::new() };
        return Err(format!(
            "row {} ({name} = {value}) is {away} away from the rest{others}; remove it, or write NA for what was not \
             measured and set missing = \"skip\" in [data]",
            row + 1
        ));
    }
    Ok(())
}

/// Where the rest ends, if there are a few values far away from it.
fn limits(column: &[f64]) -> Option<(f64, f64)> {
    let n = column.len();
    let mean = column.iter().sum::<f64>() / n as f64;
    let scatter = (column.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
    // A few values far away are at least so many standard deviations of all from the mean.
    let least = ((1.0 - SHARE) / SHARE).sqrt() * 0.9;
    let beyond = |v: &f64| (v - mean).abs() > least * scatter;
    if !column.iter().any(beyond) {
        return None;
    }
    let mut sorted = column.to_vec();
    sorted.sort_by(f64::total_cmp);
    let most = (SHARE * n as f64) as usize;
    let (mut first, mut last) = (0, n - 1);
    // From either end: the innermost gap that is wide enough.
    for k in 1..=most {
        let (low, high) = (sorted[k], sorted[n - 1 - most]);
        let few = k == 1 || k as f64 <= FEW * n as f64;
        if is_far(sorted[k - 1], low - sorted[k - 1], high - low, few) {
            first = k;
        }
        let (low, high) = (sorted[most.max(first)], sorted[n - 1 - k]);
        if is_far(sorted[n - k], sorted[n - k] - high, high - low, few) {
            last = n - 1 - k;
        }
    }
    (first > 0 || last < n - 1).then(|| (sorted[first], sorted[last]))
}

/// Whether a value stands behind a gap that is wide, measured by the range of the rest; a rest of one value has none.
fn is_far(value: f64, gap: f64, range: f64, few: bool) -> bool {
    range > 0.0 && (few && gap > RANGES * range || SENTINELS.contains(&value) && gap > range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(n: usize) -> Vec<f64> {
        (0..n).map(|i| 2.0 * (i as f64 * 0.05).sin()).collect()
    }

    #[test]
    fn a_stranger_is_named_by_its_row() {
        let names = ["x".to_string()];
        assert_eq!(check(&wave(1000), &names), Ok(()));
        let mut values = wave(1000);
        values[777] = -999.0;
        let text = check(&values, &names).unwrap_err();
        assert!(text.contains("row 778 (x = -999) is 70") && text.contains("missing = \"skip\""), "{text}");
        values[3] = 1e6;
        assert!(check(&values, &names).unwrap_err().contains("and 1 more rows"));
        // Sentinels are known even where the data are as large.
        let mut large: Vec<f64> = wave(1000).iter().map(|v| v * 100.0).collect();
        large[5] = -9999.0;
        assert!(check(&large, &names).is_err());
    }

    #[test]
    fn bursts_are_no_strangers() {
        let names = ["x".to_string(), "y".to_string()];
        let bursts: Vec<f64> = (0..4000).map(|i| if i % 400 < 8 { (i % 400) as f64 * 9.0 } else { 0.1 }).collect();
        assert_eq!(check(&bursts, &names), Ok(()));
        assert_eq!(check(&[1.0; 100], &names), Ok(()));
    }
}
