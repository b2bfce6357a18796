//! One Gaussian of any covariance, for its means over the cells of a grid.

use wngd_linalg::Grid;

/// How the logarithm of a mean answers to the Gaussian's mean μ (3 entries) and to its covariance (6 entries: 00, 01, 02,
/// 11, 12, 22, those off the diagonal with their twins).
pub(super) type Scores = [f64; 9];

/// Mean, precision and what follows from them.
pub(super) struct Gaussian<'a> {
    pub(super) mean: &'a [f64],
    pub(super) precision: &'a [[f64; 3]; 3],
    /// Variances along the axes.
    pub(super) variances: [f64; 3],
    /// ln of the normalisation.
    pub(super) log_scale: f64,
}

impl Gaussian<'_> {
    /// xᵀPx of a distance from the mean.
    pub(super) fn square(&self, [x, y, z]: [f64; 3]) -> f64 {
        let p = self.precision;
        p[0][0] * x * x
            + p[1][1] * y * y
            + p[2][2] * z * z
            + 2.0 * (p[0][1] * x * y + p[0][2] * x * z + p[1][2] * y * z)
    }

    /// Width of the cells of an axis, in standard deviations given the other axes.
    pub(super) fn width(&self, grid: &Grid, axis: usize) -> f64 {
        grid.spacing()[axis] * self.precision[axis][axis].sqrt()
    }
}
