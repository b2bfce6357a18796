//! Points, rectangles and strokes.

use super::Rgb;

/// A point in pixels, y downwards.
pub(crate) type Point = (f64, f64);

/// A line's look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stroke {
    pub color: Rgb,
    pub width: f64,
    /// Lengths of dashes and gaps; empty for a solid line.
    pub dash: &'static [f64],
}

impl Stroke {
    /// A solid line.
    pub const fn solid(color: Rgb, width: f64) -> Self {
        Self { color, width, dash: &[] }
    }
}

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rect {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
}

impl Rect {
    pub const fn new(x: f64, y: f64, w: f64, h: f64) -> Self {
        Self { x, y, w, h }
    }
    pub fn right(&self) -> f64 {
        self.x + self.w
    }
    pub fn bottom(&self) -> f64 {
        self.y + self.h
    }
    /// Whether a point lies inside, with a tolerance of `slack` pixels.
    pub fn contains(&self, p: Point, slack: f64) -> bool {
        p.0 >= self.x - slack && p.0 <= self.right() + slack && p.1 >= self.y - slack && p.1 <= self.bottom() + slack
    }
}
