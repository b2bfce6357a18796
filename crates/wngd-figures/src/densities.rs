//! Data density, fitted density, and their difference.

use std::path::Path;

use super::axes::{ABOVE, BAR_BELOW, BELOW, Decor, Panel, Range, color_bar_below, extent, left_margin};
use super::canvas::{Canvas, Point, Rect, Stroke, simplify, wrap};
use super::color::Rgb;
use super::error::FigureError;
use super::field::contour;
use super::legend::{Entry, Legend, Sample, title, title_height};
use super::save::save;
use super::style::{self, BLACK, GREY, OUTSIDE, PALE, TITLE, WIDE};

/// The caption of the residual's colour bar.
const RESIDUAL: &str = "residual";
/// More level lines than this are noise.
const MOST_LINES: usize = 12;
/// At most this many cells per axis are drawn.
const MOST_CELLS: usize = 128;
/// At most this many points of a curve.
const MOST_POINTS: usize = 1024;
/// Steps of a colour map; odd, so that a residual of zero is exactly white.
const SHADES: usize = 65;

/// One axis of a grid of equal cells.
#[derive(Clone, Debug, Default)]
pub struct Axis {
    /// The coordinate's name.
    pub name: String,
    /// The lower end of the first cell.
    pub lower: f64,
    /// The upper end of the last cell.
    pub upper: f64,
    /// The number of cells.
    pub cells: usize,
}

/// A data density and fits to it on one grid.
#[derive(Clone, Debug, Default)]
pub struct Densities {
    /// The grid's axes; axis 0 is drawn horizontally, axis 1 vertically.
    pub axes: Vec<Axis>,
    /// The data density per cell, the last axis fastest.
    pub data: Vec<f64>,
    /// Method labels and fitted densities, laid out as the data.
    pub fits: Vec<(String, Vec<f64>)>,
    /// Whether a unit is as long on both axes of a map (for equal units).
    pub equal_scale: bool,
    /// The figure's title; none if empty.
    pub title: String,
}

/// Draws data, the fit called `label`, and the residual: curves in one
/// dimension, maps in two, the marginals on the pairs of the first three axes
/// in more.
///
/// # Errors
/// [`FigureError::Shape`] if there is no such fit or the lengths disagree;
/// [`FigureError::Io`] if a file cannot be written.
pub fn densities(data: &Densities, label: &str, path_stem: &Path) -> Result<(), FigureError> {
    if data.axes.is_empty() {
        return Err(FigureError::shape("axes", "is empty"));
    }
    let mut size = 1usize;
    for (k, a) in data.axes.iter().enumerate() {
        if a.cells == 0 {
            return Err(FigureError::shape(format!("axes[{k}].cells"), "is zero"));
        }
        if !(a.lower.is_finite() && a.upper.is_finite() && a.lower < a.upper) {
            return Err(FigureError::shape(format!("axes[{k}]"), format!("runs from {} to {}", a.lower, a.upper)));
        }
        size = size.checked_mul(a.cells).ok_or_else(|| FigureError::shape("axes", "has too many cells"))?;
    }
    let check = |name: String, v: &[f64]| {
        if v.len() == size {
            Ok(())
        } else {
            Err(FigureError::shape(name, format!("has {} entries for {size} cells", v.len())))
        }
    };
    check("data".into(), &data.data)?;
    let Some((k, (_, fit))) = data.fits.iter().enumerate().find(|(_, f)| f.0 == label) else {
        return Err(FigureError::shape("fits", format!("holds no fit labelled `{label}`")));
    };
    check(format!("fits[{k}]"), fit)?;
    let fit_name = format!("fit, {}", style::display_name(label));
    match data.axes.len() {
        1 => curves(data, fit, label, &fit_name, path_stem),
        2 => maps(data, fit, &fit_name, path_stem),
        _ => marginals(data, fit, &fit_name, path_stem),
    }
}

