//! The objective over two parameters, with the methods' traces.

use crate::about::About;
use crate::axes::{Decor, Panel, bar_right_width, color_bar_right, left_margin};
use crate::canvas::{BLACK, CONTOUR, Canvas, GREY, Marker, Point, Rect, Stroke, WHITE, clip_polyline, clip_segment};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::field::{Field, Relief};
use crate::figure::Figure;
use crate::looks::{self, MethodStyle};
use crate::palettes;
use crate::sheet::{COLUMN, Entry, Sample, Sheet, WIDE};

/// Pixels of the map where there is room.
const SIZE: [f64; 2] = [440.0, 400.0];

/// The iterates of one method.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// The method's label, such as `wasserstein`.
    pub label: String,
    /// The two parameters at each iteration.
    pub points: Vec<[f64; 2]>,
}

/// A function of two parameters on a lattice, as level sets, and the paths over it.
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
    /// Minima, the lowest first.
    pub minima: Vec<[f64; 2]>,
    /// The parameters that made the data, if known.
    pub truth: Option<[f64; 2]>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Landscape {
    /// The map under the traces, for drawing elsewhere.
    ///
    /// # Errors
    /// [`FigureError::Shape`] if the lattice is too small, not increasing, or does not fit the values.
    pub fn relief(&self) -> Result<Relief, FigureError> {
        Ok(Field::new(&self.x, &self.y, &self.values, "")?.relief())
    }

    /// What the values are called.
    fn value_label(&self) -> &str {
        if self.value_name.is_empty() { "f" } else { &self.value_name }
    }

    fn has_paths(&self) -> bool {
        self.traces.iter().any(|t| !t.points.is_empty())
    }
}

impl Figure for Landscape {
    fn about(&self) -> About {
        let what = match self.value_label() {
            "f" => "the objective",
            "f − f_min" => "the objective above its minimum",
            name => name,
        };
        let over = format!("{what} over {} and {}", self.x_name, self.y_name);
        let (iterates, paths) = if self.has_paths() {
            (", with the iterates of every method", ", with one path of iterates per method")
        } else {
            ("", "")
        };
        let truth = if self.truth.is_some() { "; a star marks the truth" } else { "" };
        let minima = match self.minima.len() {
            0 => "",
            1 => "; a cross marks the minimum",
            _ => "; crosses mark the minima, a black one the lowest",
        };
        About::new(
            "landscape",
            format!("Level sets of {over}{iterates}{minima}."),
            format!("Contour plot of {over}{paths}{minima}{truth}."),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        let field = Field::new(&self.x, &self.y, &self.values, "")?;
        Ok(self.within(&field, WIDE).with_column(self.within(&field, COLUMN)))
    }
}

impl Landscape {
    /// Laid out on a page of at most a width.
    fn within(&self, field: &Field, most: f64) -> Drawing {
        let styles = looks::styles(self.traces.iter().map(|t| t.label.as_str()));
        let (x, y) = field.window();
        let [width, height] = SIZE;
        let left = left_margin(&y, height, true) + 10.0;
        let bar = bar_right_width(&field.value_range(), height);
        let share = ((most - left - bar) / width).min(1.0);
        let (width, height) = (share * width, share * height);
        let mut sheet = Sheet::new(left + width + bar, &self.title);
        let panel = Panel { rect: Rect::new(left, sheet.top, width, height), x, y };
        let canvas = &mut sheet.canvas;
        field.draw(canvas, &panel);
        for (k, at) in self.minima.iter().enumerate().rev() {
            let at = panel.at(at[0], at[1]);
            if panel.rect.contains(at, 0.0) {
                let color = if k == 0 { BLACK } else { GREY };
                canvas.marker(Marker::Cross, at, 10.5, WHITE, Some(&Stroke::solid(WHITE, 3.0)));
                canvas.marker(Marker::Cross, at, 10.5, color, None);
            }
        }
        let truth = self.truth.map(|t| panel.at(t[0], t[1]));
        if let Some(p) = truth.filter(|p| panel.rect.contains(*p, 0.0)) {
            canvas.truth_marker(p, 10.0);
        }
        let decor =
            Decor { x_label: &self.x_name, y_label: &self.y_name, x_ticks: true, y_ticks: true, ..Decor::default() };
        panel.frame(canvas, &decor);
        color_bar_right(
            canvas,
            panel.rect.right() + 12.0,
            &panel.rect,
            &field.value_range(),
            self.value_label(),
            &field.value_levels(),
            (palettes::light, CONTOUR),
        );
        let traces: Vec<(&[[f64; 2]], &MethodStyle)> =
            self.traces.iter().map(|t| t.points.as_slice()).zip(&styles).collect();
        draw_traces(canvas, &panel, &traces);
        let mut entries: Vec<Entry> = styles.iter().map(Entry::method).collect();
        if self.has_paths() {
            entries.push(Entry::new("start", Sample::Start));
        }
        if !self.minima.is_empty() {
            let name = if self.minima.len() == 1 { "minimum" } else { "lowest minimum" };
            entries.push(Entry::new(name, Sample::Marker(Marker::Cross, BLACK, 5.5)));
        }
        if self.minima.len() > 1 {
            entries.push(Entry::new("local minimum", Sample::Marker(Marker::Cross, GREY, 5.5)));
        }
        if self.truth.is_some() {
            entries.push(Entry::new("truth", Sample::Truth));
        }
        sheet.panels_end(panel.rect.bottom());
        sheet.legend(entries);
        sheet.finish()
    }
}

/// Lines with a white rim, a small marker per iterate (thinned where they would
/// touch), larger ones at the ends, open circles at the starts, and arrow heads
/// where a path leaves the window.
pub(super) fn draw_traces(canvas: &mut Canvas, panel: &Panel, traces: &[(&[[f64; 2]], &MethodStyle)]) {
    let rect = panel.rect;
    let pixels: Vec<Vec<Point>> = traces.iter().map(|t| t.0.iter().map(|p| panel.at(p[0], p[1])).collect()).collect();
    // All rims lie below all lines, so that no method hides another.
    let pieces: Vec<Vec<Vec<Point>>> = pixels.iter().map(|px| clip_polyline(&rect, px)).collect();
    for piece in pieces.iter().flatten() {
        canvas.polyline(piece, &Stroke::solid(WHITE, 3.6));
    }
    for (pieces, (_, style)) in pieces.iter().zip(traces) {
        for piece in pieces {
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
                && let Some((_, exit)) = clip_segment(&rect, w[0], w[1])
            {
                canvas.arrow_head(exit, (w[1].0 - w[0].0, w[1].1 - w[0].1), style.color);
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
