//! NumPy's array format, written and read.
//!
//! A header may claim anything, so nothing is allocated before its length, its shape and the size of the
//! file agree.

use std::io::{Read, Write};
use std::path::PathBuf;

use super::super::points::Points;
use super::format::{Array, Asked, Format, Input, Parts};
use crate::error::ExperimentError;

/// NumPy's arrays.
pub(super) struct Npy;

impl Format for Npy {
    fn name(&self) -> &'static str {
        "NPY"
    }
    fn endings(&self) -> &'static [&'static str] {
        &["npy"]
    }
    fn magic(&self) -> Option<&'static [u8]> {
        Some(MAGIC)
    }
    fn rows(&self, input: Input, asked: &Asked<'_>) -> Result<Points, ExperimentError> {
        let path = input.path.clone();
        let array = self.array(input, asked)?;
        rows_of(array, asked).map_err(|problem| ExperimentError::Data { path, problem })
    }
    fn parts(&self, input: Input, asked: &Asked<'_>) -> Result<Option<Box<dyn Parts>>, ExperimentError> {
        let Input { path, mut reader, size, .. } = input;
        let fail = |problem: String| ExperimentError::Data { path: path.clone(), problem };
        let header = Header::read(&mut reader).map_err(fail)?;
        let (width, number, _) = header.entries(size).map_err(fail)?;
        // Coordinates that lie far apart in the file would take a reading each.
        if header.fortran && header.shape.len() > 1 {
            return Ok(None);
        }
        let dim = rows_in(&header.shape, asked.dim).map_err(fail)?;
        let skip = asked.dialect.skip;
        Ok(Some(Box::new(ArrayParts {
            path,
            reader,
            width,
            number,
            dim,
            skip,
            left: header.shape[0],
            row: 0,
            block: Vec::new(),
        })))
    }
    fn array(&self, input: Input, _: &Asked<'_>) -> Result<Array, ExperimentError> {
        let Input { path, reader, size, .. } = input;
        let read = read(reader, size).map_err(|problem| ExperimentError::Data { path, problem });
        read.map(|(shape, values)| Array { shape, values, notes: Vec::new() })
    }
}

/// Rows of an array of shape (rows, coordinates).
pub(super) fn rows_of(array: Array, asked: &Asked<'_>) -> Result<Points, String> {
    let Array { shape, mut values, mut notes } = array;
    let dim = rows_in(&shape, asked.dim)?;
    if let Some(row) = values.chunks_exact(dim).position(bad) {
        if !asked.dialect.skip {
            return Err(broken(row, &values[row * dim..(row + 1) * dim]));
        }
        let whole: Vec<f64> = values.chunks_exact(dim).filter(|row| !bad(row)).flatten().copied().collect();
        let skipped = (values.len() - whole.len()) / dim;
        notes.push(format!("{skipped} rows with missing values are left out"));
        values = whole;
        if values.is_empty() {
            return Err("every row has a missing value; at least one whole row is needed".into());
        }
    }
    Ok(Points { values, notes, ..Points::default() })
}

/// Coordinates of a row of an array of some shape.
fn rows_in(shape: &[usize], dim: usize) -> Result<usize, String> {
    if shape.len() == 2 && shape[1] == dim || dim == 1 && shape.len() == 1 {
        return Ok(dim);
    }
    let hint = if shape.len() == 2 && shape[0] == dim { "; save its transpose" } else { "" };
    Err(format!("shape {shape:?}; {dim} coordinates need shape [rows, {dim}]{hint}"))
}

/// Whether a row has something else than finite numbers.
fn bad(row: &[f64]) -> bool {
    row.iter().any(|v| !v.is_finite())
}

fn broken(row: usize, entries: &[f64]) -> String {
    format!("row {row} (from 0) is {entries:?}; repair it, or set missing = \"skip\" in [data] to leave such rows out")
}

