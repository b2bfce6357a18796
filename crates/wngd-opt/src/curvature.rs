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

/// H⁺ of a symmetric positive semidefinite matrix and its rank, found after scaling to unit diagonal.
///
/// # Shapes
/// p x p; result: p x p.
///
/// # Errors
/// A failed decomposition.
pub(crate) fn pseudo_inverse(h: &Mat<f64>) -> Result<(Mat<f64>, usize), LinalgError> {
    let p = h.nrows();
    let over: Vec<f64> = (0..p).map(|i| if h[(i, i)] > 0.0 { h[(i, i)].sqrt().recip() } else { 0.0 }).collect();
    let scaled = Mat::from_fn(p, p, |i, j| h[(i, j)] * over[i] * over[j]);
    let (values, vectors) = symmetric_eigen(scaled.as_ref())?;
    let largest = values.last().copied().unwrap_or(0.0);
    let seen: Vec<usize> = (0..p).filter(|&l| values[l] > UNSEEN * largest).collect();
    let inverse = Mat::from_fn(p, p, |i, j| {
        over[i] * over[j] * seen.iter().map(|&l| vectors[(i, l)] * vectors[(j, l)] / values[l]).sum::<f64>()
    });
    Ok((inverse, seen.len()))
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
