//! A stretch of the data beside one simulated at the fit.

use std::path::Path;

use super::axes::{ABOVE, BELOW, Decor, Panel, Range, left_margin};
use super::canvas::{Canvas, Marker, Point, Rect, Stroke, simplify, wrap};
use super::color::Rgb;
use super::error::FigureError;
use super::legend::{Entry, Legend, Sample, title, title_height};
use super::save::save;
use super::style::{CATEGORIES, TITLE, WIDE};

/// One trajectory.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    /// Times.
    pub times: Vec<f64>,
    /// Points: the two coordinates shown.
    pub points: Vec<[f64; 2]>,
    /// Whether successive points are close enough to be joined.
    pub joined: bool,
}

/// Two trajectories from one start.
#[derive(Clone, Debug, Default)]
pub struct Trajectories {
    /// Names of the two coordinates shown.
    pub names: [String; 2],
    /// The data.
    pub data: Stretch,
    /// Simulated at the fit.
    pub fit: Stretch,
    /// How far the time axis goes.
    pub until: f64,
    /// The figure's title; none if empty.
    pub title: String,
}

const DATA: Rgb = CATEGORIES[0];
const FIT: Rgb = CATEGORIES[2];

/// Draws both on a pair of axes, and the first coordinate of both against time.
///
/// # Errors
/// [`FigureError::Shape`] if one is empty or lengths disagree; [`FigureError::Io`] if a file cannot be written.
pub fn trajectories(data: &Trajectories, path_stem: &Path) -> Result<(), FigureError> {
    for (field, path) in [("data", &data.data), ("fit", &data.fit)] {
        if path.points.is_empty() || path.points.len() != path.times.len() {
            return Err(FigureError::shape(field, "is empty or has not as many times as points"));
        }
    }
    let all = || data.data.points.iter().chain(&data.fit.points);
    let (x, y) = (Range::around(all().map(|p| p[0]), 0.04), Range::around(all().map(|p| p[1]), 0.04));
    let (h, low) = (230.0, 120.0);
    let heading = wrap(&data.title, TITLE, WIDE - 20.0, 2);
    let top = title_height(&heading, TITLE) + ABOVE;
    let left = left_margin(&y, h, true).max(left_margin(&x, low, true)) + 10.0;
    let gap = 26.0;
    let w = (WIDE - left - gap - 16.0) / 2.0;
    let below = top + h + BELOW + 12.0;
    let legend =
        Legend::new(vec![entry("data", &data.data, DATA), entry("simulated at the fit", &data.fit, FIT)], WIDE - 40.0);
    let legend_y = below + low + BELOW + 8.0;
    let mut canvas = Canvas::new(WIDE, legend_y + legend.height() + 8.0);
    title(&mut canvas, &heading, TITLE, WIDE / 2.0);
    for (k, (name, path, color)) in
        [("data", &data.data, DATA), ("simulated at the fit", &data.fit, FIT)].iter().enumerate()
    {
        let panel = Panel { rect: Rect::new(left + k as f64 * (w + gap), top, w, h), x, y };
        draw(
            &mut canvas,
            &panel,
            &path.points.iter().map(|p| (p[0], p[1])).collect::<Vec<_>>(),
            path.joined,
            *color,
            0.7,
        );
        let y_label = if k == 0 { data.names[1].as_str() } else { "" };
        let decor = Decor { title: name, x_label: &data.names[0], y_label, x_ticks: true, y_ticks: k == 0 };
        panel.frame(&mut canvas, &decor);
    }
    let rect = Rect::new(left, below, WIDE - left - 16.0, low);
    let panel = Panel { rect, x: Range::linear(0.0, data.until), y: x };
    panel.grid(&mut canvas);
    for (path, color) in [(&data.data, DATA), (&data.fit, FIT)] {
        let points: Vec<Point> = path.times.iter().zip(&path.points).map(|(t, p)| (*t, p[0])).collect();
        draw(&mut canvas, &panel, &points, path.joined, color, 1.4);
    }
    let decor =
        Decor { title: "", x_label: "time from a common start", y_label: &data.names[0], x_ticks: true, y_ticks: true };
    panel.frame(&mut canvas, &decor);
    legend.draw(&mut canvas, WIDE / 2.0, legend_y);
    save(canvas, path_stem)
}

fn entry(name: &str, path: &Stretch, color: Rgb) -> Entry {
    let sample = if path.joined {
        Sample::Line(Stroke::solid(color, 1.8), None)
    } else {
        Sample::Marker(Marker::Circle, color, 2.5)
    };
    Entry::new(name, sample)
}

fn draw(canvas: &mut Canvas, panel: &Panel, points: &[Point], joined: bool, color: Rgb, width: f64) {
    let pixels: Vec<Point> = points.iter().map(|p| panel.at(p.0, p.1)).collect();
    if joined {
        for piece in super::canvas::clip_polyline(&panel.rect, &pixels) {
            canvas.polyline(&simplify(piece), &Stroke::solid(color, width));
        }
    } else {
        for p in pixels.into_iter().filter(|p| panel.rect.contains(*p, 0.5)) {
            canvas.circle(p, 1.4, Some(color), None);
        }
    }
}
