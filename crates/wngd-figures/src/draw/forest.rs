//! Estimates side by side.

use crate::about::About;
use crate::axes::{ABOVE, BELOW_TICKS, Decor, Panel, Range};
use crate::canvas::{Align, BLACK, GREY, Marker, Rect, Rgb, SMALL, Stroke, fit, text_width};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::palettes::CATEGORIES;
use crate::sheet::{Entry, Sample, Sheet, WIDE};

/// Panels per row, and most of them.
const ROW: usize = 3;
const MOST: usize = 12;
/// Height of a row of a panel.
const HEIGHT: f64 = 26.0;
/// Most pixels for names.
const NAMES: f64 = 150.0;

const ANSWER: Rgb = CATEGORIES[2];
const OTHER: Rgb = CATEGORIES[0];

/// The values of one parameter.
#[derive(Clone, Debug, Default)]
pub struct ForestPanel {
    /// Its name.
    pub name: String,
    /// Value and standard error by each estimator; no error where there is none.
    pub values: Vec<(f64, Option<f64>)>,
}

/// What each estimator says of each parameter: values with bars of one and of two standard errors, a panel per parameter.
#[derive(Clone, Debug, Default)]
pub struct Forest {
    /// Names of the estimators.
    pub labels: Vec<String>,
    /// The one that answers.
    pub answer: usize,
    /// The parameters.
    pub panels: Vec<ForestPanel>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for Forest {
    fn about(&self) -> About {
        About::new(
            "estimates",
            "The parameters by each estimator, with bars of one (thick) and two (thin) standard errors; the line is the answer.",
            "One panel per parameter, one row per estimator: a marker at the value with horizontal error bars.",
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        let n = self.labels.len();
        if n == 0 || self.panels.is_empty() || self.answer >= n {
            return Err(FigureError::shape("labels", "is empty, or the answer is none of them"));
        }
        if self.panels.iter().any(|p| p.values.len() != n) {
            return Err(FigureError::shape("panels", "have not a value for each estimator"));
        }
        let shown = self.panels.len().min(MOST);
        let columns = shown.min(ROW);
        let names = self.labels.iter().map(|s| text_width(s, SMALL)).fold(0.0, f64::max).min(NAMES);
        let (left, gap, h) = (names + 18.0, 22.0, HEIGHT * n as f64);
        let w = (WIDE - left - 14.0 - gap * (columns - 1) as f64) / columns as f64;
        let mut sheet = Sheet::new(WIDE, &self.title);
        let pitch = h + ABOVE + BELOW_TICKS + 14.0;
        let top = sheet.top + ABOVE;
        for (j, parameter) in self.panels.iter().take(shown).enumerate() {
            let corner = (left + (j % columns) as f64 * (w + gap), top + pitch * (j / columns) as f64);
            let reach = parameter.values.iter().filter(|(v, _)| v.is_finite()).flat_map(|(v, e)| {
                let e = 2.0 * e.filter(|e| e.is_finite()).unwrap_or(0.0);
                [v - e, v + e]
            });
            // The first estimator is on top.
            let y = Range::linear(-0.5, n as f64 - 0.5).counting();
            let panel = Panel { rect: Rect::new(corner.0, corner.1, w, h), x: Range::around(reach, 0.08), y };
            let canvas = &mut sheet.canvas;
            panel.grid(canvas);
            let at = panel.at(parameter.values[self.answer].0, 0.0).0;
            if at.is_finite() {
                canvas.line((at, corner.1), (at, corner.1 + h), &Stroke::solid(GREY, 0.9));
            }
            for (k, (value, error)) in parameter.values.iter().enumerate().filter(|(_, (v, _))| v.is_finite()) {
                let row = (n - 1 - k) as f64;
                let color = if k == self.answer { ANSWER } else { OTHER };
                if let Some(e) = error.filter(|e| e.is_finite()) {
                    for (times, width) in [(2.0, 1.1), (1.0, 3.2)] {
                        let ends = [value - times * e, value + times * e].map(|v| panel.at(v, row));
                        canvas.line(ends[0], ends[1], &Stroke::solid(color, width));
                    }
                }
                canvas.marker(
                    if error.is_some() { Marker::Circle } else { Marker::Diamond },
                    panel.at(*value, row),
                    3.6,
                    color,
                    None,
                );
            }
            let decor = Decor { title: &parameter.name, x_ticks: true, y_ticks: false, ..Decor::default() };
            panel.frame(canvas, &decor);
            if j % columns == 0 {
                for (k, label) in self.labels.iter().enumerate() {
                    let place = (corner.0 - 8.0, panel.at(0.0, (n - 1 - k) as f64).1 + 4.3);
                    let color = if k == self.answer { ANSWER } else { BLACK };
                    canvas.text(place, &fit(label, SMALL, NAMES), SMALL, Align::Right, color);
                }
            }
            sheet.panels_end(corner.1 + h);
        }
        let mut entries = vec![Entry::new("the answer", Sample::Marker(Marker::Circle, ANSWER, 3.6))];
        if n > 1 {
            entries.push(Entry::new("other estimators", Sample::Marker(Marker::Circle, OTHER, 3.6)));
        }
        if self.panels.iter().take(shown).flat_map(|p| &p.values).any(|(_, e)| e.is_none()) {
            entries.push(Entry::new("without standard error", Sample::Marker(Marker::Diamond, GREY, 3.6)));
        }
        sheet.legend(entries);
        if self.panels.len() > shown {
            sheet.note(&format!("The first {shown} of {} parameters.", self.panels.len()));
        }
        Ok(sheet.finish())
    }
}
