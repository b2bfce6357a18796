//! `wngd sketch`: how good the direction of each estimator is for how many solves, over seeds.

use std::collections::HashMap;
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use wngd::linalg::dense::{dot, norm};
use wngd::opt::{Direction, EstimateReport, Estimator, MatrixFree, Metric, Point, PreparedDirection};
use wngd::prelude::*;
use wngd_figures::{EstimatorCurve, EstimatorPanel, Estimators, Figure};

use crate::checkpoint::{Bits, Journal, Unit};
use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::models::Jacobian;
use crate::results::{Entry, MetricStudy, Quartiles, Study};
use crate::{files, memory, report};

/// Most parameters for which the reference is made of all tangents.
const STORED: usize = 500;
/// Error that the reference aims for beyond that.
const REFERENCE: f64 = 1e-11;
/// Errors that the iterations are run to.
const TOLERANCES: [f64; 7] = [0.3, 0.1, 3e-2, 1e-2, 1e-3, 1e-4, 1e-6];
/// Damping where neither the command nor the method says.
const DAMPING: f64 = 1e-4;
/// Most probes of a preconditioner.
const MOST_PROBES: usize = 2048;

/// What is asked.
pub struct Settings {
    /// Numbers of probes of the sketches.
    pub probes: Vec<usize>,
    /// Seeds per entry.
    pub seeds: u64,
    /// Damping relative to the largest eigenvalue, for all methods.
    pub damping: Option<f64>,
}

impl Quartiles {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let place = share * (values.len() - 1) as f64;
            let (low, part) = (place.floor() as usize, place.fract());
            values[low] + part * (values[(low + 1).min(values.len() - 1)] - values[low])
        };
        Self { lower: at(0.25), median: at(0.5), upper: at(0.75) }
    }

    fn bits(self) -> [Bits; 3] {
        [self.lower, self.median, self.upper].map(Bits)
    }

    fn of_bits([lower, median, upper]: [Bits; 3]) -> Self {
        Self { lower: lower.0, median: median.0, upper: upper.0 }
    }
}

/// Studies every metric that the experiment's methods name; nothing is returned if it was told to stop.
///
/// # Errors
/// Whatever cannot be computed at the start point.
pub fn study(
    experiment: &Experiment,
    settings: &Settings,
    journal: &Journal,
    tell: &dyn Fn(&str),
) -> Result<Option<Study>, ExperimentError> {
    let theta = &experiment.theta0;
    let (cells, p) = (experiment.model.dim_state(), theta.len());
    let plane = experiment.ground.maybe_grid().is_some_and(|grid| grid.dim() == 2)
        && experiment.methods.iter().any(|m| m.metric == "wasserstein");
    let probes = settings.probes.iter().copied().max().unwrap_or(0).max(MOST_PROBES.min(4 * p));
    let need = memory::of_sketches(cells, p, probes, plane).saturating_add(experiment.model.bytes());
    if let Some(problem) = memory::lacking(need, "use fewer cells, or fewer --probes") {
        return Err(experiment.source.error("grid.cells", problem));
    }
    let linear = experiment.model.linearize(theta)?;
    let (objective, u) = experiment.objective.derivative(&linear.state)?;
    let at = At {
        experiment,
        point: Point { theta, state: &linear.state, iteration: 0, rounding: &[] },
        jacobian: &linear.jacobian,
        u,
        objective,
    };
    let cases = journal.kept()?.into_iter().map(|case: Case| ((case.metric.clone(), case.number), case));
    let mut kept = Kept { journal, cases: cases.collect(), numbers: 0 };
    let mut metrics: Vec<MetricStudy> = Vec::new();
    for method in &experiment.methods {
        if metrics.iter().any(|m| m.metric == method.metric) {
            continue;
        }
        let Some(metric) = method.build_metric(&experiment.ground, experiment.model.as_ref())? else { continue };
        tell(method.metric);
        let damping = settings.damping.or(method.damping).unwrap_or(DAMPING);
        match at.study(metric.as_ref(), damping, settings, &mut kept)? {
            Some(found) => metrics.push(found),
            None => return Ok(None),
        }
    }
    if journal.shard().is_some() {
        return Ok(None);
    }
    Ok(Some(Study {
        name: experiment.name.clone(),
        parameters: theta.len(),
        cells: experiment.model.dim_state(),
        seeds: settings.seeds,
        metrics,
    }))
}

