//! What a report holds, whatever the command; the template lays it out.

use askama::Template;

use crate::facts::Fact;
use crate::numbers::short;

/// The page.
#[derive(Template)]
#[template(path = "report.html")]
pub struct Page {
    /// Name of the experiment.
    pub title: String,
    /// The command.
    pub command: &'static str,
    /// What was asked, in a sentence.
    pub question: String,
    /// The values that came out, with their errors.
    pub headline: Vec<Fact>,
    /// What came out, in a sentence or two.
    pub answer: Vec<String>,
    /// The data.
    pub data: Vec<Fact>,
    /// The model.
    pub model: Vec<Fact>,
    /// Tables of results.
    pub tables: Vec<Table>,
    /// Figures.
    pub figures: Vec<Figure>,
    /// Traces.
    pub traces: Vec<Trace>,
    /// Experiment file or arguments, verbatim.
    pub settings: Settings,
    /// Seeds of everything random.
    pub seeds: Vec<Fact>,
    /// Version of the program.
    pub version: String,
    /// Command that repeats it.
    pub repeat: String,
    /// Files beside the page.
    pub files: Vec<Link>,
}

/// A file beside the page.
pub struct Link {
    /// Its name.
    pub name: String,
    /// Its address, relative to the page.
    pub address: String,
}

/// Settings, verbatim.
pub struct Settings {
    /// Where they come from.
    pub origin: String,
    /// The text.
    pub text: String,
}

/// A table.
pub struct Table {
    /// Caption.
    pub caption: String,
    /// Column heads.
    pub header: Vec<String>,
    /// Rows; the first cell names the row.
    pub rows: Vec<Vec<Cell>>,
    /// Remarks below.
    pub notes: Vec<String>,
}

impl Table {
    /// Whether a column holds numbers.
    // By reference, as the template's loop hands it on.
    fn numeric(&self, column: &usize) -> bool {
        self.rows.iter().any(|row| row.get(*column).is_some_and(|cell| cell.value.is_some()))
    }
}

/// A cell of a table.
pub struct Cell {
    /// What is shown.
    pub text: String,
    /// All digits, where it is a number.
    pub value: Option<String>,
}

impl Cell {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), value: None }
    }

    /// A count.
    pub fn count(value: usize) -> Self {
        Self { text: value.to_string(), value: Some(value.to_string()) }
    }

    /// A number, shown short.
    pub fn number(value: f64) -> Self {
        Self::shown(short(value), value)
    }

    /// A number that may be missing.
    pub fn maybe(value: Option<f64>) -> Self {
        value.map_or_else(|| Self::text("–"), Self::number)
    }

    /// A number with the text that is shown for it.
    pub fn shown(text: String, value: f64) -> Self {
        Self { text, value: Some(format!("{value:?}")) }
    }
}

/// A figure.
pub struct Figure {
    /// Caption.
    pub caption: String,
    /// What can be seen, for those who cannot see it.
    pub alt: String,
    /// How it is drawn.
    pub drawing: Drawing,
}

/// How a figure is drawn.
pub enum Drawing {
    /// An `svg` element, cleaned by `svg.rs`.
    Inline(String),
    /// A data URI of a bitmap.
    Bitmap(String),
}

/// A trace.
pub struct Trace {
    /// First and last rows.
    pub table: Table,
    /// The file.
    pub file: String,
    /// Its text, where it is short enough.
    pub text: Option<String>,
}

/// Texts as owned strings.
pub(super) fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|s| s.to_string()).collect()
}
