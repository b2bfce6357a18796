//! The Laplacian of one density, whatever solves it.

use faer::Mat;

use super::factored::FactoredLaplacian;
use super::grounded::{Grounded, tangent_fields};
use super::iterative::IterativeLaplacian;
use super::report::{LaplacianReport, MassLeak};
use crate::divergence::Divergence;
use crate::error::LinalgError;
use crate::grid::Grid;

/// The weighted Laplacian BBᵀ of one density, solved by what its plan provides.
///
/// What both kinds give alike is here; they whiten in coordinates of their own, and so whitening is theirs.
#[derive(Debug)]
pub enum WeightedLaplacian {
    /// A factor C of the grounded matrix; whitening gives X = C⁻¹PZ with a row per cell.
    Factored(Box<FactoredLaplacian>),
    /// Krylov solves; whitening gives Y = B†Z with a row per face.
    Iterative(Box<IterativeLaplacian>),
}

impl WeightedLaplacian {
    fn grounded(&self) -> &Grounded {
        match self {
            Self::Factored(laplacian) => &laplacian.grounded,
            Self::Iterative(laplacian) => &laplacian.grounded,
        }
    }

    /// The factored one, where the grid was eliminated.
    pub fn factored(&self) -> Option<&FactoredLaplacian> {
        match self {
            Self::Factored(laplacian) => Some(laplacian),
            Self::Iterative(_) => None,
        }
    }

    /// What the factorisation met, and the solves up to now.
    pub fn report(&self) -> LaplacianReport {
        match self {
            Self::Factored(laplacian) => laplacian.report(),
            Self::Iterative(laplacian) => laplacian.report(),
        }
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.grounded().plan.grid
    }

    /// φ with BBᵀφ = Z for the mass-projected columns, 0 at the grounded cells. In place.
    ///
    /// # Shapes
    /// `z`: k x p; result: k x p in cell order and the mass leak removed, p.
    pub fn solve(&self, z: Mat<f64>) -> (Mat<f64>, MassLeak) {
        match self {
            Self::Factored(laplacian) => laplacian.solve(z),
            Self::Iterative(laplacian) => laplacian.solve(z),
        }
    }

    /// Y = B†Z = Bᵀφ on the faces: the tangent fields √ρ v of the columns.
    ///
    /// They are differences of potentials: where mass crosses a valley deeper than rounding, the fields beside it
    /// are lost to the jump of φ across it. [`FactoredLaplacian::whiten`] keeps lengths and products there.
    ///
    /// # Shapes
    /// `z`: k x p; result: q x p.
    pub fn flux(&self, z: Mat<f64>) -> Result<(Mat<f64>, MassLeak), LinalgError> {
        let (phi, leak) = self.solve(z);
        let b = Divergence::from_faces(self.grid(), &self.grounded().faces)?;
        Ok((tangent_fields(&b, &phi), leak))
    }

    /// u as mass-projected tangents feel it: Zᵀ of it is the gradient, the whitened columns' product with the
    /// whitened u, without their rounding.
    ///
    /// # Shapes
    /// `u`: k; result: k in cell order.
    pub fn project_derivative(&self, u: &[f64]) -> Vec<f64> {
        self.grounded().project_derivative(u)
    }
}
