//! NumPy's archives of arrays: ZIP files of NPY files.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::super::points::Points;
use super::format::{Array, Asked, Format, Input};
use super::npy::{read, rows_of};
use crate::error::ExperimentError;
use crate::facts::{NAMES, listed};
use crate::registry::near;

/// Most bytes of an array that is unpacked.
const MAX_UNPACKED: u64 = 4 << 30;

/// NumPy's archives.
pub(super) struct Npz;

impl Format for Npz {
    fn name(&self) -> &'static str {
        "NPZ"
    }
    fn endings(&self) -> &'static [&'static str] {
        &["npz"]
    }
    fn magic(&self) -> Option<&'static [u8]> {
        Some(b"PK\x03\x04")
    }
    /// Arrays of one axis are columns.
    fn has_columns(&self) -> bool {
        true
    }
    fn rows(&self, input: Input, asked: &Asked<'_>) -> Result<Points, ExperimentError> {
        self.archive(input, |archive| match asked.columns {
            None if asked.beside.is_some() => {
                Err("name the arrays of the coordinates by columns, one per axis, beside the weights".into())
            }
            None => rows_of(archive.one(asked.dialect.array.as_deref())?, asked),
            Some(names) => archive.columns(names, asked),
        })
    }
    fn array(&self, input: Input, asked: &Asked<'_>) -> Result<Array, ExperimentError> {
        self.archive(input, |archive| archive.one(asked.dialect.array.as_deref()))
    }
}

impl Npz {
    fn archive<T>(
        &self,
        input: Input,
        ask: impl FnOnce(&mut Archive) -> Result<T, String>,
    ) -> Result<T, ExperimentError> {
        let Input { path, mut reader, .. } = input;
        let fail = |problem: String| ExperimentError::Data { path: path.clone(), problem };
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|e| fail(e.to_string()))?;
        Archive::open(bytes).and_then(|mut archive| ask(&mut archive)).map_err(fail)
    }
}

/// An archive with the names of its arrays.
struct Archive {
    zip: ZipArchive<Cursor<Vec<u8>>>,
    names: Vec<String>,
}

impl Archive {
    fn open(bytes: Vec<u8>) -> Result<Self, String> {
        let zip = ZipArchive::new(Cursor::new(bytes));
        let zip = zip.map_err(|e| format!("not a readable NPZ file: {e}; save the arrays with numpy.savez"))?;
        // Names that are no text are none of NumPy's.
        let files: Vec<String> = zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
        let mut names: Vec<String> =
            files.iter().filter_map(|name| name.strip_suffix(".npy")).map(str::to_string).collect();
        names.sort();
        if names.is_empty() {
            let has = |part: &str| files.iter().any(|name| name.starts_with(part));
            return Err(match () {
                () if has("xl/") => "it is an Excel workbook (XLSX); save the sheet as CSV".into(),
                () if has("content.xml") => "it is an OpenDocument file; save the sheet as CSV".into(),
                () => format!("it is a ZIP archive of {}; unpack it first", listed(&files, NAMES)),
            });
        }
        Ok(Self { zip, names })
    }

    /// The array of a name, or the only one.
    fn one(&mut self, name: Option<&str>) -> Result<Array, String> {
        let name = match (name, &self.names[..]) {
            (Some(name), _) => name.to_string(),
            (None, [only]) => only.clone(),
            (None, names) => {
                return Err(format!(
                    "it holds {} arrays, {}; choose one with array = \"{}\" in [data]",
                    names.len(),
                    listed(names, NAMES),
                    names[0]
                ));
            }
        };
        self.read(&name)
    }

    fn read(&mut self, name: &str) -> Result<Array, String> {
        if !self.names.iter().any(|known| known == name) {
            let known: Vec<&str> = self.names.iter().map(String::as_str).collect();
            let hint = near(name, &known).map_or(String::new(), |near| format!(", did you mean \"{near}\"?"));
            return Err(format!("there is no array \"{name}\"{hint}; there are {}", listed(&self.names, NAMES)));
        }
        let about = |problem: String| format!("array {name}: {problem}");
        let file = self.zip.by_name(&format!("{name}.npy")).map_err(|e| about(e.to_string()))?;
        // What an archive says of sizes is not to be trusted.
        let (shape, values) = read(file.take(MAX_UNPACKED), None).map_err(about)?;
        Ok(Array { shape, values, notes: Vec::new() })
    }

