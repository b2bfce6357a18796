use std::sync::Arc;

use wngd_adjoint::ModelError;
use wngd_linalg::Grid;

use crate::flow::field::VelocityField;

/// Most parameters of all hats together.
const MAX_HATS: usize = 1_000_000;

/// A fixed field plus a free one: v(x; θ) = v₀(x) + s Σᵢ θᵢ ψᵢ(x), with ψ multilinear hats.
///
/// The hats sit on qᵈ equidistant nodes, corners of the box included, one set per component:
/// with three axes parameter ((c q + a) q + b) q + e belongs to component c and node (a, b, e).
/// Every point sees 2ᵈ hats per component, however many parameters there are. Outside the box
/// the hats continue as constants.
#[derive(Clone)]
pub struct HatPerturbation {
    base: Arc<dyn VelocityField>,
    base_theta: Vec<f64>,
    scale: f64,
    nodes: usize,
    lower: Vec<f64>,
    upper: Vec<f64>,
}

impl std::fmt::Debug for HatPerturbation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HatPerturbation")
            .field("base", &self.base.name())
            .field("scale", &self.scale)
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}

impl HatPerturbation {
    /// Hats on `nodes` nodes per axis of the grid's box, around a field at fixed parameters.
    ///
    /// # Errors
    /// [`ModelError`] for fewer than 2 nodes, more than a million hats, a grid of another dimension, or bad
    /// parameters of the base.
    pub fn new(
        base: Arc<dyn VelocityField>,
        base_theta: Vec<f64>,
        scale: f64,
        nodes: usize,
        grid: &Grid,
    ) -> Result<Self, ModelError> {
        let refuse = |field: &str, problem: String| Err(ModelError::invalid(field, problem));
        if base_theta.len() != base.dim_param() {
            return Err(ModelError::Shape { expected: base.dim_param(), found: base_theta.len() });
        }
        if let Some(i) = base_theta.iter().position(|v| !v.is_finite()) {
            return refuse(&format!("theta[{i}]"), format!("{} given; parameters are finite", base_theta[i]));
        }
        if nodes < 2 {
            return refuse("nodes", format!("{nodes} given; hats need 2 nodes per axis or more"));
        }
        if grid.dim() != base.dim() {
            return refuse(
                "grid",
                format!("{} axes, the field has {} coordinates; give as many", grid.dim(), base.dim()),
            );
        }
        let hats = nodes.checked_pow(grid.dim() as u32).and_then(|count| count.checked_mul(grid.dim()));
        if hats.is_none_or(|hats| hats > MAX_HATS) {
            return refuse(
                "nodes",
                format!("{nodes} given; at most a million hats are possible, nodes^d for each axis"),
            );
        }
        if !scale.is_finite() {
            return refuse("scale", format!("{scale} given; the scale of the hats is a finite number"));
        }
        Ok(Self { base, base_theta, scale, nodes, lower: grid.lower().to_vec(), upper: grid.upper().to_vec() })
    }

    /// Node below x on an axis, the weight of the node above, and that weight's derivative.
    fn locate(&self, axis: usize, x: f64) -> (usize, f64, f64) {
        let step = (self.upper[axis] - self.lower[axis]) / (self.nodes - 1) as f64;
        let u = (x - self.lower[axis]) / step;
        let top = (self.nodes - 1) as f64;
        let slope = if u > 0.0 && u < top { 1.0 / step } else { 0.0 };
        let u = if u > 0.0 { u.min(top) } else { 0.0 };
        let node = (u as usize).min(self.nodes - 2);
        (node, u - node as f64, slope)
    }

    /// Calls `visit(node, ψ, ∇ψ)` for the hats that reach x.
    fn for_each_hat(&self, x: &[f64], mut visit: impl FnMut(usize, f64, [f64; 3])) {
        let d = x.len();
        let mut at = [(0, 0.0, 0.0); 3];
        for axis in 0..d {
            at[axis] = self.locate(axis, x[axis]);
        }
        for corner in 0..1usize << d {
            let mut node = 0;
            let (mut weights, mut slopes) = ([1.0; 3], [0.0; 3]);
            for axis in 0..d {
                let (first, above, slope) = at[axis];
                let up = corner >> axis & 1;
                node = node * self.nodes + first + up;
                weights[axis] = if up == 1 { above } else { 1.0 - above };
                slopes[axis] = if up == 1 { slope } else { -slope };
            }
            let gradient = [
                slopes[0] * weights[1] * weights[2],
                weights[0] * slopes[1] * weights[2],
                weights[0] * weights[1] * slopes[2],
            ];
            visit(node, weights.iter().product(), gradient);
        }
    }

