//! Parameters with their errors and correlations, as a corner.

use crate::about::About;
use crate::axes::{Decor, Panel, Range, left_margin};
use crate::canvas::{Align, BLACK, LABEL, Point, Rect, Rgb, SMALL, Stroke, WHITE, fit, text_width};
use crate::component::ellipse;
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::number::minus;
use crate::palettes::{CATEGORIES, diverging};
use crate::sheet::{Sheet, WIDE};

/// Most parameters that are drawn.
const MOST: usize = 12;
/// Standard errors on either side that panels show.
const REACH: f64 = 3.0;
/// Between panels with ticks: what stands at their ends must not touch.
const APART: f64 = 26.0;
/// Panels at least this wide have ticks.
const TICKS: f64 = 96.0;
const INNER: Rgb = Rgb(0xa9, 0xc4, 0xde);
const OUTER: Rgb = Rgb(0xdc, 0xe7, 0xf1);
const LINE: Stroke = Stroke::solid(CATEGORIES[0], 1.3);
const PROFILE: Stroke = Stroke { color: CATEGORIES[1], width: 1.8, dash: &[5.0, 3.0] };

/// Estimates with their covariance: below the diagonal an ellipse per pair, at one and two standard errors; on it the
/// normal distribution of each; above it the correlations.
#[derive(Clone, Debug, Default)]
pub struct ParameterCovariance {
    /// Names of the parameters.
    pub names: Vec<String>,
    /// Their values.
    pub values: Vec<f64>,
    /// Value and error as words, one each; may be empty.
    pub words: Vec<String>,
    /// Their covariance.
    pub covariance: Vec<Vec<f64>>,
    /// Per parameter values and the profiled likelihood there, 1 at its best; may be empty, and so may each of them.
    pub profiles: Vec<Vec<[f64; 2]>>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl ParameterCovariance {
    fn profiled(&self) -> bool {
        self.profiles.iter().any(|curve| !curve.is_empty())
    }

    fn deviation(&self, i: usize) -> f64 {
        self.covariance[i][i].max(0.0).sqrt()
    }

    fn correlation(&self, i: usize, j: usize) -> f64 {
        self.covariance[i][j] / (self.deviation(i) * self.deviation(j))
    }

    fn range(&self, i: usize) -> Range {
        let reach = REACH * self.deviation(i);
        Range::linear(self.values[i] - reach, self.values[i] + reach)
    }

    fn check(&self) -> Result<(), FigureError> {
        let p = self.names.len();
        if p == 0 {
            return Err(FigureError::shape("names", "is empty"));
        }
        if self.values.len() != p || self.values.iter().any(|v| !v.is_finite()) {
            return Err(FigureError::shape("values", format!("are not {p} finite numbers")));
        }
        if !self.words.is_empty() && self.words.len() != p {
            return Err(FigureError::shape("words", format!("has {} entries for {p} names", self.words.len())));
        }
        if !self.profiles.is_empty() && self.profiles.len() != p {
            return Err(FigureError::shape("profiles", format!("has {} entries for {p} names", self.profiles.len())));
        }
        let square = self.covariance.len() == p && self.covariance.iter().all(|row| row.len() == p);
        if !square || self.covariance.iter().flatten().any(|v| !v.is_finite()) {
            return Err(FigureError::shape("covariance", format!("is no matrix of {p} by {p} finite numbers")));
        }
        Ok(())
    }
}

impl Figure for ParameterCovariance {
    fn about(&self) -> About {
        let mut strongest: Option<(f64, usize, usize)> = None;
        let p = self.names.len();
        if self.check().is_ok() {
            for (i, j) in (0..p).flat_map(|i| (0..i).map(move |j| (i, j))) {
                let r = self.correlation(i, j);
                if r.is_finite() && strongest.is_none_or(|s| r.abs() > s.0.abs()) {
                    strongest = Some((r, i, j));
                }
            }
        }
        let strongest = strongest.map_or(String::new(), |(r, i, j)| {
            let r = minus(&format!("{r:.2}"));
            format!(" The strongest correlation is {r}, between {} and {}.", self.names[j], self.names[i])
        });
        let profiled = if self.profiled() { " with its likelihood profile" } else { "" };
        About::new(
            "covariance",
            format!(
                "Errors of the parameters and how they hang together: ellipses at one and two standard errors, each parameter's distribution{profiled}, correlations.{strongest}"
            ),
            format!(
                "A triangle of {p} by {p} panels with an ellipse per pair of parameters, bell curves on the diagonal and numbers above it.{strongest}"
            ),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        let n = self.names.len().min(MOST);
        let named = self.names[..n].iter().map(|s| text_width(s, SMALL)).fold(0.0, f64::max).min(220.0);
        let side_with = |margin: f64, gap: f64| ((WIDE - margin - 10.0 - gap * (n - 1) as f64) / n as f64).min(170.0);
        // With room for ticks names stand along the axes, else in rows to the left.
        let along = (1..n).map(|i| left_margin(&self.range(i), 110.0, true)).fold(16.0, f64::max) + 10.0;
        let longest = self.names[..n].iter().map(|s| text_width(s, LABEL)).fold(0.0, f64::max);
        let side = side_with(along, APART);
        // Names longer than a panel would run into each other.
        let ticked = side >= TICKS && (n == 1 || longest <= side);
        let gap = if ticked { APART } else { 4.0 };
        let margin = if ticked { along } else { named + 14.0 };
        let side = side_with(margin, gap);
        let mut sheet = Sheet::new(margin + 10.0 + n as f64 * (side + gap), &self.title);
        let top = sheet.top + if ticked { 22.0 } else { 8.0 };
        for row in 0..n {
            for column in 0..n {
                let at = (margin + column as f64 * (side + gap), top + row as f64 * (side + gap));
                let rect = Rect::new(at.0, at.1, side, side);
                let (first, last) = (column == 0 && row > 0, row + 1 == n);
                let decor = Decor {
                    x_label: if ticked && last && column <= row { &self.names[column] } else { "" },
                    y_label: if ticked && first { &self.names[row] } else { "" },
                    x_ticks: ticked && last && column <= row,
                    y_ticks: ticked && first,
                    no_y: row == column,
                    ..Decor::default()
                };
                match column.cmp(&row) {
                    std::cmp::Ordering::Less => self.pair(&mut sheet, rect, [column, row], ticked, &decor),
                    std::cmp::Ordering::Equal => self.single(&mut sheet, rect, row, ticked, &decor),
                    std::cmp::Ordering::Greater => self.number(&mut sheet, rect, [column, row]),
                }
            }
            if !ticked {
                let y = top + row as f64 * (side + gap) + 0.5 * side + 4.3;
                let name = fit(&self.names[row], SMALL, named);
                sheet.canvas.text((margin - 8.0, y), &name, SMALL, Align::Right, BLACK);
            }
        }
        let bottom = top + n as f64 * (side + gap) - gap;
        sheet.panels_end(if ticked { bottom } else { bottom - 40.0 });
        let more = self.names.len() - n;
        let more = if more > 0 { format!("; {more} more parameters are not drawn") } else { String::new() };
        let profiled = if self.profiled() { "; dashed: likelihood profiles" } else { "" };
        let order = if ticked { "" } else { "columns as rows; " };
        sheet.note(&format!("{order}ellipses: one and two standard errors; numbers: correlations{profiled}{more}"));
        Ok(sheet.finish())
    }
}

impl ParameterCovariance {
    fn pair(&self, sheet: &mut Sheet, rect: Rect, [a, b]: [usize; 2], ticked: bool, decor: &Decor) {
        let panel = Panel { rect, x: self.range(a), y: self.range(b) };
        let entries = [self.covariance[a][a], self.covariance[a][b], self.covariance[b][b]];
        for (deviations, fill) in [(2.0, OUTER), (1.0, INNER)] {
            let Some(line) = ellipse([self.values[a], self.values[b]], entries, deviations) else { continue };
            let px: Vec<Point> = line.iter().map(|p| panel.at(p.0, p.1)).collect();
            sheet.canvas.polygon(&px, Some(fill), Some(&Stroke { width: if ticked { 1.3 } else { 0.9 }, ..LINE }));
        }
        framed(sheet, &panel, ticked, decor);
    }

