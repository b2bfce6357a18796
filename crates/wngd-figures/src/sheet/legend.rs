//! Legends below the panels, where they cover nothing.

use crate::canvas::{Align, BLACK, Canvas, Marker, Rect, Rgb, SMALL, Stroke, WHITE, fit, text_width};
use crate::looks::MethodStyle;

/// What is drawn beside a legend's text.
pub(crate) enum Sample {
    /// A line, with a marker in its middle if one is given.
    Line(Stroke, Option<(Marker, Rgb)>),
    /// A filled marker.
    Marker(Marker, Rgb, f64),
    /// The open circle of a start.
    Start,
    /// An open circle.
    Ring(Rgb),
    /// The star of the truth.
    Truth,
    /// A coloured patch.
    Patch(Rgb),
}

/// One line of a legend.
pub(crate) struct Entry {
    pub label: String,
    pub sample: Sample,
}

impl Entry {
    pub fn new(label: impl Into<String>, sample: Sample) -> Self {
        Self { label: label.into(), sample }
    }

    /// A method's line and marker.
    pub fn method(style: &MethodStyle) -> Self {
        Self::new(style.name.clone(), Sample::Line(style.stroke(1.8), Some((style.marker, style.color))))
    }

    fn sample_width(&self) -> f64 {
        match self.sample {
            Sample::Line(Stroke { dash: [], .. }, _) => 36.0,
            // Long enough to show the dashes on both sides of the marker.
            Sample::Line(..) => 50.0,
            _ => 16.0,
        }
    }

    fn width(&self) -> f64 {
        self.sample_width() + 6.0 + text_width(&self.label, SMALL)
    }
}

const ROW: f64 = 20.0;
const GAP: f64 = 20.0;

/// Entries arranged in rows no wider than the figure.
pub(super) struct Legend {
    rows: Vec<Vec<Entry>>,
}

impl Legend {
    /// Lays the entries out in rows of at most `width`, as few as possible and
    /// then as even as possible.
    pub fn new(mut entries: Vec<Entry>, width: f64) -> Self {
        for e in &mut entries {
            e.label = fit(&e.label, SMALL, width - e.sample_width() - 6.0);
        }
        let widths: Vec<f64> = entries.iter().map(Entry::width).collect();
        let mut counts = flow(&widths, width);
        let mut narrower = width;
        while narrower > 60.0 {
            narrower -= 8.0;
            let tried = flow(&widths, narrower);
            if tried.len() > counts.len() {
                break;
            }
            counts = tried;
        }
        let mut left = entries.into_iter();
        let rows = counts.into_iter().map(|n| left.by_ref().take(n).collect()).collect();
        Self { rows }
    }

    /// The height it takes.
    pub fn height(&self) -> f64 {
        ROW * self.rows.len() as f64
    }

    /// Draws it, centred on `x`, from `y` downwards.
    pub fn draw(&self, canvas: &mut Canvas, x: f64, y: f64) {
        for (k, row) in self.rows.iter().enumerate() {
            let total: f64 = row.iter().map(Entry::width).sum::<f64>() + GAP * row.len().saturating_sub(1) as f64;
            let mut at = x - total / 2.0;
            let middle = y + ROW * (k as f64 + 0.5);
            for e in row {
                let w = e.sample_width();
                let centre = (at + w / 2.0, middle);
                let edge = Stroke::solid(WHITE, 0.8);
                match &e.sample {
                    Sample::Line(stroke, marker) => {
                        canvas.line((at, middle), (at + w, middle), stroke);
                        if let Some((kind, fill)) = marker {
                            canvas.marker(*kind, centre, 4.2, *fill, Some(&edge));
                        }
                    }
                    Sample::Marker(kind, fill, r) => {
                        canvas.marker(*kind, centre, *r, *fill, Some(&edge));
                    }
                    Sample::Start => canvas.start_marker(centre),
                    Sample::Ring(color) => canvas.ring(centre, *color),
                    Sample::Truth => canvas.truth_marker(centre, 6.0),
                    Sample::Patch(fill) => {
                        let r = Rect::new(at + 1.0, middle - 6.0, 14.0, 12.0);
                        canvas.fill(r, *fill);
                        canvas.outline(r, &Stroke::solid(BLACK, 0.6));
                    }
                }
                canvas.text((at + w + 6.0, middle + 4.3), &e.label, SMALL, Align::Left, BLACK);
                at += e.width() + GAP;
            }
        }
    }
}

/// How many entries go into each row.
fn flow(widths: &[f64], limit: f64) -> Vec<usize> {
    let mut rows: Vec<usize> = Vec::new();
    let mut used = 0.0;
    for w in widths {
        match rows.last_mut() {
            Some(n) if used + GAP + w <= limit => {
                used += GAP + w;
                *n += 1;
            }
            _ => {
                used = *w;
                rows.push(1);
            }
        }
    }
    rows
}
