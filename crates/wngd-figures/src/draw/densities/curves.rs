//! One dimension: data and fit overlaid, the residual below.

use super::residual::difference;
use super::value::Densities;
use crate::axes::{Decor, Panel, Range, extent, left_margin};
use crate::canvas::{GREY, PALE, Point, Rect, Stroke};
use crate::drawing::Drawing;
use crate::looks;
use crate::sheet::{COLUMN, Entry, Sample, Sheet};

/// At most this many points of a curve.
const MOST_POINTS: usize = 1024;
/// The width of the page.
const TOTAL: f64 = 560.0;

pub(super) fn draw(data: &Densities) -> Drawing {
    within(data, TOTAL).with_column(within(data, COLUMN))
}

/// Laid out on a page of a width.
fn within(data: &Densities, total: f64) -> Drawing {
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
    let (seen, fitted, rest) = (means(&data.data), means(&data.fit), means(&difference(&data.fit, &data.data)));
    let x = Range::linear(axis.lower, axis.upper);
    let (lo, hi) = extent(seen.iter().chain(&fitted).map(|p| p.1)).unwrap_or((0.0, 1.0));
    let lo = lo.min(0.0);
    let y = Range::linear(lo * 1.06, hi + 0.06 * (hi - lo));
    let m = extent(rest.iter().map(|p| p.1)).map_or(0.0, |(a, b)| a.abs().max(b.abs()));
    let ry = Range::linear(-1.1 * m, 1.1 * m);
    let (h, rh) = (250.0, 150.0);
    let left = left_margin(&y, h, true).max(left_margin(&ry, rh, true)) + 10.0;
    let w = total - left - 24.0;
    let mut sheet = Sheet::new(total, &data.title);
    let upper = Panel { rect: Rect::new(left, sheet.top + 4.0, w, h), x, y };
    let lower = Panel { rect: Rect::new(left, upper.rect.bottom() + 16.0, w, rh), x, y: ry };
    let style = &looks::styles([data.label.as_str()])[0];
    let canvas = &mut sheet.canvas;
    // The area under the data.
    let mut area: Vec<Point> = seen.iter().filter(|p| p.1.is_finite()).map(|p| upper.at(p.0, p.1)).collect();
    if let (Some(a), Some(b)) = (area.first().copied(), area.last().copied()) {
        let base = upper.at(x.lo, 0.0).1;
        area.push((b.0, base));
        area.push((a.0, base));
        canvas.polygon(&area, Some(PALE), None);
    }
    upper.fine_curve(canvas, &seen, &Stroke::solid(GREY, 1.2));
    upper.fine_curve(canvas, &fitted, &Stroke::solid(style.color, 2.0));
    lower.grid(canvas);
    lower.curve(canvas, &[(x.lo, 0.0), (x.hi, 0.0)], &Stroke::solid(GREY, 1.0));
    lower.fine_curve(canvas, &rest, &Stroke::solid(style.color, 1.6));
    upper.frame(canvas, &Decor { y_label: "density", y_ticks: true, ..Decor::default() });
    let decor =
        Decor { x_label: &axis.name, y_label: "fit − data", x_ticks: true, y_ticks: true, ..Decor::default() };
    lower.frame(canvas, &decor);
    sheet.panels_end(lower.rect.bottom());
    sheet.legend(vec![
        Entry::new("data", Sample::Patch(PALE)),
        Entry::new(data.fit_name(), Sample::Line(Stroke::solid(style.color, 2.0), None)),
    ]);
    sheet.finish()
}
