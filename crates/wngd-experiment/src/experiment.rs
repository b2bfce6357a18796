//! From an experiment's text to model, data, objective and methods: one way, without a return.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::adjoint::State;
use wngd::opt::{Descent, DirectionSolver, Objective, PriorTerms, Stop};
use wngd::prelude::ForwardModel;

use crate::data::{self, Cells, Data, DataChoice, Maker, Noise, Observing};
use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::grid::GridSection;
use crate::ground::Ground;
use crate::memory;
use crate::method::{self, Method};
use crate::models::constrained::Constrained;
use crate::models::folded::Folding;
use crate::models::{self, Jacobian, Model, ModelChoice, Seen};
use crate::objectives::{self, ObjectiveChoice};
use crate::parameters;
use crate::solvers;
use crate::source::{Section, Source};
use crate::starts::BasinSection;
use crate::stop;

/// Memory that a dense Jacobian may take, in bytes.
const MAX_JACOBIAN_BYTES: usize = 8 << 30;
/// Tables and keys at the top of an experiment file.
pub const TOP: [&str; 10] =
    ["name", "grid", "model", "parameters", "data", "objective", "method", "stop", "basin", "identify"];

/// `[objective]` and `[model]` name what they are by `kind`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// which one: `wngd list`
    #[allow(dead_code, reason = "read by the families")]
    pub kind: String,
}

/// What an experiment file says, read and checked as far as it can be without its data.
pub struct Described<'s> {
    /// Its text.
    pub source: &'s Source,
    /// Name of the experiment.
    pub name: String,
    /// The box, as far as the file tells it.
    pub grid: GridSection,
    /// The model's options and where they stand.
    pub model: (Box<dyn ModelChoice>, Section<'s>),
    /// The data's options and where they stand.
    pub data: (Box<dyn DataChoice>, Section<'s>),
    /// When descents end.
    pub stop: Stop,
}

impl<'s> Described<'s> {
    /// Reads a file.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(source: &'s Source) -> Result<Self, ExperimentError> {
        let root = source.root();
        if let Some(stray) = root.keys().find(|key| !TOP.contains(key)) {
            return Err(root.unknown(stray, &TOP));
        }
        let name = checked_name(source)?;
        for needed in ["model", "data"] {
            if !source.has(needed) {
                return Err(root.error(needed, format!("a table [{needed}] is needed")));
            }
        }
        let section = source.section("model")?;
        let entry = models::FAMILY.chosen(&section, "kind", None)?;
        let model = section.without(&["kind"]);
        if let Some(stray) = model.keys().find(|key| !entry.has(key))
            && let owners @ [_, ..] = &models::FAMILY.owners(stray)[..]
        {
            let problem = format!("a {} has none, only {}; remove it", entry.name, owners.join(" and "));
            return Err(model.error(stray, problem));
        }
        let data = source.section("data")?;
        BasinSection::read(source)?;
        Ok(Self {
            source,
            name,
            grid: source.section("grid")?.read()?,
            model: ((entry.read)(&model)?, model),
            data: (data::read(&data)?, data),
            stop: stop::read(&source.section("stop")?)?,
        })
    }

    /// Whether the file has no grid.
    fn grid_is_absent(&self) -> bool {
        !self.source.has("grid")
    }

    /// Coordinates of the data: those of the model, or else of the grid.
    ///
    /// # Errors
    /// Nothing that tells it, or more than three.
    pub fn dimension(&self) -> Result<usize, ExperimentError> {
        let model = self.model.0.dimension(&self.model.1)?;
        let (key, dim) = match (self.grid.dimension(), model) {
            // A system has its coordinates whatever the grid says.
            (_, Some((key @ "system", dim))) => (format!("model.{key}"), dim),
            (Some((key, dim)), _) => (format!("grid.{key}"), dim),
            (None, Some((key, dim))) => (format!("model.{key}"), dim),
            (None, None) => return Err(self.source.error("grid.lower", "give the box: lower, upper and cells")),
        };
        if !(1..=3).contains(&dim) {
            return Err(self.source.error(&key, format!("{dim} coordinates; 1, 2 or 3 are supported")));
        }
        Ok(dim)
    }
}

/// The experiment's name, which names a folder.
fn checked_name(source: &Source) -> Result<String, ExperimentError> {
    let fail = |problem: &str| Err(source.error("name", problem));
    let Some(name) = source.root().text("name")? else {
        return fail("a name is needed: letters, digits, '-', '_', '.'");
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return fail("use letters, digits, '-', '_' and '.', not first: it becomes a folder name");
    }
    Ok(name)
}

