use wngd_adjoint::{ImplicitConstraint, ModelError};
use wngd_linalg::operator::{apply_vec, solve};
use wngd_linalg::{DominantLu, Grid, Ordering, SparseMatrix, nested_dissection};

/// Steady diffusion −∇·(eᵐ∇u) = s on a box with u = 0 around it, and the log-conductivity m of every
/// cell as a parameter: p = k.
///
/// Finite volumes with harmonic face means: T = 1/(R_a + R_b) with half-cell resistances
/// R = ½e^{−m}; g(u, m) = A(m)u − s|c|, symmetric positive definite. Wrapped in
/// [`Implicit`](wngd_adjoint::Implicit) it is a forward model whose Jacobian nobody would store.
///
/// # Cost
/// A sparse factorisation per m, two triangular solves per tangent or adjoint.
///
/// # Example
/// ```
/// use wngd_adjoint::{ForwardModel, Implicit, dot_test, taylor_test};
/// use wngd_linalg::Grid;
/// use wngd_models::Diffusion;
/// let model = Implicit::new(Diffusion::new(Grid::new(&[0.0, 0.0], &[1.0, 1.0], &[12, 10])?, vec![1.0; 120])?);
/// let m: Vec<f64> = (0..120).map(|i| (0.4 * i as f64).sin()).collect();
/// let direction: Vec<f64> = (0..120).map(|i| (1.1 * i as f64).cos()).collect();
/// assert!(taylor_test(&model, &m, &direction)?.rate > 1.9);
/// assert!(dot_test(&model.linearize(&m)?.jacobian, 1) < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Diffusion {
    grid: Grid,
    load: Vec<f64>,
}

/// A face between cell `a` and cell `b`, or the outside, with its transmissibility and derivatives.
struct Face {
    a: usize,
    b: Option<usize>,
    transmissibility: f64,
    slope_a: f64,
    slope_b: f64,
}

impl Diffusion {
    /// Diffusion on a grid with source density s.
    ///
    /// # Shapes
    /// `source`: k.
    ///
    /// # Errors
    /// A source of another length or with NaN.
    pub fn new(grid: Grid, source: Vec<f64>) -> Result<Self, ModelError> {
        if source.len() != grid.len() {
            let problem = format!("{} values, the grid has {} cells; give one per cell", source.len(), grid.len());
            return Err(ModelError::invalid("source", problem));
        }
        if let Some(i) = source.iter().position(|v| !v.is_finite()) {
            return Err(ModelError::invalid(
                format!("source[{i}]"),
                format!("{} given; a source is finite", source[i]),
            ));
        }
        let load = source.iter().map(|s| s * grid.cell_volume()).collect();
        Ok(Self { grid, load })
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    fn faces(&self, m: &[f64]) -> Vec<Face> {
        let (cells, spacing) = (self.grid.cells(), self.grid.spacing());
        let mut faces = Vec::new();
        for axis in 0..cells.len() {
            let stride: usize = cells[axis + 1..].iter().product();
            // Area over distance of a face across this axis.
            let shape = self.grid.cell_volume() / (spacing[axis] * spacing[axis]);
            let resistance = |cell: usize| 0.5 * (-m[cell]).exp() / shape;
            let mut add = |a: usize, b: Option<usize>| {
                let (ra, rb) = (resistance(a), b.map_or(0.0, resistance));
                let t = 1.0 / (ra + rb);
                faces.push(Face { a, b, transmissibility: t, slope_a: t * t * ra, slope_b: t * t * rb });
            };
            for cell in 0..self.grid.len() {
                let place = cell / stride % cells[axis];
                if place == 0 {
                    add(cell, None);
                }
                add(cell, (place + 1 < cells[axis]).then(|| cell + stride));
            }
        }
        faces
    }

    fn matrix(&self, m: &[f64]) -> Result<SparseMatrix, ModelError> {
        let k = self.grid.len();
        let entries = self.faces(m).into_iter().flat_map(|face| {
            let (a, t) = (face.a, face.transmissibility);
            std::iter::once((a, a, t)).chain(face.b.into_iter().flat_map(move |b| [(b, b, t), (a, b, -t), (b, a, -t)]))
        });
        Ok(SparseMatrix::from_entries(k, k, entries)?)
    }
}

impl ImplicitConstraint for Diffusion {
    type StateFactor = DominantLu;
    type ParamJacobian = SparseMatrix;

