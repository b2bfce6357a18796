//! Panels with axes: ranges, ticks, frames, colour bars.

use super::canvas::{Align, Canvas, Point, Rect, Stroke, fit, text_width};
use super::color::Rgb;
use super::number::{self, minus, power_of_ten, short};
use super::style::{BLACK, LABEL, PALE, SMALL};

/// The interval shown on an axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub lo: f64,
    pub hi: f64,
    pub log: bool,
    /// Whether ticks are at whole numbers only.
    pub whole: bool,
}

impl Range {
    /// A linear range; an empty or non-finite one is widened.
    pub fn linear(lo: f64, hi: f64) -> Self {
        let (lo, hi) = if lo.is_finite() && hi.is_finite() {
            // The width of the range must be finite too.
            let (lo, hi) = (lo.clamp(-8e307, 8e307), hi.clamp(-8e307, 8e307));
            (lo.min(hi), lo.max(hi))
        } else {
            (0.0, 1.0)
        };
        // Closer than this and ticks could not be told apart.
        let least = 1e-9 * lo.abs().max(hi.abs());
        if hi - lo > least && hi - lo > f64::MIN_POSITIVE {
            Self { lo, hi, log: false, whole: false }
        } else {
            let pad = if lo == 0.0 { 1.0 } else { 0.1 * lo.abs() };
            Self { lo: lo - pad, hi: hi + pad, log: false, whole: false }
        }
    }

    /// The same range with ticks at whole numbers only.
    pub fn counting(self) -> Self {
        Self { whole: true, ..self }
    }

    /// The linear range of some values, widened by a fraction on both sides.
    pub fn around(values: impl IntoIterator<Item = f64>, pad: f64) -> Self {
        let (lo, hi) = extent(values).unwrap_or((0.0, 1.0));
        let r = Self::linear(lo, hi);
        let p = pad * (r.hi - r.lo);
        Self::linear(r.lo - p, r.hi + p)
    }

    /// A logarithmic range over positive numbers, at least half a decade wide.
    pub fn logarithmic(lo: f64, hi: f64) -> Self {
        let ok = |v: f64| v.is_finite() && v > 0.0;
        if !ok(lo) || !ok(hi) {
            return Self { lo: 0.1, hi: 1.0, log: true, whole: false };
        }
        let (lo, hi) = (lo.min(hi), lo.max(hi));
        // Keeps clear of the ends of the number range, where 10^k overflows.
        let (lo, hi) = (lo.clamp(1e-290, 1e290), hi.clamp(1e-290, 1e290));
        if hi / lo < 3.0 {
            let middle = (lo * hi).sqrt();
            Self { lo: middle / 3f64.sqrt(), hi: middle * 3f64.sqrt(), log: true, whole: false }
        } else {
            Self { lo, hi, log: true, whole: false }
        }
    }

    /// Position along the axis, 0 at the lower end and 1 at the upper.
    pub fn unit(&self, v: f64) -> f64 {
        if self.log {
            (v.log10() - self.lo.log10()) / (self.hi.log10() - self.lo.log10())
        } else {
            (v - self.lo) / (self.hi - self.lo)
        }
    }
}

/// Smallest and largest finite value.
pub(super) fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|v| v.is_finite()).fold(None, |acc, v| match acc {
        None => Some((v, v)),
        Some((a, b)) => Some((a.min(v), b.max(v))),
    })
}

/// The ticks of one axis.
#[derive(Clone, Debug, Default)]
pub(super) struct Ticks {
    pub major: Vec<(f64, String)>,
    pub minor: Vec<f64>,
    /// The power of ten taken out of the labels.
    pub exponent: i32,
}

impl Ticks {
    /// The width of the widest label.
    pub fn width(&self) -> f64 {
        self.major.iter().map(|t| text_width(&t.1, SMALL)).fold(0.0, f64::max)
    }

    /// An axis label with the common factor appended.
    pub fn caption(&self, name: &str) -> String {
        match (self.exponent, name.is_empty()) {
            (0, _) => name.to_owned(),
            (e, true) => format!("×{}", power_of_ten(e)),
            (e, false) => format!("{name} (×{})", power_of_ten(e)),
        }
    }
}

