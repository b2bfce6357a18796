//! Iterates and local models as text that reads back to the same bits.

use serde::{Deserialize, Serialize};
use wngd::adjoint::SolveCounts;
use wngd::linalg::faer::Mat;
use wngd::opt::{EstimateReport, Estimator, Iteration, LocalModel, Progress};

/// A number by its bits in hexadecimal: JSON has no NaN and no infinity.
#[derive(Debug, Clone, Copy)]
struct Bits(f64);

impl Serialize for Bits {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:016x}", self.0.to_bits()))
    }
}

impl<'de> Deserialize<'de> for Bits {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(|bits| Bits(f64::from_bits(bits))).map_err(serde::de::Error::custom)
    }
}

fn bits(values: &[f64]) -> Vec<Bits> {
    values.iter().copied().map(Bits).collect()
}

fn numbers(values: &[Bits]) -> Vec<f64> {
    values.iter().map(|b| b.0).collect()
}

/// One descent.
#[derive(Serialize, Deserialize)]
pub struct Descent {
    trace: Vec<Row>,
    models: Vec<Quadratic>,
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

impl Descent {
    /// The text form of a descent.
    pub fn of(progress: &Progress) -> Self {
        Self {
            trace: progress.trace.iter().map(Row::of).collect(),
            models: progress.models.iter().map(Quadratic::of).collect(),
        }
    }

    /// The descent of a text form; a text if the parts do not fit together.
    pub fn progress(self) -> Result<Progress, String> {
        let trace = self.trace.into_iter().enumerate().map(|(i, row)| row.iteration(i)).collect::<Result<_, _>>()?;
        let models = self.models.into_iter().map(Quadratic::model).collect::<Result<_, _>>()?;
        Ok(Progress { trace, models })
    }
}

impl Row {
    fn of(row: &Iteration) -> Self {
        Self {
            theta: bits(&row.theta),
            objective: Bits(row.objective),
            gradient_norm: Bits(row.gradient_norm),
            slope: Bits(row.slope),
            step: Bits(row.step),
            rank: row.rank,
            condition: Bits(row.condition),
            damping: Bits(row.damping),
            rejected: row.rejected,
            shortened: row.shortened,
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
            memory: bits(&row.memory),
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
            theta: numbers(&self.theta),
            objective: self.objective.0,
            gradient_norm: self.gradient_norm.0,
            slope: self.slope.0,
            step: self.step.0,
            rank: self.rank,
            condition: self.condition.0,
            damping: self.damping.0,
            rejected: self.rejected,
            shortened: self.shortened,
            solves: SolveCounts { state, tangent, adjoint },
            estimate: estimate.transpose()?,
            seconds: self.seconds.0,
            memory: numbers(&self.memory),
        })
    }
}

impl Quadratic {
    fn of(model: &LocalModel) -> Self {
        let g = &model.information;
        let entries = (0..g.ncols()).flat_map(|j| (0..g.nrows()).map(move |i| Bits(g[(i, j)])));
        Self {
            theta: bits(&model.theta),
            value: Bits(model.value),
            gradient: bits(&model.gradient),
            information: entries.collect(),
            tau: Bits(model.tau),
            step: bits(&model.step),
        }
    }

    fn model(self) -> Result<LocalModel, String> {
        let p = self.theta.len();
        if self.gradient.len() != p || self.step.len() != p || p.checked_mul(p) != Some(self.information.len()) {
            return Err(format!("a local model does not have {p} parameters"));
        }
        Ok(LocalModel {
            theta: numbers(&self.theta),
            value: self.value.0,
            gradient: numbers(&self.gradient),
            information: Mat::from_fn(p, p, |i, j| self.information[j * p + i].0),
            tau: self.tau.0,
            step: numbers(&self.step),
        })
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
        let progress = Progress { trace: vec![row], models: vec![model] };
        let text = serde_json::to_string(&Descent::of(&progress)).unwrap();
        let back = serde_json::from_str::<Descent>(&text).unwrap().progress().unwrap();
        // Equal as text, since NaN is not equal to itself; {:?} shows the sign of zero.
        assert_eq!(format!("{back:?}"), format!("{progress:?}"));
        let damaged = text.replacen("nystrom", "nothing", 1);
        assert!(serde_json::from_str::<Descent>(&damaged).unwrap().progress().is_err());
        let damaged = text.replacen("\"value\"", "\"worth\"", 1);
        assert!(serde_json::from_str::<Descent>(&damaged).is_err());
    }
}
