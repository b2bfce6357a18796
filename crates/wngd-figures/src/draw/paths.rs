//! The ways of a mixture's means over the data's density.

use super::landscape::draw_traces;
use crate::about::About;
use crate::axes::{Decor, Panel, Range, extent, left_margin};
use crate::canvas::{Rect, Rgb, WHITE};
use crate::cells::{Axis, Grid, check, density_scale, marginal};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::looks::{self, MethodStyle};
use crate::palettes;
use crate::sheet::{COLUMN, Entry, Sample, Sheet, WIDE};

/// The ways of all means of one method.
#[derive(Clone, Debug, Default)]
pub struct MeanPaths {
    /// The method's label, such as `wasserstein`.
    pub label: String,
    /// Per component, its mean at each iteration.
    pub means: Vec<Vec<[f64; 2]>>,
}

/// The ways of a mixture's means, of every method, over the density of the data.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// The grid's axes; the first two are drawn.
    pub axes: Vec<Axis>,
    /// The data's density per cell, the last axis fastest.
    pub data: Vec<f64>,
    /// The methods.
    pub methods: Vec<MeanPaths>,
    /// Means of the components that made the data, if known.
    pub truth: Vec<[f64; 2]>,
    /// Whether a unit is as long on both axes.
    pub equal_scale: bool,
    /// The figure's title; none if empty.
    pub title: String,
}

/// The size of the panel.
const SIZE: [f64; 2] = [440.0, 400.0];

impl Paths {
    /// The part of the grid around the ways.
    fn window(&self) -> [Range; 2] {
        let inside = |p: &[f64; 2]| (0..2).all(|k| p[k] >= self.axes[k].lower && p[k] <= self.axes[k].upper);
        let points = self.methods.iter().flat_map(|m| m.means.iter().flatten()).chain(&self.truth);
        let points: Vec<[f64; 2]> = points.copied().filter(inside).collect();
        let ends = [0, 1].map(|k| {
            let (a, b) = (self.axes[k].lower, self.axes[k].upper);
            let (low, high) = extent(points.iter().map(|p| p[k])).unwrap_or((a, b));
            // The density around is a part of the picture.
            let room = (0.35 * (high - low)).max(0.06 * (b - a));
            ((low - room).max(a), (high + room).min(b))
        });
        let unit = |k: usize| (ends[k].1 - ends[k].0) / SIZE[k];
        let longest = unit(0).max(unit(1));
        [0, 1].map(|k| {
            let (low, high) = ends[k];
            let more = if self.equal_scale { 0.5 * (longest * SIZE[k] - (high - low)) } else { 0.0 };
            Range::linear(low - more, high + more)
        })
    }
}

impl Figure for Paths {
    fn about(&self) -> About {
        let labels: Vec<&str> = self.methods.iter().map(|m| m.label.as_str()).collect();
        let truth = if self.truth.is_empty() { "" } else { "; stars mark the means that made the data" };
        About::new(
            "paths",
            format!("The means of all components on their way, over the density of the data{truth}."),
            format!("Map of the data's density with one line per component for each of {}{truth}.", labels.join(", ")),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        check(&self.axes, &[("data", &self.data)])?;
        if self.axes.len() < 2 {
            return Err(FigureError::shape("axes", "is one axis; a pair is needed"));
        }
        Ok(self.within(WIDE).with_column(self.within(COLUMN)))
    }
}

impl Paths {
    /// Laid out on a page of at most a width.
    fn within(&self, most: f64) -> Drawing {
        let pair = [&self.axes[0], &self.axes[1]];
        let [x, y] = self.window();
        let left = left_margin(&y, SIZE[1], true) + 10.0;
        let share = ((most - left - 20.0) / SIZE[0]).min(1.0);
        let [width, height] = SIZE.map(|side| share * side);
        let mut sheet = Sheet::new(left + width + 20.0, &self.title);
        let panel = Panel { rect: Rect::new(left, sheet.top + 6.0, width, height), x, y };
        let grid = [Grid::new(pair, &marginal(&self.axes, &self.data, [0, 1]))];
        // Pale, so that lines are seen on it.
        let color = |t: f64| -> Rgb { WHITE.mix(palettes::density(t), 0.55) };
        grid[0].draw(&mut sheet.canvas, &panel, &density_scale(&grid), &color);
        let decor =
            Decor { x_label: &pair[0].name, y_label: &pair[1].name, x_ticks: true, y_ticks: true, ..Decor::default() };
        panel.frame(&mut sheet.canvas, &decor);
        for at in self.truth.iter().map(|t| panel.at(t[0], t[1])).filter(|p| panel.rect.contains(*p, 0.0)) {
            sheet.canvas.truth_marker(at, 11.0);
        }
        let styles = looks::styles(self.methods.iter().map(|m| m.label.as_str()));
        let lines: Vec<(&[[f64; 2]], &MethodStyle)> = (self.methods.iter().zip(&styles))
            .flat_map(|(method, style)| method.means.iter().map(move |line| (line.as_slice(), style)))
            .collect();
        draw_traces(&mut sheet.canvas, &panel, &lines);
        sheet.panels_end(panel.rect.bottom());
        let mut entries: Vec<Entry> = styles.iter().map(Entry::method).collect();
        entries.push(Entry::new("start", Sample::Start));
        if !self.truth.is_empty() {
            entries.push(Entry::new("truth", Sample::Truth));
        }
        sheet.legend(entries);
        sheet.finish()
    }
}
