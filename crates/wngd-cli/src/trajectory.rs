//! Trajectories as data: files become points.

use std::path::PathBuf;

use wngd::models::Binning;

use crate::config::schema::BinningKind;
use crate::data::{self, csv::Points};
use crate::error::CliError;

/// Relative difference of time steps that counts as one.
const SAME_STEP: f64 = 1e-3;

/// Trajectory files and which of their points count.
#[derive(Debug, Clone)]
pub struct Recording {
    /// CSV or NPY files.
    pub paths: Vec<PathBuf>,
    /// Columns of CSV files, in the order of the coordinates.
    pub columns: Option<Vec<String>>,
    /// Points left out at the beginning of each file.
    pub burn_in: usize,
    /// Every how many points one is taken.
    pub stride: usize,
}

impl Recording {
    /// The points that count, of all files in a row.
    ///
    /// # Errors
    /// Unreadable files, columns that do not fit, numbers that are not finite, time steps that differ.
    pub fn read(&self, dim: usize) -> Result<Points, CliError> {
        let mut all = Points { values: Vec::new(), dt: None };
        for path in &self.paths {
            let fail = |problem: String| CliError::Data { path: path.clone(), problem };
            let (file, size) = data::open(path)?;
            let points = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy")) {
                if self.columns.is_some() {
                    return Err(fail(
                        "an NPY file has no named columns; leave columns out and save those needed".into(),
                    ));
                }
                let (shape, values) = data::npy_array(path, file, size)?;
                if !(shape.len() == 2 && shape[1] == dim || dim == 1 && shape.len() == 1) {
                    return Err(fail(format!("shape {shape:?}; {dim} coordinates need shape [points, {dim}]")));
                }
                Points { values, dt: None }
            } else {
                let reader = std::io::BufReader::with_capacity(1 << 20, file);
                data::csv::trajectory(path, reader, self.columns.as_deref(), dim)?
            };
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

impl From<BinningKind> for Binning {
    fn from(kind: BinningKind) -> Self {
        match kind {
            BinningKind::Multilinear => Binning::Multilinear,
            BinningKind::Nearest => Binning::Nearest,
        }
    }
}
