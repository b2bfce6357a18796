//! A scene as a page of PDF at the width of a text column: lines and fills as paths, text as text in the bundled font, of
//! which a file holds the letters it uses.
//!
//! kuva's own back end for it needs a newer Rust than the workspace states, ninety crates more, and the fonts of the
//! machine, so that files would differ from one to another.

mod deflated;
mod font;

use kuva::render::color::Color;
use kuva::render::render::{Primitive, Scene, TextAnchor};
use pdf_writer::types::{LineCapStyle, LineJoinStyle};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, TextStr};

use crate::about::About;
use crate::canvas::{Point, Rgb};
use crate::widths::{COLUMN, WIDE};
use deflated::deflated;
use font::Letters;

/// What a figure is laid out for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Paper {
    /// One text column of two, 3.4 inches.
    Column,
    /// The width of a page's text, 7 inches.
    Page,
}

impl Paper {
    /// Its width in points.
    fn width(self) -> f64 {
        72.0 * match self {
            Self::Column => 3.4,
            Self::Page => 7.0,
        }
    }

    /// Points per pixel for a scene of a width; narrower ones keep the size of their letters.
    fn scale(self, width: f64) -> f64 {
        let full = match self {
            Self::Column => COLUMN,
            Self::Page => WIDE,
        };
        self.width() / full.max(width)
    }
}

/// The name of the font in the page's resources.
const FONT: Name = Name(b"F1");
/// Where the control points of a quarter of a circle lie.
const QUARTER: f64 = 0.552_284_749_8;
/// Pixels by which cells of a map overlap: viewers smooth the edges of each, and the page shines through where two meet.
const OVERLAP: f64 = 0.5;

/// The file's bytes; the words are its title and subject.
///
/// # Errors
/// What the page cannot hold, in words.
pub(crate) fn page(scene: &Scene, about: &About, paper: Paper) -> Result<Vec<u8>, String> {
    let scale = paper.scale(scene.width);
    let (width, height) = (paper.width(), scale * scene.height);
    let mut writer = Writer { content: Content::new(), letters: Letters::new()?, crisp: false };
    // A narrower scene lies in the middle; y of a scene runs downwards.
    let left = 0.5 * (width - scale * scene.width);
    writer.content.transform([scale, 0.0, 0.0, -scale, left, height].map(|v| v as f32));
    writer.content.set_line_cap(LineCapStyle::RoundCap).set_line_join(LineJoinStyle::RoundJoin);
    for primitive in &scene.elements {
        writer.draw(primitive)?;
    }
    let [catalog, pages, page, content, info, fonts] = [1, 2, 3, 4, 5, 6].map(Ref::new);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages).lang(TextStr("en"));
    pdf.document_info(info).title(TextStr(&about.caption)).subject(TextStr(&about.alt)).creator(TextStr("wngd"));
    pdf.pages(pages).kids([page]).count(1);
    let mut sheet = pdf.page(page);
    sheet.parent(pages).media_box(Rect::new(0.0, 0.0, width as f32, height as f32)).contents(content);
    sheet.resources().fonts().pair(FONT, fonts);
    sheet.finish();
    let stream = deflated(&writer.content.finish().into_vec())?;
    pdf.stream(content, &stream).filter(Filter::FlateDecode);
    writer.letters.write(&mut pdf, fonts)?;
    Ok(pdf.finish())
}

struct Writer {
    content: Content,
    letters: Letters,
    /// Whether edges of areas are not to be smoothed: those of cells.
    crisp: bool,
}

impl Writer {
    fn draw(&mut self, primitive: &Primitive) -> Result<(), String> {
        match primitive {
            Primitive::GroupStart { extra_attrs, .. } => {
                self.crisp = extra_attrs.as_ref().is_some_and(|text| text.contains("crispEdges"));
            }
            Primitive::GroupEnd => self.crisp = false,
            Primitive::PolyLine { points, stroke, stroke_width, .. } => {
                self.open(points);
                self.paint(None, rgb(stroke)?.map(|color| (color, *stroke_width)));
            }
            Primitive::Path(path) => {
                self.path(&path.d)?;
                let fill = rgb_or_none(path.fill.as_ref())?;
                let edge = rgb(&path.stroke)?.map(|color| (color, path.stroke_width));
                self.paint(fill, edge.or(fill.filter(|_| self.crisp).map(|color| (color, OVERLAP))));
            }
            Primitive::Rect { x, y, width, height, fill, .. } => {
                self.content.rect(*x as f32, *y as f32, *width as f32, *height as f32);
                self.paint(rgb(fill)?, None);
            }
            Primitive::Circle { cx, cy, r, fill, stroke, stroke_width, .. } => {
                self.circle((*cx, *cy), *r);
                let edge = rgb_or_none(stroke.as_ref())?;
                self.paint(rgb(fill)?, edge.map(|color| (color, stroke_width.unwrap_or(1.0))));
            }
            Primitive::Text { x, y, content, size, anchor, rotate, color, .. } => {
                let ink = rgb_or_none(color.as_ref())?.unwrap_or(Rgb(0, 0, 0));
                self.text((*x, *y), content, f64::from(*size), anchor, rotate.unwrap_or(0.0), ink);
            }
            _ => return Err("it has a kind of element that PDF output does not draw".into()),
        }
        Ok(())
    }

