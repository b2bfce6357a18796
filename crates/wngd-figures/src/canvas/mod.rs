//! A drawing surface over kuva's scene: lines, shapes, markers and text in
//! pixels, with colours that cost nothing to copy.

mod color;
mod geometry;
mod lines;
mod marker;
mod text;

use std::fmt::Write as _;

use kuva::render::color::Color;
use kuva::render::render::{PathData, Primitive, Scene, TextAnchor};

pub(crate) use color::{BLACK, CONTOUR, GREY, HATCH, OUTSIDE, PALE, Rgb, STAR, WHITE};
pub(crate) use geometry::{Point, Rect, Stroke};
use lines::{append_path, dashes};
pub(crate) use lines::{clip_polyline, clip_segment, simplify};
pub(crate) use marker::Marker;
use text::{FONT_FAMILY, clean};
pub(crate) use text::{LABEL, SMALL, TITLE, fit, forbidden, text_width, wrap};

/// Where a text's anchor lies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Align {
    Left,
    Middle,
    Right,
}

impl Align {
    fn kuva(self) -> TextAnchor {
        match self {
            Align::Left => TextAnchor::Start,
            Align::Middle => TextAnchor::Middle,
            Align::Right => TextAnchor::End,
        }
    }
}

/// The drawing surface.
pub(crate) struct Canvas {
    scene: Scene,
}

impl Canvas {
    /// An empty white page; its height is given at the end.
    pub fn new(width: f64) -> Self {
        let mut scene = Scene::new(width.ceil(), 0.0);
        scene.font_family = Some(FONT_FAMILY.to_owned());
        scene.text_color = Some("#1a1a1a".to_owned());
        // Round joins avoid the spikes of mitred contour lines.
        scene.add(group("stroke-linejoin=\"round\" stroke-linecap=\"round\""));
        Self { scene }
    }

    /// The finished scene.
    pub fn finish(mut self, height: f64) -> Scene {
        self.scene.height = height.ceil();
        self.scene.add(Primitive::GroupEnd);
        self.scene
    }

    /// A line through `points`. Dashes run on across the vertices, which
    /// neither back end does by itself.
    pub fn polyline(&mut self, points: &[Point], stroke: &Stroke) {
        if points.len() < 2 {
            return;
        }
        if stroke.dash.is_empty() {
            self.scene.add(Primitive::PolyLine {
                points: points.to_vec(),
                stroke: stroke.color.kuva(),
                stroke_width: stroke.width,
                stroke_dasharray: None,
            });
            return;
        }
        let mut d = String::new();
        for piece in dashes(points, stroke.dash) {
            append_path(&mut d, &piece, false);
        }
        if !d.is_empty() {
            self.path(d, None, Some(stroke));
        }
    }

    /// A straight line.
    pub fn line(&mut self, a: Point, b: Point, stroke: &Stroke) {
        self.polyline(&[a, b], stroke);
    }

    /// Many short lines of one look, as a single element.
    pub fn segments(&mut self, lines: &[Vec<Point>], stroke: &Stroke) {
        let mut d = String::new();
        for l in lines {
            if l.len() > 1 {
                append_path(&mut d, l, false);
            }
        }
        if !d.is_empty() {
            self.path(d, None, Some(stroke));
        }
    }

    /// A filled polygon, optionally outlined.
    pub fn polygon(&mut self, points: &[Point], fill: Option<Rgb>, edge: Option<&Stroke>) {
        if points.len() < 3 {
            return;
        }
        let mut d = String::new();
        append_path(&mut d, points, true);
        self.path(d, fill, edge);
    }

    /// Many filled polygons of one colour, as a single element.
    pub fn polygons(&mut self, list: &[Vec<Point>], fill: Rgb) {
        let mut d = String::new();
        for points in list.iter().filter(|points| points.len() > 2) {
            append_path(&mut d, points, true);
        }
        if !d.is_empty() {
            self.path(d, Some(fill), None);
        }
    }

    /// A filled rectangle.
    pub fn fill(&mut self, r: Rect, fill: Rgb) {
        self.scene.add(Primitive::Rect {
            x: r.x,
            y: r.y,
            width: r.w,
            height: r.h,
            fill: fill.kuva(),
            stroke: None,
            stroke_width: None,
            opacity: None,
        });
    }

    /// A rectangle's outline.
    pub fn outline(&mut self, r: Rect, stroke: &Stroke) {
        let (a, b) = ((r.x, r.y), (r.right(), r.bottom()));
        self.polygon(&[a, (b.0, a.1), b, (a.0, b.1)], None, Some(stroke));
    }

    /// A circle.
    pub fn circle(&mut self, c: Point, r: f64, fill: Option<Rgb>, edge: Option<&Stroke>) {
        self.scene.add(Primitive::Circle {
            cx: c.0,
            cy: c.1,
            r,
            fill: fill.map_or(Color::None, Rgb::kuva),
            fill_opacity: None,
            stroke: edge.map(|e| e.color.kuva()),
            stroke_width: edge.map(|e| e.width),
        });
    }