/// One density on its grid.
#[derive(Clone, Debug, Default)]
pub struct Density {
    /// The grid's axes.
    pub axes: Vec<Axis>,
    /// The density per cell, the last axis fastest.
    pub values: Vec<f64>,
    /// The figure's title; none if empty.
    pub title: String,
}

/// Draws one density: a map in two dimensions, the marginals side by side in three, a map of one row in one.
///
/// # Errors
/// [`FigureError::Shape`] if the lengths disagree; [`FigureError::Io`] if a file cannot be written.
pub fn density(data: &Density, path_stem: &Path) -> Result<(), FigureError> {
    let size: usize = data.axes.iter().map(|a| a.cells).product();
    if data.axes.is_empty() || size != data.values.len() {
        return Err(FigureError::shape("values", format!("has {} entries for {size} cells", data.values.len())));
    }
    // A line is drawn as a strip.
    let strip = Axis { name: String::new(), lower: 0.0, upper: 1.0, cells: 1 };
    let mut axes = data.axes.clone();
    if axes.len() == 1 {
        axes.push(strip);
    }
    let pairs: &[[usize; 2]] = if axes.len() == 2 { &[[0, 1]] } else { &[[0, 1], [0, 2], [1, 2]] };
    let (h, gap) = (
        if data.axes.len() == 1 {
            60.0
        } else if pairs.len() == 1 {
            300.0
        } else {
            160.0
        },
        10.0,
    );
    let margins: Vec<f64> =
        pairs.iter().map(|p| left_margin(&Range::linear(axes[p[1]].lower, axes[p[1]].upper), h, true) + 8.0).collect();
    let w = ((WIDE - 8.0 - margins.iter().sum::<f64>()) / pairs.len() as f64 - gap).min(360.0);
    let total = 8.0 + margins.iter().sum::<f64>() + (w + gap) * pairs.len() as f64;
    let heading = wrap(&data.title, TITLE, total - 20.0, 2);
    let top = title_height(&heading, TITLE) + ABOVE;
    let bar_y = top + h + BELOW + 8.0;
    let mut canvas = Canvas::new(total, bar_y + BAR_BELOW + 6.0);
    title(&mut canvas, &heading, TITLE, total / 2.0);
    let mut x0 = 0.0;
    for (pair, margin) in pairs.iter().zip(&margins) {
        x0 += margin;
        let shown = [&axes[pair[0]], &axes[pair[1]]];
        let grid = Grid::new(shown, &marginal(&axes, &data.values, *pair));
        let (x, y) = grid.ranges();
        let scale = density_scale([&grid, &grid]);
        let panel = Panel { rect: Rect::new(x0, top, w, h), x, y };
        grid.draw(&mut canvas, &panel, &scale, &style::density);
        let named = !shown[1].name.is_empty();
        let decor =
            Decor { title: "", x_label: &shown[0].name, y_label: &shown[1].name, x_ticks: true, y_ticks: named };
        panel.frame(&mut canvas, &decor);
        color_bar_below(&mut canvas, (x0, bar_y), w, &scale, "density", style::density, &[]);
        x0 += w + gap;
    }
    save(canvas, path_stem)
}

/// Cell values with two physical axes, axis 1 fastest.
struct Grid<'a> {
    axes: [&'a Axis; 2],
    cells: [usize; 2],
    /// Cell boundaries.
    edges: [Vec<f64>; 2],
    values: Vec<f64>,
}

