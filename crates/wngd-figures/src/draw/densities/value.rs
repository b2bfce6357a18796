//! What the figure is made of.

use crate::cells::{Axis, check};
use crate::error::FigureError;
use crate::looks;

/// A data density, a fit to it on the same grid, and the residual: curves in one dimension, maps in two, the
/// marginals on the pairs of the first three axes in more.
#[derive(Clone, Debug, Default)]
pub struct Densities {
    /// The grid's axes; axis 0 is drawn horizontally, axis 1 vertically.
    pub axes: Vec<Axis>,
    /// The data density per cell, the last axis fastest.
    pub data: Vec<f64>,
    /// The label of the method that made the fit.
    pub label: String,
    /// The fitted density, laid out as the data.
    pub fit: Vec<f64>,
    /// Whether a unit is as long on both axes of a map (for equal units).
    pub equal_scale: bool,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Densities {
    pub(super) fn check(&self) -> Result<(), FigureError> {
        check(&self.axes, &[("data", &self.data), ("fit", &self.fit)])
    }

    pub(super) fn fit_name(&self) -> String {
        match self.label.as_str() {
            // A fit without a method of its own.
            "" | "fit" => "fit".into(),
            label => format!("fit, {}", looks::display_name(label)),
        }
    }
}
