use wngd_adjoint::{Bound, ForwardModel, ModelError};
use wngd_linalg::dense::{dot, gram};
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::apply_transpose_vec;
use wngd_linalg::{LinalgError, LinearOp};

use crate::curvature::{Scaled, gauss_newton_curvature};
use crate::error::ObjectiveError;
use crate::objective::Objective;
use crate::prior::PriorTerms;
use thiserror::Error;

/// Step of the differences that make the Hessian, as a multiple of what changes f by ½.
const DIFFERENCE: f64 = 1e-3;
/// Halvings of a difference that leaves the domain.
const HALVINGS: usize = 6;
/// Relative accuracy of a Hessian by differences: eigenvalues below are not known.
const DIFFERENCED: f64 = 1e-6;
/// Relative accuracy of a Gauss–Newton curvature.
const FORMED: f64 = 1e-12;
/// Share of a direction that the data do not determine which makes a parameter undetermined.
const INVOLVED: f64 = 1e-3;

/// What can go wrong when standard errors are computed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UncertaintyError {
    /// The model failed at the estimate.
    #[error("model: {0}")]
    Model(#[from] ModelError),
    /// The objective's curvature could not be evaluated.
    #[error("objective: {0}")]
    Objective(#[from] ObjectiveError),
    /// A decomposition failed.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
    /// Some combination of parameters does not change the objective.
    #[error(
        "the curvature has rank {rank} of {size}: the data do not determine every parameter, so some have no standard error; fix one of them"
    )]
    Singular {
        /// Rank found.
        rank: usize,
        /// Number of parameters.
        size: usize,
    },
    /// The objective falls along some direction on both sides.
    #[error("the objective curves downwards along some combination of parameters: this is a saddle, no minimum")]
    Saddle,
}

/// A linear map of k values, in place.
pub type LinearMap<'a> = dyn Fn(&mut [f64]) + Sync + 'a;

/// Independent samples that data were made of.
pub struct Sampled<'a> {
    /// Their density in the cells, k values, before anything smoothed it.
    pub density: &'a [f64],
    /// How many there are.
    pub number: f64,
    /// The transpose of the linear map that made the data of `density`, in place; `None` where they are equal.
    pub transpose: Option<&'a LinearMap<'a>>,
    /// Whether their number scatters, too (Poisson), as it does where the model's mass is fitted.
    pub poisson: bool,
}

/// How well samples determine the parameters.
#[derive(Debug, Clone)]
pub struct Uncertainty {
    /// Covariance of the estimate, p x p; rows and columns of parameters without a standard error hold 0.
    pub covariance: Mat<f64>,
    /// Square roots of its diagonal; `None` for parameters on a bound or in a direction that the data do not determine.
    pub standard_errors: Vec<Option<f64>>,
    /// The same if the model were right, by Fisher's information at the model instead of the data.
    pub if_right: Vec<Option<f64>>,
    /// Rank of the curvature along the bounds.
    pub rank: usize,
    /// Condition number of the curvature, scaled to unit diagonal, on its range.
    pub condition: f64,
    /// Whether the Hessian was too close to singular for differences, so that the Gauss–Newton curvature stands in.
    pub gauss_newton: bool,
    /// Directions in θ that the data do not determine, p values each, the largest 1 in size.
    pub undetermined: Vec<Vec<f64>>,
    /// Parameters that lie on a bound.
    pub bounded: Vec<usize>,
}