/// Everything that is needed to run an experiment.
pub struct Experiment {
    /// Name of the experiment.
    pub name: String,
    /// The grid, if there is one, and what belongs to it.
    pub ground: Ground,
    /// What the model is, in words.
    pub model_in_words: String,
    /// What the data are, for people.
    pub data_fact: Fact,
    /// The model.
    pub model: Box<dyn Model>,
    /// What `[parameters]` holds it to, a sentence each.
    pub constraints: Vec<String>,
    /// The start point.
    pub theta0: Vec<f64>,
    /// The data.
    pub data: Data,
    /// The objective.
    pub objective: Box<dyn Objective + Send>,
    /// Name of the metric that makes its natural gradient a Gauss–Newton direction.
    pub matched_metric: &'static str,
    /// Name of the solver where none is named.
    pub usual_solver: &'static str,
    /// The methods.
    pub methods: Vec<Method>,
    /// What made the objective, for other data of the same kind.
    objective_choice: Box<dyn ObjectiveChoice>,
    pub(crate) source: Source,
    /// Their direction rules.
    directions: Vec<Box<dyn DirectionSolver<Jacobian> + Send>>,
    /// When descents end.
    pub stop: Stop,
}

impl Experiment {
    /// Builds an experiment.
    ///
    /// Everything that can be wrong with it is found here, before anything is written.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, line, field and remedy.
    pub fn build(source: &Source) -> Result<Self, ExperimentError> {
        let described = Described::read(source)?;
        if source.has("identify") {
            let problem = "only `wngd run` identifies; remove the section for this command";
            return Err(source.error("identify", problem));
        }
        let objective_section = source.section("objective")?;
        let (data_choice, data_section) = &described.data;
        // Plain values need no grid, unless their model does.
        let grounded = data_choice.is_density() || !described.grid_is_absent();
        let dim = if grounded { described.dimension()? } else { 0 };
        let loaded = data_choice.load(data_section, dim)?;
        let usual = data_choice.usual_objective(&described.grid, loaded.as_ref());
        let objective = objectives::FAMILY.chosen(&objective_section, "kind", Some(usual))?;
        let objective_choice = (objective.read)(&objective_section.without(&["kind"]))?;
        let usual_solver = described.model.0.usual_solver().unwrap_or(solvers::USUAL);
        let methods = method::read_all(&source.sections("method")?, objective_choice.matched_metric(), usual_solver)?;

        let points = data_choice.points(data_section, dim)?;
        let seen = points.as_ref().map(|p| &p.values[..]);
        let grid_section = source.section("grid")?;
        let grid = match data_choice.lattice(data_section, loaded.as_ref())? {
            Some(grid) => Some(described.grid.left_out(&grid_section).map(|()| grid)?),
            None if grounded => Some(described.grid.build(&grid_section, dim, seen)?),
            None => None,
        };
        let periodic = if grounded { described.grid.periodic(&grid_section, dim)? } else { None };
        let (model_choice, model_section) = &described.model;
        if periodic.is_some() && !(model_choice.folds() && data_choice.wraps()) {
            let problem = "only a gaussian-mixture of samples, a histogram or a density has periodic axes; remove it";
            return Err(grid_section.error("periodic", problem));
        }
        let is_density = data_choice.is_density();
        let known = Seen { points: seen, counted: data_choice.is_counted() };
        let model = match (&periodic, &grid) {
            (None, _) | (_, None) => None,
            (Some(axes), Some(grid)) => {
                let folding = Folding::new(grid, axes, &grid_section)?;
                let periods = Ground::new(Some(folding.grid.clone()), is_density);
                Some(folding.fold(model_choice.build(model_section, &periods, known)?))
            }
        };
        let ground = Ground::new(grid, is_density).with_periodic(periodic.clone().unwrap_or_default());
        let model = match model {
            Some(model) => model,
            None => model_choice.build(model_section, &ground, known)?,
        };
        let theta0: Vec<f64> = model.parameters().iter().map(|p| p.start).collect();
        let (k, p) = (model.dim_state(), theta0.len());
        let stored = methods.iter().any(Method::stores);
        let bytes = if stored { k.saturating_mul(p).saturating_mul(8) } else { 0 };
        if bytes > MAX_JACOBIAN_BYTES {
            let problem = format!(
                "{k} cells with {p} free parameters need {} GiB for the Jacobian; use fewer cells, or solver = \"auto\"",
                bytes >> 30
            );
            return Err(source.error("grid.cells", problem));
        }
        let factored = ground.maybe_grid().is_some_and(|grid| grid.dim() == 2)
            && methods.iter().any(|m| m.metric == "wasserstein");
        let need = memory::of_descents(k, if stored { p } else { 0 }, factored).saturating_add(model.bytes());
        if let Some(problem) = memory::lacking(need, "use fewer cells, or solver = \"auto\"") {
            return Err(source.error("grid.cells", problem));
        }
        let with = Observing {
            ground: &ground,
            model: (model.as_ref(), model_choice.as_ref(), model_section),
            objective: (objective.name, objective_choice.takes()),
            points,
            loaded,
        };
        let mut data = data_choice.observe(data_section, with)?;
        let measured = match &data.noise {
            Noise::Independent(counts) => model.of_counts(counts.number),
            _ => None,
        };
        let model = measured.unwrap_or(model);
        let counted = match data.cells {
            Cells::Counted { cut } => model.counted(cut),
            Cells::Centres => None,
        };
        let model = match counted {
            Some(model) => model,
            None => {
                // Its own values are compared as they are.
                data.cells = Cells::Centres;
                model
            }
        };
        let place = source.section("parameters")?;
        let stated = parameters::read(&place, &model.parameters(), &data, objective.name)?;
        let model = if place.is_empty() {
            model
        } else {
            if !stated.constraints.priors.is_empty() && methods.iter().any(|method| !method.stores()) {
                let problem = "priors need solvers that store the Jacobian, as \"qr\" does; take one, or no prior";
                return Err(source.error("parameters", problem));
            }
            let model = Constrained::new(model, stated.constraints).map_err(|error| place.model_error("", error))?;
            let known = data.truth.as_ref().map(|truth| model.reduced(truth));
            data.truth = known.flatten().filter(|truth| model.state(truth).is_ok());
            Box::new(model) as Box<dyn Model>
        };
        let theta0: Vec<f64> = model.parameters().iter().map(|p| p.start).collect();
        let p = theta0.len();
        if periodic.is_some() {
            let walls = |name: &&str| !["none", "l2", "fisher-rao", "kl"].contains(name);
            let named = methods.iter().map(|method| method.metric).chain([objective.name]);
            data.notes.extend(
                named
                    .filter(walls)
                    .map(|name| format!("{name} sees walls at the ends of a periodic axis: nothing moves across them")),
            );
        }
        if p > k {
            data.notes.push(format!(
                "{p} free parameters for {k} values: the data cannot determine them all, directions have minimum norm"
            ));
        }
        if let Some(name) = objective_section.text("kind")?.filter(|name| name != objective.name) {
            data.notes.push(format!(
                "objective \"{name}\" is now called \"{}\"; the old name will go with the next version",
                objective.name
            ));
        }
        let ground = if data_choice.is_counted() && dim > 1 {
            if methods.iter().any(|method| method.metric == "wasserstein") {
                let note = "W₂ moves mass along axes on which the data have scatter 1, unless axes = \"data\"";
                data.notes.push(note.into());
            }
            ground.with_scatter_of(&data.values.values)
        } else {
            ground
        };
        let matched_metric = objective_choice.matched_metric();
        let objective = objective_choice.build(&objective_section, &ground, &data)?;
        // A start at which the objective is not defined is the user's to move.
        let state = model.state(&theta0).map_err(|error| source.error("model", error.to_string()))?;
        objective.value(&state).map_err(|error| source.error("model", error.to_string()))?;
        data.notes.extend(model.remarks(&theta0)?);
        let directions = methods
            .iter()
            .map(|method| method.build_direction(&ground, model.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        let (name, stop, model_in_words) = (described.name, described.stop, model_choice.in_words());
        Ok(Self {
            name,
            ground,
            model_in_words,
            data_fact: described.data.0.fact(),
            model,
            constraints: stated.sentences,
            theta0,
            data,
            objective,
            matched_metric,
            usual_solver,
            methods,
            objective_choice,
            source: source.clone(),
            directions,
            stop,
        })
    }

    /// What is minimised at θ: the objective, with the priors; NaN where it is not defined.
    pub fn value(&self, theta: &[f64]) -> f64 {
        let value = |state| self.objective.value(&state).unwrap_or(f64::NAN);
        let misfit = self.model.state(theta).map_or(f64::NAN, value);
        misfit + PriorTerms::at(&self.model, theta).value()
    }

    /// Whether the model still answers: products of its Jacobian cannot tell that they failed.
    ///
    /// # Errors
    /// What made the first one fail.
    pub fn intact(&self) -> Result<(), ExperimentError> {
        self.model.failure().map_or(Ok(()), |error| Err(error.into()))
    }

    /// Names of the free parameters.
    pub fn names(&self) -> Vec<String> {
        self.model.parameter_names()
    }

    /// Shape of a state: cells per axis, or the number of values.
    pub fn shape(&self) -> Vec<usize> {
        match self.ground.maybe_grid() {
            Some(grid) if grid.len() == self.model.dim_state() => grid.cells().to_vec(),
            _ => vec![self.model.dim_state()],
        }
    }

    /// Names of the axes of the grid: the data's columns, or x, y, z.
    pub fn axes(&self) -> Vec<String> {
        let dim = self.ground.maybe_grid().map_or(0, wngd::prelude::Grid::dim);
        match &self.data.axes {
            Some(names) if names.len() == dim => names.clone(),
            _ => usual_axes(dim),
        }
    }

    /// Whether axes have units of their own: named columns do, unnamed axes share one.
    pub fn has_units(&self) -> bool {
        !matches!(self.data.noise, Noise::Unknown)
    }

    /// The objective for another density of counts in the same cells.
    ///
    /// # Errors
    /// As where an objective is built.
    pub fn objective_for(&self, density: Vec<f64>) -> Result<Box<dyn Objective + Send>, ExperimentError> {
        let data = Data {
            values: State::new(density),
            truth: None,
            noise: Noise::Unknown,
            notes: Vec::new(),
            axes: None,
            cells: self.data.cells,
        };
        self.objective_choice.build(&self.source.section("objective")?, &self.ground, &data)
    }

    /// What made the data, with the free parameters' values in them; `None` where they come from files, or from something
    /// that has no such parameters.
    ///
    /// # Errors
    /// As where an experiment is built.
    pub fn origin(&self) -> Result<Option<Vec<f64>>, ExperimentError> {
        Ok(match &self.data.truth {
            Some(truth) => Some(truth.clone()),
            None => self.maker()?.map(|maker| maker.theta),
        })
    }

    /// What made the data, where it is not the model.
    fn maker(&self) -> Result<Option<Maker>, ExperimentError> {
        let section = self.source.section("data")?;
        data::read(&section)?.maker(&section, &self.ground, &self.names())
    }

    /// The same on data that are made from other values of the free parameters, as the data of the file are made.
    ///
    /// # Errors
    /// Data that are not made so, values that have no data, data that the objective is not defined for at the start.
    pub fn on_data_from(mut self, theta: &[f64]) -> Result<Self, ExperimentError> {
        let section = self.source.section("data")?;
        let fail = |error: String| section.error("truth", error);
        let values = match (&self.data.truth, self.maker()?) {
            (Some(_), _) => self.model.state(theta),
            (None, Some(maker)) => (maker.state)(theta),
            (None, None) => return Err(section.error("", "they are not made from values of the free parameters")),
        };
        self.data.values = values.map_err(|error| fail(error.to_string()))?;
        self.data.truth = self.data.truth.is_some().then(|| theta.to_vec());
        let place = self.source.section("objective")?;
        self.objective = self.objective_choice.build(&place, &self.ground, &self.data)?;
        let start = self.model.state(&self.theta0)?;
        self.objective.value(&start).map_err(|error| fail(error.to_string()))?;
        Ok(self)
    }

    /// The direction rule of a method by its number.
    pub fn direction(&self, method: usize) -> &dyn DirectionSolver<Jacobian> {
        self.directions[method].as_ref()
    }

    /// The descent of a method by its number on another objective.
    pub fn descent_on<'a>(&'a self, method: usize, objective: &'a dyn Objective) -> Descent<'a, Box<dyn Model>> {
        let iterations = self.methods[method].iterations.unwrap_or(self.stop.iterations);
        Descent::new(&self.model, objective).direction(self.direction(method)).stop(Stop { iterations, ..self.stop })
    }

    /// The descent of a method by its number.
    pub fn descent(&self, method: usize, keep_models: usize) -> Descent<'_, Box<dyn Model>> {
        self.descent_by(&self.methods[method], self.direction(method), keep_models)
    }

    /// The descent of a method along directions of a rule.
    pub fn descent_by<'a>(
        &'a self,
        method: &Method,
        direction: &'a dyn DirectionSolver<Jacobian>,
        keep_models: usize,
    ) -> Descent<'a, Box<dyn Model>> {
        let iterations = method.iterations.unwrap_or(self.stop.iterations);
        Descent::new(&self.model, self.objective.as_ref())
            .direction(direction)
            .stop(Stop { iterations, ..self.stop })
            .keep_models(keep_models)
    }
}

/// Names of axes without names.
pub fn usual_axes(dim: usize) -> Vec<String> {
    ["x", "y", "z"][..dim.min(3)].iter().map(|s| s.to_string()).collect()
}