impl<'a> Grid<'a> {
    /// Averages blocks of cells until at most [`MOST_CELLS`] per axis remain.
    fn new(axes: [&'a Axis; 2], values: &[f64]) -> Self {
        let block = axes.map(|a| a.cells.div_ceil(MOST_CELLS));
        let cells = [0, 1].map(|k| axes[k].cells.div_ceil(block[k]));
        let edges = [0, 1].map(|k| {
            let a = axes[k];
            (0..=cells[k])
                .map(|i| {
                    let at = (i * block[k]).min(a.cells) as f64 / a.cells as f64;
                    a.lower + (a.upper - a.lower) * at
                })
                .collect::<Vec<f64>>()
        });
        let mut out = Vec::with_capacity(cells[0] * cells[1]);
        for i in 0..cells[0] {
            for j in 0..cells[1] {
                let (mut sum, mut n) = (0.0, 0u32);
                for a in i * block[0]..((i + 1) * block[0]).min(axes[0].cells) {
                    for b in j * block[1]..((j + 1) * block[1]).min(axes[1].cells) {
                        let v = values[a * axes[1].cells + b];
                        if v.is_finite() {
                            sum += v;
                            n += 1;
                        }
                    }
                }
                out.push(if n > 0 { sum / f64::from(n) } else { f64::NAN });
            }
        }
        Self { axes, cells, edges, values: out }
    }

    fn ranges(&self) -> (Range, Range) {
        let r = |a: &Axis| Range::linear(a.lower, a.upper);
        (r(self.axes[0]), r(self.axes[1]))
    }

    /// Fills a panel with the cells.
    fn draw(&self, canvas: &mut Canvas, panel: &Panel, scale: &Range, color: &dyn Fn(f64) -> Rgb) {
        let columns: Vec<f64> = self.edges[0].iter().map(|v| panel.at(*v, panel.y.lo).0).collect();
        let rows: Vec<f64> = self.edges[1].iter().map(|v| panel.at(panel.x.lo, *v).1).collect();
        let mut palette: Vec<Rgb> = (0..SHADES).map(|i| color((i as f64 + 0.5) / SHADES as f64)).collect();
        palette.push(OUTSIDE);
        canvas.cells(&columns, &rows, &palette, |i, j| {
            let v = self.values[i * self.cells[1] + j];
            Some(if v.is_finite() {
                ((scale.unit(v).clamp(0.0, 1.0) * SHADES as f64) as usize).min(SHADES - 1)
            } else {
                SHADES
            })
        });
    }
}

impl Grid<'_> {
    /// Draws the level lines at half the largest residual, dashed where it is
    /// negative, so that the sign can be read without colour; returns them for
    /// the colour bar. A noisy residual has none.
    fn sign_lines(&self, canvas: &mut Canvas, panel: &Panel, largest: f64) -> Vec<(f64, Stroke)> {
        let middles = |k: usize| -> Vec<f64> { self.edges[k].windows(2).map(|w| (w[0] + w[1]) / 2.0).collect() };
        // The contour routine wants the first axis fastest.
        let z: Vec<f64> = (0..self.cells[1])
            .flat_map(|j| (0..self.cells[0]).map(move |i| self.values[i * self.cells[1] + j]))
            .collect();
        let (x, y) = (middles(0), middles(1));
        let mut marks = Vec::new();
        for (part, dash) in [(0.5, &[][..]), (-0.5, &[3.0, 2.5][..])] {
            let stroke = Stroke { color: BLACK, width: 0.8, dash };
            let lines = contour(&x, &y, &z, part * largest);
            if lines.is_empty() || lines.len() > MOST_LINES {
                continue;
            }
            for line in &lines {
                panel.curve(canvas, line, &stroke);
            }
            marks.push((part * largest, stroke));
        }
        marks
    }
}

/// The colour range of densities: from zero up to the largest of both.
fn density_scale(grids: [&Grid; 2]) -> Range {
    let (lo, hi) = extent(grids.iter().flat_map(|g| g.values.iter().copied())).unwrap_or((0.0, 1.0));
    Range::linear(lo.min(0.0), hi.max(0.0))
}

/// A symmetric colour range for residuals.
fn residual_scale(grid: &Grid) -> Range {
    let (lo, hi) = extent(grid.values.iter().copied()).unwrap_or((-1.0, 1.0));
    let m = lo.abs().max(hi.abs());
    if m > 0.0 { Range::linear(-m, m) } else { Range::linear(-1.0, 1.0) }
}

/// [`style::diverging`] over `0 ..= 1`.
fn diverging(t: f64) -> Rgb {
    style::diverging(2.0 * t - 1.0)
}

