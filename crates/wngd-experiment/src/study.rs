//! `wngd sketch`: how good the direction of each estimator is for how many solves, over seeds.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use wngd::linalg::dense::{dot, norm};
use wngd::opt::{Direction, EstimateReport, Estimator, MatrixFree, Metric, Point, PreparedDirection};
use wngd::prelude::*;
use wngd_figures::{EstimatorCurve, EstimatorPanel, Estimators, Figure};

use crate::checkpoint::{Bits, Came, Journal, Unit};
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
    let mut chosen: Vec<(Box<dyn Metric + Send>, f64)> = Vec::new();
    for method in &experiment.methods {
        if chosen.iter().any(|(metric, _)| metric.name() == method.metric) {
            continue;
        }
        let Some(metric) = method.build_metric(&experiment.ground, experiment.model.as_ref())? else { continue };
        chosen.push((metric, settings.damping.or(method.damping).unwrap_or(DAMPING)));
    }
    let asked: Vec<Asked<'_>> =
        chosen.iter().map(|(metric, damping)| Asked::of(&at, metric.as_ref(), *damping)).collect();
    let mut begun = Vec::new();
    for asked in &asked {
        tell(asked.metric.name());
        begun.push(at.begin(asked, settings)?);
    }
    let cases: Vec<(usize, &Setting)> = begun
        .iter()
        .enumerate()
        .flat_map(|(m, begun)| begun.settings.iter().map(move |setting| (m, setting)))
        .collect();
    let mut kept: BTreeMap<usize, Case> = journal.kept()?.into_iter().map(|case: Case| (case.number, case)).collect();
    let left = (0..cases.len()).filter(|number| !kept.contains_key(number)).collect();
    let found = journal.in_turn(left, &|_| {}, |number| {
        let (m, setting) = cases[number];
        let case = at.case(&asked[m], &begun[m], (number, setting), journal)?;
        experiment.intact()?;
        Ok(case)
    })?;
    kept.extend(found.into_iter().map(|case| (case.number, case)));
    if !journal.concludes() || (0..cases.len()).any(|number| !kept.contains_key(&number)) {
        return Ok(None);
    }
    let settled: Vec<(usize, Setting)> = cases.into_iter().map(|(m, setting)| (m, *setting)).collect();
    let mut metrics: Vec<MetricStudy> = begun.into_iter().map(|begun| begun.study).collect();
    for ((m, setting), case) in settled.into_iter().zip(kept.into_values()) {
        enter(&mut metrics[m], setting, case);
    }
    Ok(Some(Study {
        name: experiment.name.clone(),
        parameters: theta.len(),
        cells: experiment.model.dim_state(),
        seeds: settings.seeds,
        metrics,
    }))
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

/// A metric that is studied.
struct Asked<'a> {
    metric: &'a dyn Metric,
    damping: f64,
    /// What makes the reference.
    exact: MatrixFree<&'a dyn Metric>,
}

impl<'a> Asked<'a> {
    fn of(at: &At<'_>, metric: &'a dyn Metric, damping: f64) -> Self {
        let estimator = if at.point.theta.len() <= STORED { Estimator::Exact } else { Estimator::Krylov };
        let setting = Setting { estimator, probes: None, tolerance: REFERENCE, seeds: 1 };
        Self { metric, damping, exact: setting.solver(metric, damping, 0, None) }
    }
}

/// An estimator at one setting.
#[derive(Clone, Copy)]
struct Setting {
    estimator: Estimator,
    probes: Option<usize>,
    tolerance: f64,
    seeds: u64,
}

impl Setting {
    fn solver<'a>(
        &self,
        metric: &'a dyn Metric,
        damping: f64,
        seed: u64,
        reference: Option<f64>,
    ) -> MatrixFree<&'a dyn Metric> {
        let Self { estimator, probes, tolerance, .. } = *self;
        MatrixFree { estimator, damping, reference, tolerance, probes, seed, ..MatrixFree::new(metric) }
    }
}