/// An array that is read in parts.
struct ArrayParts {
    path: PathBuf,
    reader: Box<dyn Read + Send>,
    width: usize,
    number: Numbers,
    dim: usize,
    skip: bool,
    /// Rows that are not read yet, and those that are.
    left: usize,
    row: usize,
    block: Vec<u8>,
}

impl Parts for ArrayParts {
    fn read(&mut self, room: &mut [f64]) -> Result<usize, ExperimentError> {
        let (dim, path) = (self.dim, &self.path);
        let fail = |problem: String| ExperimentError::Data { path: path.clone(), problem };
        let mut kept = 0;
        // A part may be left out altogether, and is not the end then.
        while kept == 0 && self.left > 0 {
            let count = self.left.min(room.len() / dim);
            self.block.resize(BLOCK / self.width * self.width, 0);
            let mut values = &mut room[..count * dim];
            while !values.is_empty() {
                let (now, later) = values.split_at_mut(values.len().min(BLOCK / self.width));
                let bytes = &mut self.block[..now.len() * self.width];
                self.reader.read_exact(bytes).map_err(|e| fail(format!("the file is truncated or damaged: {e}")))?;
                (self.number)(bytes, now);
                values = later;
            }
            kept = count;
            // Sums of numbers times 0 are 0 but for those that are not finite, which is quick to see.
            if !room[..count * dim].iter().fold(0.0, |sum, v| sum + v * 0.0).is_finite() {
                kept = 0;
                for k in 0..count {
                    let at = k * dim..(k + 1) * dim;
                    if !bad(&room[at.clone()]) {
                        room.copy_within(at, kept * dim);
                        kept += 1;
                    } else if !self.skip {
                        return Err(fail(broken(self.row + k, &room[at])));
                    }
                }
            }
            (self.left, self.row) = (self.left - count, self.row + count);
        }
        Ok(kept)
    }
}

/// Longest header read, in bytes; those of plain arrays have about a hundred.
const MAX_HEADER: usize = 1 << 16;
/// What a header's length, the magic before it included, is a multiple of.
const ALIGNMENT: usize = 64;
/// Bytes converted at once.
const BLOCK: usize = 1 << 16;
const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Writes the header of a row-major f64 array, which its values follow.
pub fn write_header(mut target: impl Write, shape: &[usize]) -> std::io::Result<()> {
    let lengths: Vec<String> = shape.iter().map(usize::to_string).collect();
    // Python's tuple of one has a comma.
    let lengths = if shape.len() == 1 { format!("{},", lengths[0]) } else { lengths.join(", ") };
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({lengths}), }}");
    let before = MAGIC.len() + 4;
    let total = (before + header.len() + 1).next_multiple_of(ALIGNMENT);
    header.push_str(&" ".repeat(total - before - header.len() - 1));
    header.push('\n');
    let length = u16::try_from(header.len()).map_err(|_| std::io::Error::other("an array of too many axes"))?;
    target.write_all(MAGIC)?;
    target.write_all(&[1, 0])?;
    target.write_all(&length.to_le_bytes())?;
    target.write_all(header.as_bytes())
}

/// Writes values of an array.
pub fn write_values(mut target: impl Write, values: &[f64]) -> std::io::Result<()> {
    values.iter().try_for_each(|value| target.write_all(&value.to_le_bytes()))
}

/// Writes a row-major f64 array.
pub fn write(mut target: impl Write, shape: &[usize], values: &[f64]) -> std::io::Result<()> {
    write_header(&mut target, shape)?;
    write_values(target, values)
}

/// Bytes that are set aside for an array from a stream whose length is not known.
const UNKNOWN: usize = 1 << 24;

