//! Samples in two or more columns with the components of a fit: pairs of columns and their marginals.

use crate::about::About;
use crate::axes::{Decor, Panel, Range, extent, left_margin};
use crate::canvas::{Canvas, Point, Rect, Rgb, Stroke, WHITE};
use crate::cells::{Axis, Grid, check, density_scale, marginal, marginal_of_one};
use crate::component::Component;
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::hexagons;
use crate::number::percent;
use crate::palettes::{self, CATEGORIES};
use crate::sheet::{Entry, Sample, Sheet, WIDE};

/// Most axes that are drawn.
const MOST_AXES: usize = 4;
/// Up to so many points in all panels together each is drawn.
const DOTS: usize = 4000;
/// Most bars of a marginal.
const BARS: usize = 40;
/// Most components named in the legend.
const NAMED: usize = 8;
/// Colour of the data.
const POINTS: Rgb = Rgb(0x6c, 0x7c, 0x8c);
const FILL: Rgb = Rgb(0xd5, 0xdb, 0xe1);
const SUM: Stroke = Stroke::solid(Rgb(0x1a, 0x1a, 0x1a), 1.8);
/// Points of a curve.
const STEPS: u32 = 240;

/// The data under a fit.
#[derive(Clone, Debug)]
pub enum Cloud {
    /// Samples, row by row, and what each counts; 1 each if there are no weights.
    Points {
        /// A value per axis and sample.
        values: Vec<f64>,
        /// A weight per sample.
        weights: Vec<f64>,
    },
    /// A density per cell of the axes, the last axis fastest.
    Cells(Vec<f64>),
}

