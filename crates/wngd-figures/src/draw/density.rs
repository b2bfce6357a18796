//! One density.

use crate::about::About;
use crate::axes::{ABOVE, Decor, Panel, Range, left_margin};
use crate::canvas::Rect;
use crate::cells::{Axis, Grid, density_scale, marginal};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::palettes;
use crate::sheet::{Sheet, WIDE};

/// One density on its grid: a map in two dimensions, the marginals side by side in three, a map of one row in one.
#[derive(Clone, Debug, Default)]
pub struct Density {
    /// The grid's axes.
    pub axes: Vec<Axis>,
    /// The density per cell, the last axis fastest.
    pub values: Vec<f64>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for Density {
    fn about(&self) -> About {
        let names: Vec<&str> = self.axes.iter().map(|a| a.name.as_str()).collect();
        let what = match names.len() {
            0..=2 => "Map of the density",
            _ => "Maps of the density's marginals on the pairs of the first three axes",
        };
        About::new(
            "density",
            format!("Density over {}.", names.join(", ")),
            format!("{what}, over {}; dark where it is high.", names.join(", ")),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        let size: usize = self.axes.iter().map(|a| a.cells).product();
        if self.axes.is_empty() || size != self.values.len() {
            return Err(FigureError::shape("values", format!("has {} entries for {size} cells", self.values.len())));
        }
        let mut axes = self.axes.clone();
        if axes.len() == 1 {
            // A line is drawn as a strip.
            axes.push(Axis { name: String::new(), lower: 0.0, upper: 1.0, cells: 1 });
        }
        let pairs: &[[usize; 2]] = if axes.len() == 2 { &[[0, 1]] } else { &[[0, 1], [0, 2], [1, 2]] };
        let h = match self.axes.len() {
            1 => 60.0,
            2 => 300.0,
            _ => 160.0,
        };
        let gap = 10.0;
        let margin = |p: &[usize; 2]| left_margin(&Range::linear(axes[p[1]].lower, axes[p[1]].upper), h, true) + 8.0;
        let margins: Vec<f64> = pairs.iter().map(margin).collect();
        let w = ((WIDE - 8.0 - margins.iter().sum::<f64>()) / pairs.len() as f64 - gap).min(360.0);
        let total = 8.0 + margins.iter().sum::<f64>() + (w + gap) * pairs.len() as f64;
        let mut sheet = Sheet::new(total, &self.title);
        let mut x0 = 0.0;
        for (pair, margin) in pairs.iter().zip(&margins) {
            x0 += margin;
            let shown = [&axes[pair[0]], &axes[pair[1]]];
            let grid = Grid::new(shown, &marginal(&axes, &self.values, *pair));
            let (x, y) = grid.ranges();
            let scale = density_scale(std::slice::from_ref(&grid));
            let panel = Panel { rect: Rect::new(x0, sheet.top + ABOVE, w, h), x, y };
            grid.draw(&mut sheet.canvas, &panel, &scale, &palettes::density);
            let named = !shown[1].name.is_empty();
            let decor = Decor {
                title: "",
                x_label: &shown[0].name,
                y_label: &shown[1].name,
                x_ticks: true,
                y_ticks: named,
                ..Decor::default()
            };
            panel.frame(&mut sheet.canvas, &decor);
            sheet.color_bar(&panel, (x0, w), &scale, "density", palettes::density, &[]);
            x0 += w + gap;
        }
        Ok(sheet.finish())
    }
}
