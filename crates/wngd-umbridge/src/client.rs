//! One model of one server.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{CallError, Fault};
use crate::http::{Answer, Failure, Line, shown};
use crate::protocol::{
    About, Call, Failed, Info, InputSizes, ModelInfo, Numbers, Output, OutputSizes, VERSION, most_bytes, without_nan,
};

/// Most values that a server is believed to have.
const MOST_VALUES: u64 = 100_000_000;
/// What a remedy says of a server's own affairs.
const SEE_SERVER: &str = "see what the server printed";

/// What is asked of whom, and how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Address of the server, as `http://127.0.0.1:4242`.
    pub url: String,
    /// Name of the model there.
    pub name: String,
    /// What the model is told with each call.
    pub config: Map<String, Value>,
    /// Which of the outputs is the state; may be left out where there is one.
    pub output: Option<usize>,
    /// Time that one call may take.
    pub timeout: Duration,
    /// How many times a call is repeated whose connection broke.
    pub retries: usize,
    /// Calls that may be under way at the same time, at least 1.
    pub requests: usize,
}

impl Settings {
    /// A model of a server: ten minutes for a call, five repetitions, one call at a time.
    pub fn new(url: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            name: name.into(),
            config: Map::new(),
            output: None,
            timeout: Duration::from_secs(600),
            retries: 5,
            requests: 1,
        }
    }
}

/// What a model can do beside being evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Support {
    /// vᵀJ.
    pub gradient: bool,
    /// Jv.
    pub apply_jacobian: bool,
}

/// A model of a server, whose sizes are known.
pub struct Client {
    settings: Settings,
    line: Line,
    inputs: Vec<usize>,
    output: usize,
    outputs: Vec<usize>,
    support: Support,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("settings", &self.settings).field("inputs", &self.inputs).finish_non_exhaustive()
    }
}

impl Client {
    /// Asks a server what it has.
    ///
    /// # Errors
    /// A server that is not there, speaks another protocol, has no such model, or one of impossible sizes.
    pub fn connect(settings: Settings) -> Result<Self, CallError> {
        let settings = Settings { url: settings.url.trim_end_matches('/').to_string(), ..settings };
        let line = Line::new(&settings.url, settings.timeout, settings.retries, settings.requests.max(1));
        let support = Support { gradient: false, apply_jacobian: false };
        let mut client = Self { settings, line, inputs: Vec::new(), output: 0, outputs: Vec::new(), support };
        client.check_url()?;
        let about = About { name: &client.settings.name, config: &client.settings.config };
        let info: Info = client.read("Info", client.line.get("Info", most_bytes(0)))?;
        if info.protocol_version != VERSION {
            let cause = format!("it speaks version {} of the protocol", info.protocol_version);
            return Err(client.error("Info", Fault::Answer, cause, "version 1.0 is needed"));
        }
        if !info.models.contains(&client.settings.name) {
            let known: Vec<String> = info.models.iter().take(20).map(|name| format!("\"{}\"", shown(name))).collect();
            let cause = "the server has no such model".to_string();
            let remedy = format!("give one of {}", known.join(", "));
            return Err(client.error("Info", Fault::Settings, cause, &remedy));
        }
        let ModelInfo { support } = client.ask("ModelInfo", &about, most_bytes(0))?;
        if !support.evaluate {
            let cause = "the model supports no Evaluate".to_string();
            return Err(client.error("ModelInfo", Fault::Refused, cause, "let supports_evaluate return True"));
        }
        let sizes: InputSizes = client.ask("InputSizes", &about, most_bytes(0))?;
        let inputs = client.sizes("InputSizes", &sizes.input_sizes)?;
        let sizes: OutputSizes = client.ask("OutputSizes", &about, most_bytes(0))?;
        let outputs = client.sizes("OutputSizes", &sizes.output_sizes)?;
        let output = match (client.settings.output, outputs.len()) {
            (Some(output), n) if output >= n => {
                let cause = format!("the model has {n} outputs, and output {output} was asked for");
                return Err(client.error("OutputSizes", Fault::Settings, cause, "outputs are counted from 0"));
            }
            (Some(output), _) => output,
            (None, 1) => 0,
            (None, n) => {
                let cause = format!("the model has {n} outputs");
                return Err(client.error(
                    "OutputSizes",
                    Fault::Settings,
                    cause,
                    "say which one: output = 0 for the first",
                ));
            }
        };
        let support = Support { gradient: support.gradient, apply_jacobian: support.apply_jacobian };
        (client.inputs, client.outputs, client.output, client.support) = (inputs, outputs, output, support);
        Ok(client)
    }