/// Covariance of θ̂ = argmin f whether the model is right or not: the sandwich H⁻¹JH⁻¹ with the true Hessian H of f and
/// J = Var(∇f) over samples as they are, J = (|c| Σ ρ* q qᵀ − m mᵀ)/N, q = rows of WZ, m = |c| Σ ρ* q.
///
/// H comes from differences of the gradient. Parameters on a [bound](ForwardModel::bounds) keep it; the others vary
/// along it. [Priors](ForwardModel::priors) add their curvature C to H and C/N to J: the covariance is then that of the
/// posterior to second order, if the model is right.
///
/// # Shapes
/// `theta`: p.
///
/// # Cost
/// 2p linearisations, one application of the curvature, k p² flops.
///
/// # Errors
/// Failed evaluations; [`UncertaintyError::Saddle`].
///
/// # References
/// White 1982, doi:10.2307/1912526.
pub fn uncertainty<M: ForwardModel>(
    model: &M,
    objective: &dyn Objective,
    theta: &[f64],
    sampled: &Sampled<'_>,
) -> Result<Uncertainty, UncertaintyError> {
    let linearization = model.linearize(theta)?;
    let state = linearization.state;
    let z = linearization.jacobian.into_dense();
    let (p, c) = (z.ncols(), objective.cell_volume());
    let q = objective.curvature(&state, z.clone())?;
    let mut formed = gauss_newton_curvature(&z, &q, c);
    let mut influence = q.clone();
    if let Some(transpose) = sampled.transpose {
        (0..p).for_each(|j| transpose(influence.col_as_slice_mut(j)));
    }
    let noise_of = |density: &[f64]| gradient_noise(&influence, density, c, sampled.number, sampled.poisson);
    let (mut noise, mut noise_if_right) = (noise_of(sampled.density), noise_of(&state.values));
    // What a prior says scatters as what was measured does: so that H⁻¹JH⁻¹ is H⁻¹/N if the model is right.
    let priors = PriorTerms::at(model, theta);
    priors.add_curvature(&mut formed, 1.0);
    priors.add_curvature(&mut noise, 1.0 / sampled.number);
    priors.add_curvature(&mut noise_if_right, 1.0 / sampled.number);

    let bounds = model.bounds();
    let met: Vec<_> = bounds.iter().filter(|b| b.is_met(theta)).collect();
    let basis = tangents(p, &met);
    let m = basis.len();
    let along = |matrix: &Mat<f64>| {
        Mat::from_fn(m, m, |a, b| {
            (0..p).map(|i| basis[a][i] * (0..p).map(|j| matrix[(i, j)] * basis[b][j]).sum::<f64>()).sum()
        })
    };
    let formed = along(&formed);
    let seen = match hessian(model, objective, theta, &basis, &formed)? {
        Some(hessian) => Some(Inverse::new(&hessian, DIFFERENCED)?),
        None => None,
    };
    let plain = Inverse::new(&formed, FORMED)?;
    let (inverse, gauss_newton) = match seen {
        Some(seen) if seen.negative => return Err(UncertaintyError::Saddle),
        Some(seen) if seen.null.len() <= plain.null.len() => (seen, false),
        // What differences cannot tell from 0 the Gauss–Newton curvature may.
        _ => (plain.clone(), true),
    };
    let back = |matrix: Mat<f64>| {
        Mat::from_fn(p, p, |i, j| {
            (0..m).map(|a| basis[a][i] * (0..m).map(|b| matrix[(a, b)] * basis[b][j]).sum::<f64>()).sum::<f64>()
        })
    };
    let covariance = back(&inverse.inverse * along(&noise) * &inverse.inverse);
    let if_right = back(&plain.inverse * along(&noise_if_right) * &plain.inverse);
    let bounded: Vec<usize> = (0..p).filter(|&j| basis.iter().all(|v| v[j] == 0.0)).collect();
    let undetermined =
        |j: usize| inverse.null.iter().any(|v| (0..m).any(|a| basis[a][j] != 0.0 && v.scaled[a].abs() > INVOLVED));
    let known: Vec<bool> = (0..p).map(|j| !bounded.contains(&j) && !undetermined(j)).collect();
    let errors = |c: &Mat<f64>| (0..p).map(|j| known[j].then(|| c[(j, j)].max(0.0).sqrt())).collect();
    let kept =
        Mat::from_fn(
            p,
            p,
            |i, j| {
                if known[i] && known[j] { 0.5 * (covariance[(i, j)] + covariance[(j, i)]) } else { 0.0 }
            },
        );
    let directions = inverse.null.iter().map(|v| {
        let whole: Vec<f64> = (0..p).map(|j| (0..m).map(|a| basis[a][j] * v.plain[a]).sum()).collect();
        let most = whole.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        whole.into_iter().map(|x| if most > 0.0 { x / most } else { x }).collect()
    });
    Ok(Uncertainty {
        standard_errors: errors(&covariance),
        if_right: errors(&if_right),
        covariance: kept,
        rank: m - inverse.null.len(),
        condition: inverse.condition,
        gauss_newton,
        undetermined: directions.collect(),
        bounded,
    })
}

