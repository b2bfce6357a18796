//! Which combinations of parameters the data determine.

use std::path::Path;

use super::axes::{BELOW, Decor, Panel, Range, extent};
use super::canvas::{Align, Canvas, Rect, Stroke, fit, text_width, wrap};
use super::error::FigureError;
use super::legend::{title, title_height};
use super::number::minus;
use super::save::save;
use super::style::{self, BLACK, CATEGORIES, LABEL, SMALL, TITLE, WHITE, WIDE};

/// More combinations than this are left out.
const MOST: usize = 12;

/// Eigenvalues and eigenvectors of an information matrix.
#[derive(Clone, Debug, Default)]
pub struct Spectrum {
    /// Names of the parameters.
    pub names: Vec<String>,
    /// Eigenvalues, ascending.
    pub values: Vec<f64>,
    /// Unit eigenvectors in their order.
    pub vectors: Vec<Vec<f64>>,
    /// The figure's title; none if empty.
    pub title: String,
}

/// Draws a row per eigenvector, best determined first: the entries as coloured cells, the eigenvalue as a bar.
///
/// # Errors
/// [`FigureError::Shape`] if there is none or lengths disagree; [`FigureError::Io`] if a file cannot be written.
pub fn identifiability(data: &Spectrum, path_stem: &Path) -> Result<(), FigureError> {
    let p = data.names.len();
    if p == 0 || data.values.len() != p || data.vectors.len() != p || data.vectors.iter().any(|v| v.len() != p) {
        return Err(FigureError::shape("vectors", format!("do not match {p} names")));
    }
    let shown = p.min(MOST);
    let largest = data.values[p - 1].max(f64::MIN_POSITIVE);
    // Rounding may leave an eigenvalue at zero or below.
    let lift = |v: f64| v.max(1e-16 * largest);
    let (lo, hi) = extent(data.values.iter().map(|v| lift(*v))).unwrap_or((0.1, 1.0));
    let x = Range::logarithmic(lo / 3.0, hi * 2.0);
    let row = 30.0;
    let heading = wrap(&data.title, TITLE, WIDE - 20.0, 2);
    let widest = data.names.iter().map(|n| text_width(n, SMALL)).fold(0.0, f64::max).min(90.0);
    let cell = (widest + 14.0).max(54.0).min(300.0 / shown as f64);
    let top = title_height(&heading, TITLE) + 40.0;
    let (left, h) = (62.0, row * shown as f64);
    let bars = left + cell * shown as f64 + 30.0;
    let mut canvas = Canvas::new(WIDE, top + h + BELOW + 8.0);
    title(&mut canvas, &heading, TITLE, WIDE / 2.0);
    canvas.text((left + cell * shown as f64 / 2.0, top - 24.0), "share of each parameter", LABEL, Align::Middle, BLACK);
    let panel = Panel { rect: Rect::new(bars, top, WIDE - bars - 20.0, h), x, y: Range::linear(0.0, shown as f64) };
    canvas.text((bars + panel.rect.w / 2.0, top - 24.0), "how well it is determined", LABEL, Align::Middle, BLACK);
    for (k, name) in data.names.iter().take(shown).enumerate() {
        let at = (left + cell * (k as f64 + 0.5), top - 6.0);
        canvas.text(at, &fit(name, SMALL, cell - 4.0), SMALL, Align::Middle, BLACK);
    }
    for r in 0..shown {
        // The best first.
        let (value, vector) = (data.values[p - 1 - r], &data.vectors[p - 1 - r]);
        let strongest = vector.iter().copied().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
        let y = top + row * r as f64;
        for (k, entry) in vector.iter().take(shown).enumerate() {
            let entry = entry * strongest.signum();
            let color = style::diverging(entry);
            let rect = Rect::new(left + cell * k as f64, y, cell, row);
            canvas.fill(rect, color);
            canvas.outline(rect, &Stroke::solid(WHITE, 1.5));
            let ink = if color.luminance() < 0.55 { WHITE } else { BLACK };
            let text = minus(&format!("{entry:.2}"));
            canvas.text((rect.x + cell / 2.0, y + row / 2.0 + 4.3), &text, SMALL, Align::Middle, ink);
        }
        let end = panel.at(lift(value), 0.0).0;
        canvas.fill(Rect::new(bars, y + 6.0, (end - bars).max(1.0), row - 12.0), CATEGORIES[0]);
        let name = match (r == 0, r + 1 == p) {
            (true, true) => "",
            (true, _) => "best",
            (_, true) => "worst",
            _ => "",
        };
        canvas.text((left - 8.0, y + row / 2.0 + 4.3), name, SMALL, Align::Right, BLACK);
    }
    let decor = Decor { x_label: "eigenvalue, relative changes", x_ticks: true, ..Decor::default() };
    panel.frame(&mut canvas, &decor);
    save(canvas, path_stem)
}
