//! Estimates side by side as `result.json` has them.

use std::path::Path;

use wngd::identify::{Answer, Estimate, Verdict};

use super::job::{DENSITY, Job};
use crate::checkpoint::Journal;
use crate::error::ExperimentError;
use crate::facts::{Fact, NAMES, listed};
use crate::files;
use crate::numbers::finite;
use crate::results::identify::{EstimateEntry, MisfitEntry, NoiseEntry, UndeterminedEntry};
use crate::results::{IdentifyFile, MethodResult, ResultFile};

/// Writes the trace of the answer and makes the file of results.
pub(super) fn summarise(
    job: &Job,
    found: &Answer,
    fitted: Option<(IdentifyFile, bool)>,
    journal: &Journal,
    folder: &Path,
) -> Result<IdentifyFile, ExperimentError> {
    let names = job.dynamics.names();
    let chosen = found.estimate();
    let trace = format!("trace-{}.csv", chosen.estimator);
    files::write_file(&folder.join(&trace), |w| {
        writeln!(w, "iteration,objective,gradient_norm,slope,step,seconds,{}", names.join(","))?;
        for (iteration, (theta, objective)) in chosen.trace.iter().enumerate() {
            let seconds = if iteration == 0 { 0.0 } else { chosen.seconds };
            write!(w, "{iteration},{objective:?},NaN,NaN,NaN,{seconds:?}")?;
            theta.iter().try_for_each(|value| write!(w, ",{value:?}"))?;
            writeln!(w)?;
        }
        Ok(())
    })?;
    if fitted.is_none() {
        let mut record = journal.record.clone();
        record.model.push(Fact::new("free parameters", listed(&names, NAMES)));
        if let Some(question) = &job.question {
            record.seeds.push(Fact::new("test functions", question.seed.to_string()));
        }
        record.data.push(Fact::new("points", job.count().to_string()));
        record.write(folder)?;
    }
    let fits = found.verdict == Verdict::Fits;
    let method = MethodResult {
        label: chosen.estimator.into(),
        metric: chosen.estimator.into(),
        status: if fits { "converged" } else { "stalled" }.into(),
        reason: (!fits).then(|| found.remarks[0].clone()),
        iterations: chosen.trace.len().saturating_sub(1),
        objective0: chosen.trace.first().map_or(0.0, |row| row.1),
        objective: chosen.trace.last().and_then(|row| finite(row.1)),
        theta: chosen.theta.clone(),
        standard_errors: errors(chosen),
        standard_errors_note: Some(note(chosen).into()),
        covariance: covariance(chosen),
        goodness_of_fit: None,
        log_likelihood: None,
        aic: None,
        bic: None,
        remarks: chosen.remarks.clone(),
        capped: None,
        error: None,
        rank: names.len() - chosen.undetermined.len(),
        condition: None,
        solves: 0,
        solver_note: None,
        seconds: chosen.seconds,
        trace,
        density: None,
    };
    let result = ResultFile {
        columns: None,
        name: job.name.clone(),
        names: names.clone(),
        theta0: job.dynamics.start(),
        objective: "misfit".into(),
        truth: None,
        notes: found.remarks.clone(),
        best: None,
        methods: vec![method],
    };
    let mut estimates: Vec<EstimateEntry> = found.estimates.iter().map(entry).collect();
    let mut identification = None;
    if let Some((file, good)) = fitted {
        estimates.push(density_entry(&file, good));
        identification = file.identification;
    }
    let undetermined = chosen.undetermined.iter().map(|u| UndeterminedEntry {
        direction: names.iter().cloned().zip(u.direction.iter().copied()).filter(|(_, d)| *d != 0.0).collect(),
        text: u.text.clone(),
    });
    Ok(IdentifyFile {
        result,
        estimates,
        answer: chosen.estimator.into(),
        verdict: found.verdict.name().into(),
        undetermined: undetermined.collect(),
        noise: Some(NoiseEntry { share: found.noise_share.clone(), estimated: found.noise_estimated }),
        diffusion: found.diffusion.clone(),
        identification,
    })
}

/// The file of a fit of the density alone.
pub(super) fn of_density(file: IdentifyFile, good: bool) -> IdentifyFile {
    let verdict = if good { Verdict::Fits } else { Verdict::NotConverged };
    let entry = density_entry(&file, good);
    IdentifyFile { estimates: vec![entry], answer: DENSITY.into(), verdict: verdict.name().into(), ..file }
}

fn density_entry(file: &IdentifyFile, good: bool) -> EstimateEntry {
    let method = &file.result.methods[0];
    let mut remarks =
        vec!["without a test of the misfit: what a grid leaves is not told from what the model leaves".into()];
    if !good {
        remarks.extend(method.reason.clone());
    }
    let errors = method.standard_errors.clone();
    EstimateEntry {
        estimator: DENSITY.into(),
        theta: method.theta.clone(),
        standard_errors: errors,
        misfit: None,
        seconds: method.seconds,
        remarks,
    }
}

/// Errors of an estimate that came to rest.
fn errors(estimate: &Estimate) -> Option<Vec<Option<f64>>> {
    estimate.standard_errors.clone().filter(|_| estimate.converged)
}

/// Covariance of an estimate that came to rest and left nothing undetermined, row by row.
fn covariance(estimate: &Estimate) -> Option<Vec<Vec<f64>>> {
    let all = estimate.covariance.as_ref().filter(|_| estimate.converged)?;
    Some(all.chunks_exact(estimate.theta.len()).map(<[f64]>::to_vec).collect())
}

fn note(estimate: &Estimate) -> &'static str {
    match (errors(estimate), estimate.estimator) {
        (None, _) => "no standard errors: the estimate did not come to rest, or nothing determines it",
        (Some(_), "shooting") => "from the scatter of the residuals of steps",
        (Some(_), "smoother") => "from the information on the parameters, the path taken out of it",
        (Some(_), "weak-in-time") => "from the scatter of the equations between windows",
        (Some(_), "simulated-moments") => "from the scatter of the moments, of data and simulations",
        (Some(_), _) => "from the scatter of the equations between blocks of the data",
    }
}

fn entry(estimate: &Estimate) -> EstimateEntry {
    EstimateEntry {
        estimator: estimate.estimator.into(),
        theta: estimate.theta.clone(),
        standard_errors: errors(estimate),
        misfit: estimate.misfit.map(|m| MisfitEntry {
            statistic: m.statistic,
            degrees_of_freedom: m.degrees_of_freedom,
            p_value: m.p_value,
        }),
        seconds: estimate.seconds,
        remarks: estimate.objections.iter().chain(&estimate.remarks).cloned().collect(),
    }
}