fn difference(fit: &[f64], data: &[f64]) -> Vec<f64> {
    fit.iter().zip(data).map(|(f, d)| f - d).collect()
}

/// Two dimensions: three maps side by side.
fn maps(data: &Densities, fit: &[f64], fit_name: &str, stem: &Path) -> Result<(), FigureError> {
    let axes = [&data.axes[0], &data.axes[1]];
    let grids = [Grid::new(axes, &data.data), Grid::new(axes, fit), Grid::new(axes, &difference(fit, &data.data))];
    let (x, y) = grids[0].ranges();
    let gap = 32.0;
    let left = left_margin(&y, 190.0, true) + 8.0;
    let mut w = (WIDE - left - 2.0 * gap - 18.0) / 3.0;
    let mut h = w;
    if data.equal_scale {
        let ratio = (y.hi - y.lo) / (x.hi - x.lo);
        h = w * ratio;
        if h > 2.0 * w {
            w = 2.0 * w / ratio;
            h = w * ratio;
        }
        // Beyond 8 to 1 neither side would be readable.
        w = w.max(h / 8.0);
        h = h.max(w / 8.0);
    }
    let pitch = w.max(110.0) + gap;
    let total = left + 3.0 * pitch - gap + 18.0;
    let heading = wrap(&data.title, TITLE, total - 20.0, 2);
    let top = title_height(&heading, TITLE) + ABOVE;
    let bar_y = top + h + BELOW + 8.0;
    let mut canvas = Canvas::new(total, bar_y + BAR_BELOW + 6.0);
    title(&mut canvas, &heading, TITLE, total / 2.0);
    let dense = density_scale([&grids[0], &grids[1]]);
    let rest = residual_scale(&grids[2]);
    for (k, (grid, name)) in grids.iter().zip(["data", fit_name, "residual (fit − data)"]).enumerate() {
        let slot = left + pitch * k as f64;
        let panel = Panel { rect: Rect::new(slot + (pitch - gap - w) / 2.0, top, w, h), x, y };
        let (scale, color, caption): (&Range, &dyn Fn(f64) -> Rgb, &str) =
            if k < 2 { (&dense, &style::density, "density") } else { (&rest, &diverging, RESIDUAL) };
        grid.draw(&mut canvas, &panel, scale, color);
        let marks = if caption == RESIDUAL { grid.sign_lines(&mut canvas, &panel, scale.hi) } else { Vec::new() };
        panel.frame(
            &mut canvas,
            &Decor {
                title: name,
                x_label: &axes[0].name,
                y_label: if k == 0 { &axes[1].name } else { "" },
                x_ticks: true,
                y_ticks: k == 0,
            },
        );
        color_bar_below(&mut canvas, (slot, bar_y), pitch - gap, scale, caption, color, &marks);
    }
    save(canvas, stem)
}

/// The integral of a density over all axes but `keep`, those two in order.
pub fn marginal(axes: &[Axis], values: &[f64], keep: [usize; 2]) -> Vec<f64> {
    let cells = [axes[keep[0]].cells, axes[keep[1]].cells];
    let mut out = vec![0.0; cells[0] * cells[1]];
    let volume: f64 = axes
        .iter()
        .enumerate()
        .filter(|(k, _)| !keep.contains(k))
        .map(|(_, a)| (a.upper - a.lower) / a.cells as f64)
        .product();
    let mut strides = vec![1usize; axes.len()];
    for k in (0..axes.len() - 1).rev() {
        strides[k] = strides[k + 1] * axes[k + 1].cells;
    }
    for (n, v) in values.iter().enumerate() {
        let [i, j] = keep.map(|k| n / strides[k] % axes[k].cells);
        out[i * cells[1] + j] += v * volume;
    }
    out
}

