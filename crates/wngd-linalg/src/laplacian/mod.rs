//! The density-weighted Laplacian −∇·(ρ∇), factored: solves, whitening and mass leaks.

mod analysis;
mod basins;
mod choice;
mod elimination;
mod factor;
mod factored;
mod grounded;
mod iterative;
mod panel;
mod places;
mod plan;
mod report;
mod rows;
mod support;
#[cfg(test)]
mod tests;
mod valley;
mod weighted;

pub use factored::FactoredLaplacian;
pub use iterative::IterativeLaplacian;
pub use plan::LaplacianPlan;
pub use report::{EliminationChoice, EliminationKind, LaplacianReport, MassLeak};
pub use valley::valley_depth;
pub use weighted::WeightedLaplacian;
