//! Trajectories in files that are read in parts, since they are too large to be held.

use wngd::identify::{Clock, Points, PointsError, Rows};

use super::formats::{Asked, Input, Parts, Time};
use super::recording::Recording;
use crate::error::ExperimentError;

/// Bytes of all files of a trajectory together beyond which it is read in parts: 8 million points of three coordinates in NPY.
/// The same on every machine, so that the same files have the same answer.
const LARGE: u64 = 200_000_000;

/// A recording that is read again whenever its points are needed.
pub struct InParts {
    recording: Recording,
    dim: usize,
}

impl InParts {
    /// The recording in parts, if its files are large and can be read so; else the recording itself.
    ///
    /// # Errors
    /// Files that cannot be opened, columns that do not fit.
    pub fn of(recording: Recording, dim: usize) -> Result<Result<Self, Recording>, ExperimentError> {
        let size =
            |path: &std::path::PathBuf| std::fs::metadata(path).map_or(0, |m| if m.is_file() { m.len() } else { 0 });
        if recording.paths.iter().map(size).sum::<u64>() <= LARGE {
            return Ok(Err(recording));
        }
        Self::whatever_size(recording, dim)
    }

    fn whatever_size(recording: Recording, dim: usize) -> Result<Result<Self, Recording>, ExperimentError> {
        let it = Self { recording, dim };
        for record in 0..it.recording.paths.len() {
            if it.file(record)?.is_none() {
                return Ok(Err(it.recording));
            }
        }
        Ok(Ok(it))
    }

    fn file(&self, record: usize) -> Result<Option<Box<dyn Parts>>, ExperimentError> {
        let Recording { paths, columns, dialect, .. } = &self.recording;
        let (path, variables) = (&paths[record], &self.recording.variables_of(self.dim)[..]);
        let input = Input::open_in_parts(path)?;
        let format = input.format();
        let asked =
            Asked { columns: columns.as_deref(), variables, time: Time::Column, ..Asked::new(self.dim, dialect) };
        asked.check(format).map_err(|problem| ExperimentError::Data { path: path.clone(), problem })?;
        format.parts(input, &asked)
    }
}

impl Points for InParts {
    fn dim(&self) -> usize {
        self.dim
    }
    fn records(&self) -> usize {
        self.recording.paths.len()
    }
    fn open(&self, record: usize) -> Result<Box<dyn Rows + '_>, PointsError> {
        let changed = || ExperimentError::Data {
            path: self.recording.paths[record].clone(),
            problem: "it is written in another way than at first; leave it as it is while it is read".into(),
        };
        let parts = self.file(record).and_then(|parts| parts.ok_or_else(changed)).map_err(failed)?;
        let Recording { burn_in, stride, .. } = self.recording;
        Ok(Box::new(Taken { parts, dim: self.dim, before: burn_in, stride }))
    }
}

fn failed(error: ExperimentError) -> PointsError {
    PointsError::Read(Box::new(error))
}

/// Rows of a file that count.
struct Taken {
    parts: Box<dyn Parts>,
    dim: usize,
    /// Rows that are left out before the next one that counts.
    before: usize,
    stride: usize,
}

impl Rows for Taken {
    fn read(&mut self, room: &mut [f64]) -> Result<usize, PointsError> {
        loop {
            let count = self.parts.read(room).map_err(failed)?;
            if count == 0 || (self.before == 0 && self.stride == 1) {
                return Ok(count);
            }
            let mut kept = 0;
            let mut at = self.before;
            while at < count {
                room.copy_within(at * self.dim..(at + 1) * self.dim, kept * self.dim);
                (at, kept) = (at + self.stride, kept + 1);
            }
            self.before = at - count;
            if kept > 0 {
                return Ok(kept);
            }
        }
    }

