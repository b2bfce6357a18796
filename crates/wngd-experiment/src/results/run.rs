//! `result.json` of `wngd run`, the only form in which it is written and read.

use serde::{Deserialize, Serialize};

use crate::labels::labels;
use crate::numbers::{probability, short};

/// `result.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResultFile {
    /// Name of the experiment.
    pub name: String,
    /// Names of the free parameters.
    pub names: Vec<String>,
    /// Names of the axes, where the data name them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Start point.
    pub theta0: Vec<f64>,
    /// Name of the objective.
    pub objective: String,
    /// Values that made the data, where known.
    pub truth: Option<Vec<f64>>,
    /// Remarks on the data.
    pub notes: Vec<String>,
    /// Label of the method with the lowest objective.
    #[serde(default)]
    pub best: Option<String>,
    /// One entry per method.
    pub methods: Vec<MethodResult>,
}

impl ResultFile {
    /// The parameters' names for people.
    pub fn labels(&self) -> Vec<String> {
        labels(&self.names, self.columns.as_deref())
    }
}

impl ResultFile {
    /// The method with the lowest objective, if any ended with a finite one.
    pub fn best(&self) -> Option<&MethodResult> {
        let known = self.methods.iter().filter_map(|m| Some((m.objective?, m)));
        known.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, method)| method)
    }

    /// How the best fit was found and whether it describes the data; how many methods converged.
    pub fn in_words(&self) -> Vec<String> {
        let Some(method) = self.best() else { return vec!["No method ended with a finite objective.".into()] };
        let objective = method.objective.map_or("–".into(), short);
        let s = if method.iterations == 1 { "" } else { "s" };
        let mut first = format!(
            "Best fit: {}, {} after {} iteration{s}, objective {objective}",
            method.label, method.status, method.iterations,
        );
        if let Some(test) = &method.goodness_of_fit {
            let verdict = if test.p_value < 1e-3 { "does not describe the data" } else { "describes the data" };
            first.push_str(&format!(
                "; the model {verdict}: χ² = {} on {} degrees of freedom, p = {}",
                short(test.statistic),
                test.degrees_of_freedom,
                probability(test.p_value)
            ));
        }
        let converged = self.methods.iter().filter(|m| m.status == "converged").count();
        let several =
            (self.methods.len() > 1).then(|| format!("{converged} of {} methods converged.", self.methods.len()));
        std::iter::once(format!("{first}.")).chain(several).collect()
    }
}

/// A test of counts against a model.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Goodness {
    /// χ².
    pub statistic: f64,
    /// Its degrees of freedom.
    pub degrees_of_freedom: usize,
    /// Probability of a larger χ² if the model is right.
    pub p_value: f64,
}

/// One method of `result.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MethodResult {
    /// Label.
    pub label: String,
    /// Metric.
    pub metric: String,
    /// `converged`, `max-iterations`, `stalled` or `stopped`.
    pub status: String,
    /// Why, where there is a reason.
    pub reason: Option<String>,
    /// Iterations made.
    pub iterations: usize,
    /// f at the start.
    pub objective0: f64,
    /// f at the end.
    pub objective: Option<f64>,
    /// Parameters at the end.
    pub theta: Vec<f64>,
    /// Standard errors, where the data tell their noise; null where they would mean nothing, which a remark explains.
    pub standard_errors: Option<Vec<Option<f64>>>,
    /// Why there are no standard errors, where there could be.
    pub standard_errors_note: Option<String>,
    /// Covariance of the free parameters.
    #[serde(default)]
    pub covariance: Option<Vec<Vec<f64>>>,
    /// Pearson's test of counted data.
    #[serde(default)]
    pub goodness_of_fit: Option<Goodness>,
    /// ln of the likelihood of samples, by the model's means over cells.
    #[serde(default)]
    pub log_likelihood: Option<f64>,
    /// 2p − 2 ln L.
    #[serde(default)]
    pub aic: Option<f64>,
    /// p ln N − 2 ln L.
    #[serde(default)]
    pub bic: Option<f64>,
    /// What should be known of this end.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// Euclidean distance to the values that made the data, where known.
    pub error: Option<f64>,
    /// Rank of the whitened Jacobian behind the last step.
    pub rank: usize,
    /// Its condition number; null where the rank is deficient.
    pub condition: Option<f64>,
    /// Steps cut to the longest one that the metric's picture reaches, if there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capped: Option<usize>,
    /// Solves of the state equation and its linearisations.
    pub solves: usize,
    /// How the last direction was estimated, for matrix-free solvers.
    pub solver_note: Option<String>,
    /// Wall seconds.
    pub seconds: f64,
    /// Trace file.
    pub trace: String,
    /// File of the fitted density, if there is one.
    pub density: Option<String>,
}