    /// Number of parameters: of all inputs together, one behind the other.
    pub fn parameters(&self) -> usize {
        self.inputs.iter().sum()
    }

    /// Lengths of the inputs.
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// Number of values of the output.
    pub fn values(&self) -> usize {
        self.outputs[self.output]
    }

    /// What the model can do.
    pub fn support(&self) -> Support {
        self.support
    }

    /// Calls that may be under way at the same time.
    pub fn requests(&self) -> usize {
        self.settings.requests.max(1)
    }

    /// The output at θ.
    ///
    /// # Errors
    /// No answer in time, or one that is none; [`Fault::NotFinite`] where a value is no finite number.
    ///
    /// # Panics
    /// Never on what a server does; θ has to have [`parameters`](Self::parameters) values.
    pub fn evaluate(&self, theta: &[f64]) -> Result<Vec<f64>, CallError> {
        let inputs = self.split(theta);
        let call = Call { input: &inputs, ..self.call() };
        let Output { output } =
            self.ask::<Output<Vec<Numbers>>>("Evaluate", &call, most_bytes(self.outputs.iter().sum()))?;
        let lengths: Vec<usize> = output.iter().map(Vec::len).collect();
        if lengths != self.outputs {
            let cause =
                format!("outputs of {} values came, and {} were stated", listed(&lengths), listed(&self.outputs));
            let remedy = "let get_output_sizes state what __call__ returns, a list of lists";
            return Err(self.error("Evaluate", Fault::Answer, cause, remedy));
        }
        let output = output.into_iter().nth(self.output).unwrap_or_default();
        self.finite("Evaluate", output)
    }

