//! One look per method, the same in every figure.

use crate::canvas::{BLACK, Marker, Rgb, Stroke, WHITE};

/// How a method looks in every figure.
#[derive(Clone, Debug)]
pub(crate) struct MethodStyle {
    /// The display name.
    pub name: String,
    pub color: Rgb,
    pub marker: Marker,
    /// Dash pattern in pixels; empty for a solid line.
    pub dash: &'static [f64],
}

impl MethodStyle {
    /// The method's line at the given width.
    pub fn stroke(&self, width: f64) -> Stroke {
        Stroke { color: self.color, width, dash: self.dash }
    }
}

/// Label stem, display name, colour, marker, dash.
type Known = (&'static str, &'static str, Rgb, Marker, &'static [f64]);

const SOLID: &[f64] = &[];
const LONG: &[f64] = &[9.0, 4.0];
const SHORT: &[f64] = &[4.5, 3.5];
const DOTS: &[f64] = &[1.5, 3.5];
const DASH_DOT: &[f64] = &[8.0, 3.5, 1.5, 3.5];

/// The known metrics (Okabe and Ito's colours, without the yellow, which is
/// lost on white). Longer stems come first: `h-1` must not be read as `h` with
/// the suffix `-1`, nor `homogeneous-h-1` as something else.
const KNOWN: &[Known] = &[
    ("homogeneous-h-1", "Ḣ⁻¹", Rgb(0xe6, 0x9f, 0x00), Marker::Hexagon, DASH_DOT),
    ("wasserstein", "W₂", Rgb(0xd5, 0x5e, 0x00), Marker::Triangle, SOLID),
    ("fisher-rao", "Fisher–Rao", Rgb(0x00, 0x72, 0xb2), Marker::Diamond, DASH_DOT),
    ("exact", "exact", BLACK, Marker::Circle, SOLID),
    ("standard", "standard", BLACK, Marker::Circle, SOLID),
    ("none", "standard", BLACK, Marker::Circle, SOLID),
    ("h-1", "H⁻¹", Rgb(0xcc, 0x79, 0xa7), Marker::Pentagon, SHORT),
    ("h1", "H¹", Rgb(0x00, 0x9e, 0x73), Marker::TriangleDown, DOTS),
    ("l2", "L²", Rgb(0x56, 0xb4, 0xe9), Marker::Square, LONG),
    ("w2", "W₂", Rgb(0xd5, 0x5e, 0x00), Marker::Triangle, SOLID),
];

/// Looks for labels that name no known metric.
const SPARE: &[(Rgb, Marker, &[f64])] = &[
    (Rgb(0x33, 0x22, 0x88), Marker::Cross, SOLID),
    (Rgb(0x99, 0x99, 0x33), Marker::Square, SHORT),
    (Rgb(0x88, 0x22, 0x55), Marker::Plus, LONG),
    (Rgb(0x6a, 0x6a, 0x6a), Marker::Triangle, DOTS),
    (Rgb(0x44, 0xaa, 0x99), Marker::Diamond, DASH_DOT),
    (Rgb(0xaa, 0x44, 0x99), Marker::TriangleDown, SOLID),
];

/// The known metric a label starts with, and what follows it.
fn known(label: &str) -> Option<(&'static Known, String)> {
    let lower = label.to_ascii_lowercase();
    for k in KNOWN {
        if let Some(rest) = lower.strip_prefix(k.0) {
            if rest.is_empty() {
                return Some((k, String::new()));
            }
            // The lower-case copy has the bytes of the label at the same places.
            if rest.starts_with(['-', '_', ' ', ':', '/', '+', '(']) {
                let tail = label.get(k.0.len()..).unwrap_or("");
                return Some((k, tail.trim_start_matches(['-', '_', ' ', ':', '/']).to_owned()));
            }
        }
    }
    None
}

/// The name shown for a method's label: `wasserstein-2` is `W₂ (2)`.
pub(crate) fn display_name(label: &str) -> String {
    match known(label) {
        Some((k, tail)) if tail.is_empty() => k.1.to_owned(),
        Some((k, tail)) if tail.starts_with(['(', '+']) => format!("{} {tail}", k.1),
        Some((k, tail)) => format!("{} ({tail})", k.1),
        None => label.to_owned(),
    }
}

/// Styles for the methods of one figure, in order. A known metric always has
/// the same colour; when it appears again (with another suffix) it is made
/// lighter or darker and gets another marker and line, so that the two differ.
pub(crate) fn styles<'a>(labels: impl IntoIterator<Item = &'a str>) -> Vec<MethodStyle> {
    let mut uses: Vec<(&'static str, usize)> = Vec::new();
    let mut spare = 0usize;
    labels
        .into_iter()
        .map(|label| match known(label) {
            Some((k, _)) => {
                // Aliases such as `none` and `standard` count as one.
                let n = match uses.iter_mut().find(|u| u.0 == k.1) {
                    Some(u) => {
                        u.1 += 1;
                        u.1
                    }
                    None => {
                        uses.push((k.1, 0));
                        0
                    }
                };
                let (color, marker, dash) = if n == 0 {
                    (k.2, k.3, k.4)
                } else {
                    let dashes = [SHORT, DOTS, LONG, DASH_DOT, SOLID];
                    let markers = Marker::ALL;
                    let at = markers.iter().position(|m| *m == k.3).unwrap_or(0);
                    let toward = if n % 2 == 1 && k.2.luminance() < 0.75 { BLACK } else { WHITE };
                    let toward = if k.2 == BLACK { WHITE } else { toward };
                    (
                        k.2.mix(toward, (0.30 + 0.12 * (n - 1) as f64).min(0.6)),
                        markers[(at + 2 * n + 1) % markers.len()],
                        dashes[(n - 1) % dashes.len()],
                    )
                };
                MethodStyle { name: display_name(label), color, marker, dash }
            }
            None => {
                let (color, marker, dash) = SPARE[spare % SPARE.len()];
                spare += 1;
                MethodStyle { name: label.to_owned(), color, marker, dash }
            }
        })
        .collect()
}

/// How a method looks, for drawing elsewhere.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Look {
    /// Display name.
    pub name: String,
    /// Colour as in CSS.
    pub color: String,
    /// Lengths of dashes and gaps in pixels; empty for a solid line.
    pub dash: &'static [f64],
}

/// The looks of the methods with these labels.
pub fn looks<'a>(labels: impl IntoIterator<Item = &'a str>) -> Vec<Look> {
    let look = |style: MethodStyle| Look { name: style.name, color: style.color.css(), dash: style.dash };
    styles(labels).into_iter().map(look).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_known_metrics() {
        for (label, name) in [
            ("none", "standard"),
            ("l2", "L²"),
            ("wasserstein", "W₂"),
            ("wasserstein-2", "W₂ (2)"),
            ("fisher-rao", "Fisher–Rao"),
            ("h1", "H¹"),
            ("h-1", "H⁻¹"),
            ("h-1-2", "H⁻¹ (2)"),
            ("homogeneous-h-1", "Ḣ⁻¹"),
            ("hessian", "hessian"),
        ] {
            assert_eq!(display_name(label), name);
        }
    }

    #[test]
    fn repeated_metrics_differ() {
        let s = styles(["wasserstein", "wasserstein-2", "wasserstein-3", "x", "y"]);
        for i in 0..s.len() {
            for j in 0..i {
                assert_ne!(s[i].color, s[j].color);
                assert_ne!(s[i].marker, s[j].marker);
            }
        }
    }
}
