//! Gauss–Newton on the difference of moments.

use super::features::Features;
use super::jacobian::{Column, Local};
use super::moments::Moments;
use super::replicates::Replicates;
use crate::error::IdentifyError;

/// Share of a parameter between simulations of a difference: at first, least and most.
const APART: f64 = 0.1;
const NEAREST: f64 = 0.005;
const FARTHEST: f64 = 0.2;
/// The same in standard errors.
const ERRORS: f64 = 10.0;
/// Most that a parameter changes in one step, in its unit.
pub(super) const LONGEST: f64 = 0.3;
/// Tries of a step.
const TRIES: usize = 6;
/// Scatter of the value beyond what it is on average that a step may end with.
const SLACK: f64 = 4.0;

/// How long simulations of a stage are, and when it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage {
    /// Points of a replicate.
    pub(super) count: usize,
    /// Points of a stretch.
    pub(super) length: usize,
    /// Stretches of a window.
    pub(super) span: usize,
    /// Replicates at the parameters, and at either side of them.
    pub(super) centre: usize,
    pub(super) sides: usize,
    /// Most steps.
    pub(super) steps: usize,
    /// Square of a step in standard errors, per unknown, that ends it.
    pub(super) still: f64,
}

/// The iteration under way.
pub(super) struct Search<'a> {
    pub(super) replicates: Replicates<'a>,
    pub(super) features: Features,
    pub(super) data: Moments,
    pub(super) theta: Vec<f64>,
    /// Unit of each parameter.
    pub(super) units: Vec<f64>,
    /// Variance of the noise of each column.
    pub(super) noise: Vec<f64>,
    /// Unit of these variances where they are to be found.
    pub(super) noise_units: Option<Vec<f64>>,
    /// Half of the difference that slopes are taken over, in units.
    pub(super) apart: Vec<f64>,
}

impl<'a> Search<'a> {
    pub(super) fn new(replicates: Replicates<'a>, features: Features, data: Moments, theta: Vec<f64>) -> Self {
        let units: Vec<f64> = theta.iter().map(|t| if *t == 0.0 { 1.0 } else { t.abs() }).collect();
        let (apart, columns) = (vec![APART; theta.len()], replicates.which.len());
        Self { replicates, features, data, theta, units, noise: vec![0.0; columns], noise_units: None, apart }
    }

    /// Steps until the parameters stand still; the problem about the end and whether it came to rest.
    ///
    /// # Errors
    /// Simulations that leave every bound at the start.
    pub(super) fn run(&mut self, stage: Stage) -> Result<(Local, bool), IdentifyError> {
        let mut local = self.local(stage)?;
        for _ in 0..stage.steps {
            let (step, square) = local.step();
            let p = self.theta.len();
            let unknowns = step.len() as f64;
            let far = step[..p].iter().fold(0.0, |most: f64, s| most.max(s.abs()));
            // What is not seen may be over longer differences.
            let hidden = local.blind.iter().any(|v| v[..p].iter().any(|x| x.abs() > 0.1));
            if hidden && square <= stage.still * unknowns && self.apart.iter().any(|h| *h < FARTHEST) {
                self.adapt(&local);
                local = self.local(stage)?;
                continue;
            }
            let near = step[..p].iter().zip(&self.apart).all(|(s, h)| s.abs() <= 2.0 * h);
            if square <= stage.still * unknowns && near {
                return Ok((local, true));
            }
            let most = local.rank() as f64 + SLACK * (2.0 * local.rank() as f64).sqrt();
            let mut length = (LONGEST / far).min(1.0);
            let before = (self.theta.clone(), self.noise.clone());
            let mut moved = false;
            for _ in 0..TRIES {
                self.take(&step, length);
                if let Some(there) = self.simulated(stage)
                    && local.value_of(&self.data, &there.mean) < local.value.max(most)
                {
                    moved = true;
                    break;
                }
                (self.theta, self.noise) = before.clone();
                length *= 0.4;
            }
            if !moved {
                return Ok((local, false));
            }
            local = self.local(stage)?;
            self.adapt(&local);
        }
        let (step, square) = local.step();
        Ok((local, square <= stage.still * step.len() as f64))
    }

