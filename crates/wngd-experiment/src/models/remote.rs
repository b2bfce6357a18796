//! A model that answers calls, as a map with a derivative.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use wngd::adjoint::{Linearization, SolveCounts, State};
use wngd::linalg::LinearOp;
use wngd::linalg::dense::{dot, norm};
use wngd::linalg::faer::{Mat, MatMut, MatRef};
use wngd::prelude::ModelError;
use wngd_umbridge::{CallError, Client, Fault, Support};

use super::Jacobian;

/// Step of a central difference, relative to the parameters: the cube root of rounding.
const STEP: f64 = 6e-6;
/// Steps of the test of derivatives, the likeliest first; rough values need long ones, curved ones short ones.
const TEST_STEPS: [f64; 4] = [1e-3, 1e-4, 1e-2, 1e-5];
/// Relative error that derivatives may have.
const TEST_ERROR: f64 = 1e-3;

/// Where derivatives come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Derivatives {
    /// Gradient and ApplyJacobian.
    Both,
    /// Columns by ApplyJacobian, stored.
    Columns,
    /// Gradient, and differences for Jv.
    GradientAndDifferences,
    /// Columns by differences, stored.
    Differences,
}

impl Derivatives {
    /// What is possible with what a model has; the text of an error says what is missing.
    pub(super) fn of(support: Support, differences: bool) -> Result<Self, String> {
        let missing = |what: &str| {
            Err(format!(
                "the server's model offers no {what}; add it there, or set finite_differences = true for differences of \
                 Evaluate"
            ))
        };
        match (support.gradient, support.apply_jacobian) {
            (true, true) => Ok(Self::Both),
            (false, true) => Ok(Self::Columns),
            (true, false) if differences => Ok(Self::GradientAndDifferences),
            (false, false) if differences => Ok(Self::Differences),
            (true, false) => missing("ApplyJacobian (Jv)"),
            (false, false) => missing("Gradient (vᵀJ) and no ApplyJacobian (Jv)"),
        }
    }

    /// What should be said of it.
    pub(super) fn remark(self) -> Option<&'static str> {
        match self {
            Self::Both => None,
            Self::Columns => {
                Some("the server's model offers no Gradient: the Jacobian is stored, one ApplyJacobian per parameter")
            }
            Self::GradientAndDifferences => {
                Some("products Jv are central differences of the server's Evaluate, since it offers no ApplyJacobian")
            }
            Self::Differences => Some(
                "the Jacobian is central differences of the server's Evaluate, two per parameter, since it offers no derivatives",
            ),
        }
    }

    fn has_tangents(self) -> bool {
        matches!(self, Self::Both | Self::Columns)
    }

    fn has_gradients(self) -> bool {
        matches!(self, Self::Both | Self::GradientAndDifferences)
    }
}

/// A model behind calls that may fail.
pub(super) struct Remote {
    pub(super) client: Client,
    pub(super) derivatives: Derivatives,
    density: bool,
    /// The first failure; nothing is asked after it.
    failed: Mutex<Option<CallError>>,
    /// The last point and its values: a line search ends where the next linearisation begins.
    last: Mutex<Option<(Vec<f64>, Vec<f64>)>>,
    evaluations: AtomicUsize,
    tangents: AtomicUsize,
    adjoints: AtomicUsize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The size that a change of a parameter is measured by.
fn size(value: f64) -> f64 {
    if value == 0.0 { 1.0 } else { value.abs() }
}

fn moved(theta: &[f64], step: f64, delta: &[f64]) -> Vec<f64> {
    theta.iter().zip(delta).map(|(t, d)| t + step * d).collect()
}

impl Remote {
    pub(super) fn new(client: Client, derivatives: Derivatives, density: bool) -> Self {
        let (evaluations, tangents, adjoints) = Default::default();
        let (failed, last) = Default::default();
        Self { client, derivatives, density, failed, last, evaluations, tangents, adjoints }
    }

    pub(super) fn failure(&self) -> Option<ModelError> {
        lock(&self.failed).clone().map(|error| ModelError::Model(Box::new(error)))
    }

    pub(super) fn solve_counts(&self) -> SolveCounts {
        let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        SolveCounts { state: of(&self.evaluations), tangent: of(&self.tangents), adjoint: of(&self.adjoints) }
    }

