//! Mixtures of Gaussians.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::adjoint::{Bound, Linearization, Normalised, State};
use wngd::models::{MixtureError, MixturePart};
use wngd::opt::FaceDensityFn;
use wngd::prelude::{Covariances, ForwardModel, GaussianMixture, Grid, MixtureParameters, ModelError};

use super::{Jacobian, Model, ModelChoice, Parameter, Part, PartShape, Seen, euclidean};
use crate::error::ExperimentError;
use crate::ground::Ground;
use crate::registry::{Entry, entry};
use crate::source::Section;

/// Standard deviation of a component, in cells, below which a cell holds nearly all of it.
const NARROW: f64 = 0.25;

/// Options of a mixture; the values are the start.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// K numbers in [0, 1], sum 1: the start
    weights: Vec<f64>,
    /// K points: the start
    means: Vec<Vec<f64>>,
    /// `"identity"`, `{ isotropic = s }` or a list, `{ diagonal = [[..]] }`, `{ full = [[[..]]] }`; if absent the
    /// identity, and for samples and histograms full ones that fill the box
    covariance: Option<Covariance>,
    /// names or prefixes: `weights`, `means[0]`, `means[0][1]`, `covariances[0][0][1]`; if absent weights and means, and
    /// for samples and histograms the covariances, too, unless they are the identity
    free: Option<Vec<String>>,
}

/// `truth = { weights, means, covariance }`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Components {
    /// K weights
    weights: Vec<f64>,
    /// K means
    means: Vec<Vec<f64>>,
    /// covariances; the identity if absent
    #[serde(default)]
    covariance: Covariance,
}

/// `"identity"`, `{ isotropic = .. }`, `{ diagonal = .. }` or `{ full = .. }`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "covariance is \"identity\" or a table with one of isotropic, diagonal, full")]
enum Covariance {
    Named(Named),
    Table(Table),
}

