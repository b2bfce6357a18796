//! Equal panels in rows.

use super::WIDE;
use crate::axes::BELOW_TICKS;
use crate::canvas::Rect;

/// Rectangles of equal panels that share axes: only the first column has tick
/// labels on the left, only the last panel of a column those below.
pub(crate) struct Tiling {
    pub columns: usize,
    pub rects: Vec<Rect>,
    pub bottom: f64,
}

impl Tiling {
    /// `gap` lies between columns, `aspect` is height over width, `above` the
    /// room for a panel's title.
    pub fn new(n: usize, left: f64, gap: f64, top: f64, aspect: f64, above: f64) -> Self {
        let columns = columns(n);
        let rows = n.div_ceil(columns);
        let w = (Self::width(n) - left - 18.0 - gap * (columns - 1) as f64) / columns as f64;
        let h = w * aspect;
        let pitch = h + above + BELOW_TICKS + 6.0;
        let rects = (0..n)
            .map(|k| {
                let (r, c) = (k / columns, k % columns);
                Rect::new(left + c as f64 * (w + gap), top + above + r as f64 * pitch, w, h)
            })
            .collect();
        let bottom = top + above + (rows - 1) as f64 * pitch + h;
        Self { columns, rects, bottom }
    }

    /// The width of the page: one or two panels need not fill it.
    pub fn width(n: usize) -> f64 {
        match columns(n) {
            1 => 460.0,
            2 => 620.0,
            _ => WIDE,
        }
    }

    /// Whether panel `k` has the vertical axis' labels.
    pub fn at_left(&self, k: usize) -> bool {
        k.is_multiple_of(self.columns)
    }

    /// Whether nothing lies below panel `k`.
    pub fn at_bottom(&self, k: usize) -> bool {
        k + self.columns >= self.rects.len()
    }
}

/// Up to three panels in one row, four as two by two, more in rows of three.
fn columns(n: usize) -> usize {
    match n {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    }
}