    fn evaluate(&self, theta: &[f64]) -> Result<Vec<f64>, CallError> {
        if let Some((_, values)) = lock(&self.last).as_ref().filter(|(last, _)| last == theta) {
            return Ok(values.clone());
        }
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        let values = self.client.evaluate(theta)?;
        *lock(&self.last) = Some((theta.to_vec(), values.clone()));
        Ok(values)
    }

    pub(super) fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        ModelError::check_theta(theta, self.client.parameters())?;
        if let Some(error) = self.failure() {
            return Err(error);
        }
        let values = self.evaluate(theta).map_err(|error| match error.fault {
            Fault::NotFinite => {
                let CallError { url, model, endpoint, cause, .. } = error;
                let parameter = format!("{url}/{endpoint}, model \"{model}\": {cause}: it");
                let rule = "values are finite; start elsewhere, or give the parameters bounds";
                ModelError::OutOfDomain { parameter, value: f64::NAN, rule }
            }
            _ => ModelError::Model(Box::new(self.keep(error))),
        })?;
        match values.iter().position(|v| *v < 0.0).filter(|_| self.density) {
            Some(cell) => {
                let remedy = "a model of plain values has data of kind values";
                Err(ModelError::Density { cell, value: values[cell], remedy })
            }
            None => Ok(State::new(values)),
        }
    }

    /// Keeps what failed, unless something did before.
    fn keep(&self, error: CallError) -> CallError {
        lock(&self.failed).get_or_insert(error).clone()
    }

    /// What a product came to: NaN, once anything has failed.
    fn product(&self, length: usize, make: impl FnOnce() -> Result<Vec<f64>, CallError>) -> Vec<f64> {
        let nothing = || vec![f64::NAN; length];
        if lock(&self.failed).is_some() {
            return nothing();
        }
        make().unwrap_or_else(|error| {
            self.keep(error);
            nothing()
        })
    }

    fn tangent(&self, theta: &[f64], v: &[f64]) -> Vec<f64> {
        let k = self.client.values();
        let largest = theta.iter().zip(v).map(|(t, v)| v.abs() / size(*t)).fold(0.0, f64::max);
        if largest == 0.0 {
            return vec![0.0; k];
        }
        self.product(k, || {
            if self.derivatives.has_tangents() {
                self.tangents.fetch_add(1, Ordering::Relaxed);
                return self.client.apply_jacobian(theta, v);
            }
            let step = STEP / largest;
            self.evaluations.fetch_add(2, Ordering::Relaxed);
            let ahead = self.client.evaluate(&moved(theta, step, v))?;
            let behind = self.client.evaluate(&moved(theta, -step, v))?;
            Ok(ahead.iter().zip(behind).map(|(a, b)| (a - b) / (2.0 * step)).collect())
        })
    }

    fn adjoint(&self, theta: &[f64], s: &[f64]) -> Vec<f64> {
        self.product(theta.len(), || {
            self.adjoints.fetch_add(1, Ordering::Relaxed);
            self.client.gradient(theta, s)
        })
    }

    pub(super) fn linearize(self: &Arc<Self>, theta: &[f64]) -> Result<Linearization<Jacobian>, ModelError> {
        let state = self.state(theta)?;
        let products = Products { remote: Arc::clone(self), theta: theta.to_vec() };
        let jacobian: Jacobian =
            if self.derivatives.has_gradients() { Box::new(products) } else { Box::new(products.to_dense()) };
        self.failure().map_or(Ok(Linearization { state, jacobian }), Err)
    }

