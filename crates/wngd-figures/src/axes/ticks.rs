//! Where ticks stand and what is written at them.

use super::Range;
use crate::canvas::{SMALL, text_width};
use crate::number::{self, minus, power_of_ten, short};

/// The ticks of one axis.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ticks {
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
pub(crate) fn ticks(range: &Range, length: f64, horizontal: bool) -> Ticks {
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
