//! What is left of steps.

use crate::about::About;
use crate::axes::{ABOVE, BELOW_TICKS, Decor, Panel, Range, left_margin};
use crate::canvas::{Rect, Rgb};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::number::minus;
use crate::palettes::CATEGORIES;
use crate::sheet::{Entry, Sample, Sheet, WIDE};

use super::pulls::{BARS, NORMAL, REACH, bars, bell};

/// Most variables.
const MOST: usize = 6;
/// Height of a row.
const HEIGHT: f64 = 124.0;
/// Width of a histogram.
const NARROW: f64 = 170.0;
const DOTS: Rgb = CATEGORIES[0];

/// The residuals of one variable.
#[derive(Clone, Debug, Default)]
pub struct StepPanel {
    /// Its name.
    pub name: String,
    /// Residuals, in any unit.
    pub values: Vec<f64>,
    /// The unit, as words: `1.2e-9 standard deviations of the data` for a residual of 1.
    pub unit: String,
}

/// Residuals of steps against time, and their histograms beside a normal distribution of the same width, a row per variable.
#[derive(Clone, Debug, Default)]
pub struct StepResiduals {
    /// Time of each residual.
    pub times: Vec<f64>,
    /// The variables.
    pub panels: Vec<StepPanel>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for StepResiduals {
    fn about(&self) -> About {
        About::new(
            "steps",
            "What the answer leaves of steps from each point to the next, by their root mean square: against time, and as a histogram beside a normal distribution; those beyond 4 are at the edge.",
            "One row per variable: left dots against time, right a histogram with a bell curve.",
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        let n = self.times.len();
        if n == 0 || self.panels.is_empty() || self.panels.iter().any(|p| p.values.len() != n) {
            return Err(FigureError::shape("panels", "is empty, or has not a value for each time"));
        }
        let (x, y, side) = (
            Range::around(self.times.iter().copied(), 0.0),
            Range::linear(-REACH, REACH),
            Range::linear(-REACH, REACH),
        );
        let mut sheet = Sheet::new(WIDE, &self.title);
        let left = left_margin(&y, HEIGHT, true) + 10.0;
        let w = WIDE - left - NARROW - 40.0;
        let shown = self.panels.len().min(MOST);
        for (k, variable) in self.panels.iter().take(shown).enumerate() {
            let top = sheet.top + ABOVE + k as f64 * (HEIGHT + ABOVE + BELOW_TICKS + 6.0);
            let last = k + 1 == shown;
            let size = rms(&variable.values);
            let scaled: Vec<f64> = variable.values.iter().map(|v| if size > 0.0 { v / size } else { 0.0 }).collect();
            let panel = Panel { rect: Rect::new(left, top, w, HEIGHT), x, y };
            let canvas = &mut sheet.canvas;
            panel.grid(canvas);
            for (t, v) in self.times.iter().zip(&scaled) {
                canvas.circle(panel.at(*t, v.clamp(-REACH, REACH)), 1.3, Some(DOTS), None);
            }
            let title =
                format!("{}: root mean square {} {}", variable.name, minus(&format!("{size:.1e}")), variable.unit);
            let x_label = if last { "time" } else { "" };
            panel.frame(
                canvas,
                &Decor {
                    title: &title,
                    x_label,
                    y_label: "residual",
                    x_ticks: true,
                    y_ticks: true,
                    ..Decor::default()
                },
            );
            let densities = bars(&scaled);
            let most = densities.iter().fold(0.45, |most: f64, d| most.max(*d));
            let rect = Rect::new(left + w + 26.0, top, NARROW, HEIGHT);
            let histogram = Panel { rect, x: side, y: Range::linear(0.0, 1.06 * most) };
            let width = 2.0 * REACH / densities.len() as f64;
            for (i, height) in densities.iter().enumerate() {
                let from = -REACH + width * i as f64;
                let (a, b) = (histogram.at(from, *height), histogram.at(from + width, 0.0));
                canvas.fill(Rect::new(a.0, a.1, b.0 - a.0, b.1 - a.1), BARS);
            }
            histogram.fine_curve(canvas, &bell(), &NORMAL);
            histogram.frame(
                canvas,
                &Decor { x_label: if last { "residual" } else { "" }, x_ticks: true, no_y: true, ..Decor::default() },
            );
            sheet.panels_end(top + HEIGHT);
        }
        sheet.legend(vec![
            Entry::new("residuals", Sample::Patch(BARS)),
            Entry::new("normal distribution", Sample::Line(NORMAL, None)),
        ]);
        if self.panels.len() > shown {
            sheet.note(&format!("The first {shown} of {} variables.", self.panels.len()));
        }
        Ok(sheet.finish())
    }
}

fn rms(values: &[f64]) -> f64 {
    (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt()
}
