//! Descents in a checkpoint, iterate by iterate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wngd::adjoint::SolveCounts;
use wngd::linalg::faer::Mat;
use wngd::opt::{EstimateReport, Estimator, Finished, Iteration, LocalModel};

use super::Bits;
use super::unit::Unit;

/// An iterate, with the local model that was kept on the way to it.
#[derive(Serialize, Deserialize)]
pub(super) struct Iterate {
    descent: usize,
    row: Row,
    model: Option<Quadratic>,
}

impl Unit for Iterate {
    const KIND: &'static str = "iterate";
}

impl Iterate {
    pub(super) fn of(descent: usize, row: &Iteration, model: Option<&LocalModel>) -> Self {
        Self { descent, row: Row::of(row), model: model.map(Quadratic::of) }
    }
}

/// Iterates as they were; the text of an error says what is wrong.
pub(super) fn finished(iterates: Vec<Iterate>) -> Result<Vec<Finished>, String> {
    // Iterates of one descent are numbered by their order.
    let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
    let whole = |Iterate { descent, row, model }| {
        let length = lengths.entry(descent).or_default();
        let row = Box::new(row.iteration(*length)?);
        *length += 1;
        Ok(Finished::Iterate { descent, row, model: model.map(Quadratic::model).transpose()? })
    };
    iterates.into_iter().map(whole).collect()
}

#[derive(Serialize, Deserialize)]
struct Row {
    theta: Vec<Bits>,
    objective: Bits,
    gradient_norm: Bits,
    slope: Bits,
    step: Bits,
    rank: usize,
    condition: Bits,
    damping: Bits,
    rejected: usize,
    shortened: bool,
    #[serde(default)]
    capped: bool,
    /// State, tangent, adjoint.
    solves: [usize; 3],
    estimate: Option<Report>,
    seconds: Bits,
    memory: Vec<Bits>,
}

#[derive(Serialize, Deserialize)]
struct Report {
    estimator: String,
    reason: Option<String>,
    probes: usize,
    iterations: usize,
    tangent: usize,
    adjoint: usize,
    mu: Bits,
    error: Bits,
    reached: bool,
}

#[derive(Serialize, Deserialize)]
struct Quadratic {
    theta: Vec<Bits>,
    value: Bits,
    gradient: Vec<Bits>,
    /// By columns.
    information: Vec<Bits>,
    tau: Bits,
    step: Vec<Bits>,
}

impl Row {
    fn of(row: &Iteration) -> Self {
        Self {
            theta: Bits::of(&row.theta),
            objective: Bits(row.objective),
            gradient_norm: Bits(row.gradient_norm),
            slope: Bits(row.slope),
            step: Bits(row.step),
            rank: row.rank,
            condition: Bits(row.condition),
            damping: Bits(row.damping),
            rejected: row.rejected,
            shortened: row.shortened,
            capped: row.capped,
            solves: [row.solves.state, row.solves.tangent, row.solves.adjoint],
            estimate: row.estimate.as_ref().map(|report| Report {
                estimator: report.estimator.name().into(),
                reason: report.reason.clone(),
                probes: report.probes,
                iterations: report.iterations,
                tangent: report.tangent,
                adjoint: report.adjoint,
                mu: Bits(report.mu),
                error: Bits(report.error),
                reached: report.reached,
            }),
            seconds: Bits(row.seconds),
            memory: Bits::of(&row.memory),
        }
    }

    fn iteration(self, iteration: usize) -> Result<Iteration, String> {
        let [state, tangent, adjoint] = self.solves;
        let estimate = self.estimate.map(|report| {
            Ok::<_, String>(EstimateReport {
                estimator: Estimator::named(&report.estimator)
                    .ok_or_else(|| format!("\"{}\" is no estimator", report.estimator))?,
                reason: report.reason,
                probes: report.probes,
                iterations: report.iterations,
                tangent: report.tangent,
                adjoint: report.adjoint,
                mu: report.mu.0,
                error: report.error.0,
                reached: report.reached,
            })
        });
        Ok(Iteration {
            iteration,
            theta: Bits::numbers(&self.theta),
            objective: self.objective.0,
            gradient_norm: self.gradient_norm.0,
            slope: self.slope.0,
            step: self.step.0,
            rank: self.rank,
            condition: self.condition.0,
            damping: self.damping.0,
            rejected: self.rejected,
            shortened: self.shortened,
            capped: self.capped,
            solves: SolveCounts { state, tangent, adjoint },
            estimate: estimate.transpose()?,
            seconds: self.seconds.0,
            memory: Bits::numbers(&self.memory),
        })
    }
}

