use std::sync::Arc;

use wngd_adjoint::{ModelError, State};
use wngd_linalg::dense::{column_sums, norm, sum};
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::apply_transpose_vec;
use wngd_linalg::{
    ACTIVE_DENSITY, FaceMean, FactoredLaplacian, Grid, IterativeLaplacian, LaplacianPlan, LaplacianReport, LinearOp,
    MassLeak, NeumannLaplacian, WeightedLaplacian, face_densities,
};

use crate::error::MetricError;

/// Where a metric is placed: the parameters and the state they give.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a> {
    /// θ, p values.
    pub theta: &'a [f64],
    /// ρ(θ), k values.
    pub state: &'a State,
    /// Number of the iterate in a descent, 0 outside of one: random probes are keyed on it.
    pub iteration: usize,
    /// Rounding of the columns of Z, [`ForwardModel::column_rounding`](wngd_adjoint::ForwardModel::column_rounding);
    /// empty where there is nothing but that of the entries.
    pub rounding: &'a [f64],
}

/// A Riemannian metric on densities, as a whitening L at each state: Y = L Z,
/// b = L⁻ᵀu, so that ‖Yη‖ is the length of the tangent Zη.
pub trait Metric: Sync {
    /// Short name, as in experiment files.
    fn name(&self) -> &'static str;
    /// The metric at a state.
    ///
    /// # Errors
    /// States that are no density, failed factorisations.
    fn at(&self, point: &Point<'_>) -> Result<Box<dyn LocalMetric + '_>, MetricError>;
    /// Longest step √(ηᵀGη) that a search should propose by itself from a density towards others like the data; `None`
    /// for no limit. The local picture of a metric says nothing of longer ones, which throw components out of the box.
    ///
    /// # Shapes
    /// `state`, `data`: k; `weight`: |c|.
    fn longest_step(&self, state: &[f64], data: &[f64], weight: f64) -> Option<f64> {
        let _ = (state, data, weight);
        None
    }
}

impl<M: Metric + ?Sized> Metric for Box<M> {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn at(&self, point: &Point<'_>) -> Result<Box<dyn LocalMetric + '_>, MetricError> {
        (**self).at(point)
    }
    fn longest_step(&self, state: &[f64], data: &[f64], weight: f64) -> Option<f64> {
        (**self).longest_step(state, data, weight)
    }
}

impl<M: Metric + ?Sized> Metric for &M {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn at(&self, point: &Point<'_>) -> Result<Box<dyn LocalMetric + '_>, MetricError> {
        (**self).at(point)
    }
    fn longest_step(&self, state: &[f64], data: &[f64], weight: f64) -> Option<f64> {
        (**self).longest_step(state, data, weight)
    }
}

/// A metric at one state.
pub trait LocalMetric: Sync {
    /// Y = L Z, in place where possible, with the mass leak that was removed.
    ///
    /// # Shapes
    /// `z`: k x p; result: p columns, any number of rows.
    fn whiten(&self, z: Mat<f64>) -> Whitened;
    /// Lᵀξ, in place where possible: what probes of Y are as probes of Z, YᵀΞ = Zᵀ(LᵀΞ).
    ///
    /// # Shapes
    /// `xi`: rows of Y x r; result: k x r.
    fn whiten_transpose(&self, xi: Mat<f64>) -> Mat<f64>;
    /// b = L⁻ᵀu in the rows of Y, so that Yᵀb = Zᵀu.
    fn whiten_derivative(&self, u: &[f64]) -> Vec<f64>;
    /// u as the tangents that the metric knows feel it: Zᵀ of it is the gradient Yᵀb, to the last digits of its own
    /// terms. b may span many more decades than Yᵀb, so that this product is lost where b is used for it.
    fn project_derivative(&self, u: &[f64]) -> Vec<f64> {
        u.to_vec()
    }
    /// Yᵀb for tangents Z, to the last digits of its own terms.
    ///
    /// # Shapes
    /// `jacobian`: k x p; `u`: k; result: p.
    fn gradient(&self, jacobian: &dyn LinearOp, u: &[f64]) -> Vec<f64> {
        apply_transpose_vec(jacobian, &self.project_derivative(u))
    }
    /// The factor behind the metric, if that is all it is.
    fn factored(&self) -> Option<&FactoredLaplacian> {
        None
    }
    /// What the factorisation behind the metric and its solves met up to now, if there is one.
    fn laplacian(&self) -> Option<LaplacianReport> {
        None
    }
}

/// A whitened Jacobian.
#[derive(Debug, Clone)]
pub struct Whitened {
    /// Y = L Z.
    pub y: Mat<f64>,
    /// Mass leak removed on the way, for metrics that cannot create mass.
    pub mass_leak: Option<MassLeak>,
}

/// L²: Y = Z, b = u.
#[derive(Debug, Clone, Copy, Default)]
pub struct L2;

impl Metric for L2 {
    fn name(&self) -> &'static str {
        "l2"
    }
    fn at(&self, _: &Point<'_>) -> Result<Box<dyn LocalMetric + '_>, MetricError> {
        Ok(Box::new(L2))
    }
    /// Half of ‖ρ‖, for densities; vectors of any sign have no such length.
    fn longest_step(&self, state: &[f64], data: &[f64], weight: f64) -> Option<f64> {
        let densities = state.iter().chain(data).all(|v| *v >= 0.0);
        Some(0.5 * weight.sqrt() * norm(state)).filter(|longest| densities && *longest > 0.0)
    }
}

impl LocalMetric for L2 {
    fn whiten(&self, z: Mat<f64>) -> Whitened {
        Whitened { y: z, mass_leak: None }
    }
    fn whiten_transpose(&self, xi: Mat<f64>) -> Mat<f64> {
        xi
    }
    fn whiten_derivative(&self, u: &[f64]) -> Vec<f64> {
        u.to_vec()
    }
}

/// Fisher–Rao: Y = ρ^{−1/2} Z, b = ρ^{1/2} u; inactive cells do not count.
#[derive(Debug, Clone, Copy, Default)]
pub struct FisherRao;

struct LocalFisherRao {
    root: Vec<f64>,
}

impl Metric for FisherRao {
    fn name(&self) -> &'static str {
        "fisher-rao"
    }
    fn at(&self, point: &Point<'_>) -> Result<Box<dyn LocalMetric + '_>, MetricError> {
        let values = &point.state.values;
        if let Some(index) = values.iter().position(|v| !(*v >= 0.0 && v.is_finite())) {
            let value = values[index];
            return Err(wngd_linalg::LinalgError::NegativeDensity { index, value }.into());
        }
        let root = values.iter().map(|&r| if r > ACTIVE_DENSITY { r.sqrt() } else { 0.0 }).collect();
        Ok(Box::new(LocalFisherRao { root }))
    }
    /// One, half a radian on the sphere of √ρ.
    fn longest_step(&self, _: &[f64], _: &[f64], _: f64) -> Option<f64> {
        Some(1.0)
    }
}

impl LocalMetric for LocalFisherRao {
    fn whiten(&self, z: Mat<f64>) -> Whitened {
        let mut y = z;
        for j in 0..y.ncols() {
            for (value, &root) in y.col_as_slice_mut(j).iter_mut().zip(&self.root) {
                *value = if root > 0.0 { *value / root } else { 0.0 };
            }
        }
        Whitened { y, mass_leak: None }
    }
    fn whiten_transpose(&self, xi: Mat<f64>) -> Mat<f64> {
        LocalMetric::whiten(self, xi).y
    }
    fn whiten_derivative(&self, u: &[f64]) -> Vec<f64> {
        u.iter().zip(&self.root).map(|(u, r)| if *r > 0.0 { u * r } else { 0.0 }).collect()
    }
    fn project_derivative(&self, u: &[f64]) -> Vec<f64> {
        u.iter().zip(&self.root).map(|(u, r)| if *r > 0.0 { *u } else { 0.0 }).collect()
    }
}

/// Share of a tangent's size below which its mean is rounding.
const ROUNDING: f64 = 1e-12;

/// Which Sobolev norm a [`Sobolev`] metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SobolevOrder {
    /// H¹: ‖z‖² + ‖∇z‖², Y = (I − Δ)^{1/2} Z.
    One,
    /// H⁻¹: Y = (I − Δ)^{−1/2} Z.
    MinusOne,
    /// Ḣ⁻¹: Y = (−Δ)^{−1/2} Z on mean-free tangents; the mean is a mass leak.
    HomogeneousMinusOne,
}

/// Sobolev metrics with no-flux boundary, by cosine transforms.
#[derive(Debug, Clone)]
pub struct Sobolev {
    order: SobolevOrder,
    laplacian: Arc<NeumannLaplacian>,
}

impl Sobolev {
    /// The metric of one order on a grid.
    pub fn new(grid: &Grid, order: SobolevOrder) -> Self {
        Self { order, laplacian: Arc::new(NeumannLaplacian::new(grid)) }
    }

