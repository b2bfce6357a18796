//! The objective over two parameters, with the methods' traces.

use std::path::Path;

use super::axes::{BELOW, Decor, Panel, Range, bar_right_width, color_bar_right, left_margin};
use super::canvas::{Canvas, Point, Rect, Stroke, clip_polyline, wrap};
use super::error::FigureError;
use super::field::{Field, Relief};
use super::legend::{Entry, Legend, Sample, title, title_height, truth_marker};
use super::save::save;
use super::style::{self, CONTOUR, MethodStyle, TITLE, WHITE};

/// The iterates of one method.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The method's label, such as `wasserstein`.
    pub label: String,
    /// The two parameters at each iteration.
    pub points: Vec<[f64; 2]>,
}

/// A function of two parameters on a lattice, and the paths over it.
#[derive(Clone, Debug, Default)]
pub struct Landscape {
    /// The first parameter's name.
    pub x_name: String,
    /// The second parameter's name.
    pub y_name: String,
    /// The lattice's first coordinates, increasing.
    pub x: Vec<f64>,
    /// The lattice's second coordinates, increasing.
    pub y: Vec<f64>,
    /// `values[iy * x.len() + ix]`; NaN outside the model's domain.
    pub values: Vec<f64>,
    /// What the values are; `f` if empty.
    pub value_name: String,
    /// The methods' paths.
    pub traces: Vec<Trace>,
    /// The parameters that made the data, if known.
    pub truth: Option<[f64; 2]>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Landscape {
    /// What the values are called.
    pub(super) fn value_label(&self) -> &str {
        if self.value_name.is_empty() { "f" } else { &self.value_name }
    }
}

/// The map under the traces, for drawing elsewhere.
///
/// # Errors
/// [`FigureError::Shape`] as for [`landscape`].
pub fn relief(data: &Landscape) -> Result<Relief, FigureError> {
    Ok(Field::new(&data.x, &data.y, &data.values, "")?.relief())
}

/// Draws level sets of the function with the traces of all methods.
///
/// # Errors
/// [`FigureError::Shape`] if the lattice is too small, not increasing, or does
/// not fit the values; [`FigureError::Io`] if a file cannot be written.
pub fn landscape(data: &Landscape, path_stem: &Path) -> Result<(), FigureError> {
    let field = Field::new(&data.x, &data.y, &data.values, "")?;
    let styles = style::styles(data.traces.iter().map(|t| t.label.as_str()));
    let (x, y) = field.window();

    let height = 400.0;
    let left = left_margin(&y, height, true) + 10.0;
    let bar = bar_right_width(&field.value_range(), height);
    let width = 440.0;
    let total = left + width + bar;
    let heading = wrap(&data.title, TITLE, total - 20.0, 2);
    let top = title_height(&heading, TITLE);
    let panel = Panel { rect: Rect::new(left, top, width, height), x, y };

    let mut entries: Vec<Entry> = styles.iter().map(Entry::method).collect();
    if data.traces.iter().any(|t| !t.points.is_empty()) {
        entries.push(Entry::new("start", Sample::Start));
    }
    if data.truth.is_some() {
        entries.push(Entry::new("truth", Sample::Truth));
    }
    let legend = Legend::new(entries, total - 40.0);
    let legend_y = panel.rect.bottom() + BELOW + 8.0;
    let mut canvas = Canvas::new(total, legend_y + legend.height() + 8.0);

    title(&mut canvas, &heading, TITLE, total / 2.0);
    field.draw(&mut canvas, &panel);
    let truth = data.truth.map(|t| panel.at(t[0], t[1]));
    if let Some(p) = truth.filter(|p| panel.rect.contains(*p, 0.0)) {
        truth_marker(&mut canvas, p, 10.0);
    }
    panel.frame(
        &mut canvas,
        &Decor { x_label: &data.x_name, y_label: &data.y_name, x_ticks: true, y_ticks: true, ..Decor::default() },
    );
    color_bar_right(
        &mut canvas,
        panel.rect.right() + 12.0,
        &panel.rect,
        &field.value_range(),
        data.value_label(),
        &field.value_levels(),
        (style::light, CONTOUR),
    );
    let traces: Vec<(&[[f64; 2]], &MethodStyle)> =
        data.traces.iter().map(|t| t.points.as_slice()).zip(&styles).collect();
    draw_traces(&mut canvas, &panel, &traces);
    legend.draw(&mut canvas, total / 2.0, legend_y);
    save(canvas, path_stem)
}

/// Lines with a white rim, a small marker per iterate (thinned where they would
/// touch), larger ones at the ends, open circles at the starts, and arrow heads
/// where a path leaves the window.
pub(super) fn draw_traces(canvas: &mut Canvas, panel: &Panel, traces: &[(&[[f64; 2]], &MethodStyle)]) {
    let rect = panel.rect;
    let pixels: Vec<Vec<Point>> = traces.iter().map(|t| t.0.iter().map(|p| panel.at(p[0], p[1])).collect()).collect();
    for (px, (_, style)) in pixels.iter().zip(traces) {
        let pieces = clip_polyline(&rect, px);
        for piece in &pieces {
            canvas.polyline(piece, &Stroke::solid(WHITE, 3.6));
        }
        for piece in &pieces {
            canvas.polyline(piece, &style.stroke(1.7));
        }
    }
    let rim = Stroke::solid(WHITE, 0.6);
    for (px, (_, style)) in pixels.iter().zip(traces) {
        let mut last: Option<Point> = None;
        for p in px.iter().filter(|p| rect.contains(**p, 0.5)) {
            if last.is_none_or(|q| (p.0 - q.0).hypot(p.1 - q.1) >= 7.0) {
                canvas.marker(style.marker, *p, 2.9, style.color, Some(&rim));
                last = Some(*p);
            }
        }
        for w in px.windows(2) {
            if rect.contains(w[0], 0.0)
                && w[1].0.is_finite()
                && w[1].1.is_finite()
                && !rect.contains(w[1], 0.0)
                && let Some((_, exit)) = super::canvas::clip_segment(&rect, w[0], w[1])
            {
                arrow_head(canvas, exit, (w[1].0 - w[0].0, w[1].1 - w[0].1), style);
            }
        }
    }
    // Paths that end at one point: earlier markers are larger and stay visible.
    let n = traces.len();
    for (k, (px, (_, style))) in pixels.iter().zip(traces).enumerate() {
        if let Some(p) = px.last().filter(|p| rect.contains(**p, 0.5)) {
            let shared =
                pixels[k + 1..].iter().filter_map(|q| q.last()).filter(|q| (p.0 - q.0).hypot(p.1 - q.1) < 6.0).count();
            let r = 4.6 + (5.0 / n as f64).min(1.5) * shared as f64;
            canvas.marker(style.marker, *p, r, style.color, Some(&Stroke::solid(WHITE, 1.0)));
        }
    }
    let mut starts: Vec<Point> = Vec::new();
    for p in pixels.iter().filter_map(|px| px.first()) {
        let new = starts.iter().all(|q| (p.0 - q.0).hypot(p.1 - q.1) > 1.0);
        if new && rect.contains(*p, 0.5) {
            starts.push(*p);
        }
    }
    for p in starts {
        canvas.start_marker(p);
    }
}

/// A filled triangle at `tip`, pointing along `d`.
pub(super) fn arrow_head(canvas: &mut Canvas, tip: Point, d: Point, style: &MethodStyle) {
    let n = d.0.hypot(d.1);
    if !n.is_finite() || n == 0.0 {
        return;
    }
    let u = (d.0 / n, d.1 / n);
    let at = |along: f64, across: f64| (tip.0 + along * u.0 - across * u.1, tip.1 + along * u.1 + across * u.0);
    canvas.polygon(&[at(0.0, 0.0), at(-9.0, 4.6), at(-9.0, -4.6)], Some(style.color), Some(&Stroke::solid(WHITE, 0.8)));
}

/// A window around some points, for figures without a lattice.
pub(super) fn window_around(points: &[[f64; 2]]) -> (Range, Range) {
    (Range::around(points.iter().map(|p| p[0]), 0.12), Range::around(points.iter().map(|p| p[1]), 0.12))
}