/// Reads a numeric array of a file of `size` bytes, if that is known: shape and values in row-major order; else what is
/// wrong.
pub fn read(mut reader: impl Read, size: Option<u64>) -> Result<(Vec<usize>, Vec<f64>), String> {
    let header = Header::read(&mut reader)?;
    let (width, number, total) = header.entries(size)?;
    let Header { fortran, shape, .. } = header;
    let mut values = Vec::with_capacity(if size.is_some() { total } else { total.min(UNKNOWN / 8) });
    let mut block = vec![0; BLOCK.min(width * total)];
    let mut numbers = vec![0.0; BLOCK / width];
    while values.len() < total {
        let count = (BLOCK / width).min(total - values.len());
        let part = &mut block[..count * width];
        reader.read_exact(part).map_err(|e| format!("the file is truncated or damaged: {e}"))?;
        number(part, &mut numbers[..count]);
        values.extend_from_slice(&numbers[..count]);
    }
    if fortran {
        values = row_major(&shape, &values);
    }
    Ok((shape, values))
}

/// Reads the bytes of entries as numbers, as many as there are.
type Numbers = fn(&[u8], &mut [f64]);

/// Width of an entry in bytes and how entries are read, for real numbers.
fn entry(descr: &str) -> Option<(usize, Numbers)> {
    macro_rules! number {
        ($type:ty, $from:ident) => {
            (size_of::<$type>(), |bytes, out| {
                // A loop of its own for each type, which the compiler makes vector instructions of.
                for (number, bytes) in out.iter_mut().zip(bytes.as_chunks::<{ size_of::<$type>() }>().0) {
                    *number = <$type>::$from(*bytes) as f64;
                }
            })
        };
    }
    Some(match descr {
        "<f8" => number!(f64, from_le_bytes),
        ">f8" => number!(f64, from_be_bytes),
        "<f4" => number!(f32, from_le_bytes),
        ">f4" => number!(f32, from_be_bytes),
        "<i8" => number!(i64, from_le_bytes),
        ">i8" => number!(i64, from_be_bytes),
        "<i4" => number!(i32, from_le_bytes),
        ">i4" => number!(i32, from_be_bytes),
        "<i2" => number!(i16, from_le_bytes),
        ">i2" => number!(i16, from_be_bytes),
        "|i1" => number!(i8, from_le_bytes),
        "<u8" => number!(u64, from_le_bytes),
        ">u8" => number!(u64, from_be_bytes),
        "<u4" => number!(u32, from_le_bytes),
        ">u4" => number!(u32, from_be_bytes),
        "<u2" => number!(u16, from_le_bytes),
        ">u2" => number!(u16, from_be_bytes),
        // A truth value is a byte of 0 or 1.
        "|u1" | "|b1" => number!(u8, from_le_bytes),
        _ => return None,
    })
}

/// What a file says about its values.
struct Header {
    descr: String,
    fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Width of an entry in bytes, how it is read, and how many there are in a file of `size` bytes, if that is known.
    fn entries(&self, size: Option<u64>) -> Result<(usize, Numbers, usize), String> {
        let Self { descr, shape, .. } = self;
        let (width, number) = entry(descr)
            .ok_or_else(|| format!("entries of type {descr}; save the array as float64, float32 or integers"))?;
        if shape.contains(&0) {
            return Err(format!("shape {shape:?} has no entries; save an array with values"));
        }
        let bytes = shape.iter().try_fold(width, |bytes, &n| bytes.checked_mul(n));
        if bytes.is_none_or(|bytes| size.is_some_and(|size| bytes as u64 > size)) {
            let size = size.map_or("any".to_string(), |size| format!("the file's {size}"));
            return Err(format!("shape {shape:?} does not fit in {size} bytes; the file is truncated"));
        }
        Ok((width, number, shape.iter().product()))
    }

