//! Parameters against iterations and corrections.

use crate::about::About;
use crate::axes::{ABOVE, BELOW, Decor, Panel, Range, left_margin};
use crate::canvas::{GREY, Marker, Point, Rect, Rgb, Stroke, WHITE};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::palettes::CATEGORIES;
use crate::sheet::{Entry, Sample, Sheet, WIDE};

/// The band of one standard error.
const BAND: Rgb = Rgb(0xf6, 0xe3, 0xb8);
/// Panels per row.
const ROW: usize = 3;
/// More panels than this are left out.
const MOST: usize = 12;

/// The height of a panel.
const HEIGHT: f64 = 150.0;
/// Points and lines of the fit, and those of the corrections.
const PENS: [(Marker, Stroke); 2] =
    [(Marker::Circle, Stroke::solid(CATEGORIES[0], 1.7)), (Marker::Diamond, Stroke::solid(CATEGORIES[2], 1.7))];

/// The way of some parameters: a panel each with iterations of the fit, then corrections, and one standard error
/// around the end.
#[derive(Clone, Debug, Default)]
pub struct ParameterTrace {
    /// Their names.
    pub names: Vec<String>,
    /// Values at the iterations of the fit.
    pub fit: Vec<Vec<f64>>,
    /// Values after each correction.
    pub corrections: Vec<Vec<f64>>,
    /// Standard errors of the last values.
    pub errors: Option<Vec<f64>>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for ParameterTrace {
    fn about(&self) -> About {
        let (words, then) = match self.corrections.is_empty() {
            true => ("the fit", ""),
            false => ("the fit and its corrections", ", then against the correction"),
        };
        let band = if self.errors.is_some() { "; a band of one standard error around the last" } else { "" };
        About::new(
            "parameters",
            format!("Parameters along {words}."),
            format!("One panel per parameter: its value against the iteration{then}{band}."),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        let shown = self.names.len().min(MOST);
        let columns = shown.min(ROW);
        let fitted = self.fit.len();
        let panels: Vec<(Range, Vec<Point>)> = (0..shown).map(|j| self.way(j)).collect();
        let margin = panels.iter().map(|(y, _)| left_margin(y, HEIGHT, false)).fold(0.0, f64::max) + 10.0;
        let w = (WIDE - 12.0) / columns as f64 - margin;
        let mut sheet = Sheet::new(WIDE, &self.title);
        let top = sheet.top + ABOVE;
        let pitch = HEIGHT + BELOW + ABOVE + 4.0;
        let x = Range::linear(-0.3, (fitted + self.corrections.len() - 1) as f64 + 0.3).counting();
        for (j, (y, points)) in panels.iter().enumerate() {
            let corner = ((j % columns) as f64 * (margin + w) + margin, top + pitch * (j / columns) as f64);
            let panel = Panel { rect: Rect::new(corner.0, corner.1, w, HEIGHT), x, y: *y };
            let canvas = &mut sheet.canvas;
            panel.grid(canvas);
            if let Some(errors) = &self.errors {
                let last = points[points.len() - 1].1;
                let (above, below) = (panel.at(x.hi, last + errors[j]).1, panel.at(x.hi, last - errors[j]).1);
                canvas.fill(Rect::new(corner.0, above, w, (below - above).max(1.0)), BAND);
            }
            if !self.corrections.is_empty() {
                let division = panel.at(fitted as f64 - 0.5, y.lo).0;
                let pen = Stroke { color: GREY, width: 1.0, dash: &[3.0, 3.0] };
                canvas.line((division, corner.1), (division, corner.1 + HEIGHT), &pen);
            }
            panel.curve(canvas, &points[fitted - 1..], &PENS[1].1);
            panel.curve(canvas, &points[..fitted], &PENS[0].1);
            let x_label = if j + columns >= shown { "iteration, correction" } else { "" };
            let decor =
                Decor { title: &self.names[j], x_label, y_label: "", x_ticks: true, y_ticks: true, ..Decor::default() };
            panel.frame(canvas, &decor);
            for (i, q) in points.iter().enumerate() {
                let (marker, pen) = PENS[usize::from(i >= fitted)];
                canvas.marker(marker, panel.at(q.0, q.1), 3.6, pen.color, Some(&Stroke::solid(WHITE, 0.7)));
            }
            sheet.panels_end(corner.1 + HEIGHT);
        }
        let line = |k: usize| Sample::Line(PENS[k].1, Some((PENS[k].0, PENS[k].1.color)));
        let mut entries = vec![Entry::new("fit of the density", line(0))];
        if !self.corrections.is_empty() {
            entries.push(Entry::new("corrections by simulation", line(1)));
        }
        if self.errors.is_some() {
            entries.push(Entry::new("± one standard error", Sample::Patch(BAND)));
        }
        sheet.legend(entries);
        Ok(sheet.finish())
    }
}

impl ParameterTrace {
    fn check(&self) -> Result<(), FigureError> {
        let p = self.names.len();
        if p == 0 || self.fit.is_empty() {
            return Err(FigureError::shape("fit", "is empty"));
        }
        if self.fit.iter().chain(&self.corrections).chain(&self.errors).any(|row| row.len() != p) {
            return Err(FigureError::shape("fit", format!("has rows that do not hold {p} values")));
        }
        Ok(())
    }

    /// The values of one parameter, and a range for them and the band at the end.
    fn way(&self, j: usize) -> (Range, Vec<Point>) {
        let rows = self.fit.iter().chain(&self.corrections);
        let points: Vec<Point> = rows.enumerate().map(|(i, row)| (i as f64, row[j])).collect();
        let last = points[points.len() - 1].1;
        let band = self.errors.as_ref().map_or(0.0, |e| e[j]);
        (Range::around(points.iter().map(|q| q.1).chain([last - band, last + band]), 0.08), points)
    }
}
