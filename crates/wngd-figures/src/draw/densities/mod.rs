//! Data density, fitted density, and their difference.

mod curves;
mod maps;
mod marginals;
mod residual;
mod value;

use crate::about::About;
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;

pub use value::Densities;

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