/// Directions that leave no bound of those met, by elimination: unit vectors where bounds concern single parameters.
fn tangents(p: usize, met: &[&Bound]) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = (0..p).map(|j| (0..p).map(|i| if i == j { 1.0 } else { 0.0 }).collect()).collect();
    for bound in met {
        let rates: Vec<f64> = basis.iter().map(|v| bound.rate(v)).collect();
        let Some(pivot) = (0..basis.len()).max_by(|a, b| rates[*a].abs().total_cmp(&rates[*b].abs())) else { break };
        if rates[pivot] == 0.0 {
            continue;
        }
        let row = basis.remove(pivot);
        for (v, rate) in basis.iter_mut().zip(rates.iter().enumerate().filter(|(l, _)| *l != pivot).map(|(_, r)| r)) {
            v.iter_mut().zip(&row).for_each(|(v, w)| *v -= rate / rates[pivot] * w);
        }
    }
    basis
}

/// The Hessian of f along directions by central differences of its gradient; `None` where they leave the domain.
fn hessian<M: ForwardModel>(
    model: &M,
    objective: &dyn Objective,
    theta: &[f64],
    basis: &[Vec<f64>],
    formed: &Mat<f64>,
) -> Result<Option<Mat<f64>>, UncertaintyError> {
    let gradient = |theta: &[f64]| -> Result<Option<Vec<f64>>, UncertaintyError> {
        let linearization = match model.linearize(theta) {
            Ok(linearization) => linearization,
            Err(error) if error.is_recoverable() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let Ok((_, u)) = objective.derivative(&linearization.state) else { return Ok(None) };
        let c = objective.cell_volume();
        let mut found: Vec<f64> = apply_transpose_vec(&linearization.jacobian, &u).into_iter().map(|g| c * g).collect();
        PriorTerms::at(model, theta).add_gradient(&mut found);
        Ok(Some(found).filter(|found| found.iter().all(|g| g.is_finite())))
    };
    let m = basis.len();
    let mut h = Mat::zeros(m, m);
    for (column, v) in basis.iter().enumerate() {
        let scale = formed[(column, column)].max(0.0).sqrt();
        if scale == 0.0 {
            // It moves nothing.
            continue;
        }
        let at = |step: f64| -> Vec<f64> { theta.iter().zip(v).map(|(t, v)| t + step * v).collect() };
        let mut step = DIFFERENCE / scale;
        let mut found = None;
        for _ in 0..HALVINGS {
            if let (Some(more), Some(less)) = (gradient(&at(step))?, gradient(&at(-step))?) {
                found = Some(more.iter().zip(&less).map(|(a, b)| (a - b) / (2.0 * step)).collect::<Vec<f64>>());
                break;
            }
            step *= 0.25;
        }
        let Some(found) = found else { return Ok(None) };
        basis.iter().enumerate().for_each(|(row, w)| h[(row, column)] = dot(w, &found));
    }
    Ok(Some(Mat::from_fn(m, m, |i, j| 0.5 * (h[(i, j)] + h[(j, i)]))))
}

/// (|c| Σ ρ q qᵀ − m mᵀ)/N: how a gradient scatters that depends on data through q; without m mᵀ where N scatters, too.
fn gradient_noise(q: &Mat<f64>, density: &[f64], c: f64, number: f64, poisson: bool) -> Mat<f64> {
    let (k, p) = (q.nrows(), q.ncols());
    let share: Vec<f64> = density.iter().map(|v| c * v.max(0.0)).collect();
    let weighted = Mat::from_fn(k, p, |i, j| q[(i, j)] * share[i].sqrt());
    let sum_of = |j: usize| if poisson { 0.0 } else { (0..k).map(|i| share[i] * q[(i, j)]).sum() };
    let mean: Vec<f64> = (0..p).map(sum_of).collect();
    let mut noise = gram(weighted.as_ref());
    for i in 0..p {
        for j in 0..p {
            noise[(i, j)] = (noise[(i, j)] - mean[i] * mean[j]) / number;
        }
    }
    noise
}

/// A pseudo-inverse with what it left out.
#[derive(Clone)]
struct Inverse {
    inverse: Mat<f64>,
    /// Directions left out.
    null: Vec<Null>,
    /// Whether one of them is clearly negative.
    negative: bool,
    condition: f64,
}

/// A direction without curvature.
#[derive(Clone)]
struct Null {
    /// In units in which every parameter changes f alike.
    scaled: Vec<f64>,
    /// In the parameters' own units.
    plain: Vec<f64>,
}

impl Inverse {
    /// Of a symmetric matrix whose entries, scaled to unit diagonal, are known to `accuracy`.
    fn new(h: &Mat<f64>, accuracy: f64) -> Result<Self, LinalgError> {
        let scaled = Scaled::of(h)?;
        let (p, largest, values) = (h.nrows(), scaled.largest(), &scaled.values);
        let floor = accuracy * p as f64 * largest;
        let null = (0..p).filter(|&l| !(values[l] > floor)).map(|l| {
            let direction: Vec<f64> = (0..p).map(|i| scaled.vectors[(i, l)]).collect();
            let plain = direction.iter().zip(&scaled.over).map(|(v, o)| if *o > 0.0 { v * o } else { *v }).collect();
            Null { scaled: direction, plain }
        });
        let least = values.iter().find(|v| **v > floor).copied().unwrap_or(largest);
        let condition = if largest > 0.0 { largest / least } else { 1.0 };
        let negative = values.first().is_some_and(|v| *v < -10.0 * floor) || (0..p).any(|i| h[(i, i)] < 0.0);
        let inverse = scaled.inverse(floor);
        Ok(Self { inverse, null: null.collect(), negative, condition })
    }
}

/// Covariance of the estimate θ̂ = argmin f when the data density is made of N
/// independent samples of the model itself: the sandwich H⁻¹ J H⁻¹ with H = |c| ZᵀWZ (Gauss–Newton) and
/// J = Var(|c| ZᵀW ρ*) = (|c| Σ ρ q qᵀ − m mᵀ)/N, q = rows of WZ, m = |c| Σ ρ q.
///
/// For Kullback–Leibler it is the inverse Fisher information over N. [`uncertainty`] holds where the model is wrong, too.
///
/// # Shapes
/// `theta`: p; result: p x p.
///
/// # Cost
/// One linearisation, one application of the curvature W, k p² flops.
///
/// # Errors
/// Failed evaluations; [`UncertaintyError::Singular`] where parameters are not determined.
pub fn sampling_covariance<M: ForwardModel>(
    model: &M,
    objective: &dyn Objective,
    theta: &[f64],
    samples: usize,
) -> Result<Mat<f64>, UncertaintyError> {
    let linearization = model.linearize(theta)?;
    let state = linearization.state;
    let z = linearization.jacobian.into_dense();
    let c = objective.cell_volume();
    let q = objective.curvature(&state, z.clone())?;
    let mut noise = gradient_noise(&q, &state.values, c, samples as f64, false);
    let mut curvature = gauss_newton_curvature(&z, &q, c);
    let priors = PriorTerms::at(model, theta);
    priors.add_curvature(&mut noise, 1.0 / samples as f64);
    priors.add_curvature(&mut curvature, 1.0);
    sandwich_covariance(&curvature, &noise)
}

/// H⁻¹ J H⁻¹: covariance of argmin f from the curvature H of f and the covariance J of its gradient.
///
/// # Shapes
/// Both p x p, symmetric; result: p x p.
///
/// # Errors
/// [`UncertaintyError::Singular`] where H does not determine every parameter; matrices of other shapes.
pub fn sandwich_covariance(curvature: &Mat<f64>, noise: &Mat<f64>) -> Result<Mat<f64>, UncertaintyError> {
    let size = curvature.nrows();
    for found in [curvature.ncols(), noise.nrows(), noise.ncols()] {
        if found != size {
            return Err(LinalgError::Shape { what: "curvature or noise", expected: size, found }.into());
        }
    }
    let found = Inverse::new(curvature, FORMED)?;
    if !found.null.is_empty() {
        return Err(UncertaintyError::Singular { rank: size - found.null.len(), size });
    }
    Ok(&found.inverse * noise * &found.inverse)
}

/// Square roots of the diagonal of a covariance matrix.
pub fn standard_errors(covariance: &Mat<f64>) -> Vec<f64> {
    (0..covariance.nrows()).map(|i| covariance[(i, i)].max(0.0).sqrt()).collect()
}
