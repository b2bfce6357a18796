//! Whether a point is stationary, told by f, its gradient and its curvature: not by what led there.

use wngd_adjoint::ForwardModel;
use wngd_linalg::LinearOp;
use wngd_linalg::dense::{dot, norm};
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::{apply_transpose_vec, apply_vec};

use crate::curvature::{gauss_newton_curvature, pseudo_inverse};
use crate::error::DescentError;
use crate::held::hold;
use crate::objective::Objective;
use crate::prior::PriorTerms;

/// Most parameters for which the curvature is formed; beyond, conjugate gradients see it as an operator.
const FORMED: usize = 500;
/// Conjugate-gradient steps without a formed curvature.
const STEPS: usize = 60;
/// Step, relative to a parameter or to what changes f by as much as it was at the start, that counts as none where
/// the data do not tell their noise: f is known to 1e-16, so steps that f decides on end near its square root.
const NO_STEP: f64 = 1e-6;
/// The same as a share of a standard error.
const NO_SHARE: f64 = 1e-3;
/// A promised decrease below this share of f is rounding.
const ROUNDING: f64 = 64.0 * f64::EPSILON;
/// Share of the terms of a gradient entry that is their rounding.
const NOISE: f64 = 16.0 * f64::EPSILON;
/// Cosine between two densities below which they have nothing to do with each other.
const APART: f64 = 1e-10;

/// How far the next step from a point would go: δ = −H⁺∇f with the Gauss–Newton curvature H = |c| ZᵀWZ of f itself,
/// whichever metric the descent uses.
#[derive(Debug, Clone, PartialEq)]
pub struct Stationarity {
    /// Largest |δⱼ|, in units of the step that counts as none: 1e-3 of a standard error where errors are known, else
    /// 1e-6 of |θⱼ| or of the change of θⱼ that f at the start amounts to.
    pub step: f64,
    /// ½ ∇fᵀH⁺∇f: the decrease of f that the step promises.
    pub promised: f64,
    /// Whether the step is none or its promise is rounding of f.
    pub stationary: bool,
}

impl Stationarity {
    /// At θ, with f at the start of the descent and standard errors at θ where they are known.
    ///
    /// # Cost
    /// One linearisation; p ≤ 500: k p² flops and one application of the curvature to the k x p Jacobian;
    /// else up to 60 tangent and adjoint solves.
    ///
    /// # Errors
    /// Failed evaluations and decompositions.
    pub fn at<M: ForwardModel>(
        model: &M,
        objective: &dyn Objective,
        theta: &[f64],
        start: f64,
        standard_errors: Option<&[f64]>,
    ) -> Result<Self, DescentError> {
        let linearization = model.linearize(theta)?;
        let (misfit, u) = objective.derivative(&linearization.state)?;
        let priors = PriorTerms::at(model, theta);
        let value = misfit + priors.value();
        let (z, c) = (&linearization.jacobian, objective.cell_volume());
        let mut gradient: Vec<f64> = apply_transpose_vec(z, &u).iter().map(|g| c * g).collect();
        let (step, lengths) = if theta.len() <= FORMED {
            let z = z.to_dense();
            let mut gradient = above_rounding(&z, &u, c, &gradient);
            priors.add_gradient(&mut gradient);
            let Curved { step, lengths, h } =
                formed(&z, |z| objective.curvature(&linearization.state, z), c, &gradient, &priors)?;
            let bounds = model.bounds();
            let met: Vec<_> = bounds.iter().filter(|b| b.is_met(theta)).collect();
            // A step is −δ.
            let back: Vec<f64> = step.iter().map(|s| -s).collect();
            let held = hold(&back, &h, &met)?;
            (held.into_iter().map(|s| -s).collect(), lengths)
        } else {
            let apply = |v: &[f64]| -> Result<Vec<f64>, DescentError> {
                let image = apply_vec(z, v);
                let bent = objective.curvature(&linearization.state, Mat::from_fn(image.len(), 1, |i, _| image[i]))?;
                let mut bent: Vec<f64> = apply_transpose_vec(z, bent.col_as_slice(0)).iter().map(|h| c * h).collect();
                priors.terms().iter().for_each(|t| bent[t.parameter] += t.slope * t.slope * v[t.parameter]);
                Ok(bent)
            };
            priors.add_gradient(&mut gradient);
            (iterated(apply, &gradient)?, vec![0.0; theta.len()])
        };
        let promised = 0.5 * dot(&gradient, &step).abs();
        let units = (0..theta.len()).map(|j| match standard_errors.map(|errors| errors[j]) {
            Some(error) if error > 0.0 && error.is_finite() => NO_SHARE * error,
            _ => {
                let natural = if lengths[j] > 0.0 { (2.0 * start.abs()).sqrt() / lengths[j] } else { 0.0 };
                NO_STEP * theta[j].abs().max(natural)
            }
        });
        let measured = step.iter().zip(units).map(|(d, unit)| if *d == 0.0 { 0.0 } else { d.abs() / unit });
        let step = measured.fold(0.0, |most: f64, m| if m.is_nan() { f64::INFINITY } else { most.max(m) });
        Ok(Self { step, promised, stationary: step <= 1.0 || promised <= ROUNDING * value.abs() })
    }
}