/// A metric with its reference, before its cases.
struct Begun<'a> {
    reference: Reference<'a>,
    /// One damping for all: each estimator has its own idea of the largest eigenvalue.
    scale: Option<f64>,
    settings: Vec<Setting>,
    study: MetricStudy,
}

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

    /// The reference of a metric, and what is to be compared with it.
    fn begin<'s>(&'s self, asked: &'s Asked<'_>, settings: &Settings) -> Result<Begun<'s>, ExperimentError> {
        let (p, damping) = (self.point.theta.len(), asked.damping);
        let prepared = self.prepare(&asked.exact)?;
        let (eta, report) = with_report(prepared.direction(damping)?)?;
        let (step, decrease) = self.best_step(&eta);
        let scale = (damping > 0.0).then(|| report.mu / damping);
        let auto = Setting { estimator: Estimator::Auto, probes: None, tolerance: 1e-2, seeds: 1 };
        let auto = self.direction(&auto.solver(asked.metric, damping, 0, scale))?;
        let mut study = MetricStudy {
            metric: asked.metric.name().to_string(),
            damping,
            step,
            auto: auto.1.reason.unwrap_or_default(),
            entries: Vec::new(),
            left_out: Vec::new(),
        };
        let mut all = Vec::new();
        for estimator in Estimator::ALL.into_iter().filter(|e| *e != Estimator::Auto) {
            let cases: Vec<(Option<usize>, f64)> = match estimator {
                Estimator::Exact if p > STORED => {
                    study.left_out.push(format!("exact: p = {p} > {STORED}"));
                    Vec::new()
                }
                Estimator::Exact => vec![(None, REFERENCE)],
                Estimator::Krylov | Estimator::Nystrom => TOLERANCES.iter().map(|t| (None, *t)).collect(),
                Estimator::Preconditioned if 4 * p > MOST_PROBES => {
                    study.left_out.push(format!("preconditioned: 4p = {} probes, more than p tangents", 4 * p));
                    Vec::new()
                }
                Estimator::Preconditioned => TOLERANCES.iter().map(|t| (None, *t)).collect(),
                _ => settings.probes.iter().map(|m| (Some(*m), REFERENCE)).collect(),
            };
            let seeds = if matches!(estimator, Estimator::Krylov | Estimator::Exact) { 1 } else { settings.seeds };
            all.extend(cases.into_iter().map(|(probes, tolerance)| Setting { estimator, probes, tolerance, seeds }));
        }
        let reference = Reference { prepared, eta, mu: report.mu, step, decrease };
        Ok(Begun { reference, scale, settings: all, study })
    }

    /// One estimator at one setting, over seeds.
    fn case(
        &self,
        asked: &Asked<'_>,
        begun: &Begun<'_>,
        (number, setting): (usize, &Setting),
        journal: &Journal,
    ) -> Came<Case> {
        let (mut runs, mut left_out) = (Vec::new(), None);
        for seed in 0..setting.seeds {
            if journal.stopped() {
                return Ok(None);
            }
            match self.direction(&setting.solver(asked.metric, asked.damping, seed, begun.scale)) {
                Ok(run) => runs.push(run),
                Err(ExperimentError::Direction(error)) => {
                    let name = setting.estimator.name();
                    left_out = Some(format!("{name} with {:?} probes: {error}", setting.probes));
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        let quartiles = (!runs.is_empty()).then(|| self.quartiles(&begun.reference, &runs).map(Quartiles::bits));
        Ok(Some(Case { metric: asked.metric.name().into(), number, quartiles, left_out }))
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

/// Puts a case into the study of its metric.
fn enter(found: &mut MetricStudy, Setting { estimator, probes, tolerance, .. }: Setting, case: Case) {
    found.left_out.extend(case.left_out);
    let Some(quartiles) = case.quartiles else { return };
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
    if journal.concludes() {
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
