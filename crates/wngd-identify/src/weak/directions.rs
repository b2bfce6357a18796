//! Combinations of parameters that the equations do not determine.

use wngd_linalg::LinalgError;
use wngd_linalg::dense::small_svd;
use wngd_linalg::faer::Mat;

use super::design::Design;
use super::whiten::Whitener;
use crate::distribution::beyond_hotelling;

/// A direction counts as determined if chance would make it look so this rarely.
const CHANCE: f64 = 1e-3;
/// Entries below this share of the largest are not named.
const NAMED: f64 = 0.05;
/// Relative curvature that is rounding.
const ROUNDING: f64 = 1e-22;

/// A combination of parameters that the data do not determine.
#[derive(Debug, Clone, PartialEq)]
pub struct Undetermined {
    /// Share of each free parameter, in units of its start; of norm 1, 0 where it has no part.
    pub direction: Vec<f64>,
    /// What to do about it.
    pub text: String,
}

/// Columns that span what the equations determine, in parameters scaled by `scale`, and the rest.
pub(super) struct Split {
    pub(super) determined: Mat<f64>,
    pub(super) free: Vec<Vec<f64>>,
}

/// Tests the direction that the equations see least, then the next one.
///
/// For a direction u the mean of A u over the blocks is compared with its own scatter; the smallest such statistic
/// over all u is χ² with (equations − parameters + 1) degrees of freedom if one direction has no effect at all.
pub(super) fn split(design: &Design, scale: &[f64], first: &Whitener) -> Result<Split, LinalgError> {
    let p = design.parameters;
    let mut basis = Mat::<f64>::identity(p, p);
    let mut free = Vec::new();
    let mean = design.mean();
    while basis.ncols() > 0 {
        let mut whitener = first.clone();
        let mut found = None;
        for _ in 0..4 {
            let (value, largest, vector) = least(&mean, &basis, scale, &whitener)?;
            found = Some((value, largest, vector.clone()));
            let mut combination: Vec<f64> = vector.iter().zip(scale).map(|(u, s)| u * s).collect();
            combination.push(0.0);
            whitener = Whitener::of(design, &combination)?;
            if whitener.rank() == 0 {
                break;
            }
        }
        let Some((value, largest, vector)) = found else { break };
        let dof = (whitener.rank() + 1).saturating_sub(basis.ncols()).max(1) as f64;
        let seen =
            whitener.rank() > 0 && value > ROUNDING * largest && beyond_hotelling(value, dof, whitener.draws) < CHANCE;
        if seen {
            break;
        }
        basis = without(&basis, &vector);
        free.push(vector);
    }
    Ok(Split { determined: basis, free })
}

/// Smallest and largest eigenvalue of the whitened design on a basis, and the direction of the smallest.
fn least(
    mean: &[f64],
    basis: &Mat<f64>,
    scale: &[f64],
    whitener: &Whitener,
) -> Result<(f64, f64, Vec<f64>), LinalgError> {
    let (p, k) = (basis.nrows(), basis.ncols());
    let columns: Vec<Vec<f64>> = (0..k)
        .map(|j| whitener.apply(|e| (0..p).map(|i| mean[e * (p + 1) + i] * scale[i] * basis[(i, j)]).sum()))
        .collect();
    let whitened = Mat::from_fn(whitener.rank(), k, |r, j| columns[j][r]);
    // Squares of singular values: what is 0 but for rounding stays far below what is not, which eigenvalues of the Gram
    // matrix would hide. Fewer equations than parameters leave directions without any: rows of zeros show them.
    let rows = whitened.nrows().max(k);
    let padded = Mat::from_fn(rows, k, |r, j| if r < whitened.nrows() { whitened[(r, j)] } else { 0.0 });
    let (_, values, vectors) = small_svd(padded.as_ref())?;
    let vector = (0..p).map(|i| (0..k).map(|j| basis[(i, j)] * vectors[(j, k - 1)]).sum()).collect();
    Ok((values[k - 1].powi(2), values[0].powi(2), vector))
}

/// A basis of what is orthogonal to a vector of the span.
fn without(basis: &Mat<f64>, vector: &[f64]) -> Mat<f64> {
    let (p, k) = (basis.nrows(), basis.ncols());
    let mut kept: Vec<Vec<f64>> = Vec::new();
    for j in 0..k {
        let mut column: Vec<f64> = (0..p).map(|i| basis[(i, j)]).collect();
        for other in std::iter::once(vector).chain(kept.iter().map(Vec::as_slice)) {
            let dot: f64 = column.iter().zip(other).map(|(a, b)| a * b).sum();
            column.iter_mut().zip(other).for_each(|(c, o)| *c -= dot * o);
        }
        let norm = column.iter().map(|c| c * c).sum::<f64>().sqrt();
        if norm > 1e-8 && kept.len() + 1 < k {
            column.iter_mut().for_each(|c| *c /= norm);
            kept.push(column);
        }
    }
    Mat::from_fn(p, kept.len(), |i, j| kept[j][i])
}

/// A direction in words.
pub(crate) fn in_words(vector: &[f64], theta: &[f64], scale: &[f64], names: &[String], ordered: bool) -> Undetermined {
    let largest = vector.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    let sign = if vector.iter().find(|v| v.abs() > 0.5 * largest).is_some_and(|v| *v < 0.0) { -1.0 } else { 1.0 };
    let direction: Vec<f64> = vector.iter().map(|v| if v.abs() > NAMED * largest { sign * v } else { 0.0 }).collect();
    let along: Vec<f64> = theta.iter().zip(scale).map(|(t, s)| t / s).collect();
    let (norm, dot) =
        (along.iter().map(|t| t * t).sum::<f64>().sqrt(), along.iter().zip(vector).map(|(t, v)| t * v).sum::<f64>());
    let named: Vec<&str> =
        names.iter().zip(&direction).filter(|(_, d)| **d != 0.0).map(|(name, _)| name.as_str()).collect();
    let text = if dot.abs() > 0.99 * norm && names.len() > 1 {
        let remedy = if ordered { "fix one coefficient" } else { "give Δt and order, or fix one coefficient" };
        format!("all terms may be multiplied by one constant: {remedy}")
    } else if let [one] = named[..] {
        format!("the data say nothing of {one}: fix it with --free, or observe where it matters")
    } else {
        format!(
            "{} may change together without any effect on the equations: fix one of them with --free",
            named.join(", ")
        )
    };
    Undetermined { direction, text }
}