    fn open(&mut self, points: &[Point]) {
        for (k, p) in points.iter().enumerate() {
            let (x, y) = (p.0 as f32, p.1 as f32);
            if k == 0 {
                self.content.move_to(x, y)
            } else {
                self.content.line_to(x, y)
            };
        }
    }

    /// A path of the commands that our canvas writes.
    fn path(&mut self, d: &str) -> Result<(), String> {
        let (mut x, mut y) = (0.0f32, 0.0f32);
        let mut rest = d;
        while let Some(command) = rest.chars().next() {
            let end = rest[1..].find(|c: char| c.is_ascii_alphabetic()).map_or(rest.len(), |at| at + 1);
            let numbers: Result<Vec<f32>, _> = rest[1..end].split_whitespace().map(str::parse).collect();
            match (command, numbers.map_err(|e| format!("path {rest:.20}: {e}"))?.as_slice()) {
                ('M', [a, b]) => {
                    (x, y) = (*a, *b);
                    self.content.move_to(x, y);
                }
                ('L', [a, b]) => {
                    (x, y) = (*a, *b);
                    self.content.line_to(x, y);
                }
                ('H', [a]) => {
                    x = *a;
                    self.content.line_to(x, y);
                }
                ('V', [b]) => {
                    y = *b;
                    self.content.line_to(x, y);
                }
                ('Z', []) => {
                    self.content.close_path();
                }
                _ => return Err(format!("path {rest:.20}: not a command that is drawn")),
            }
            rest = &rest[end..];
        }
        Ok(())
    }

    fn circle(&mut self, (x, y): Point, r: f64) {
        let k = QUARTER * r;
        self.content.move_to((x + r) as f32, y as f32);
        for [a, b, c] in [
            [(r, k), (k, r), (0.0, r)],
            [(-k, r), (-r, k), (-r, 0.0)],
            [(-r, -k), (-k, -r), (0.0, -r)],
            [(k, -r), (r, -k), (r, 0.0)],
        ] {
            let [a, b, c] = [a, b, c].map(|p| ((x + p.0) as f32, (y + p.1) as f32));
            self.content.cubic_to(a.0, a.1, b.0, b.1, c.0, c.1);
        }
        self.content.close_path();
    }

    fn paint(&mut self, fill: Option<Rgb>, edge: Option<(Rgb, f64)>) {
        if let Some((color, width)) = edge {
            let [r, g, b] = unit(color);
            self.content.set_stroke_rgb(r, g, b).set_line_width(width as f32);
        }
        if let Some(color) = fill {
            let [r, g, b] = unit(color);
            self.content.set_fill_rgb(r, g, b);
        }
        match (fill, edge) {
            (Some(_), Some(_)) => self.content.fill_nonzero_and_stroke(),
            (Some(_), None) => self.content.fill_nonzero(),
            (None, Some(_)) => self.content.stroke(),
            (None, None) => self.content.end_path(),
        };
    }

    fn text(&mut self, at: Point, text: &str, size: f64, anchor: &TextAnchor, degrees: f64, ink: Rgb) {
        // The canvas escapes what kuva would take for a formula.
        let (line, length) = self.letters.line(&text.replace("\\$", "$"));
        let back = size
            * length
            * match anchor {
                TextAnchor::Start => 0.0,
                TextAnchor::Middle => 0.5,
                TextAnchor::End => 1.0,
            };
        let (sin, cos) = degrees.to_radians().sin_cos();
        let [r, g, b] = unit(ink);
        self.content.set_fill_rgb(r, g, b);
        // Letters stand upright where y runs downwards.
        let matrix = [cos, sin, sin, -cos, at.0 - back * cos, at.1 - back * sin].map(|v| v as f32);
        self.content.begin_text().set_font(FONT, size as f32).set_text_matrix(matrix);
        self.content.show(pdf_writer::Str(&line)).end_text();
    }
}

fn unit(color: Rgb) -> [f32; 3] {
    [color.0, color.1, color.2].map(|v| f32::from(v) / 255.0)
}

fn rgb(color: &Color) -> Result<Option<Rgb>, String> {
    match color {
        Color::Rgb(r, g, b) => Ok(Some(Rgb(*r, *g, *b))),
        Color::None => Ok(None),
        Color::Css(name) => Err(format!("colour {name} is not one of red, green and blue")),
    }
}

fn rgb_or_none(color: Option<&Color>) -> Result<Option<Rgb>, String> {
    color.map_or(Ok(None), rgb)
}