/// Three dimensions or more: rows data, fit, residual; columns the pairs of the
/// first three axes.
fn marginals(data: &Densities, fit: &[f64], fit_name: &str, stem: &Path) -> Result<(), FigureError> {
    let rest = difference(fit, &data.data);
    let rows = [("data", data.data.as_slice()), (fit_name, fit), ("fit − data", rest.as_slice())];
    let (w, h) = (150.0, 130.0);
    let heading = wrap(&data.title, TITLE, WIDE - 20.0, 2);
    let top = title_height(&heading, TITLE) + ABOVE;
    // Under the first row only a gap; under the others ticks and a bar.
    let below = BELOW + BAR_BELOW + 8.0;
    let tops = [top, top + h + 14.0, top + 2.0 * h + 14.0 + below + 8.0];
    let name_width = 26.0;
    let pairs = [[0, 1], [0, 2], [1, 2]];
    let margins = pairs.map(|p| {
        let a = &data.axes[p[1]];
        left_margin(&Range::linear(a.lower, a.upper), h, true) + 6.0
    });
    let spare = WIDE - name_width - 16.0 - margins.iter().sum::<f64>();
    let w = (spare / 3.0 - 8.0).max(w * 0.8);
    let total = name_width + 16.0 + margins.iter().sum::<f64>() + 3.0 * (w + 8.0);
    let mut canvas = Canvas::new(total, tops[2] + h + BELOW + 8.0 + BAR_BELOW + 6.0);
    title(&mut canvas, &heading, TITLE, total / 2.0);
    let mut x0 = name_width;
    for (c, pair) in pairs.iter().enumerate() {
        x0 += margins[c];
        let axes = [&data.axes[pair[0]], &data.axes[pair[1]]];
        let grids = rows.map(|r| Grid::new(axes, &marginal(&data.axes, r.1, *pair)));
        let (x, y) = grids[0].ranges();
        let dense = density_scale([&grids[0], &grids[1]]);
        let rest = residual_scale(&grids[2]);
        let heading = format!("{}–{} marginal", axes[0].name, axes[1].name);
        for (r, grid) in grids.iter().enumerate() {
            let panel = Panel { rect: Rect::new(x0, tops[r], w, h), x, y };
            let (scale, color, caption): (&Range, &dyn Fn(f64) -> Rgb, &str) =
                if r < 2 { (&dense, &style::density, "density") } else { (&rest, &diverging, RESIDUAL) };
            grid.draw(&mut canvas, &panel, scale, color);
            let marks = if caption == RESIDUAL { grid.sign_lines(&mut canvas, &panel, scale.hi) } else { Vec::new() };
            panel.frame(
                &mut canvas,
                &Decor {
                    title: if r == 0 { &heading } else { "" },
                    x_label: if r == 0 { "" } else { &axes[0].name },
                    y_label: &axes[1].name,
                    x_ticks: r > 0,
                    y_ticks: true,
                },
            );
            if r > 0 {
                let y = panel.rect.bottom() + BELOW + 8.0;
                color_bar_below(&mut canvas, (x0, y), w, scale, caption, color, &marks);
            }
            if c == 0 {
                canvas.text_up((name_width - 8.0, tops[r] + h / 2.0), rows[r].0, TITLE, BLACK);
            }
        }
        x0 += w + 8.0;
    }
    save(canvas, stem)
}