/// Cases that are kept.
struct Kept<'a> {
    journal: &'a Journal,
    /// Those that the checkpoint has, by metric and number.
    cases: HashMap<(String, usize), Case>,
    /// Cases so far, of all metrics.
    numbers: usize,
}

/// A linearised point.
struct At<'a> {
    experiment: &'a Experiment,
    point: Point<'a>,
    jacobian: &'a Jacobian,
    u: Vec<f64>,
    objective: f64,
}

/// What one estimator at one setting came to, as a checkpoint has it.
#[derive(Serialize, Deserialize)]
struct Case {
    metric: String,
    number: usize,
    /// Solves, angle, length, error, estimated error and decrease; none if no direction was found.
    quartiles: Option<[[Bits; 3]; 6]>,
    /// Why not all seeds count.
    left_out: Option<String>,
}

impl Unit for Case {
    const KIND: &'static str = "estimator";
}

/// A direction and its report.
type Run = (Vec<f64>, EstimateReport);

/// The exact direction and its norms.
struct Reference<'a> {
    prepared: Box<dyn PreparedDirection + 'a>,
    eta: Vec<f64>,
    mu: f64,
    step: f64,
    decrease: f64,
}

impl At<'_> {
    fn prepare<'s>(
        &'s self,
        solver: &'s MatrixFree<&'s dyn Metric>,
    ) -> Result<Box<dyn PreparedDirection + 's>, ExperimentError> {
        let weight = self.experiment.objective.cell_volume();
        let rule: &dyn DirectionSolver<&'s Jacobian> = solver;
        Ok(rule.prepare(&self.point, self.jacobian, &self.u, weight)?)
    }

    fn direction(&self, solver: &MatrixFree<&dyn Metric>) -> Result<Run, ExperimentError> {
        with_report(self.prepare(solver)?.direction(solver.damping)?)
    }

    /// Decrease of f along a step; negative where it rises or is not defined.
    fn decrease(&self, eta: &[f64], step: f64) -> f64 {
        let theta: Vec<f64> = self.point.theta.iter().zip(eta).map(|(t, e)| t + step * e).collect();
        let value = self.experiment.model.state(&theta).ok().and_then(|s| self.experiment.objective.value(&s).ok());
        value.map_or(f64::NEG_INFINITY, |f| self.objective - f)
    }

    /// The step length, a power of two, at which the exact direction gains most.
    fn best_step(&self, eta: &[f64]) -> (f64, f64) {
        let mut best = (1.0, self.decrease(eta, 1.0));
        for factor in [2.0, 0.5] {
            let first = best.0;
            for _ in 0..40 {
                let step = factor * best.0;
                let decrease = self.decrease(eta, step);
                if decrease <= best.1 {
                    break;
                }
                best = (step, decrease);
            }
            if best.0 != first {
                break;
            }
        }
        best
    }

    fn study(
        &self,
        metric: &dyn Metric,
        damping: f64,
        settings: &Settings,
        kept: &mut Kept<'_>,
    ) -> Result<Option<MetricStudy>, ExperimentError> {
        let p = self.point.theta.len();
        let with = |estimator, probes, tolerance, seed, reference| MatrixFree {
            estimator,
            damping,
            reference,
            tolerance,
            probes,
            seed,
            ..MatrixFree::new(metric)
        };
        let estimator = if p <= STORED { Estimator::Exact } else { Estimator::Krylov };
        let solver = with(estimator, None, REFERENCE, 0, None);
        let prepared = self.prepare(&solver)?;
        let (eta, report) = with_report(prepared.direction(damping)?)?;
        let (step, decrease) = self.best_step(&eta);
        let reference = Reference { prepared, eta, mu: report.mu, step, decrease };
        // One damping for all: each estimator has its own idea of the largest eigenvalue.
        let scale = (damping > 0.0).then(|| report.mu / damping);
        let with = |estimator, probes, tolerance, seed| with(estimator, probes, tolerance, seed, scale);
        let mut found = MetricStudy {
            metric: metric.name().to_string(),
            damping,
            step,
            auto: String::new(),
            entries: Vec::new(),
            left_out: Vec::new(),
        };
        let auto = self.direction(&with(Estimator::Auto, None, 1e-2, 0))?;
        found.auto = auto.1.reason.unwrap_or_default();
        for estimator in Estimator::ALL.into_iter().filter(|e| *e != Estimator::Auto) {
            let cases: Vec<(Option<usize>, f64)> = match estimator {
                Estimator::Exact if p > STORED => {
                    found.left_out.push(format!("exact: p = {p} > {STORED}"));
                    Vec::new()
                }
                Estimator::Exact => vec![(None, REFERENCE)],
                Estimator::Krylov | Estimator::Nystrom => TOLERANCES.iter().map(|t| (None, *t)).collect(),
                Estimator::Preconditioned if 4 * p > MOST_PROBES => {
                    found.left_out.push(format!("preconditioned: 4p = {} probes, more than p tangents", 4 * p));
                    Vec::new()
                }
                Estimator::Preconditioned => TOLERANCES.iter().map(|t| (None, *t)).collect(),
                _ => settings.probes.iter().map(|m| (Some(*m), REFERENCE)).collect(),
            };
            for (probes, tolerance) in cases {
                let seeds = if matches!(estimator, Estimator::Krylov | Estimator::Exact) { 1 } else { settings.seeds };
                let number = kept.numbers;
                kept.numbers += 1;
                // What other shards do is theirs; what they found is merged.
                if !kept.cases.contains_key(&(found.metric.clone(), number)) && !kept.journal.takes(number) {
                    continue;
                }
                let key = (found.metric.clone(), number);
                let case = match kept.cases.remove(&key) {
                    Some(case) => case,
                    None => {
                        let (mut runs, mut left_out) = (Vec::new(), None);
                        for seed in 0..seeds {
                            if kept.journal.stopped() {
                                return Ok(None);
                            }
                            match self.direction(&with(estimator, probes, tolerance, seed)) {
                                Ok(run) => runs.push(run),
                                Err(ExperimentError::Direction(error)) => {
                                    let name = estimator.name();
                                    left_out = Some(format!("{name} with {probes:?} probes: {error}"));
                                    break;
                                }
                                Err(error) => return Err(error),
                            }
                        }
                        self.experiment.intact()?;
                        let quartiles =
                            (!runs.is_empty()).then(|| self.quartiles(&reference, &runs).map(Quartiles::bits));
                        let case = Case { metric: key.0, number, quartiles, left_out };
                        kept.journal.append(&case);
                        case
                    }
                };
                found.left_out.extend(case.left_out);
                let Some(quartiles) = case.quartiles else { continue };
                let [solves, angle, length, error, estimated, decrease] = quartiles.map(Quartiles::of_bits);
                let (estimator, tolerance) = (estimator.name().to_string(), probes.is_none().then_some(tolerance));
                let entry = Entry { estimator, probes, tolerance, solves, angle, length, error, estimated, decrease };
                // A tolerance that costs nothing more replaces the one before.
                let same = |e: &Entry| e.estimator == entry.estimator && e.solves == entry.solves;
                if found.entries.last().is_some_and(same) {
                    found.entries.pop();
                }
                found.entries.push(entry);
            }
        }
        Ok(Some(found))
    }

    /// Solves, angle, length, error, estimated error and decrease over seeds.
    fn quartiles(&self, reference: &Reference<'_>, runs: &[Run]) -> [Quartiles; 6] {
        let weight = self.experiment.objective.cell_volume();
        let energy =
            |eta: &[f64]| (reference.prepared.curvature(eta) / weight + reference.mu * dot(eta, eta)).max(0.0).sqrt();
        let Reference { eta: exact, step, decrease: best, .. } = reference;
        let (step, best) = (*step, *best);
        let over = |value: &dyn Fn(&Run) -> f64| Quartiles::of(runs.iter().map(value).collect());
        [
            over(&|run| run.1.solves() as f64),
            over(&|run| {
                // By the half angle: the cosine loses all small ones.
                let (a, b) = (norm(&run.0), norm(exact));
                let apart = |sign: f64| -> f64 {
                    norm(&run.0.iter().zip(exact).map(|(x, y)| x / a - sign * y / b).collect::<Vec<_>>())
                };
                2.0 * apart(1.0).atan2(apart(-1.0)).to_degrees()
            }),
            over(&|run| norm(&run.0) / norm(exact)),
            over(&|run| {
                let gap: Vec<f64> = run.0.iter().zip(exact).map(|(a, b)| a - b).collect();
                energy(&gap) / energy(exact)
            }),
            over(&|run| run.1.error),
            Quartiles::of(runs.par_iter().map(|run| (self.decrease(&run.0, step) / best).max(-10.0)).collect()),
        ]
    }
}