    /// sᵀJ at θ: the gradient of the output's product with s.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn gradient(&self, theta: &[f64], s: &[f64]) -> Result<Vec<f64>, CallError> {
        let inputs = self.split(theta);
        let mut found = Vec::with_capacity(theta.len());
        for (i, &size) in self.inputs.iter().enumerate() {
            let call =
                Call { in_wrt: Some(i), out_wrt: Some(self.output), sens: Some(s), input: &inputs, ..self.call() };
            found.extend(self.product("Gradient", &call, size)?);
        }
        Ok(found)
    }

    /// Jv at θ.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn apply_jacobian(&self, theta: &[f64], v: &[f64]) -> Result<Vec<f64>, CallError> {
        let (inputs, parts) = (self.split(theta), self.split(v));
        let mut found = vec![0.0; self.values()];
        for (i, part) in parts.iter().enumerate() {
            // A direction without a part in this input costs no call.
            if parts.len() > 1 && part.iter().all(|v| *v == 0.0) {
                continue;
            }
            let call =
                Call { in_wrt: Some(i), out_wrt: Some(self.output), vec: Some(part), input: &inputs, ..self.call() };
            let product = self.product("ApplyJacobian", &call, found.len())?;
            found.iter_mut().zip(product).for_each(|(sum, v)| *sum += v);
        }
        Ok(found)
    }

    /// An error of this model.
    pub fn error(&self, endpoint: &'static str, fault: Fault, cause: String, remedy: &str) -> CallError {
        let Settings { url, name, .. } = &self.settings;
        CallError { url: url.clone(), model: name.clone(), endpoint, fault, cause, remedy: remedy.into() }
    }

    fn check_url(&self) -> Result<(), CallError> {
        let url = &self.settings.url;
        let host = url.strip_prefix("http://").unwrap_or_default();
        if !host.is_empty() && !url.contains(['?', '#', ' ', '@']) {
            return Ok(());
        }
        let cause = "this is no address of a server".to_string();
        let remedy = "give http://HOST:PORT; https is not spoken, and no name or password sent";
        Err(self.error("Info", Fault::Settings, cause, remedy))
    }

    fn sizes(&self, endpoint: &'static str, stated: &[u64]) -> Result<Vec<usize>, CallError> {
        let total = stated.iter().try_fold(0u64, |sum, n| sum.checked_add(*n)).unwrap_or(u64::MAX);
        if total == 0 || total > MOST_VALUES {
            let cause = format!("{total} values are stated; between 1 and {MOST_VALUES} are possible");
            return Err(self.error(endpoint, Fault::Answer, cause, "see what sizes the model states"));
        }
        Ok(stated.iter().map(|n| *n as usize).collect())
    }

    fn call(&self) -> Call<'_> {
        let Settings { name, config, .. } = &self.settings;
        Call { name, config, input: &[], out_wrt: None, in_wrt: None, sens: None, vec: None }
    }

    fn split<'v>(&self, mut values: &'v [f64]) -> Vec<&'v [f64]> {
        let mut parts = Vec::with_capacity(self.inputs.len());
        for size in &self.inputs {
            let (part, rest) = values.split_at(*size);
            parts.push(part);
            values = rest;
        }
        parts
    }

    fn product(&self, endpoint: &'static str, call: &Call<'_>, size: usize) -> Result<Vec<f64>, CallError> {
        let Output { output } = self.ask::<Output<Numbers>>(endpoint, call, most_bytes(size))?;
        if output.len() != size {
            let cause = format!("{} values came, and {size} are needed", output.len());
            let remedy = "return one value per entry of what is asked for, a list";
            return Err(self.error(endpoint, Fault::Answer, cause, remedy));
        }
        self.finite(endpoint, output)
    }

    fn finite(&self, endpoint: &'static str, output: Numbers) -> Result<Vec<f64>, CallError> {
        let wrong = output.iter().position(|v| !v.is_some_and(f64::is_finite));
        match wrong {
            None => Ok(output.into_iter().flatten().collect()),
            Some(index) => {
                let cause = format!("value {index} of {} is no finite number", output.len());
                let remedy = "start where the model has finite values, or give its parameters bounds";
                Err(self.error(endpoint, Fault::NotFinite, cause, remedy))
            }
        }
    }

    fn ask<T: DeserializeOwned>(
        &self,
        endpoint: &'static str,
        what: &impl Serialize,
        most: u64,
    ) -> Result<T, CallError> {
        let body = serde_json::to_vec(what)
            .map_err(|error| self.error(endpoint, Fault::Settings, error.to_string(), "give plain values in config"))?;
        self.read(endpoint, self.line.post(endpoint, &body, most))
    }

    fn read<T: DeserializeOwned>(
        &self,
        endpoint: &'static str,
        answer: Result<Answer, Failure>,
    ) -> Result<T, CallError> {
        let answer = answer.map_err(|f| self.error(endpoint, f.fault, f.cause, &f.remedy))?;
        let Answer { status, body } = answer;
        let text = String::from_utf8_lossy(&body);
        if let Ok(Failed { error }) = serde_json::from_str(&text) {
            let cause = format!("the model failed with {}: {}", shown(&error.kind), shown(&error.message));
            return Err(self.error(endpoint, Fault::Refused, cause, SEE_SERVER));
        }
        if status != 200 {
            let fault = if (502..=504).contains(&status) { Fault::Connection } else { Fault::Refused };
            let said = if text.trim().is_empty() { String::new() } else { format!(" ({})", shown(text.trim())) };
            return Err(self.error(endpoint, fault, format!("it answered with status {status}{said}"), SEE_SERVER));
        }
        let found = serde_json::from_str(&text).or_else(|error| match without_nan(&text) {
            Some(text) => serde_json::from_str(&text),
            None => Err(error),
        });
        found.map_err(|error| {
            let begins = text.trim_start();
            let cause = format!("the answer cannot be read ({error}); it begins with {}", shown(begins));
            let remedy = if begins.contains("np.") {
                "return plain numbers: values.tolist()"
            } else {
                "see whether a UM-Bridge server is at this address, and what its model returns"
            };
            self.error(endpoint, Fault::Answer, cause, remedy)
        })
    }
}

fn listed(sizes: &[usize]) -> String {
    let mut shown: Vec<String> = sizes.iter().take(8).map(usize::to_string).collect();
    if sizes.len() > shown.len() {
        shown.push("…".into());
    }
    if shown.is_empty() { "no".into() } else { shown.join(", ") }
}
