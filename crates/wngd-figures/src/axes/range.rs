//! Intervals that axes show.

/// The interval shown on an axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
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
pub(crate) fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|v| v.is_finite()).fold(None, |acc, v| match acc {
        None => Some((v, v)),
        Some((a, b)) => Some((a.min(v), b.max(v))),
    })
}
