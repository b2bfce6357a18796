//! The objective against iterations and against time.

use std::path::Path;

use super::axes::{BELOW, Decor, Panel, Range, left_margin};
use super::canvas::{Align, Canvas, Point, Rect, Stroke, clip_polyline, fit, simplify, wrap};
use super::error::FigureError;
use super::legend::{Entry, Legend, title, title_height};
use super::number::short;
use super::save::save;
use super::style::{self, BLACK, GREY, MethodStyle, SMALL, TITLE, WHITE, WIDE};

/// The history of one method.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The method's label, such as `wasserstein`.
    pub label: String,
    /// The objective at iterations 0, 1, ...
    pub objective: Vec<f64>,
    /// The seconds passed at each; empty if unknown.
    pub seconds: Vec<f64>,
}

/// The histories of some methods.
#[derive(Clone, Debug, Default)]
pub struct Convergence {
    /// The objective's name; `objective f` if empty.
    pub objective_name: String,
    /// One history per method.
    pub series: Vec<Series>,
    /// The figure's title; none if empty.
    pub title: String,
}

/// Draws the objective (logarithmic) against the iteration and against the
/// seconds. Values that are not positive are drawn at a thousandth of the
/// smallest positive one.
///
/// # Errors
/// [`FigureError::Shape`] if there is no history, one is empty, or its lengths
/// disagree; [`FigureError::Io`] if a file cannot be written.
pub fn convergence(data: &Convergence, path_stem: &Path) -> Result<(), FigureError> {
    if data.series.is_empty() {
        return Err(FigureError::shape("series", "is empty"));
    }
    for (k, s) in data.series.iter().enumerate() {
        if s.objective.is_empty() {
            return Err(FigureError::shape(format!("series[{k}].objective"), "is empty"));
        }
        if !s.seconds.is_empty() && s.seconds.len() != s.objective.len() {
            return Err(FigureError::shape(
                format!("series[{k}].seconds"),
                format!("has {} entries for {} iterations", s.seconds.len(), s.objective.len()),
            ));
        }
    }
    let floor = Floor::new(data.series.iter().flat_map(|s| s.objective.iter().copied()));
    let lists = |x: &dyn Fn(&Series) -> Vec<f64>| -> Vec<Vec<Point>> {
        data.series.iter().map(|s| x(s).into_iter().zip(s.objective.iter().map(|v| floor.lift(*v))).collect()).collect()
    };
    let by_iteration = lists(&|s| (0..s.objective.len()).map(|k| k as f64).collect());
    let by_time = lists(&|s| s.seconds.clone());

    let styles = style::styles(data.series.iter().map(|s| s.label.as_str()));
    let legend = Legend::new(styles.iter().map(Entry::method).collect(), WIDE - 40.0);
    let heading = wrap(&data.title, TITLE, WIDE - 20.0, 2);
    let h = 270.0;
    let y = floor.range();
    let left = left_margin(&y, h, true) + 10.0;
    let gap = 30.0;
    let w = (WIDE - left - gap - 20.0) / 2.0;
    let top = title_height(&heading, TITLE) + 6.0;
    let legend_y = top + h + BELOW + 8.0;
    let note_y = legend_y + legend.height() + 14.0;
    let untimed: Vec<&str> = data
        .series
        .iter()
        .zip(&styles)
        .filter(|(s, _)| s.seconds.is_empty())
        .map(|(_, style)| style.name.as_str())
        .collect();
    let mut note = floor.note("objective");
    if !untimed.is_empty() && untimed.len() < styles.len() {
        let gap = if note.is_empty() { "" } else { "; " };
        note = format!("{note}{gap}no times recorded for {}", untimed.join(", "));
    }
    if horizontal(by_time.clone(), false, "").0.log {
        let gap = if note.is_empty() { "" } else { "; " };
        note = format!("{note}{gap}time 0 is at the left edge");
    }
    let note = fit(&note, SMALL, WIDE - 20.0);
    let bottom = if note.is_empty() { note_y - 6.0 } else { note_y + 8.0 };
    let mut canvas = Canvas::new(WIDE, bottom);
    title(&mut canvas, &heading, TITLE, WIDE / 2.0);

    let name = if data.objective_name.is_empty() { "objective f" } else { &data.objective_name };
    let panels = [("iteration", by_iteration, true), ("seconds", by_time, false)];
    for (k, (label, lists, whole)) in panels.into_iter().enumerate() {
        let (x, lists, label) = horizontal(lists, whole, label);
        let rect = Rect::new(left + k as f64 * (w + gap), top, w, h);
        let panel = Panel { rect, x, y };
        panel.grid(&mut canvas);
        floor.draw(&mut canvas, &panel);
        if lists.iter().all(Vec::is_empty) {
            let middle = (rect.x + w / 2.0, rect.y + h / 2.0);
            canvas.text(middle, "not recorded", SMALL, Align::Middle, GREY);
        }
        panel.frame(
            &mut canvas,
            &Decor {
                x_label: &label,
                y_label: if k == 0 { name } else { "" },
                x_ticks: true,
                y_ticks: k == 0,
                ..Decor::default()
            },
        );
        // After the frame, which would cut the markers at its border.
        draw_lines(&mut canvas, &panel, &lists, &styles);
    }
    legend.draw(&mut canvas, WIDE / 2.0, legend_y);
    canvas.text((WIDE / 2.0, note_y), &note, SMALL, Align::Middle, BLACK);
    save(canvas, path_stem)
}

