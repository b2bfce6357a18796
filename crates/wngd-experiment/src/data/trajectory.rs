//! Successive points of a trajectory.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::adjoint::State;
use wngd::identify::View;
use wngd::models::Binning;

use super::formats::{Array, Dialect, FileOptions};
use super::{Data, DataChoice, Noise, Observing, Recording, counts};
use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::grid::GridSection;
use crate::registry::{Entry, entry};
use crate::source::Section;

/// Widest smoothing: that of the largest grids from end to end.
const WIDEST: f64 = 4096.0;

/// Successive points.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// a file, or a list of files, of successive points: a table (CSV), or NPY of shape (points, axes)
    trajectory: Files,
    /// columns of tables, one per axis; those called x, y, z, or else all but `t` or `time`, if absent
    columns: Option<Vec<String>>,
    /// `"multilinear"` or `"nearest"`
    #[serde(default)]
    binning: BinningKind,
    /// points left out at the beginning of each file
    #[serde(default)]
    burn_in: usize,
    /// every how many points one is taken
    #[serde(default = "one")]
    stride: usize,
    /// standard deviation of a Gaussian in cells that the density is smoothed by
    #[serde(default)]
    smoothing: f64,
    #[serde(flatten)]
    #[allow(dead_code, reason = "for the list of keys; Dialect::read reads them")]
    file: FileOptions,
}

fn one() -> usize {
    1
}

/// A file or a list of files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a file name or a list of file names is needed")]
enum Files {
    /// One file.
    One(String),
    /// Several files.
    Many(Vec<String>),
}

/// How a point is put on cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum BinningKind {
    /// By multilinear weights on the cells around it.
    #[default]
    Multilinear,
    /// On the cell that holds it.
    Nearest,
}

pub(super) const ENTRY: Entry<dyn DataChoice> =
    entry!(Options as dyn DataChoice, "trajectory", "successive points of a long trajectory");

impl Options {
    fn files(&self) -> &[String] {
        match &self.trajectory {
            Files::One(name) => std::slice::from_ref(name),
            Files::Many(names) => names,
        }
    }

    fn view(&self) -> View {
        let binning = match self.binning {
            BinningKind::Multilinear => Binning::Multilinear,
            BinningKind::Nearest => Binning::Nearest,
        };
        View { binning, smoothing: self.smoothing }
    }
}

impl DataChoice for Options {
    fn fact(&self) -> Fact {
        Fact::new("trajectory", self.files().join(", "))
    }
    fn usual_objective(&self, _: &GridSection, _: Option<&Array>) -> &'static str {
        // The density of a trajectory is rough; a weak norm does not mind.
        "homogeneous-h-1"
    }
    fn recording(&self, section: &Section<'_>) -> Result<Option<(Recording, View)>, ExperimentError> {
        if self.files().is_empty() {
            return Err(section.error("trajectory", "the list of files is empty; name at least one"));
        }
        if self.stride == 0 {
            return Err(section.error("stride", "0 takes no points; give 1 to take all of them"));
        }
        if !(0.0..=WIDEST).contains(&self.smoothing) {
            let problem = format!("a number of cells between 0 and {WIDEST} is needed: a wider one leaves nothing to see");
            return Err(section.error("smoothing", problem));
        }
        let recording = Recording {
            variables: Vec::new(),
            paths: self.files().iter().map(|name| section.source().path(name)).collect(),
            columns: self.columns.clone(),
            burn_in: self.burn_in,
            stride: self.stride,
            dialect: Dialect::read(section)?,
        };
        Ok(Some((recording, self.view())))
    }
    fn observe(&self, section: &Section<'_>, with: Observing<'_>) -> Result<Data, ExperimentError> {
        let grid = with.ground.density(section, "trajectory")?;
        let Some(points) = with.points else {
            return Err(ExperimentError::Internal("the points of a trajectory were not read".into()));
        };
        let view = self.view();
        let seen = view.density(grid, &points.values)?;
        let mut notes = points.notes;
        notes.extend(counts(seen.inside, seen.outside));
        if view.smoothing > 0.0 {
            notes.push(format!(
                "smoothed by a Gaussian of {} cells: fitted variances grow by its square; only identification undoes that",
                view.smoothing
            ));
        }
        let cells = super::Cells::Counted { cut: seen.outside > 0 };
        let noise = Noise::Trajectory { points: points.values, view };
        Ok(Data { values: State::new(seen.density), truth: None, noise, notes, axes: self.columns.clone(), cells })
    }
}
