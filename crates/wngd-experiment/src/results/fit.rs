//! `result.json` of `wngd fit`, the only form in which it is written and read.

use serde::{Deserialize, Serialize};
use wngd::fit::Fit;

use crate::fitting::read::Table;
use crate::labels::labels;
use crate::numbers::finite;

/// `result.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FitFile {
    /// Name, that of the data file.
    pub name: String,
    /// Names of the parameters.
    pub names: Vec<String>,
    /// Start point.
    pub theta0: Vec<f64>,
    /// What is lowered: the mean of −ln ρ per observation.
    pub objective: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Observations.
    pub observations: f64,
    /// `points` or `bins`: which likelihood.
    pub likelihood: String,
    /// Label of the best method.
    pub best: String,
    /// Components.
    pub components: usize,
    /// Every number of components that was tried.
    pub scores: Vec<FitScore>,
    /// The fit.
    pub methods: Vec<FitMethod>,
}

/// A number of components.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FitScore {
    /// Components.
    pub components: usize,
    /// Family of the covariances.
    pub covariance: String,
    /// ln likelihood.
    pub log_likelihood: f64,
    /// −2 ln L + p ln n.
    pub bic: f64,
    /// −2 ln L + 2p.
    pub aic: f64,
    /// Whether a component has collapsed onto a few samples.
    pub degenerate: bool,
}

/// χ² with its degrees of freedom and p-value.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct GoodnessOfFit {
    /// The statistic.
    pub statistic: f64,
    /// Its degrees of freedom.
    pub degrees_of_freedom: usize,
    /// Probability of a larger statistic if the mixture made the data.
    pub p_value: f64,
}

/// The fit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FitMethod {
    /// `fit`.
    pub label: String,
    /// `fisher-rao`.
    pub metric: String,
    /// `converged`, `max-iterations` or `stalled`.
    pub status: String,
    /// Iterations from the start that won.
    pub iterations: usize,
    /// Mean of −ln ρ at that start.
    pub objective0: Option<f64>,
    /// The same at the end.
    pub objective: Option<f64>,
    /// Parameters.
    pub theta: Vec<f64>,
    /// Standard errors; null for a parameter, or for all, where there are none.
    pub standard_errors: Option<Vec<Option<f64>>>,
    /// Covariance of the parameters; null in the same places.
    pub covariance: Option<Vec<Vec<Option<f64>>>>,
    /// Rank of the information.
    pub rank: Option<usize>,
    /// Its condition number, of the square root.
    pub condition: Option<f64>,
    /// Goodness of fit.
    pub goodness_of_fit: Option<GoodnessOfFit>,
    /// Why there is none.
    pub goodness_of_fit_note: Option<String>,
    /// ln likelihood.
    pub log_likelihood: Option<f64>,
    /// −2 ln L + 2p.
    pub aic: Option<f64>,
    /// −2 ln L + p ln n.
    pub bic: Option<f64>,
    /// What should be known.
    pub remarks: Vec<String>,
    /// Wall seconds.
    pub seconds: f64,
    /// Trace file.
    pub trace: String,
}

impl FitFile {
    /// The file of a fit.
    pub fn new(name: &str, table: &Table, found: &Fit) -> Self {
        let errors = found.standard_errors();
        let any = errors.iter().any(Option::is_some);
        let objective = |row: &wngd::fit::Iterate| finite(-row.log_likelihood / found.observations);
        let goodness = found.goodness.as_ref().ok().map(|g| GoodnessOfFit {
            statistic: g.statistic,
            degrees_of_freedom: g.degrees_of_freedom,
            p_value: g.p_value,
        });
        let score = |s: &wngd::fit::Score| FitScore {
            components: s.components,
            covariance: found.family.name().into(),
            log_likelihood: s.log_likelihood,
            bic: s.bic,
            aic: s.aic,
            degenerate: s.degenerate,
        };
        let method = FitMethod {
            label: "fit".into(),
            metric: "fisher-rao".into(),
            status: found.status.name().into(),
            iterations: found.trace.len().saturating_sub(1),
            objective0: found.trace.first().and_then(objective),
            objective: finite(-found.log_likelihood / found.observations),
            theta: found.theta.clone(),
            standard_errors: any.then_some(errors),
            covariance: any.then(|| found.covariance.clone()),
            rank: found.rank,
            condition: found.condition.and_then(finite),
            goodness_of_fit: goodness,
            goodness_of_fit_note: found.goodness.as_ref().err().map(|why| why.to_string()),
            log_likelihood: finite(found.log_likelihood),
            aic: finite(found.aic),
            bic: finite(found.bic),
            remarks: found.remarks.iter().map(|r| r.told(table.columns())).collect(),
            seconds: found.seconds,
            trace: "trace-fit.csv".into(),
        };
        Self {
            name: name.into(),
            names: found.names.clone(),
            theta0: found.trace.first().map_or_else(|| found.theta.clone(), |row| row.theta.clone()),
            objective: "mean negative log-likelihood".into(),
            columns: table.columns().to_vec(),
            observations: found.observations,
            likelihood: if found.binned { "bins" } else { "points" }.into(),
            best: "fit".into(),
            components: found.mixture.weights().len(),
            scores: found.scores.iter().map(score).collect(),
            methods: vec![method],
        }
    }

    /// The parameters' names for people.
    pub fn labels(&self) -> Vec<String> {
        labels(&self.names, Some(&self.columns))
    }

    /// The answer in sentences: number of components, goodness of fit, what was used.
    pub fn in_words(&self) -> Vec<String> {
        let Some(method) = self.methods.first() else { return Vec::new() };
        let s = if self.components == 1 { "" } else { "s" };
        let what = if self.likelihood == "bins" { "entries of bins" } else { "samples" };
        let mut first = format!("{} Gaussian component{s} for {} {what}", self.components, self.observations);
        let mut others: Vec<&FitScore> = self.scores.iter().filter(|o| o.components != self.components).collect();
        others.sort_by(|a, b| a.bic.total_cmp(&b.bic));
        if let (Some(next), Some(bic)) = (others.first(), method.bic) {
            first.push_str(&format!(
                ": the lowest BIC of {} numbers tried, {:.1} below that of {}",
                self.scores.len(),
                next.bic - bic,
                next.components
            ));
        }
        first.push_str(if method.status == "converged" { "." } else { "; the descent did not converge." });
        let fit = match (&method.goodness_of_fit, &method.goodness_of_fit_note) {
            (Some(g), _) => format!(
                "Goodness of fit: chi-squared {:.1} with {} degrees of freedom, p = {:.2}: {}.",
                g.statistic,
                g.degrees_of_freedom,
                g.p_value,
                if g.p_value < 1e-3 {
                    "the data contradict the mixture"
                } else {
                    "the data do not contradict the mixture"
                }
            ),
            (None, Some(why)) => format!("No goodness of fit: {why}."),
            (None, None) => return vec![first],
        };
        vec![
            first,
            fit.replace("p = 0.00:", &format!("p = {:.0e}:", method.goodness_of_fit.map_or(0.0, |g| g.p_value))),
        ]
    }
}
