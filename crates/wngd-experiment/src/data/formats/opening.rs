//! How a data file is opened, and which format it has.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::format::{Format, Input};
use super::{FORMATS, foreign};
use crate::error::ExperimentError;
use crate::memory;

/// Largest data file read, in bytes.
const MAX_BYTES: u64 = 4 << 30;
/// Bytes that tell a format.
const MAGIC: u64 = 512;
/// What a file packed with gzip begins with.
const GZIP: &[u8] = b"\x1f\x8b";

impl Input {
    /// Opens a file.
    ///
    /// # Errors
    /// A file that cannot be read, or is of a kind that is not read.
    pub fn open(path: &Path) -> Result<Self, ExperimentError> {
        Self::open_within(path, MAX_BYTES)
    }

    /// Opens a file that is read in parts, of any size.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_in_parts(path: &Path) -> Result<Self, ExperimentError> {
        Self::open_within(path, u64::MAX)
    }

    fn open_within(path: &Path, most: u64) -> Result<Self, ExperimentError> {
        let read = |source| ExperimentError::Read { path: path.to_path_buf(), source };
        let fail = |problem: String| ExperimentError::Data { path: path.to_path_buf(), problem };
        let file = File::open(path).map_err(read)?;
        let meta = file.metadata().map_err(read)?;
        if meta.is_dir() {
            return Err(fail("a folder; name a file in it".into()));
        }
        let size = meta.len();
        if size > most {
            return Err(fail(format!("{size} bytes; {}", Limited::<File>::PROBLEM)));
        }
        // Pipes and devices do not tell their size.
        let size = meta.is_file().then_some(size);
        let reader = BufReader::with_capacity(1 << 20, Limited { reader: file, left: most });
        Self::new(path.to_path_buf(), Box::new(reader), size, most)
    }

    /// Text under the name of a file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn embedded(path: PathBuf, text: &'static str) -> Result<Self, ExperimentError> {
        Self::new(path, Box::new(text.as_bytes()), Some(text.len() as u64), MAX_BYTES)
    }

    /// Bytes under the name of a file.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn bytes(path: PathBuf, bytes: Vec<u8>) -> Result<Self, ExperimentError> {
        let size = bytes.len() as u64;
        Self::new(path, Box::new(Cursor::new(bytes)), Some(size), MAX_BYTES)
    }

    fn new(path: PathBuf, reader: Box<dyn Read + Send>, size: Option<u64>, most: u64) -> Result<Self, ExperimentError> {
        let read = |source| ExperimentError::Read { path: path.clone(), source };
        let fail = |problem: String| ExperimentError::Data { path: path.clone(), problem };
        let (mut start, mut reader) = begin(reader).map_err(read)?;
        let (mut inside, mut size) = (path.clone(), size);
        if start.starts_with(GZIP) {
            // A small file may unpack to any size.
            let packed = Cursor::new(start).chain(reader);
            let unpacked: Box<dyn Read + Send> = Box::new(Limited { reader: MultiGzDecoder::new(packed), left: most });
            let damaged = |e: std::io::Error| fail(format!("it is packed with gzip and cannot be unpacked: {e}"));
            (start, reader) = begin(unpacked).map_err(damaged)?;
            size = None;
            if inside.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz")) {
                inside.set_extension("");
            }
        }
        let held = size.filter(|_| most == MAX_BYTES);
        if let Some(problem) = held.and_then(|size| memory::lacking(size, "thin the data or bin it into a density")) {
            return Err(fail(problem));
        }
        let by_magic = FORMATS.iter().find(|f| f.magic().is_some_and(|magic| start.starts_with(magic)));
        let format = match by_magic {
            Some(format) => *format,
            None => match foreign::refuse(&start) {
                Some(problem) => return Err(fail(problem)),
                None => by_ending(&inside),
            },
        };
        let reader = Box::new(Cursor::new(start).chain(reader));
        Ok(Self { path, reader, size, format })
    }
}

/// The first bytes of a stream, and the rest of it.
fn begin(mut reader: Box<dyn Read + Send>) -> std::io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut start = Vec::new();
    (&mut reader).take(MAGIC).read_to_end(&mut start)?;
    Ok((start, reader))
}

/// The format of an ending, or the first one.
fn by_ending(path: &Path) -> &'static dyn Format {
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    FORMATS.iter().find(|f| f.endings().contains(&ending.as_str())).copied().unwrap_or(FORMATS[0])
}

/// A reader that fails, instead of ending, where too much comes.
struct Limited<R> {
    reader: R,
    left: u64,
}

impl<R> Limited<R> {
    const PROBLEM: &'static str = "at most 4 GiB are read: thin the data or bin it into a density";
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| std::io::Error::other(Self::PROBLEM))?;
        Ok(count)
    }
}
