//! What an experiment file says of how its data files are written.

use std::io::Read;

use schemars::JsonSchema;
use serde::Deserialize;

use super::number::Decimal;
use crate::error::ExperimentError;
use crate::source::Section;

/// Keys of `[data]` that all kinds have that read files.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[allow(dead_code, reason = "for lists of keys; Dialect::read reads them")]
pub struct FileOptions {
    /// what separates columns of a table: `","`, `";"`, `"tab"`, `"blank"` or `"|"`; found by itself if absent
    separator: Option<String>,
    /// what writes decimals in a table: `"."` or `","`; found by itself if absent
    decimal: Option<String>,
    /// rows with missing values (empty, NA, NaN …): `"error"`, or `"skip"` to leave them out and count them
    missing: Option<String>,
    /// name of the array in an NPZ file of several
    array: Option<String>,
}

/// What separates the columns of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
    /// `|`
    Bar,
    /// Runs of blanks.
    Blank,
    /// Nothing: one column.
    None,
}

impl Separator {
    const NAMES: [(Self, [&'static str; 2]); 5] = [
        (Self::Comma, [",", "comma"]),
        (Self::Semicolon, [";", "semicolon"]),
        (Self::Tab, ["\t", "tab"]),
        (Self::Blank, [" ", "blank"]),
        (Self::Bar, ["|", "bar"]),
    ];

    /// In a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Comma => "','",
            Self::Semicolon => "';'",
            Self::Tab => "tabs",
            Self::Bar => "'|'",
            Self::Blank => "blanks",
            Self::None => "nothing",
        }
    }

    /// A reader of rows; runs of blanks have become tabs, and nothing is a byte that no text has.
    pub(super) fn reader<R: Read>(self, source: R) -> csv::Reader<R> {
        let byte = match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab | Self::Blank => b'\t',
            Self::Bar => b'|',
            Self::None => 0x1f,
        };
        csv::ReaderBuilder::new().delimiter(byte).has_headers(false).flexible(true).from_reader(source)
    }
}

/// How a data file is read.
#[derive(Debug, Clone, Default)]
pub struct Dialect {
    /// What separates its columns, if it was said.
    pub separator: Option<Separator>,
    /// What writes its decimals, if it was said.
    pub decimal: Option<Decimal>,
    /// Whether rows with missing values are left out.
    pub skip: bool,
    /// The array of an archive.
    pub array: Option<String>,
}

impl Dialect {
    /// Reads the keys of `[data]`.
    ///
    /// # Errors
    /// Values that are none of theirs.
    pub fn read(section: &Section<'_>) -> Result<Self, ExperimentError> {
        let separator = match section.text("separator")? {
            None => None,
            Some(text) => {
                let found = Separator::NAMES.iter().find(|(_, names)| names.contains(&text.as_str()));
                Some(found.map(|(separator, _)| *separator).ok_or_else(|| {
                    section.error(
                        "separator",
                        format!("\"{text}\" is none; take \",\", \";\", \"tab\", \"blank\" or \"|\""),
                    )
                })?)
            }
        };
        let decimal = match section.text("decimal")?.as_deref() {
            None => None,
            Some(".") => Some(Decimal::Point),
            Some(",") => Some(Decimal::Comma),
            Some(text) => return Err(section.error("decimal", format!("\"{text}\" is none; take \".\" or \",\""))),
        };
        let skip = match section.text("missing")?.as_deref() {
            None | Some("error") => false,
            Some("skip") => true,
            Some(text) => {
                return Err(section.error("missing", format!("\"{text}\" is none; take \"error\" or \"skip\"")));
            }
        };
        Ok(Self { separator, decimal, skip, array: section.text("array")? })
    }
}