    fn dim_param(&self) -> usize {
        self.grid.len()
    }
    fn dim_state(&self) -> usize {
        self.grid.len()
    }
    fn parameter_names(&self) -> Vec<String> {
        (0..self.grid.len()).map(|i| format!("m[{i}]")).collect()
    }
    fn residual(&self, u: &[f64], m: &[f64]) -> Result<Vec<f64>, ModelError> {
        Ok(apply_vec(&self.matrix(m)?, u).iter().zip(&self.load).map(|(au, s)| au - s).collect())
    }
    fn solve_state(&self, m: &[f64]) -> Result<Vec<f64>, ModelError> {
        Ok(self.solve_and_factor(m)?.0)
    }
    fn factor_state_jacobian(&self, _: &[f64], m: &[f64]) -> Result<DominantLu, ModelError> {
        let ordering =
            if self.grid.dim() == 3 { Ordering::Custom(nested_dissection(self.grid.cells())) } else { Ordering::Amd };
        Ok(DominantLu::new(&self.matrix(m)?, ordering)?)
    }
    fn param_jacobian(&self, u: &[f64], m: &[f64]) -> Result<SparseMatrix, ModelError> {
        let k = self.grid.len();
        let entries = self.faces(m).into_iter().flat_map(|face| {
            let a = face.a;
            let drop = u[a] - face.b.map_or(0.0, |b| u[b]);
            let (da, db) = (face.slope_a * drop, face.slope_b * drop);
            std::iter::once((a, a, da))
                .chain(face.b.into_iter().flat_map(move |b| [(a, b, db), (b, a, -da), (b, b, -db)]))
        });
        Ok(SparseMatrix::from_entries(k, k, entries)?)
    }
    fn solve_and_factor(&self, m: &[f64]) -> Result<(Vec<f64>, DominantLu), ModelError> {
        let factor = self.factor_state_jacobian(&[], m)?;
        Ok((solve(&factor, &self.load), factor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wngd_adjoint::{ForwardModel, Implicit, LinearOp, Normalised, dot_test, taylor_test};

    #[test]
    fn sine_sources_give_sine_states_to_second_order() {
        // −Δu = dπ² Π sin(πx) has the solution Π sin(πx).
        for dim in 1..=3 {
            let error = |n: usize| {
                let grid = Grid::new(&vec![0.0; dim], &vec![1.0; dim], &vec![n; dim]).unwrap();
                let sine = |i: usize| -> f64 {
                    grid.center(i)[..dim].iter().map(|x| (std::f64::consts::PI * x).sin()).product()
                };
                let scale = dim as f64 * std::f64::consts::PI.powi(2);
                let source = (0..grid.len()).map(|i| scale * sine(i)).collect();
                let model = Implicit::new(Diffusion::new(grid.clone(), source).unwrap());
                let u = model.state(&vec![0.0; grid.len()]).unwrap().values;
                u.iter().enumerate().map(|(i, u)| (u - sine(i)).abs()).fold(0.0, f64::max)
            };
            let (coarse, fine) = (error(8), error(16));
            assert!((coarse / fine).log2() > 1.8, "{dim} dimensions: {coarse:e} to {fine:e}");
        }
    }

    #[test]
    fn derivatives_pass_their_tests_in_every_dimension() {
        for cells in [vec![15], vec![7, 6], vec![5, 4, 3]] {
            let dim = cells.len();
            let grid = Grid::new(&vec![0.0; dim], &[1.0, 2.0, 1.5][..dim], &cells).unwrap();
            let k = grid.len();
            let model = Implicit::new(Diffusion::new(grid, vec![1.0; k]).unwrap());
            let m: Vec<f64> = (0..k).map(|i| (0.4 * i as f64).sin()).collect();
            let direction: Vec<f64> = (0..k).map(|i| (1.1 * i as f64).cos()).collect();
            assert!(taylor_test(&model, &m, &direction).unwrap().rate > 1.9);
            let at = model.linearize(&m).unwrap();
            assert!(dot_test(&at.jacobian, 3) < 1e-12);
            let residual = model.constraint.residual(&at.state.values, &m).unwrap();
            assert!(residual.iter().all(|r| r.abs() < 1e-14));
        }
    }

    #[test]
    fn normalised_states_keep_their_solves_and_pass_the_same_tests() {
        let grid = Grid::new(&[0.0, 0.0], &[1.0, 2.0], &[7, 6]).unwrap();
        let (k, volume) = (grid.len(), grid.cell_volume());
        let model = Normalised::new(Implicit::new(Diffusion::new(grid, vec![1.0; k]).unwrap()), volume).unwrap();
        let m: Vec<f64> = (0..k).map(|i| (0.4 * i as f64).sin()).collect();
        let direction: Vec<f64> = (0..k).map(|i| (1.1 * i as f64).cos()).collect();
        let test = taylor_test(&model, &m, &direction).unwrap();
        assert!(test.is_exact(), "{test}");
        let before = model.solve_counts();
        let at = model.linearize(&m).unwrap();
        assert!(at.jacobian.as_dense().is_none() && dot_test(&at.jacobian, 3) < 1e-12);
        let solves = model.solve_counts().since(before);
        assert_eq!((solves.state, solves.tangent, solves.adjoint), (1, 1, 1));
        // No direction moves mass, and a common factor of all conductivities no density.
        assert!(apply_vec(&at.jacobian, &direction).iter().sum::<f64>().abs() * volume < 1e-13);
        assert!(apply_vec(&at.jacobian, &vec![1.0; k]).iter().all(|z| z.abs() < 1e-13));
    }

    #[test]
    fn bad_sources_are_refused() {
        let grid = Grid::new(&[0.0], &[1.0], &[4]).unwrap();
        let refuse = |source| Diffusion::new(grid.clone(), source).unwrap_err().to_string();
        assert_eq!(refuse(vec![1.0; 3]), "source: 3 values, the grid has 4 cells; give one per cell");
        assert!(refuse(vec![1.0, f64::NAN, 1.0, 1.0]).starts_with("source[1]: NaN"));
    }
}