    fn read(reader: &mut impl Read) -> Result<Self, String> {
        let mut start = [0; MAGIC.len() + 2];
        let short = |e: std::io::Error| format!("not a readable NPY file: its header ends early ({e})");
        reader.read_exact(&mut start).map_err(short)?;
        if !start.starts_with(MAGIC) {
            return Err("not an NPY file; save the array with numpy.save".into());
        }
        let mut length = [0; 4];
        let width = match start[MAGIC.len()] {
            1 => 2,
            2 | 3 => 4,
            version => return Err(format!("version {version} of the NPY format is not known; 1, 2 and 3 are")),
        };
        reader.read_exact(&mut length[..width]).map_err(short)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > MAX_HEADER {
            return Err(format!("a header of {length} bytes, at most {MAX_HEADER} are read; save a plain array"));
        }
        let mut text = vec![0; length];
        reader.read_exact(&mut text).map_err(short)?;
        let text = std::str::from_utf8(&text).map_err(|e| format!("not a readable NPY file: {e}"))?;
        Scanner(text).header().ok_or_else(|| {
            let shown: String = text.trim().chars().take(120).collect();
            format!("its header {shown:?} is not that of a plain array; save one with numpy.save")
        })
    }
}

/// The rest of a header's text, a Python dictionary.
struct Scanner<'a>(&'a str);

impl<'a> Scanner<'a> {
    fn header(&mut self) -> Option<Header> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        self.expect("{")?;
        while !self.take("}") {
            let key = self.string()?;
            self.expect(":")?;
            match key {
                "descr" => descr = Some(self.string()?.to_string()),
                "fortran_order" => fortran = Some(self.boolean()?),
                "shape" => shape = Some(self.lengths()?),
                _ => return None,
            }
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        if !self.0.trim().is_empty() {
            return None;
        }
        Some(Header { descr: descr?, fortran: fortran?, shape: shape? })
    }

    /// Goes past white space and `text`, if that is what comes.
    fn take(&mut self, text: &str) -> bool {
        self.expect(text).is_some()
    }

    fn expect(&mut self, text: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(text)?;
        Some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (text, rest) = rest[1..].split_once(quote)?;
        self.0 = rest;
        Some(text)
    }

    fn boolean(&mut self) -> Option<bool> {
        if self.take("True") { Some(true) } else { self.expect("False").map(|()| false) }
    }

    /// A tuple of whole numbers.
    fn lengths(&mut self) -> Option<Vec<usize>> {
        let mut lengths = Vec::new();
        self.expect("(")?;
        while !self.take(")") {
            let rest = self.0.trim_start();
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            lengths.push(rest[..end].parse().ok()?);
            self.0 = &rest[end..];
            // Python 2 writes long integers so.
            self.take("L");
            if !self.take(",") {
                self.expect(")")?;
                break;
            }
        }
        Some(lengths)
    }
}

