//! Trajectories in files: which of their points count.

use std::path::PathBuf;

use super::far;
use super::formats::{Asked, Dialect, Input, Time};
use super::points::Points;
use crate::error::ExperimentError;

/// Relative difference of time steps that counts as one.
const SAME_STEP: f64 = 1e-3;

/// Trajectory files and which of their points count.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Their names.
    pub paths: Vec<PathBuf>,
    /// Columns, in the order of the coordinates.
    pub columns: Option<Vec<String>>,
    /// Names of the coordinates; x, y, z if there are none.
    pub variables: Vec<String>,
    /// Points left out at the beginning of each file.
    pub burn_in: usize,
    /// Every how many points one is taken.
    pub stride: usize,
    /// How the files are written.
    pub dialect: Dialect,
}

impl Recording {
    /// The points that count with the number of them in each file.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn records(&self, dim: usize) -> Result<(Points, Vec<usize>), ExperimentError> {
        let all = self.read(dim)?;
        if self.paths.len() == 1 {
            let count = all.values.len() / dim;
            return Ok((all, vec![count]));
        }
        let count = |path: &PathBuf| {
            let one = Self { paths: vec![path.clone()], ..self.clone() };
            Ok(one.read(dim)?.values.len() / dim)
        };
        let counts = self.paths.iter().map(count).collect::<Result<_, ExperimentError>>()?;
        Ok((all, counts))
    }

    /// With columns by the names of variables, where a file has all of them and nothing else was said.
    pub fn by_name(self, variables: &[String]) -> Self {
        Self { variables: variables.to_vec(), ..self }
    }

    /// Names of the coordinates.
    pub(super) fn variables_of(&self, dim: usize) -> Vec<String> {
        if self.variables.is_empty() {
            ["x", "y", "z"][..dim.min(3)].iter().map(|name| name.to_string()).collect()
        } else {
            self.variables.clone()
        }
    }

    /// The points that count, of all files in a row.
    ///
    /// # Errors
    /// Unreadable files, columns that do not fit, numbers that are not finite, time steps that differ.
    pub fn read(&self, dim: usize) -> Result<Points, ExperimentError> {
        let mut all = Points::default();
        let mut times: Option<Vec<f64>> = Some(Vec::new());
        let variables = &self.variables_of(dim)[..];
        for path in &self.paths {
            let fail = |problem: String| ExperimentError::Data { path: path.clone(), problem };
            let input = Input::open(path)?;
            let format = input.format();
            let asked = Asked {
                columns: self.columns.as_deref(),
                variables,
                time: Time::Column,
                ..Asked::new(dim, &self.dialect)
            };
            asked.check(format).map_err(&fail)?;
            let points = format.rows(input, &asked)?;
            all.notes.extend(points.notes);
            let kept =
                |each: &Vec<f64>| each.iter().copied().skip(self.burn_in).step_by(self.stride).collect::<Vec<_>>();
            // Times of all files, or of none.
            times = times.zip(points.uneven.as_ref().map(kept)).map(|(all, more)| [all, more].concat());
            far::check(&points.values, variables).map_err(&fail)?;
            match (all.dt, points.dt) {
                (Some(a), Some(b)) if (a - b).abs() > SAME_STEP * a => {
                    return Err(fail(format!(
                        "its time step is {b}, that of the files before {a}; resample one of them"
                    )));
                }
                (None, found) => all.dt = found,
                _ => {}
            }
            if self.burn_in == 0 && self.stride == 1 && all.values.is_empty() {
                // No copy of what may be hundreds of megabytes.
                all.values = points.values;
            } else {
                let rows = points.values.chunks_exact(dim).skip(self.burn_in).step_by(self.stride);
                rows.for_each(|row| all.values.extend_from_slice(row));
            }
        }
        all.dt = all.dt.map(|dt| dt * self.stride as f64);
        all.uneven = times.filter(|times| !times.is_empty());
        Ok(all)
    }
}
