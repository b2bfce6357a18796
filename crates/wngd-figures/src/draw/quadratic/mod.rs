//! The local quadratic model that each method minimises at its first steps,
//! `m(h) = f + g·h + h·M h / 2` with `M = G / tau`.

mod bowl;
mod ellipses;
mod parabolas;
mod profiles;

use crate::canvas::{BLACK, Marker, Stroke};
use crate::draw::Landscape;
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::{About, Figure};
use crate::sheet::{Entry, Sample};

/// Iterations whose models are drawn.
const FIRST: usize = 3;
/// The lines of the models at iterations 0, 1, 2.
const DASHES: [&[f64]; FIRST] = [&[], &[7.0, 4.0], &[1.5, 3.5]];

/// The model at one iterate.
#[derive(Clone, Debug, Default)]
pub struct LocalModel {
    /// The iterate.
    pub theta: Vec<f64>,
    /// The objective there.
    pub value: f64,
    /// Its gradient there.
    pub gradient: Vec<f64>,
    /// The model's Hessian `G / tau`, `p` by `p`, row by row.
    pub matrix: Vec<f64>,
    /// The step taken from there.
    pub step: Vec<f64>,
}

/// The objective and the model along the step from one iterate.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// The fraction of the step: 0 at the iterate, 1 at the full step.
    pub t: Vec<f64>,
    /// The objective.
    pub f: Vec<f64>,
    /// The model.
    pub model: Vec<f64>,
}

/// The first steps of one method.
#[derive(Clone, Debug, Default)]
pub struct QuadraticPanel {
    /// The method's label, such as `wasserstein`.
    pub label: String,
    /// The iterates.
    pub iterates: Vec<Vec<f64>>,
    /// The models at the first iterates (at most three are drawn).
    pub models: Vec<LocalModel>,
    /// The objective along the first steps; not needed with two parameters.
    pub profile: Vec<Profile>,
}

/// The first steps of some methods and the local models that they minimise: level ellipses over the landscape with two
/// parameters, parabolas over the objective with one, the objective and the model along each step with more.
///
/// Each model has two ellipses: the outer passes through the iterate, the inner
/// lies at a quarter of the predicted decrease. A model without a unique
/// minimiser (a singular `G`) has none. If the methods' steps differ too much in
/// length for one window, each panel gets its own, and the figure says so.
#[derive(Clone, Debug, Default)]
pub struct QuadraticModels {
    /// One panel per method.
    pub panels: Vec<QuadraticPanel>,
    /// With two parameters: the objective around the iterates. Its names label
    /// the axes; its traces are not drawn.
    pub landscape: Option<Landscape>,
    /// With one parameter: its name.
    pub parameter_name: String,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for QuadraticModels {
    fn about(&self) -> About {
        About::new(
            "quadratic-models",
            "The objective and the local quadratic models that the first steps of each method minimise.",
            "One panel per method: the objective near its first iterates and the quadratic model of each step.",
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        match self.check()? {
            1 => Ok(parabolas::draw(self)),
            2 => ellipses::draw(self),
            _ => Ok(profiles::draw(self)),
        }
    }
}

impl QuadraticModels {
    /// Checks all lengths and returns the number of parameters.
    fn check(&self) -> Result<usize, FigureError> {
        let Some(first) = self.panels.first() else {
            return Err(FigureError::shape("panels", "is empty"));
        };
        let p = first.iterates.first().or(first.models.first().map(|m| &m.theta)).map_or(0, Vec::len);
        if p == 0 {
            return Err(FigureError::shape("panels[0].iterates", "holds no parameters"));
        }
        for (k, panel) in self.panels.iter().enumerate() {
            let expect = |field: String, n: usize, want: usize| {
                if n == want {
                    Ok(())
                } else {
                    Err(FigureError::shape(format!("panels[{k}].{field}"), format!("has {n} entries, not {want}")))
                }
            };
            for (i, v) in panel.iterates.iter().enumerate() {
                expect(format!("iterates[{i}]"), v.len(), p)?;
            }
            for (i, m) in panel.models.iter().enumerate() {
                expect(format!("models[{i}].theta"), m.theta.len(), p)?;
                expect(format!("models[{i}].gradient"), m.gradient.len(), p)?;
                expect(format!("models[{i}].matrix"), m.matrix.len(), p * p)?;
                expect(format!("models[{i}].step"), m.step.len(), p)?;
            }
            for (i, q) in panel.profile.iter().enumerate() {
                expect(format!("profile[{i}].f"), q.f.len(), q.t.len())?;
                expect(format!("profile[{i}].model"), q.model.len(), q.t.len())?;
            }
            if panel.models.is_empty() && panel.profile.is_empty() {
                return Err(FigureError::shape(format!("panels[{k}].models"), "is empty"));
            }
            if p > 2 && panel.profile.is_empty() {
                return Err(FigureError::shape(
                    format!("panels[{k}].profile"),
                    format!("is empty, but is what is drawn with {p} parameters"),
                ));
            }
        }
        Ok(p)
    }
}

/// The legend entries of models, iterates and minimisers.
fn model_entries(counts: impl Iterator<Item = usize>) -> Vec<Entry> {
    let shown = counts.max().unwrap_or(0).min(FIRST);
    let mut entries: Vec<Entry> = DASHES
        .iter()
        .enumerate()
        .take(shown)
        .map(|(k, dash)| {
            let pen = Stroke { color: BLACK, width: 1.6, dash };
            Entry::new(format!("model at iteration {k}"), Sample::Line(pen, None))
        })
        .collect();
    entries.push(Entry::new("iterate", Sample::Marker(Marker::Circle, BLACK, 4.0)));
    entries.push(Entry::new("minimiser of the model", Sample::Ring(BLACK)));
    entries
}
