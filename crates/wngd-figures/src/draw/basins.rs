//! Which minimum each start leads to.

use crate::about::About;
use crate::axes::{Decor, Panel, Range, extent, left_margin};
use crate::canvas::{Align, BLACK, Canvas, GREY, LABEL, OUTSIDE, Point, Rect, Rgb, SMALL, Stroke, WHITE, fit};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::field::hatch;
use crate::figure::Figure;
use crate::looks;
use crate::number::{percent, short};
use crate::palettes::CATEGORIES;
use crate::sheet::{Entry, Sample, Sheet, Tiling};

/// Where one method goes from each start.
#[derive(Clone, Debug, Default)]
pub struct BasinPanel {
    /// The method's label, such as `wasserstein`.
    pub label: String,
    /// Per start the index of the minimum reached; `None`: not converged.
    pub ends: Vec<Option<usize>>,
    /// The fraction of starts that reach the best minimum.
    pub fraction_best: f64,
}

/// The basins of attraction of some methods: a map per method, the starts coloured by the minimum they lead to.
#[derive(Clone, Debug, Default)]
pub struct BasinMap {
    /// The first parameter's name.
    pub x_name: String,
    /// The second parameter's name.
    pub y_name: String,
    /// The starts; on a lattice they are drawn as cells, else as dots.
    pub starts: Vec<[f64; 2]>,
    /// One panel per method.
    pub panels: Vec<BasinPanel>,
    /// The minima that are known.
    pub minima: Vec<[f64; 2]>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for BasinMap {
    fn about(&self) -> About {
        let shares = self.panels.iter().map(|p| format!("{} of the starts of {}", percent(p.fraction_best), p.label));
        let shares = shares.collect::<Vec<_>>().join(", ");
        About::new(
            "basin",
            "The minimum that each start reaches, one panel per method.",
            format!(
                "One map per method: every start coloured by the minimum that its descent reached. The best minimum is reached by {shares}."
            ),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        let lattice = Lattice::new(&self.starts);
        let (x, y) = window(self, lattice.as_ref());
        let styles = looks::styles(self.panels.iter().map(|p| p.label.as_str()));
        let n = self.panels.len();
        let mut sheet = Sheet::new(Tiling::width(n), &self.title);
        let tiles = Tiling::new(n, left_margin(&y, 170.0, true) + 10.0, 26.0, sheet.top, 0.95, 40.0);
        for (k, (content, style)) in self.panels.iter().zip(&styles).enumerate() {
            let panel = Panel { rect: tiles.rects[k], x, y };
            let canvas = &mut sheet.canvas;
            match &lattice {
                Some(l) => l.draw(canvas, &panel, &content.ends),
                None => dots(canvas, &panel, &self.starts, &content.ends),
            }
            minima(canvas, &panel, &self.minima);
            let decor = Decor {
                x_label: if tiles.at_bottom(k) { &self.x_name } else { "" },
                y_label: if tiles.at_left(k) { &self.y_name } else { "" },
                x_ticks: true,
                y_ticks: tiles.at_left(k),
                ..Decor::default()
            };
            panel.frame(canvas, &decor);
            let middle = panel.rect.x + panel.rect.w / 2.0;
            let name = fit(&style.name, LABEL, panel.rect.w + 20.0);
            canvas.text((middle, panel.rect.y - 22.0), &name, LABEL, Align::Middle, BLACK);
            let share = fit(&format!("{} reach the best", percent(content.fraction_best)), SMALL, panel.rect.w + 20.0);
            canvas.text((middle, panel.rect.y - 7.0), &share, SMALL, Align::Middle, BLACK);
        }
        let mut entries: Vec<Entry> = Vec::new();
        for (k, m) in self.minima.iter().enumerate() {
            let label = format!("{}: ({}, {})", k + 1, short(m[0]), short(m[1]));
            entries.push(Entry::new(label, Sample::Patch(color(k))));
        }
        if self.panels.iter().any(|p| p.ends.contains(&None)) {
            entries.push(Entry::new("not converged", Sample::Patch(OUTSIDE)));
        }
        sheet.panels_end(tiles.bottom);
        sheet.legend(entries);
        Ok(sheet.finish())
    }
}

impl BasinMap {
    fn check(&self) -> Result<(), FigureError> {
        if self.starts.is_empty() {
            return Err(FigureError::shape("starts", "is empty"));
        }
        if self.panels.is_empty() {
            return Err(FigureError::shape("panels", "is empty"));
        }
        for (name, list) in [("starts", &self.starts), ("minima", &self.minima)] {
            if let Some(k) = list.iter().position(|s| !s.iter().all(|v| v.is_finite())) {
                return Err(FigureError::shape(format!("{name}[{k}]"), "is not finite"));
            }
        }
        for (k, p) in self.panels.iter().enumerate() {
            if p.ends.len() != self.starts.len() {
                return Err(FigureError::shape(
                    format!("panels[{k}].ends"),
                    format!("has {} entries for {} starts", p.ends.len(), self.starts.len()),
                ));
            }
            if let Some(bad) = p.ends.iter().flatten().find(|e| **e >= self.minima.len()) {
                return Err(FigureError::shape(
                    format!("panels[{k}].ends"),
                    format!("names minimum {bad} of {}", self.minima.len()),
                ));
            }
        }
        Ok(())
    }
}

/// The colour of a minimum; they repeat after eight, the numbers do not.
fn color(k: usize) -> Rgb {
    CATEGORIES[k % CATEGORIES.len()]
}

/// The starts' cells or points, and the minima where they are not far outside.
fn window(data: &BasinMap, lattice: Option<&Lattice>) -> (Range, Range) {
    let mut ranges = [Range::linear(0.0, 1.0); 2];
    for (k, range) in ranges.iter_mut().enumerate() {
        let base = match lattice {
            Some(l) => {
                let e = &l.edges[k];
                Range::linear(e[0], e[e.len() - 1])
            }
            None => Range::around(data.starts.iter().map(|s| s[k]), 0.05),
        };
        let size = base.hi - base.lo;
        let near = data.minima.iter().map(|m| m[k]).filter(|v| *v > base.lo - 0.5 * size && *v < base.hi + 0.5 * size);
        let (lo, hi) = extent(near).unwrap_or((base.lo, base.hi));
        // Room for the markers of minima outside the starts.
        let lo = if lo < base.lo { lo - 0.06 * size } else { base.lo };
        let hi = if hi > base.hi { hi + 0.06 * size } else { base.hi };
        *range = Range::linear(lo, hi);
    }
    (ranges[0], ranges[1])
}

/// Starts on a (possibly incomplete) lattice.
struct Lattice {
    edges: [Vec<f64>; 2],
    /// Per cell, first axis fastest, the start inside.
    cells: Vec<Option<usize>>,
}

impl Lattice {
    /// `None` if the starts share too few coordinates to be a lattice.
    fn new(starts: &[[f64; 2]]) -> Option<Self> {
        let axes = [0, 1].map(|k| {
            let mut v: Vec<f64> = starts.iter().map(|s| s[k]).collect();
            v.sort_by(f64::total_cmp);
            let tolerance = 1e-9 * (v[v.len() - 1] - v[0]);
            v.dedup_by(|a, b| *a - *b <= tolerance);
            v
        });
        let (nx, ny) = (axes[0].len(), axes[1].len());
        if nx < 2 || ny < 2 || nx.checked_mul(ny)? > 2 * starts.len() {
            return None;
        }
        let place = |v: &[f64], at: f64| {
            let i = v.partition_point(|a| *a < at);
            let nearer = i > 0 && (i == v.len() || at - v[i - 1] < v[i] - at);
            if nearer { i - 1 } else { i }
        };
        let mut cells = vec![None; nx * ny];
        for (n, s) in starts.iter().enumerate() {
            cells[place(&axes[1], s[1]) * nx + place(&axes[0], s[0])] = Some(n);
        }
        let edges = axes.map(|v| {
            // The map ends at the outermost starts: beyond them nothing was asked, and a parameter may have no values.
            let inner = v.windows(2).map(|w| (w[0] + w[1]) / 2.0);
            v.first().copied().into_iter().chain(inner).chain(v.last().copied()).collect::<Vec<_>>()
        });
        Some(Self { edges, cells })
    }

    fn draw(&self, canvas: &mut Canvas, panel: &Panel, ends: &[Option<usize>]) {
        let nx = self.edges[0].len() - 1;
        let columns: Vec<f64> = self.edges[0].iter().map(|v| panel.at(*v, panel.y.lo).0).collect();
        let rows: Vec<f64> = self.edges[1].iter().map(|v| panel.at(panel.x.lo, *v).1).collect();
        let mut palette = CATEGORIES.to_vec();
        palette.push(OUTSIDE);
        let lost = CATEGORIES.len();
        canvas.cells(&columns, &rows, &palette, |i, j| {
            let start = self.cells[j * nx + i]?;
            Some(ends[start].map_or(lost, |m| m % CATEGORIES.len()))
        });
        // Hatching tells "not converged" from a light category.
        let cell = |v: f64, edges: &[f64]| -> Option<usize> {
            let last = *edges.last()?;
            (v >= edges[0] && v <= last).then(|| edges.partition_point(|e| *e <= v).clamp(1, edges.len() - 1) - 1)
        };
        let r: Rect = panel.rect;
        hatch(canvas, &r, |p: Point| {
            let x = panel.x.lo + (p.0 - r.x) / r.w * (panel.x.hi - panel.x.lo);
            let y = panel.y.lo + (r.bottom() - p.1) / r.h * (panel.y.hi - panel.y.lo);
            match (cell(x, &self.edges[0]), cell(y, &self.edges[1])) {
                (Some(i), Some(j)) => self.cells[j * nx + i].is_some_and(|n| ends[n].is_none()),
                _ => false,
            }
        });
    }
}

/// Scattered starts: one dot each.
fn dots(canvas: &mut Canvas, panel: &Panel, starts: &[[f64; 2]], ends: &[Option<usize>]) {
    let r = (panel.rect.w / (starts.len() as f64).sqrt() * 0.32).clamp(1.5, 5.0);
    for (s, e) in starts.iter().zip(ends) {
        let at = panel.at(s[0], s[1]);
        match e {
            Some(k) => canvas.circle(at, r, Some(color(*k)), Some(&Stroke::solid(WHITE, 0.4))),
            None => canvas.circle(at, r, Some(OUTSIDE), Some(&Stroke::solid(GREY, 0.8))),
        }
    }
}

/// A numbered disc per minimum inside the window.
fn minima(canvas: &mut Canvas, panel: &Panel, minima: &[[f64; 2]]) {
    for (k, m) in minima.iter().enumerate() {
        let at = panel.at(m[0], m[1]);
        if panel.rect.contains(at, 0.0) {
            let r = if k < 9 { 8.0 } else { 10.5 };
            canvas.circle(at, r, Some(WHITE), Some(&Stroke::solid(BLACK, 1.3)));
            let number = (k + 1).to_string();
            canvas.text((at.0, at.1 + 4.4), &number, SMALL, Align::Middle, BLACK);
        }
    }
}
