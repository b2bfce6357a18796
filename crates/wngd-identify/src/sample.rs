//! Points that were observed.

use crate::error::SampleError;
use crate::scale::is_step;
use crate::spread::Spread;

/// Points of a system in one or several records, in order or not.
#[derive(Debug, Clone)]
pub struct Sample {
    pub(crate) dim: usize,
    pub(crate) points: Vec<f64>,
    /// Points of each record.
    pub(crate) records: Vec<usize>,
    /// Time between points; without it their order is not used.
    pub(crate) dt: Option<f64>,
    /// Time from each point to the next one where these differ, 0 at the end of a record.
    pub(crate) uneven: Option<Vec<f64>>,
    /// Standard deviation of each coordinate, as recorded.
    pub(crate) deviations: Vec<f64>,
}

impl Sample {
    /// `points`: N rows of `dim` coordinates, row-major; `records`: how many of them belong to each record, in a row;
    /// `dt`: time between the points of a record, absent for points in no order.
    ///
    /// # Errors
    /// Values that are not finite, records that do not add up, fewer than 20 points, a coordinate that never changes, a
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
        if let Some(dt) = dt.filter(|dt| !is_step(*dt)) {
            return Err(SampleError::TimeStep { dt });
        }
        let (_, deviations) = Spread::of(&points, dim).ended();
        if let Some(coordinate) = deviations.iter().position(|d| !(*d > 0.0 && d.is_finite())) {
            return Err(SampleError::Constant { coordinate });
        }
        Ok(Self { dim, points, records, dt, uneven: None, deviations })
    }

    /// The same at times that rise within each record, in steps of any length.
    ///
    /// # Shapes
    /// `times`: one per point.
    ///
    /// # Errors
    /// As [`new`](Self::new); times that do not rise within a record.
    pub fn at_times(points: Vec<f64>, dim: usize, records: Vec<usize>, times: &[f64]) -> Result<Self, SampleError> {
        let sample = Self::new(points, dim, records, None)?;
        let mut after = vec![0.0; sample.count()];
        for (begin, end) in sample.spans() {
            for i in begin..end.saturating_sub(1) {
                let step = times.get(i + 1).zip(times.get(i)).map_or(f64::NAN, |(next, now)| next - now);
                if !is_step(step) {
                    return Err(SampleError::TimeStep { dt: step });
                }
                after[i] = step;
            }
        }
        Ok(Self { uneven: Some(after), ..sample })
    }

    /// Usual time between points in order: the one that there is, or the median of those that differ.
    pub(crate) fn usual_step(&self) -> Option<f64> {
        let Some(after) = &self.uneven else { return self.dt };
        let mut steps: Vec<f64> = after.iter().copied().filter(|step| *step > 0.0).collect();
        steps.sort_by(f64::total_cmp);
        steps.get(steps.len() / 2).copied()
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

    /// The first `most` points.
    pub(crate) fn head(&self, most: usize) -> Self {
        let count = most.min(self.count());
        let mut left = count;
        let mut taken = |length: &usize| {
            let part = left.min(*length);
            left -= part;
            part
        };
        let records = self.records.iter().map(&mut taken).filter(|length| *length > 0).collect();
        let uneven = self.uneven.as_ref().map(|after| after[..count].to_vec());
        Self { points: self.points[..count * self.dim].to_vec(), records, uneven, ..self.clone() }
    }

    /// First and one past the last point of each record.
    pub(crate) fn spans(&self) -> Vec<(usize, usize)> {
        spans(&self.records)
    }
}

/// First and one past the last point of each record, from their lengths.
pub(crate) fn spans(records: &[usize]) -> Vec<(usize, usize)> {
    let mut begin = 0;
    let span = |length: &usize| {
        begin += length;
        (begin - length, begin)
    };
    records.iter().map(span).collect()
}

/// Fewest points that say anything.
pub(crate) const FEWEST: usize = 20;
