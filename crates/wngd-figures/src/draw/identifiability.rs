//! Which combinations of parameters the data determine.

use crate::axes::{Decor, Panel, Range, extent};
use crate::canvas::{Align, BLACK, LABEL, Rect, SMALL, Stroke, WHITE, fit, text_width};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::{About, Figure};
use crate::number::minus;
use crate::palettes::{CATEGORIES, diverging};
use crate::sheet::{Sheet, WIDE};

/// More combinations than this are left out.
const MOST: usize = 12;

/// Eigenvalues and eigenvectors of an information matrix: a row per eigenvector, best determined first, the entries as
/// coloured cells, the eigenvalue as a bar.
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

impl Figure for Spectrum {
    fn about(&self) -> About {
        About::new(
            "identifiability",
            "Which combinations of parameters the density determines, best first.",
            "Bars of the eigenvalues of the information matrix with their combinations of parameters.",
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        let p = self.names.len();
        if p == 0 || self.values.len() != p || self.vectors.len() != p || self.vectors.iter().any(|v| v.len() != p) {
            return Err(FigureError::shape("vectors", format!("do not match {p} names")));
        }
        let shown = p.min(MOST);
        let largest = self.values[p - 1].max(f64::MIN_POSITIVE);
        // Rounding may leave an eigenvalue at zero or below.
        let lift = |v: f64| v.max(1e-16 * largest);
        let (lo, hi) = extent(self.values.iter().map(|v| lift(*v))).unwrap_or((0.1, 1.0));
        let x = Range::logarithmic(lo / 3.0, hi * 2.0);
        let row = 30.0;
        let mut sheet = Sheet::new(WIDE, &self.title);
        let widest = self.names.iter().map(|n| text_width(n, SMALL)).fold(0.0, f64::max).min(90.0);
        let cell = (widest + 14.0).max(54.0).min(300.0 / shown as f64);
        let top = sheet.top + 40.0;
        let (left, h) = (62.0, row * shown as f64);
        let bars = left + cell * shown as f64 + 30.0;
        let canvas = &mut sheet.canvas;
        canvas.text(
            (left + cell * shown as f64 / 2.0, top - 24.0),
            "share of each parameter",
            LABEL,
            Align::Middle,
            BLACK,
        );
        let panel = Panel { rect: Rect::new(bars, top, WIDE - bars - 20.0, h), x, y: Range::linear(0.0, shown as f64) };
        canvas.text((bars + panel.rect.w / 2.0, top - 24.0), "how well it is determined", LABEL, Align::Middle, BLACK);
        for (k, name) in self.names.iter().take(shown).enumerate() {
            let at = (left + cell * (k as f64 + 0.5), top - 6.0);
            canvas.text(at, &fit(name, SMALL, cell - 4.0), SMALL, Align::Middle, BLACK);
        }
        for r in 0..shown {
            // The best first.
            let (value, vector) = (self.values[p - 1 - r], &self.vectors[p - 1 - r]);
            let strongest = vector.iter().copied().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
            let y = top + row * r as f64;
            for (k, entry) in vector.iter().take(shown).enumerate() {
                let entry = entry * strongest.signum();
                let color = diverging(entry);
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
        panel.frame(canvas, &decor);
        sheet.panels_end(top + h);
        Ok(sheet.finish())
    }
}