    /// The eigenvalue of L on the mode with eigenvalue λ of −Δ.
    fn multiplier(&self, lambda: f64) -> f64 {
        match self.order {
            SobolevOrder::One => (1.0 + lambda).sqrt(),
            SobolevOrder::MinusOne => 1.0 / (1.0 + lambda).sqrt(),
            SobolevOrder::HomogeneousMinusOne if lambda > 0.0 => 1.0 / lambda.sqrt(),
            SobolevOrder::HomogeneousMinusOne => 0.0,
        }
    }
}

impl Metric for Sobolev {
    fn name(&self) -> &'static str {
        match self.order {
            SobolevOrder::One => "h1",
            SobolevOrder::MinusOne => "h-1",
            SobolevOrder::HomogeneousMinusOne => "homogeneous-h-1",
        }
    }
    fn at(&self, _: &Point<'_>) -> Result<Box<dyn LocalMetric + '_>, MetricError> {
        Ok(Box::new(self.clone()))
    }
}

impl LocalMetric for Sobolev {
    fn whiten(&self, z: Mat<f64>) -> Whitened {
        let mut y = z;
        let mass_leak = (self.order == SobolevOrder::HomogeneousMinusOne).then(|| {
            let sums = column_sums(y.as_ref());
            let relative = (0..y.ncols()).map(|j| {
                let size: f64 = y.col_as_slice(j).iter().map(|v| v.abs()).sum();
                if size > 0.0 { sums[j].abs() / size } else { 0.0 }
            });
            MassLeak { relative: relative.collect(), between_components: vec![0.0; y.ncols()] }
        });
        self.laplacian.apply_columns(y.as_mut(), |lambda| self.multiplier(lambda));
        Whitened { y, mass_leak }
    }
    fn whiten_transpose(&self, xi: Mat<f64>) -> Mat<f64> {
        let mut h = xi;
        self.laplacian.apply_columns(h.as_mut(), |lambda| self.multiplier(lambda));
        h
    }
    fn whiten_derivative(&self, u: &[f64]) -> Vec<f64> {
        let mut b = u.to_vec();
        self.laplacian.apply(&mut b, |lambda| {
            let factor = self.multiplier(lambda);
            if factor > 0.0 { 1.0 / factor } else { 0.0 }
        });
        b
    }
    /// Without the means of tangents under Ḣ⁻¹, unless they are rounding: at thin densities derivatives are so large that
    /// the rounding of a mean would drown all the rest.
    fn gradient(&self, jacobian: &dyn LinearOp, u: &[f64]) -> Vec<f64> {
        let mut gradient = apply_transpose_vec(jacobian, u);
        if self.order != SobolevOrder::HomogeneousMinusOne {
            return gradient;
        }
        let mean = sum(u.iter().copied()) / u.len() as f64;
        let means = match jacobian.as_dense() {
            Some(z) => {
                let sums = column_sums(z);
                let size = |j: usize| z.col(j).iter().map(|v| v.abs()).sum::<f64>();
                let seen = |(j, total): (usize, f64)| if total.abs() > ROUNDING * size(j) { total } else { 0.0 };
                sums.into_iter().enumerate().map(seen).collect()
            }
            None => apply_transpose_vec(jacobian, &vec![1.0; u.len()]),
        };
        gradient.iter_mut().zip(means).for_each(|(g, total)| *g -= mean * total);
        gradient
    }
}

/// A function θ ↦ ρ at the face midpoints (q values).
pub type FaceDensityFn = Arc<dyn Fn(&[f64]) -> Result<Vec<f64>, ModelError> + Send + Sync>;

/// Where the Wasserstein metric takes its face densities from.
#[derive(Clone)]
pub enum FaceDensity {
    /// A mean of the two cell densities.
    Mean(FaceMean),
    /// The model's own density at the face midpoint: up to 2000 times more accurate across valleys.
    Midpoint(FaceDensityFn),
}

impl std::fmt::Debug for FaceDensity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FaceDensity::Mean(mean) => f.debug_tuple("Mean").field(mean).finish(),
            FaceDensity::Midpoint(_) => f.write_str("Midpoint"),
        }
    }
}

