//! Parameters against iterations and corrections.

use std::path::Path;

use super::axes::{ABOVE, BELOW, Decor, Panel, Range, left_margin};
use super::canvas::{Canvas, Marker, Point, Rect, Stroke, wrap};
use super::color::Rgb;
use super::error::FigureError;
use super::legend::{Entry, Legend, Sample, title, title_height};
use super::save::save;
use super::style::{CATEGORIES, GREY, TITLE, WHITE, WIDE};

/// The band of one standard error.
const BAND: Rgb = Rgb(0xf6, 0xe3, 0xb8);
/// Panels per row.
const ROW: usize = 3;
/// More panels than this are left out.
const MOST: usize = 12;

/// The way of some parameters through a fit and corrections.
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

/// Draws a panel per parameter: iterations of the fit, then corrections, with one standard error around the end.
///
/// # Errors
/// [`FigureError::Shape`] if there is no fit or lengths disagree; [`FigureError::Io`] if a file cannot be written.
pub fn parameter_trace(data: &ParameterTrace, path_stem: &Path) -> Result<(), FigureError> {
    let p = data.names.len();
    if p == 0 || data.fit.is_empty() {
        return Err(FigureError::shape("fit", "is empty"));
    }
    if data.fit.iter().chain(&data.corrections).chain(&data.errors).any(|row| row.len() != p) {
        return Err(FigureError::shape("fit", format!("has rows that do not hold {p} values")));
    }
    let shown = p.min(MOST);
    let (columns, h) = (shown.min(ROW), 150.0);
    let rows = shown.div_ceil(columns);
    let fitted = data.fit.len();
    let all: Vec<&Vec<f64>> = data.fit.iter().chain(&data.corrections).collect();
    let panels: Vec<(Range, Vec<Point>)> = (0..shown)
        .map(|j| {
            let points: Vec<Point> = all.iter().enumerate().map(|(i, row)| (i as f64, row[j])).collect();
            let last = points[points.len() - 1].1;
            let band = data.errors.as_ref().map_or(0.0, |e| e[j]);
            (Range::around(points.iter().map(|q| q.1).chain([last - band, last + band]), 0.08), points)
        })
        .collect();
    let margin = panels.iter().map(|(y, _)| left_margin(y, h, false)).fold(0.0, f64::max) + 10.0;
    let w = (WIDE - 12.0) / columns as f64 - margin;
    let heading = wrap(&data.title, TITLE, WIDE - 20.0, 2);
    let top = title_height(&heading, TITLE) + ABOVE;
    let pitch = h + BELOW + ABOVE + 4.0;
    let fit_pen = Stroke::solid(CATEGORIES[0], 1.7);
    let correction_pen = Stroke::solid(CATEGORIES[2], 1.7);
    let mut entries =
        vec![Entry::new("fit of the density", Sample::Line(fit_pen, Some((Marker::Circle, fit_pen.color))))];
    if !data.corrections.is_empty() {
        let sample = Sample::Line(correction_pen, Some((Marker::Diamond, correction_pen.color)));
        entries.push(Entry::new("corrections by simulation", sample));
    }
    if data.errors.is_some() {
        entries.push(Entry::new("± one standard error", Sample::Patch(BAND)));
    }
    let legend = Legend::new(entries, WIDE - 40.0);
    let legend_y = top + pitch * rows as f64 - ABOVE + 4.0;
    let mut canvas = Canvas::new(WIDE, legend_y + legend.height() + 8.0);
    title(&mut canvas, &heading, TITLE, WIDE / 2.0);
    let x = Range::linear(-0.3, (all.len() - 1) as f64 + 0.3).counting();
    for (j, (y, points)) in panels.iter().enumerate() {
        let corner = ((j % columns) as f64 * (margin + w) + margin, top + pitch * (j / columns) as f64);
        let panel = Panel { rect: Rect::new(corner.0, corner.1, w, h), x, y: *y };
        panel.grid(&mut canvas);
        if let Some(errors) = &data.errors {
            let last = points[points.len() - 1].1;
            let (above, below) = (panel.at(x.hi, last + errors[j]).1, panel.at(x.hi, last - errors[j]).1);
            canvas.fill(Rect::new(corner.0, above, w, (below - above).max(1.0)), BAND);
        }
        let division = panel.at(fitted as f64 - 0.5, y.lo).0;
        if !data.corrections.is_empty() {
            canvas.line(
                (division, corner.1),
                (division, corner.1 + h),
                &Stroke { color: GREY, width: 1.0, dash: &[3.0, 3.0] },
            );
        }
        panel.curve(&mut canvas, &points[fitted - 1..], &correction_pen);
        panel.curve(&mut canvas, &points[..fitted], &fit_pen);
        let last_row = j + columns >= shown;
        let x_label = if last_row { "iteration, correction" } else { "" };
        let decor = Decor { title: &data.names[j], x_label, y_label: "", x_ticks: true, y_ticks: true };
        panel.frame(&mut canvas, &decor);
        for (i, q) in points.iter().enumerate() {
            let (marker, pen) = if i < fitted { (Marker::Circle, fit_pen) } else { (Marker::Diamond, correction_pen) };
            canvas.marker(marker, panel.at(q.0, q.1), 3.6, pen.color, Some(&Stroke::solid(WHITE, 0.7)));
        }
    }
    legend.draw(&mut canvas, WIDE / 2.0, legend_y);
    save(canvas, path_stem)
}
