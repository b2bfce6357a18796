//! Noise that drives the motion, as the model declares it.
//!
//! What it adds over a time step is ∫ Φ(s) 2D Φ(s)ᵀ ds with Φ(s) from s before the end to the end; two Gauss nodes take that
//! exactly up to the fourth power of the time. At each node the state is pushed to either side by the standard deviation of its
//! share: half the difference of the images is a column of the covariance's root, half their second difference what the
//! curvature of the flow does to the mean.

use std::sync::Arc;

use wngd_models::flow::VelocityField;

use crate::dynamics::Dynamics;
use crate::error::IdentifyError;
use crate::flow_map::FlowMap;

/// Gauss nodes, as shares of a time step.
const NODES: [f64; 2] = [0.211_324_865_405_187_1, 0.788_675_134_594_812_9];
/// Points at which D is looked at.
const LOOKS: usize = 50;
/// Relative error of a proportion.
const PROPORTIONAL: f64 = 1e-9;

/// Which coordinates are driven, and by which parameters.
#[derive(Clone)]
pub(super) struct Drive {
    diffusion: Arc<dyn VelocityField>,
    coordinates: Vec<usize>,
    /// The free parameter that D of each driven coordinate is proportional to; none where D is known.
    owners: Vec<Option<usize>>,
}

impl Drive {
    /// What drives a system about some points (row-major); `None` where nothing does.
    ///
    /// # Errors
    /// D that is not a parameter times something known, or a parameter that the drift has, too; D that begins at 0 and need not
    /// stay there.
    pub(super) fn of(dynamics: &Dynamics, points: &[f64], theta: &[f64]) -> Result<Option<Self>, IdentifyError> {
        let Some(diffusion) = &dynamics.diffusion else { return Ok(None) };
        let d = dynamics.dim();
        let stride = (points.len() / d / LOOKS).max(1);
        let some: Vec<&[f64]> = points.chunks_exact(d).step_by(stride).collect();
        let at = |theta: &[f64]| -> Vec<f64> {
            let full = dynamics.theta_full(theta);
            let one = |x: &&[f64]| {
                let mut out = vec![0.0; d];
                diffusion.velocity(x, &full, &mut out);
                out
            };
            some.iter().flat_map(one).collect()
        };
        let usual = at(theta);
        let lifted = at(&theta.iter().map(|t| if *t == 0.0 { 1.0 } else { *t }).collect::<Vec<f64>>());
        let twice: Vec<Vec<f64>> = (0..theta.len())
            .map(|j| {
                let mut moved = theta.to_vec();
                moved[j] *= 2.0;
                at(&moved)
            })
            .collect();
        let of = |values: &[f64], c: usize| values.iter().skip(c).step_by(d).copied().collect::<Vec<f64>>();
        let (mut coordinates, mut owners) = (Vec::new(), Vec::new());
        for c in 0..d {
            let here = of(&usual, c);
            if here.iter().all(|v| *v == 0.0) {
                if of(&lifted, c).iter().any(|v| *v != 0.0) {
                    return Err(IdentifyError::DiffusionStart { variable: dynamics.variables()[c].clone() });
                }
                continue;
            }
            let size = here.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
            let is = |j: usize, factor: f64| {
                of(&twice[j], c).iter().zip(&here).all(|(a, b)| (a - factor * b).abs() <= PROPORTIONAL * size)
            };
            let movers: Vec<usize> = (0..theta.len()).filter(|&j| !is(j, 1.0)).collect();
            let owner = match movers[..] {
                [] => None,
                [j] if is(j, 2.0) && !drifts(dynamics, &some, theta, j) => Some(j),
                _ => return Err(IdentifyError::Diffusion { variable: dynamics.variables()[c].clone() }),
            };
            coordinates.push(c);
            owners.push(owner);
        }
        let drive = Self { diffusion: diffusion.clone(), coordinates, owners };
        Ok((!drive.coordinates.is_empty()).then_some(drive))
    }

    /// Whether a free parameter scales some D.
    pub(super) fn owns(&self, parameter: usize) -> bool {
        self.owners.contains(&Some(parameter))
    }

    /// Driven coordinates.
    pub(super) fn coordinates(&self) -> &[usize] {
        &self.coordinates
    }

    /// The free parameter that D of a driven coordinate is proportional to.
    pub(super) fn owner(&self, driven: usize) -> Option<usize> {
        self.owners[driven]
    }

    /// What the noise does to the mean over a time, and the root of its covariance, a row of coordinates per push; D of each
    /// driven coordinate times a factor.
    pub(super) fn pushes(
        &self,
        map: &FlowMap<'_>,
        x: &[f64],
        full: &[f64],
        factors: &[f64],
        time: f64,
    ) -> Option<(Vec<f64>, Vec<f64>)> {
        let (d, mut level) = (x.len(), vec![0.0; x.len()]);
        let (mut shift, mut rows) = (vec![0.0; d], Vec::with_capacity(NODES.len() * self.coordinates.len() * d));
        for node in NODES {
            let there = map.value_over(x, full, node * time);
            let left = (1.0 - node) * time;
            let middle = map.value_over(&there, full, left);
            self.diffusion.velocity(&there, full, &mut level);
            for (&c, factor) in self.coordinates.iter().zip(factors) {
                // 2D over half of the time.
                let size = (factor * level[c] * time).sqrt();
                let image = |sign: f64| {
                    let mut moved = there.clone();
                    moved[c] += sign * size;
                    map.value_over(&moved, full, left)
                };
                let (above, below) = (image(1.0), image(-1.0));
                rows.extend(above.iter().zip(&below).map(|(a, b)| 0.5 * (a - b)));
                let bent = above.iter().zip(&below).zip(&middle).map(|((a, b), m)| 0.5 * (a + b) - m);
                shift.iter_mut().zip(bent).for_each(|(s, v)| *s += v);
            }
        }
        shift.iter().chain(&rows).all(|v| v.is_finite()).then_some((shift, rows))
    }
}

