//! The method with the lowest objective: its values in words, their intervals and correlations.

use super::page::{Cell, Table};
use crate::numbers::{short, with_error};
use crate::results::{MethodResult, ResultFile};

/// Most parameters in a sentence.
const IN_WORDS: usize = 6;
/// Most parameters in a matrix of correlations.
const CORRELATED: usize = 16;
/// Standard errors on either side that hold 95 % of a normal distribution.
const NINETY_FIVE: f64 = 1.959_964;

/// The method, if any ended with a finite objective.
pub(super) fn best(result: &ResultFile) -> Option<&MethodResult> {
    let known = result.methods.iter().filter_map(|m| Some((m.objective?, m)));
    known.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, method)| method)
}

/// Its values and whether they describe the data, a sentence each.
pub(super) fn in_words(names: &[String], method: &MethodResult) -> Vec<String> {
    let value = |i: usize| {
        let error = method.standard_errors.as_ref().and_then(|e| e[i]);
        format!("{} = {}", names[i], with_error(method.theta[i], error))
    };
    let shown: Vec<String> = (0..names.len().min(IN_WORDS)).map(value).collect();
    let more = if names.len() > IN_WORDS { ", …" } else { "" };
    let mut sentences = vec![format!("{}{more} ({}, {}).", shown.join(", "), method.label, method.status)];
    sentences.extend(method.goodness_of_fit.as_ref().map(|test| {
        let verdict = if test.p_value < 1e-3 { "does not describe the data" } else { "describes the data" };
        format!(
            "The model {verdict}: χ² = {} on {} degrees of freedom, p = {}.",
            short(test.statistic),
            test.degrees_of_freedom,
            short(test.p_value)
        )
    }));
    sentences
}

/// Values, errors and intervals; correlations.
pub(super) fn tables(names: &[String], method: &MethodResult) -> Vec<Table> {
    let Some(errors) = &method.standard_errors else { return Vec::new() };
    let rows = names.iter().zip(&method.theta).zip(errors).map(|((name, &value), &error)| {
        let end = |sign: f64| Cell::maybe(error.map(|e| value + sign * NINETY_FIVE * e));
        vec![Cell::text(name), Cell::number(value), Cell::maybe(error), end(-1.0), end(1.0)]
    });
    let header = ["parameter", "value", "standard error", "95 % from", "to"].map(String::from).to_vec();
    let mut notes = vec!["Intervals are those of a normal distribution, ± 1.96 standard errors.".to_string()];
    notes.extend(
        method
            .log_likelihood
            .zip(method.bic)
            .map(|(l, bic)| format!("ln likelihood {}, BIC {}.", short(l), short(bic))),
    );
    let mut tables =
        vec![Table { caption: format!("Best fit: {}", method.label), header, rows: rows.collect(), notes }];
    let several = (2..=CORRELATED).contains(&names.len());
    tables.extend(method.covariance.as_ref().filter(|_| several).map(|covariance| {
        let deviation = |i: usize| covariance[i][i].max(0.0).sqrt();
        let rows = names.iter().enumerate().map(|(i, name)| {
            let cells = (0..names.len()).map(|j| {
                let correlation = covariance[i][j] / (deviation(i) * deviation(j));
                if correlation.is_finite() {
                    Cell::shown(format!("{correlation:+.2}"), correlation)
                } else {
                    Cell::text("–")
                }
            });
            std::iter::once(Cell::text(name)).chain(cells).collect()
        });
        let header = std::iter::once(String::new()).chain(names.iter().cloned()).collect();
        Table { caption: "Correlations of the parameters".into(), header, rows: rows.collect(), notes: Vec::new() }
    }));
    tables
}
