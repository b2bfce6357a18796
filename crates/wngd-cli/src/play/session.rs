//! What the page is about: an experiment seen through two of its parameters.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use wngd::prelude::*;
use wngd_experiment::window::Window;
use wngd_experiment::{Experiment, ExperimentError, Method, Source, method, metrics, pictures};
use wngd_figures::{Axis, Landscape, Look, looks, marginal, palettes};

use super::limits::Limits;

/// Lattice points per axis of a map that is drawn while something moves.
const COARSE: usize = 25;

/// An experiment, the two parameters that vary, and the methods on offer.
pub struct Session {
    /// The experiment.
    pub experiment: Experiment,
    /// Positions of the two parameters among the free ones.
    pub varied: [usize; 2],
    /// The methods on offer: the experiment's own, then every other metric with a line search.
    pub methods: Vec<Method>,
    names: [String; 2],
    lower: [f64; 2],
    upper: [f64; 2],
    /// Values of the free parameters that the data were made from, where they were.
    origin: Option<Vec<f64>>,
    /// How many of the methods are the experiment's own.
    own: usize,
}

/// What the page has to know before it draws anything.
#[derive(Serialize)]
pub struct Description<'a> {
    experiment: &'a str,
    version: &'static str,
    objective: &'static str,
    /// Names of all free parameters.
    parameters: Vec<String>,
    /// Positions of the two that the map shows.
    varied: [usize; 2],
    names: &'a [String; 2],
    lower: [f64; 2],
    upper: [f64; 2],
    start: [f64; 2],
    truth: Option<[f64; 2]>,
    /// Where the data are made from, if they can be made from elsewhere; the truth, unless other parameters differ.
    origin: Option<[f64; 2]>,
    iterations: usize,
    limits: Limits,
    methods: Vec<MethodOffer>,
    axes: Vec<AxisOffer>,
    palettes: [Vec<String>; 2],
}

#[derive(Serialize)]
struct MethodOffer {
    label: String,
    #[serde(flatten)]
    look: Look,
    step: String,
    chosen: bool,
}

#[derive(Serialize)]
struct AxisOffer {
    name: String,
    lower: f64,
    upper: f64,
    cells: usize,
}

/// f over the window.
#[derive(Serialize)]
pub struct Map {
    x: [f64; 2],
    y: [f64; 2],
    columns: usize,
    range: [f64; 2],
    levels: Vec<f64>,
    log: bool,
    /// Values at the nodes, row by row: little-endian 32-bit floats in base 64; NaN outside the domain.
    z: String,
}

/// A density on the axes that are shown.
#[derive(Serialize)]
pub struct Shown {
    /// Values in the cells, the last axis fastest, as the values of a [`Map`].
    values: String,
}

impl Session {
    /// An experiment to play with.
    pub fn new(source: &Source, experiment: Experiment) -> Result<Self, ExperimentError> {
        let window = Window::new(source, &experiment, None, None)?;
        let pair = |v: &[f64]| [v[0], v[1]];
        let ([a, b], [x, y]) = (&window.varied[..], &window.names[..]) else {
            let problem = format!("the map needs two free parameters, {} is one", window.names.join(", "));
            return Err(source.error("model.free", problem));
        };
        let mut methods =
            method::read_all(&source.sections("method")?, experiment.matched_metric, experiment.usual_solver)?;
        let own = methods.len();
        for entry in metrics::FAMILY.entries {
            let usual = Method::of(entry.name)?;
            let useful = usual.build_metric(&experiment.ground, experiment.model.as_ref()).is_ok();
            if useful && !methods.iter().any(|m| m.metric == entry.name) {
                methods.push(usual);
            }
        }
        let (varied, names) = ([*a, *b], [x.clone(), y.clone()]);
        let (lower, upper) = (pair(&window.lower), pair(&window.upper));
        let origin = experiment.origin()?;
        Ok(Self { experiment, varied, methods, names, lower, upper, origin, own })
    }

