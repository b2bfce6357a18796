//! Points that were observed.

use crate::error::SampleError;
use crate::scale::deviations;

/// Points of a system in one or several records, in order or not.
#[derive(Debug, Clone)]
pub struct Sample {
    pub(crate) dim: usize,
    pub(crate) points: Vec<f64>,
    /// Points of each record.
    pub(crate) records: Vec<usize>,
    /// Time between points; without it their order is not used.
    pub(crate) dt: Option<f64>,
    /// Standard deviation of each coordinate, as recorded.
    pub(crate) deviations: Vec<f64>,
}

impl Sample {
    /// `points`: N rows of `dim` coordinates, row-major; `records`: how many of them belong to each record, in a row;
    /// `dt`: time between the points of a record, absent for points in no order.
    ///
    /// # Errors
    /// Values that are not finite, records that do not add up, fewer than 50 points, a coordinate that never changes, a
    /// time step that is not positive.
    pub fn new(points: Vec<f64>, dim: usize, records: Vec<usize>, dt: Option<f64>) -> Result<Self, SampleError> {
        let count = points.len() / dim.max(1);
        if dim == 0 || points.len() != count * dim || records.iter().sum::<usize>() != count {
            return Err(SampleError::Shape { numbers: points.len(), dim, records });
        }
        if count < FEWEST {
            return Err(SampleError::Few { count, fewest: FEWEST });
        }
        if let Some(at) = points.iter().position(|v| !v.is_finite()) {
            return Err(SampleError::NotFinite { row: at / dim, coordinate: at % dim });
        }
        if let Some(dt) = dt.filter(|dt| !(*dt > 0.0 && dt.is_finite())) {
            return Err(SampleError::TimeStep { dt });
        }
        let deviations = deviations(&points, dim);
        if let Some(coordinate) = deviations.iter().position(|d| !(*d > 0.0 && d.is_finite())) {
            return Err(SampleError::Constant { coordinate });
        }
        Ok(Self { dim, points, records, dt, deviations })
    }

    /// Number of points.
    pub fn count(&self) -> usize {
        self.points.len() / self.dim
    }

    /// Standard deviation of each coordinate, as recorded.
    pub fn deviations(&self) -> &[f64] {
        &self.deviations
    }

    /// Time between points; none where they are in no order.
    pub fn dt(&self) -> Option<f64> {
        self.dt
    }

    /// The points, row-major.
    pub fn points(&self) -> &[f64] {
        &self.points
    }

    pub(crate) fn point(&self, i: usize) -> &[f64] {
        &self.points[i * self.dim..(i + 1) * self.dim]
    }

    /// First and one past the last point of each record.
    pub(crate) fn spans(&self) -> Vec<(usize, usize)> {
        let mut begin = 0;
        let span = |length: &usize| {
            begin += length;
            (begin - length, begin)
        };
        self.records.iter().map(span).collect()
    }
}

/// Fewest points that say anything.
const FEWEST: usize = 50;
