//! Sums of components of one coordinate: peaks over backgrounds.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::adjoint::{Bound, Linearization, State};
use wngd::models::components::{
    Amounts, ComponentPart, ComponentSum, ExponentialShape, GaussianShape, LogNormalShape, PolynomialShape, Shape,
    UniformShape,
};
use wngd::prelude::{ForwardModel, ModelError};

use super::{Jacobian, Model, ModelChoice, Parameter, Part, PartShape, Seen};
use crate::error::ExperimentError;
use crate::ground::Ground;
use crate::registry::{Entry, entry};
use crate::source::Section;

/// Options of a sum of components on one axis.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// a list of tables, `{ kind = "gaussian", mean = 5.3, sigma = 0.1, yield = 500 }`: `gaussian` (mean, sigma),
    /// `exponential` (tau), `uniform`, `log-normal` (location, scale of ln x), `polynomial` (coefficients of Chebyshev's
    /// polynomials over the box, that of the constant being 1); each with `yield`, or each with `fraction`, of which the last may be left out; `name` is
    /// the beginning of its parameters' names, its kind if absent
    components: Vec<One>,
    /// names or their beginnings: `gaussian`, `gaussian_mean`; all if absent
    free: Option<Vec<String>>,
}

/// A component.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
struct One {
    /// its shape
    kind: Kind,
    /// the beginning of its parameters' names
    name: Option<String>,
    /// expected counts
    #[serde(rename = "yield")]
    counts: Option<f64>,
    /// share
    fraction: Option<f64>,
    /// of a gaussian
    mean: Option<f64>,
    /// of a gaussian
    sigma: Option<f64>,
    /// of an exponential
    tau: Option<f64>,
    /// of a log-normal
    location: Option<f64>,
    /// of a log-normal
    scale: Option<f64>,
    /// of a polynomial
    coefficients: Option<Vec<f64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Gaussian,
    Exponential,
    Uniform,
    LogNormal,
    Polynomial,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Gaussian => "gaussian",
            Self::Exponential => "exponential",
            Self::Uniform => "uniform",
            Self::LogNormal => "log-normal",
            Self::Polynomial => "polynomial",
        }
    }

    /// Keys of its values.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Gaussian => &["mean", "sigma"],
            Self::Exponential => &["tau"],
            Self::Uniform => &[],
            Self::LogNormal => &["location", "scale"],
            Self::Polynomial => &["coefficients"],
        }
    }
}

pub(super) const ENTRY: Entry<dyn ModelChoice> = entry!(
    Options as dyn ModelChoice,
    "components",
    "sum of Gaussian, exponential, uniform, log-normal and polynomial components on one axis, with fractions or yields"
);

impl One {
    fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.kind.name().replace('-', "_"))
    }

    /// The shape with its values; `key` names where it stands.
    fn shape(&self, section: &Section<'_>, place: &str) -> Result<(Arc<dyn Shape>, Vec<f64>), ExperimentError> {
        let values = [
            ("mean", self.mean),
            ("sigma", self.sigma),
            ("tau", self.tau),
            ("location", self.location),
            ("scale", self.scale),
        ];
        let needed = self.kind.keys();
        let given = values.iter().filter(|(_, value)| value.is_some()).map(|(key, _)| *key);
        let given = given.chain(self.coefficients.as_ref().map(|_| "coefficients"));
        if let Some(stray) = given.into_iter().find(|key| !needed.contains(key)) {
            let problem = format!("a component of kind {} has none; it has: {}", self.kind.name(), needed.join(", "));
            return Err(section.error(&format!("{place}.{stray}"), problem));
        }
        if self.kind == Kind::Polynomial {
            let coefficients = self.coefficients.clone().unwrap_or_default();
            if coefficients.is_empty() {
                let problem = "a polynomial needs coefficients = [c1, …]; take a uniform one for a constant";
                return Err(section.error(place, problem));
            }
            return Ok((Arc::new(PolynomialShape { degree: coefficients.len() }), coefficients));
        }
        let value = |key: &&str| {
            let found = values.iter().find(|(name, _)| name == key).and_then(|(_, value)| *value);
            found.ok_or_else(|| section.error(place, format!("a component of kind {} needs {key}", self.kind.name())))
        };
        let found = needed.iter().map(value).collect::<Result<Vec<f64>, _>>()?;
        let shape: Arc<dyn Shape> = match self.kind {
            Kind::Gaussian => Arc::new(GaussianShape),
            Kind::Exponential => Arc::new(ExponentialShape),
            Kind::LogNormal => Arc::new(LogNormalShape),
            Kind::Uniform | Kind::Polynomial => Arc::new(UniformShape),
        };
        Ok((shape, found))
    }
}

impl Options {
    /// Amounts of all components.
    fn amounts(&self, section: &Section<'_>) -> Result<(Amounts, Vec<f64>), ExperimentError> {
        let place = |i: usize| format!("components[{i}]");
        let yields = self.components.iter().filter(|one| one.counts.is_some()).count();
        if yields > 0 {
            let each = self.components.iter().enumerate().map(|(i, one)| match (one.counts, one.fraction) {
                (Some(counts), None) => Ok(counts),
                _ => Err(section.error(&place(i), "give a yield for each component, or a fraction for each")),
            });
            return Ok((Amounts::Yields, each.collect::<Result<_, _>>()?));
        }
        let (mut found, mut rest) = (Vec::new(), 1.0);
        for (i, one) in self.components.iter().enumerate() {
            let last = i + 1 == self.components.len();
            let Some(amount) = one.fraction.or(last.then_some(rest)) else {
                return Err(section.error(&place(i), "give its fraction, or yields for all; the last one has the rest"));
            };
            rest -= amount;
            found.push(amount);
        }
        Ok((Amounts::Fractions, found))
    }
}