/// Ticks for an axis of `length` pixels. Labels of a horizontal axis must not
/// touch one another; on a vertical one they need a line's height.
pub(super) fn ticks(range: &Range, length: f64, horizontal: bool) -> Ticks {
    let need = |t: &Ticks| {
        if horizontal { t.width() + 12.0 } else { f64::from(SMALL) + 10.0 }
    };
    let fits = |t: &Ticks| {
        let at: Vec<f64> = t.major.iter().map(|m| range.unit(m.0) * length).collect();
        at.windows(2).all(|w| (w[1] - w[0]).abs() >= need(t))
    };
    if range.log {
        let t = log_ticks(range, &fits);
        if t.major.len() >= 2 {
            return t;
        }
    }
    let wanted = (length / if horizontal { 42.0 } else { 30.0 }).clamp(2.0, 8.0) as usize;
    // The finest that is neither crowded nor unreadable. One that gives a single
    // tick says nothing about the scale and is the last resort.
    let few = |t: &Ticks| t.major.len() <= wanted.max(3) + 1 && fits(t);
    let tried = |short: bool| (1..=wanted + 4).rev().map(move |n| linear_ticks(range, n, short)).filter(few);
    let first = |short: bool, least: usize| tried(short).find(|t| t.major.len() >= least);
    first(false, 2).or_else(|| first(true, 2)).or_else(|| first(false, 1)).unwrap_or_default()
}

/// About `n` intervals of 1, 2 or 5 times a power of ten. With `short`, a power
/// of ten is always taken out of the labels.
fn linear_ticks(range: &Range, n: usize, short: bool) -> Ticks {
    let raw = (range.hi - range.lo) / n as f64;
    if !raw.is_finite() || raw <= 0.0 {
        return Ticks::default();
    }
    let power = number::exponent(raw);
    let unit = 10f64.powi(power);
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * unit).find(|s| *s >= raw * (1.0 - 1e-9)).unwrap_or(10.0 * unit);
    let step = if range.whole { step.max(1.0) } else { step };
    let largest = range.lo.abs().max(range.hi.abs());
    let magnitude = number::exponent(largest);
    let exponent = if !short && (-2..5).contains(&magnitude) { 0 } else { magnitude };
    let decimals = (exponent - number::exponent(step)).clamp(0, 9) as usize;
    let first = (range.lo / step - 1e-6).ceil();
    let mut major = Vec::new();
    let mut k = 0.0;
    while major.len() < 32 {
        let v = (first + k) * step;
        if v > range.hi + 1e-6 * step {
            break;
        }
        // Avoids a "−0".
        let v = if v.abs() < 1e-9 * step { 0.0 } else { v };
        let scaled = v / 10f64.powi(exponent);
        major.push((v, minus(&format!("{scaled:.decimals$}"))));
        k += 1.0;
    }
    Ticks { major, minor: Vec::new(), exponent }
}

/// Powers of ten, every k-th one when there are many; 1, 2, 5 in between when
/// there are few.
fn log_ticks(range: &Range, fits: &dyn Fn(&Ticks) -> bool) -> Ticks {
    let (a, b) = (range.lo.log10(), range.hi.log10());
    let (first, last) = ((a - 1e-9).ceil() as i32, (b + 1e-9).floor() as i32);
    let inside = |v: f64| v >= range.lo * (1.0 - 1e-9) && v <= range.hi * (1.0 + 1e-9);
    let decades = last - first + 1;
    if decades < 3 {
        for set in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0][..], &[1.0][..]] {
            let mut t = Ticks::default();
            for e in first - 1..=last + 1 {
                for m in set {
                    let v = m * 10f64.powi(e);
                    if inside(v) {
                        t.major.push((v, short(v)));
                    }
                }
                t.minor.extend((1..10).map(|m| f64::from(m) * 10f64.powi(e)).filter(|v| inside(*v)));
            }
            if t.major.len() >= 2 && fits(&t) {
                return t;
            }
        }
        if decades < 2 {
            return Ticks::default();
        }
    }
    // A few small powers read better written out.
    let plain = first >= 0 && last <= 4;
    let name = |e: i32| {
        if plain { format!("{}", 10f64.powi(e)) } else { power_of_ten(e) }
    };
    for stride in [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100, 200] {
        let mut t = Ticks::default();
        for e in first..=last {
            if e.rem_euclid(stride) == 0 {
                t.major.push((10f64.powi(e), name(e)));
            } else {
                t.minor.push(10f64.powi(e));
            }
        }
        if stride == 1 && decades <= 7 {
            for e in first - 1..=last {
                let v = 10f64.powi(e);
                t.minor.extend((2..10).map(|m| f64::from(m) * v).filter(|v| inside(*v)));
            }
        }
        if fits(&t) {
            return t;
        }
    }
    Ticks::default()
}

/// What is written around a panel.
#[derive(Clone, Copy, Default)]
pub(super) struct Decor<'a> {
    pub title: &'a str,
    pub x_label: &'a str,
    pub y_label: &'a str,
    pub x_ticks: bool,
    pub y_ticks: bool,
}

