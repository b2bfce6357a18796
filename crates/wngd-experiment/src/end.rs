//! What may be said of the end of a descent: errors where they mean something, goodness of fit, and why something is
//! missing.

use wngd::linalg::faer::Mat;
use wngd::opt::{
    GoodnessOfFit, LinearMap, Outcome, Sampled, Status, Uncertainty, UncertaintyError, goodness_of_fit, uncertainty,
};

use crate::data::{Cells, Counts, Noise};
use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::numbers::short;

/// Ratio of errors that count the misfit to those that do not, from which on it is said.
const DIFFERENT: f64 = 1.2;
/// p-value below which a model does not describe the data.
const MISFIT: f64 = 1e-3;

/// What is said of an end.
#[derive(Debug, Clone, Default)]
pub struct End {
    /// Standard errors; `None` for all, or for a parameter.
    pub standard_errors: Option<Vec<Option<f64>>>,
    /// Their covariance, where all are known.
    pub covariance: Option<Vec<Vec<f64>>>,
    /// Pearson's test, for counted data.
    pub goodness_of_fit: Option<GoodnessOfFit>,
    /// ln of the likelihood of the samples.
    pub log_likelihood: Option<f64>,
    /// Number of samples behind it.
    pub samples: Option<f64>,
    /// Sentences.
    pub remarks: Vec<String>,
}

impl End {
    /// Of a descent.
    pub fn of(experiment: &Experiment, outcome: &Outcome) -> Self {
        let mut end = Self::default();
        end.remarks.extend(experiment.constraints.iter().cloned());
        end.bounds(experiment, outcome);
        if let Noise::Independent(counts) = &experiment.data.noise {
            end.likelihood(experiment, outcome, counts);
        }
        if let Err(error) = end.errors(experiment, outcome) {
            end.remarks.push(format!("no standard errors: {error}"));
        }
        if let Ok(found) = experiment.model.remarks(&outcome.last().theta) {
            end.remarks.extend(found.into_iter().filter(|remark| !experiment.data.notes.contains(remark)));
        }
        end
    }

    fn bounds(&mut self, experiment: &Experiment, outcome: &Outcome) {
        let theta = &outcome.last().theta;
        let met = experiment.model.bounds().into_iter().filter(|b| b.is_met(theta));
        let mut at: Vec<(String, f64)> = Vec::new();
        for bound in met {
            // A bound of several leaves one of them nothing.
            let end = if let [(j, _)] = bound.terms[..] { theta[j] } else { 0.0 };
            if !at.iter().any(|(name, other)| *name == bound.name && *other == end) {
                at.push((bound.name, end));
            }
        }
        let all_zero = at.iter().all(|(_, end)| *end == 0.0);
        match &at[..] {
            [] => {}
            [(name, end)] => self.remarks.push(format!("{name} is at its bound, {}", short(*end))),
            more if all_zero => {
                let names: Vec<&str> = more.iter().map(|(name, _)| name.as_str()).collect();
                self.remarks.push(format!("{} are at their bound, 0", names.join(", ")));
            }
            more => {
                let each = more.iter().map(|(name, end)| format!("{name} ({})", short(*end)));
                self.remarks.push(format!("at their bounds: {}", each.collect::<Vec<_>>().join(", ")));
            }
        }
    }