    /// The same on data made from elsewhere on the map.
    pub fn on_data_from(self, at: [f64; 2]) -> Result<Self, ExperimentError> {
        // Where there is nothing to begin with, the experiment says so.
        let theta = self.placed(self.origin.clone().unwrap_or_else(|| self.experiment.theta0.clone()), at);
        let experiment = self.experiment.on_data_from(&theta)?;
        Ok(Self { experiment, origin: Some(theta), ..self })
    }

    fn placed(&self, mut theta: Vec<f64>, at: [f64; 2]) -> Vec<f64> {
        (theta[self.varied[0]], theta[self.varied[1]]) = (at[0], at[1]);
        theta
    }

    /// A line for the terminal.
    pub fn summary(&self) -> String {
        let cells: Vec<String> = self.experiment.shape().iter().map(usize::to_string).collect();
        format!("{}: {} and {} on {} cells", self.experiment.name, self.names[0], self.names[1], cells.join(" x "))
    }

    /// What the page has to know first.
    pub fn describe(&self) -> Description<'_> {
        let pick = |theta: &[f64]| self.varied.map(|i| theta[i]);
        let labels = self.methods.iter().map(|m| m.label.as_str());
        let offers = self.methods.iter().zip(looks(labels)).enumerate().map(|(k, (method, look))| MethodOffer {
            label: method.label.clone(),
            look,
            step: method.step.choice.in_words(),
            chosen: k < self.own,
        });
        Description {
            experiment: &self.experiment.name,
            version: env!("CARGO_PKG_VERSION"),
            objective: self.experiment.objective.name(),
            parameters: self.experiment.names(),
            varied: self.varied,
            names: &self.names,
            lower: self.lower,
            upper: self.upper,
            start: pick(&self.experiment.theta0),
            truth: self.experiment.data.truth.as_deref().map(pick),
            origin: self.origin.as_deref().map(pick),
            iterations: self.experiment.stop.iterations,
            limits: Limits::ALL,
            methods: offers.collect(),
            axes: self.axes().into_iter().take(2).map(AxisOffer::from).collect(),
            palettes: palettes(),
        }
    }

    /// f over the window; takes seconds unless it is coarse.
    pub fn map(&self, coarse: bool) -> Result<Map, ExperimentError> {
        let (base, most) = (&self.experiment.theta0, if coarse { COARSE } else { pictures::LATTICE });
        let (x, y, values) = pictures::lattice(&self.experiment, base, self.varied, self.lower, self.upper, most);
        let relief = Landscape { x, y, values, ..Landscape::default() }.relief()?;
        Ok(Map {
            x: relief.x,
            y: relief.y,
            columns: relief.columns,
            range: relief.range,
            levels: relief.levels,
            log: relief.log,
            z: packed(&relief.z),
        })
    }

    /// The data density.
    pub fn data(&self) -> Shown {
        self.shown(&self.experiment.data.values.values)
    }

    /// The model's density at θ.
    pub fn density(&self, theta: &[f64]) -> Result<Shown, ModelError> {
        Ok(self.shown(&self.experiment.model.state(theta)?.values))
    }

    /// All parameters for a start given by two of them.
    pub fn start(&self, at: [f64; 2]) -> Vec<f64> {
        self.placed(self.experiment.theta0.clone(), at)
    }

    fn axes(&self) -> Vec<Axis> {
        self.experiment.ground.maybe_grid().map_or_else(Vec::new, |grid| pictures::axes(grid, &self.experiment.axes()))
    }

    fn shown(&self, values: &[f64]) -> Shown {
        let axes = self.axes();
        let values = match axes.len() {
            1 | 2 => Cow::Borrowed(values),
            _ => Cow::Owned(marginal(&axes, values, [0, 1])),
        };
        Shown { values: packed(&values) }
    }
}

impl From<Axis> for AxisOffer {
    fn from(axis: Axis) -> Self {
        Self { name: axis.name, lower: axis.lower, upper: axis.upper, cells: axis.cells }
    }
}

fn packed(values: &[f64]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect();
    BASE64_STANDARD.encode(bytes)
}