    fn clock(&self) -> Clock {
        match self.parts.clock() {
            Clock::Even(dt) => Clock::Even(dt * self.stride as f64),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::formats::{Dialect, write_npy};
    use super::*;
    use wngd::identify::Stream;

    fn recording(name: &str, bytes: &[u8], burn_in: usize, stride: usize) -> Recording {
        let path = std::env::temp_dir().join(format!("wngd-parts-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let dialect = Dialect { skip: name.contains("gaps"), ..Dialect::default() };
        Recording { paths: vec![path.clone(), path], columns: None, variables: Vec::new(), burn_in, stride, dialect }
    }

    fn rows(count: usize) -> Vec<[f64; 2]> {
        (0..count).map(|i| [(0.1 * i as f64).sin(), 0.25 * i as f64]).collect()
    }

    /// All points by parts of an odd size.
    fn all(parts: &InParts) -> Vec<f64> {
        let (mut all, mut room) = (Vec::new(), vec![0.0; 2 * 77]);
        for record in 0..parts.records() {
            let mut rows = parts.open(record).unwrap();
            loop {
                let count = rows.read(&mut room).unwrap();
                if count == 0 {
                    break;
                }
                all.extend_from_slice(&room[..2 * count]);
            }
        }
        all
    }

    #[test]
    fn parts_are_the_points_of_the_whole_in_every_format() {
        let csv = |gap: usize| {
            let line = |(i, row): (usize, &[f64; 2])| {
                let x = if i == gap { "NA".into() } else { row[0].to_string() };
                format!("{},{x},{}\n", 0.5 * i as f64, row[1])
            };
            format!("t,x,y\n{}", rows(1000).iter().enumerate().map(line).collect::<String>()).into_bytes()
        };
        let mut npy = Vec::new();
        write_npy(&mut npy, &[1000, 2], &rows(1000).concat()).unwrap();
        let mut holes = rows(1000);
        (100..300).for_each(|i| holes[i][1] = f64::NAN);
        let mut npy_holes = Vec::new();
        write_npy(&mut npy_holes, &[1000, 2], &holes.concat()).unwrap();
        for (name, bytes, dt) in [
            ("a.csv", csv(2000), Some(0.5)),
            ("gaps.csv", csv(500), Some(0.5)),
            ("a.npy", npy, None),
            ("gaps.npy", npy_holes, None),
        ] {
            for (burn_in, stride) in [(0, 1), (333, 1), (5, 7)] {
                let it = recording(name, &bytes, burn_in, stride);
                let whole = it.read(2).unwrap();
                let parts = InParts::whatever_size(it.clone(), 2).unwrap().ok().unwrap();
                assert_eq!(all(&parts), whole.values, "{name}");
                let stream = Stream::new(Box::new(parts), None, true).unwrap();
                // A row that was left out leaves a longer step behind it.
                assert_eq!(stream.uneven(), whole.uneven.is_some(), "{name}");
                assert_eq!(stream.dt(), dt.filter(|_| !stream.uneven()).map(|dt: f64| dt * stride as f64));
                assert_eq!(stream.count(), whole.values.len() / 2);
            }
            std::fs::remove_file(&recording(name, &bytes, 0, 1).paths[0]).unwrap();
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_name() {
        let refused = |name: &str, bytes: &[u8]| {
            let it = recording(name, bytes, 0, 1);
            let parts = InParts::whatever_size(it.clone(), 2).unwrap().ok().unwrap();
            let error = Stream::new(Box::new(parts), None, true).err().unwrap().to_string();
            std::fs::remove_file(&it.paths[0]).unwrap();
            assert!(error.contains(name), "{error}");
            error
        };
        assert!(refused("b.csv", b"x,y\n1,2\n3,what\n").contains("line 3, column y"));
        let mut npy = Vec::new();
        write_npy(&mut npy, &[3, 2], &[1.0, 2.0, 3.0, f64::NAN, 5.0, 6.0]).unwrap();
        assert!(refused("b.npy", &npy).contains("row 1 (from 0)"));
    }

    #[test]
    fn times_that_rise_unevenly_are_told() {
        let text: String = (0..100).map(|i| format!("{},{},{}\n", i * i, (i % 7), i)).collect();
        let it = recording("c.csv", format!("t,x,y\n{text}").as_bytes(), 0, 1);
        let parts = InParts::whatever_size(it.clone(), 2).unwrap().ok().unwrap();
        let stream = Stream::new(Box::new(parts), None, true).unwrap();
        assert!(stream.uneven() && stream.dt().is_none());
        assert!(InParts::of(it.clone(), 2).unwrap().is_err(), "a small file is held");
        std::fs::remove_file(&it.paths[0]).unwrap();
    }

    #[test]
    fn columns_that_lie_apart_are_held() {
        let mut npy = Vec::new();
        write_npy(&mut npy, &[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let at = npy.windows(5).position(|w| w == b"False").unwrap();
        npy[at..at + 5].copy_from_slice(b"True ");
        let it = recording("d.npy", &npy, 0, 1);
        assert!(InParts::whatever_size(it.clone(), 2).unwrap().is_err());
        std::fs::remove_file(&it.paths[0]).unwrap();
    }
}