impl ModelChoice for Options {
    fn in_words(&self) -> String {
        let kinds: Vec<&str> = self.components.iter().map(|one| one.kind.name()).collect();
        format!("sum of components: {}", kinds.join(", "))
    }
    fn dimension(&self, _: &Section<'_>) -> Result<Option<(&'static str, usize)>, ExperimentError> {
        Ok(Some(("components", 1)))
    }
    fn build(
        &self,
        section: &Section<'_>,
        ground: &Ground,
        _: Seen<'_>,
    ) -> Result<Box<dyn Model>, ExperimentError> {
        let grid = ground.density(section, "kind")?;
        let (amounts, values) = self.amounts(section)?;
        let mut parts = Vec::new();
        for (i, (one, amount)) in self.components.iter().zip(values).enumerate() {
            let (shape, parameters) = one.shape(section, &format!("components[{i}]"))?;
            parts.push(ComponentPart { name: one.name(), amount, shape, parameters });
        }
        let free = self.free.clone().unwrap_or_else(|| {
            // The last has no fraction of its own, and a uniform one then nothing at all.
            let fixed = |i: usize| {
                amounts == Amounts::Fractions
                    && i + 1 == self.components.len()
                    && self.components[i].kind == Kind::Uniform
            };
            let names = self.components.iter().enumerate().filter(|(i, _)| !fixed(*i));
            names.map(|(_, one)| one.name()).collect()
        });
        let model = ComponentSum::new(grid.clone(), parts.clone(), amounts, &free);
        Ok(Box::new(Components { model: model.map_err(|error| section.model_error("", error))?, parts }))
    }
}

struct Components {
    model: ComponentSum,
    /// The components as they start.
    parts: Vec<ComponentPart>,
}

/// Points of a component's curve.
const POINTS: usize = 400;

impl Components {
    /// A component at θ with its share of the density; `taken` is what the ones before it have.
    fn part(&self, part: &ComponentPart, theta: &[f64], taken: f64) -> Part {
        let names = self.model.parameter_names();
        let value = |name: String, start: f64| names.iter().position(|n| *n == name).map_or(start, |j| theta[j]);
        let last = self.parts.last().is_some_and(|other| other.name == part.name);
        let amount = match self.model.amounts() {
            Amounts::Yields => value(format!("{}_yield", part.name), part.amount) / self.model.number(),
            Amounts::Fractions if last => 1.0 - taken,
            Amounts::Fractions => value(format!("{}_fraction", part.name), part.amount),
        };
        let own = part.shape.names().into_iter().zip(&part.parameters);
        let own: Vec<f64> = own.map(|(name, start)| value(format!("{}_{name}", part.name), *start)).collect();
        let (lower, upper) = (self.model.grid().lower()[0], self.model.grid().upper()[0]);
        let width = (upper - lower) / POINTS as f64;
        let edges: Vec<f64> = (0..=POINTS).map(|i| lower + width * i as f64).collect();
        let values = part.shape.integrals(&edges, &own).values;
        let total: f64 = values.iter().sum();
        let point = |(i, v): (usize, &f64)| [lower + width * (i as f64 + 0.5), amount * v / (total * width)];
        let curve = values.iter().enumerate().map(point).collect();
        Part { name: part.name.clone(), share: amount, shape: PartShape::Curve(curve) }
    }
}

impl Model for Components {
    fn parameters(&self) -> Vec<Parameter> {
        let grid = self.model.grid();
        let ranged = |(name, start): (String, f64)| {
            if name.ends_with("_fraction") {
                Parameter { name, start, range: [0.02, 0.98] }
            } else if name.ends_with("_mean") {
                Parameter { name, start, range: [grid.lower()[0], grid.upper()[0]] }
            } else if name.contains("_c[") {
                Parameter { name, start, range: [-1.0, 1.0] }
            } else {
                Parameter::around(name, start)
            }
        };
        self.model.parameter_names().into_iter().zip(self.model.theta()).map(ranged).collect()
    }
    fn dim_state(&self) -> usize {
        self.model.dim_state()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        self.model.state(theta)
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Jacobian>, ModelError> {
        let Linearization { state, jacobian } = self.model.linearize(theta)?;
        Ok(Linearization { state, jacobian: Box::new(jacobian) })
    }
    fn bounds(&self) -> Vec<Bound> {
        self.model.bounds()
    }
    fn unit(&self) -> Option<f64> {
        (self.model.amounts() == Amounts::Yields).then(|| self.model.number())
    }
    fn of_counts(&self, number: f64) -> Option<Box<dyn Model>> {
        Some(Box::new(Components { model: self.model.clone().of_counts(number), parts: self.parts.clone() }))
    }
    fn parts(&self, theta: &[f64]) -> Vec<Part> {
        let mut found: Vec<Part> = Vec::new();
        for part in &self.parts {
            let taken = found.iter().map(|p| p.share).sum();
            found.push(self.part(part, theta, taken));
        }
        found
    }
}
