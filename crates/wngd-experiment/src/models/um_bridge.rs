//! Models of others, behind UM-Bridge.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::{Table, Value};
use wngd::adjoint::{Linearization, SolveCounts, State};
use wngd::prelude::ModelError;
use wngd_umbridge::{Client, Fault, Settings};

use super::remote::{Derivatives, Remote};
use super::{Jacobian, Model, ModelChoice, Parameter, Seen};
use crate::error::ExperimentError;
use crate::ground::Ground;
use crate::registry::{Entry, entry};
use crate::source::Section;

/// Longest time for a call, in seconds: a week.
const LONGEST: f64 = 604_800.0;
/// Most calls at a time, and most repetitions.
const MOST_REQUESTS: usize = 1024;
const MOST_RETRIES: usize = 1000;

/// Options of a model behind UM-Bridge.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// address of the server, `http://127.0.0.1:4242` for example
    url: String,
    /// name of the model there
    name: String,
    /// a table that the model is told with each call
    #[schemars(with = "Option<std::collections::BTreeMap<String, serde_json::Value>>")]
    config: Option<Table>,
    /// values of its parameters to start from: all inputs, one behind the other
    start: Vec<f64>,
    /// their names; `theta[0]` and so on if absent
    names: Option<Vec<String>>,
    /// which of the model's outputs is compared with the data, counted from 0; needed where there are several
    output: Option<usize>,
    /// `true`: differences of Evaluate in place of derivatives that the server does not offer; a remark says so
    finite_differences: Option<bool>,
    /// `false`: derivatives are not compared with Evaluate before the first descent
    derivative_test: Option<bool>,
    /// calls that the server takes at the same time; 1 if absent
    requests: Option<usize>,
    /// how many times a call is repeated whose connection broke; 5 if absent
    retries: Option<usize>,
    /// seconds that a call may take; 600 if absent
    timeout: Option<f64>,
}

pub(super) const ENTRY: Entry<dyn ModelChoice> = entry!(
    Options as dyn ModelChoice,
    "um-bridge",
    "a model in any language behind UM-Bridge's HTTP interface; a density on the grid, or data of kind values"
);

impl Options {
    fn settings(&self, section: &Section<'_>) -> Result<Settings, ExperimentError> {
        let usual = Settings::new(&self.url, &self.name);
        let requests = self.requests.unwrap_or(usual.requests);
        if !(1..=MOST_REQUESTS).contains(&requests) {
            return Err(section.error("requests", format!("{requests} given; between 1 and {MOST_REQUESTS} are possible")));
        }
        let retries = self.retries.unwrap_or(usual.retries);
        if retries > MOST_RETRIES {
            return Err(section.error("retries", format!("{retries} given; at most {MOST_RETRIES} are possible")));
        }
        let seconds = self.timeout.unwrap_or(usual.timeout.as_secs_f64());
        if !(1e-3..=LONGEST).contains(&seconds) {
            return Err(section.error("timeout", format!("{seconds} given; between 0.001 and {LONGEST} seconds are possible")));
        }
        let config = match &self.config {
            None => serde_json::Map::new(),
            Some(table) => object(table).map_err(|problem| section.error("config", problem))?,
        };
        let timeout = Duration::from_secs_f64(seconds);
        Ok(Settings { config, output: self.output, timeout, retries, requests, ..usual })
    }

    fn names(&self, section: &Section<'_>) -> Result<Vec<String>, ExperimentError> {
        let p = self.start.len();
        let Some(names) = &self.names else { return Ok((0..p).map(|i| format!("theta[{i}]")).collect()) };
        if names.len() != p {
            return Err(section.error("names", format!("{} names for {p} values of start; give one each", names.len())));
        }
        let wrong = |(i, name): (usize, &String)| {
            name.is_empty() || name.contains(|c: char| c.is_control() || c == ',') || names[..i].contains(name)
        };
        match names.iter().enumerate().position(wrong) {
            Some(i) => {
                let problem = format!("\"{}\" is used twice, empty, or has a comma in it; take another", names[i]);
                Err(section.error(&format!("names[{i}]"), problem))
            }
            None => Ok(names.clone()),
        }
    }
}

