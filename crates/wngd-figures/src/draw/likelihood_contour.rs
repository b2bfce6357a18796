//! Contours of a profiled likelihood over two parameters.

use crate::about::{About, in_file_names};
use crate::axes::{Decor, Panel, Range, left_margin};
use crate::canvas::{BLACK, Marker, Point, Rect, Stroke, WHITE};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::palettes::CATEGORIES;
use crate::sheet::{COLUMN, Entry, Sample, Sheet, WIDE};

/// One contour.
#[derive(Clone, Debug, Default)]
pub struct ContourLine {
    /// What it is: `68.3 %`.
    pub label: String,
    /// Its points in order.
    pub points: Vec<[f64; 2]>,
    /// Whether the last is joined to the first.
    pub closed: bool,
}

/// Contours over two parameters, the others at their best, with the ellipse of the standard errors.
#[derive(Clone, Debug, Default)]
pub struct LikelihoodContours {
    /// The first parameter's name.
    pub x_name: String,
    /// The second parameter's name.
    pub y_name: String,
    /// Best values.
    pub estimate: [f64; 2],
    /// The contours, the innermost first.
    pub contours: Vec<ContourLine>,
    /// The same of the quadratic approximation; may be empty.
    pub ellipses: Vec<ContourLine>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for LikelihoodContours {
    fn about(&self) -> About {
        let labels: Vec<&str> = self.contours.iter().map(|c| c.label.as_str()).collect();
        let labels = labels.join(" and ");
        About::new(
            format!("contour-{}-{}", in_file_names(&self.x_name), in_file_names(&self.y_name)),
            format!("Contours of the profiled likelihood over {} and {}: {labels}.", self.x_name, self.y_name),
            format!(
                "Closed curves around the best values of {} and {} that hold both with {labels} probability; dashed ellipses by their standard errors.",
                self.x_name, self.y_name
            ),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        if self.points().next().is_none() {
            return Err(FigureError::shape("contours", "is empty"));
        }
        Ok(self.within(WIDE).with_column(self.within(COLUMN)))
    }
}

impl LikelihoodContours {
    fn points(&self) -> impl Iterator<Item = &[f64; 2]> {
        let lines = self.contours.iter().chain(&self.ellipses);
        lines.flat_map(|c| &c.points).filter(|p| p[0].is_finite() && p[1].is_finite())
    }

    /// Laid out on a page of at most a width.
    fn within(&self, most: f64) -> Drawing {
        let range = |axis: usize| Range::around(self.points().map(|p| p[axis]).chain([self.estimate[axis]]), 0.08);
        let (x, y) = (range(0), range(1));
        let height = 360.0;
        let left = left_margin(&y, height, true) + 10.0;
        let width = (most - left - 20.0).min(420.0);
        let mut sheet = Sheet::new(left + width + 20.0, &self.title);
        let panel = Panel { rect: Rect::new(left, sheet.top + 6.0, width, height), x, y };
        let canvas = &mut sheet.canvas;
        panel.grid(canvas);
        let path = |line: &ContourLine| -> Vec<Point> {
            let first = line.points.first().filter(|_| line.closed);
            line.points.iter().chain(first).map(|p| (p[0], p[1])).collect()
        };
        let pen = |number: usize| Stroke::solid(CATEGORIES[number % CATEGORIES.len()], 1.8);
        let dashed = |number: usize| Stroke { width: 1.1, dash: &[4.0, 3.0], ..pen(number) };
        for (number, line) in self.ellipses.iter().enumerate() {
            panel.curve(canvas, &path(line), &dashed(number));
        }
        for (number, line) in self.contours.iter().enumerate() {
            panel.curve(canvas, &path(line), &Stroke::solid(WHITE, 3.4));
            panel.curve(canvas, &path(line), &pen(number));
        }
        let at = panel.at(self.estimate[0], self.estimate[1]);
        canvas.marker(Marker::Circle, at, 4.0, BLACK, Some(&Stroke::solid(WHITE, 1.0)));
        let decor =
            Decor { x_label: &self.x_name, y_label: &self.y_name, x_ticks: true, y_ticks: true, ..Decor::default() };
        panel.frame(canvas, &decor);
        sheet.panels_end(panel.rect.bottom());
        let named = |line: &ContourLine, pen: Stroke| Entry::new(line.label.clone(), Sample::Line(pen, None));
        let mut entries: Vec<Entry> = self.contours.iter().enumerate().map(|(i, c)| named(c, pen(i))).collect();
        if !self.ellipses.is_empty() {
            entries.push(Entry::new("by standard errors", Sample::Line(dashed(0), None)));
        }
        entries.push(Entry::new("best fit", Sample::Line(Stroke::solid(WHITE, 0.1), Some((Marker::Circle, BLACK)))));
        sheet.legend(entries);
        sheet.finish()
    }
}
