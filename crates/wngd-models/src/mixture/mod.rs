mod average;
mod axis;
mod by_rows;
mod component;
mod exponential;
mod gaussian;
mod narrow;
mod parameters;
mod plane;
mod quadrature;
mod tables;

pub use by_rows::{MixtureByRows, MixtureRows};
pub use parameters::{Covariances, MixtureError, MixtureField, MixtureParameters, MixturePart};

use rayon::prelude::*;
use wngd_adjoint::{Bound, ForwardModel, Linearization, ModelError, State};
use wngd_linalg::dense::contiguous_columns;
use wngd_linalg::faer::Mat;
use wngd_linalg::{ACTIVE_DENSITY, Grid};

use component::{CellValue, Component, norm_in_cells};
use parameters::Parameter;

/// Cells per task when a density is evaluated.
const CHUNK: usize = 4096;
/// What a cell mean that underflows is taken for, with its logarithm as it is: just enough to be a density, so that a
/// sample there pulls with its score.
const FLOOR: f64 = 2.0 * ACTIVE_DENSITY;
/// Most components whose orders are tried.
const MOST_EXCHANGED: usize = 6;
/// Largest exponent of a share of a component in such a cell.
const LARGEST: f64 = 600.0;

/// A Gaussian mixture on a grid, any subset of its parameters free.
///
/// ρ = Σ wᵢ N(x; μᵢ, Σᵢ) at the cell centres, w_K = 1 − Σ wᵢ. Free parameters
/// come in the order weights, means, covariances, whatever the order in which
/// they are named; a covariance entry off the diagonal moves with its twin.
/// ln ρ is kept as well where ρ underflows somewhere, so that nothing is lost.
///
/// Counts in cells are integrals over them: [`cell_means`](Self::cell_means) makes of ρ its mean over each cell.
///
/// # Cost
/// One exponential per cell and component with a full covariance; one per cell
/// of an axis and component otherwise. Cell means: 9 to 64, and 8 to 200.
#[derive(Debug, Clone)]
pub struct GaussianMixture {
    grid: Grid,
    parameters: MixtureParameters,
    free: Vec<Parameter>,
    value: CellValue,
}

impl GaussianMixture {
    /// A mixture on `grid` with the named parameters free.
    ///
    /// Names are `weights[i]` (i < K−1), `means[i][a]`, `covariances[i]`
    /// (isotropic), `covariances[i][a]` (diagonal), `covariances[i][a][b]` (full),
    /// or any prefix of them such as `means` or `means[0]`.
    ///
    /// # Errors
    /// Shapes or values that make no mixture, names that do not exist or repeat.
    pub fn new(grid: Grid, parameters: MixtureParameters, free: &[impl AsRef<str>]) -> Result<Self, MixtureError> {
        parameters.check(grid.dim())?;
        let free = parameters.select(free)?;
        Ok(Self { grid, parameters, free, value: CellValue::Centre })
    }

    /// The same mixture with ρ the mean over each cell instead of the value at its centre: what shares of samples in
    /// cells estimate, at any width of a component.
    ///
    /// Exact along axes, to 1e-6 of a cell's mass where covariances are full in two or three dimensions. A mean that
    /// underflows is 2e-290 with its own logarithm and derivative 2e-290 ∂ ln ρ, so that cells with data out there
    /// still pull.
    ///
    /// # Example
    /// ```
    /// use wngd_adjoint::ForwardModel;
    /// use wngd_linalg::Grid;
    /// use wngd_models::{Covariances, GaussianMixture, MixtureParameters};
    /// // A component a hundredth of a cell wide has its mass in the cell, whatever its height is.
    /// let parameters = MixtureParameters {
    ///     weights: vec![0.9, 0.1],
    ///     means: vec![vec![0.0], vec![2.4]],
    ///     covariances: Covariances::Isotropic(vec![1.0, 1e-4]),
    /// };
    /// let grid = Grid::new(&[-6.0], &[6.0], &[12])?;
    /// let model = GaussianMixture::new(grid, parameters, &["weights"])?.cell_means();
    /// let rho = model.state(&[0.9])?.values;
    /// assert!((rho.iter().sum::<f64>() - 1.0).abs() < 1e-7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cell_means(self) -> Self {
        Self { value: CellValue::Mean, ..self }
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Current values of the free parameters.
    pub fn theta(&self) -> Vec<f64> {
        self.free.iter().map(|&p| self.parameters.get(p)).collect()
    }