/// A table as JSON; the text of an error says what has no such form.
fn object(table: &Table) -> Result<serde_json::Map<String, serde_json::Value>, String> {
    let entry = |(key, value): (&String, &Value)| Ok((key.clone(), json(value).map_err(|e| format!("{key}: {e}"))?));
    table.iter().map(entry).collect()
}

fn json(value: &Value) -> Result<serde_json::Value, String> {
    Ok(match value {
        Value::Float(v) => serde_json::Number::from_f64(*v)
            .map(serde_json::Value::Number)
            .ok_or_else(|| format!("{v} cannot be sent as JSON; give a finite number"))?,
        Value::Integer(v) => (*v).into(),
        Value::Boolean(v) => (*v).into(),
        Value::String(v) => v.clone().into(),
        Value::Datetime(v) => v.to_string().into(),
        Value::Array(values) => values.iter().map(json).collect::<Result<_, _>>()?,
        Value::Table(table) => serde_json::Value::Object(object(table)?),
    })
}

impl ModelChoice for Options {
    fn in_words(&self) -> String {
        format!("model \"{}\" of {}, by UM-Bridge", self.name, self.url)
    }
    fn dimension(&self, _: &Section<'_>) -> Result<Option<(&'static str, usize)>, ExperimentError> {
        Ok(None)
    }
    fn usual_solver(&self) -> Option<&'static str> {
        Some("auto")
    }
    fn build(
        &self,
        section: &Section<'_>,
        ground: &Ground,
        _: Seen<'_>,
    ) -> Result<Box<dyn Model>, ExperimentError> {
        let settings = self.settings(section)?;
        let names = self.names(section)?;
        if let Some(i) = self.start.iter().position(|v| !v.is_finite()) {
            return Err(section.error(&format!("start[{i}]"), format!("{} given; a finite number is needed", self.start[i])));
        }
        let client = Client::connect(settings).map_err(|error| {
            let key = match error.fault {
                Fault::Settings if error.endpoint == "OutputSizes" => "output",
                Fault::Settings if error.cause.contains("no such model") => "name",
                _ => "url",
            };
            section.error(key, error.to_string())
        })?;
        let (p, k) = (client.parameters(), client.values());
        if self.start.len() != p {
            let inputs: Vec<String> = client.inputs().iter().map(usize::to_string).collect();
            let problem = format!(
                "{} values, and the server's model has {p} parameters (inputs of {}); give that many",
                self.start.len(),
                inputs.join(", ")
            );
            return Err(section.error("start", problem));
        }
        if ground.is_density() {
            let grid = ground.density(section, "kind")?;
            if grid.len() != k {
                let problem = format!(
                    "the server's output has {k} values and the grid {} cells ({:?}); they must agree, or give data as \
                     values",
                    grid.len(),
                    grid.cells()
                );
                return Err(section.source().error("grid.cells", problem));
            }
        }
        let derivatives = Derivatives::of(client.support(), self.finite_differences == Some(true));
        let derivatives = derivatives.map_err(|problem| section.error("finite_differences", problem))?;
        let remote = Remote::new(client, derivatives, ground.is_density());
        if self.derivative_test != Some(false) {
            remote.test(&self.start).map_err(|error| section.error("url", error.to_string()))?;
        }
        Ok(Box::new(Bridged { remote: Arc::new(remote), names, start: self.start.clone() }))
    }
}

struct Bridged {
    remote: Arc<Remote>,
    names: Vec<String>,
    start: Vec<f64>,
}

impl Model for Bridged {
    fn parameters(&self) -> Vec<Parameter> {
        self.names.iter().zip(&self.start).map(|(name, start)| Parameter::around(name.clone(), *start)).collect()
    }
    fn dim_state(&self) -> usize {
        self.remote.client.values()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        self.remote.state(theta)
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Jacobian>, ModelError> {
        self.remote.linearize(theta)
    }
    fn solve_counts(&self) -> SolveCounts {
        self.remote.solve_counts()
    }
    fn failure(&self) -> Option<ModelError> {
        self.remote.failure()
    }
    fn remarks(&self, _: &[f64]) -> Result<Vec<String>, ModelError> {
        Ok(self.remote.derivatives.remark().map(String::from).into_iter().collect())
    }
}
