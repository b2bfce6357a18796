//! Seconds against sizes.

use crate::about::About;
use crate::axes::{ABOVE, BELOW, Decor, Panel, Range, left_margin};
use crate::canvas::{Point, Rect};
use crate::curves::draw_lines;
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::looks::{self, MethodStyle};
use crate::sheet::{Entry, Sheet, WIDE};

/// Panels per row, and the height of one.
const ROW: usize = 2;
const HEIGHT: f64 = 200.0;

/// Curves against one kind of size.
#[derive(Clone, Debug, Default)]
pub struct GrowthPanel {
    /// What is on the horizontal axis.
    pub axis: String,
    /// Name of each curve and its points (size, seconds), all positive.
    pub curves: Vec<(String, Vec<(f64, f64)>)>,
}

/// Seconds against sizes, both logarithmic: straight lines are powers.
#[derive(Clone, Debug, Default)]
pub struct Growth {
    /// The panels.
    pub panels: Vec<GrowthPanel>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for Growth {
    fn about(&self) -> About {
        About::new(
            "growth",
            "Seconds against sizes, both logarithmic: straight lines are powers.",
            "Line plots on logarithmic axes, one panel per kind of size.",
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        let points = || self.panels.iter().flat_map(|p| &p.curves).flat_map(|(_, points)| points);
        if self.panels.is_empty() || self.panels.iter().any(|p| p.curves.iter().all(|(_, c)| c.is_empty())) {
            return Err(FigureError::shape("panels", "is empty, or one of them is"));
        }
        if points().any(|(x, s)| !(*x > 0.0 && *s > 0.0 && x.is_finite() && s.is_finite())) {
            return Err(FigureError::shape("curves", "have sizes or seconds that are not positive"));
        }
        let names: Vec<&str> = self.panels.iter().flat_map(|p| &p.curves).map(|(name, _)| name.as_str()).collect();
        let styles = looks::styles(names.iter().copied());
        let bounds = |values: &mut dyn Iterator<Item = f64>| {
            let (lo, hi) = values.fold((f64::INFINITY, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
            Range::logarithmic(lo / 1.6, hi * 1.6)
        };
        let y = bounds(&mut points().map(|(_, s)| *s));
        let columns = self.panels.len().min(ROW);
        let margin = left_margin(&y, HEIGHT, true) + 8.0;
        let w = (WIDE - 14.0) / columns as f64 - margin - 8.0;
        let mut sheet = Sheet::new(WIDE, &self.title);
        let top = sheet.top + ABOVE * 0.3;
        let mut first = 0;
        for (j, group) in self.panels.iter().enumerate() {
            let corner = (
                margin + (j % columns) as f64 * (w + margin + 8.0),
                top + (HEIGHT + BELOW + 18.0) * (j / columns) as f64,
            );
            let x = bounds(&mut group.curves.iter().flat_map(|(_, c)| c).map(|(x, _)| *x));
            let panel = Panel { rect: Rect::new(corner.0, corner.1, w, HEIGHT), x, y };
            let canvas = &mut sheet.canvas;
            panel.grid(canvas);
            let decor = Decor {
                x_label: &group.axis,
                y_label: if j % columns == 0 { "seconds" } else { "" },
                x_ticks: true,
                y_ticks: true,
                ..Decor::default()
            };
            panel.frame(canvas, &decor);
            let own: Vec<MethodStyle> = styles[first..first + group.curves.len()].to_vec();
            let lines: Vec<Vec<Point>> = group.curves.iter().map(|(_, c)| c.clone()).collect();
            draw_lines(canvas, &panel, &lines, &own);
            first += group.curves.len();
            sheet.panels_end(corner.1 + HEIGHT);
        }
        sheet.legend(styles.iter().map(Entry::method).collect());
        Ok(sheet.finish())
    }
}