    /// All parameters at θ.
    ///
    /// # Errors
    /// θ outside the domain.
    pub fn parameters_at(&self, theta: &[f64]) -> Result<MixtureParameters, ModelError> {
        self.parameters.with(&self.free, theta)
    }

    /// θ with its components in every other order that the fixed parameters allow: the same density by other names.
    ///
    /// # Cost
    /// K! orders; none are tried beyond 6 components.
    pub fn exchanges(&self, theta: &[f64]) -> Vec<Vec<f64>> {
        let Ok(parameters) = self.parameters.with(&self.free, theta) else { return Vec::new() };
        let k = parameters.components();
        if k > MOST_EXCHANGED {
            return Vec::new();
        }
        let all = parameters.all();
        let admissible = |order: &[usize]| {
            let renamed = parameters.in_order(order);
            let keeps = |p: &Parameter| self.free.contains(p) || (renamed.get(*p) - parameters.get(*p)).abs() <= 1e-12;
            // The last weight is nobody's parameter, but fixed where all others are.
            let closed = self.free.iter().any(|p| matches!(p, Parameter::Weight(_)))
                || (renamed.weights[k - 1] - parameters.weights[k - 1]).abs() <= 1e-12;
            (closed && all.iter().all(keeps)).then(|| self.free.iter().map(|p| renamed.get(*p)).collect::<Vec<f64>>())
        };
        permutations(k).iter().skip(1).filter_map(|order| admissible(order)).collect()
    }

    /// ρ at the midpoints of all faces, in face order (q values).
    ///
    /// # Errors
    /// θ outside the domain.
    pub fn face_midpoint_density(&self, theta: &[f64]) -> Result<Vec<f64>, ModelError> {
        let parameters = self.parameters.with(&self.free, theta)?;
        let components = self.components(&parameters, false);
        Ok(self
            .grid
            .face_midpoints()
            .par_iter()
            .map(|x| log_sum(&parameters.weights, &components, |c| c.log_density(x)).exp())
            .collect())
    }

    fn components(&self, parameters: &MixtureParameters, scores: bool) -> Vec<Component> {
        (0..parameters.components()).map(|i| Component::new(&self.grid, parameters, i, self.value, scores)).collect()
    }

    /// ln ρ in a cell.
    fn log_in_cell(&self, weights: &[f64], components: &[Component], cell: usize) -> f64 {
        log_sum(weights, components, |component| component.log_in_cell(&self.grid, cell, self.value))
    }

    fn density(&self, parameters: &MixtureParameters, components: &[Component]) -> State {
        let mut values = vec![0.0; self.grid.len()];
        let is_low = |rho: &f64| !(*rho > ACTIVE_DENSITY);
        let add = |(chunk, rho): (usize, &mut [f64])| {
            for (component, &weight) in components.iter().zip(&parameters.weights) {
                component.add_density(&self.grid, chunk * CHUNK, weight, rho);
            }
            rho.iter().any(is_low)
        };
        if !values.par_chunks_mut(CHUNK).enumerate().map(add).reduce(|| false, |a, b| a || b) {
            return State::new(values);
        }
        let mut logs = vec![0.0; values.len()];
        values.par_chunks_mut(CHUNK).zip(logs.par_chunks_mut(CHUNK)).enumerate().for_each(|(chunk, (rho, log))| {
            let first = chunk * CHUNK;
            for (offset, (rho, log)) in rho.iter_mut().zip(log).enumerate() {
                if !is_low(rho) {
                    *log = rho.ln();
                } else {
                    *log = self.log_in_cell(&parameters.weights, components, first + offset);
                    if self.value == CellValue::Mean {
                        *rho = FLOOR;
                    }
                }
            }
        });
        State { values, log_values: Some(logs) }
    }
}

