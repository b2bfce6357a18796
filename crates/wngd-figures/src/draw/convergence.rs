//! The objective against iterations and against time.

use crate::axes::{Decor, Panel, Range, left_margin};
use crate::canvas::{Align, GREY, Point, Rect, SMALL};
use crate::curves::{Floor, draw_lines};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::{About, Figure};
use crate::looks;
use crate::number::short;
use crate::sheet::{Entry, Sheet, WIDE};

/// The history of one method.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The method's label, such as `wasserstein`.
    pub label: String,
    /// The objective at iterations 0, 1, ...
    pub objective: Vec<f64>,
    /// The seconds passed at each; empty if unknown.
    pub seconds: Vec<f64>,
}

/// The histories of some methods: the objective (logarithmic) against the iteration and against the seconds. Values
/// that are not positive are drawn at a thousandth of the smallest positive one.
#[derive(Clone, Debug, Default)]
pub struct Convergence {
    /// The objective's name; `objective f` if empty.
    pub objective_name: String,
    /// One history per method.
    pub series: Vec<Series>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for Convergence {
    fn about(&self) -> About {
        let ends = self.series.iter().filter_map(|s| Some((&s.label, *s.objective.first()?, *s.objective.last()?)));
        let number = |v: f64| if v.is_finite() { short(v) } else { "no finite value".to_owned() };
        let ends: Vec<String> =
            ends.map(|(label, a, b)| format!("{label} from {} to {}", number(a), number(b))).collect();
        About::new(
            "convergence",
            "The objective against iterations and against time.",
            format!("Line plots of the objective on a logarithmic axis: {}.", ends.join("; ")),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        let floor = Floor::new(self.series.iter().flat_map(|s| s.objective.iter().copied()));
        let lists = |x: &dyn Fn(&Series) -> Vec<f64>| -> Vec<Vec<Point>> {
            let lifted = |s: &Series| x(s).into_iter().zip(s.objective.iter().map(|v| floor.lift(*v))).collect();
            self.series.iter().map(lifted).collect()
        };
        let by_iteration = lists(&|s| (0..s.objective.len()).map(|k| k as f64).collect());
        let by_time = lists(&|s| s.seconds.clone());
        let styles = looks::styles(self.series.iter().map(|s| s.label.as_str()));
        let h = 270.0;
        let y = floor.range();
        let left = left_margin(&y, h, true) + 10.0;
        let gap = 30.0;
        let w = (WIDE - left - gap - 20.0) / 2.0;
        let mut sheet = Sheet::new(WIDE, &self.title);
        let top = sheet.top + 6.0;
        let mut notes = Vec::from_iter(floor.note("objective"));
        let untimed: Vec<&str> = self
            .series
            .iter()
            .zip(&styles)
            .filter(|(s, _)| s.seconds.is_empty())
            .map(|(_, l)| l.name.as_str())
            .collect();
        if !untimed.is_empty() && untimed.len() < styles.len() {
            notes.push(format!("no times recorded for {}", untimed.join(", ")));
        }
        let name = if self.objective_name.is_empty() { "objective f" } else { &self.objective_name };
        let panels = [("iteration", by_iteration, true), ("seconds", by_time, false)];
        for (k, (label, lists, whole)) in panels.into_iter().enumerate() {
            let (x, lists, label) = horizontal(lists, whole, label);
            if x.log && !whole {
                notes.push("time 0 is at the left edge".into());
            }
            let rect = Rect::new(left + k as f64 * (w + gap), top, w, h);
            let panel = Panel { rect, x, y };
            panel.grid(&mut sheet.canvas);
            floor.draw(&mut sheet.canvas, &panel);
            if lists.iter().all(Vec::is_empty) {
                let middle = (rect.x + w / 2.0, rect.y + h / 2.0);
                sheet.canvas.text(middle, "not recorded", SMALL, Align::Middle, GREY);
            }
            let y_label = if k == 0 { name } else { "" };
            let decor = Decor { x_label: &label, y_label, x_ticks: true, y_ticks: k == 0, ..Decor::default() };
            panel.frame(&mut sheet.canvas, &decor);
            // After the frame, which would cut the markers at its border.
            draw_lines(&mut sheet.canvas, &panel, &lists, &styles);
        }
        sheet.panels_end(top + h);
        sheet.legend(styles.iter().map(Entry::method).collect());
        sheet.note(&notes.join("; "));
        Ok(sheet.finish())
    }
}

impl Convergence {
    fn check(&self) -> Result<(), FigureError> {
        if self.series.is_empty() {
            return Err(FigureError::shape("series", "is empty"));
        }
        for (k, s) in self.series.iter().enumerate() {
            if s.objective.is_empty() {
                return Err(FigureError::shape(format!("series[{k}].objective"), "is empty"));
            }
            if !s.seconds.is_empty() && s.seconds.len() != s.objective.len() {
                return Err(FigureError::shape(
                    format!("series[{k}].seconds"),
                    format!("has {} entries for {} iterations", s.seconds.len(), s.objective.len()),
                ));
            }
        }
        Ok(())
    }
}

/// The range of the horizontal axis: linear, or logarithmic where the longest
/// history is over eight times the shortest, which a linear axis would press
/// against its end.
fn horizontal(lists: Vec<Vec<Point>>, whole: bool, label: &str) -> (Range, Vec<Vec<Point>>, String) {
    let last: Vec<f64> =
        lists.iter().filter_map(|l| l.iter().map(|p| p.0).rfind(|x| x.is_finite() && *x > 0.0)).collect();
    let longest = last.iter().copied().fold(0.0, f64::max);
    let shortest = last.iter().copied().fold(f64::INFINITY, f64::min);
    if longest <= 8.0 * shortest || longest == 0.0 {
        let hi = if longest > 0.0 { longest } else { 1.0 };
        let range = Range::linear(0.0, hi * 1.02);
        return (if whole { range.counting() } else { range }, lists, label.to_owned());
    }
    if whole {
        // Iteration 0 has no logarithm: count from one.
        let shifted = lists.into_iter().map(|l| l.into_iter().map(|p| (p.0 + 1.0, p.1)).collect());
        let range = Range::logarithmic(1.0, (longest + 1.0) * 1.1);
        return (range, shifted.collect(), format!("{label} + 1"));
    }
    let least = lists.iter().flatten().map(|p| p.0).filter(|x| x.is_finite() && *x > 0.0).fold(f64::INFINITY, f64::min);
    // A start at time zero is drawn at the left end.
    let lo = least / 1.6;
    let lifted = lists.into_iter().map(|l| l.into_iter().map(|p| (p.0.max(lo), p.1)).collect());
    (Range::logarithmic(lo, longest * 1.1), lifted.collect(), label.to_owned())
}
