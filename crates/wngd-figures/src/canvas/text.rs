//! Sizes and widths of texts, and texts made to fit.

/// The fonts an SVG viewer is asked for: the bundled one, then look-alikes.
pub(super) const FONT_FAMILY: &str = "DejaVu Sans, Verdana, Bitstream Vera Sans, Arial, sans-serif";

/// Tick labels, legends, captions: 9 pt at print size.
pub(crate) const SMALL: u32 = 12;
/// Axis labels and panel titles.
pub(crate) const LABEL: u32 = 13;
/// Figure titles.
pub(crate) const TITLE: u32 = 15;

/// Advance widths of the printable ASCII characters in DejaVu Sans, per 2048.
#[rustfmt::skip]
const ADVANCES: [u16; 95] = [
    651, 821, 942, 1716, 1303, 1946, 1597, 563, 799, 799, 1024, 1716, 651, 739, 651, 690,
    1303, 1303, 1303, 1303, 1303, 1303, 1303, 1303, 1303, 1303, 690, 690, 1716, 1716, 1716,
    1087, 2048, 1401, 1405, 1430, 1577, 1294, 1178, 1587, 1540, 604, 604, 1343, 1141, 1767,
    1532, 1612, 1235, 1612, 1423, 1300, 1251, 1499, 1401, 2025, 1403, 1251, 1403, 799, 690,
    799, 1716, 1024, 1024, 1255, 1300, 1126, 1300, 1260, 721, 1300, 1298, 569, 569, 1186,
    569, 1995, 1298, 1253, 1300, 1300, 842, 1067, 803, 1298, 1212, 1675, 1212, 1212, 1075,
    1303, 690, 1303, 1716,
];

/// Names of Greek letters that stand for the letters.
const GREEK: [(&str, &str); 19] = [
    ("alpha", "α"),
    ("beta", "β"),
    ("gamma", "γ"),
    ("delta", "δ"),
    ("epsilon", "ε"),
    ("zeta", "ζ"),
    ("eta", "η"),
    ("theta", "θ"),
    ("kappa", "κ"),
    ("lambda", "λ"),
    ("mu", "μ"),
    ("nu", "ν"),
    ("xi", "ξ"),
    ("rho", "ρ"),
    ("sigma", "σ"),
    ("tau", "τ"),
    ("phi", "φ"),
    ("psi", "ψ"),
    ("omega", "ω"),
];

/// A text with Greek letters for words that are their names: `signal_sigma` is `signal_σ`. What a hyphen joins is a
/// name as it is: `mixture-mu1`.
pub(crate) fn greek(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_alphabetic()) {
        let letters = word.trim_end_matches(|c: char| !c.is_alphabetic());
        let joined = out.ends_with('-') || word.ends_with('-');
        match GREEK.iter().find(|(name, _)| *name == letters && !joined) {
            Some((_, letter)) => {
                out.push_str(letter);
                out.push_str(&word[letters.len()..]);
            }
            None => out.push_str(word),
        }
    }
    out
}

/// The width of a text in pixels (kuva's own measure is private).
pub(crate) fn text_width(s: &str, size: u32) -> f64 {
    let units: u32 = greek(s)
        .chars()
        .map(|c| {
            let code = c as usize;
            u32::from(match c {
                '\u{20}'..='\u{7e}' => ADVANCES[code - 0x20],
                '⁰' | '¹' | '²' | '³' | '⁴'..='⁹' | '₀'..='₉' => 821,
                '⁻' => 1081,
                '–' => 1024,
                '−' | '×' | '±' | '≤' | '≥' => 1716,
                'Ḣ' => 1540,
                '…' => 2048,
                '\u{2e80}'..='\u{ffff}' => 2048,
                _ => 1303,
            })
        })
        .sum();
    f64::from(units) / 2048.0 * f64::from(size)
}

/// Shortens a text with an ellipsis until it fits.
pub(crate) fn fit(s: &str, size: u32, width: f64) -> String {
    if text_width(s, size) <= width {
        return s.to_owned();
    }
    let mut chars: Vec<char> = s.chars().collect();
    while chars.pop().is_some() {
        let t: String = chars.iter().collect::<String>().trim_end().to_owned() + "…";
        if text_width(&t, size) <= width {
            return t;
        }
    }
    String::new()
}

/// Breaks a text into lines that fit, at most `most` of them.
pub(crate) fn wrap(s: &str, size: u32, width: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in s.split_whitespace() {
        let full = lines.len() == most;
        match lines.last_mut() {
            Some(l) if full || text_width(&format!("{l} {word}"), size) <= width => {
                l.push(' ');
                l.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|l| fit(l, size, width)).collect()
}

/// Whether an XML document may not hold a character.
pub(crate) fn forbidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Removes what an XML document may not hold and keeps kuva from reading
/// dollars as formulae.
pub(super) fn clean(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for c in greek(s).chars() {
        match c {
            '$' => out.push_str("\\$"),
            c if forbidden(c) => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greek_names_become_letters_and_other_words_stay() {
        assert_eq!(greek("signal_sigma over tau, theta[0], mean[1].mu"), "signal_σ over τ, θ[0], mean[1].μ");
        assert_eq!(greek("beta betas Delta meta nu2 größe"), "β betas Delta meta ν2 größe");
        assert_eq!(greek("mixture-mu1, mu-law: mu"), "mixture-mu1, mu-law: μ");
        assert!(text_width("sigma", 12) < text_width("sigmb", 12));
    }

    #[test]
    fn long_texts_are_shortened() {
        assert!(text_width(&fit(&"word ".repeat(50), 12, 100.0), 12) <= 100.0);
        assert_eq!(fit("a", 12, 0.0), "");
        assert!(wrap(&"word ".repeat(50), 12, 100.0, 2).len() <= 2);
    }
}
