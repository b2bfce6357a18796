//! Numbers for people.

/// A number with few digits, for people.
pub fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    // Rounded to five digits first: 0.999999 has the exponent of 1.
    let scientific = format!("{value:.4e}");
    let exponent: i32 = scientific.rsplit('e').next().and_then(|e| e.parse().ok()).unwrap_or(0);
    if (-3..5).contains(&exponent) { format!("{value:.*}", (4 - exponent) as usize) } else { format!("{value:.3e}") }
}

/// A value with its standard error: 4.2890 ± 0.0346.
pub fn with_error(value: f64, error: Option<f64>) -> String {
    match error {
        Some(error) if error > 0.0 && error.is_finite() => {
            let digits = (1 - error.log10().floor() as i32).clamp(0, 12) as usize;
            format!("{value:.digits$} ± {error:.digits$}")
        }
        _ => short(value),
    }
}

/// A unit vector in words: its largest entries with their names, the largest positive.
pub fn combination(names: &[String], vector: &[f64]) -> String {
    let mut order: Vec<usize> = (0..vector.len()).collect();
    order.sort_by(|&a, &b| vector[b].abs().total_cmp(&vector[a].abs()));
    let sign = order.first().map_or(1.0, |&i| vector[i].signum());
    let terms = order.iter().take(4).filter(|&&i| vector[i].abs() >= 0.05).map(|&i| (sign * vector[i], &names[i]));
    let mut text = String::new();
    for (weight, name) in terms {
        let join = match (text.is_empty(), weight < 0.0) {
            (true, _) => "",
            (_, true) => " − ",
            (_, false) => " + ",
        };
        text.push_str(&format!("{join}{:.2} {name}", weight.abs()));
    }
    text
}

/// NaN and infinities have no JSON form: they become null.
pub fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Reads a number that was not finite, and so null, as NaN.
pub(crate) fn null_is_nan<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(<Option<f64> as serde::Deserialize>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

/// Reads a list of numbers, null as NaN.
pub(crate) fn nulls_are_nan<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<f64>>, D::Error> {
    let values = <Option<Vec<Option<f64>>> as serde::Deserialize>::deserialize(deserializer)?;
    Ok(values.map(|values| values.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_their_meaning() {
        assert_eq!(short(0.0), "0");
        assert_eq!(short(4.2), "4.2000");
        assert_eq!(short(-279.25), "-279.25");
        assert_eq!(short(1.0e-9), "1.000e-9");
        assert_eq!(with_error(4.28966, Some(0.0346)), "4.290 ± 0.035");
        assert_eq!(with_error(79.968, Some(0.51)), "79.97 ± 0.51");
    }

    #[test]
    fn combinations_name_their_largest_parts() {
        let names: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        assert_eq!(combination(&names, &[-0.6, 0.8, 0.01]), "0.80 b − 0.60 a");
        assert_eq!(combination(&names, &[0.0, 0.0, -1.0]), "1.00 c");
    }
}
