//! `wngd toys`: data made by the model at known parameters, fitted again many times: pulls and coverage.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use rand::SeedableRng;
use rand_distr::{Binomial, Distribution, Poisson};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};
use wngd::opt::{Iteration, Sampled, Status, uncertainty};
use wngd_figures::{Figure, PullPanel, Pulls};

use crate::best::{best_fit, counts};
use crate::checkpoint::{Bits, Journal, Unit};
use crate::data::Noise;
use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::numbers::{finite, short};
use crate::results::{PullEntry, StatusCount, ToyEntry, ToysFile};
use crate::{files, report};

/// Most toys.
const MOST: usize = 10_000_000;
/// Relative step at which a fit stands, far below any standard error.
const SETTLED_STEP: f64 = 1e-7;
/// Most counts of a toy.
const MOST_COUNTS: f64 = 1e15;
/// Mass outside of the box that is told.
const OUTSIDE: f64 = 1e-3;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Number of toys.
    pub count: usize,
    /// Seed: toy i draws from a stream of its own, keyed by seed and i.
    pub seed: u64,
    /// Counts per toy, if not as many as the data have.
    pub number: Option<f64>,
}

/// How the fit of a toy ended.
#[derive(Serialize, Deserialize)]
struct Toy {
    index: usize,
    theta: Option<Vec<Bits>>,
    errors: Option<Vec<Option<Bits>>>,
    objective: Bits,
    iterations: usize,
    status: String,
}

impl Unit for Toy {
    const KIND: &'static str = "toy";
}

/// What toys are made of.
pub struct Plan {
    settings: Settings,
    number: f64,
    /// Counts that a model with yields measures its mass by.
    unit: f64,
    poisson: bool,
    /// Where the truth is from.
    from: &'static str,
    truth: Vec<f64>,
    /// Shares of the cells.
    shares: Vec<f64>,
    remarks: Vec<String>,
}

impl Plan {
    /// Toys from the best fit of an experiment, or from the truth behind its data where that is known.
    ///
    /// # Errors
    /// Numbers that make no sense, data without counts where no number is given, no minimum.
    pub fn new(experiment: &Experiment, settings: Settings) -> Result<Self, ExperimentError> {
        let option = |option: &str, problem: String| ExperimentError::Option { option: option.into(), problem };
        if settings.count == 0 || settings.count > MOST {
            return Err(option("--count", format!("{} toys; between 1 and {MOST} are possible", settings.count)));
        }
        let Some(grid) = experiment.ground.maybe_grid().filter(|grid| grid.len() == experiment.model.dim_state())
        else {
            return Err(option("toys", "the model has no density on a grid, so that nothing can be counted".into()));
        };
        let known = matches!(experiment.data.noise, Noise::Unknown).then(|| experiment.data.truth.clone()).flatten();
        let extended = experiment.model.unit();
        if extended.is_some() && settings.number.is_some() {
            return Err(option("--number", "the model's yields say how many counts a toy has; leave it out".into()));
        }
        let number = match (extended.or(settings.number), counts(experiment)) {
            (Some(number), _) => number,
            (None, Ok(counts)) => counts.number,
            (None, Err(why)) => return Err(option("--number", format!("{why}, or say how many counts a toy has"))),
        };
        if !(1.0..=MOST_COUNTS).contains(&number) {
            return Err(option(
                "--number",
                format!("{number:?} counts per toy; between 1 and {MOST_COUNTS:e} are possible"),
            ));
        }
        let (from, truth) = match known {
            Some(truth) => ("truth", truth),
            None => ("best fit", best_fit(experiment)?.last().theta.clone()),
        };
        let state = experiment.model.state(&truth)?;
        let volume = grid.cell_volume();
        let mass: f64 = state.values.iter().map(|v| v.max(0.0) * volume).sum();
        let mut remarks = experiment.constraints.clone();
        let poisson = extended.is_some();
        if !poisson && (mass - 1.0).abs() > OUTSIDE {
            remarks
                .push(format!("{} of the model's mass is in the box; toys are drawn from what is there", short(mass)));
        }
        if !experiment.model.priors().is_empty() {
            remarks.push("priors stay where they are while the data scatter, so that pulls are narrower than 1".into());
        }
        let shares = state.values.iter().map(|v| v.max(0.0) * volume / mass).collect();
        let (unit, number) = (number, if poisson { number * mass } else { number.round() });
        Ok(Self { settings, number, unit, poisson, from, truth, shares, remarks })
    }

    /// Number of toys.
    pub fn len(&self) -> usize {
        self.settings.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.settings.count == 0
    }

