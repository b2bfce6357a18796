//! The page of a figure: its title, the panels below, and the foot with legend and notes.

mod legend;
mod tiling;

use crate::axes::{BAR_BELOW, BELOW, Panel, Range, color_bar_below};
use crate::canvas::{Align, BLACK, Canvas, Point, Rgb, SMALL, Stroke, TITLE, wrap};
use crate::drawing::Drawing;
pub(crate) use crate::widths::{COLUMN, WIDE};
use legend::Legend;
pub(crate) use legend::{Entry, Sample};
pub(crate) use tiling::Tiling;

/// Most lines of a title.
const TITLE_LINES: usize = 2;
/// Most lines of a note.
const NOTE_LINES: usize = 2;
/// The space that notes and titles keep to each edge.
const EDGE: f64 = 10.0;
/// Pixels between the labels below a panel and what follows.
const GAP: f64 = 8.0;
/// Pixels below everything.
const FOOT: f64 = 8.0;
/// From what is above a note to its baseline.
const NOTE: f64 = 14.0;

/// A page that grows downwards: the title is drawn first, then panels on its canvas, then the foot.
pub(crate) struct Sheet {
    /// What panels are drawn on.
    pub canvas: Canvas,
    /// Where panels may begin.
    pub top: f64,
    width: f64,
    /// How far down it is used.
    used: f64,
}

impl Sheet {
    /// A page with a title; none if it is empty.
    pub fn new(width: f64, title: &str) -> Self {
        let mut canvas = Canvas::new(width);
        let size = f64::from(TITLE);
        let lines = wrap(title, TITLE, width - 2.0 * EDGE, TITLE_LINES);
        for (k, line) in lines.iter().enumerate() {
            let baseline = 8.0 + size * (k as f64 * 1.25 + 1.0);
            canvas.text((width / 2.0, baseline), line, TITLE, Align::Middle, BLACK);
        }
        let top = if lines.is_empty() { 6.0 } else { 16.0 + size * 1.25 * lines.len() as f64 };
        Self { canvas, top, width, used: top }
    }

    /// Makes room for panels that end at `bottom` with an axis label below.
    pub fn panels_end(&mut self, bottom: f64) {
        self.used = self.used.max(bottom + BELOW);
    }

    /// A colour bar below a panel, in a place of the given left end and width.
    pub fn color_bar(
        &mut self,
        panel: &Panel,
        (x, width): (f64, f64),
        range: &Range,
        caption: &str,
        color: impl Fn(f64) -> Rgb,
        marks: &[(f64, Stroke)],
    ) {
        let at: Point = (x, panel.rect.bottom() + BELOW + GAP);
        color_bar_below(&mut self.canvas, at, width, range, caption, color, marks);
        self.used = self.used.max(at.1 + BAR_BELOW);
    }

    /// A legend below everything so far.
    pub fn legend(&mut self, entries: Vec<Entry>) {
        let legend = Legend::new(entries, self.width - 4.0 * EDGE);
        let y = self.used + GAP;
        legend.draw(&mut self.canvas, self.width / 2.0, y);
        self.used = y + legend.height();
    }

    /// Text below everything so far; nothing if it is empty.
    pub fn note(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        for line in wrap(text, SMALL, self.width - 2.0 * EDGE, NOTE_LINES) {
            self.used += NOTE;
            self.canvas.text((self.width / 2.0, self.used), &line, SMALL, Align::Middle, BLACK);
        }
    }

    /// The drawing.
    pub fn finish(self) -> Drawing {
        Drawing::new(self.canvas.finish(self.used + FOOT))
    }
}