impl Default for Covariance {
    fn default() -> Self {
        Self::Named(Named::Identity)
    }
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Named {
    Identity,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Table {
    Isotropic(OneOrMany),
    Diagonal(Vec<Vec<f64>>),
    Full(Vec<Vec<Vec<f64>>>),
}

/// A number or a list.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a number or a list of numbers is needed")]
enum OneOrMany {
    One(f64),
    Many(Vec<f64>),
}

impl Covariance {
    fn of(&self, components: usize) -> Covariances {
        match self {
            Self::Named(Named::Identity) => Covariances::Identity,
            Self::Table(Table::Isotropic(OneOrMany::One(v))) => Covariances::Isotropic(vec![*v; components]),
            Self::Table(Table::Isotropic(OneOrMany::Many(v))) => Covariances::Isotropic(v.clone()),
            Self::Table(Table::Diagonal(v)) => Covariances::Diagonal(v.clone()),
            Self::Table(Table::Full(v)) => Covariances::Full(v.clone()),
        }
    }
}

pub(super) const ENTRY: Entry<dyn ModelChoice> =
    entry!(Options as dyn ModelChoice, "gaussian-mixture", "mixture of Gaussians on a grid");

impl ModelChoice for Options {
    fn in_words(&self) -> String {
        format!("mixture of {} Gaussians", self.weights.len())
    }
    fn dimension(&self, section: &Section<'_>) -> Result<Option<(&'static str, usize)>, ExperimentError> {
        match self.means.first() {
            Some(mean) => Ok(Some(("means", mean.len()))),
            None => Err(section.error("means", "a gaussian-mixture needs at least one mean")),
        }
    }
    fn folds(&self) -> bool {
        true
    }
    fn build(
        &self,
        section: &Section<'_>,
        ground: &Ground,
        Seen { counted, .. }: Seen<'_>,
    ) -> Result<Box<dyn Model>, ExperimentError> {
        let grid = ground.density(section, "kind")?;
        let covariances = match &self.covariance {
            None if counted => filling(grid, self.weights.len()),
            covariance => covariance.clone().unwrap_or_default().of(self.weights.len()),
        };
        let unit = matches!(covariances, Covariances::Identity);
        let parameters = MixtureParameters {
            covariances,
            weights: self.weights.clone(),
            means: self.means.clone(),
        };
        let free = self.free.clone().unwrap_or_else(|| {
            let mut names = vec!["means".to_string()];
            if self.weights.len() > 1 {
                names.push("weights".to_string());
            }
            if counted && !unit {
                names.push("covariances".to_string());
            }
            names
        });
        let mixture = GaussianMixture::new(grid.clone(), parameters, &free);
        let mixture = mixture.map_err(|e| section.error(&field(&e), e.to_string()))?;
        Ok(Box::new(Mixture { seen: mixture.clone().by_rows(), counted: false, mixture }))
    }
}

/// Full covariances with which K components fill a box: its sides are six standard deviations of one, less for more.
fn filling(grid: &Grid, components: usize) -> Covariances {
    let side = |axis: usize| (grid.upper()[axis] - grid.lower()[axis]) / (6.0 * (components as f64).sqrt());
    let row = |a: usize| (0..grid.dim()).map(|b| if a == b { side(a).powi(2) } else { 0.0 }).collect();
    Covariances::Full(vec![(0..grid.dim()).map(row).collect(); components])
}

/// The key that a mixture's error is about.
fn field(error: &MixtureError) -> String {
    match error.field() {
        Some(field) if field.part == MixturePart::Covariances => "covariance".into(),
        Some(field) => field.to_string(),
        None => "free".into(),
    }
}

/// The density of a mixture that `truth` describes, and its values of the parameters of these names, if it has them.
///
/// # Errors
/// Components that make no sense.
pub fn truth(
    truth: &Section<'_>,
    grid: &Grid,
    names: &[String],
) -> Result<(State, Option<Vec<f64>>), ExperimentError> {
    let Components { weights, means, covariance } = truth.read()?;
    let parameters = MixtureParameters { covariances: covariance.of(weights.len()), weights, means };
    let data = GaussianMixture::new(grid.clone(), parameters.clone(), &["means"]);
    let data = data.map_err(|e| truth.error(&field(&e), e.to_string()))?;
    let density = data.state(&data.theta())?;
    let theta = GaussianMixture::new(grid.clone(), parameters, names).ok().map(|m| m.theta());
    Ok((density, theta))
}

/// The mixture that `truth` describes with the parameters of these names free, if they are parameters of it.
///
/// # Errors
/// Components that make no sense.
pub fn of_truth(
    truth: &Section<'_>,
    grid: &Grid,
    names: &[String],
) -> Result<Option<GaussianMixture>, ExperimentError> {
    let Components { weights, means, covariance } = truth.read()?;
    let parameters = MixtureParameters { covariances: covariance.of(weights.len()), weights, means };
    Ok(GaussianMixture::new(grid.clone(), parameters, names).ok())
}

/// A mixture, and what of it is seen.
struct Mixture<M> {
    mixture: GaussianMixture,
    /// Whether cells are counted, so that what happens inside of one is not seen.
    counted: bool,
    seen: M,
}

impl<M: ForwardModel + Send> Model for Mixture<M>
where
    M::Jacobian: 'static,
{
    fn parameters(&self) -> Vec<Parameter> {
        let grid = self.mixture.grid();
        let ranged = |(name, start): (String, f64)| {
            let axis = name.strip_prefix("means").and_then(|n| n.rsplit('[').next()?.strip_suffix(']')?.parse().ok());
            // Means range over the middle of the box, weights over the simplex, variances over a decade.
            let range = match axis {
                _ if name.starts_with("weights") => [0.02, 0.98],
                Some(axis) => {
                    let axis: usize = axis;
                    let (a, b) = (grid.lower()[axis], grid.upper()[axis]);
                    [a + 0.1 * (b - a), b - 0.1 * (b - a)]
                }
                None => [0.3 * start, 3.0 * start],
            };
            Parameter { name, start, range }
        };
        self.mixture.parameter_names().into_iter().zip(self.mixture.theta()).map(ranged).collect()
    }
    fn dim_state(&self) -> usize {
        self.seen.dim_state()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        self.seen.state(theta)
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Jacobian>, ModelError> {
        let Linearization { state, jacobian } = self.seen.linearize(theta)?;
        Ok(Linearization { state, jacobian: Box::new(jacobian) })
    }
    fn column_rounding(&self, theta: &[f64]) -> Vec<f64> {
        self.seen.column_rounding(theta)
    }
    fn bounds(&self) -> Vec<Bound> {
        self.seen.bounds()
    }
    fn face_density(&self) -> Option<FaceDensityFn> {
        let mixture = self.mixture.clone();
        Some(std::sync::Arc::new(move |theta| mixture.face_midpoint_density(theta)))
    }
    fn distance(&self, a: &[f64], b: &[f64]) -> f64 {
        let renamed = self.mixture.exchanges(a).into_iter();
        renamed.map(|a| euclidean(&a, b)).fold(euclidean(a, b), f64::min)
    }
    fn parts(&self, theta: &[f64]) -> Vec<Part> {
        let Ok(parameters) = self.mixture.parameters_at(theta) else { return Vec::new() };
        let dim = self.mixture.grid().dim();
        let covariance = |k: usize| -> Vec<f64> {
            let entry = |a: usize, b: usize| match &parameters.covariances {
                Covariances::Full(all) => all[k][a][b],
                covariances if a == b => covariances.variance(k, a),
                _ => 0.0,
            };
            (0..dim * dim).map(|i| entry(i / dim, i % dim)).collect()
        };
        let part = |k: usize| Part {
            name: format!("component {k}"),
            share: parameters.weights[k],
            shape: PartShape::Gaussian { mean: parameters.means[k].clone(), covariance: covariance(k) },
        };
        (0..parameters.components()).map(part).collect()
    }
    fn remarks(&self, theta: &[f64]) -> Result<Vec<String>, ModelError> {
        let parameters = self.mixture.parameters_at(theta)?;
        let mut remarks = Vec::new();
        for j in 1..parameters.components() {
            let twin = (0..j).find(|&i| {
                parameters.means[i] == parameters.means[j] && parameters.covariances.same(i, j)
            });
            remarks.extend(twin.map(|i| {
                format!(
                    "components {i} and {j} are equal, which no step changes (damping does not help: symmetry is kept); start them apart"
                )
            }));
        }
        if self.counted {
            let spacing = self.mixture.grid().spacing();
            for i in (0..parameters.components()).filter(|&i| parameters.weights[i] > 0.0) {
                let variance = |axis: usize| parameters.covariances.variance(i, axis);
                if (0..spacing.len()).any(|axis| variance(axis).sqrt() < NARROW * spacing[axis]) {
                    remarks.push(format!(
                        "component {i} is narrower than a cell: its place and width within the cell are not seen"
                    ));
                }
            }
        }
        Ok(remarks)
    }
    fn counted(&self, cut: bool) -> Option<Box<dyn Model>> {
        let mixture = self.mixture.clone().cell_means();
        if !cut {
            return Some(Box::new(Mixture { seen: mixture.clone().by_rows(), counted: true, mixture }));
        }
        let volume = mixture.grid().cell_volume();
        let seen = Normalised::new(mixture.clone(), volume).ok()?;
        Some(Box::new(Mixture { mixture, counted: true, seen }))
    }
}
