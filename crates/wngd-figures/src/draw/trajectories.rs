//! A stretch of the data beside one simulated at the fit.

use crate::about::About;
use crate::axes::{ABOVE, BELOW, Decor, Panel, Range, left_margin};
use crate::canvas::{Canvas, Marker, Point, Rect, Rgb, Stroke};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::palettes::CATEGORIES;
use crate::sheet::{Entry, Sample, Sheet, WIDE};

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

/// Two trajectories from one start: on a pair of axes each, and the first coordinate of both against time.
#[derive(Clone, Debug, Default)]
pub struct Trajectories {
    /// Names of the two coordinates shown.
    pub names: [String; 2],
    /// The data.
    pub data: Stretch,
    /// Simulated at the fit.
    pub fit: Stretch,
    /// How far the time axis goes; without one there is no panel over time.
    pub until: f64,
    /// The figure's title; none if empty.
    pub title: String,
}

const DATA: Rgb = CATEGORIES[0];
const FIT: Rgb = CATEGORIES[2];

impl Figure for Trajectories {
    fn about(&self) -> About {
        let [x, y] = &self.names;
        About::new(
            "trajectories",
            "A stretch of the data and one simulated with the parameters found, from the same point.",
            format!("Left the data, right the simulation, over {x} and {y}; below, {x} of both against time."),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        let both = [("data", &self.data, DATA), ("simulated at the fit", &self.fit, FIT)];
        for (field, path) in [("data", &self.data), ("fit", &self.fit)] {
            if path.points.is_empty() || path.points.len() != path.times.len() {
                return Err(FigureError::shape(field, "is empty or has not as many times as points"));
            }
        }
        let all = || self.data.points.iter().chain(&self.fit.points);
        let (x, y) = (Range::around(all().map(|p| p[0]), 0.04), Range::around(all().map(|p| p[1]), 0.04));
        let (h, low) = (230.0, 120.0);
        let mut sheet = Sheet::new(WIDE, &self.title);
        let top = sheet.top + ABOVE;
        let left = left_margin(&y, h, true).max(left_margin(&x, low, true)) + 10.0;
        let gap = 26.0;
        let w = (WIDE - left - gap - 16.0) / 2.0;
        let [first, second] = &self.names;
        for (k, (name, path, color)) in both.into_iter().enumerate() {
            let panel = Panel { rect: Rect::new(left + k as f64 * (w + gap), top, w, h), x, y };
            let points: Vec<Point> = path.points.iter().map(|p| (p[0], p[1])).collect();
            draw(&mut sheet.canvas, &panel, &points, path.joined, color, 0.7);
            let y_label = if k == 0 { second.as_str() } else { "" };
            let decor =
                Decor { title: name, x_label: first, y_label, x_ticks: true, y_ticks: k == 0, ..Decor::default() };
            panel.frame(&mut sheet.canvas, &decor);
        }
        sheet.panels_end(top + h);
        if !(self.until > 0.0) {
            sheet.legend(both.map(|(name, path, color)| entry(name, path, color)).into());
            return Ok(sheet.finish());
        }
        let rect = Rect::new(left, top + h + BELOW + 12.0, WIDE - left - 16.0, low);
        let panel = Panel { rect, x: Range::linear(0.0, self.until), y: x };
        panel.grid(&mut sheet.canvas);
        // Broad below narrow, so that two lines in one place are both seen.
        for ((_, path, color), width) in both.into_iter().zip([3.6, 1.2]) {
            let points: Vec<Point> = path.times.iter().zip(&path.points).map(|(t, p)| (*t, p[0])).collect();
            draw(&mut sheet.canvas, &panel, &points, path.joined, color, width);
        }
        let x_label = "time from a common start";
        panel.frame(
            &mut sheet.canvas,
            &Decor { title: "", x_label, y_label: first, x_ticks: true, y_ticks: true, ..Decor::default() },
        );
        sheet.panels_end(rect.bottom());
        sheet.legend(both.map(|(name, path, color)| entry(name, path, color)).into());
        Ok(sheet.finish())
    }
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
    if joined {
        panel.fine_curve(canvas, points, &Stroke::solid(color, width));
        return;
    }
    for p in points.iter().map(|p| panel.at(p.0, p.1)).filter(|p| panel.rect.contains(*p, 0.5)) {
        canvas.circle(p, 1.4, Some(color), None);
    }
}
