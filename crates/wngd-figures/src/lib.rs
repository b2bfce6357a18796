//! Figures of a fit, written as SVG and as PNG at twice the nominal size.
//!
//! A figure is a value: it holds plain data, says in words what it shows ([`Figure::about`]), checks its shape and draws
//! itself ([`Figure::draw`]), and is written as `<stem>.svg` and `<stem>.png` ([`Figure::save`]). kuva supplies the
//! drawing primitives, the SVG writer, the bundled font and the rasteriser; the layout (panels, axes, legends, maps,
//! contour lines) is made here, because kuva's own contour and multi-panel layouts produce files of many megabytes and
//! give little room to the data.
//!
//! The nominal sizes are CSS pixels (96 per inch): a figure 680 wide prints at
//! 180 mm, and its smallest text, 12 pixels, prints at 9 pt.

#![forbid(unsafe_code)]

mod axes;
mod canvas;
mod cells;
mod curves;
mod draw;
mod drawing;
mod error;
mod field;
mod figure;
mod looks;
mod number;
mod palettes;
mod sheet;

pub use cells::{Axis, marginal};
pub use draw::*;
pub use drawing::Drawing;
pub use error::FigureError;
pub use field::Relief;
pub use figure::{About, Figure};
pub use looks::{Look, looks};
pub use palettes::palettes;