    /// Counts of a toy, by its index alone.
    fn draw(&self, index: usize) -> Vec<f64> {
        // Hashed into the state: first draws of neighbouring states would not be independent.
        let key = self.settings.seed.wrapping_add((index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut rng = Pcg64::seed_from_u64(key);
        let mut left = self.number as u64;
        if self.poisson {
            left = Poisson::new(self.number).map_or(left, |law| law.sample(&mut rng) as u64);
        }
        let mut rest: f64 = 1.0;
        let last = self.shares.len() - 1;
        // A cell after the other, each binomial given those before.
        let cell = |(i, share): (usize, &f64)| {
            let chance = if i == last { 1.0 } else { (share / rest).clamp(0.0, 1.0) };
            rest = (rest - share).max(0.0);
            let drawn = Binomial::new(left, chance).map_or(0, |law| law.sample(&mut rng));
            left -= drawn;
            drawn as f64
        };
        self.shares.iter().enumerate().map(cell).collect()
    }
}

/// Makes and fits all toys and writes `toys.json`, the figure and the report; nothing is returned if it was told to stop.
/// `done` is told of finished toys, those that a checkpoint had at once.
///
/// # Errors
/// What cannot be written.
pub fn toys(
    experiment: &Experiment,
    plan: &Plan,
    journal: &Journal,
    folder: &Path,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Option<ToysFile>, ExperimentError> {
    let clock = Instant::now();
    if journal.concludes() {
        journal.record.write(folder)?;
    }
    let mut toys: BTreeMap<usize, Toy> = journal.kept()?.into_iter().map(|toy: Toy| (toy.index, toy)).collect();
    toys.retain(|index, _| *index < plan.len());
    done(toys.len());
    let left = (0..plan.len()).filter(|index| !toys.contains_key(index)).collect();
    let found = journal.each(left, done, |index| {
        let toy = fit(experiment, plan, index, journal);
        experiment.intact()?;
        Ok(toy)
    })?;
    toys.extend(found.into_iter().map(|toy| (toy.index, toy)));
    journal.check()?;
    if !journal.concludes() || toys.len() < plan.len() {
        return Ok(None);
    }
    let file = summarise(experiment, plan, toys.into_values().collect(), clock.elapsed().as_secs_f64());
    if journal.record.figures && file.parameters.iter().any(|entry| entry.count > 0) {
        picture(&file).save(folder)?;
    }
    files::write_json(&folder.join("toys.json"), &file)?;
    report::write(folder)?;
    Ok(Some(file))
}

/// One toy; none if it was told to stop.
fn fit(experiment: &Experiment, plan: &Plan, index: usize, journal: &Journal) -> Option<Toy> {
    if journal.stopped() {
        return None;
    }
    let failed = |status: String| {
        Some(Toy { index, theta: None, errors: None, objective: Bits(f64::NAN), iterations: 0, status })
    };
    let counts = plan.draw(index);
    let total: f64 = counts.iter().sum();
    let volume = experiment.ground.maybe_grid().map_or(1.0, wngd::prelude::Grid::cell_volume);
    // A model with yields is fitted in units of its own, so that the total is free.
    let unit = if plan.poisson { plan.unit } else { total };
    let density: Vec<f64> = counts.iter().map(|n| n / (unit * volume)).collect();
    let objective = match experiment.objective_for(density.clone()) {
        Ok(objective) => objective,
        Err(error) => return failed(error.to_string()),
    };
    let mut observer =
        |_: &Iteration| if journal.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let mut descent = experiment.descent_on(0, objective.as_ref());
    descent.stop.relative_step = descent.stop.relative_step.max(SETTLED_STEP);
    let mut rule = experiment.methods[0].step_rule();
    match descent.run_with(&plan.truth, rule.as_mut(), &mut observer) {
        Ok(outcome) if outcome.status == Status::StoppedByObserver => None,
        Ok(outcome) => {
            let last = outcome.last();
            let sampled = Sampled { density: &density, number: unit, transpose: None, poisson: plan.poisson };
            let errors = match outcome.status {
                Status::Converged(_) => uncertainty(&experiment.model, objective.as_ref(), &last.theta, &sampled).ok(),
                _ => None,
            };
            Some(Toy {
                index,
                theta: Some(Bits::of(&last.theta)),
                errors: errors.map(|found| found.standard_errors.into_iter().map(|e| e.map(Bits)).collect()),
                objective: Bits(last.objective),
                iterations: last.iteration,
                status: outcome.status.name().to_string(),
            })
        }
        Err(error) => failed(error.to_string()),
    }
}

/// Mean and standard deviation; none for fewer than two.
fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    (values.len() > 1).then(|| {
        let mean = values.iter().sum::<f64>() / n;
        (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
    })
}

/// Pulls of a parameter.
fn pulls(toys: &[ToyEntry], j: usize, truth: f64) -> Vec<f64> {
    let counted = toys.iter().filter(|toy| toy.status == "converged");
    let pull = |toy: &ToyEntry| {
        let error = toy.standard_errors.as_ref()?[j]?;
        Some((toy.theta.as_ref()?[j] - truth) / error).filter(|pull| pull.is_finite())
    };
    counted.filter_map(pull).collect()
}

fn summarise(experiment: &Experiment, plan: &Plan, toys: Vec<Toy>, seconds: f64) -> ToysFile {
    let names = experiment.names();
    let toys: Vec<ToyEntry> = toys
        .into_iter()
        .map(|toy| ToyEntry {
            theta: toy.theta.as_deref().map(Bits::numbers),
            standard_errors: toy.errors.map(|errors| errors.into_iter().map(|e| e.map(|e| e.0)).collect()),
            objective: finite(toy.objective.0),
            iterations: toy.iterations,
            status: toy.status,
        })
        .collect();
    let mut statuses: Vec<StatusCount> = Vec::new();
    for toy in &toys {
        match statuses.iter_mut().find(|known| known.status == toy.status) {
            Some(known) => known.count += 1,
            None => statuses.push(StatusCount { status: toy.status.clone(), count: 1 }),
        }
    }
    statuses.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.status.cmp(&b.status)));
    let converged: Vec<&ToyEntry> = toys.iter().filter(|toy| toy.status == "converged").collect();
    let mut remarks = plan.remarks.clone();
    if converged.len() < toys.len() {
        remarks.push(format!(
            "{} of {} toys did not converge and do not count",
            toys.len() - converged.len(),
            toys.len()
        ));
    }
    let parameters = names.iter().enumerate().map(|(j, name)| {
        let pulls = pulls(&toys, j, plan.truth[j]);
        if pulls.len() < converged.len() {
            let missing = converged.len() - pulls.len();
            remarks.push(format!("{missing} converged toys have no standard error of {name}, at a bound for example"));
        }
        let values: Vec<f64> = converged.iter().filter_map(|toy| Some(toy.theta.as_ref()?[j])).collect();
        let errors: Vec<f64> = converged.iter().filter_map(|toy| toy.standard_errors.as_ref()?[j]).collect();
        let (estimates, found, n) = (moments(&values), moments(&pulls), pulls.len() as f64);
        let within = |reach: f64| {
            (!pulls.is_empty()).then(|| pulls.iter().filter(|pull| pull.abs() <= reach).count() as f64 / n)
        };
        PullEntry {
            parameter: name.clone(),
            count: pulls.len(),
            bias: estimates.map(|(mean, _)| mean - plan.truth[j]),
            scatter: estimates.map(|(_, deviation)| deviation),
            mean_standard_error: moments(&errors).map(|(mean, _)| mean),
            pull_mean: found.map(|(mean, _)| mean),
            pull_mean_error: found.map(|(_, width)| width / n.sqrt()),
            pull_width: found.map(|(_, width)| width),
            pull_width_error: found.map(|(_, width)| width / (2.0 * (n - 1.0)).sqrt()),
            coverage_1: within(1.0),
            coverage_2: within(2.0),
        }
    });
    let parameters = parameters.collect();
    ToysFile {
        name: experiment.name.clone(),
        names,
        truth: plan.truth.clone(),
        from: plan.from.into(),
        number: plan.number,
        poisson: plan.poisson,
        count: plan.settings.count,
        seed: plan.settings.seed,
        method: experiment.methods[0].label.clone(),
        parameters,
        statuses,
        toys,
        remarks,
        seconds,
    }
}

fn picture(file: &ToysFile) -> Pulls {
    let panels = file.parameters.iter().enumerate().filter(|(_, entry)| entry.count > 0).map(|(j, entry)| PullPanel {
        name: entry.parameter.clone(),
        pulls: pulls(&file.toys, j, file.truth[j]),
        words: format!(
            "mean {:.3}, width {:.3}",
            entry.pull_mean.unwrap_or(f64::NAN),
            entry.pull_width.unwrap_or(f64::NAN)
        )
        .replace('-', "−"),
    });
    Pulls { panels: panels.collect(), title: String::new() }
}
