//! Numbers as people and programs write them.

/// What writes the decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decimal {
    /// 1.5
    #[default]
    Point,
    /// 1,5
    Comma,
}

impl Decimal {
    /// The other one.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Point => Self::Comma,
            Self::Comma => Self::Point,
        }
    }

    /// The sign itself.
    pub(super) fn sign(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }
}

/// What a field of a table holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Field {
    /// A finite number.
    Number(f64),
    /// Nothing, or a word for nothing.
    Missing,
    /// Something else, infinite numbers among it.
    Text,
}

/// Words for a value that is not there, in small letters.
const MISSING: [&str; 18] = [
    "", "na", "n/a", "nan", "-nan", "+nan", "null", "none", "nil", "nat", "missing", "-", "--", ".", "?", "#n/a",
    "#na", "<na>",
];

impl Field {
    /// Reads a field.
    pub(super) fn of(text: &str, decimal: Decimal) -> Self {
        let text = text.trim();
        if let Some(value) = number(text, decimal) {
            return if value.is_finite() { Self::Number(value) } else { Self::Text };
        }
        let small = text.len() <= 8 && MISSING.contains(&text.to_ascii_lowercase().as_str());
        if small { Self::Missing } else { Self::Text }
    }

    /// Whether it is a number.
    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Number(_))
    }
}

/// A decimal number; `1.0D+00` and `1.0-100` are Fortran's, `−` is typeset.
fn number(text: &str, decimal: Decimal) -> Option<f64> {
    // NaN and infinities, which Rust reads, are no numbers here.
    let plain = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    if decimal == Decimal::Point && plain(text) {
        return text.parse().ok().or_else(|| fortran(text));
    }
    let mut text = text.replace('\u{2212}', "-");
    if decimal == Decimal::Comma && text.contains([',', '.']) {
        let (whole, rest) = text.split_once(',')?;
        // A comma without digits behind it ends a word, and a point beside it groups thousands.
        if text.contains('.') || !rest.starts_with(|c: char| c.is_ascii_digit()) || rest.contains(',') {
            return None;
        }
        text = format!("{whole}.{rest}");
    }
    let letter = |c: char| matches!(c, 'd' | 'D' | 'q' | 'Q');
    if text.matches(letter).count() == 1 && text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        text = text.replace(letter, "e");
    }
    if !plain(&text) {
        return None;
    }
    text.parse().ok().or_else(|| fortran(&text))
}

/// Fortran leaves the letter out where an exponent has three digits.
fn fortran(text: &str) -> Option<f64> {
    let at = text.rfind(['+', '-']).filter(|at| *at > 0)?;
    let (mantissa, exponent) = text.split_at(at);
    let usual = exponent.len() == 4 && mantissa.contains('.') && !mantissa.contains(['e', 'E']);
    if usual { format!("{mantissa}e{exponent}").parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_hand() {
        for (text, value) in [
            ("1.5", 1.5),
            (" -2 ", -2.0),
            ("+.5e3", 500.0),
            ("1.0D+00", 1.0),
            ("-1.2d-01", -0.12),
            ("0.25Q2", 25.0),
            ("0.1-100", 1e-101),
            ("\u{2212}3.5", -3.5),
        ] {
            assert_eq!(Field::of(text, Decimal::Point), Field::Number(value), "{text}");
        }
        for (text, value) in [("1,5", 1.5), ("-0,25e1", -2.5), ("7", 7.0), ("1,0D+01", 10.0), (",5", 0.5)] {
            assert_eq!(Field::of(text, Decimal::Comma), Field::Number(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in
            ["1,5", "x", "inf", "-Infinity", "1e999", "2020-01-01", "1.2.3", "12-100", "d1", "1 2", "0x10", "****"]
        {
            assert_eq!(Field::of(text, Decimal::Point), Field::Text, "{text}");
        }
        for text in ["1.5", "1.234,5", "1,", "1,2,3", "1, 5"] {
            assert_eq!(Field::of(text, Decimal::Comma), Field::Text, "{text}");
        }
        for text in ["", " ", "NA", "NaN", "null", "#N/A", "-"] {
            assert_eq!(Field::of(text, Decimal::Point), Field::Missing, "{text}");
        }
    }
}