/// Samples in two or more columns, with one and two standard deviations of every component over each pair of the first
/// four columns, and each column's histogram with the fitted curves.
#[derive(Clone, Debug)]
pub struct SampleFit {
    /// The columns and the window that is drawn.
    pub axes: Vec<Axis>,
    /// The data.
    pub cloud: Cloud,
    /// The fit.
    pub components: Vec<Component>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for SampleFit {
    fn about(&self) -> About {
        let names: Vec<&str> = self.axes.iter().take(MOST_AXES).map(|a| a.name.as_str()).collect();
        let (names, n) = (names.join(", "), self.components.len());
        let s = if n == 1 { "" } else { "s" };
        About::new(
            "samples",
            format!(
                "Data over {names} with the fit: ellipses at one and two standard deviations of each component, and the marginals with the fitted curve and its {n} component{s}."
            ),
            format!(
                "One panel per pair of {names} with the data and the ellipses of {n} component{s}; histograms of each with the fitted curve over them."
            ),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        Ok(if self.axes.len() == 2 { self.joint() } else { self.corner() })
    }
}

impl SampleFit {
    fn check(&self) -> Result<(), FigureError> {
        let dim = self.axes.len();
        match &self.cloud {
            Cloud::Cells(values) => check(&self.axes, &[("cloud", values)])?,
            Cloud::Points { values, weights } => {
                let cells: Vec<Axis> = self.axes.iter().map(|a| Axis { cells: a.cells.min(1), ..a.clone() }).collect();
                check(&cells, &[])?;
                if !values.len().is_multiple_of(dim) {
                    return Err(FigureError::shape("cloud", format!("has {} values for {dim} axes", values.len())));
                }
                if !weights.is_empty() && weights.len() != values.len() / dim {
                    let (w, n) = (weights.len(), values.len() / dim);
                    return Err(FigureError::shape("cloud", format!("has {w} weights for {n} points")));
                }
            }
        }
        if dim < 2 {
            return Err(FigureError::shape("axes", "is one axis; a pair is needed"));
        }
        match self.components.iter().position(|c| !c.fits(dim)) {
            Some(k) => Err(FigureError::shape(format!("components[{k}]"), format!("does not have {dim} axes"))),
            None => Ok(()),
        }
    }

    fn range(&self, axis: usize) -> Range {
        Range::linear(self.axes[axis].lower, self.axes[axis].upper)
    }

    /// The data's density over one axis as bars: edges and heights.
    fn bars(&self, axis: usize) -> (Vec<f64>, Vec<f64>) {
        let a = &self.axes[axis];
        let block = a.cells.div_ceil(BARS);
        let count = a.cells.div_ceil(block);
        let width = (a.upper - a.lower) / a.cells as f64;
        let edges = (0..=count).map(|i| a.lower + width * (i * block).min(a.cells) as f64).collect();
        let fine = match &self.cloud {
            Cloud::Cells(values) => marginal_of_one(&self.axes, values, axis),
            Cloud::Points { values, weights } => {
                let mut fine = vec![0.0; a.cells];
                let mut total = 0.0;
                for (n, x) in values.iter().skip(axis).step_by(self.axes.len()).enumerate() {
                    let weight = weights.get(n).copied().unwrap_or(1.0);
                    total += weight;
                    let place = ((x - a.lower) / width).floor();
                    if place >= 0.0 && place < a.cells as f64 {
                        fine[place as usize] += weight / width;
                    }
                }
                fine.iter_mut().for_each(|v| *v /= if total > 0.0 { total } else { 1.0 });
                fine
            }
        };
        (edges, fine.chunks(block).map(|c| c.iter().sum::<f64>() / c.len() as f64).collect())
    }

    /// Fitted curves over one axis, the sum first.
    fn curves(&self, axis: usize) -> Vec<Vec<Point>> {
        let r = self.range(axis);
        let at = (0..=STEPS).map(|i| r.lo + (r.hi - r.lo) * f64::from(i) / f64::from(STEPS));
        let curve = |f: &dyn Fn(f64) -> f64| at.clone().map(|x| (x, f(x))).collect::<Vec<Point>>();
        let sum = curve(&|x| self.components.iter().map(|c| c.density(axis, x)).sum());
        let parts = self.components.iter().filter(|_| self.components.len() > 1);
        std::iter::once(sum).chain(parts.map(|c| curve(&|x| c.density(axis, x)))).collect()
    }

    /// The histogram of one axis with the fitted curves; `upright` where the axis runs to the right.
    fn marginal(&self, canvas: &mut Canvas, rect: Rect, axis: usize, upright: bool, decor: &Decor) {
        let ((edges, heights), curves) = (self.bars(axis), self.curves(axis));
        let tallest = heights.iter().chain(curves[..1].iter().flatten().map(|p| &p.1)).copied();
        let most = extent(tallest).map_or(1.0, |(_, hi)| hi).max(f64::MIN_POSITIVE);
        let across = Range::linear(0.0, 1.08 * most);
        let (x, y) = if upright { (self.range(axis), across) } else { (across, self.range(axis)) };
        let panel = Panel { rect, x, y };
        let place = |v: f64, h: f64| if upright { (v, h) } else { (h, v) };
        let mut outline = Vec::with_capacity(2 * heights.len() + 2);
        outline.push(place(edges[0], 0.0));
        for (pair, h) in edges.windows(2).zip(&heights) {
            outline.extend([place(pair[0], *h), place(pair[1], *h)]);
        }
        outline.push(place(edges[edges.len() - 1], 0.0));
        let px: Vec<Point> = outline.iter().map(|p| panel.at(p.0, p.1)).collect();
        canvas.polygon(&px, Some(FILL), None);
        panel.curve(canvas, &outline, &Stroke::solid(POINTS, 0.8));
        // The sum first: a component that is all of it is seen on it.
        for (k, curve) in curves.iter().enumerate() {
            let line: Vec<Point> = curve.iter().map(|p| place(p.0, p.1)).collect();
            panel.fine_curve(canvas, &line, &if k == 0 { SUM } else { outer(k - 1) });
        }
        panel.frame(canvas, decor);
    }

    /// The data over a pair of axes with the ellipses.
    fn pair(&self, canvas: &mut Canvas, rect: Rect, [a, b]: [usize; 2], decor: &Decor) {
        let panel = Panel { rect, x: self.range(a), y: self.range(b) };
        match &self.cloud {
            Cloud::Cells(values) => {
                let axes = [&self.axes[a], &self.axes[b]];
                let grid = [Grid::new(axes, &marginal(&self.axes, values, [a, b]))];
                grid[0].draw(canvas, &panel, &density_scale(&grid), &palettes::density);
            }
            Cloud::Points { values, weights } => {
                let points = values.chunks_exact(self.axes.len()).enumerate();
                let seen = points.map(|(n, x)| (panel.at(x[a], x[b]), weights.get(n).copied().unwrap_or(1.0)));
                if self.dotted() {
                    let count = values.len() / self.axes.len();
                    let r = if count > 1000 { 1.1 } else { 1.7 };
                    for (p, _) in seen.filter(|(p, w)| *w > 0.0 && rect.contains(*p, 0.0)) {
                        canvas.circle(p, r, Some(POINTS), None);
                    }
                } else {
                    hexagons::draw(canvas, &rect, seen);
                }
            }
        }
        let ellipses: Vec<(usize, f64, Vec<Point>)> = (self.components.iter().enumerate())
            .flat_map(|(k, c)| [1.0, 2.0].map(|s| (k, s, c.ellipse([a, b], s))))
            .filter_map(|(k, s, line)| Some((k, s, line?)))
            .collect();
        for (_, s, line) in &ellipses {
            panel.curve(canvas, line, &Stroke::solid(WHITE, if *s < 1.5 { 3.8 } else { 3.0 }));
        }
        for (k, s, line) in &ellipses {
            panel.curve(canvas, line, &if *s < 1.5 { pen(*k, 2.0) } else { outer(*k) });
        }
        panel.frame(canvas, decor);
    }

    /// Whether every point is drawn.
    fn dotted(&self) -> bool {
        let dim = self.axes.len().min(MOST_AXES);
        matches!(&self.cloud, Cloud::Points { values, .. } if values.len() / self.axes.len() * dim * (dim - 1) / 2 <= DOTS)
    }

    /// One pair with its marginals above and beside.
    fn joint(&self) -> Drawing {
        let (h, strip, gap) = (330.0, 88.0, 10.0);
        let left = left_margin(&self.range(1), h, true) + 10.0;
        let w = WIDE - left - strip - gap - 14.0;
        let mut sheet = Sheet::new(WIDE, &self.title);
        let top = sheet.top + 4.0;
        let main = Rect::new(left, top + strip + gap, w, h);
        let canvas = &mut sheet.canvas;
        let label = Decor {
            x_label: &self.axes[0].name,
            y_label: &self.axes[1].name,
            x_ticks: true,
            y_ticks: true,
            ..Decor::default()
        };
        self.pair(canvas, main, [0, 1], &label);
        let bare = Decor { no_x: true, no_y: true, ..Decor::default() };
        self.marginal(canvas, Rect::new(left, top, w, strip), 0, true, &bare);
        self.marginal(canvas, Rect::new(main.right() + gap, main.y, strip, h), 1, false, &bare);
        sheet.panels_end(main.bottom());
        self.foot(sheet)
    }

    /// All pairs below the diagonal, the marginals on it.
    fn corner(&self) -> Drawing {
        let n = self.axes.len().min(MOST_AXES);
        let margin = (1..n).map(|a| left_margin(&self.range(a), 150.0, true)).fold(0.0, f64::max) + 10.0;
        let gap = 8.0;
        let side = (WIDE - margin - 12.0 - gap * (n - 1) as f64) / n as f64;
        let mut sheet = Sheet::new(WIDE, &self.title);
        let top = sheet.top + 6.0;
        for row in 0..n {
            for column in 0..=row {
                let at = (margin + column as f64 * (side + gap), top + row as f64 * (side + gap));
                let rect = Rect::new(at.0, at.1, side, side);
                let (first, last) = (column == 0 && row > 0, row + 1 == n);
                let decor = Decor {
                    x_label: if last { &self.axes[column].name } else { "" },
                    y_label: if first { &self.axes[row].name } else { "" },
                    x_ticks: last,
                    y_ticks: first,
                    no_y: row == column,
                    ..Decor::default()
                };
                if row == column {
                    self.marginal(&mut sheet.canvas, rect, row, true, &decor);
                } else {
                    self.pair(&mut sheet.canvas, rect, [column, row], &decor);
                }
            }
        }
        sheet.panels_end(top + n as f64 * (side + gap) - gap);
        self.foot(sheet)
    }

    fn foot(&self, mut sheet: Sheet) -> Drawing {
        let mut entries = vec![Entry::new("data", Sample::Patch(FILL)), Entry::new("fit", Sample::Line(SUM, None))];
        if self.components.len() > 1 {
            entries.extend(self.components.iter().enumerate().take(NAMED).map(|(k, c)| {
                Entry::new(format!("{}, {}", c.name, percent(c.weight)), Sample::Line(pen(k, 2.0), None))
            }));
        }
        sheet.legend(entries);
        let more = self.axes.len().saturating_sub(MOST_AXES);
        let more = if more > 0 { format!("; {more} more columns are not drawn") } else { String::new() };
        sheet.note(&format!("ellipses: one (solid) and two (dashed) standard deviations{more}"));
        sheet.finish()
    }
}

/// The line of a component.
fn pen(number: usize, width: f64) -> Stroke {
    Stroke::solid(CATEGORIES[number % CATEGORIES.len()], width)
}

/// Its outer ellipse.
fn outer(number: usize) -> Stroke {
    Stroke { dash: &[5.0, 3.0], ..pen(number, 1.4) }
}
