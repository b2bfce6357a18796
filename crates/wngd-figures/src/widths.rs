//! Widths of figures in pixels.

/// A figure with several panels (two text columns).
pub(crate) const WIDE: f64 = 680.0;
/// A figure with one panel that is laid out for one text column.
pub(crate) const COLUMN: f64 = 420.0;