impl Quadratic {
    fn of(model: &LocalModel) -> Self {
        let g = &model.information;
        let entries = (0..g.ncols()).flat_map(|j| (0..g.nrows()).map(move |i| Bits(g[(i, j)])));
        Self {
            theta: Bits::of(&model.theta),
            value: Bits(model.value),
            gradient: Bits::of(&model.gradient),
            information: entries.collect(),
            tau: Bits(model.tau),
            step: Bits::of(&model.step),
        }
    }

    fn model(self) -> Result<LocalModel, String> {
        let p = self.theta.len();
        if self.gradient.len() != p || self.step.len() != p || p.checked_mul(p) != Some(self.information.len()) {
            return Err(format!("a local model does not have {p} parameters"));
        }
        Ok(LocalModel {
            theta: Bits::numbers(&self.theta),
            value: self.value.0,
            gradient: Bits::numbers(&self.gradient),
            information: Mat::from_fn(p, p, |i, j| self.information[j * p + i].0),
            tau: self.tau.0,
            step: Bits::numbers(&self.step),
        })
    }
}

#[cfg(any(test, fuzzing))]
impl super::Checkpoint {
    /// The iterates of all descents.
    pub fn iterates(&self) -> Result<Vec<Finished>, String> {
        finished(super::unit::units(&self.entries, Iterate::KIND)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_back() {
        let values = [0.1, -0.0, f64::INFINITY, f64::NAN, 5e-324, 1.0 / 3.0];
        let estimate = EstimateReport {
            estimator: Estimator::Nystrom,
            reason: Some("a \"reason\"".into()),
            probes: 3,
            iterations: 4,
            tangent: 5,
            adjoint: 6,
            mu: 1e-300,
            error: f64::NAN,
            reached: true,
        };
        let row = Iteration {
            iteration: 0,
            theta: values.to_vec(),
            objective: f64::NAN,
            gradient_norm: 2.5,
            slope: -0.0,
            step: 1e-7,
            rank: 2,
            condition: f64::INFINITY,
            damping: 0.0,
            rejected: 1,
            shortened: true,
            capped: true,
            solves: SolveCounts { state: 1, tangent: 2, adjoint: 3 },
            estimate: Some(estimate),
            seconds: 0.25,
            memory: values.to_vec(),
        };
        let model = LocalModel {
            theta: vec![1.0, 2.0],
            value: 3.0,
            gradient: vec![4.0, 5.0],
            information: Mat::from_fn(2, 2, |i, j| 0.1 * (i + 2 * j) as f64),
            tau: 0.3,
            step: vec![6.0, 7.0],
        };
        let unit = Iterate::of(0, &row, Some(&model));
        let text = serde_json::to_string(&unit).unwrap();
        let back = |text: &str| -> Result<(Iteration, LocalModel), String> {
            let unit: Iterate = serde_json::from_str(text).map_err(|e| e.to_string())?;
            Ok((unit.row.iteration(0)?, unit.model.unwrap().model()?))
        };
        // Equal as text, since NaN is not equal to itself; {:?} shows the sign of zero.
        assert_eq!(format!("{:?}", back(&text).unwrap()), format!("{:?}", (row, model)));
        for (from, to) in [("nystrom", "nothing"), ("\"value\"", "\"worth\""), ("\"step\":[", "\"step\":[\"0\",")] {
            assert!(back(&text.replacen(from, to, 1)).is_err(), "{to}");
        }
    }
}
