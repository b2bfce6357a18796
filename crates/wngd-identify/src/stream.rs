//! Points that are not held, and what a first reading of them says.

use crate::error::{PointsError, SampleError};
use crate::points::{Clock, Points, Rows};
use crate::sample::{FEWEST, Sample, spans};
use crate::scale::is_step;
use crate::spread::Spread;

/// Points of the beginning that are held, in their order.
const HELD: usize = 100_000;
/// Points that are held out of all, evenly spread: at most this many, at least half as many.
const SPREAD: usize = 20_000;
/// Numbers that are read at a time.
const PART: usize = 1 << 18;
/// Relative difference of time steps that counts as one.
const SAME_STEP: f64 = 1e-3;

/// The value of a coordinate that is farthest to one side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extreme {
    pub(crate) value: f64,
    /// Its first point, from 0.
    pub(crate) row: usize,
}

/// Points that are read in parts whenever they are needed, with what one reading says of them.
///
/// It holds the first 100 000 points, which tell the noise of points in order, and up to 20 000 points spread over all, which
/// tell scales; everything else is read again.
pub struct Stream {
    pub(crate) source: Box<dyn Points>,
    /// Points of each record.
    pub(crate) records: Vec<usize>,
    /// Time between points; without it their order is not used.
    pub(crate) dt: Option<f64>,
    pub(crate) deviations: Vec<f64>,
    pub(crate) means: Vec<f64>,
    /// Least and largest value of each coordinate.
    pub(crate) extremes: Vec<(Extreme, Extreme)>,
    /// The first points, as they come.
    head: Sample,
    /// Points spread over all of them, in no order.
    some: Sample,
    /// Time between points as the records have it.
    told: Option<f64>,
    uneven: bool,
}

impl Stream {
    /// Reads all points once.
    ///
    /// `dt`: time between the points of a record; what the records say of it if absent. `ordered`: whether their order means
    /// anything.
    ///
    /// # Cost
    /// One reading; memory for 120 000 points, whatever their number.
    ///
    /// # Errors
    /// Records that cannot be read; values that are not finite, fewer than 20 points, a coordinate that never changes, time steps
    /// that are not positive or differ between records.
    pub fn new(source: Box<dyn Points>, dt: Option<f64>, ordered: bool) -> Result<Self, PointsError> {
        let dim = source.dim();
        if dim == 0 {
            return Err(SampleError::Shape { numbers: 0, dim, records: Vec::new() }.into());
        }
        if let Some(dt) = dt.filter(|dt| !is_step(*dt)) {
            return Err(SampleError::TimeStep { dt }.into());
        }
        let mut first = First::new(dim);
        let (mut records, mut found, mut uneven) = (Vec::new(), None::<f64>, false);
        let mut room = vec![0.0; (PART / dim).max(1) * dim];
        for record in 0..source.records() {
            let mut rows = source.open(record)?;
            let before = first.count;
            loop {
                let count = rows.read(&mut room)?;
                if count == 0 {
                    break;
                }
                first.add(&room[..count * dim])?;
            }
            records.push(first.count - before);
            match (rows.clock(), found) {
                (Clock::Uneven, _) => uneven = true,
                (Clock::Even(step), Some(before)) if (step - before).abs() > SAME_STEP * before => {
                    return Err(PointsError::Steps { record, step, before });
                }
                (Clock::Even(step), None) => found = Some(step),
                _ => {}
            }
        }
        if first.count < FEWEST {
            return Err(SampleError::Few { count: first.count, fewest: FEWEST }.into());
        }
        let dt = if uneven && dt.is_none() { None } else { dt.or(found) }.filter(|_| ordered);
        let (means, deviations) = first.spread.ended();
        if let Some(coordinate) = deviations.iter().position(|d| !(*d > 0.0 && d.is_finite())) {
            return Err(SampleError::Constant { coordinate }.into());
        }
        let mut left = first.head.len() / dim;
        let of_head = records.iter().map(|length| {
            let part = left.min(*length);
            left -= part;
            part
        });
        let of_head: Vec<usize> = of_head.filter(|length| *length > 0).collect();
        let head = Sample::new(first.head, dim, of_head, dt)?;
        let count = first.some.len() / dim;
        let some = Sample::new(first.some, dim, vec![count], None)?;
        Ok(Self { source, records, dt, deviations, means, extremes: first.extremes, head, some, told: found, uneven })
    }