    fn single(&self, sheet: &mut Sheet, rect: Rect, i: usize, ticked: bool, decor: &Decor) {
        let x = self.range(i);
        let panel = Panel { rect, x, y: Range::linear(0.0, 1.12) };
        let bell = |reach: f64| -> Vec<Point> {
            (-40..=40)
                .map(|k| reach * f64::from(k) / 40.0)
                .map(|t| panel.at(self.values[i] + t * self.deviation(i), (-0.5 * t * t).exp()))
                .collect()
        };
        for (reach, fill) in [(2.0, OUTER), (1.0, INNER)] {
            let mut area = bell(reach);
            let base = panel.rect.bottom();
            let ends = (area[0].0, area[area.len() - 1].0);
            area.extend([(ends.1, base), (ends.0, base)]);
            sheet.canvas.polygon(&area, Some(fill), None);
        }
        sheet.canvas.polyline(&bell(REACH), &LINE);
        if let Some(curve) = self.profiles.get(i) {
            let line: Vec<Point> = curve.iter().map(|p| (p[0], p[1])).collect();
            panel.curve(&mut sheet.canvas, &line, &PROFILE);
        }
        framed(sheet, &panel, ticked, decor);
        if let (true, Some(words)) = (ticked, self.words.get(i)) {
            let text = fit(words, SMALL, rect.w + 8.0);
            sheet.canvas.text((rect.x + 0.5 * rect.w, rect.y - 6.0), &text, SMALL, Align::Middle, BLACK);
        }
    }

    fn number(&self, sheet: &mut Sheet, rect: Rect, [a, b]: [usize; 2]) {
        let r = self.correlation(a, b);
        if !r.is_finite() {
            return;
        }
        // Paler than the map of residuals: numbers stand on it.
        let color = WHITE.mix(diverging(r), 0.75);
        let text = minus(&format!("{r:.2}"));
        let size = (text_width(&text, SMALL) + 8.0).max(0.45 * rect.w).min(rect.w);
        let (x, y) = (rect.x + 0.5 * (rect.w - size), rect.y + 0.5 * (rect.h - 22.0));
        sheet.canvas.fill(Rect::new(x, y, size, 22.0), color);
        let ink = if color.luminance() < 0.5 { WHITE } else { BLACK };
        sheet.canvas.text((rect.x + 0.5 * rect.w, y + 15.3), &text, SMALL, Align::Middle, ink);
    }
}

/// The frame; a plain one where ticks would be all there is to see.
fn framed(sheet: &mut Sheet, panel: &Panel, ticked: bool, decor: &Decor) {
    if ticked {
        panel.frame(&mut sheet.canvas, decor);
    } else {
        sheet.canvas.outline(panel.rect, &Stroke::solid(BLACK, 0.7));
    }
}
