//! Problems whose matrix is known by what its rows add up to and by its products.

use faer::Mat;

use super::check_shapes;
use super::gradient::GradientProblem;
use super::measure::Measured;
use crate::error::{LinalgError, check_vector};
use crate::gram::NormalSums;

/// What the columns are like, and AᵀA + D².
///
/// # Errors
/// Wrong shapes, numbers that are none, columns whose squares are no numbers.
pub(super) fn taken_up(problem: &GradientProblem<'_>, sums: &NormalSums) -> Result<(Measured, Mat<f64>), LinalgError> {
    let p = problem.a.ncols();
    check_shapes(problem.a, problem.b, problem.damping)?;
    check_vector("gradient", problem.gradient, p)?;
    for (what, found) in [("rows of AᵀA", sums.gram.nrows()), ("columns of AᵀA", sums.gram.ncols())] {
        if found != p {
            return Err(LinalgError::Shape { what, expected: p, found });
        }
    }
    check_vector("Aᵀb", &sums.product, p)?;
    check_vector("|A|ᵀ|b|", &sums.size, p)?;
    let norms: Vec<f64> = (0..p).map(|i| sums.gram[(i, i)].sqrt()).collect();
    check_vector("norms of the columns", &norms, p)?;
    let columns = (0..p).map(|j| (norms[j], sums.product[j], sums.size[j])).collect();
    let measured = Measured::of_columns(columns, problem.gradient, problem.damping);
    Ok((measured, damped(sums.gram.clone(), problem.damping)))
}

/// AᵀA + D².
pub(super) fn damped(mut gram: Mat<f64>, damping: Option<&[f64]>) -> Mat<f64> {
    for (i, d) in damping.into_iter().flatten().enumerate() {
        gram[(i, i)] += d * d;
    }
    gram
}
