//! The objective against iterations and against work.

use crate::about::About;
use crate::axes::{Decor, Panel, Range, left_margin};
use crate::canvas::{Point, Rect};
use crate::curves::{Floor, draw_lines};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::looks;
use crate::number::short;
use crate::sheet::{COLUMN, Entry, Sheet, WIDE};

/// The width of the page with one panel.
const ALONE: f64 = 480.0;

/// The history of one method.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The method's label, such as `wasserstein`.
    pub label: String,
    /// The objective at iterations 0, 1, ...
    pub objective: Vec<f64>,
    /// The work done until each, in whole units; empty if unknown.
    pub work: Vec<f64>,
}

/// The histories of some methods: the objective (logarithmic) against the iteration and, where it says something else,
/// against the work. Values that are not positive are drawn at a thousandth of the smallest positive one. There are no
/// seconds in it: the same descents give the same figure.
#[derive(Clone, Debug, Default)]
pub struct Convergence {
    /// The objective's name; `objective f` if empty.
    pub objective_name: String,
    /// What work is counted in; `work` if empty.
    pub work_name: String,
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
        let work = if self.has_work() { format!(" and against {}", self.work_name()) } else { String::new() };
        About::new(
            "convergence",
            format!("The objective against iterations{work}."),
            format!("Line plots of the objective on a logarithmic axis: {}.", ends.join("; ")),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        Ok(if self.has_work() { self.on(WIDE) } else { self.on(ALONE).with_column(self.on(COLUMN)) })
    }
}

impl Convergence {
    /// Laid out on a page of a width.
    fn on(&self, total: f64) -> Drawing {
        let floor = Floor::new(self.series.iter().flat_map(|s| s.objective.iter().copied()));
        let lists = |x: &dyn Fn(&Series) -> Vec<f64>| -> Vec<Vec<Point>> {
            let lifted = |s: &Series| x(s).into_iter().zip(s.objective.iter().map(|v| floor.lift(*v))).collect();
            self.series.iter().map(lifted).collect()
        };
        let by_iteration = lists(&|s| (0..s.objective.len()).map(|k| k as f64).collect());
        let by_work = lists(&|s| s.work.clone());
        let styles = looks::styles(self.series.iter().map(|s| s.label.as_str()));
        let h = 270.0;
        let y = floor.range();
        let left = left_margin(&y, h, true) + 10.0;
        let gap = 30.0;
        let w = if self.has_work() { (total - left - gap - 20.0) / 2.0 } else { total - left - 20.0 };
        let mut sheet = Sheet::new(total, &self.title);
        let top = sheet.top + 6.0;
        let mut notes = Vec::from_iter(floor.note("objective"));
        let unknown = self.series.iter().zip(&styles).filter(|(s, _)| s.work.is_empty());
        let unknown: Vec<&str> = unknown.map(|(_, l)| l.name.as_str()).collect();
        if self.has_work() && !unknown.is_empty() {
            notes.push(format!("no work recorded for {}", unknown.join(", ")));
        }
        let name = if self.objective_name.is_empty() { "objective f" } else { &self.objective_name };
        let mut panels = vec![("iteration", by_iteration, true)];
        if self.has_work() {
            panels.push((self.work_name(), by_work, false));
        }
        for (k, (label, lists, from_zero)) in panels.into_iter().enumerate() {
            let (x, lists, label) = horizontal(lists, from_zero, label);
            let rect = Rect::new(left + k as f64 * (w + gap), top, w, h);
            let panel = Panel { rect, x, y };
            panel.grid(&mut sheet.canvas);
            floor.draw(&mut sheet.canvas, &panel);
            let y_label = if k == 0 { name } else { "" };
            let decor = Decor { x_label: &label, y_label, x_ticks: true, y_ticks: k == 0, ..Decor::default() };
            panel.frame(&mut sheet.canvas, &decor);
            // After the frame, which would cut the markers at its border.
            draw_lines(&mut sheet.canvas, &panel, &lists, &styles);
        }
        sheet.panels_end(top + h);
        sheet.legend(styles.iter().map(Entry::method).collect());
        sheet.note(&notes.join("; "));
        sheet.finish()
    }

    fn work_name(&self) -> &str {
        if self.work_name.is_empty() { "work" } else { &self.work_name }
    }

    /// Whether work says something else than the iterations.
    fn has_work(&self) -> bool {
        let counts = |work: &[f64]| {
            let first = work.first().copied().unwrap_or(0.0);
            work.iter().enumerate().all(|(i, w)| *w - first == i as f64)
        };
        self.series.iter().any(|s| !s.work.is_empty() && !counts(&s.work))
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.series.is_empty() {
            return Err(FigureError::shape("series", "is empty"));
        }
        for (k, s) in self.series.iter().enumerate() {
            if s.objective.is_empty() {
                return Err(FigureError::shape(format!("series[{k}].objective"), "is empty"));
            }
            if !s.work.is_empty() && s.work.len() != s.objective.len() {
                return Err(FigureError::shape(
                    format!("series[{k}].work"),
                    format!("has {} entries for {} iterations", s.work.len(), s.objective.len()),
                ));
            }
        }
        Ok(())
    }
}

/// The range of the horizontal axis: linear, or logarithmic where the longest
/// history is over eight times the shortest, which a linear axis would press
/// against its end.
fn horizontal(lists: Vec<Vec<Point>>, from_zero: bool, label: &str) -> (Range, Vec<Vec<Point>>, String) {
    let last: Vec<f64> =
        lists.iter().filter_map(|l| l.iter().map(|p| p.0).rfind(|x| x.is_finite() && *x > 0.0)).collect();
    let longest = last.iter().copied().fold(0.0, f64::max);
    let shortest = last.iter().copied().fold(f64::INFINITY, f64::min);
    if longest <= 8.0 * shortest || longest == 0.0 {
        let hi = if longest > 0.0 { longest } else { 1.0 };
        return (Range::linear(0.0, hi * 1.02).counting(), lists, label.to_owned());
    }
    if from_zero {
        // Iteration 0 has no logarithm: count from one.
        let shifted = lists.into_iter().map(|l| l.into_iter().map(|p| (p.0 + 1.0, p.1)).collect());
        let range = Range::logarithmic(1.0, (longest + 1.0) * 1.1);
        return (range, shifted.collect(), format!("{label} + 1"));
    }
    let least = lists.iter().flatten().map(|p| p.0).filter(|x| x.is_finite() && *x > 0.0).fold(f64::INFINITY, f64::min);
    let lifted = lists.into_iter().map(|l| l.into_iter().map(|p| (p.0.max(least), p.1)).collect());
    (Range::logarithmic(least, longest * 1.1), lifted.collect(), label.to_owned())
}
