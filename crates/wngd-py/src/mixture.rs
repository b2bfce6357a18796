//! Gaussian mixtures to samples and histograms, and what a mixture says of points.

use numpy::{PyArray1, PyArrayDyn};
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rayon::prelude::*;
use wngd::fit::{Family, Fit, FitError, Histogram, Mixture, Options, Samples, fit, fit_histogram};

use crate::arrays::{Numbers, array, or_nan};
use crate::{error, interrupt};

/// Points per task.
const TASK: usize = 4096;

/// How a fit is made, as Python gives it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Asked {
    components: String,
    covariance: String,
    starts: usize,
    seed: u64,
    iterations: usize,
    errors: bool,
    goodness: bool,
}

impl Asked {
    fn options(&self) -> PyResult<Options> {
        Ok(Options {
            components: self.components.parse().map_err(error::value)?,
            family: self.covariance.parse().map_err(error::value)?,
            starts: self.starts,
            seed: self.seed,
            iterations: self.iterations,
            errors: self.errors,
            goodness: self.goodness,
            stop: interrupt::pressed,
        })
    }
}

/// Fits samples of shape (n, d), with a weight each or none.
#[pyfunction]
pub(crate) fn fit_samples<'py>(
    py: Python<'py>,
    samples: &Bound<'py, PyAny>,
    weights: Option<&Bound<'py, PyAny>>,
    asked: Asked,
) -> PyResult<Bound<'py, PyDict>> {
    let options = asked.options()?;
    let samples = Numbers::of("X", samples)?.axes(2, "(samples, features)")?.finite()?;
    let weights = Numbers::maybe("sample_weight", weights)?;
    let weights = weights.map(|w| w.axes(1, "one per sample")).transpose()?;
    let dim = samples.shape()[1];
    let mut read = Samples::new(dim, samples.values()?.to_vec()).map_err(error::value)?;
    if let Some(weights) = weights {
        read = read.with_weights(weights.values()?).map_err(|e| error::argument("sample_weight", e))?;
    }
    let found = interrupt::watched(py, || fit(&read, &options))?.map_err(failed)?;
    told(py, &found)
}

/// Fits counts of bins with corners of shape (bins, d).
#[pyfunction]
pub(crate) fn fit_bins<'py>(
    py: Python<'py>,
    lower: &Bound<'py, PyAny>,
    upper: &Bound<'py, PyAny>,
    counts: &Bound<'py, PyAny>,
    asked: Asked,
) -> PyResult<Bound<'py, PyDict>> {
    let options = asked.options()?;
    let lower = Numbers::of("lower", lower)?.axes(2, "(bins, axes)")?.finite()?;
    let upper = Numbers::of("upper", upper)?.axes(2, "(bins, axes)")?.finite()?;
    let counts = Numbers::of("counts", counts)?.axes(1, "one per bin")?.finite()?;
    let dim = lower.shape()[1];
    let read = Histogram::new(dim, lower.values()?.to_vec(), upper.values()?.to_vec(), counts.values()?.to_vec());
    let read = read.map_err(error::value)?;
    let found = interrupt::watched(py, || fit_histogram(&read, &options))?.map_err(failed)?;
    told(py, &found)
}

/// Why there is no fit.
fn failed(error: FitError) -> PyErr {
    match error {
        FitError::Stopped => PyKeyboardInterrupt::new_err(()),
        other => error::value(other),
    }
}

