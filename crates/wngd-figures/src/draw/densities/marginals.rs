//! Three dimensions or more: rows data, fit, residual; columns the pairs of the first three axes.

use super::residual::{RESIDUAL, difference, diverging, residual_scale, sign_lines};
use super::value::Densities;
use crate::axes::{ABOVE, BAR_BELOW, BELOW, Decor, Panel, Range, left_margin};
use crate::canvas::{BLACK, Rect, Rgb, TITLE};
use crate::cells::{Grid, density_scale, marginal};
use crate::drawing::Drawing;
use crate::palettes;
use crate::sheet::{Sheet, WIDE};

/// The pairs of the first three axes.
const PAIRS: [[usize; 2]; 3] = [[0, 1], [0, 2], [1, 2]];
/// Room for the names of rows.
const NAMES: f64 = 26.0;

pub(super) fn draw(data: &Densities) -> Drawing {
    let rest = difference(&data.fit, &data.data);
    let fit_name = data.fit_name();
    let rows = [("data", &data.data), (fit_name.as_str(), &data.fit), ("fit − data", &rest)];
    let (w, h) = (150.0, 130.0);
    let margins = PAIRS.map(|p| {
        let a = &data.axes[p[1]];
        left_margin(&Range::linear(a.lower, a.upper), h, true) + 6.0
    });
    let spare = WIDE - NAMES - 16.0 - margins.iter().sum::<f64>();
    let w = (spare / 3.0 - 8.0).max(w * 0.8);
    let total = NAMES + 16.0 + margins.iter().sum::<f64>() + 3.0 * (w + 8.0);
    let mut sheet = Sheet::new(total, &data.title);
    // Under the first row only a gap; under the others ticks and a bar.
    let below = BELOW + BAR_BELOW + 10.0;
    let top = sheet.top + ABOVE;
    let tops = [top, top + h + 14.0, top + 2.0 * h + 14.0 + below + 8.0];
    let mut x0 = NAMES;
    for (c, pair) in PAIRS.iter().enumerate() {
        x0 += margins[c];
        let axes = [&data.axes[pair[0]], &data.axes[pair[1]]];
        let grids = rows.map(|r| Grid::new(axes, &marginal(&data.axes, r.1, *pair)));
        let (x, y) = grids[0].ranges();
        let dense = density_scale(&grids[..2]);
        let rest = residual_scale(&grids[2]);
        let heading = format!("{}–{} marginal", axes[0].name, axes[1].name);
        for (r, grid) in grids.iter().enumerate() {
            let panel = Panel { rect: Rect::new(x0, tops[r], w, h), x, y };
            let (scale, color, caption): (&Range, &dyn Fn(f64) -> Rgb, &str) =
                if r < 2 { (&dense, &palettes::density, "density") } else { (&rest, &diverging, RESIDUAL) };
            let canvas = &mut sheet.canvas;
            grid.draw(canvas, &panel, scale, color);
            let marks = if r < 2 { Vec::new() } else { sign_lines(grid, canvas, &panel, scale.hi) };
            let (title, x_label) = if r == 0 { (heading.as_str(), "") } else { ("", axes[0].name.as_str()) };
            panel.frame(
                canvas,
                &Decor { title, x_label, y_label: &axes[1].name, x_ticks: r > 0, y_ticks: true, ..Decor::default() },
            );
            if r > 0 {
                sheet.color_bar(&panel, (x0, w), scale, caption, color, &marks);
            }
            if c == 0 {
                sheet.canvas.text_up((NAMES - 8.0, tops[r] + h / 2.0), rows[r].0, TITLE, BLACK);
            }
        }
        x0 += w + 8.0;
    }
    sheet.finish()
}
