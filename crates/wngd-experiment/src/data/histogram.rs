//! Bins with edges and counts.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::adjoint::State;
use wngd::prelude::Grid;

use super::bins::{Axis, BinsError};
use super::formats::{Array, Asked, Dialect, FileOptions, Input};
use super::{Cells, Counts, Data, DataChoice, Noise, Observing};
use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::grid::GridSection;
use crate::registry::{Entry, entry};
use crate::source::Section;

/// A histogram.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// a table (CSV), or NPY file of shape (bins, 2·axes + 1): edges and count of each bin; they make the grid
    histogram: String,
    /// columns of the edges, a pair per axis: `["left", "right"]`; all but the last if absent
    edges: Option<Vec<String>>,
    /// column of the counts; the last if absent
    counts: Option<String>,
    #[serde(flatten)]
    #[allow(dead_code, reason = "for the list of keys; Dialect::read reads them")]
    file: FileOptions,
}

pub(super) const ENTRY: Entry<dyn DataChoice> =
    entry!(Options as dyn DataChoice, "histogram", "counts in bins with edges");

impl Options {
    /// Edges and count of each bin.
    fn rows<'a>(&self, loaded: Option<&'a Array>) -> Result<(usize, std::slice::ChunksExact<'a, f64>), ExperimentError> {
        match loaded {
            Some(Array { shape, values, .. }) if shape.len() == 2 && shape[1] >= 3 => {
                Ok((shape[1] / 2, values.chunks_exact(shape[1])))
            }
            _ => Err(ExperimentError::Internal("the bins of a histogram were not read".into())),
        }
    }
}

/// Whether counts are counts: whole numbers, none negative.
fn are_counts(loaded: Option<&Array>) -> bool {
    loaded.is_some_and(|array| {
        let width = array.shape.last().copied().unwrap_or(1);
        array.values.chunks_exact(width).all(|row| row[width - 1] >= 0.0 && row[width - 1].fract() == 0.0)
    })
}

impl DataChoice for Options {
    fn fact(&self) -> Fact {
        Fact::new("histogram", &self.histogram)
    }
    fn load(&self, section: &Section<'_>, dim: usize) -> Result<Option<Array>, ExperimentError> {
        let width = 2 * dim + 1;
        let columns: Option<Vec<String>> = match (&self.edges, &self.counts) {
            (Some(edges), _) if edges.len() != 2 * dim => {
                let problem = format!("{} columns for {dim} axes; give a pair (left, right) per axis", edges.len());
                return Err(section.error("edges", problem));
            }
            (Some(edges), Some(counts)) => Some(edges.iter().chain([counts]).cloned().collect()),
            (None, None) => None,
            (Some(_), None) => return Err(section.error("counts", "give the column of the counts, too")),
            (None, Some(_)) => return Err(section.error("edges", "give the columns of the edges, too")),
        };
        let dialect = Dialect::read(section)?;
        let asked = Asked { columns: columns.as_deref(), ..Asked::new(width, &dialect) };
        let input = Input::open(&section.source().path(&self.histogram));
        let about = |error| section.source().about("data.histogram", error);
        let input = input.map_err(about)?;
        let format = input.format();
        asked.check(format).map_err(|problem| section.error("edges", problem))?;
        let table = format.rows(input, &asked).map_err(about)?;
        let rows = table.values.len() / width;
        Ok(Some(Array { shape: vec![rows, width], values: table.values, notes: table.notes }))
    }
    fn lattice(&self, section: &Section<'_>, loaded: Option<&Array>) -> Result<Option<Grid>, ExperimentError> {
        let (dim, rows) = self.rows(loaded)?;
        let (mut lower, mut upper, mut cells) = (Vec::new(), Vec::new(), Vec::new());
        for axis in 0..dim {
            let bins = rows.clone().map(|row| (row[2 * axis], row[2 * axis + 1])).collect();
            let axis = Axis::of(bins).map_err(|error: BinsError| section.error("edges", error.to_string()))?;
            lower.push(axis.lower);
            upper.push(axis.upper);
            cells.push(axis.cells);
        }
        let grid = Grid::new(&lower, &upper, &cells).map_err(|error| section.error("edges", error.to_string()))?;
        if grid.len() < 2 {
            return Err(section.error("histogram", "one bin has no shape to fit; give at least 2 bins"));
        }
        Ok(Some(grid))
    }
    fn is_counted(&self) -> bool {
        true
    }
    fn wraps(&self) -> bool {
        true
    }
    fn usual_objective(&self, _: &GridSection, loaded: Option<&Array>) -> &'static str {
        if are_counts(loaded) { "kl" } else { "l2" }
    }
    fn observe(&self, section: &Section<'_>, with: Observing<'_>) -> Result<Data, ExperimentError> {
        let grid = with.ground.density(section, "histogram")?;
        let (dim, rows) = self.rows(with.loaded.as_ref())?;
        let mut counts = vec![f64::NAN; grid.len()];
        for row in rows {
            let centre: Vec<f64> = (0..dim).map(|axis| (row[2 * axis] + row[2 * axis + 1]) / 2.0).collect();
            let Some(cell) = grid.locate(&centre) else {
                return Err(ExperimentError::Internal(format!("a bin around {centre:?} is in no cell")));
            };
            if !counts[cell].is_nan() {
                let problem = format!("the bin around {centre:?} is there twice; add its counts up");
                return Err(section.error("histogram", problem));
            }
            counts[cell] = row[2 * dim];
        }
        if let Some(cell) = counts.iter().position(|n| n.is_nan()) {
            let centre = &grid.center(cell)[..dim];
            let problem = format!("there is no bin around {centre:?}; give it with its count, 0 if nothing was counted");
            return Err(section.error("histogram", problem));
        }
        let total: f64 = counts.iter().sum();
        if !(total > 0.0 && total.is_finite()) {
            return Err(section.error("counts", format!("their sum is {total}; a positive one is needed")));
        }
        let mut notes = with.loaded.as_ref().map(|array| array.notes.clone()).unwrap_or_default();
        let negative = counts.iter().filter(|n| **n < 0.0).count();
        let (objective, takes) = with.objective;
        if negative > 0 && !takes.negative {
            return Err(section.error(
                "counts",
                format!(
                    "{negative} counts are negative, and {objective} compares masses >= 0; take objective \"l2\" or \
                     \"homogeneous-h-1\", which take what subtracting a background leaves"
                ),
            ));
        }
        let scale = 1.0 / (total * grid.cell_volume());
        let density: Vec<f64> = counts.iter().map(|n| n * scale).collect();
        let noise = if are_counts(with.loaded.as_ref()) {
            notes.push(format!("{total} counts in {} bins", grid.len()));
            Noise::Independent(Counts { number: total, density: density.clone(), smoothing: None })
        } else {
            let why = if negative > 0 { format!("{negative} counts are negative") } else { "counts are no whole numbers".into() };
            notes.push(format!("{} bins; {why}: no standard errors, since their noise is not that of counts", grid.len()));
            Noise::Unknown
        };
        // What lay outside its range a histogram does not say.
        let cells = Cells::Counted { cut: true };
        Ok(Data { values: State::new(density), truth: None, noise, notes, axes: None, cells })
    }
}