    /// Moves by a step in units.
    pub(super) fn take(&mut self, step: &[f64], length: f64) {
        let p = self.theta.len();
        self.theta.iter_mut().zip(&step[..p]).zip(&self.units).for_each(|((t, s), u)| *t += length * s * u);
        if let Some(units) = &self.noise_units {
            self.noise.iter_mut().zip(&step[p..]).zip(units).for_each(|((v, s), u)| *v += length * s * u);
        }
    }

    /// Differences of some standard errors: long enough for slopes to stand out of the noise, short enough to be slopes.
    pub(super) fn adapt(&mut self, local: &Local) {
        let covariance = local.covariance();
        let k = (covariance.len() as f64).sqrt() as usize;
        for (j, h) in self.apart.iter_mut().enumerate() {
            let error = covariance[j * k + j].max(0.0).sqrt();
            *h = if error > 0.0 { (ERRORS * error).clamp(NEAREST, FARTHEST) } else { FARTHEST };
        }
    }

    /// Damped moments of simulations at the parameters.
    fn simulated(&self, stage: Stage) -> Option<Moments> {
        let jobs = [(self.theta.clone(), stage.centre)];
        let found = self.replicates.means(&self.features, &jobs, stage.count, stage.length).remove(0)?;
        Some(Moments::of(&found, stage.span).damped(&self.features.damping(&self.noise)))
    }

    /// The linearised problem at the parameters.
    fn local(&self, stage: Stage) -> Result<Local, IdentifyError> {
        let lost = || IdentifyError::Unbounded { theta: self.theta.clone() };
        let centre = self.simulated(stage).ok_or_else(lost)?;
        let columns = self.columns(stage, &centre)?;
        Ok(Local::new(&self.data, &centre, &columns)?)
    }

    /// Derivatives of the simulated moments, whose values are those at the centre.
    pub(super) fn columns(&self, stage: Stage, centre: &Moments) -> Result<Vec<Column>, IdentifyError> {
        let p = self.theta.len();
        let mut jobs = Vec::new();
        for j in 0..p {
            for side in [1.0, -1.0] {
                let mut theta = self.theta.clone();
                theta[j] += side * self.apart[j] * self.units[j];
                jobs.push((theta, stage.sides));
            }
        }
        let mut found = self.replicates.means(&self.features, &jobs, stage.count, stage.length);
        let damping = self.features.damping(&self.noise);
        let moments = |found: Option<Vec<Vec<f64>>>| found.map(|all| Moments::of(&all, stage.span).damped(&damping));
        let mut columns = Vec::new();
        for j in 0..p {
            let (above, below) = (moments(found[2 * j].take()), moments(found[2 * j + 1].take()));
            let (high, low, span) = match (&above, &below) {
                (Some(above), Some(below)) => (above, below, 2.0 * self.apart[j]),
                (Some(above), None) => (above, centre, self.apart[j]),
                (None, Some(below)) => (centre, below, self.apart[j]),
                (None, None) => return Err(IdentifyError::Unbounded { theta: jobs[2 * j].0.clone() }),
            };
            let each = high.covariance.iter().zip(&low.covariance);
            columns.push(Column {
                slope: high.mean.iter().zip(&low.mean).map(|(a, b)| (a - b) / span).collect(),
                covariance: Some(each.map(|(a, b)| (a + b) / (span * span)).collect()),
            });
        }
        for (column, unit) in self.noise_units.iter().flatten().enumerate() {
            let slope =
                self.features.squares(column).iter().zip(&centre.mean).map(|(w, m)| -0.5 * w * unit * m).collect();
            columns.push(Column { slope, covariance: None });
        }
        Ok(columns)
    }
}