/// One dimension: data and fit overlaid, the residual below.
fn curves(data: &Densities, fit: &[f64], label: &str, fit_name: &str, stem: &Path) -> Result<(), FigureError> {
    let axis = &data.axes[0];
    let means = |v: &[f64]| -> Vec<Point> {
        let block = axis.cells.div_ceil(MOST_POINTS);
        v.chunks(block)
            .enumerate()
            .map(|(k, c)| {
                let middle = (k * block) as f64 + c.len() as f64 / 2.0;
                let x = axis.lower + (axis.upper - axis.lower) * middle / axis.cells as f64;
                (x, c.iter().sum::<f64>() / c.len() as f64)
            })
            .collect()
    };
    let (seen, fitted, rest) = (means(&data.data), means(fit), means(&difference(fit, &data.data)));
    let x = Range::linear(axis.lower, axis.upper);
    let (lo, hi) = extent(seen.iter().chain(&fitted).map(|p| p.1)).unwrap_or((0.0, 1.0));
    let lo = lo.min(0.0);
    let y = Range::linear(lo * 1.06, hi + 0.06 * (hi - lo));
    let m = extent(rest.iter().map(|p| p.1)).map_or(0.0, |(a, b)| a.abs().max(b.abs()));
    let ry = Range::linear(-1.1 * m, 1.1 * m);
    let (h, rh) = (250.0, 96.0);
    let left = left_margin(&y, h, true).max(left_margin(&ry, rh, true)) + 10.0;
    let total = 560.0;
    let w = total - left - 24.0;
    let heading = wrap(&data.title, TITLE, total - 20.0, 2);
    let top = title_height(&heading, TITLE) + 4.0;
    let upper = Panel { rect: Rect::new(left, top, w, h), x, y };
    let lower = Panel { rect: Rect::new(left, upper.rect.bottom() + 16.0, w, rh), x, y: ry };
    let style = &style::styles([label])[0];
    let legend = Legend::new(
        vec![
            Entry::new("data", Sample::Patch(PALE)),
            Entry::new(fit_name, Sample::Line(Stroke::solid(style.color, 2.0), None)),
        ],
        total - 40.0,
    );
    let legend_y = lower.rect.bottom() + BELOW + 8.0;
    let mut canvas = Canvas::new(total, legend_y + legend.height() + 8.0);
    title(&mut canvas, &heading, TITLE, total / 2.0);

    // The area under the data.
    let mut area: Vec<Point> = seen.iter().filter(|p| p.1.is_finite()).map(|p| upper.at(p.0, p.1)).collect();
    if let (Some(a), Some(b)) = (area.first().copied(), area.last().copied()) {
        let base = upper.at(x.lo, 0.0).1;
        area.push((b.0, base));
        area.push((a.0, base));
        canvas.polygon(&area, Some(PALE), None);
    }
    let curve = |canvas: &mut Canvas, panel: &Panel, points: &[Point], stroke: &Stroke| {
        let px: Vec<Point> = points.iter().map(|p| panel.at(p.0, p.1)).collect();
        for piece in super::canvas::clip_polyline(&panel.rect, &px) {
            canvas.polyline(&simplify(piece), stroke);
        }
    };
    curve(&mut canvas, &upper, &seen, &Stroke::solid(GREY, 1.2));
    curve(&mut canvas, &upper, &fitted, &Stroke::solid(style.color, 2.0));
    lower.grid(&mut canvas);
    lower.curve(&mut canvas, &[(x.lo, 0.0), (x.hi, 0.0)], &Stroke::solid(GREY, 1.0));
    curve(&mut canvas, &lower, &rest, &Stroke::solid(style.color, 1.6));
    upper.frame(&mut canvas, &Decor { y_label: "density", y_ticks: true, ..Decor::default() });
    lower.frame(
        &mut canvas,
        &Decor { x_label: &axis.name, y_label: "fit − data", x_ticks: true, y_ticks: true, ..Decor::default() },
    );
    legend.draw(&mut canvas, total / 2.0, legend_y);
    save(canvas, stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(cells: usize) -> Axis {
        Axis { name: "x".into(), lower: 0.0, upper: 1.0, cells }
    }

    #[test]
    fn a_marginal_integrates_the_other_axis() {
        let axes = [axis(2), axis(3), axis(4)];
        let values: Vec<f64> = (0..24).map(f64::from).collect();
        let m = marginal(&axes, &values, [0, 2]);
        for i in 0..2 {
            for k in 0..4 {
                let direct: f64 = (0..3).map(|j| values[i * 12 + j * 4 + k] / 3.0).sum();
                assert!((m[i * 4 + k] - direct).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn block_means_keep_the_mean() {
        let a = axis(300);
        let values: Vec<f64> = (0..90_000).map(|k| f64::from(k % 7)).collect();
        let g = Grid::new([&a, &a], &values);
        assert_eq!(g.cells, [100, 100]);
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        assert!((mean(&g.values) - mean(&values)).abs() < 1e-9);
    }
}