    /// Arrays of one axis as columns, or one array of two.
    fn columns(&mut self, names: &[String], asked: &Asked<'_>) -> Result<Points, String> {
        let mut columns = Vec::new();
        for name in names.iter().map(String::as_str).chain(asked.beside) {
            let Array { shape, values, .. } = self.read(name.trim())?;
            if shape.len() != 1 && !(shape.len() == 2 && shape[1] == 1) {
                return Err(format!("array {name} has shape {shape:?}; one axis makes it a column"));
            }
            columns.push((name, values));
        }
        if names.len() != asked.dim {
            return Err(format!("{} columns for {} coordinates; name one array per axis", names.len(), asked.dim));
        }
        let rows = columns[0].1.len();
        if let Some((name, values)) = columns.iter().find(|(_, values)| values.len() != rows) {
            let first = columns[0].0;
            return Err(format!("{name} has {} values, {first} has {rows}; columns are of one length", values.len()));
        }
        let width = columns.len();
        let values: Vec<f64> = (0..rows).flat_map(|row| columns.iter().map(move |(_, v)| v[row])).collect();
        let asked_wide = Asked { dim: width, ..*asked };
        let points = rows_of(Array { shape: vec![rows, width], values, notes: Vec::new() }, &asked_wide)?;
        let names = Some(names.to_vec());
        if asked.beside.is_none() {
            return Ok(Points { names, ..points });
        }
        let beside = points.values.chunks_exact(width).map(|row| row[width - 1]).collect();
        let values = points.values.chunks_exact(width).flat_map(|row| row[..width - 1].iter().copied()).collect();
        Ok(Points { values, beside, names, ..points })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::super::{Dialect, write_npy};
    use super::*;

    fn archive(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (index, (name, bytes)) in files.iter().enumerate() {
            let packed = [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated][index % 2];
            zip.start_file(*name, SimpleFileOptions::default().compression_method(packed)).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn npy(shape: &[usize], values: &[f64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_npy(&mut bytes, shape, values).unwrap();
        bytes
    }

    fn ask(bytes: &[u8], dim: usize, array: Option<&str>, columns: Option<&[String]>) -> Result<Points, String> {
        let dialect = Dialect { array: array.map(str::to_string), ..Dialect::default() };
        let input = Input::bytes("x.npz".into(), bytes.to_vec()).map_err(|e| e.to_string())?;
        let format = input.format();
        format.rows(input, &Asked { columns, ..Asked::new(dim, &dialect) }).map_err(|e| e.to_string())
    }

    #[test]
    fn one_array_is_taken_and_of_several_one_is_chosen() {
        let x = npy(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(ask(&archive(&[("x.npy", x.clone())]), 2, None, None).unwrap().values, [1.0, 2.0, 3.0, 4.0]);
        let two = archive(&[("labels.npy", npy(&[2], &[0.0, 1.0])), ("x.npy", x)]);
        let error = ask(&two, 2, None, None).err().unwrap();
        assert!(error.contains("2 arrays, labels, x; choose one with array = "), "{error}");
        assert_eq!(ask(&two, 2, Some("x"), None).unwrap().values.len(), 4);
        assert!(ask(&two, 1, Some("lables"), None).err().unwrap().contains("did you mean \"labels\""));
    }

    #[test]
    fn arrays_of_one_axis_are_columns() {
        let both = archive(&[("a.npy", npy(&[2], &[1.0, 2.0])), ("b.npy", npy(&[2], &[3.0, 4.0]))]);
        let names = ["b".to_string(), "a".to_string()];
        assert_eq!(ask(&both, 2, None, Some(&names)).unwrap().values, [3.0, 1.0, 4.0, 2.0]);
    }

    #[test]
    fn other_archives_are_named() {
        let told = |name: &str| ask(&archive(&[(name, vec![1, 2])]), 1, None, None).err().unwrap();
        assert!(told("xl/workbook.xml").contains("Excel"));
        assert!(told("data.csv").contains("ZIP archive of data.csv; unpack it first"));
        assert!(told("x.npy").contains("array x: "));
        assert!(ask(b"PK\x03\x04broken", 1, None, None).err().unwrap().contains("not a readable NPZ file"));
    }
}
