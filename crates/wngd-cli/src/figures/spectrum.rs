//! The eigenvalues of the information matrix of each metric.

use std::path::Path;

use super::axes::{BELOW, Decor, Panel, Range, left_margin};
use super::canvas::{Align, Canvas, Point, Rect, wrap};
use super::convergence::{Floor, draw_lines};
use super::error::FigureError;
use super::legend::{Entry, Legend, title, title_height};
use super::save::save;
use super::style::{self, BLACK, SMALL, TITLE};

/// The eigenvalues under one metric.
#[derive(Clone, Debug, Default)]
pub struct SpectrumSeries {
    /// The metric's label, such as `wasserstein`.
    pub label: String,
    /// The eigenvalues, in any order.
    pub eigenvalues: Vec<f64>,
}

/// The spectra of the information matrix under some metrics.
#[derive(Clone, Debug, Default)]
pub struct Spectrum {
    /// One spectrum per metric.
    pub series: Vec<SpectrumSeries>,
    /// The figure's title; none if empty.
    pub title: String,
}

/// Draws the eigenvalues in descending order on a logarithmic axis.
///
/// # Errors
/// [`FigureError::Shape`] if there is no spectrum or one is empty;
/// [`FigureError::Io`] if a file cannot be written.
pub fn information_spectrum(data: &Spectrum, path_stem: &Path) -> Result<(), FigureError> {
    if data.series.is_empty() {
        return Err(FigureError::shape("series", "is empty"));
    }
    if let Some(k) = data.series.iter().position(|s| s.eigenvalues.is_empty()) {
        return Err(FigureError::shape(
            format!("series[{k}].eigenvalues"),
            "is empty",
        ));
    }
    let floor = Floor::new(
        data.series
            .iter()
            .flat_map(|s| s.eigenvalues.iter().copied()),
    );
    let lists: Vec<Vec<Point>> = data
        .series
        .iter()
        .map(|s| {
            let mut v: Vec<f64> = s
                .eigenvalues
                .iter()
                .copied()
                .filter(|v| v.is_finite())
                .collect();
            v.sort_by(|a, b| b.total_cmp(a));
            v.into_iter()
                .enumerate()
                .map(|(k, v)| ((k + 1) as f64, floor.lift(v)))
                .collect()
        })
        .collect();
    let most = lists.iter().map(Vec::len).max().unwrap_or(1).max(1);
    let styles = style::styles(data.series.iter().map(|s| s.label.as_str()));
    let total = 560.0;
    let h = 270.0;
    let y = floor.range();
    let left = left_margin(&y, h, true) + 10.0;
    let legend = Legend::new(styles.iter().map(Entry::method).collect(), total - 40.0);
    let heading = wrap(&data.title, TITLE, total - 20.0, 2);
    let top = title_height(&heading, TITLE) + 6.0;
    let rect = Rect::new(left, top, total - left - 24.0, h);
    let panel = Panel {
        rect,
        x: Range::linear(0.6, most as f64 + 0.4).counting(),
        y,
    };
    let legend_y = rect.bottom() + BELOW + 8.0;
    let note = floor.note("an eigenvalue");
    let note_y = legend_y + legend.height() + 14.0;
    let bottom = if note.is_empty() {
        note_y - 6.0
    } else {
        note_y + 8.0
    };
    let mut canvas = Canvas::new(total, bottom);
    title(&mut canvas, &heading, TITLE, total / 2.0);
    panel.grid(&mut canvas);
    floor.draw(&mut canvas, &panel);
    panel.frame(
        &mut canvas,
        &Decor {
            x_label: "index",
            y_label: "eigenvalue of G",
            x_ticks: true,
            y_ticks: true,
            ..Decor::default()
        },
    );
    draw_lines(&mut canvas, &panel, &lists, &styles);
    legend.draw(&mut canvas, total / 2.0, legend_y);
    canvas.text((total / 2.0, note_y), &note, SMALL, Align::Middle, BLACK);
    save(canvas, path_stem)
}
