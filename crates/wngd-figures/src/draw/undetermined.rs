//! Combinations of parameters that nothing determines.

use crate::about::About;
use crate::canvas::{Align, BLACK, Rect, SMALL, Stroke, WHITE, fit, text_width};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::figure::Figure;
use crate::number::minus;
use crate::palettes::diverging;
use crate::sheet::{Sheet, WIDE};

/// Most combinations and parameters.
const MOST: usize = 8;
const ROW: f64 = 30.0;

/// Null directions, a row each, the shares of the parameters as coloured cells.
#[derive(Clone, Debug, Default)]
pub struct NullDirections {
    /// Names of the parameters.
    pub names: Vec<String>,
    /// Relative changes of the parameters along each of them.
    pub directions: Vec<Vec<f64>>,
    /// The figure's title; none if empty.
    pub title: String,
}

impl Figure for NullDirections {
    fn about(&self) -> About {
        About::new(
            "undetermined",
            "Combinations of parameters that the data do not determine: relative changes that leave everything as it is.",
            "A row of cells per combination, a column per parameter: red cells go up together while blue ones go down.",
        )
    }

    fn draw(&self) -> Result<Drawing, FigureError> {
        let p = self.names.len();
        if p == 0 || self.directions.is_empty() || self.directions.iter().any(|d| d.len() != p) {
            return Err(FigureError::shape("directions", format!("is empty, or does not match {p} names")));
        }
        // Those that take part; the others have no cell to fill.
        let taking: Vec<usize> = (0..p).filter(|j| self.directions.iter().any(|d| d[*j] != 0.0)).collect();
        let (rows, columns) = (self.directions.len().min(MOST), taking.len().min(MOST));
        if columns == 0 {
            return Err(FigureError::shape("directions", "are all zero"));
        }
        let widest = taking.iter().map(|j| text_width(&self.names[*j], SMALL)).fold(0.0, f64::max).min(90.0);
        // Labels left of the cells, all of it in the middle.
        let labels = if rows > 1 { 100.0 } else { 10.0 };
        let cell = (widest + 30.0).max(96.0).min((WIDE - labels - 20.0) / columns as f64);
        let left = labels + 0.5 * (WIDE - labels - cell * columns as f64);
        let mut sheet = Sheet::new(WIDE, &self.title);
        let top = sheet.top + 20.0;
        for (k, j) in taking.iter().take(columns).enumerate() {
            let at = (left + cell * (k as f64 + 0.5), top - 6.0);
            sheet.canvas.text(at, &fit(&self.names[*j], SMALL, cell - 4.0), SMALL, Align::Middle, BLACK);
        }
        for (r, direction) in self.directions.iter().take(rows).enumerate() {
            let y = top + ROW * r as f64;
            let most = direction.iter().fold(f64::MIN_POSITIVE, |most: f64, v| most.max(v.abs()));
            for (k, j) in taking.iter().take(columns).enumerate() {
                let share = direction[*j] / most;
                let color = diverging(share);
                let rect = Rect::new(left + cell * k as f64, y, cell, ROW);
                sheet.canvas.fill(rect, color);
                sheet.canvas.outline(rect, &Stroke::solid(WHITE, 1.5));
                let ink = if color.luminance() < 0.55 { WHITE } else { BLACK };
                let text = minus(&format!("{share:.2}"));
                sheet.canvas.text((rect.x + cell / 2.0, y + ROW / 2.0 + 4.3), &text, SMALL, Align::Middle, ink);
            }
            if rows > 1 {
                let label = format!("direction {}", r + 1);
                sheet.canvas.text((left - 8.0, y + ROW / 2.0 + 4.3), &label, SMALL, Align::Right, BLACK);
            }
        }
        sheet.panels_end(top + ROW * rows as f64);
        if self.directions.len() > rows || taking.len() > columns {
            sheet.note(&format!(
                "The first {rows} of {} combinations, {columns} of {} parameters.",
                self.directions.len(),
                taking.len()
            ));
        }
        Ok(sheet.finish())
    }
}