    fn per_component(&self) -> usize {
        self.nodes.pow(self.lower.len() as u32)
    }
}

impl VelocityField for HatPerturbation {
    fn name(&self) -> &str {
        "hat-perturbation"
    }
    fn dim(&self) -> usize {
        self.base.dim()
    }
    fn dim_param(&self) -> usize {
        self.base.dim() * self.per_component()
    }
    fn parameter_names(&self) -> Vec<String> {
        (0..self.dim())
            .flat_map(|c| {
                (0..self.per_component()).map(move |node| format!("{}'[hat {node}]", ["x", "y", "z"][c.min(2)]))
            })
            .collect()
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        self.base.velocity(x, &self.base_theta, out);
        let count = self.per_component();
        self.for_each_hat(x, |node, psi, _| {
            for c in 0..x.len() {
                out[c] += self.scale * theta[c * count + node] * psi;
            }
        });
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        self.base.jacobian_x(x, &self.base_theta, out);
        let (d, count) = (x.len(), self.per_component());
        self.for_each_hat(x, |node, _, gradient| {
            for c in 0..d {
                for k in 0..d {
                    out[c * d + k] += self.scale * theta[c * count + node] * gradient[k];
                }
            }
        });
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        let (count, p) = (self.per_component(), self.dim_param());
        self.for_each_hat(x, |node, psi, _| {
            for c in 0..x.len() {
                out[c * p + c * count + node] = self.scale * psi;
            }
        });
    }
    fn visit_parameters(&self, x: &[f64], _: &[f64], axis: usize, visit: &mut dyn FnMut(usize, f64)) {
        let count = self.per_component();
        self.for_each_hat(x, |node, psi, _| visit(axis * count + node, self.scale * psi));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::field::check_field;
    use crate::flow::systems::{Lorenz63, VanDerPol};

    #[test]
    fn hats_have_exact_derivatives_and_sum_to_one() {
        let grid = Grid::new(&[-25.0, -30.0, 0.0], &[25.0, 30.0, 50.0], &[4, 5, 6]).unwrap();
        let field = HatPerturbation::new(Arc::new(Lorenz63), vec![10.0, 28.0, 2.5], 10.0, 3, &grid).unwrap();
        let theta: Vec<f64> = (0..81).map(|i| (1.0 + 2.4 * i as f64).sin()).collect();
        // Away from the nodes, where the hats have kinks.
        let check = check_field(&field, &[-13.0, 11.0, 11.0], &theta);
        assert!(check.is_exact(), "{check:?}");
        let mut total = 0.0;
        field.visit_parameters(&[3.0, -2.0, 60.0], &theta, 1, &mut |j, value| {
            assert!((27..54).contains(&j));
            total += value;
        });
        assert!((total - 10.0).abs() < 1e-13);
        assert_eq!(field.parameter_names().len(), field.dim_param());
    }

    #[test]
    fn impossible_hats_are_refused() {
        let plane = Grid::new(&[-1.0; 2], &[1.0; 2], &[4, 5]).unwrap();
        let line = Grid::new(&[-1.0], &[1.0], &[4]).unwrap();
        let make =
            |theta: Vec<f64>, scale, nodes, grid| HatPerturbation::new(Arc::new(VanDerPol), theta, scale, nodes, grid);
        assert!(make(vec![1.0], 1.0, 3, &plane).is_ok());
        assert!(make(vec![], 1.0, 3, &plane).is_err());
        assert!(make(vec![1.0], f64::NAN, 3, &plane).is_err());
        assert!(make(vec![1.0], 1.0, 1, &plane).is_err());
        assert!(make(vec![1.0], 1.0, 708, &plane).is_err());
        assert!(make(vec![1.0], 1.0, 1 << 32, &plane).is_err());
        assert!(make(vec![1.0], 1.0, 3, &line).is_err());
    }
}
