//! Reading samples (CSV, NPY) and densities (NPY), with errors that name row and column.

use std::io::Read;
use std::path::Path;

use crate::error::CliError;

/// Largest data file read, in bytes.
const MAX_BYTES: u64 = 4 << 30;

/// A readable data file: on disk, or built in.
pub enum Bytes {
    /// On disk.
    File(std::fs::File),
    /// Built in.
    Memory(&'static [u8]),
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Bytes::File(file) => file.read(buffer),
            Bytes::Memory(bytes) => bytes.read(buffer),
        }
    }
}

/// Opens a data file for reading and tells its size.
pub fn open(path: &Path) -> Result<(Bytes, u64), CliError> {
    let read = |source| CliError::Read { path: path.to_path_buf(), source };
    let file = std::fs::File::open(path).map_err(read)?;
    let size = file.metadata().map_err(read)?.len();
    if size > MAX_BYTES {
        let problem = format!("{size} bytes; at most {MAX_BYTES} are read: thin the data or bin it into a density");
        return Err(CliError::Data { path: path.to_path_buf(), problem });
    }
    Ok((Bytes::File(file), size))
}

/// Samples from a CSV file with a header: the named columns, or all if they are as many as the axes.
pub fn csv_samples(
    path: &Path,
    reader: impl Read,
    columns: Option<&[String]>,
    dim: usize,
) -> Result<Vec<Vec<f64>>, CliError> {
    let fail = |problem: String| CliError::Data { path: path.to_path_buf(), problem };
    let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(reader);
    let header: Vec<String> = csv.headers().map_err(|e| fail(e.to_string()))?.iter().map(str::to_string).collect();
    if header.is_empty() || header.iter().all(String::is_empty) {
        return Err(fail("the file is empty; a header line and at least one row are needed".into()));
    }
    let indices: Vec<usize> = match columns {
        Some(names) => names
            .iter()
            .map(|name| {
                header.iter().position(|h| h == name).ok_or_else(|| {
                    fail(format!("there is no column \"{name}\"; the columns are {}", header.join(", ")))
                })
            })
            .collect::<Result<_, _>>()?,
        None => (0..header.len()).collect(),
    };
    if indices.len() != dim {
        return Err(fail(format!(
            "{} columns for {dim} grid axes; choose them with data.columns (the file has {})",
            indices.len(),
            header.join(", ")
        )));
    }
    let mut samples = Vec::new();
    for record in csv.records() {
        let record = record.map_err(|e| fail(e.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let mut sample = Vec::with_capacity(dim);
        for &i in &indices {
            let text = record.get(i).unwrap_or("");
            match text.parse::<f64>() {
                Ok(value) if value.is_finite() => sample.push(value),
                _ => {
                    return Err(fail(format!(
                        "line {line}, column {}: \"{text}\" is not a finite number; remove the row or repair it",
                        header[i]
                    )));
                }
            }
        }
        samples.push(sample);
    }
    if samples.is_empty() {
        return Err(fail("no data rows below the header; at least one is needed".into()));
    }
    Ok(samples)
}

/// Points of a trajectory, row-major, and the time between them where the file tells it.
pub struct Points {
    /// N rows of as many coordinates as columns were read.
    pub values: Vec<f64>,
    /// Mean time step, from a column `t` or `time` that rises.
    pub dt: Option<f64>,
}

/// A trajectory from a CSV file with a header: the named columns, or all but the time column.
pub fn csv_trajectory(
    path: &Path,
    reader: impl Read,
    columns: Option<&[String]>,
    dim: usize,
) -> Result<Points, CliError> {
    let fail = |problem: String| CliError::Data { path: path.to_path_buf(), problem };
    let mut csv = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(reader);
    let header: Vec<String> = csv.headers().map_err(|e| fail(e.to_string()))?.iter().map(|h| h.trim().into()).collect();
    let time = header.iter().position(|h| h.eq_ignore_ascii_case("t") || h.eq_ignore_ascii_case("time"));
    let indices: Vec<usize> = match columns {
        Some(names) => names
            .iter()
            .map(|name| {
                header.iter().position(|h| h == name).ok_or_else(|| {
                    fail(format!("there is no column \"{name}\"; the columns are {}", header.join(", ")))
                })
            })
            .collect::<Result<_, _>>()?,
        None => (0..header.len()).filter(|i| Some(*i) != time).collect(),
    };
    if indices.len() != dim {
        let shown = header.join(", ");
        return Err(fail(format!(
            "{} columns for {dim} coordinates; choose them with columns (the file has {shown})",
            indices.len()
        )));
    }
    let mut values = Vec::new();
    let mut clock: Option<(f64, f64)> = None;
    let mut record = csv::ByteRecord::new();
    while csv.read_byte_record(&mut record).map_err(|e| fail(e.to_string()))? {
        let number = |i: usize| {
            let text = std::str::from_utf8(record.get(i).unwrap_or(b"")).unwrap_or("").trim();
            text.parse::<f64>().ok().filter(|v| v.is_finite()).ok_or_else(|| {
                let line = record.position().map_or(0, csv::Position::line);
                let column = &header[i];
                fail(format!(
                    "line {line}, column {column}: \"{text}\" is not a finite number; remove the row or repair it"
                ))
            })
        };
        for &i in &indices {
            values.push(number(i)?);
        }
        if let Some(i) = time {
            let now = number(i)?;
            clock = Some((clock.map_or(now, |(first, _)| first), now));
        }
    }
    let steps = (values.len() / dim).saturating_sub(1) as f64;
    let dt = clock.map(|(first, last)| (last - first) / steps).filter(|dt| dt.is_finite() && *dt > 0.0);
    Ok(Points { values, dt })
}

/// A numeric array from an NPY file of `size` bytes: shape and values in row-major order.
pub fn npy_array(path: &Path, reader: impl Read, size: u64) -> Result<(Vec<usize>, Vec<f64>), CliError> {
    let fail = |problem: String| CliError::Data { path: path.to_path_buf(), problem };
    let npy = npyz::NpyFile::new(reader).map_err(|e| fail(format!("not a readable NPY file: {e}")))?;
    let shape: Vec<usize> = npy.shape().iter().map(|&n| n as usize).collect();
    let fortran = npy.order() == npyz::Order::Fortran;
    let kind = npy.dtype().descr();
    // A header may claim any shape; the file must be able to hold it.
    let total = shape.iter().try_fold(1usize, |t, &n| t.checked_mul(n)).filter(|&t| t as u64 <= size);
    let Some(total) = total else {
        return Err(fail(format!("shape {shape:?} does not fit in the file's {size} bytes; the file is truncated")));
    };
    let values = numbers(npy)
        .ok_or_else(|| fail(format!("entries of type {kind}; save the array as float64 or float32")))?
        .map_err(|e| fail(format!("the file is truncated or damaged: {e}")))?;
    if values.len() != total {
        return Err(fail(format!("{} values for shape {shape:?}; the file is truncated", values.len())));
    }
    Ok(if fortran { (shape.clone(), row_major(&shape, &values)) } else { (shape, values) })
}

/// The entries as f64, `None` for types that are no real numbers.
fn numbers<R: Read>(npy: npyz::NpyFile<R>) -> Option<std::io::Result<Vec<f64>>> {
    fn collect<T: npyz::Deserialize, R: Read>(
        reader: npyz::NpyReader<T, R>,
        convert: impl Fn(T) -> f64,
    ) -> std::io::Result<Vec<f64>> {
        reader.map(|value| value.map(&convert)).collect()
    }
    let npy = match npy.try_data::<f64>() {
        Ok(reader) => return Some(collect(reader, |v| v)),
        Err(npy) => npy,
    };
    let npy = match npy.try_data::<f32>() {
        Ok(reader) => return Some(collect(reader, f64::from)),
        Err(npy) => npy,
    };
    let npy = match npy.try_data::<i64>() {
        Ok(reader) => return Some(collect(reader, |v| v as f64)),
        Err(npy) => npy,
    };
    npy.try_data::<i32>().ok().map(|reader| collect(reader, f64::from))
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

    fn csv(text: &str, columns: Option<&[&str]>, dim: usize) -> Result<Vec<Vec<f64>>, String> {
        let names: Option<Vec<String>> = columns.map(|c| c.iter().map(|s| s.to_string()).collect());
        csv_samples(Path::new("x.csv"), text.as_bytes(), names.as_deref(), dim).map_err(|e| e.to_string())
    }

    #[test]
    fn csv_columns_are_chosen_by_name() {
        let rows = csv("a, b ,c\n1,2,3\n4,5,6\n", Some(&["c", "a"]), 2).unwrap();
        assert_eq!(rows, [[3.0, 1.0], [6.0, 4.0]]);
    }

    #[test]
    fn csv_errors_name_the_place() {
        assert!(csv("", None, 1).unwrap_err().contains("empty"));
        assert!(csv("a,b\n", None, 2).unwrap_err().contains("no data rows"));
        assert!(csv("a,b\n1,2\n3\n", None, 2).unwrap_err().contains("line: 3"));
        assert!(csv("a,b\n1,2\n3,nan\n", None, 2).unwrap_err().contains("line 3, column b"));
        assert!(csv("a,b\n1,x\n", None, 2).unwrap_err().contains("\"x\""));
        assert!(csv("a,b\n1,2\n", Some(&["z"]), 1).unwrap_err().contains("there is no column \"z\""));
        assert!(csv("a,b,c\n1,2,3\n", None, 2).unwrap_err().contains("3 columns for 2 grid axes"));
    }

    #[test]
    fn trajectories_leave_the_time_column_out() {
        let read = |text: &str, columns: Option<&[String]>, dim| {
            csv_trajectory(Path::new("x.csv"), text.as_bytes(), columns, dim).map_err(|e| e.to_string())
        };
        let text = "t, x,y\n0.5,1,2\n1.0, 3,4\n1.5,5,6\n";
        let points = read(text, None, 2).unwrap();
        assert_eq!((points.values, points.dt), (vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], Some(0.5)));
        assert_eq!(read(text, Some(&["y".to_string()]), 1).unwrap().values, [2.0, 4.0, 6.0]);
        assert!(read(text, None, 3).err().unwrap().contains("2 columns for 3 coordinates"));
        assert!(read("x,y\n1,2\n3,nan\n", None, 2).err().unwrap().contains("line 3, column y"));
        assert_eq!(read("x,y\n1,2\n3,4\n", None, 2).unwrap().dt, None);
    }

    #[test]
    fn npy_in_both_orders_and_damaged() {
        let values: Vec<f64> = (0..6).map(f64::from).collect();
        let mut bytes = Vec::new();
        crate::output::npy::write(&mut bytes, &[2, 3], &values).unwrap();
        let path = Path::new("x.npy");
        assert_eq!(npy_array(path, &bytes[..], bytes.len() as u64).unwrap(), (vec![2, 3], values));
        assert!(npy_array(path, &bytes[..bytes.len() - 3], bytes.len() as u64).is_err());
        assert!(npy_array(path, &bytes[..20], 20).is_err());
        assert!(npy_array(path, &b"not numpy"[..], 9).is_err());
        let fortran = String::from_utf8_lossy(&bytes[..80]).replace("'fortran_order': False", "'fortran_order': True ");
        let mut changed = bytes.clone();
        changed[..80].copy_from_slice(&fortran.as_bytes()[..80]);
        if let Ok((shape, values)) = npy_array(path, &changed[..], changed.len() as u64) {
            assert_eq!((shape, values), (vec![2, 3], vec![0.0, 2.0, 4.0, 1.0, 3.0, 5.0]));
        }
    }
}