    fn errors(&mut self, experiment: &Experiment, outcome: &Outcome) -> Result<(), ExperimentError> {
        let (model, objective) = (&experiment.model, experiment.objective.as_ref());
        let theta = &outcome.last().theta;
        let noise = match &experiment.data.noise {
            Noise::Unknown => return Ok(()),
            noise => noise,
        };
        if !matches!(outcome.status, Status::Converged(_)) {
            self.remarks.push(format!("no standard errors: the end is not a minimum ({})", outcome.status.name()));
            return Ok(());
        }
        match (noise, experiment.ground.maybe_grid()) {
            (Noise::Independent(counts), _) => {
                let transpose = counts.smoothing.as_ref().map(|s| move |values: &mut [f64]| s.apply_transpose(values));
                let sampled = Sampled {
                    density: &counts.density,
                    number: counts.number,
                    transpose: transpose.as_ref().map(|t| t as &LinearMap<'_>),
                    poisson: experiment.model.unit().is_some(),
                };
                match uncertainty(model, objective, theta, &sampled) {
                    Ok(found) => self.take(experiment, outcome, &found),
                    Err(UncertaintyError::Saddle) => {
                        self.remarks.push(format!("no standard errors: {}", UncertaintyError::Saddle));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            (Noise::Trajectory { points, view }, Some(grid)) => {
                let found = view.covariance_at(grid, points, model, objective, theta)?;
                let errors = wngd::opt::standard_errors(&found.covariance);
                self.standard_errors = Some(errors.into_iter().map(Some).collect());
                self.covariance = Some(rows(&found.covariance));
                self.remarks.push(if found.settled {
                    format!("standard errors from the scatter between {} stretches of the trajectory", found.stretches)
                } else {
                    format!(
                        "neighbours of {} stretches of the trajectory still depend on each other: it is too short for its \
                         slowest motion, and standard errors are larger than these",
                        found.stretches
                    )
                });
            }
            (Noise::Trajectory { .. } | Noise::Unknown, _) => {}
        }
        Ok(())
    }

    /// Takes up errors where they mean something.
    fn take(&mut self, experiment: &Experiment, outcome: &Outcome, found: &Uncertainty) {
        let names = experiment.names();
        let (first, last) = (&outcome.trace[0].theta, &outcome.last().theta);
        let ranges: Vec<f64> = experiment.model.parameters().iter().map(|p| p.range[1] - p.range[0]).collect();
        let mut errors = found.standard_errors.clone();
        let mut without = |why: &str, which: &dyn Fn(usize, f64) -> bool| {
            let chosen: Vec<usize> = (0..names.len()).filter(|&j| errors[j].is_some_and(|e| which(j, e))).collect();
            chosen.iter().for_each(|&j| errors[j] = None);
            let named: Vec<&str> = chosen.iter().map(|&j| names[j].as_str()).collect();
            (!named.is_empty()).then(|| format!("no standard error for {}: {why}", named.join(", ")))
        };
        let moved = outcome.last().iteration > 0;
        let still = without("it did not move from its start", &|j, _| moved && first[j] == last[j]);
        let wide = without("it would be wider than the range in which the parameter makes sense", &|j, e| {
            // Data that say nothing scatter nothing either: what the model says of itself counts, too.
            let most = found.if_right[j].map_or(e, |right| e.max(right));
            !(most <= ranges[j].max(last[j].abs()))
        });
        let missing: Vec<&str> = (0..names.len())
            .filter(|&j| found.standard_errors[j].is_none() && !found.bounded.contains(&j))
            .map(|j| names[j].as_str())
            .collect();
        if !missing.is_empty() {
            self.remarks.push(format!("the data do not determine {}: no standard error", missing.join(", ")));
        }
        self.remarks.extend(still);
        self.remarks.extend(wide);
        if found.gauss_newton && errors.iter().any(Option::is_some) {
            self.remarks.push(
                "the curvature is too close to singular for differences; standard errors take the Gauss–Newton one"
                    .into(),
            );
        }
        let ratios = errors.iter().zip(&found.if_right).filter_map(|(a, b)| Some((*a)? / (*b)?));
        let (least, most) = ratios.fold((f64::INFINITY, 0.0f64), |(a, b), r| (a.min(r), b.max(r)));
        if most > DIFFERENT || least < 1.0 / DIFFERENT {
            let (ratio, word) = if most * least > 1.0 { (most, "larger") } else { (1.0 / least, "smaller") };
            self.remarks.push(format!(
                "standard errors count the misfit between model and data: up to {ratio:.1} times {word} than if the model were right"
            ));
        }
        if errors.iter().all(Option::is_some) {
            self.covariance = Some(rows(&found.covariance));
        }
        if errors.iter().any(Option::is_some) {
            self.standard_errors = Some(errors);
        }
    }

    fn likelihood(&mut self, experiment: &Experiment, outcome: &Outcome, counts: &Counts) {
        let Some(grid) = experiment.ground.maybe_grid() else { return };
        if counts.smoothing.is_some() {
            self.remarks.push("no goodness of fit: a kernel estimate has no counts to test".into());
            return;
        }
        let volume = grid.cell_volume();
        let state = &outcome.state;
        let log = |i: usize| state.log_values.as_ref().map_or_else(|| state.values[i].ln(), |logs| logs[i]);
        let sum: f64 = (0..grid.len()).filter(|&i| counts.density[i] > 0.0).map(|i| counts.density[i] * log(i)).sum();
        let total = counts.number * volume * sum;
        if total.is_finite() {
            self.log_likelihood = Some(total);
            self.samples = Some(counts.number);
        }
        let share = |values: &[f64]| values.iter().map(|v| v * volume).collect::<Vec<f64>>();
        let mut expected = share(&state.values);
        if experiment.data.cells == (Cells::Counted { cut: true }) {
            // Rounding of a mass of 1 is no cell outside.
            let inside: f64 = expected.iter().sum();
            expected.iter_mut().for_each(|v| *v /= inside);
        }
        // A fitted total is no parameter of the shares.
        let parameters = experiment.theta0.len() - usize::from(experiment.model.unit().is_some());
        self.goodness_of_fit =
            goodness_of_fit(&share(&counts.density), &expected, grid.cells(), counts.number, parameters);
        match &self.goodness_of_fit {
            Some(test) if test.p_value < MISFIT => self.remarks.push(format!(
                "the model does not describe the data: χ² = {} on {} degrees of freedom, p: {}",
                short(test.statistic),
                test.degrees_of_freedom,
                if test.p_value < 1e-300 { "less than 1e-300".into() } else { format!("{:.1e}", test.p_value) }
            )),
            Some(_) => {}
            None => self.remarks.push(
                "no goodness of fit: cells with at least 5 expected counts are no more than the parameters; give more data or cells".into(),
            ),
        }
    }
}

fn rows(matrix: &Mat<f64>) -> Vec<Vec<f64>> {
    (0..matrix.nrows()).map(|i| (0..matrix.ncols()).map(|j| matrix[(i, j)]).collect()).collect()
}

/// The model's first-order errors at θ, by which it is told whether a step is none.
pub fn quick_errors(experiment: &Experiment, theta: &[f64]) -> Option<Vec<f64>> {
    let Noise::Independent(counts) = &experiment.data.noise else { return None };
    let objective = experiment.objective.as_ref();
    let covariance =
        wngd::opt::sampling_covariance(&experiment.model, objective, theta, counts.number.round() as usize).ok()?;
    Some(wngd::opt::standard_errors(&covariance))
}