/// A fit in Python's types.
fn told<'py>(py: Python<'py>, found: &Fit) -> PyResult<Bound<'py, PyDict>> {
    let mixture = &found.mixture;
    let (count, dim, p) = (mixture.weights().len(), mixture.dim(), found.theta.len());
    let out = PyDict::new(py);
    out.set_item("weights", PyArray1::from_slice(py, mixture.weights()))?;
    out.set_item("means", array(py, &[count, dim], mixture.means().concat())?)?;
    out.set_item("covariances", covariances(py, mixture, found.family)?)?;
    let errors = errors(py, found)?;
    out.set_item("standard_errors", errors)?;
    out.set_item("names", &found.names)?;
    out.set_item("theta", PyArray1::from_slice(py, &found.theta))?;
    let covariance = found.covariance.iter().flatten().copied();
    out.set_item("parameter_covariance", array(py, &[p, p], or_nan(covariance))?)?;
    out.set_item("status", found.status.name())?;
    out.set_item("iterations", found.trace.len().saturating_sub(1))?;
    out.set_item("trace", found.trace.iter().map(|row| row.log_likelihood).collect::<Vec<_>>())?;
    out.set_item("observations", found.observations)?;
    out.set_item("log_likelihood", found.log_likelihood)?;
    out.set_item("bic", found.bic)?;
    out.set_item("aic", found.aic)?;
    out.set_item("rank", found.rank)?;
    out.set_item("condition", found.condition)?;
    out.set_item("seconds", found.seconds)?;
    out.set_item("remarks", found.remarks.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let goodness = match &found.goodness {
        Ok(goodness) => {
            let test = PyDict::new(py);
            test.set_item("statistic", goodness.statistic)?;
            test.set_item("degrees_of_freedom", goodness.degrees_of_freedom)?;
            test.set_item("p_value", goodness.p_value)?;
            Some(test)
        }
        Err(_) => None,
    };
    out.set_item("goodness_of_fit", goodness)?;
    out.set_item("goodness_of_fit_note", found.goodness.as_ref().err())?;
    let scores = found.scores.iter().map(|score| {
        let row = PyDict::new(py);
        row.set_item("components", score.components)?;
        row.set_item("log_likelihood", score.log_likelihood)?;
        row.set_item("bic", score.bic)?;
        row.set_item("aic", score.aic)?;
        row.set_item("degenerate", score.degenerate)?;
        Ok(row)
    });
    out.set_item("scores", scores.collect::<PyResult<Vec<_>>>()?)?;
    Ok(out)
}

/// Shape of the covariances of a family: (K, d, d), (d, d), (K, d) or (K,).
fn shape(family: Family, count: usize, dim: usize) -> Vec<usize> {
    match family {
        Family::Full => vec![count, dim, dim],
        Family::Tied => vec![dim, dim],
        Family::Diagonal => vec![count, dim],
        Family::Isotropic => vec![count],
    }
}

/// A matrix by its upper triangle: its parameters. What is below may differ in the last digit.
fn symmetric(matrix: &[Vec<f64>]) -> impl Iterator<Item = f64> {
    let dim = matrix.len();
    (0..dim * dim).map(move |i| matrix[(i / dim).min(i % dim)][(i / dim).max(i % dim)])
}

/// Covariances in the shape of their family.
fn covariances<'py>(py: Python<'py>, mixture: &Mixture, family: Family) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let all = mixture.covariances();
    let dim = mixture.dim();
    let values: Vec<f64> = match family {
        Family::Full => all.iter().flat_map(|c| symmetric(c)).collect(),
        Family::Tied => symmetric(&all[0]).collect(),
        Family::Diagonal => all.iter().flat_map(|c| (0..dim).map(|a| c[a][a])).collect(),
        Family::Isotropic => all.iter().map(|c| c[0][0]).collect(),
    };
    array(py, &shape(family, all.len(), dim), values)
}

/// Standard errors in the shapes of what they belong to; NaN where there is none.
fn errors<'py>(py: Python<'py>, found: &Fit) -> PyResult<Bound<'py, PyDict>> {
    let (count, dim) = (found.mixture.weights().len(), found.mixture.dim());
    // By name: what is held has no error.
    let errors = found.standard_errors();
    let of = |name: String| found.names.iter().position(|n| *n == name).and_then(|at| errors[at]);
    // The last weight is what the others leave.
    let free = |i: usize| (0..count - 1).map(move |j| found.covariance[i][j]).sum::<Option<f64>>();
    let last = (0..count - 1).map(free).sum::<Option<f64>>().filter(|_| count > 1);
    let last = last.map(|v| v.max(0.0).sqrt());
    let weights = or_nan((0..count - 1).map(|k| of(format!("weights[{k}]"))).chain([last]));
    let means = or_nan((0..count * dim).map(|i| of(format!("means[{}][{}]", i / dim, i % dim))));
    let entry = |what: String, i: usize| of(format!("{what}[{}][{}]", (i / dim).min(i % dim), (i / dim).max(i % dim)));
    let square = |k: usize| (0..dim * dim).map(move |i| (k, i));
    let covariances = or_nan(match found.family {
        Family::Full => {
            (0..count).flat_map(square).map(|(k, i)| entry(format!("covariances[{k}]"), i)).collect::<Vec<_>>()
        }
        Family::Tied => (0..dim * dim).map(|i| entry("covariance".into(), i)).collect(),
        Family::Diagonal => (0..count * dim).map(|i| of(format!("covariances[{}][{}]", i / dim, i % dim))).collect(),
        Family::Isotropic => (0..count).map(|k| of(format!("covariances[{k}]"))).collect(),
    });
    let out = PyDict::new(py);
    out.set_item("weights", array(py, &[count], weights)?)?;
    out.set_item("means", array(py, &[count, dim], means)?)?;
    out.set_item("covariances", array(py, &shape(found.family, count, dim), covariances)?)?;
    Ok(out)
}

