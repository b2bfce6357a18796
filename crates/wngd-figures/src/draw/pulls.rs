//! Pulls of toy experiments.

use crate::about::About;
use crate::axes::{ABOVE, BELOW, Decor, Panel, Range, left_margin};
use crate::canvas::{Point, Rect, Rgb, Stroke, WHITE};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::palettes::CATEGORIES;
use crate::sheet::{Entry, Sample, Sheet, WIDE};

/// Colour of the bars.
pub(super) const BARS: Rgb = Rgb(0x9a, 0xb6, 0xcf);
/// Panels per row, and most of them.
const ROW: usize = 3;
const MOST: usize = 12;
/// The height of a panel.
const HEIGHT: f64 = 150.0;
/// Pulls beyond are counted in the last bars.
pub(super) const REACH: f64 = 4.0;

/// The pulls of one parameter.
#[derive(Clone, Debug, Default)]
pub struct PullPanel {
    /// Its name.
    pub name: String,
    /// (estimate − truth)/standard error of each toy.
    pub pulls: Vec<f64>,
    /// Mean and width, as words: `0.01(3), 0.99(2)`.
    pub words: String,
}

/// Histograms of pulls beside the normal distribution that they should have, a panel per parameter.
#[derive(Clone, Debug, Default)]
pub struct Pulls {
    /// The parameters.
    pub panels: Vec<PullPanel>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for Pulls {
    fn about(&self) -> About {
        About::new(
            "pulls",
            "Pulls of the toys, (estimate − truth)/standard error, beside the normal distribution of mean 0 and width 1; those beyond 4 are in the last bars.",
            "One histogram per parameter with the bell curve of a normal distribution over it.",
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        if self.panels.is_empty() || self.panels.iter().all(|p| p.pulls.is_empty()) {
            return Err(FigureError::shape("panels", "is empty"));
        }
        let shown = self.panels.len().min(MOST);
        let columns = shown.min(ROW);
        let densities: Vec<Vec<f64>> = self.panels.iter().take(shown).map(|p| bars(&p.pulls)).collect();
        let most = densities.iter().flatten().fold(0.45, |most: f64, d| most.max(*d));
        let (x, y) = (Range::linear(-REACH, REACH), Range::linear(0.0, 1.06 * most));
        let margin = left_margin(&y, HEIGHT, false) + 10.0;
        let w = (WIDE - 12.0) / columns as f64 - margin;
        let mut sheet = Sheet::new(WIDE, &self.title);
        let pitch = HEIGHT + BELOW + ABOVE + 16.0;
        let top = sheet.top + ABOVE;
        for (j, heights) in densities.iter().enumerate() {
            let corner = ((j % columns) as f64 * (margin + w) + margin, top + pitch * (j / columns) as f64);
            let panel = Panel { rect: Rect::new(corner.0, corner.1, w, HEIGHT), x, y };
            let canvas = &mut sheet.canvas;
            panel.grid(canvas);
            let width = 2.0 * REACH / heights.len() as f64;
            for (i, height) in heights.iter().enumerate() {
                let left = -REACH + width * i as f64;
                let (a, b) = (panel.at(left, *height), panel.at(left + width, 0.0));
                canvas.fill(Rect::new(a.0, a.1, b.0 - a.0, b.1 - a.1), BARS);
                canvas.line((a.0, a.1), (a.0, b.1), &Stroke::solid(WHITE, 0.6));
            }
            panel.fine_curve(canvas, &bell(), &NORMAL);
            let PullPanel { name, words, .. } = &self.panels[j];
            let decor =
                Decor { title: name, x_label: words, y_label: "", x_ticks: true, y_ticks: true, ..Decor::default() };
            panel.frame(canvas, &decor);
            sheet.panels_end(corner.1 + HEIGHT);
        }
        sheet.legend(vec![
            Entry::new("pulls", Sample::Patch(BARS)),
            Entry::new("normal distribution", Sample::Line(NORMAL, None)),
        ]);
        Ok(sheet.finish())
    }
}

pub(super) const NORMAL: Stroke = Stroke::solid(CATEGORIES[2], 1.7);

/// The density of the normal distribution between ∓4.
pub(super) fn bell() -> Vec<Point> {
    let at = (0..=160).map(|i| -REACH + 2.0 * REACH * f64::from(i) / 160.0);
    at.map(|t| (t, (-0.5 * t * t).exp() / (2.0 * std::f64::consts::PI).sqrt())).collect()
}

/// Densities in bars between ∓4, as many as the number of pulls deserves.
pub(super) fn bars(pulls: &[f64]) -> Vec<f64> {
    let count = (2.0 * (pulls.len() as f64).cbrt()).clamp(8.0, 40.0) as usize;
    let mut bars = vec![0.0; count];
    for pull in pulls.iter().filter(|pull| !pull.is_nan()) {
        let place = (pull + REACH) / (2.0 * REACH) * count as f64;
        bars[(place.max(0.0) as usize).min(count - 1)] += 1.0;
    }
    let scale = count as f64 / (2.0 * REACH * pulls.len().max(1) as f64);
    bars.iter().map(|n| n * scale).collect()
}
