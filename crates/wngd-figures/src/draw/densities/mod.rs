//! Data density, fitted density, and their difference.

mod curves;
mod maps;
mod marginals;
mod residual;

use crate::cells::Axis;
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::{About, Figure};
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

impl Figure for Densities {
    fn about(&self) -> About {
        let (label, kind) = (
            &self.label,
            match self.axes.len() {
                1 => "Curves",
                2 => "Maps",
                _ => "Maps of the marginals",
            },
        );
        About::new(
            format!("density-{label}"),
            format!("Density of the data, density fitted by {label}, and their difference."),
            format!("{kind} of the data's density, of the density fitted by {label}, and of their difference."),
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        self.check()?;
        Ok(match self.axes.len() {
            1 => curves::draw(self),
            2 => maps::draw(self),
            _ => marginals::draw(self),
        })
    }
}

impl Densities {
    fn check(&self) -> Result<(), FigureError> {
        if self.axes.is_empty() {
            return Err(FigureError::shape("axes", "is empty"));
        }
        let mut size = 1usize;
        for (k, a) in self.axes.iter().enumerate() {
            if a.cells == 0 {
                return Err(FigureError::shape(format!("axes[{k}].cells"), "is zero"));
            }
            if !(a.lower.is_finite() && a.upper.is_finite() && a.lower < a.upper) {
                return Err(FigureError::shape(format!("axes[{k}]"), format!("runs from {} to {}", a.lower, a.upper)));
            }
            size = size.checked_mul(a.cells).ok_or_else(|| FigureError::shape("axes", "has too many cells"))?;
        }
        for (name, values) in [("data", &self.data), ("fit", &self.fit)] {
            if values.len() != size {
                return Err(FigureError::shape(name, format!("has {} entries for {size} cells", values.len())));
            }
        }
        Ok(())
    }

    fn fit_name(&self) -> String {
        format!("fit, {}", looks::display_name(&self.label))
    }
}