    /// Compares derivatives with differences of Evaluate along one direction: the slopes that a descent will believe.
    pub(super) fn test(&self, theta: &[f64]) -> Result<(), CallError> {
        if self.derivatives == Derivatives::Differences {
            return Ok(());
        }
        // Kept for the descent that begins there.
        self.evaluate(theta)?;
        let mut rng = Pcg64::seed_from_u64(1);
        let delta: Vec<f64> = theta
            .iter()
            .map(|t| {
                let u = 2.0 * rng.random::<f64>() - 1.0;
                size(*t) * (u.signum() * 0.5 + 0.5 * u)
            })
            .collect();
        let (mut tangent, mut adjoint) = (None, None);
        if self.derivatives.has_tangents() {
            tangent = Some(self.client.apply_jacobian(theta, &delta)?);
        }
        let (mut tangent_gap, mut adjoint_gap) = (f64::INFINITY, f64::INFINITY);
        for step in TEST_STEPS {
            let ends = [step, -step].map(|step| self.client.evaluate(&moved(theta, step, &delta)));
            let [ahead, behind] = ends;
            let (ahead, behind) = match (ahead, behind) {
                (Ok(ahead), Ok(behind)) => (ahead, behind),
                // A shorter step may stay where the model is defined.
                (Err(error), _) | (_, Err(error)) if error.fault == Fault::NotFinite => continue,
                (Err(error), _) | (_, Err(error)) => return Err(error),
            };
            let slope: Vec<f64> = ahead.iter().zip(&behind).map(|(a, b)| (a - b) / (2.0 * step)).collect();
            let gap = |difference: f64, scale: f64| if scale == 0.0 { difference } else { difference / scale };
            match &tangent {
                Some(tangent) => {
                    let apart: Vec<f64> = tangent.iter().zip(&slope).map(|(a, b)| a - b).collect();
                    tangent_gap = tangent_gap.min(gap(norm(&apart), norm(tangent).max(norm(&slope))));
                }
                None => tangent_gap = 0.0,
            }
            if self.derivatives.has_gradients() {
                if adjoint.is_none() {
                    let s = slope.clone();
                    let found = self.client.gradient(theta, &s)?;
                    adjoint = Some((s, dot(&found, &delta)));
                }
                if let Some((s, told)) = &adjoint {
                    let (seen, scale) = (dot(s, &slope), norm(s) * norm(&slope));
                    adjoint_gap = adjoint_gap.min(gap((told - seen).abs(), scale.max(told.abs())));
                }
            } else {
                adjoint_gap = 0.0;
            }
            if tangent_gap <= TEST_ERROR && adjoint_gap <= TEST_ERROR {
                return Ok(());
            }
        }
        let wrong = [("ApplyJacobian", "apply_jacobian", tangent_gap), ("Gradient", "gradient", adjoint_gap)];
        let Some((endpoint, function, gap)) = wrong.into_iter().find(|(_, _, gap)| !(*gap <= TEST_ERROR)) else {
            return Ok(());
        };
        let cause = if gap.is_infinite() {
            "it cannot be compared with Evaluate, which is not finite around the start".to_string()
        } else {
            format!(
                "it does not fit Evaluate: along a direction at the start they differ by {gap:.1e} of the slope, and \
                 {TEST_ERROR:e} is allowed"
            )
        };
        let remedy = format!(
            "correct the model's {function}, or set derivative_test = false if it is right and Evaluate is that rough"
        );
        Err(self.client.error(endpoint, Fault::Answer, cause, &remedy))
    }
}

/// Z at θ, by calls.
struct Products {
    remote: Arc<Remote>,
    theta: Vec<f64>,
}

impl Products {
    /// Columns of a product, as many at a time as the server takes.
    fn columns(&self, mut out: MatMut<'_, f64>, column: impl Fn(usize) -> Vec<f64> + Sync) {
        let number = out.ncols();
        let mut set = |j: usize, values: Vec<f64>| {
            for (i, value) in values.into_iter().enumerate() {
                out[(i, j)] = value;
            }
        };
        let threads = self.remote.client.requests().min(number);
        if threads <= 1 {
            (0..number).for_each(|j| set(j, column(j)));
            return;
        }
        let (next, found) = (AtomicUsize::new(0), Mutex::new(vec![Vec::new(); number]));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let j = next.fetch_add(1, Ordering::Relaxed);
                        if j >= number {
                            return;
                        }
                        let values = column(j);
                        lock(&found)[j] = values;
                    }
                });
            }
        });
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.into_iter().enumerate().for_each(|(j, values)| set(j, values));
    }
}

fn vector(x: MatRef<'_, f64>, j: usize) -> Vec<f64> {
    (0..x.nrows()).map(|i| x[(i, j)]).collect()
}

impl LinearOp for Products {
    fn nrows(&self) -> usize {
        self.remote.client.values()
    }
    fn ncols(&self) -> usize {
        self.theta.len()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        self.columns(out, |j| self.remote.tangent(&self.theta, &vector(x, j)));
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        self.columns(out, |j| self.remote.adjoint(&self.theta, &vector(y, j)));
    }
    fn to_dense(&self) -> Mat<f64> {
        let p = self.theta.len();
        let mut out = Mat::zeros(self.nrows(), p);
        // Without a p x p identity.
        self.columns(out.as_mut(), |j| {
            let mut unit = vec![0.0; p];
            unit[j] = 1.0;
            self.remote.tangent(&self.theta, &unit)
        });
        out
    }
}