/// The mixture of arrays, covariances in the shape of their family.
fn mixture<'py>(
    weights: &Bound<'py, PyAny>,
    means: &Bound<'py, PyAny>,
    covariances: &Bound<'py, PyAny>,
    family: &str,
) -> PyResult<Mixture> {
    let family: Family = family.parse().map_err(error::value)?;
    let weights = Numbers::of("weights_", weights)?.axes(1, "one per component")?;
    let means = Numbers::of("means_", means)?.axes(2, "(components, features)")?;
    let covariances = Numbers::of("covariances_", covariances)?;
    let (count, dim) = (means.shape()[0], means.shape()[1]);
    let needed = shape(family, count, dim);
    if covariances.shape() != needed {
        let found = covariances.shape();
        return Err(PyValueError::new_err(format!("covariances_: shape {found:?}; {needed:?} is needed")));
    }
    let values = covariances.values()?;
    let entry = |k: usize, a: usize, b: usize| match family {
        Family::Full => values[(k * dim + a.min(b)) * dim + a.max(b)],
        Family::Tied => values[a.min(b) * dim + a.max(b)],
        Family::Diagonal if a == b => values[k * dim + a],
        Family::Isotropic if a == b => values[k],
        Family::Diagonal | Family::Isotropic => 0.0,
    };
    let matrix = |k| (0..dim).map(|a| (0..dim).map(|b| entry(k, a, b)).collect()).collect();
    let means = means.values()?.chunks(dim.max(1)).map(<[f64]>::to_vec).collect();
    Mixture::new(weights.values()?.to_vec(), means, (0..count).map(matrix).collect()).map_err(error::value)
}

/// ln ρ at points of shape (n, d), and the probability of each component there, (n, K).
#[pyfunction]
pub(crate) fn mixture_at<'py>(
    py: Python<'py>,
    weights: &Bound<'py, PyAny>,
    means: &Bound<'py, PyAny>,
    covariances: &Bound<'py, PyAny>,
    family: &str,
    points: &Bound<'py, PyAny>,
    shares: bool,
) -> PyResult<Bound<'py, PyArrayDyn<f64>>> {
    let mixture = mixture(weights, means, covariances, family)?;
    let points = Numbers::of("X", points)?.axes(2, "(samples, features)")?;
    let (n, dim) = (points.shape()[0], points.shape()[1]);
    if dim != mixture.dim() {
        let needed = mixture.dim();
        return Err(PyValueError::new_err(format!("X: {dim} features; the mixture has {needed}")));
    }
    let values = points.values()?;
    let count = if shares { mixture.weights().len() } else { 1 };
    let mut out = vec![0.0; n * count];
    py.detach(|| {
        out.par_chunks_mut(TASK * count).zip(values.par_chunks(TASK * dim)).for_each(|(out, points)| {
            for (out, x) in out.chunks_exact_mut(count).zip(points.chunks_exact(dim)) {
                if shares {
                    out.copy_from_slice(&mixture.responsibilities(x));
                } else {
                    out[0] = mixture.log_density(x);
                }
            }
        });
    });
    let shape = if shares { vec![n, count] } else { vec![n] };
    array(py, &shape, out)
}

/// n samples of shape (n, d) from a seed.
#[pyfunction]
pub(crate) fn mixture_sample<'py>(
    py: Python<'py>,
    weights: &Bound<'py, PyAny>,
    means: &Bound<'py, PyAny>,
    covariances: &Bound<'py, PyAny>,
    family: &str,
    n: usize,
    seed: u64,
) -> PyResult<(Bound<'py, PyArrayDyn<f64>>, Vec<usize>)> {
    let mixture = mixture(weights, means, covariances, family)?;
    let (values, from) = mixture.sample_with_components(n, seed);
    Ok((array(py, &[n, mixture.dim()], values)?, from))
}
