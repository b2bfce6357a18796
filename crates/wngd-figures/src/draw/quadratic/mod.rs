//! The local quadratic model that each method minimises at its first steps,
//! `m(h) = f + g·h + h·M h / 2` with `M = G / tau`.

mod bowl;
mod ellipses;
mod parabolas;
mod profiles;
mod value;

use crate::about::About;
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;

pub use value::{LocalModel, Profile, QuadraticModels, QuadraticPanel};

impl Figure for QuadraticModels {
    fn about(&self) -> About {
        About::new(
            "quadratic-models",
            "The objective and the local quadratic models that the first steps of each method minimise.",
            "One panel per method: the objective near its first iterates and the quadratic model of each step.",
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        match self.check()? {
            1 => Ok(parabolas::draw(self)),
            2 => ellipses::draw(self),
            _ => Ok(profiles::draw(self)),
        }
    }
}
