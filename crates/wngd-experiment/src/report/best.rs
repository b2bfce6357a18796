//! The method with the lowest objective: its values in words, their intervals and correlations.

use super::page::{Cell, Table};
use crate::facts::Fact;
use crate::numbers::{short, with_error};
use crate::results::MethodResult;

/// Most parameters in the headline.
const IN_HEADLINE: usize = 12;
/// Most parameters in a matrix of correlations.
const CORRELATED: usize = 16;
/// Standard errors on either side that hold 95 % of a normal distribution.
const NINETY_FIVE: f64 = 1.959_964;

/// Its values with their errors.
pub(super) fn headline(labels: &[String], theta: &[f64], errors: Option<&[Option<f64>]>) -> Vec<Fact> {
    let value = |i: usize| with_error(theta[i], errors.and_then(|e| e.get(i).copied().flatten()));
    let mut facts: Vec<Fact> = (0..labels.len().min(IN_HEADLINE)).map(|i| Fact::new(&labels[i], value(i))).collect();
    if labels.len() > IN_HEADLINE {
        facts.push(Fact::new(&format!("and {} more", labels.len() - IN_HEADLINE), "in the table below"));
    }
    facts
}

/// Correlations of the parameters, for two to some; none where the covariance is not known.
pub(super) fn correlations(labels: &[String], entry: &dyn Fn(usize, usize) -> Option<f64>) -> Option<Table> {
    let p = labels.len();
    if !(2..=CORRELATED).contains(&p) || (0..p).all(|i| entry(i, i).is_none()) {
        return None;
    }
    let correlation = |i: usize, j: usize| {
        let scale = (entry(i, i)? * entry(j, j)?).sqrt();
        Some(entry(i, j)? / scale).filter(|r| r.is_finite())
    };
    let rows = labels.iter().enumerate().map(|(i, name)| {
        // What is above the diagonal is below it, too.
        let cells = (0..p).map(|j| match correlation(i, j).filter(|_| j <= i) {
            Some(r) => Cell::shown(format!("{r:+.2}"), r),
            None => Cell::text(if j > i { "" } else { "–" }),
        });
        std::iter::once(Cell::text(format!("{}  {name}", i + 1))).chain(cells).collect()
    });
    let header = std::iter::once(String::new()).chain((1..=p).map(|j| j.to_string())).collect();
    Some(Table { caption: "Correlations of the parameters".into(), header, rows: rows.collect(), notes: Vec::new() })
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
    tables.extend(
        method
            .covariance
            .as_ref()
            .and_then(|covariance| correlations(names, &|i, j| covariance.get(i).and_then(|row| row.get(j)).copied())),
    );
    tables
}
