//! What is left of moments.

use crate::about::About;
use crate::axes::{Decor, Panel, Range, left_margin};
use crate::canvas::{Marker, Rect, Rgb, Stroke};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::palettes::CATEGORIES;
use crate::sheet::{Entry, Sample, Sheet, WIDE};

const HEIGHT: f64 = 190.0;
/// Standard errors that the band reaches.
const BAND: f64 = 2.0;
const BAND_COLOR: Rgb = Rgb(0xe6, 0xee, 0xf4);
const WITHIN: Rgb = CATEGORIES[0];
const BEYOND: Rgb = CATEGORIES[2];

/// Residuals of moments, each by its standard error: stems beside a band of two.
#[derive(Clone, Debug, Default)]
pub struct MomentResiduals {
    /// Mean by standard error of each.
    pub values: Vec<f64>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for MomentResiduals {
    fn about(&self) -> About {
        About::new(
            "moments",
            "What the answer leaves of the equations E[v·∇f] = 0, a mean by its standard error for each of the test functions; the band is ±2.",
            "One stem per test function; stems that leave the band of ±2 standard errors have another colour.",
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        if self.values.is_empty() || self.values.iter().any(|v| !v.is_finite()) {
            return Err(FigureError::shape("values", "is empty, or one is no number"));
        }
        let most = self.values.iter().fold(1.5 * BAND, |most: f64, v| most.max(v.abs()));
        let (x, y) =
            (Range::linear(0.0, self.values.len() as f64 + 1.0).counting(), Range::linear(-1.08 * most, 1.08 * most));
        let mut sheet = Sheet::new(WIDE, &self.title);
        let left = left_margin(&y, HEIGHT, true) + 10.0;
        let panel = Panel { rect: Rect::new(left, sheet.top + 6.0, WIDE - left - 14.0, HEIGHT), x, y };
        let canvas = &mut sheet.canvas;
        let (a, b) = (panel.at(x.lo, BAND), panel.at(x.hi, -BAND));
        canvas.fill(Rect::new(a.0, a.1, b.0 - a.0, b.1 - a.1), BAND_COLOR);
        panel.grid(canvas);
        for (k, value) in self.values.iter().enumerate() {
            let color = if value.abs() > BAND { BEYOND } else { WITHIN };
            let at = k as f64 + 1.0;
            canvas.line(panel.at(at, 0.0), panel.at(at, *value), &Stroke::solid(color, 1.6));
            canvas.marker(Marker::Circle, panel.at(at, *value), 2.8, color, None);
        }
        let decor = Decor {
            x_label: "test function",
            y_label: "mean / standard error",
            x_ticks: true,
            y_ticks: true,
            ..Decor::default()
        };
        panel.frame(canvas, &decor);
        sheet.panels_end(panel.rect.bottom());
        let beyond = self.values.iter().filter(|v| v.abs() > BAND).count();
        let mut entries = vec![
            Entry::new("within two standard errors", Sample::Marker(Marker::Circle, WITHIN, 2.8)),
            Entry::new("±2", Sample::Patch(BAND_COLOR)),
        ];
        if beyond > 0 {
            entries.insert(
                1,
                Entry::new(
                    format!("beyond: {beyond} of {}", self.values.len()),
                    Sample::Marker(Marker::Circle, BEYOND, 2.8),
                ),
            );
        }
        sheet.legend(entries);
        Ok(sheet.finish())
    }
}