    /// Number of points.
    pub fn count(&self) -> usize {
        self.records.iter().sum()
    }

    /// Coordinates of a point.
    pub fn dim(&self) -> usize {
        self.deviations.len()
    }

    /// Time between points; none where they are in no order, or where it differs.
    pub fn dt(&self) -> Option<f64> {
        self.dt
    }

    /// Time between points as the records tell it, in order or not.
    pub fn recorded_step(&self) -> Option<f64> {
        self.told
    }

    /// Whether the records have times that rise in steps of different lengths.
    pub fn uneven(&self) -> bool {
        self.uneven
    }

    /// Standard deviation of each coordinate, as recorded.
    pub fn deviations(&self) -> &[f64] {
        &self.deviations
    }

    /// The first points, at most 100 000, as they come.
    pub fn head(&self) -> &Sample {
        &self.head
    }

    /// Points spread over all of them, at most 20 000, in no order.
    pub fn some(&self) -> &Sample {
        &self.some
    }

    /// First and one past the last point of each record.
    pub(crate) fn spans(&self) -> Vec<(usize, usize)> {
        spans(&self.records)
    }

    /// All points from the first one on.
    pub(crate) fn rows(&self) -> Reading<'_> {
        Reading { stream: self, record: 0, given: 0, rows: None }
    }
}

/// What the first reading gathers.
struct First {
    dim: usize,
    count: usize,
    spread: Spread,
    extremes: Vec<(Extreme, Extreme)>,
    head: Vec<f64>,
    some: Vec<f64>,
    /// Every how many points one is kept.
    stride: usize,
}

impl First {
    fn new(dim: usize) -> Self {
        let none = |value: f64| Extreme { value, row: 0 };
        Self {
            dim,
            count: 0,
            spread: Spread::new(dim),
            extremes: vec![(none(f64::INFINITY), none(f64::NEG_INFINITY)); dim],
            head: Vec::new(),
            some: Vec::new(),
            stride: 1,
        }
    }

    fn add(&mut self, rows: &[f64]) -> Result<(), SampleError> {
        let (dim, before) = (self.dim, self.count);
        self.count += rows.len() / dim;
        if !rows.iter().fold(0.0, |sum, v| sum + v * 0.0).is_finite()
            && let Some(at) = rows.iter().position(|v| !v.is_finite())
        {
            return Err(SampleError::NotFinite { row: before + at / dim, coordinate: at % dim });
        }
        self.spread.add(rows);
        for (axis, (low, high)) in self.extremes.iter_mut().enumerate() {
            let column = || rows.iter().skip(axis).step_by(dim).copied();
            let (least, most) = column().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
                (if v < a { v } else { a }, if v > b { v } else { b })
            });
            let row = |value: f64| before + column().position(|v| v == value).unwrap_or(0);
            if least < low.value {
                *low = Extreme { value: least, row: row(least) };
            }
            if most > high.value {
                *high = Extreme { value: most, row: row(most) };
            }
        }
        let held = (HELD * dim - self.head.len()).min(rows.len());
        self.head.extend_from_slice(&rows[..held]);
        let mut at = before.next_multiple_of(self.stride);
        while at < self.count {
            self.some.extend_from_slice(&rows[(at - before) * dim..(at - before + 1) * dim]);
            if self.some.len() > SPREAD * dim {
                let half: Vec<f64> = self.some.chunks_exact(dim).step_by(2).flatten().copied().collect();
                (self.some, self.stride) = (half, 2 * self.stride);
            }
            at = (at + 1).next_multiple_of(self.stride);
        }
        Ok(())
    }
}

/// A reading of all records, one after the other.
pub(crate) struct Reading<'a> {
    stream: &'a Stream,
    record: usize,
    /// Points of the record that were given out.
    given: usize,
    rows: Option<Box<dyn Rows + 'a>>,
}

