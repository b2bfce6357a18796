//! Values of several series side by side, a row per case.

use crate::about::About;
use crate::axes::{ABOVE, BELOW, Decor, Panel, Range};
use crate::canvas::{Align, BLACK, Marker, Rect, SMALL, fit, text_width};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::palettes::CATEGORIES;
use crate::sheet::{Entry, Sample, Sheet, WIDE};

/// Panels per row.
const ROW: usize = 3;
/// Height of a row of a panel.
const HEIGHT: f64 = 17.0;
/// Most pixels for names.
const NAMES: f64 = 130.0;
/// Marker of each series.
const MARKERS: [Marker; 6] =
    [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond, Marker::TriangleDown, Marker::Plus];

/// Cases that belong together.
#[derive(Clone, Debug, Default)]
pub struct DotsPanel {
    /// What they have in common.
    pub title: String,
    /// Name of each case and a value per series, where there is one.
    pub rows: Vec<(String, Vec<Option<f64>>)>,
}

/// A dot per series on the line of each case, on a logarithmic axis that all panels share.
#[derive(Clone, Debug, Default)]
pub struct Dots {
    /// Names of the series; the first one is drawn largest and last.
    pub series: Vec<String>,
    /// The panels, three to a row; names of cases are written beside the first of each row.
    pub panels: Vec<DotsPanel>,
    /// What the values are.
    pub axis: String,
    /// Smaller values are drawn here.
    pub least: f64,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for Dots {
    fn about(&self) -> About {
        About::new(
            "dots",
            format!("The {}, by each way; smaller values than {:e} are drawn there.", self.axis, self.least),
            "Panels of rows, one per case, with a marker per way on a shared logarithmic axis.",
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        let n = self.series.len();
        if n == 0 || n > MARKERS.len() || self.panels.iter().all(|p| p.rows.is_empty()) {
            return Err(FigureError::shape("series", "is empty, has more than six entries, or there are no rows"));
        }
        if self.panels.iter().flat_map(|p| &p.rows).any(|(_, values)| values.len() != n) {
            return Err(FigureError::shape("panels", "have not a value for each series"));
        }
        let all = self.panels.iter().flat_map(|p| &p.rows);
        let most = all.flat_map(|(_, v)| v).flatten().filter(|v| v.is_finite()).fold(self.least, |m, v| m.max(*v));
        let x = Range::logarithmic(0.6 * self.least, 1.7 * most);
        let labels = || self.panels.iter().flat_map(|p| &p.rows).map(|(name, _)| name);
        let names = labels().map(|s| text_width(s, SMALL)).fold(0.0, f64::max).min(NAMES);
        let columns = self.panels.len().min(ROW);
        let (left, gap) = (names + 14.0, 16.0);
        let w = (WIDE - left - 14.0 - gap * (columns - 1) as f64) / columns as f64;
        let mut sheet = Sheet::new(WIDE, &self.title);
        let mut top = sheet.top + ABOVE;
        for line in self.panels.chunks(ROW) {
            let rows = line.iter().map(|p| p.rows.len()).max().unwrap_or(0);
            let h = HEIGHT * rows as f64;
            for (j, group) in line.iter().enumerate() {
                let corner = (left + j as f64 * (w + gap), top);
                let y = Range::linear(-0.5, rows as f64 - 0.5).counting();
                let panel = Panel { rect: Rect::new(corner.0, corner.1, w, h), x, y };
                let canvas = &mut sheet.canvas;
                panel.grid(canvas);
                for (k, (_, values)) in group.rows.iter().enumerate() {
                    let at = (rows - 1 - k) as f64;
                    for (s, value) in values.iter().enumerate().rev() {
                        let Some(value) = value.filter(|v| v.is_finite()) else { continue };
                        let size = if s == 0 { 4.2 } else { 3.2 };
                        let color = CATEGORIES[if s == 0 { 2 } else { (s + 2) % CATEGORIES.len() }];
                        canvas.marker(MARKERS[s], panel.at(value.max(self.least), at), size, color, None);
                    }
                }
                let decor = Decor {
                    title: &group.title,
                    x_label: &self.axis,
                    x_ticks: true,
                    y_ticks: false,
                    ..Decor::default()
                };
                panel.frame(canvas, &decor);
                if j == 0 {
                    for (k, (name, _)) in group.rows.iter().enumerate() {
                        let place = (corner.0 - 8.0, panel.at(x.lo, (rows - 1 - k) as f64).1 + 4.3);
                        canvas.text(place, &fit(name, SMALL, NAMES), SMALL, Align::Right, BLACK);
                    }
                }
                sheet.panels_end(corner.1 + h);
            }
            top += h + ABOVE + BELOW + 14.0;
        }
        let entry = |(s, name): (usize, &String)| {
            let color = CATEGORIES[if s == 0 { 2 } else { (s + 2) % CATEGORIES.len() }];
            Entry::new(name, Sample::Marker(MARKERS[s], color, 3.8))
        };
        sheet.legend(self.series.iter().enumerate().map(entry).collect());
        Ok(sheet.finish())
    }
}
