//! Two dimensions: three maps side by side.

use super::residual::{RESIDUAL, difference, diverging, residual_scale, sign_lines};
use super::value::Densities;
use crate::axes::{ABOVE, Decor, Panel, Range, left_margin};
use crate::canvas::{Rect, Rgb};
use crate::cells::{Grid, density_scale};
use crate::drawing::Drawing;
use crate::palettes;
use crate::sheet::{Sheet, WIDE};

pub(super) fn draw(data: &Densities) -> Drawing {
    let axes = [&data.axes[0], &data.axes[1]];
    let rest = difference(&data.fit, &data.data);
    let grids = [&data.data, &data.fit, &rest].map(|values| Grid::new(axes, values));
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
    let mut sheet = Sheet::new(left + 3.0 * pitch - gap + 18.0, &data.title);
    let dense = density_scale(&grids[..2]);
    let rest = residual_scale(&grids[2]);
    let fit_name = data.fit_name();
    for (k, (grid, name)) in grids.iter().zip(["data", &fit_name, "residual (fit − data)"]).enumerate() {
        let slot = left + pitch * k as f64;
        let panel = Panel { rect: Rect::new(slot + (pitch - gap - w) / 2.0, sheet.top + ABOVE, w, h), x, y };
        let (scale, color, caption): (&Range, &dyn Fn(f64) -> Rgb, &str) =
            if k < 2 { (&dense, &palettes::density, "density") } else { (&rest, &diverging, RESIDUAL) };
        let canvas = &mut sheet.canvas;
        grid.draw(canvas, &panel, scale, color);
        let marks = if k < 2 { Vec::new() } else { sign_lines(grid, canvas, &panel, scale.hi) };
        let y_label = if k == 0 { axes[1].name.as_str() } else { "" };
        let decor =
            Decor { title: name, x_label: &axes[0].name, y_label, x_ticks: true, y_ticks: k == 0, ..Decor::default() };
        panel.frame(canvas, &decor);
        sheet.color_bar(&panel, (slot, pitch - gap), scale, caption, color, &marks);
    }
    sheet.finish()
}
