//! Kinds of files that are not read, by what they begin with.

/// What a file begins with, what it is then, and what to do with it.
type Kind = (&'static [u8], &'static str, &'static str);

const TABLE: &str = "save the table as CSV";
const ARRAY: &str = "save the array with numpy.save, or the table as CSV";
const UNPACK: &str = "unpack it first, or pack it with gzip, which is read";
const PICTURE: &str = "give the numbers behind it, as CSV or NPY";

const KINDS: &[Kind] = &[
    (b"PAR1", "a Parquet file", "save it as CSV, in pandas with to_csv(index=False)"),
    (b"ARROW1", "an Arrow (Feather) file", "save it as CSV, in pandas with to_csv(index=False)"),
    (b"FEA1", "a Feather file", "save it as CSV, in pandas with to_csv(index=False)"),
    (b"ORC", "an ORC file", TABLE),
    (b"Obj\x01", "an Avro file", TABLE),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", ARRAY),
    (b"MATLAB 7.3 MAT-file", "a MATLAB file (HDF5)", "save the variable with writematrix as CSV"),
    (b"MATLAB", "a MATLAB file", "save the variable with writematrix as CSV"),
    (b"CDF\x01", "a netCDF file", ARRAY),
    (b"CDF\x02", "a netCDF file", ARRAY),
    (b"CDF\x05", "a netCDF file", ARRAY),
    (b"SIMPLE  =", "a FITS file", ARRAY),
    (b"root", "a ROOT file", "save the histogram or tree as CSV"),
    (b"SQLite format 3\0", "an SQLite database", "save the query's result as CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (XLS)", "save the sheet as CSV"),
    (b"RDX2", "an R workspace", "save the table with write.csv"),
    (b"RDX3", "an R workspace", "save the table with write.csv"),
    (b"X\n\0", "an R object (RDS)", "save the table with write.csv"),
    (b"\x80\x02", "a pickled Python object", ARRAY),
    (b"\x80\x03", "a pickled Python object", ARRAY),
    (b"\x80\x04", "a pickled Python object", ARRAY),
    (b"\x80\x05", "a pickled Python object", ARRAY),
    (b"\x89PNG", "a PNG picture", PICTURE),
    (b"\xff\xd8\xff", "a JPEG picture", PICTURE),
    (b"GIF8", "a GIF picture", PICTURE),
    (b"II*\0", "a TIFF picture", PICTURE),
    (b"MM\0*", "a TIFF picture", PICTURE),
    (b"%PDF", "a PDF document", "copy its table into a CSV file"),
    (b"BZh", "compressed with bzip2", UNPACK),
    (b"\xfd7zXZ\0", "compressed with xz", UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard", UNPACK),
    (b"\x04\x22\x4d\x18", "compressed with LZ4", UNPACK),
    (b"\x1f\x9d", "compressed with compress", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it first"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the data", "fetch them with `git lfs pull`"),
    (b"\xff\xfe", "text in UTF-16", "save it as UTF-8 (\"CSV UTF-8\" in spreadsheets)"),
    (b"\xfe\xff", "text in UTF-16", "save it as UTF-8 (\"CSV UTF-8\" in spreadsheets)"),
];

/// Beginnings of texts that are no tables, in small letters.
const TEXTS: &[(&str, &str, &str)] = &[
    ("<!doctype html", "a web page", "download the data themselves"),
    ("<html", "a web page", "download the data themselves"),
    ("<?xml", "an XML file", TABLE),
    ("<votable", "a VOTable", TABLE),
    ("{", "a JSON file", TABLE),
    ("[{", "a JSON file", TABLE),
    ("[[", "a JSON file", TABLE),
    ("[\n", "a JSON file", TABLE),
    ("@relation", "an ARFF file", TABLE),
];

/// What a file is that begins so, and the remedy, if it is of a kind that is not read.
pub(super) fn refuse(start: &[u8]) -> Option<String> {
    // Four letters may be the name of a column.
    let binary = start.iter().any(|b| *b < 9 || *b >= 0x80);
    let is = |magic: &[u8]| start.starts_with(magic) && (binary || magic.len() > 4 || !magic.is_ascii());
    if let Some((_, what, remedy)) = KINDS.iter().find(|(magic, ..)| is(magic)) {
        return Some(format!("it is {what}; {remedy}"));
    }
    if start.get(257..262) == Some(b"ustar") {
        return Some("it is a tar archive; unpack it first".into());
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    if let Some((_, what, remedy)) = TEXTS.iter().find(|(begin, ..)| text.starts_with(begin)) {
        return Some(format!("it is {what}; {remedy}"));
    }
    // No text has a zero byte.
    start.contains(&0).then(|| "it is binary, and no kind that is known; save it as CSV or NPY".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_kinds_are_named() {
        let told = |start: &[u8]| refuse(start).unwrap_or_default();
        assert!(told(b"PAR1\x15\x04").contains("Parquet"));
        assert!(told(b"\x89HDF\r\n\x1a\n\0").contains("HDF5"));
        assert!(told(b"MATLAB 5.0 MAT-file, Platform: GLNXA64").contains("MATLAB"));
        assert!(told(b"  <!DOCTYPE html><html>").contains("web page"));
        assert!(told(b"{\"x\": [1, 2]}").contains("JSON"));
        assert!(told(b"\xff\xfex\0,\0y\0").contains("UTF-16"));
        assert!(told(b"x,y\n1,\0\0\0").contains("binary"));
        assert_eq!(refuse(b"x,y\n1,2\n"), None);
        assert_eq!(refuse(b"PAR1,root\n1,2\n"), None);
        assert_eq!(refuse(b""), None);
    }
}