fn with_report(direction: Direction) -> Result<Run, ExperimentError> {
    let report = direction.estimate.ok_or_else(|| ExperimentError::Internal("a direction without report".into()))?;
    Ok((direction.eta, report))
}

/// Studies, writes `sketch.json`, the figure and the report; nothing is returned if it was told to stop.
///
/// # Errors
/// As [`study`]; an experiment without a metric; files that cannot be written.
pub fn sketch(
    experiment: &Experiment,
    settings: &Settings,
    journal: &Journal,
    folder: &Path,
    tell: &dyn Fn(&str),
) -> Result<Option<Study>, ExperimentError> {
    if !experiment.model.priors().is_empty() {
        let problem = "it compares directions of the objective alone; leave the priors out".into();
        return Err(ExperimentError::Option { option: "sketch".into(), problem });
    }
    if journal.shard().is_none() {
        journal.record.write(folder)?;
    }
    let found = study(experiment, settings, journal, tell)?;
    journal.check()?;
    let Some(found) = found else { return Ok(None) };
    if found.metrics.is_empty() {
        let problem = "the experiment has no method with a metric; add one, \"l2\" for example".into();
        return Err(ExperimentError::Option { option: "sketch".into(), problem });
    }
    picture(&found).save(folder)?;
    files::write_json(&folder.join("sketch.json"), &found)?;
    report::write(folder)?;
    Ok(Some(found))
}

fn picture(study: &Study) -> Estimators {
    let panels = study.metrics.iter().map(|metric| {
        let mut curves: Vec<EstimatorCurve> = Vec::new();
        for entry in &metric.entries {
            let point = |q: &Quartiles| [q.lower, q.median, q.upper];
            let Entry { estimator, solves, error, decrease, .. } = entry;
            let at = match curves.iter().position(|c| c.label == *estimator) {
                Some(at) => at,
                None => {
                    curves.push(EstimatorCurve { label: estimator.to_string(), ..EstimatorCurve::default() });
                    curves.len() - 1
                }
            };
            curves[at].solves.push(solves.median);
            curves[at].error.push(point(error));
            curves[at].decrease.push(point(decrease));
        }
        EstimatorPanel { title: metric.metric.clone(), curves }
    });
    Estimators {
        panels: panels.collect(),
        title: format!("{}: {} parameters, {} cells", study.name, study.parameters, study.cells),
    }
}
