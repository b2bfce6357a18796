//! Figures of estimates: side by side, what the answer does beside the data, what it leaves of them.

use std::path::Path;

use wngd::identify::{Answer, moment_residuals, simulate, step_residuals, time_scale};
use wngd_figures::{
    Figure, Forest, ForestPanel, MomentResiduals, NullDirections, StepPanel, StepResiduals, Stretch, Trajectories,
};

use super::job::Job;
use crate::error::ExperimentError;
use crate::results::IdentifyFile;
use crate::results::identify::EstimateEntry;

/// Time scales of the trajectory drawn on a pair of axes, and against time.
const LONG: f64 = 250.0;
const SHORT: f64 = 80.0;
/// Points closer than this many time scales are joined by lines.
const JOINED: f64 = 0.5;
/// Time scales between drawn points of a simulation.
const FINE: f64 = 0.1;
/// Most points in no order.
const POINTS: usize = 3000;
/// Most residuals of steps.
const STEPS: usize = 1500;

/// Draws into a folder; a fit of the density has drawn paths of its own.
pub(super) fn draw(
    job: &Job,
    found: &Answer,
    file: &IdentifyFile,
    folder: &Path,
    with_paths: bool,
) -> Result<(), ExperimentError> {
    forest(file).save(folder)?;
    // At parameters that cannot be simulated, or of variables that nobody measured, there is nothing to compare.
    if with_paths && let Some(stretches) = stretches(job, &found.estimate().theta) {
        stretches.save(folder)?;
    }
    let (chosen, names) = (found.estimate(), &file.result.names);
    if !chosen.undetermined.is_empty() {
        let directions = chosen.undetermined.iter().map(|u| u.direction.clone()).collect();
        NullDirections { names: names.clone(), directions, title: String::new() }.save(folder)?;
    }
    if let Some(steps) = steps(job, &chosen.theta) {
        steps.save(folder)?;
    }
    // Noise of the observations adds to moments what nothing here takes off.
    if chosen.noise.iter().all(|n| *n == 0.0)
        && let Some(values) = moment_residuals(&job.dynamics, &job.sample, &chosen.theta)
    {
        MomentResiduals { values, title: String::new() }.save(folder)?;
    }
    Ok(())
}

fn forest(file: &IdentifyFile) -> Forest {
    let value = |j: usize| {
        let one = |estimate: &EstimateEntry| {
            let error = estimate.standard_errors.as_ref().and_then(|errors| errors.get(j).copied().flatten());
            (estimate.theta[j], error)
        };
        file.estimates.iter().map(one).collect()
    };
    let names = file.result.names.iter().enumerate();
    Forest {
        labels: file.estimates.iter().map(|estimate| estimate.estimator.clone()).collect(),
        answer: file.estimates.iter().position(|estimate| estimate.estimator == file.answer).unwrap_or(0),
        panels: names.map(|(j, name)| ForestPanel { name: name.clone(), values: value(j) }).collect(),
        title: String::new(),
    }
}

/// Residuals of steps by the flow at the answer, where there are any.
fn steps(job: &Job, theta: &[f64]) -> Option<StepResiduals> {
    let (dynamics, d) = (&job.dynamics, job.dynamics.dim());
    let found = step_residuals(dynamics, &job.sample, theta, STEPS)?;
    let dt = job.sample.dt()?;
    let panel = |axis: usize| StepPanel {
        name: dynamics.variables()[axis].clone(),
        values: found.values.iter().skip(axis).step_by(d).copied().collect(),
        unit: format!("of the scatter of {}", dynamics.variables()[axis]),
    };
    Some(StepResiduals {
        times: found.from.iter().map(|i| *i as f64 * dt).collect(),
        panels: (0..d).map(panel).collect(),
        title: String::new(),
    })
}

/// Data beside a simulation from the same point: a stretch of it where there is an order, points otherwise.
fn stretches(job: &Job, theta: &[f64]) -> Option<Trajectories> {
    let (dynamics, points) = (&job.dynamics, job.sample.points());
    let d = dynamics.dim();
    let mean = vec![0.0; d];
    if d < 2 || points.len() / d != job.sample.count() || dynamics.diffusion_at(&mean, theta).is_some() {
        return None;
    }
    let full = dynamics.theta_full(theta);
    let scale = time_scale(dynamics.field(), &full, points);
    let shown = [0, d.min(3) - 1];
    let stretch = |points: &[f64], dt: f64, joined: bool| Stretch {
        times: (0..points.len() / d).map(|i| i as f64 * dt).collect(),
        points: points.chunks_exact(d).map(|point| shown.map(|axis| point[axis])).collect(),
        joined,
    };
    let start = &points[..d];
    let names = shown.map(|axis| dynamics.variables()[axis].clone());
    let Some(dt) = job.sample.dt() else {
        let count = job.sample.count().min(POINTS);
        let stride = job.sample.count() / count;
        let some: Vec<f64> = points.chunks_exact(d).step_by(stride).take(count).flatten().copied().collect();
        let path = simulate(dynamics.field(), &full, start, scale, count, 20.0 * scale).ok()?;
        let (data, fit) = (stretch(&some, scale, false), stretch(&path, scale, false));
        return Some(Trajectories { names, data, fit, until: 0.0, title: String::new() });
    };
    let count = ((LONG * scale / dt) as usize).clamp(2, job.sample.count());
    let fine = dt.min(FINE * scale);
    let mut path = start.to_vec();
    path.extend(simulate(dynamics.field(), &full, start, fine, (count as f64 * dt / fine) as usize, 0.0).ok()?);
    Some(Trajectories {
        names,
        data: stretch(&points[..count * d], dt, dt < JOINED * scale),
        fit: stretch(&path, fine, true),
        until: (SHORT * scale).min(count as f64 * dt),
        title: String::new(),
    })
}