impl Reading<'_> {
    /// Fills the room as far as there are points, and tells how many it holds then.
    ///
    /// # Errors
    /// Records that cannot be read, or have other points than at first.
    pub(crate) fn fill(&mut self, room: &mut [f64]) -> Result<usize, PointsError> {
        let dim = self.stream.dim();
        let mut filled = 0;
        while filled < room.len() / dim && self.record < self.stream.records.len() {
            let (record, before) = (self.record, self.stream.records[self.record]);
            let rows = match &mut self.rows {
                Some(rows) => rows,
                none => none.insert(self.stream.source.open(record)?),
            };
            let count = rows.read(&mut room[filled * dim..])?;
            (self.given, filled) = (self.given + count, filled + count);
            if self.given > before || count == 0 && self.given < before {
                return Err(PointsError::Changed { record, before, now: self.given });
            }
            if count == 0 {
                (self.record, self.given, self.rows) = (record + 1, 0, None);
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::InMemory;

    fn wave(count: usize) -> Vec<f64> {
        (0..count).flat_map(|i| [(0.1 * i as f64).sin(), 3.0 + (0.07 * i as f64).cos()]).collect()
    }

    fn stream(points: Vec<f64>, records: Vec<usize>) -> Result<Stream, PointsError> {
        Stream::new(Box::new(InMemory::new(points, 2, records)?), Some(0.1), true)
    }

    #[test]
    fn a_reading_tells_what_the_points_in_memory_tell() {
        let points = wave(250_000);
        let held = Sample::new(points.clone(), 2, vec![150_000, 100_000], Some(0.1)).unwrap();
        let found = stream(points.clone(), vec![150_000, 100_000]).unwrap();
        assert_eq!(found.deviations(), held.deviations());
        assert_eq!((found.count(), found.spans()), (250_000, held.spans()));
        assert_eq!(found.head().points(), &points[..2 * HELD]);
        let some = found.some().points();
        assert!(some.len() <= 2 * SPREAD && some.len() > SPREAD);
        assert_eq!(some[2..4], points[32..34]);
        let (low, high) = found.extremes[0];
        assert_eq!((points[2 * low.row], points[2 * high.row]), (low.value, high.value));
        let mut again = vec![0.0; 2 * 999];
        let (mut reading, mut all) = (found.rows(), Vec::new());
        loop {
            let count = reading.fill(&mut again).unwrap();
            all.extend_from_slice(&again[..2 * count]);
            if count < 999 {
                break;
            }
        }
        assert_eq!(all, points);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_row() {
        let refused = |points: Vec<f64>, records: Vec<usize>| stream(points, records).err().unwrap().to_string();
        assert!(refused(wave(10), vec![10]).contains("10 points"));
        let mut hole = wave(300_000);
        hole[2 * 200_000 + 1] = f64::NAN;
        assert!(refused(hole, vec![300_000]).contains("coordinate 1 of point 200000"));
        let flat = wave(1000).chunks_exact(2).flat_map(|row| [row[0], 1.0]).collect();
        assert!(refused(flat, vec![1000]).contains("coordinate 1 never changes"));
        let source = Box::new(InMemory::new(wave(100), 2, vec![100]).unwrap());
        assert!(Stream::new(source, Some(-1.0), true).is_err());
    }

    /// A source that has one point less each time that it is read.
    struct Shrinking(std::sync::atomic::AtomicUsize);

    impl Points for Shrinking {
        fn dim(&self) -> usize {
            2
        }
        fn records(&self) -> usize {
            1
        }
        fn open(&self, _: usize) -> Result<Box<dyn Rows + '_>, PointsError> {
            let count = self.0.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
            struct Owned(InMemory, usize);
            impl Rows for Owned {
                fn read(&mut self, room: &mut [f64]) -> Result<usize, PointsError> {
                    let mut rows = self.0.open(0)?;
                    let mut skipped = vec![0.0; 2 * self.1.max(1)];
                    if self.1 > 0 {
                        rows.read(&mut skipped)?;
                    }
                    let count = rows.read(room)?;
                    self.1 += count;
                    Ok(count)
                }
            }
            Ok(Box::new(Owned(InMemory::new(wave(count), 2, vec![count])?, 0)))
        }
    }

    #[test]
    fn a_record_that_changes_is_refused() {
        let found = Stream::new(Box::new(Shrinking(1000.into())), None, false).unwrap();
        let error = found.rows().fill(&mut vec![0.0; 4000]).unwrap_err();
        assert!(matches!(error, PointsError::Changed { before: 1000, now: 999, .. }), "{error}");
    }
}