/// Pixels below a panel for tick labels and an axis label.
pub(super) const BELOW: f64 = 40.0;
/// Pixels below a panel for tick labels only.
pub(super) const BELOW_TICKS: f64 = 20.0;
/// Pixels above a panel for its title.
pub(super) const ABOVE: f64 = 22.0;

/// A plot area with its two ranges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel {
    pub rect: Rect,
    pub x: Range,
    pub y: Range,
}

impl Panel {
    /// Pixels of a data point.
    pub fn at(&self, x: f64, y: f64) -> Point {
        (self.rect.x + self.x.unit(x) * self.rect.w, self.rect.bottom() - self.y.unit(y) * self.rect.h)
    }

    /// Draws a data polyline, cut at the frame.
    pub fn curve(&self, canvas: &mut Canvas, points: &[Point], stroke: &Stroke) {
        let px: Vec<Point> = points.iter().map(|p| self.at(p.0, p.1)).collect();
        for piece in super::canvas::clip_polyline(&self.rect, &px) {
            canvas.polyline(&piece, stroke);
        }
    }

    /// Grid lines; drawn before the data.
    pub fn grid(&self, canvas: &mut Canvas) {
        let pen = Stroke::solid(PALE, 0.8);
        let r = self.rect;
        for (v, _) in ticks(&self.x, r.w, true).major {
            let p = self.at(v, self.y.lo).0;
            canvas.line((p, r.y), (p, r.bottom()), &pen);
        }
        for (v, _) in ticks(&self.y, r.h, false).major {
            let p = self.at(self.x.lo, v).1;
            canvas.line((r.x, p), (r.right(), p), &pen);
        }
    }

    /// Frame, ticks, labels and title; drawn after the data.
    pub fn frame(&self, canvas: &mut Canvas, decor: &Decor) {
        let r = self.rect;
        let pen = Stroke::solid(BLACK, 0.9);
        let (xt, yt) = (ticks(&self.x, r.w, true), ticks(&self.y, r.h, false));
        for v in &xt.minor {
            let p = self.at(*v, self.y.lo).0;
            canvas.line((p, r.bottom()), (p, r.bottom() + 2.5), &pen);
        }
        for v in &yt.minor {
            let p = self.at(self.x.lo, *v).1;
            canvas.line((r.x - 2.5, p), (r.x, p), &pen);
        }
        for (v, s) in &xt.major {
            let p = self.at(*v, self.y.lo).0;
            canvas.line((p, r.bottom()), (p, r.bottom() + 4.5), &pen);
            if decor.x_ticks {
                canvas.text((p, r.bottom() + 17.0), s, SMALL, Align::Middle, BLACK);
            }
        }
        for (v, s) in &yt.major {
            let p = self.at(self.x.lo, *v).1;
            canvas.line((r.x - 4.5, p), (r.x, p), &pen);
            if decor.y_ticks {
                canvas.text((r.x - 7.5, p + 4.3), s, SMALL, Align::Right, BLACK);
            }
        }
        canvas.outline(r, &pen);
        if !decor.x_label.is_empty() {
            let s = fit(&xt.caption(decor.x_label), LABEL, r.w + 30.0);
            canvas.text((r.x + r.w / 2.0, r.bottom() + 35.0), &s, LABEL, Align::Middle, BLACK);
        }
        if !decor.y_label.is_empty() {
            let s = fit(&yt.caption(decor.y_label), LABEL, r.h + 30.0);
            let out = if decor.y_ticks { yt.width() + 9.0 } else { 6.0 };
            canvas.text_up((r.x - out - 7.0, r.y + r.h / 2.0), &s, LABEL, BLACK);
        }
        if !decor.title.is_empty() {
            let s = fit(decor.title, LABEL, r.w + 20.0);
            canvas.text((r.x + r.w / 2.0, r.y - 7.0), &s, LABEL, Align::Middle, BLACK);
        }
    }
}

/// Pixels left of a panel of the given height for the ticks and the label of
/// its vertical axis.
pub(super) fn left_margin(range: &Range, height: f64, label: bool) -> f64 {
    ticks(range, height, false).width() + if label { 30.0 } else { 12.0 }
}

