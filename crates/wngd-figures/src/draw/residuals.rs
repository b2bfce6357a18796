//! Pearson's residuals over pairs of axes.

use crate::about::About;
use crate::axes::{ABOVE, Decor, Panel, Range, left_margin};
use crate::canvas::{OUTSIDE, Rect};
use crate::cells::{Axis, check, marginal};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::palettes::diverging;
use crate::sheet::{Entry, Sample, Sheet};

/// Pairs of axes that are drawn.
const PAIRS: [[usize; 2]; 3] = [[0, 1], [0, 2], [1, 2]];
/// A cell with less expected is left blank.
const LEAST: f64 = 1.0;
/// Residuals that have the last colour.
const REACH: f64 = 4.0;
/// Steps of the colours; odd, so that zero is white.
const SHADES: usize = 33;

/// (count − expected)/√expected over each pair of the first three axes, in cells wide enough to expect some counts.
#[derive(Clone, Debug, Default)]
pub struct Residuals {
    /// The grid's axes.
    pub axes: Vec<Axis>,
    /// The data's density per cell, the last axis fastest.
    pub data: Vec<f64>,
    /// The fitted density, laid out as the data.
    pub fit: Vec<f64>,
    /// How many were counted.
    pub number: f64,
    /// The figure's title; none if empty.
    pub title: String,
}

/// Cells of a pair, merged.
struct Merged {
    edges: [Vec<f64>; 2],
    /// Residuals, the second axis fastest; none where too little is expected.
    residuals: Vec<Option<f64>>,
}

impl Residuals {
    fn pairs(&self) -> Vec<[usize; 2]> {
        PAIRS.into_iter().filter(|p| p[1] < self.axes.len()).collect()
    }

    fn merged(&self, pair: [usize; 2]) -> Merged {
        // About ten counts in a cell, were they spread evenly over a quarter of the map.
        let wanted = ((4.0 * self.number / 10.0).sqrt() as usize).clamp(8, 32);
        let axes = pair.map(|k| &self.axes[k]);
        let block = axes.map(|a| a.cells.div_ceil(wanted));
        let cells = [0, 1].map(|k| axes[k].cells.div_ceil(block[k]));
        let edges = [0, 1].map(|k| {
            let (a, width) = (axes[k], (axes[k].upper - axes[k].lower) / axes[k].cells as f64);
            (0..=cells[k]).map(|i| a.lower + width * (i * block[k]).min(a.cells) as f64).collect::<Vec<f64>>()
        });
        let area: f64 = axes.iter().map(|a| (a.upper - a.lower) / a.cells as f64).product();
        let sums = |values: &[f64]| {
            let mut out = vec![0.0; cells[0] * cells[1]];
            for (n, v) in marginal(&self.axes, values, pair).iter().enumerate() {
                let (i, j) = (n / axes[1].cells / block[0], n % axes[1].cells / block[1]);
                out[i * cells[1] + j] += v * area * self.number;
            }
            out
        };
        let (counted, expected) = (sums(&self.data), sums(&self.fit));
        let residual = |(n, m): (&f64, &f64)| (*m >= LEAST && n.is_finite()).then(|| (n - m) / m.sqrt());
        Merged { edges, residuals: counted.iter().zip(&expected).map(residual).collect() }
    }
}

impl Figure for Residuals {
    fn about(&self) -> About {
        let names: Vec<&str> = self.axes.iter().take(3).map(|a| a.name.as_str()).collect();
        let names = names.join(", ");
        About::new(
            "residuals",
            format!(
                "Pearson's residuals of the counts over {names}: (count − expected)/√expected; grey where less than one is expected."
            ),
            format!("Maps over {names}: red cells hold more than the fit expects, blue ones less, white ones as much."),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        check(&self.axes, &[("data", &self.data), ("fit", &self.fit)])?;
        let pairs = self.pairs();
        if pairs.is_empty() {
            return Err(FigureError::shape("axes", "is one axis; a pair is needed"));
        }
        if !(self.number > 0.0 && self.number.is_finite()) {
            return Err(FigureError::shape("number", "is no positive number"));
        }
        let (w, h) = if pairs.len() == 1 { (400.0, 330.0) } else { (150.0, 150.0) };
        let range = |k: usize| Range::linear(self.axes[k].lower, self.axes[k].upper);
        let margins: Vec<f64> = pairs.iter().map(|p| left_margin(&range(p[1]), h, true) + 12.0).collect();
        let total = margins.iter().sum::<f64>() + pairs.len() as f64 * (w + 8.0) + 12.0;
        let mut sheet = Sheet::new(total, &self.title);
        let top = sheet.top + if pairs.len() == 1 { 4.0 } else { ABOVE };
        let scale = Range::linear(-REACH, REACH);
        let color = |t: f64| diverging(2.0 * t - 1.0);
        let mut palette: Vec<_> = (0..SHADES).map(|i| color((i as f64 + 0.5) / SHADES as f64)).collect();
        palette.push(OUTSIDE);
        let mut at = 0.0;
        let mut bar = (0.0, 0.0);
        for (pair, margin) in pairs.iter().zip(&margins) {
            at += margin;
            let panel = Panel { rect: Rect::new(at, top, w, h), x: range(pair[0]), y: range(pair[1]) };
            let Merged { edges, residuals } = self.merged(*pair);
            let columns: Vec<f64> = edges[0].iter().map(|v| panel.at(*v, panel.y.lo).0).collect();
            let rows: Vec<f64> = edges[1].iter().map(|v| panel.at(panel.x.lo, *v).1).collect();
            let count = rows.len() - 1;
            sheet.canvas.cells(&columns, &rows, &palette, |i, j| {
                Some(
                    residuals[i * count + j]
                        .map_or(SHADES, |r| ((scale.unit(r).clamp(0.0, 1.0) * SHADES as f64) as usize).min(SHADES - 1)),
                )
            });
            let decor = Decor {
                x_label: &self.axes[pair[0]].name,
                y_label: &self.axes[pair[1]].name,
                x_ticks: true,
                y_ticks: true,
                ..Decor::default()
            };
            panel.frame(&mut sheet.canvas, &decor);
            bar = (at, w);
            at += w + 8.0;
        }
        sheet.panels_end(top + h);
        let panel = Panel { rect: Rect::new(0.0, top, w, h), x: scale, y: scale };
        let place = if pairs.len() == 1 { bar } else { (0.2 * total, 0.6 * total) };
        sheet.color_bar(&panel, place, &scale, "(count − expected)/√expected", color, &[]);
        sheet.legend(vec![Entry::new("less than one count expected", Sample::Patch(OUTSIDE))]);
        Ok(sheet.finish())
    }
}