/// The gradient, less what is rounding of its own terms: it has no direction.
fn above_rounding(z: &Mat<f64>, u: &[f64], c: f64, gradient: &[f64]) -> Vec<f64> {
    let size = |j: usize| c * z.col_as_slice(j).iter().zip(u).map(|(z, u)| (z * u).abs()).sum::<f64>();
    gradient.iter().enumerate().map(|(j, g)| if g.abs() > NOISE * size(j) { *g } else { 0.0 }).collect()
}

/// H⁺∇f, √Hⱼⱼ and H.
struct Curved {
    step: Vec<f64>,
    lengths: Vec<f64>,
    h: Mat<f64>,
}

/// What the curvature makes of a gradient.
fn formed(
    z: &Mat<f64>,
    curvature: impl FnOnce(Mat<f64>) -> Result<Mat<f64>, crate::error::ObjectiveError>,
    c: f64,
    gradient: &[f64],
    priors: &PriorTerms,
) -> Result<Curved, DescentError> {
    let p = gradient.len();
    let mut h = gauss_newton_curvature(z, &curvature(z.clone())?, c);
    priors.add_curvature(&mut h, 1.0);
    let lengths: Vec<f64> = (0..p).map(|j| h[(j, j)].max(0.0).sqrt()).collect();
    let inverse = pseudo_inverse(&h).map_err(crate::error::DirectionError::from)?;
    let step = (0..p).map(|i| (0..p).map(|j| inverse[(i, j)] * gradient[j]).sum()).collect();
    Ok(Curved { step, lengths, h })
}

/// H⁺∇f by conjugate gradients, until nothing is gained.
fn iterated(
    apply: impl Fn(&[f64]) -> Result<Vec<f64>, DescentError>,
    gradient: &[f64],
) -> Result<Vec<f64>, DescentError> {
    let (mut x, mut r) = (vec![0.0; gradient.len()], gradient.to_vec());
    let (mut d, mut size) = (r.clone(), dot(&r, &r));
    let goal = 1e-3 * norm(gradient);
    for _ in 0..STEPS {
        if !(size.sqrt() > goal) {
            break;
        }
        let h = apply(&d)?;
        let length = size / dot(&d, &h);
        if !(length > 0.0 && length.is_finite()) {
            break;
        }
        x.iter_mut().zip(&d).for_each(|(x, d)| *x += length * d);
        r.iter_mut().zip(&h).for_each(|(r, h)| *r -= length * h);
        let next = dot(&r, &r);
        d.iter_mut().zip(&r).for_each(|(d, r)| *d = r + next / size * *d);
        size = next;
    }
    Ok(x)
}

/// Whether two densities have no cell in common: every gradient vanishes there, and no minimum does.
///
/// Vectors with negative entries are no densities and never apart.
pub(crate) fn are_apart(state: &[f64], data: &[f64]) -> bool {
    if state.iter().chain(data).any(|v| *v < 0.0) {
        return false;
    }
    let (a, b) = (norm(state), norm(data));
    a > 0.0 && b > 0.0 && state.iter().zip(data).map(|(x, y)| (x / a) * (y / b)).sum::<f64>() < APART
}
