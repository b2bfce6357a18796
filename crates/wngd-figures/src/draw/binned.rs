//! Counts in bins of one axis, the fitted curve with its components, and Pearson's residuals.

use crate::about::About;
use crate::axes::{Decor, Panel, Range, extent, left_margin};
use crate::canvas::{BLACK, GREY, Point, Rect, Rgb, Stroke, WHITE};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::number::short;
use crate::palettes::CATEGORIES;
use crate::sheet::{COLUMN, Entry, Sample, Sheet};

/// The width of the page.
const TOTAL: f64 = 560.0;
/// Beyond so many bins error bars are left out.
const MOST_ERRORS: usize = 160;
const FILL: Rgb = Rgb(0xd5, 0xdb, 0xe1);
const EDGE: Rgb = Rgb(0x8a, 0x97, 0xa4);
const SUM: Stroke = Stroke::solid(BLACK, 1.9);

/// A bin.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bin {
    /// Its lower edge.
    pub lower: f64,
    /// Its upper edge.
    pub upper: f64,
    /// What was counted.
    pub count: f64,
    /// What the fit expects.
    pub expected: f64,
}

/// A smooth curve: counts per unit of the axis.
#[derive(Clone, Debug, Default)]
pub struct Curve {
    /// Its name.
    pub name: String,
    /// Its points.
    pub points: Vec<[f64; 2]>,
}

