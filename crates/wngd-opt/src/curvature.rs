use wngd_linalg::LinalgError;
use wngd_linalg::dense::{multiply_transpose, symmetric_eigen};
use wngd_linalg::faer::Mat;

/// The Gauss–Newton curvature H = |c| ZᵀWZ of f in the parameters, symmetric to the last bit.
///
/// `wz` is what [`Objective::curvature`](crate::Objective::curvature) makes of Z.
///
/// # Shapes
/// `z` and `wz`: k x p; result: p x p.
///
/// # Cost
/// k p² flops.
pub fn gauss_newton_curvature(z: &Mat<f64>, wz: &Mat<f64>, cell_volume: f64) -> Mat<f64> {
    let p = z.ncols();
    let mut product = Mat::zeros(p, p);
    multiply_transpose(product.as_mut(), z.as_ref(), wz.as_ref());
    Mat::from_fn(p, p, |i, j| 0.5 * cell_volume * (product[(i, j)] + product[(j, i)]))
}

/// Eigenvalues of a matrix scaled to unit diagonal below this share of the largest say nothing.
const UNSEEN: f64 = 1e-13;

/// Eigenvalues and vectors of a symmetric matrix scaled to unit diagonal, in which every parameter changes f alike.
pub(crate) struct Scaled {
    /// 1/√hᵢᵢ, 0 where that is not positive.
    pub(crate) over: Vec<f64>,
    /// Eigenvalues, the least first.
    pub(crate) values: Vec<f64>,
    /// Eigenvectors, a column each.
    pub(crate) vectors: Mat<f64>,
}

impl Scaled {
    /// Of a matrix p x p.
    ///
    /// # Errors
    /// A failed decomposition.
    pub(crate) fn of(h: &Mat<f64>) -> Result<Self, LinalgError> {
        let p = h.nrows();
        let over: Vec<f64> = (0..p).map(|i| if h[(i, i)] > 0.0 { h[(i, i)].sqrt().recip() } else { 0.0 }).collect();
        let (values, vectors) = if p == 0 {
            (Vec::new(), Mat::zeros(0, 0))
        } else {
            symmetric_eigen(Mat::from_fn(p, p, |i, j| h[(i, j)] * over[i] * over[j]).as_ref())?
        };
        Ok(Self { over, values, vectors })
    }

    /// The largest eigenvalue.
    pub(crate) fn largest(&self) -> f64 {
        self.values.last().copied().unwrap_or(0.0)
    }

    /// H⁺ on eigenvectors above a floor, p x p.
    pub(crate) fn inverse(&self, floor: f64) -> Mat<f64> {
        let Self { over, values, vectors } = self;
        let seen: Vec<usize> = (0..values.len()).filter(|&l| values[l] > floor).collect();
        Mat::from_fn(values.len(), values.len(), |i, j| {
            over[i] * over[j] * seen.iter().map(|&l| vectors[(i, l)] * vectors[(j, l)] / values[l]).sum::<f64>()
        })
    }
}

/// H⁺ of a symmetric positive semidefinite matrix, what is known of it to rounding.
///
/// # Errors
/// A failed decomposition.
pub(crate) fn pseudo_inverse(h: &Mat<f64>) -> Result<Mat<f64>, LinalgError> {
    let scaled = Scaled::of(h)?;
    Ok(scaled.inverse(UNSEEN * scaled.largest()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_weighted_gram_matrix_and_symmetric() {
        let z = Mat::from_fn(7, 3, |i, j| (0.7 * (i + 3 * j) as f64).sin());
        // A diagonal W.
        let weight = |i: usize| 1.0 / (1.0 + i as f64);
        let wz = Mat::from_fn(7, 3, |i, j| weight(i) * z[(i, j)]);
        let h = gauss_newton_curvature(&z, &wz, 0.25);
        for i in 0..3 {
            for j in 0..3 {
                let expected: f64 = (0..7).map(|l| 0.25 * weight(l) * z[(l, i)] * z[(l, j)]).sum();
                assert!((h[(i, j)] - expected).abs() < 1e-14);
                assert_eq!(h[(i, j)].to_bits(), h[(j, i)].to_bits());
            }
        }
    }
}
