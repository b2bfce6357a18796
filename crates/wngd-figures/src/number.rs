//! Short numbers for tick labels, legends and titles.

/// Writes an integer as Unicode superscripts (`-3` becomes `⁻³`).
pub(crate) fn superscript(n: i32) -> String {
    n.to_string()
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            '4' => '⁴',
            '5' => '⁵',
            '6' => '⁶',
            '7' => '⁷',
            '8' => '⁸',
            '9' => '⁹',
            _ => '⁰',
        })
        .collect()
}

/// Replaces the hyphen by a proper minus sign.
pub(crate) fn minus(s: &str) -> String {
    s.replace('-', "−")
}

/// A power of ten.
pub(crate) fn power_of_ten(exponent: i32) -> String {
    format!("10{}", superscript(exponent))
}

/// The decimal exponent of `|v|` (0 for zero and for non-finite values).
pub(crate) fn exponent(v: f64) -> i32 {
    if v == 0.0 || !v.is_finite() {
        return 0;
    }
    let e = v.abs().log10().floor() as i32;
    // log10 of an exact power may round to either side.
    if v.abs() >= 10f64.powi(e + 1) { e + 1 } else { e }
}

/// Three significant digits, trailing zeros dropped, scientific outside
/// `1e-3 ..= 1e5`.
pub(crate) fn short(v: f64) -> String {
    if v.is_nan() {
        return "n/a".into();
    }
    if v.is_infinite() {
        return if v > 0.0 { "∞".into() } else { "−∞".into() };
    }
    if v == 0.0 {
        return "0".into();
    }
    // Round first, so that 9.999 is written as 10 and not as 10.0.
    let e = exponent(v);
    let scale = 10f64.powi((2 - e).clamp(-300, 300));
    let rounded = (v * scale).round() / scale;
    let v = if rounded.is_finite() { rounded } else { v };
    let e = exponent(v);
    if (-3..5).contains(&e) {
        minus(&trim(&format!("{:.*}", (2 - e).max(0) as usize, v)))
    } else {
        let mantissa = trim(&format!("{:.2}", v / 10f64.powi(e)));
        if mantissa == "1" { power_of_ten(e) } else { format!("{}×{}", minus(&mantissa), power_of_ten(e)) }
    }
}

/// Drops the trailing zeros of a decimal number.
fn trim(s: &str) -> String {
    if s.contains('.') { s.trim_end_matches('0').trim_end_matches('.').to_owned() } else { s.to_owned() }
}

/// A fraction in per cent with at most one decimal.
pub(crate) fn percent(fraction: f64) -> String {
    if fraction.is_finite() { format!("{} %", short((fraction * 1000.0).round() / 10.0)) } else { "n/a".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers() {
        assert_eq!(short(0.0), "0");
        assert_eq!(short(-1.5), "−1.5");
        assert_eq!(short(9.9999), "10");
        assert_eq!(short(123.456), "123");
        assert_eq!(short(0.001234), "0.00123");
        assert_eq!(short(1e-7), "10⁻⁷");
        assert_eq!(short(-2.5e9), "−2.5×10⁹");
        assert_eq!(short(f64::NAN), "n/a");
        assert!(!short(f64::MIN_POSITIVE).is_empty());
    }
}