/// The range of the horizontal axis: linear, or logarithmic where the longest
/// history is over eight times the shortest, which a linear axis would press
/// against its end.
fn horizontal(lists: Vec<Vec<Point>>, whole: bool, label: &str) -> (Range, Vec<Vec<Point>>, String) {
    let last: Vec<f64> =
        lists.iter().filter_map(|l| l.iter().map(|p| p.0).rfind(|x| x.is_finite() && *x > 0.0)).collect();
    let longest = last.iter().copied().fold(0.0, f64::max);
    let shortest = last.iter().copied().fold(f64::INFINITY, f64::min);
    if longest <= 8.0 * shortest || longest == 0.0 {
        let hi = if longest > 0.0 { longest } else { 1.0 };
        let range = Range::linear(0.0, hi * 1.02);
        return (if whole { range.counting() } else { range }, lists, label.to_owned());
    }
    if whole {
        // Iteration 0 has no logarithm: count from one.
        let shifted = lists.into_iter().map(|l| l.into_iter().map(|p| (p.0 + 1.0, p.1)).collect());
        let range = Range::logarithmic(1.0, (longest + 1.0) * 1.1);
        return (range, shifted.collect(), format!("{label} + 1"));
    }
    let least = lists.iter().flatten().map(|p| p.0).filter(|x| x.is_finite() && *x > 0.0).fold(f64::INFINITY, f64::min);
    // A start at time zero is drawn at the left end.
    let lo = least / 1.6;
    let lifted = lists.into_iter().map(|l| l.into_iter().map(|p| (p.0.max(lo), p.1)).collect());
    (Range::logarithmic(lo, longest * 1.1), lifted.collect(), label.to_owned())
}

/// What replaces values that have no logarithm.
pub(super) struct Floor {
    least: f64,
    most: f64,
    /// Whether some value needs it.
    used: bool,
}

impl Floor {
    pub fn new(values: impl Iterator<Item = f64>) -> Self {
        let mut f = Self { least: f64::INFINITY, most: 0.0, used: false };
        for v in values.filter(|v| v.is_finite()) {
            if v > 0.0 {
                f.least = f.least.min(v);
                f.most = f.most.max(v);
            } else {
                f.used = true;
            }
        }
        if f.most == 0.0 {
            (f.least, f.most) = (1.0, 1.0);
        }
        f
    }

    fn value(&self) -> f64 {
        (1e-3 * self.least).max(1e-300)
    }

    /// The value to draw; NaN stays NaN and breaks the line.
    pub fn lift(&self, v: f64) -> f64 {
        if v.is_finite() { if v > 0.0 { v } else { self.value() } } else { f64::NAN }
    }

    /// The vertical range, with some room at both ends.
    pub fn range(&self) -> Range {
        let lo = if self.used { self.value() } else { self.least };
        let room = (self.most / lo).powf(0.04).max(1.15);
        Range::logarithmic(lo / room, self.most * room)
    }

    /// The dotted line on which lifted values lie.
    pub fn draw(&self, canvas: &mut Canvas, panel: &Panel) {
        if self.used {
            let v = self.value();
            let pen = Stroke { color: GREY, width: 1.0, dash: &[1.5, 3.5] };
            let (a, b) = (panel.at(panel.x.lo, v), panel.at(panel.x.hi, v));
            canvas.line(a, b, &pen);
        }
    }

    /// The sentence that explains it.
    pub fn note(&self, what: &str) -> String {
        if self.used {
            format!("{what} ≤ 0 is drawn on the dotted line at {}", short(self.value()))
        } else {
            String::new()
        }
    }
}

/// One line per method with markers some 34 pixels apart, shifted from method
/// to method so that they do not sit on one another.
pub(super) fn draw_lines(canvas: &mut Canvas, panel: &Panel, lists: &[Vec<Point>], styles: &[MethodStyle]) {
    let rim = Stroke::solid(WHITE, 0.7);
    let spacing = 34.0;
    let pixels: Vec<Vec<Point>> = lists.iter().map(|l| l.iter().map(|p| panel.at(p.0, p.1)).collect()).collect();
    for (px, style) in pixels.iter().zip(styles) {
        for piece in clip_polyline(&panel.rect, px) {
            canvas.polyline(&simplify(piece), &style.stroke(1.7));
        }
    }
    for (k, (px, style)) in pixels.iter().zip(styles).enumerate() {
        let seen: Vec<Point> = px.iter().copied().filter(|p| panel.rect.contains(*p, 0.5)).collect();
        let mut wait = spacing * ((k * 3) % 7) as f64 / 7.0;
        for (i, p) in seen.iter().enumerate() {
            if i > 0 {
                wait -= (p.0 - seen[i - 1].0).hypot(p.1 - seen[i - 1].1);
            }
            if wait <= 0.0 || i + 1 == seen.len() {
                canvas.marker(style.marker, *p, 3.9, style.color, Some(&rim));
                wait = spacing;
            }
        }
    }
}