/// Wasserstein-2: Y = B†Z, b = Bᵀu with B = −∇·(√ρ ·), in the half-whitened
/// coordinates of [`FactoredLaplacian`] (same Gram matrix, same R, half the solve);
/// three-dimensional grids of more than 48³ cells, and few parameters on large grids of the plane, are solved by Krylov
/// iterations and keep Y itself ([`IterativeLaplacian`]).
///
/// Tangents are first made compatible, Z ← Z − ρ(1ᵀZ)/(1ᵀρ) per connected
/// component of the support; the leak is reported.
#[derive(Debug, Clone)]
pub struct Wasserstein2 {
    plan: Arc<LaplacianPlan>,
    /// Face densities.
    pub faces: FaceDensity,
    /// Density floor δ in the face weights; 0 keeps the density as it is.
    pub floor: f64,
}

impl Wasserstein2 {
    /// The metric on the grid of a plan, with arithmetic face means and no floor.
    pub fn new(plan: Arc<LaplacianPlan>) -> Self {
        Self { plan, faces: FaceDensity::Mean(FaceMean::Arithmetic), floor: 0.0 }
    }

    /// The factored weighted Laplacian at a state.
    ///
    /// # Errors
    /// States that are no density, failed factorisations.
    pub fn laplacian_at(&self, point: &Point<'_>) -> Result<WeightedLaplacian, MetricError> {
        let density = &point.state.values;
        let faces = match &self.faces {
            FaceDensity::Mean(mean) => face_densities(self.plan.grid(), density, *mean, self.floor)?,
            FaceDensity::Midpoint(evaluate) => {
                let mut faces = evaluate(point.theta).map_err(MetricError::Faces)?;
                // The support rule is the same: a face that touches an inactive cell is closed.
                let open = face_densities(self.plan.grid(), density, FaceMean::Arithmetic, self.floor)?;
                for (face, open) in faces.iter_mut().zip(open) {
                    *face = if open > 0.0 { face.max(self.floor) } else { 0.0 };
                }
                faces
            }
        };
        Ok(self.plan.factor_for(density, &faces, point.theta.len())?)
    }
}