    /// A marker of nominal radius `r`.
    pub fn marker(&mut self, kind: Marker, c: Point, r: f64, fill: Rgb, edge: Option<&Stroke>) {
        match kind.outline() {
            None => self.circle(c, r, Some(fill), edge),
            Some(shape) => {
                let pts: Vec<Point> = shape.iter().map(|&(x, y)| (c.0 + r * x, c.1 + r * y)).collect();
                self.polygon(&pts, Some(fill), edge);
            }
        }
    }

    /// The open circle of a common start.
    pub fn start_marker(&mut self, c: Point) {
        self.circle(c, 7.0, None, Some(&Stroke::solid(WHITE, 4.2)));
        self.circle(c, 7.0, None, Some(&Stroke::solid(BLACK, 1.8)));
    }

    /// A white disc with a coloured border, under a marker.
    pub fn ring(&mut self, c: Point, color: Rgb) {
        self.circle(c, 6.3, Some(WHITE), Some(&Stroke::solid(WHITE, 3.4)));
        self.circle(c, 6.3, None, Some(&Stroke::solid(color, 1.7)));
    }

    /// The star at the truth.
    pub fn truth_marker(&mut self, at: Point, r: f64) {
        self.marker(Marker::Star, at, r, WHITE, Some(&Stroke::solid(WHITE, 3.4)));
        self.marker(Marker::Star, at, r, STAR, Some(&Stroke::solid(BLACK, 1.1)));
    }

    /// A filled triangle at `tip`, pointing along `d`.
    pub fn arrow_head(&mut self, tip: Point, d: Point, color: Rgb) {
        let n = d.0.hypot(d.1);
        if !n.is_finite() || n == 0.0 {
            return;
        }
        let u = (d.0 / n, d.1 / n);
        let at = |along: f64, across: f64| (tip.0 + along * u.0 - across * u.1, tip.1 + along * u.1 + across * u.0);
        self.polygon(&[at(0.0, 0.0), at(-9.0, 4.6), at(-9.0, -4.6)], Some(color), Some(&Stroke::solid(WHITE, 0.8)));
    }

    /// Horizontal text; `at.1` is the baseline.
    pub fn text(&mut self, at: Point, s: &str, size: u32, align: Align, color: Rgb) {
        self.put_text(at, s, size, align, color, None);
    }

    /// Text that runs upwards, centred at `at`.
    pub fn text_up(&mut self, at: Point, s: &str, size: u32, color: Rgb) {
        self.put_text(at, s, size, Align::Middle, color, Some(-90.0));
    }

    fn put_text(&mut self, at: Point, s: &str, size: u32, align: Align, color: Rgb, rotate: Option<f64>) {
        if s.is_empty() {
            return;
        }
        self.scene.add(Primitive::Text {
            x: at.0,
            y: at.1,
            content: clean(s),
            size,
            anchor: align.kuva(),
            rotate,
            bold: false,
            color: Some(color.kuva()),
        });
    }

    /// A map of `columns.len() - 1` by `rows.len() - 1` cells with the given
    /// edges (pixels), `shade` giving the index of each cell's colour or `None`
    /// to leave it blank.
    ///
    /// Cells of one colour become one path of horizontal runs: some ten times
    /// smaller than a rectangle per cell. Edges are snapped to half pixels
    /// (whole pixels of the PNG), which leaves no seams.
    pub fn cells(
        &mut self,
        columns: &[f64],
        rows: &[f64],
        palette: &[Rgb],
        shade: impl Fn(usize, usize) -> Option<usize>,
    ) {
        if columns.len() < 2 || rows.len() < 2 {
            return;
        }
        let snap = |v: f64| (v * 2.0).round() / 2.0;
        let mut paths: Vec<String> = vec![String::new(); palette.len()];
        let nx = columns.len() - 1;
        for j in 0..rows.len() - 1 {
            let (y0, y1) = (snap(rows[j]), snap(rows[j + 1]));
            if y0 == y1 {
                continue;
            }
            let mut i = 0;
            while i < nx {
                let colour = shade(i, j);
                let first = i;
                while i < nx && shade(i, j) == colour {
                    i += 1;
                }
                let (x0, x1) = (snap(columns[first]), snap(columns[i]));
                if let Some(path) = colour.and_then(|c| paths.get_mut(c))
                    && x0 != x1
                {
                    let _ = write!(path, "M{x0} {y0}H{x1}V{y1}H{x0}Z");
                }
            }
        }
        self.scene.add(group("shape-rendering=\"crispEdges\""));
        for (d, colour) in paths.into_iter().zip(palette) {
            if !d.is_empty() {
                self.path(d, Some(*colour), None);
            }
        }
        self.scene.add(Primitive::GroupEnd);
    }

    fn path(&mut self, d: String, fill: Option<Rgb>, edge: Option<&Stroke>) {
        self.scene.add(Primitive::Path(Box::new(PathData {
            d,
            fill: fill.map(Rgb::kuva),
            stroke: edge.map_or(Color::None, |e| e.color.kuva()),
            stroke_width: edge.map_or(0.0, |e| e.width),
            opacity: None,
            stroke_dasharray: None,
        })));
    }
}

/// A group with attributes that only the SVG shows.
fn group(attributes: &str) -> Primitive {
    Primitive::GroupStart { transform: None, title: None, extra_attrs: Some(attributes.to_owned()) }
}
