//! The gradient of a fit as moments of the data, and what it determines.

use wngd_adjoint::ForwardModel;
use wngd_linalg::dense::symmetric_eigen;
use wngd_linalg::faer::Mat;
use wngd_opt::Objective;
use wngd_opt::gauss_newton_curvature;

use crate::error::IdentifyError;
use crate::level::Level;

/// Eigenvalues of the curvature below this share of the largest belong to undetermined combinations.
const UNDETERMINED: f64 = 1e-10;

/// Which combinations of parameters the density determines.
#[derive(Debug, Clone)]
pub struct Identifiability {
    /// Scale s of each parameter: its size, or 1 at 0.
    pub scale: Vec<f64>,
    /// Eigenvalues of S G S with S = diag(s), ascending.
    pub eigenvalues: Vec<f64>,
    /// Unit eigenvectors in the order of the eigenvalues.
    pub eigenvectors: Vec<Vec<f64>>,
    /// Standard error of each combination Σ vⱼ θⱼ/sⱼ, relative; from the scatter between stretches of the data.
    pub relative_errors: Option<Vec<f64>>,
}

/// The gradient of the fit at fixed parameters as p linear functionals of the data.
pub(crate) struct Score {
    /// |c| W Z (k x p).
    functionals: Mat<f64>,
    /// Curvature H of the fit.
    curvature: Mat<f64>,
    pub(crate) identifiability: Identifiability,
}

impl Score {
    pub(crate) fn new(level: &Level, data: &[f64], theta: &[f64]) -> Result<Self, IdentifyError> {
        let objective = level.objective(data.to_vec())?;
        let at = level.model.linearize(theta)?;
        let z = at.jacobian;
        let (p, c) = (z.ncols(), objective.cell_volume());
        let q = objective.curvature(&at.state, z.clone())?;
        let curvature = gauss_newton_curvature(&z, &q, c);
        let scale: Vec<f64> = theta.iter().map(|t| if *t == 0.0 { 1.0 } else { t.abs() }).collect();
        let scaled = Mat::from_fn(p, p, |i, j| scale[i] * curvature[(i, j)] * scale[j]);
        let (eigenvalues, vectors) = symmetric_eigen(scaled.as_ref())?;
        let eigenvectors = (0..p).map(|j| (0..p).map(|i| vectors[(i, j)]).collect()).collect();
        let identifiability = Identifiability { scale, eigenvalues, eigenvectors, relative_errors: None };
        Ok(Self { functionals: Mat::from_fn(q.nrows(), p, |i, j| c * q[(i, j)]), curvature, identifiability })
    }

    /// H⁻¹ |c| ZᵀW(ρ − ρ*): the parameter change that turns ρ* into ρ, to first order. Combinations
    /// that the density does not determine stay as they are.
    pub(crate) fn shift(&self, density: &[f64], data: &[f64]) -> Vec<f64> {
        let p = self.curvature.nrows();
        let gradient: Vec<f64> = (0..p)
            .map(|j| {
                let differences = density.iter().zip(data).map(|(a, b)| a - b);
                differences.zip(self.functionals.col_as_slice(j)).map(|(d, q)| d * q).sum()
            })
            .collect();
        let Identifiability { scale, eigenvalues, eigenvectors, .. } = &self.identifiability;
        let largest = eigenvalues.last().copied().unwrap_or(0.0);
        let mut shift = vec![0.0; p];
        for (value, vector) in eigenvalues.iter().zip(eigenvectors).filter(|(v, _)| **v > UNDETERMINED * largest) {
            let along: f64 = (0..p).map(|i| vector[i] * scale[i] * gradient[i]).sum();
            (0..p).for_each(|i| shift[i] += scale[i] * vector[i] * along / value);
        }
        shift
    }

    /// √(ηᵀHη): the size of a shift by what it does to the density.
    pub(crate) fn size(&self, shift: &[f64]) -> f64 {
        let p = shift.len();
        let square: f64 = (0..p)
            .flat_map(|i| (0..p).map(move |j| (i, j)))
            .map(|(i, j)| shift[i] * self.curvature[(i, j)] * shift[j])
            .sum();
        square.max(0.0).sqrt()
    }

    /// Standard errors of the fit from the scatter between stretches of the data; notes those of the eigenvectors.
    pub(crate) fn standard_errors(&mut self, level: &Level, points: &[f64]) -> Result<Vec<f64>, IdentifyError> {
        let (grid, c) = (level.grid(), level.grid().cell_volume());
        // |c| ρ sums to 1, so that the functional of a density is the mean of q = WZ over its points.
        let q = Mat::from_fn(grid.len(), self.curvature.nrows(), |i, j| self.functionals[(i, j)] / c);
        let covariance = level.view.covariance(grid, points, &self.curvature, q)?.covariance;
        let Identifiability { scale, eigenvectors, .. } = &self.identifiability;
        let p = scale.len();
        let along = |vector: &Vec<f64>| {
            let terms = (0..p).flat_map(|i| (0..p).map(move |j| (i, j)));
            let variance: f64 =
                terms.map(|(i, j)| vector[i] / scale[i] * covariance[(i, j)] * vector[j] / scale[j]).sum();
            variance.max(0.0).sqrt()
        };
        self.identifiability.relative_errors = Some(eigenvectors.iter().map(along).collect());
        Ok(wngd_opt::standard_errors(&covariance))
    }
}
