//! Cells carried along the flow.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::models::flow::Discretisation;

use super::SchemeChoice;
use crate::registry::{Entry, entry};

/// Options of the semi-Lagrangian scheme.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// time T of a map
    time: Option<f64>,
    /// Runge–Kutta step
    step: Option<f64>,
    /// points per axis of a cell
    points: Option<usize>,
    /// restart probability ε per map
    restart: Option<f64>,
}

pub(super) const ENTRY: Entry<dyn SchemeChoice> =
    entry!(Options as dyn SchemeChoice, "semi-lagrangian", "cells carried along the flow (default)");

impl SchemeChoice for Options {
    fn build(&self, usual: Discretisation) -> Discretisation {
        let mut scheme = match usual {
            Discretisation::SemiLagrangian { .. } => usual,
            _ => super::USUAL,
        };
        if let Discretisation::SemiLagrangian { time, step, points, restart } = &mut scheme {
            *time = self.time.unwrap_or(*time);
            *step = self.step.unwrap_or(*step);
            *points = self.points.unwrap_or(*points);
            *restart = self.restart.unwrap_or(*restart);
        }
        scheme
    }
}