/// All orders of 0 … k−1, the usual one first.
fn permutations(k: usize) -> Vec<Vec<usize>> {
    if k == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(k - 1);
    (0..k)
        .rev()
        .flat_map(|place| {
            shorter.iter().map(move |order| {
                let mut order = order.clone();
                order.insert(place, k - 1);
                order
            })
        })
        .collect()
}

/// ln Σ wᵢ Nᵢ without underflow, of the logarithms of the Nᵢ.
fn log_sum(weights: &[f64], components: &[Component], log: impl Fn(&Component) -> f64) -> f64 {
    let terms: Vec<f64> =
        weights.iter().zip(components).filter(|(w, _)| **w > 0.0).map(|(w, c)| w.ln() + log(c)).collect();
    let largest = terms.iter().fold(f64::NEG_INFINITY, |m, &t| m.max(t));
    largest + terms.iter().map(|t| (t - largest).exp()).sum::<f64>().ln()
}

impl ForwardModel for GaussianMixture {
    type Jacobian = Mat<f64>;

    fn dim_param(&self) -> usize {
        self.free.len()
    }

    fn dim_state(&self) -> usize {
        self.grid.len()
    }

    fn parameter_names(&self) -> Vec<String> {
        self.free.iter().map(|p| p.name()).collect()
    }

    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        let parameters = self.parameters.with(&self.free, theta)?;
        Ok(self.density(&parameters, &self.components(&parameters, false)))
    }

    /// A weight's column is the difference of two components, which cancel where these are alike.
    fn column_rounding(&self, theta: &[f64]) -> Vec<f64> {
        let Ok(parameters) = self.parameters.with(&self.free, theta) else { return Vec::new() };
        let last = parameters.components() - 1;
        let size = |i: usize| norm_in_cells(&self.grid, &parameters, i);
        let of = |p: &Parameter| match *p {
            Parameter::Weight(i) => f64::EPSILON * (size(i) + size(last)),
            _ => 0.0,
        };
        self.free.iter().map(of).collect()
    }

    /// Weights of at least 0, the last one included.
    fn bounds(&self) -> Vec<Bound> {
        self.parameters.weight_bounds(&self.free)
    }

    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Mat<f64>>, ModelError> {
        let parameters = self.parameters.with(&self.free, theta)?;
        let components = self.components(&parameters, true);
        // The first touch of fresh memory is slow and sequential; ρ is computed meanwhile.
        let (mut jacobian, state) =
            rayon::join(|| Mat::zeros(self.grid.len(), self.free.len()), || self.density(&parameters, &components));
        self.fill(&parameters.weights, &components, &self.low(&state), &mut jacobian);
        Ok(Linearization { state, jacobian })
    }
}

impl GaussianMixture {
    /// ln ρ in the cells where the mean underflows, NaN elsewhere; empty where there are no means.
    fn low(&self, state: &State) -> Vec<f64> {
        let Some(logs) = state.log_values.as_ref().filter(|_| self.value == CellValue::Mean) else { return Vec::new() };
        logs.iter().zip(&state.values).map(|(&log, &rho)| if rho == FLOOR { log } else { f64::NAN }).collect()
    }

    /// The derivative, by columns.
    fn fill(&self, weights: &[f64], components: &[Component], low: &[f64], jacobian: &mut Mat<f64>) {
        let last = weights.len() - 1;
        let floored: Vec<usize> = (0..low.len()).filter(|&cell| !low[cell].is_nan()).collect();
        contiguous_columns(jacobian.as_mut()).into_par_iter().zip(&self.free).for_each(|(column, &parameter)| {
            match parameter {
                Parameter::Weight(i) => {
                    components[i].add_density(&self.grid, 0, 1.0, column);
                    components[last].add_density(&self.grid, 0, -1.0, column);
                }
                Parameter::Mean(i, _)
                | Parameter::Variance(i)
                | Parameter::AxisVariance(i, _)
                | Parameter::Covariance(i, ..) => {
                    components[i].fill_derivative(&self.grid, weights[i], parameter, column);
                }
            }
            for &cell in &floored {
                let share = |i: usize| self.share(components, i, cell, low[cell]);
                // FLOOR · ∂ ln ρ.
                let score = match parameter {
                    Parameter::Weight(i) => share(i) - share(last),
                    Parameter::Mean(i, _)
                    | Parameter::Variance(i)
                    | Parameter::AxisVariance(i, _)
                    | Parameter::Covariance(i, ..) => {
                        let own = components[i].score_in_cell(&self.grid, cell, parameter);
                        weights[i] * share(i) * own
                    }
                };
                column[cell] = FLOOR * score;
            }
        });
    }

