//! Trajectories in files: which of their points count.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::formats::{self, Input, Time};
use crate::error::ExperimentError;

/// Longest header looked at, in bytes.
const LONGEST: u64 = 1 << 20;
/// Relative difference of time steps that counts as one.
const SAME_STEP: f64 = 1e-3;

/// Points of a trajectory, row-major, and the time between them where a file tells it.
pub struct Points {
    /// N rows of as many coordinates as columns were read.
    pub values: Vec<f64>,
    /// Mean time step, from a column `t` or `time` that rises.
    pub dt: Option<f64>,
}

/// Trajectory files and which of their points count.
#[derive(Debug, Clone)]
pub struct Recording {
    /// Their names.
    pub paths: Vec<PathBuf>,
    /// Columns, in the order of the coordinates.
    pub columns: Option<Vec<String>>,
    /// Points left out at the beginning of each file.
    pub burn_in: usize,
    /// Every how many points one is taken.
    pub stride: usize,
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

    /// With columns by the names of variables, where every file has all of them and nothing else was said.
    pub fn by_name(self, variables: &[String]) -> Self {
        let named = |path: &PathBuf| {
            formats::of(path).has_columns()
                && header(path).is_some_and(|names| variables.iter().all(|variable| names.contains(variable)))
        };
        if self.columns.is_none() && self.paths.iter().all(named) {
            return Self { columns: Some(variables.to_vec()), ..self };
        }
        self
    }

    /// The points that count, of all files in a row.
    ///
    /// # Errors
    /// Unreadable files, columns that do not fit, numbers that are not finite, time steps that differ.
    pub fn read(&self, dim: usize) -> Result<Points, ExperimentError> {
        let mut all = Points { values: Vec::new(), dt: None };
        for path in &self.paths {
            let fail = |problem: String| ExperimentError::Data { path: path.clone(), problem };
            let format = formats::of(path);
            if self.columns.is_some() && !format.has_columns() {
                let name = format.name();
                return Err(fail(format!(
                    "an {name} file has no named columns; leave columns out and save those needed"
                )));
            }
            let points = format.rows(Input::open(path)?, self.columns.as_deref(), dim, Time::Column)?;
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
        Ok(all)
    }
}

/// Names in the first line of a table that is no comment.
fn header(path: &Path) -> Option<Vec<String>> {
    // What cannot be read is told where the file is read.
    let mut lines = BufReader::new(File::open(path).ok()?.take(LONGEST)).lines().map_while(Result::ok);
    let line = lines.find(|line| !line.starts_with('#'))?;
    let names = line.split([',', ';', '\t']).map(|name| name.trim().trim_matches('"').to_string());
    Some(names.collect())
}
