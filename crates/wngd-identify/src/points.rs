//! Points that are read in parts, as often as needed, where they are too many to be held.

use crate::error::{PointsError, SampleError};
use crate::sample::spans;

/// Points of one or several records, read from their beginning as often as asked.
///
/// Every reading gives the same rows in the same order; how many of them come at a time changes no bit of a result.
pub trait Points: Send + Sync {
    /// Coordinates of a point.
    fn dim(&self) -> usize;
    /// Number of records.
    fn records(&self) -> usize;
    /// A reader at the beginning of a record, counted from 0.
    ///
    /// # Errors
    /// What keeps it from being read.
    fn open(&self, record: usize) -> Result<Box<dyn Rows + '_>, PointsError>;
}

/// A record under way.
pub trait Rows: Send {
    /// Puts the next points into the room, row-major, and tells how many; 0 at the end alone.
    ///
    /// # Shapes
    /// `room`: room for some points, at least one.
    ///
    /// # Errors
    /// What keeps them from being read.
    fn read(&mut self, room: &mut [f64]) -> Result<usize, PointsError>;

    /// What a record that was read to its end says of the time between its points.
    fn clock(&self) -> Clock {
        Clock::Absent
    }
}

/// What a record says of the time between its points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clock {
    /// Nothing.
    Absent,
    /// It is always this.
    Even(f64),
    /// Times rise in steps of different lengths.
    Uneven,
}

/// Points in memory, as a source: for tests, and for points that something else holds.
#[derive(Debug, Clone)]
pub struct InMemory {
    points: Vec<f64>,
    dim: usize,
    records: Vec<usize>,
}

impl InMemory {
    /// `points`: rows of `dim` coordinates, row-major; `records`: how many of them belong to each record, in a row.
    ///
    /// # Errors
    /// Records that do not add up.
    pub fn new(points: Vec<f64>, dim: usize, records: Vec<usize>) -> Result<Self, SampleError> {
        if dim == 0 || records.iter().sum::<usize>().checked_mul(dim) != Some(points.len()) {
            return Err(SampleError::Shape { numbers: points.len(), dim, records });
        }
        Ok(Self { points, dim, records })
    }
}

impl Points for InMemory {
    fn dim(&self) -> usize {
        self.dim
    }
    fn records(&self) -> usize {
        self.records.len()
    }
    fn open(&self, record: usize) -> Result<Box<dyn Rows + '_>, PointsError> {
        let (begin, end) = *spans(&self.records).get(record).ok_or_else(|| {
            PointsError::Read(
                format!("there is no record {record}: they are counted from 0 to {}", self.records.len()).into(),
            )
        })?;
        let left = &self.points[begin * self.dim..end * self.dim];
        Ok(Box::new(Left { left, dim: self.dim }))
    }
}

/// Points that were not given out yet.
struct Left<'a> {
    left: &'a [f64],
    dim: usize,
}

impl Rows for Left<'_> {
    fn read(&mut self, room: &mut [f64]) -> Result<usize, PointsError> {
        let numbers = (room.len() / self.dim * self.dim).min(self.left.len());
        let (now, later) = self.left.split_at(numbers);
        room[..numbers].copy_from_slice(now);
        self.left = later;
        Ok(numbers / self.dim)
    }
}