/// Column-major storage as row-major.
fn row_major(shape: &[usize], values: &[f64]) -> Vec<f64> {
    let mut out = Vec::with_capacity(values.len());
    let mut index = vec![0usize; shape.len()];
    for _ in 0..values.len() {
        let at = index.iter().zip(shape).rev().fold(0, |at, (i, n)| at * n + i);
        out.push(values[at]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with the given header text and entries.
    fn file(header: &str, entries: &[u8]) -> Vec<u8> {
        let length = (header.len() as u16).to_le_bytes();
        [&MAGIC[..], &[1, 0], &length, header.as_bytes(), entries].concat()
    }

    fn parse(bytes: &[u8]) -> Result<(Vec<usize>, Vec<f64>), String> {
        read(bytes, Some(bytes.len() as u64))
    }

    #[test]
    fn the_bytes_are_those_of_numpy() {
        let mut bytes = Vec::new();
        write(&mut bytes, &[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }";
        assert_eq!(bytes[..10], *b"\x93NUMPY\x01\x00\x76\x00");
        assert_eq!(String::from_utf8_lossy(&bytes[10..128]), format!("{header:<117}\n"));
        assert_eq!(bytes.len(), 128 + 48);
        bytes.clear();
        write(&mut bytes, &[7], &[0.5; 7]).unwrap();
        assert!(String::from_utf8_lossy(&bytes[10..128]).contains("'shape': (7,), }"));
        assert_eq!(parse(&bytes).unwrap(), (vec![7], vec![0.5; 7]));
    }

    #[test]
    fn every_kind_of_number_in_both_orders() {
        let values: Vec<f64> = (0..6).map(f64::from).collect();
        let entries = |f: &dyn Fn(f64) -> Vec<u8>| values.iter().flat_map(|v| f(*v)).collect::<Vec<u8>>();
        for (descr, entries) in [
            ("<f8", entries(&|v| v.to_le_bytes().into())),
            (">f8", entries(&|v| v.to_be_bytes().into())),
            ("<f4", entries(&|v| (v as f32).to_le_bytes().into())),
            (">f4", entries(&|v| (v as f32).to_be_bytes().into())),
            ("<i8", entries(&|v| (v as i64).to_le_bytes().into())),
            (">i8", entries(&|v| (v as i64).to_be_bytes().into())),
            ("<i4", entries(&|v| (v as i32).to_le_bytes().into())),
            (">i4", entries(&|v| (v as i32).to_be_bytes().into())),
            ("<i2", entries(&|v| (v as i16).to_le_bytes().into())),
            (">u8", entries(&|v| (v as u64).to_be_bytes().into())),
            ("<u4", entries(&|v| (v as u32).to_le_bytes().into())),
            ("|u1", entries(&|v| vec![v as u8])),
        ] {
            let header = format!("{{\"shape\":(2L,3L),'fortran_order':False , 'descr': '{descr}'}}\n");
            assert_eq!(parse(&file(&header, &entries)).unwrap(), (vec![2, 3], values.clone()), "{descr}");
            let header = header.replace("False", "True");
            let (shape, columns) = parse(&file(&header, &entries)).unwrap();
            assert_eq!((shape, columns), (vec![2, 3], vec![0.0, 2.0, 4.0, 1.0, 3.0, 5.0]), "{descr}");
        }
    }

    #[test]
    fn what_a_file_cannot_hold_is_refused_before_it_is_read() {
        let shaped = |shape: &str| {
            parse(&file(&format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"), &[0; 16]))
        };
        assert_eq!(shaped("(2,)").unwrap().1, [0.0; 2]);
        assert_eq!(shaped("()").unwrap(), (vec![], vec![0.0]));
        for shape in [
            "(1000000000000,)",
            "(4294967296, 4294967296, 16)",
            // The product is 2 modulo 2^64.
            "(6148914691236517206, 3)",
        ] {
            assert!(shaped(shape).unwrap_err().contains("does not fit"), "{shape}");
        }
        for shape in ["(0, 3)", "(18446744073709551615, 18446744073709551615, 0)"] {
            assert!(shaped(shape).unwrap_err().contains("no entries"), "{shape}");
        }
        for shape in ["(-1,)", "(18446744073709551616,)", "(2", "2", "(2.0,)", "((2,),)", "(,)", "[2]"] {
            assert!(shaped(shape).unwrap_err().contains("is not that of a plain array"), "{shape}");
        }
        assert!(parse(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{").unwrap_err().contains("4294967295 bytes"));
        assert!(parse(b"\x93NUMPY\x04\x00\x00\x00").unwrap_err().contains("version 4"));
        assert!(parse(b"\x93NUMPY\x01\x00\xff\xff{").unwrap_err().contains("ends early"));
        assert!(parse(b"not numpy at all").unwrap_err().contains("not an NPY file"));
        let mut bytes = Vec::new();
        write(&mut bytes, &[2, 3], &[1.0; 6]).unwrap();
        assert!(parse(&bytes[..bytes.len() - 3]).unwrap_err().contains("truncated"));
        assert!(read(&bytes[..bytes.len() - 3], Some(bytes.len() as u64)).unwrap_err().contains("truncated"));
        let complex = file("{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }", &[0; 16]);
        assert!(parse(&complex).unwrap_err().contains("<c16"));
        let structured = file("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", &[0; 8]);
        assert!(parse(&structured).unwrap_err().contains("plain array"));
    }
}
