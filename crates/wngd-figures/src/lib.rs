//! Figures of a fit, written as SVG and as PNG at twice the nominal size.
//!
//! Every function takes plain data, checks its shape, draws, and writes
//! `<stem>.svg` and `<stem>.png`. kuva supplies the drawing primitives, the SVG
//! writer, the bundled font and the rasteriser; the layout (panels, axes,
//! legends, maps, contour lines) is made here, because kuva's own contour and
//! multi-panel layouts produce files of many megabytes and give little room to
//! the data.
//!
//! The nominal sizes are CSS pixels (96 per inch): a figure 680 wide prints at
//! 180 mm, and its smallest text, 12 pixels, prints at 9 pt.

#![forbid(unsafe_code)]

mod axes;
mod basins;
mod canvas;
mod color;
mod convergence;
mod densities;
mod error;
mod estimators;
mod field;
mod identifiability;
mod landscape;
mod legend;
mod number;
mod parameters;
mod quadratic;
mod save;
mod style;
mod trajectories;

#[cfg(test)]
mod tests;

pub use basins::{BasinMap, BasinPanel, basin_map};
pub use convergence::{Convergence, Series, convergence};
pub use densities::{Axis, Densities, Density, densities, density, marginal};
pub use error::FigureError;
pub use estimators::{EstimatorCurve, EstimatorPanel, Estimators, estimators};
pub use identifiability::{Spectrum, identifiability};
pub use landscape::{Landscape, Trace, landscape, relief};
pub use parameters::{ParameterTrace, parameter_trace};
pub use quadratic::{LocalModel, Profile, QuadraticModels, QuadraticPanel, quadratic_models};
pub use style::{Look, looks, palettes};
pub use trajectories::{Stretch, Trajectories, trajectories};