/// Whether the drift depends on a free parameter.
fn drifts(dynamics: &Dynamics, points: &[&[f64]], theta: &[f64], j: usize) -> bool {
    let (d, full) = (dynamics.dim(), dynamics.theta_full(theta));
    let mut slopes = vec![0.0; d * full.len()];
    points.iter().any(|x| {
        dynamics.drift.jacobian_theta(x, &full, &mut slopes);
        (0..d).any(|i| slopes[i * full.len() + dynamics.free()[j]] != 0.0)
    })
}

#[cfg(test)]
mod tests {
    use wngd_models::flow::{Equations, ExpressionField};

    use super::*;

    fn written(equations: &[&str], diffusion: &[&str], parameters: &[(&str, f64)]) -> Dynamics {
        let names = |all: &[&str]| all.iter().map(|s| s.to_string()).collect::<Vec<_>>();
        let field = ExpressionField::new(&Equations {
            name: "driven".into(),
            variables: names(&["q", "p"][..equations.len()]),
            equations: names(equations),
            diffusion: names(diffusion).into_iter().map(Some).collect(),
            parameters: parameters.iter().map(|(n, v)| (n.to_string(), *v)).collect(),
            ..Equations::default()
        });
        Dynamics::written(&field.unwrap(), parameters.iter().map(|p| p.1).collect(), None).unwrap()
    }

    #[test]
    fn a_pushed_oscillator_has_the_covariance_of_the_formula() {
        // dq = p dt, dp = −g p dt + √(2D) dW: Var p = D(1 − e^(−2gt))/g, and so on.
        let dynamics = written(&["p", "-g*p"], &["0", "D"], &[("g", 0.8), ("D", 0.3)]);
        let (theta, x, t) = ([0.8, 0.3], [0.2, -0.5], 0.2);
        let drive = Drive::of(&dynamics, &x, &theta).unwrap().unwrap();
        assert_eq!((drive.coordinates(), drive.owner(0)), (&[1][..], Some(1)));
        let map = FlowMap::on(&dynamics, &[0.2, -0.5], &[1.0, 1.0], t, &theta, 1e-10).unwrap();
        let (shift, rows) = drive.pushes(&map, &x, &theta, &[1.0], t).unwrap();
        assert!(shift.iter().all(|s| s.abs() < 1e-12), "{shift:?}");
        let entry = |i: usize, j: usize| rows.chunks_exact(2).map(|u| u[i] * u[j]).sum::<f64>();
        let (g, level, e) = (0.8, 0.3, (-0.8 * t).exp());
        let pp = level / g * (1.0 - e * e);
        let qp = level / (g * g) * (1.0 - e).powi(2);
        let qq = level / (g * g) * (2.0 * t - (3.0 - 4.0 * e + e * e) / g);
        for (found, exact) in [(entry(0, 0), qq), (entry(0, 1), qp), (entry(1, 1), pp)] {
            assert!((found / exact - 1.0).abs() < 5e-4, "{found} {exact}");
        }
    }

    #[test]
    fn curvature_moves_the_mean() {
        // dx = x² dt + √(2D) dW: the mean gains ∫ 2D s ds at x = 0 to first order.
        let dynamics = written(&["a*q^2"], &["D"], &[("a", 1.0), ("D", 0.3)]);
        let map = FlowMap::on(&dynamics, &[0.0], &[1.0], 0.01, &[1.0, 0.3], 1e-12).unwrap();
        let drive = Drive::of(&dynamics, &[0.0], &[1.0, 0.3]).unwrap().unwrap();
        let (shift, _) = drive.pushes(&map, &[0.0], &[1.0, 0.3], &[1.0], 0.01).unwrap();
        assert!((shift[0] / (0.3 * 1e-4) - 1.0).abs() < 0.01, "{shift:?}");
    }

    #[test]
    fn a_diffusion_that_begins_at_zero_is_not_left_out() {
        let dynamics = written(&["p", "-g*p"], &["0", "D"], &[("g", 0.8), ("D", 0.0)]);
        let refused = Drive::of(&dynamics, &[0.3, 0.1], &[0.8, 0.0]).err();
        assert!(matches!(refused, Some(IdentifyError::DiffusionStart { variable }) if variable == "p"));
    }

    #[test]
    fn diffusions_that_are_no_multiple_are_refused() {
        let points = [0.3, 0.1, -0.4, 0.2];
        for (level, parameters) in
            [("D + g", &[("g", 0.8), ("D", 0.3)][..]), ("g", &[("g", 0.8)]), ("D^2", &[("g", 0.8), ("D", 0.3)])]
        {
            let dynamics = written(&["p", "-g*p"], &["0", level], parameters);
            let theta: Vec<f64> = parameters.iter().map(|p| p.1).collect();
            let refused = Drive::of(&dynamics, &points, &theta);
            assert!(matches!(refused, Err(IdentifyError::Diffusion { .. })), "{level}");
        }
    }
}
