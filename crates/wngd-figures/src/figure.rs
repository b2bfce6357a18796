//! What every figure is: a value that can be drawn and that says in words what it shows.

use std::path::Path;

use crate::about::About;
use crate::drawing::Drawing;
use crate::error::FigureError;

/// A figure: its data, and how they are drawn.
pub trait Figure {
    /// What it is called, and what it shows in words.
    fn about(&self) -> About;

    /// Draws it.
    ///
    /// # Errors
    /// [`FigureError::Shape`] if a field of the figure is empty or does not fit the others; it is named.
    fn draw(&self) -> Result<Drawing, FigureError>;

    /// Writes `<stem>.svg`, `<stem>.png` and `<stem>.pdf` into a folder, which is made if need be. Caption and text alternative
    /// are the title and the description in the SVG file, title and subject in the PDF file.
    ///
    /// # Errors
    /// As [`Figure::draw`]; [`FigureError::Io`] if a file cannot be written.
    fn save(&self, folder: &Path) -> Result<(), FigureError> {
        self.draw()?.save(folder, &self.about())
    }
}
