//! Numbers for people.

/// How many there are: whole numbers as such, those that weights make short.
pub fn count(value: f64) -> String {
    // Sums of whole numbers by way of densities are whole but for rounding.
    let whole = value.round();
    if (value - whole).abs() <= 1e-9 * whole.abs() { format!("{whole}") } else { short(value) }
}

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

/// A probability with two digits: 0.38, 1.2e-5.
pub fn probability(value: f64) -> String {
    match value {
        v if v >= 0.01 => format!("{v:.2}"),
        v if v < 1e-300 => "less than 1e-300".into(),
        v => format!("{v:.1e}"),
    }
}

/// A value with its standard error: 4.289 ± 0.035, with a scale of its own (3.08 ± 0.13)e8, and where many digits are known
/// 0.5000000000000(10): the error in units of the last digits.
pub fn with_error(value: f64, error: Option<f64>) -> String {
    let Some(error) = error.filter(|error| *error > 0.0 && error.is_finite() && value.is_finite()) else {
        return short(value);
    };
    let scale = exponent(value.abs().max(error));
    let digits = 1 - exponent(error);
    if (-3..5).contains(&scale) && digits <= 8 {
        let digits = digits.max(0) as usize;
        return format!("{} ± {error:.digits$}", fixed(value, digits));
    }
    let scale = if (-3..5).contains(&scale) { 0 } else { scale };
    // More digits than a number has say nothing.
    let digits = (1 - (exponent(error) - scale)).clamp(0, 15);
    let unit = format!("{error:.1e}").replace('.', "");
    let unit = unit.split('e').next().unwrap_or_default();
    // In one division each, so that tiny scales do not underflow on the way.
    let mantissa = fixed(scaled(value, scale), digits as usize);
    match scale {
        0 => format!("{mantissa}({unit})"),
        scale if digits <= 8 => {
            let error = fixed(scaled(error, scale), digits as usize);
            format!("({mantissa} ± {error})e{scale}")
        }
        scale => format!("{mantissa}({unit})e{scale}"),
    }
}

/// The exponent of a number once it has two digits: 0.0999 has that of 0.10.
fn exponent(value: f64) -> i32 {
    format!("{value:.1e}").rsplit('e').next().and_then(|e| e.parse().ok()).unwrap_or(0)
}

/// value · 10^−scale, exact where the decimal form is.
fn scaled(value: f64, scale: i32) -> f64 {
    let text = format!("{value:e}");
    let (mantissa, own) = text.split_once('e').unwrap_or((&text, "0"));
    let own: i32 = own.parse().unwrap_or(0);
    format!("{mantissa}e{}", own - scale).parse().unwrap_or(value)
}

/// With that many decimals; a zero has no sign.
fn fixed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let zero = text.bytes().all(|b| matches!(b, b'-' | b'0' | b'.'));
    if zero { text.trim_start_matches('-').to_string() } else { text }
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
        assert_eq!(with_error(-1.009e-9, Some(0.0223e-9)), "(-1.009 ± 0.022)e-9");
        assert_eq!(with_error(2.516e17, Some(1.67e16)), "(2.52 ± 0.17)e17");
        assert_eq!(with_error(3.0812e8, Some(1.3e7)), "(3.08 ± 0.13)e8");
        assert_eq!(with_error(2e-10, Some(1.5e-9)), "(0.2 ± 1.5)e-9");
        assert_eq!(with_error(-0.0001, Some(0.5)), "0.00 ± 0.50");
        assert_eq!(with_error(0.5, Some(1e-12)), "0.5000000000000(10)");
        assert_eq!(with_error(1e-300, Some(9.99e-302)), "(1.00 ± 0.10)e-300");
        assert_eq!(with_error(1.25e-9, Some(1e-20)), "1.250000000000(10)e-9");
        assert_eq!(with_error(-0.0, None), "0");
        assert_eq!(["0.38", "1.2e-5", "less than 1e-300"], [0.3786, 1.2e-5, 0.0].map(probability)[..]);
    }

    #[test]
    fn combinations_name_their_largest_parts() {
        let names: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        assert_eq!(combination(&names, &[-0.6, 0.8, 0.01]), "0.80 b − 0.60 a");
        assert_eq!(combination(&names, &[0.0, 0.0, -1.0]), "1.00 c");
    }
}