impl Metric for Wasserstein2 {
    fn name(&self) -> &'static str {
        "wasserstein"
    }
    fn at(&self, point: &Point<'_>) -> Result<Box<dyn LocalMetric + '_>, MetricError> {
        Ok(match self.laplacian_at(point)? {
            WeightedLaplacian::Factored(laplacian) => laplacian,
            WeightedLaplacian::Iterative(laplacian) => laplacian,
        })
    }
    /// Half of the data's standard deviation, over all axes, in the units of x.
    fn longest_step(&self, _: &[f64], data: &[f64], _: f64) -> Option<f64> {
        Some(0.5 * scatter(self.plan.grid(), data)).filter(|longest| *longest > 0.0)
    }
}

/// Root of the trace of the covariance of a density.
fn scatter(grid: &Grid, density: &[f64]) -> f64 {
    let dim = grid.dim();
    let (mut mass, mut first, mut second) = (0.0, vec![0.0; dim], 0.0);
    // From the middle of the box, so that no digits go to its place.
    let middle: Vec<f64> = grid.lower().iter().zip(grid.upper()).map(|(a, b)| 0.5 * (a + b)).collect();
    for (i, rho) in density.iter().enumerate().filter(|(_, rho)| **rho > 0.0) {
        let x = grid.center(i);
        mass += rho;
        for axis in 0..dim {
            let away = x[axis] - middle[axis];
            first[axis] += rho * away;
            second += rho * away * away;
        }
    }
    let means: f64 = first.iter().map(|m| (m / mass).powi(2)).sum();
    if mass > 0.0 { (second / mass - means).max(0.0).sqrt() } else { 0.0 }
}

/// Both Laplacians whiten, each in rows of its own.
macro_rules! local_metric {
    ($laplacian:ty, $factored:expr) => {
        impl LocalMetric for $laplacian {
            fn whiten(&self, z: Mat<f64>) -> Whitened {
                let (y, leak) = <$laplacian>::whiten(self, z);
                Whitened { y, mass_leak: Some(leak) }
            }
            fn whiten_transpose(&self, xi: Mat<f64>) -> Mat<f64> {
                <$laplacian>::whiten_transpose(self, xi)
            }
            fn whiten_derivative(&self, u: &[f64]) -> Vec<f64> {
                <$laplacian>::whiten_derivative(self, u)
            }
            fn project_derivative(&self, u: &[f64]) -> Vec<f64> {
                <$laplacian>::project_derivative(self, u)
            }
            fn factored(&self) -> Option<&FactoredLaplacian> {
                $factored(self)
            }
            fn laplacian(&self) -> Option<LaplacianReport> {
                Some(self.report())
            }
        }
    };
}

local_metric!(FactoredLaplacian, Some);
local_metric!(IterativeLaplacian, |_| None);
