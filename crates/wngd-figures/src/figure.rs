//! What every figure is: a value that can be drawn and that says in words what it shows.

use std::path::Path;

use crate::drawing::Drawing;
use crate::error::FigureError;

/// What a figure is called, and what it shows in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Name of its files, without a suffix.
    pub stem: String,
    /// Caption.
    pub caption: String,
    /// What can be seen, for those who cannot see it.
    pub alt: String,
}

impl About {
    pub(crate) fn new(stem: impl Into<String>, caption: impl Into<String>, alt: impl Into<String>) -> Self {
        Self { stem: stem.into(), caption: caption.into(), alt: alt.into() }
    }
}

/// A figure: its data, and how they are drawn.
pub trait Figure {
    /// What it is called, and what it shows in words.
    fn about(&self) -> About;

    /// Draws it.
    ///
    /// # Errors
    /// [`FigureError::Shape`] if a field of the figure is empty or does not fit the others; it is named.
    fn draw(&self) -> Result<Drawing, FigureError>;

    /// Writes `<stem>.svg` and `<stem>.png` into a folder, which is made if need be. Caption and text alternative
    /// are the title and the description in the SVG file.
    ///
    /// # Errors
    /// As [`Figure::draw`]; [`FigureError::Io`] if a file cannot be written.
    fn save(&self, folder: &Path) -> Result<(), FigureError> {
        self.draw()?.save(folder, &self.about())
    }
}
