//! The profile of a likelihood over one parameter.

use crate::about::{About, in_file_names};
use crate::axes::{Decor, Panel, Range, left_margin};
use crate::canvas::{GREY, Point, Rect, Rgb, Stroke, WHITE};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::number::short;
use crate::palettes::CATEGORIES;
use crate::sheet::{COLUMN, Entry, Sample, Sheet, WIDE};

/// The band of the interval.
const BAND: Rgb = Rgb(0xf6, 0xe3, 0xb8);

/// Δ(−2 ln L) over a parameter, all others at their best, with the interval at a level and the parabola of the standard
/// error.
#[derive(Clone, Debug, Default)]
pub struct LikelihoodProfile {
    /// The parameter's name.
    pub name: String,
    /// Its values, increasing.
    pub values: Vec<f64>,
    /// Δ(−2 ln L) there.
    pub rises: Vec<f64>,
    /// Best value.
    pub estimate: f64,
    /// Standard error, if there is one.
    pub standard_error: Option<f64>,
    /// Level of the interval.
    pub level: f64,
    /// Ends of the interval; none where the profile does not reach the level.
    pub interval: [Option<f64>; 2],
    /// What the rise is called: `Δ(−2 ln L)` if empty.
    pub rise_name: String,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for LikelihoodProfile {
    fn about(&self) -> About {
        About::new(
            format!("profile-{}", in_file_names(&self.name)),
            format!(
                "Likelihood profile of {}, the other parameters at their best for each value; the band is the interval at Δ = {}.",
                self.name,
                short(self.level)
            ),
            format!(
                "Curve of the rise of minus twice the logarithm of the likelihood over {}; a dashed parabola for its standard error, a band for the interval.",
                self.name
            ),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        let n = self.values.len();
        if n < 2 || self.rises.len() != n {
            return Err(FigureError::shape("rises", format!("has {} values for {n}", self.rises.len())));
        }
        let (lo, hi) = (self.values[0], self.values[n - 1]);
        if !(lo < hi) {
            return Err(FigureError::shape("values", "are not increasing"));
        }
        Ok(self.within(WIDE).with_column(self.within(COLUMN)))
    }
}

impl LikelihoodProfile {
    /// Laid out on a page of at most a width.
    fn within(&self, most: f64) -> Drawing {
        let (lo, hi) = (self.values[0], self.values[self.values.len() - 1]);
        let room = 0.02 * (hi - lo);
        let x = Range::linear(lo - room, hi + room);
        let highest = self.rises.iter().copied().filter(|v| v.is_finite()).fold(1.3 * self.level, f64::max);
        let y = Range::linear(-0.04 * highest, 1.05 * highest);
        let height = 280.0;
        let left = left_margin(&y, height, true) + 10.0;
        let width = (most - left - 20.0).min(440.0);
        let mut sheet = Sheet::new(left + width + 20.0, &self.title);
        let panel = Panel { rect: Rect::new(left, sheet.top + 6.0, width, height), x, y };
        let canvas = &mut sheet.canvas;
        let ends = [self.interval[0].unwrap_or(x.lo).max(x.lo), self.interval[1].unwrap_or(x.hi).min(x.hi)];
        let (from, to) = (panel.at(ends[0], y.lo).0, panel.at(ends[1], y.lo).0);
        canvas.fill(Rect::new(from, panel.rect.y, (to - from).max(1.0), height), BAND);
        panel.grid(canvas);
        let dashed = Stroke { color: GREY, width: 1.0, dash: &[3.0, 3.0] };
        canvas.line(panel.at(x.lo, self.level), panel.at(x.hi, self.level), &dashed);
        let best = Stroke::solid(GREY, 1.0);
        canvas.line(panel.at(self.estimate, y.lo), panel.at(self.estimate, y.hi), &best);
        if let Some(error) = self.standard_error {
            let parabola: Vec<Point> = (0..=120)
                .map(|i| x.lo + (x.hi - x.lo) * f64::from(i) / 120.0)
                .map(|v| (v, ((v - self.estimate) / error).powi(2)))
                .collect();
            panel.fine_curve(canvas, &parabola, &PARABOLA);
        }
        let points = self.smooth();
        panel.curve(canvas, &points, &Stroke::solid(WHITE, 3.6));
        panel.curve(canvas, &points, &CURVE);
        let y_label = if self.rise_name.is_empty() { "Δ(−2 ln L)" } else { &self.rise_name };
        panel.frame(canvas, &Decor { x_label: &self.name, y_label, x_ticks: true, y_ticks: true, ..Decor::default() });
        sheet.panels_end(panel.rect.bottom());
        let mut entries = vec![Entry::new("profile", Sample::Line(CURVE, None))];
        if self.standard_error.is_some() {
            entries.push(Entry::new("parabola of the standard error", Sample::Line(PARABOLA, None)));
        }
        entries.push(Entry::new(format!("interval, Δ = {}", short(self.level)), Sample::Patch(BAND)));
        sheet.legend(entries);
        sheet.finish()
    }

    /// The curve with points between those given, along the signed root of the rise, which is nearly straight.
    fn smooth(&self) -> Vec<Point> {
        let root = |i: usize| (self.values[i] - self.estimate).signum() * self.rises[i].max(0.0).sqrt();
        let mut points = vec![(self.values[0], self.rises[0])];
        for i in 1..self.values.len() {
            let ((a, b), (r, s)) = ((self.values[i - 1], self.values[i]), (root(i - 1), root(i)));
            points.extend((1..=FINE).map(|k| f64::from(k) / f64::from(FINE)).map(|t| {
                let between = r + t * (s - r);
                (a + t * (b - a), between * between)
            }));
        }
        points
    }
}

/// Pieces of the curve between two points.
const FINE: u32 = 8;
const CURVE: Stroke = Stroke::solid(CATEGORIES[0], 1.8);
const PARABOLA: Stroke = Stroke { color: CATEGORIES[1], width: 1.4, dash: &[5.0, 3.0] };