/// Counts in bins of one axis with the fitted curve and its components over them, and (count − expected)/√expected
/// below.
#[derive(Clone, Debug, Default)]
pub struct BinnedFit {
    /// The axis' name.
    pub name: String,
    /// The bins, in order.
    pub bins: Vec<Bin>,
    /// The fitted curve.
    pub curve: Vec<[f64; 2]>,
    /// Its components.
    pub components: Vec<Curve>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl BinnedFit {
    /// The width that heights refer to: that of most bins.
    fn unit(&self) -> f64 {
        let mut widths: Vec<f64> = self.bins.iter().map(|b| b.upper - b.lower).collect();
        widths.sort_by(f64::total_cmp);
        widths[widths.len() / 2]
    }

    /// (n − μ)/√μ.
    fn residuals(&self) -> impl Iterator<Item = (&Bin, f64)> {
        let of = |b: &Bin| (b.count - b.expected) / b.expected.sqrt();
        self.bins.iter().filter(|b| b.expected > 0.0).map(move |b| (b, of(b)))
    }
}

impl Figure for BinnedFit {
    fn about(&self) -> About {
        let n = self.components.len();
        let parts = match n {
            0 | 1 => String::new(),
            n => format!(" and its {n} components"),
        };
        let worst = self.residuals().map(|r| r.1.abs()).fold(0.0, f64::max);
        About::new(
            "histogram",
            format!(
                "Counts over {} with the fitted curve{parts}; below, Pearson's residuals (count − expected)/√expected.",
                self.name
            ),
            format!(
                "Histogram of {} bins over {} with the fitted curve{parts} over it; below, a bar per bin for its residual, the largest {}.",
                self.bins.len(),
                self.name,
                short(worst)
            ),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        Ok(self.within(TOTAL).with_column(self.within(COLUMN)))
    }
}

impl BinnedFit {
    /// Laid out on a page of a width.
    fn within(&self, total: f64) -> Drawing {
        let unit = self.unit();
        let height = |b: &Bin| b.count * unit / (b.upper - b.lower);
        let error = |b: &Bin| b.count.max(0.0).sqrt() * unit / (b.upper - b.lower);
        let scaled = |points: &[[f64; 2]]| points.iter().map(|p| (p[0], p[1] * unit)).collect::<Vec<Point>>();
        let sum = scaled(&self.curve);
        let errors = self.bins.len() <= MOST_ERRORS;
        let tops = self.bins.iter().map(|b| height(b) + if errors { error(b) } else { 0.0 });
        let most = extent(tops.chain(sum.iter().map(|p| p.1))).map_or(1.0, |(_, hi)| hi).max(f64::MIN_POSITIVE);
        let x = Range::linear(self.bins[0].lower, self.bins[self.bins.len() - 1].upper);
        let y = Range::linear(0.0, 1.06 * most);
        let reach = self.residuals().map(|r| r.1.abs()).fold(0.0, f64::max).clamp(3.2, 8.0);
        let ry = Range::linear(-1.05 * reach, 1.05 * reach);
        let (h, rh) = (270.0, 100.0);
        let left = left_margin(&y, h, true).max(left_margin(&ry, rh, true)) + 10.0;
        let w = total - left - 24.0;
        let mut sheet = Sheet::new(total, &self.title);
        let upper = Panel { rect: Rect::new(left, sheet.top + 4.0, w, h), x, y };
        let lower = Panel { rect: Rect::new(left, upper.rect.bottom() + 14.0, w, rh), x, y: ry };
        let canvas = &mut sheet.canvas;
        // Between bins of one count there is no edge.
        let mut steps: Vec<Point> = Vec::new();
        for (k, b) in self.bins.iter().enumerate() {
            let joined = k > 0 && self.bins[k - 1].upper == b.lower;
            if !joined {
                if let Some(before) = k.checked_sub(1).map(|k| self.bins[k].upper) {
                    steps.push((before, 0.0));
                }
                steps.push((b.lower, 0.0));
            }
            steps.extend([(b.lower, height(b)), (b.upper, height(b))]);
        }
        steps.push((x.hi, 0.0));
        let px: Vec<Point> = steps.iter().map(|p| upper.at(p.0, p.1)).collect();
        canvas.polygon(&px, Some(FILL), None);
        upper.curve(canvas, &steps, &Stroke::solid(EDGE, 0.9));
        if errors {
            let lines: Vec<Vec<Point>> = (self.bins.iter().filter(|b| b.count > 0.0))
                .map(|b| {
                    let (middle, v, e) = (0.5 * (b.lower + b.upper), height(b), error(b));
                    vec![upper.at(middle, (v - e).max(0.0)), upper.at(middle, v + e)]
                })
                .collect();
            canvas.segments(&lines, &Stroke::solid(EDGE, 1.1));
        }
        upper.fine_curve(canvas, &sum, &Stroke::solid(WHITE, 3.4));
        upper.fine_curve(canvas, &sum, &SUM);
        // On the sum: where a component is all of it, both are seen.
        for (k, part) in self.components.iter().enumerate() {
            upper.fine_curve(canvas, &scaled(&part.points), &pen(k));
        }
        lower.grid(canvas);
        for (b, r) in self.residuals().filter(|r| r.1.is_finite()) {
            let shown = r.clamp(ry.lo, ry.hi);
            let (p, q) = (lower.at(b.lower, shown.max(0.0)), lower.at(b.upper, shown.min(0.0)));
            let room = if q.0 - p.0 > 3.0 { 0.5 } else { 0.0 };
            canvas.fill(Rect::new(p.0 + room, p.1, (q.0 - p.0 - 2.0 * room).max(0.4), (q.1 - p.1).max(0.4)), EDGE);
        }
        let dashed = Stroke { color: GREY, width: 1.0, dash: &[4.0, 3.0] };
        for level in [-2.0, 2.0] {
            lower.curve(canvas, &[(x.lo, level), (x.hi, level)], &dashed);
        }
        lower.curve(canvas, &[(x.lo, 0.0), (x.hi, 0.0)], &Stroke::solid(BLACK, 1.0));
        let equal = self.bins.iter().all(|b| ((b.upper - b.lower) / unit - 1.0).abs() < 1e-6);
        let y_label = if equal { "entries per bin".to_string() } else { format!("entries per {}", short(unit)) };
        upper.frame(canvas, &Decor { y_label: &y_label, y_ticks: true, ..Decor::default() });
        let decor =
            Decor { x_label: &self.name, y_label: "residual", x_ticks: true, y_ticks: true, ..Decor::default() };
        lower.frame(canvas, &decor);
        sheet.panels_end(lower.rect.bottom());
        let mut entries = vec![Entry::new("data", Sample::Patch(FILL)), Entry::new("fit", Sample::Line(SUM, None))];
        let parts = self.components.iter().take(CATEGORIES.len()).enumerate();
        entries.extend(parts.map(|(k, part)| Entry::new(part.name.clone(), Sample::Line(pen(k), None))));
        sheet.legend(entries);
        let errors = if errors { "bars on the data: √n; " } else { "" };
        sheet.note(&format!("{errors}residual: (count − expected)/√expected, dashed at ±2"));
        sheet.finish()
    }

    fn check(&self) -> Result<(), FigureError> {
        if self.bins.is_empty() {
            return Err(FigureError::shape("bins", "is empty"));
        }
        for (k, b) in self.bins.iter().enumerate() {
            let bad = |problem: String| Err(FigureError::shape(format!("bins[{k}]"), problem));
            if !(b.lower.is_finite() && b.upper.is_finite() && b.lower < b.upper) {
                return bad(format!("runs from {} to {}", b.lower, b.upper));
            }
            if !b.count.is_finite() {
                return bad("has a count that is not finite".into());
            }
            if k > 0 && b.lower < self.bins[k - 1].upper - 1e-9 * (b.upper - b.lower) {
                return bad("begins before the one before it ends".into());
            }
        }
        Ok(())
    }
}

/// The line of a component.
fn pen(number: usize) -> Stroke {
    let dash: &'static [f64] = [&[7.0, 3.0][..], &[2.0, 3.0], &[7.0, 3.0, 2.0, 3.0]][number % 3];
    Stroke { color: CATEGORIES[number % CATEGORIES.len()], width: 1.7, dash }
}
