//! Errors of estimated directions against the solves they cost.

use crate::about::About;
use crate::axes::{ABOVE, BELOW_TICKS, Decor, Panel, Range, left_margin};
use crate::canvas::{Point, Rect, Stroke};
use crate::curves::{Floor, draw_lines};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::looks::{self, MethodStyle};
use crate::sheet::{Entry, Sheet, WIDE};

/// One estimator: lower quartile, median and upper quartile at each number of solves.
#[derive(Clone, Debug, Default)]
pub struct EstimatorCurve {
    /// Its name.
    pub label: String,
    /// Numbers of solves.
    pub solves: Vec<f64>,
    /// Relative errors of the direction.
    pub error: Vec<[f64; 3]>,
    /// Decreases of the objective as shares of the exact direction's.
    pub decrease: Vec<[f64; 3]>,
}

/// The estimators under one metric.
#[derive(Clone, Debug, Default)]
pub struct EstimatorPanel {
    /// The metric's name.
    pub title: String,
    /// Its estimators; each panel the same ones in the same order, or fewer.
    pub curves: Vec<EstimatorCurve>,
}

/// Some metrics side by side: for each, the error of η (logarithmic) and the decrease of the objective against the
/// number of solves, medians with bars between the quartiles.
#[derive(Clone, Debug, Default)]
pub struct Estimators {
    /// One column per metric.
    pub panels: Vec<EstimatorPanel>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for Estimators {
    fn about(&self) -> About {
        About::new(
            "sketch",
            "Error of the direction and decrease of the objective against the number of solves, one column per metric.",
            "Line plots over a logarithmic axis of solves: above the error of each estimator's direction, below the \
             decrease of the objective along it, medians with bars between the quartiles.",
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        let curves = || self.panels.iter().flat_map(|p| &p.curves);
        if self.panels.is_empty() || curves().next().is_none() {
            return Err(FigureError::shape("panels", "is empty"));
        }
        for curve in curves() {
            let n = curve.solves.len();
            if n == 0 || curve.error.len() != n || curve.decrease.len() != n {
                return Err(FigureError::shape("curves", format!("{} has lengths that disagree", curve.label)));
            }
        }
        let mut labels: Vec<&str> = Vec::new();
        for curve in curves().filter(|c| !c.label.is_empty()) {
            if !labels.contains(&curve.label.as_str()) {
                labels.push(&curve.label);
            }
        }
        let styles = looks::styles(labels.iter().copied());
        let floor = Floor::new(curves().flat_map(|c| c.error.iter().flatten().copied()));
        let solves = curves().flat_map(|c| c.solves.iter().copied());
        let (least, most) = solves.fold((f64::INFINITY, 0.0f64), |(l, m), v| (l.min(v), m.max(v)));
        let x = Range::logarithmic(least / 1.3, most * 1.3);
        let rows = [floor.range(), Range::linear(-0.05, 1.1)];

        let (columns, h, gap) = (self.panels.len(), 220.0, 26.0);
        let left = rows.iter().map(|y| left_margin(y, h, true)).fold(0.0, f64::max) + 10.0;
        let w = (WIDE - left - 24.0 - gap * (columns - 1) as f64) / columns as f64;
        let mut sheet = Sheet::new(WIDE, &self.title);
        let top = sheet.top + ABOVE;
        let second = top + h + BELOW_TICKS + 8.0;
        for (column, panel) in self.panels.iter().enumerate() {
            let name = looks::display_name(&panel.title);
            for (row, y) in rows.iter().enumerate() {
                let canvas = &mut sheet.canvas;
                let corner = (left + column as f64 * (w + gap), if row == 0 { top } else { second });
                let frame = Panel { rect: Rect::new(corner.0, corner.1, w, h), x, y: *y };
                frame.grid(canvas);
                let lift = |v: f64| if row == 0 { floor.lift(v) } else { v.max(-0.05) };
                let styled = panel.curves.iter().filter_map(|c| {
                    let at = labels.iter().position(|l| *l == c.label)?;
                    Some((c, styles[at].clone()))
                });
                let (drawn, looks): (Vec<&EstimatorCurve>, Vec<MethodStyle>) = styled.unzip();
                let values = |c: &EstimatorCurve| if row == 0 { c.error.clone() } else { c.decrease.clone() };
                for (curve, look) in drawn.iter().zip(&looks) {
                    let pen = Stroke::solid(look.color, 1.1);
                    for (solve, [lower, _, upper]) in curve.solves.iter().zip(values(curve)) {
                        canvas.line(frame.at(*solve, lift(lower)), frame.at(*solve, lift(upper).min(y.hi)), &pen);
                    }
                }
                frame.frame(
                    canvas,
                    &Decor {
                        title: if row == 0 { &name } else { "" },
                        x_label: if row == 1 { "tangent and adjoint solves" } else { "" },
                        y_label: match (column, row) {
                            (0, 0) => "relative error of η",
                            (0, 1) => "decrease of f / of the exact η",
                            _ => "",
                        },
                        x_ticks: row == 1,
                        y_ticks: column == 0,
                        ..Decor::default()
                    },
                );
                let lists: Vec<Vec<Point>> = drawn
                    .iter()
                    .map(|c| c.solves.iter().zip(values(c)).map(|(s, v)| (*s, lift(v[1]).min(y.hi))).collect())
                    .collect();
                draw_lines(canvas, &frame, &lists, &looks);
            }
        }
        sheet.panels_end(second + h);
        sheet.legend(styles.iter().map(Entry::method).collect());
        Ok(sheet.finish())
    }
}