    /// Nᵢ/ρ in a cell where the mean underflows.
    fn share(&self, components: &[Component], i: usize, cell: usize, log: f64) -> f64 {
        (components[i].log_in_cell(&self.grid, cell, self.value) - log).min(LARGEST).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wngd_adjoint::taylor_test;

    fn mixture(dim: usize, covariances: Covariances, free: &[&str]) -> GaussianMixture {
        let grid = Grid::new(&vec![-5.0; dim], &vec![6.0; dim], &[[30, 17, 11][dim - 1], 19, 13][..dim]).unwrap();
        let means = vec![vec![0.3, -0.6, 0.4][..dim].to_vec(), vec![1.9, 1.1, -0.8][..dim].to_vec()];
        let parameters = MixtureParameters { weights: vec![0.4, 0.6], means, covariances };
        GaussianMixture::new(grid, parameters, free).unwrap()
    }

    fn full(dim: usize) -> Covariances {
        let matrix = |scale: f64| -> Vec<Vec<f64>> {
            (0..dim)
                .map(|a| (0..dim).map(|b| scale * if a == b { 1.0 + 0.2 * a as f64 } else { 0.3 }).collect())
                .collect()
        };
        Covariances::Full(vec![matrix(1.0), matrix(0.7)])
    }

    #[test]
    fn every_parameter_of_every_kind_passes_the_taylor_test() {
        for dim in 1..=3 {
            let kinds = [
                Covariances::Identity,
                Covariances::Isotropic(vec![0.8, 1.3]),
                Covariances::Diagonal(vec![vec![0.8, 1.1, 0.9][..dim].to_vec(), vec![1.3, 0.7, 1.0][..dim].to_vec()]),
                full(dim),
            ];
            for covariances in kinds {
                let names: &[&str] = if covariances == Covariances::Identity {
                    &["weights", "means"]
                } else {
                    &["weights", "means", "covariances"]
                };
                let model = mixture(dim, covariances, names);
                let theta = model.theta();
                for i in 0..theta.len() {
                    let mut delta = vec![0.0; theta.len()];
                    delta[i] = 0.6;
                    let test = taylor_test(&model, &theta, &delta).unwrap();
                    assert!(test.rate > 1.9, "{dim}-D {}: {test:?}", model.parameter_names()[i]);
                }
            }
        }
    }

    #[test]
    fn cell_means_pass_the_taylor_test_and_are_the_mean_of_finer_cells() {
        for dim in 1..=3 {
            let variances = [vec![0.8, 1.1, 0.9][..dim].to_vec(), vec![0.02, 0.7, 1.0][..dim].to_vec()];
            for covariances in [Covariances::Diagonal(variances.to_vec()), full(dim)] {
                let free = ["weights", "means", "covariances"];
                let model = mixture(dim, covariances.clone(), &free).cell_means();
                let theta = model.theta();
                for i in 0..theta.len() {
                    let mut delta = vec![0.0; theta.len()];
                    delta[i] = if theta[i] < 0.1 { 0.01 } else { 0.3 };
                    let test = taylor_test(&model, &theta, &delta).unwrap();
                    assert!(test.rate > 1.9, "{dim}-D {}: {test:?}", model.parameter_names()[i]);
                }
                let coarse = model.state(&theta).unwrap().values;
                let grid = model.grid();
                let split = [40, 12, 6][dim - 1];
                let cells: Vec<usize> = grid.cells().iter().map(|n| split * n).collect();
                let fine = Grid::new(grid.lower(), grid.upper(), &cells).unwrap();
                let parameters = model.parameters_at(&theta).unwrap();
                let values =
                    GaussianMixture::new(fine.clone(), parameters, &free).unwrap().state(&theta).unwrap().values;
                let mut means = vec![0.0; grid.len()];
                let share = (split as f64).powi(-(dim as i32));
                for (i, v) in values.iter().enumerate() {
                    means[grid.locate(&fine.center(i)[..dim]).unwrap()] += share * v;
                }
                let most = means.iter().fold(0.0f64, |m, v| m.max(*v));
                // The midpoint rule of the fine cells is the less exact of the two.
                let bound = [2e-4, 2e-3, 2e-2][dim - 1];
                for (a, b) in coarse.iter().zip(&means) {
                    assert!((a - b).abs() < bound * most, "{dim}-D {covariances:?}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn full_and_diagonal_covariances_have_the_same_cell_means() {
        for (dim, spread) in [(2, 1.0), (2, 1e-3), (3, 0.3), (3, 30.0)] {
            let grid = Grid::new(&vec![-5.0; dim], &vec![6.0; dim], &[17, 9, 6][..dim]).unwrap();
            let v: Vec<f64> = [0.8, 1.1, 0.9][..dim].iter().map(|v| spread * v).collect();
            let means = vec![vec![0.3, -0.6, 0.4][..dim].to_vec()];
            let matrix = (0..dim).map(|a| (0..dim).map(|b| if a == b { v[a] } else { 0.0 }).collect()).collect();
            let at = |covariances| {
                let parameters = MixtureParameters { weights: vec![1.0], means: means.clone(), covariances };
                let model =
                    GaussianMixture::new(grid.clone(), parameters, &["means", "covariances"]).unwrap().cell_means();
                let theta = model.theta();
                let Linearization { state, jacobian } = model.linearize(&theta).unwrap();
                (model.parameter_names(), state.values, jacobian)
            };
            let (_, exact, exact_z) = at(Covariances::Diagonal(vec![v.clone()]));
            let (names, found, z) = at(Covariances::Full(vec![matrix]));
            let most = exact.iter().fold(0.0f64, |m, v| m.max(*v));
            for (a, b) in exact.iter().zip(&found) {
                assert!((a - b).abs() <= 2e-7 * most, "{dim}-D {spread}: {a} {b}");
            }
            let both =
                (0..names.len()).filter(|&j| !names[j].starts_with("cov") || names[j][15..16] == names[j][18..19]);
            for (i, j) in both.enumerate() {
                let size = (0..grid.len()).map(|c| exact_z[(c, i)].abs()).fold(most, f64::max);
                for c in 0..grid.len() {
                    assert!((exact_z[(c, i)] - z[(c, j)]).abs() <= 1e-5 * size, "{} {spread}", names[j]);
                }
            }
        }
    }

    #[test]
    fn where_cell_means_underflow_logarithms_and_scores_are_right() {
        let grid = Grid::new(&[-30.0], &[60.0], &[90]).unwrap();
        let parameters = MixtureParameters {
            weights: vec![0.5, 0.5],
            means: vec![vec![0.0], vec![1.0]],
            covariances: Covariances::Isotropic(vec![1.0, 0.5]),
        };
        let model = GaussianMixture::new(grid, parameters, &["weights", "means", "covariances"]).unwrap().cell_means();
        let theta = model.theta();
        let Linearization { state, jacobian } = model.linearize(&theta).unwrap();
        let logs = state.log_values.unwrap();
        for cell in [85, 89] {
            assert_eq!(state.values[cell], FLOOR);
            assert!(logs[cell] < -1000.0 && logs[cell].is_finite());
            for j in 0..theta.len() {
                let log_at = |t: f64| {
                    let mut theta = theta.clone();
                    theta[j] += t;
                    model.state(&theta).unwrap().log_values.unwrap()[cell]
                };
                let difference = (log_at(1e-5) - log_at(-1e-5)) / 2e-5;
                let score = jacobian[(cell, j)] / FLOOR;
                assert!((difference - score).abs() < 1e-4 * (1.0 + score.abs()), "{cell} {j}: {difference} {score}");
            }
        }
    }

    #[test]
    fn logarithms_survive_underflow() {
        let grid = Grid::new(&[-80.0], &[80.0], &[160]).unwrap();
        let parameters = MixtureParameters {
            weights: vec![0.5, 0.5],
            means: vec![vec![0.0], vec![1.0]],
            covariances: Covariances::Identity,
        };
        let model = GaussianMixture::new(grid.clone(), parameters, &["means"]).unwrap();
        let state = model.state(&[0.0, 1.0]).unwrap();
        let logs = state.log_values.unwrap();
        assert_eq!(state.values[0], 0.0);
        let x = grid.centers(0)[0];
        let expected = 0.5f64.ln() - 0.5 * x * x - 0.5 * (2.0 * std::f64::consts::PI).ln();
        assert!((logs[0] - expected).abs() < 1e-9 * expected.abs());
        for i in 0..160 {
            if state.values[i] > 1e-280 {
                assert!((logs[i] - state.values[i].ln()).abs() < 1e-10);
            }
        }
    }

    #[test]
    fn parameters_outside_the_domain_are_recoverable() {
        let model = mixture(2, full(2), &["weights", "means", "covariances"]);
        let names = model.parameter_names();
        for (name, value) in
            [("weights[0]", 1.2), ("weights[0]", -0.1), ("covariances[0][0][1]", 5.0), ("means[0][0]", f64::NAN)]
        {
            let mut theta = model.theta();
            theta[names.iter().position(|n| n == name).unwrap()] = value;
            let error = model.state(&theta).unwrap_err();
            assert!(error.is_recoverable(), "{error}");
        }
        assert!(!model.state(&[1.0]).unwrap_err().is_recoverable());
    }

    #[test]
    fn components_are_exchanged_as_far_as_fixed_parameters_allow() {
        let grid = Grid::new(&[-5.0], &[6.0], &[30]).unwrap();
        let parameters = MixtureParameters {
            weights: vec![0.2, 0.3, 0.5],
            means: vec![vec![0.0], vec![1.0], vec![2.0]],
            covariances: Covariances::Identity,
        };
        let model = |free: &[&str]| GaussianMixture::new(grid.clone(), parameters.clone(), free).unwrap();
        let whole = model(&["weights", "means"]);
        let theta = whole.theta();
        let renamed = whole.exchanges(&theta);
        assert_eq!(renamed.len(), 5);
        let rho = whole.state(&theta).unwrap().values;
        for other in &renamed {
            let same = whole.state(other).unwrap().values;
            assert!(rho.iter().zip(same).all(|(a, b)| (a - b).abs() < 1e-15) && *other != theta);
        }
        // Other weights stay where they are, and so do means.
        assert!(model(&["means"]).exchanges(&[0.0, 1.0, 2.0]).is_empty());
        assert!(model(&["weights"]).exchanges(&[0.2, 0.3]).is_empty());
    }

    #[test]
    fn rounding_of_a_weights_column_is_that_of_what_is_subtracted() {
        let grid = Grid::new(&[-9.0, -9.0], &[10.0, 10.0], &[80, 80]).unwrap();
        let means = vec![vec![0.0, 0.5], vec![1e-9, 0.5]];
        let parameters = MixtureParameters { weights: vec![0.4, 0.6], means, covariances: full(2) };
        let model = GaussianMixture::new(grid, parameters, &["weights", "means[0]"]).unwrap();
        let rounding = model.column_rounding(&model.theta());
        let z = model.linearize(&model.theta()).unwrap().jacobian;
        let norm = |f: &dyn Fn(usize) -> f64| (0..z.nrows()).map(|i| f(i).powi(2)).sum::<f64>().sqrt();
        let component = |w: f64| model.state(&[w, 0.0, 0.5]).unwrap().values;
        let (first, second) = (component(1.0), component(0.0));
        let expected = f64::EPSILON * (norm(&|i| first[i]) + norm(&|i| second[i]));
        assert!((rounding[0] / expected - 1.0).abs() < 1e-6, "{} {expected}", rounding[0]);
        assert_eq!(rounding[1..], [0.0, 0.0]);
    }

    #[test]
    fn weights_are_bounded_below_the_last_one_too() {
        let grid = Grid::new(&[-5.0], &[6.0], &[30]).unwrap();
        let parameters = MixtureParameters {
            weights: vec![0.2, 0.3, 0.5],
            means: vec![vec![0.0], vec![1.0], vec![2.0]],
            covariances: Covariances::Identity,
        };
        let names = |free: &[&str]| -> Vec<String> {
            let model = GaussianMixture::new(grid.clone(), parameters.clone(), free).unwrap();
            model.bounds().into_iter().map(|b| b.name).collect()
        };
        assert_eq!(names(&["weights", "means"]), ["weights[0]", "weights[1]", "weights[2]"]);
        assert_eq!(names(&["means", "weights[1]"]), ["weights[1]", "weights[2]"]);
        assert!(names(&["means"]).is_empty());
        let model = GaussianMixture::new(grid, parameters, &["weights[1]"]).unwrap();
        // What the fixed first weight leaves.
        assert!((model.bounds()[1].slack(&[0.3]) - 0.5).abs() < 1e-15);
        assert!(model.state(&[0.8 + 1e-14]).is_ok() && model.state(&[0.81]).is_err());
    }

    #[test]
    fn names_select_prefixes_and_refuse_strangers() {
        let parameters = MixtureParameters {
            weights: vec![0.4, 0.6],
            means: vec![vec![0.0, 0.0], vec![1.0, 1.0]],
            covariances: full(2),
        };
        let names = |free: &[&str]| -> Result<Vec<String>, MixtureError> {
            Ok(parameters.select(free)?.into_iter().map(Parameter::name).collect())
        };
        assert_eq!(names(&["means[1]", "weights"]).unwrap(), ["weights[0]", "means[1][0]", "means[1][1]"]);
        assert_eq!(names(&["covariances[0][1][0]"]).unwrap(), ["covariances[0][0][1]"]);
        assert_eq!(names(&["covariances[1]"]).unwrap().len(), 3);
        assert!(matches!(names(&["means[2]"]), Err(MixtureError::UnknownParameter { .. })));
        assert!(matches!(names(&["weights[1]"]), Err(MixtureError::UnknownParameter { .. })));
        assert!(matches!(names(&["means", "means[0]"]), Err(MixtureError::Duplicate { .. })));
        assert!(matches!(names(&[]), Err(MixtureError::NoFreeParameter)));
    }

    #[test]
    fn impossible_mixtures_are_refused_by_name() {
        let base = MixtureParameters {
            weights: vec![0.4, 0.6],
            means: vec![vec![0.0, 0.0], vec![1.0, 1.0]],
            covariances: Covariances::Identity,
        };
        let change = |edit: &dyn Fn(&mut MixtureParameters)| {
            let mut parameters = base.clone();
            edit(&mut parameters);
            parameters.check(2).unwrap_err().to_string()
        };
        assert!(change(&|p| p.weights[0] = -0.1).contains("weights[0]"));
        assert!(change(&|p| p.weights[0] = 0.5).contains("sum of weights"));
        assert!(change(&|p| p.means[1] = vec![1.0]).contains("means[1]"));
        assert!(change(&|p| p.means[0][1] = f64::INFINITY).contains("means[0][1]"));
        assert!(change(&|p| p.covariances = Covariances::Isotropic(vec![1.0])).contains("isotropic"));
        assert!(
            change(&|p| p.covariances = Covariances::Diagonal(vec![vec![1.0, 0.0], vec![1.0, 1.0]]))
                .contains("covariances[0][1]")
        );
        let indefinite = vec![vec![1.0, 2.0], vec![2.0, 1.0]];
        assert!(
            change(&|p| p.covariances = Covariances::Full(vec![indefinite.clone(), indefinite.clone()]))
                .contains("positive definite")
        );
        assert!(change(&|p| p.weights = vec![]).contains("weights"));
        let heavy = MixtureParameters { weights: vec![0.5, 0.6], ..base.clone() }.check(2).unwrap_err();
        assert_eq!(heavy.field().unwrap(), MixtureField { part: MixturePart::Weights, index: vec![] });
        let flat = MixtureParameters { covariances: Covariances::Isotropic(vec![1.0, 0.0]), ..base.clone() };
        assert_eq!(flat.check(2).unwrap_err().field().unwrap().to_string(), "covariances[1]");
        assert_eq!(MixtureError::NoFreeParameter.field(), None);
    }
}