/// A horizontal colour bar of height 9 at `(x, y)`, with its ticks below and
/// its caption below those (44 pixels in all). `marks` are level lines that the
/// map has.
pub(super) fn color_bar_below(
    canvas: &mut Canvas,
    (x, y): Point,
    width: f64,
    range: &Range,
    caption: &str,
    color: impl Fn(f64) -> Rgb,
    marks: &[(f64, Stroke)],
) {
    let n = 96;
    let palette: Vec<Rgb> = (0..n).map(|i| color((i as f64 + 0.5) / n as f64)).collect();
    let edges: Vec<f64> = (0..=n).map(|i| x + width * i as f64 / n as f64).collect();
    canvas.cells(&edges, &[y, y + 9.0], &palette, |i, _| Some(i));
    for (v, stroke) in marks {
        let p = x + range.unit(*v) * width;
        canvas.line((p, y), (p, y + 9.0), stroke);
    }
    let pen = Stroke::solid(BLACK, 0.8);
    canvas.outline(Rect::new(x, y, width, 9.0), &pen);
    let t = ticks(range, width, true);
    for (v, s) in &t.major {
        let p = x + range.unit(*v) * width;
        canvas.line((p, y + 9.0), (p, y + 12.5), &pen);
        canvas.text((p, y + 24.5), s, SMALL, Align::Middle, BLACK);
    }
    let s = fit(&t.caption(caption), SMALL, width + 30.0);
    canvas.text((x + width / 2.0, y + 40.0), &s, SMALL, Align::Middle, BLACK);
}

/// The height of [`color_bar_below`].
pub(super) const BAR_BELOW: f64 = 44.0;

/// A vertical colour bar of width 11 to the right of a panel, with marks at
/// the contour levels.
pub(super) fn color_bar_right(
    canvas: &mut Canvas,
    x: f64,
    panel: &Rect,
    range: &Range,
    caption: &str,
    levels: &[f64],
    (color, mark): (impl Fn(f64) -> Rgb, Rgb),
) {
    let n = 96;
    let palette: Vec<Rgb> = (0..n).map(|i| color((i as f64 + 0.5) / n as f64)).collect();
    let edges: Vec<f64> = (0..=n).map(|i| panel.bottom() - panel.h * i as f64 / n as f64).collect();
    canvas.cells(&[x, x + 11.0], &edges, &palette, |_, j| Some(j));
    for l in levels {
        let u = range.unit(*l);
        if (0.0..=1.0).contains(&u) {
            let p = panel.bottom() - u * panel.h;
            canvas.line((x, p), (x + 11.0, p), &Stroke::solid(mark, 0.9));
        }
    }
    let pen = Stroke::solid(BLACK, 0.8);
    canvas.outline(Rect::new(x, panel.y, 11.0, panel.h), &pen);
    let t = ticks(range, panel.h, false);
    for (v, s) in &t.major {
        let p = panel.bottom() - range.unit(*v) * panel.h;
        canvas.line((x + 11.0, p), (x + 14.5, p), &pen);
        canvas.text((x + 18.0, p + 4.3), s, SMALL, Align::Left, BLACK);
    }
    let s = fit(&t.caption(caption), LABEL, panel.h);
    let out = x + 18.0 + t.width() + 16.0;
    canvas.text_up((out, panel.y + panel.h / 2.0), &s, LABEL, BLACK);
}

/// The width of [`color_bar_right`], with the gap before it.
pub(super) fn bar_right_width(range: &Range, height: f64) -> f64 {
    ticks(range, height, false).width() + 12.0 + 18.0 + 24.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_ticks_are_round_and_inside() {
        let t = ticks(&Range::linear(-1.0, 2.0), 300.0, true);
        assert!(t.major.iter().any(|m| m.1 == "0.0" || m.1 == "0"));
        assert!(t.major.iter().all(|m| (-1.0..=2.0).contains(&m.0)));
        let t = ticks(&Range::linear(0.0, 3.2e-5), 300.0, true);
        assert_eq!(t.exponent, -5);
    }

    #[test]
    fn labels_never_touch() {
        for range in [
            Range::linear(1.000001, 1.000002),
            Range::linear(-1e300, 1e300),
            Range::logarithmic(1e-30, 1.0),
            Range::logarithmic(0.9, 1.1),
            Range::logarithmic(1e-280, 1e280),
            Range::linear(f64::NAN, 1.0),
            Range::linear(5.0, 5.0),
        ] {
            for length in [60.0, 150.0, 400.0] {
                let t = ticks(&range, length, true);
                for w in t.major.windows(2) {
                    let gap = (range.unit(w[1].0) - range.unit(w[0].0)) * length;
                    let need = (text_width(&w[0].1, SMALL) + text_width(&w[1].1, SMALL)) / 2.0;
                    assert!(gap > need, "{range:?} {length} {:?}", t.major);
                }
            }
        }
    }
}
