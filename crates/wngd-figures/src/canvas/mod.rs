//! A drawing surface over kuva's scene: lines, shapes, markers and text in
//! pixels, with colours that cost nothing to copy.

use std::fmt::Write as _;

use kuva::render::color::Color;
use kuva::render::render::{PathData, Primitive, Scene, TextAnchor};

use super::color::{BLACK, FONT_FAMILY, Rgb, WHITE};

/// A point in pixels, y downwards.
pub(super) type Point = (f64, f64);

/// A line's look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    pub color: Rgb,
    pub width: f64,
    /// Lengths of dashes and gaps; empty for a solid line.
    pub dash: &'static [f64],
}

impl Stroke {
    /// A solid line.
    pub const fn solid(color: Rgb, width: f64) -> Self {
        Self { color, width, dash: &[] }
    }
}

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rect {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
}

impl Rect {
    pub const fn new(x: f64, y: f64, w: f64, h: f64) -> Self {
        Self { x, y, w, h }
    }
    pub fn right(&self) -> f64 {
        self.x + self.w
    }
    pub fn bottom(&self) -> f64 {
        self.y + self.h
    }
    /// Whether a point lies inside, with a tolerance of `slack` pixels.
    pub fn contains(&self, p: Point, slack: f64) -> bool {
        p.0 >= self.x - slack && p.0 <= self.right() + slack && p.1 >= self.y - slack && p.1 <= self.bottom() + slack
    }
}

/// Shapes that stay distinct at 5 pixels and without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
    Pentagon,
    Hexagon,
    Plus,
    Cross,
    Star,
}

impl Marker {
    /// Those used for methods (the star marks the truth).
    pub const ALL: [Marker; 9] = [
        Marker::Circle,
        Marker::Square,
        Marker::Triangle,
        Marker::Diamond,
        Marker::TriangleDown,
        Marker::Pentagon,
        Marker::Hexagon,
        Marker::Plus,
        Marker::Cross,
    ];

    /// The outline around the origin, for a nominal radius of 1 (areas roughly
    /// equal). `None` for the circle.
    fn outline(self) -> Option<Vec<Point>> {
        let regular = |n: usize, r: f64, start: f64| -> Vec<Point> {
            (0..n)
                .map(|i| {
                    let a = start + std::f64::consts::TAU * i as f64 / n as f64;
                    (r * a.cos(), r * a.sin())
                })
                .collect()
        };
        let up = -std::f64::consts::FRAC_PI_2;
        let cross = |turn: f64| -> Vec<Point> {
            let (a, b) = (0.36, 1.2);
            [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a), (-b, -a), (-a, -a)]
                .iter()
                .map(|&(x, y): &Point| {
                    let (s, c) = turn.sin_cos();
                    (c * x - s * y, s * x + c * y)
                })
                .collect()
        };
        match self {
            Marker::Circle => None,
            Marker::Square => Some(vec![(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)]),
            Marker::Triangle => Some(regular(3, 1.35, up)),
            Marker::TriangleDown => Some(regular(3, 1.35, -up)),
            Marker::Diamond => Some(vec![(0.0, -1.3), (1.05, 0.0), (0.0, 1.3), (-1.05, 0.0)]),
            Marker::Pentagon => Some(regular(5, 1.15, up)),
            Marker::Hexagon => Some(regular(6, 1.1, 0.0)),
            Marker::Plus => Some(cross(0.0)),
            Marker::Cross => Some(cross(std::f64::consts::FRAC_PI_4)),
            Marker::Star => {
                let outer = regular(5, 1.5, up);
                let inner = regular(5, 0.62, up + std::f64::consts::PI / 5.0);
                Some(outer.into_iter().zip(inner).flat_map(|(o, i)| [o, i]).collect())
            }
        }
    }
}

/// Where a text's anchor lies.
#[derive(Clone, Copy, Debug)]
pub(super) enum Align {
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
pub(super) struct Canvas {
    scene: Scene,
}

impl Canvas {
    /// An empty white page.
    pub fn new(width: f64, height: f64) -> Self {
        let mut scene = Scene::new(width.ceil(), height.ceil());
        scene.font_family = Some(FONT_FAMILY.to_owned());
        scene.text_color = Some("#1a1a1a".to_owned());
        // Round joins avoid the spikes of mitred contour lines.
        scene.add(group("stroke-linejoin=\"round\" stroke-linecap=\"round\""));
        Self { scene }
    }

    /// The finished scene.
    pub fn finish(mut self) -> Scene {
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

/// Removes what an XML document may not hold and keeps kuva from reading
/// dollars as formulae.
fn clean(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for c in s.chars() {
        match c {
            '$' => out.push_str("\\$"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn append_path(d: &mut String, points: &[Point], close: bool) {
    let round = |v: f64| (v * 100.0).round() / 100.0;
    for (i, p) in points.iter().enumerate() {
        let letter = if i == 0 { 'M' } else { 'L' };
        let _ = write!(d, "{letter}{} {}", round(p.0), round(p.1));
    }
    if close {
        d.push('Z');
    }
}

/// Cuts a polyline into its dashes.
fn dashes(points: &[Point], pattern: &[f64]) -> Vec<Vec<Point>> {
    let total: f64 = pattern.iter().sum();
    if total.is_nan() || total <= 0.5 {
        return vec![points.to_vec()];
    }
    let mut out = Vec::new();
    let mut current: Vec<Point> = points.first().copied().into_iter().collect();
    let (mut k, mut left) = (0usize, pattern[0]);
    for w in points.windows(2) {
        let (dx, dy) = (w[1].0 - w[0].0, w[1].1 - w[0].1);
        let length = dx.hypot(dy);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let p = (w[0].0 + dx * done / length, w[0].1 + dy * done / length);
            if k % 2 == 0 {
                current.push(p);
                out.push(std::mem::take(&mut current));
            } else {
                current = vec![p];
            }
            k = (k + 1) % pattern.len();
            left = pattern[k];
        }
        left -= length - done;
        if k % 2 == 0 {
            current.push(w[1]);
        }
    }
    if k % 2 == 0 && current.len() > 1 {
        out.push(current);
    }
    out
}

/// Advance widths of the printable ASCII characters in DejaVu Sans, per 2048.
#[rustfmt::skip]
const ADVANCES: [u16; 95] = [
    651, 821, 942, 1716, 1303, 1946, 1597, 563, 799, 799, 1024, 1716, 651, 739, 651, 690,
    1303, 1303, 1303, 1303, 1303, 1303, 1303, 1303, 1303, 1303, 690, 690, 1716, 1716, 1716,
    1087, 2048, 1401, 1405, 1430, 1577, 1294, 1178, 1587, 1540, 604, 604, 1343, 1141, 1767,
    1532, 1612, 1235, 1612, 1423, 1300, 1251, 1499, 1401, 2025, 1403, 1251, 1403, 799, 690,
    799, 1716, 1024, 1024, 1255, 1300, 1126, 1300, 1260, 721, 1300, 1298, 569, 569, 1186,
    569, 1995, 1298, 1253, 1300, 1300, 842, 1067, 803, 1298, 1212, 1675, 1212, 1212, 1075,
    1303, 690, 1303, 1716,
];

/// The width of a text in pixels (kuva's own measure is private).
pub(super) fn text_width(s: &str, size: u32) -> f64 {
    let units: u32 = s
        .chars()
        .map(|c| {
            let code = c as usize;
            u32::from(match c {
                '\u{20}'..='\u{7e}' => ADVANCES[code - 0x20],
                '⁰' | '¹' | '²' | '³' | '⁴'..='⁹' | '₀'..='₉' => 821,
                '⁻' => 1081,
                '–' => 1024,
                '−' | '×' | '±' | '≤' | '≥' => 1716,
                'Ḣ' => 1540,
                '…' => 2048,
                '\u{2e80}'..='\u{ffff}' => 2048,
                _ => 1303,
            })
        })
        .sum();
    f64::from(units) / 2048.0 * f64::from(size)
}

/// Shortens a text with an ellipsis until it fits.
pub(super) fn fit(s: &str, size: u32, width: f64) -> String {
    if text_width(s, size) <= width {
        return s.to_owned();
    }
    let mut chars: Vec<char> = s.chars().collect();
    while chars.pop().is_some() {
        let t: String = chars.iter().collect::<String>().trim_end().to_owned() + "…";
        if text_width(&t, size) <= width {
            return t;
        }
    }
    String::new()
}

/// Breaks a text into lines that fit, at most `most` of them.
pub(super) fn wrap(s: &str, size: u32, width: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in s.split_whitespace() {
        let full = lines.len() == most;
        match lines.last_mut() {
            Some(l) if full || text_width(&format!("{l} {word}"), size) <= width => {
                l.push(' ');
                l.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|l| fit(l, size, width)).collect()
}

/// The part of segment `a`–`b` inside `r` (Liang and Barsky).
pub(super) fn clip_segment(r: &Rect, a: Point, b: Point) -> Option<(Point, Point)> {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let (mut t0, mut t1) = (0.0f64, 1.0f64);
    for (p, q) in [(-dx, a.0 - r.x), (dx, r.right() - a.0), (-dy, a.1 - r.y), (dy, r.bottom() - a.1)] {
        if p == 0.0 {
            if q < 0.0 {
                return None;
            }
        } else if p < 0.0 {
            t0 = t0.max(q / p);
        } else {
            t1 = t1.min(q / p);
        }
    }
    (t0 <= t1).then(|| {
        let at = |t: f64| (a.0 + t * dx, a.1 + t * dy);
        (at(t0), at(t1))
    })
}

/// The pieces of a polyline inside `r`. Non-finite points break it.
pub(super) fn clip_polyline(r: &Rect, points: &[Point]) -> Vec<Vec<Point>> {
    let mut out: Vec<Vec<Point>> = Vec::new();
    let mut open = false;
    for w in points.windows(2) {
        let finite = w.iter().all(|p| p.0.is_finite() && p.1.is_finite());
        match finite.then(|| clip_segment(r, w[0], w[1])).flatten() {
            Some((a, b)) => {
                match out.last_mut() {
                    Some(piece) if open => piece.push(b),
                    _ => out.push(vec![a, b]),
                }
                open = b == w[1];
            }
            None => open = false,
        }
    }
    out
}

/// Drops vertices closer than 0.8 pixels to the one before.
pub(super) fn simplify(points: Vec<Point>) -> Vec<Point> {
    let n = points.len();
    let mut out: Vec<Point> = Vec::with_capacity(n);
    for (i, p) in points.into_iter().enumerate() {
        let far = out.last().is_none_or(|q| (p.0 - q.0).hypot(p.1 - q.1) > 0.8);
        if far || i + 1 == n {
            out.push(p);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_splits_a_line_that_leaves_and_returns() {
        let r = Rect::new(0.0, 0.0, 10.0, 10.0);
        let pieces = clip_polyline(&r, &[(5.0, 5.0), (15.0, 5.0), (15.0, 8.0), (5.0, 8.0)]);
        assert_eq!(pieces.len(), 2);
        assert!((pieces[0][1].0 - 10.0).abs() < 1e-12);
        assert!(clip_polyline(&r, &[(f64::NAN, 0.0), (1.0, 1.0)]).is_empty());
    }

    #[test]
    fn dashes_cover_the_right_length() {
        let d = dashes(&[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)], &[3.0, 2.0]);
        let drawn: f64 = d.iter().flat_map(|p| p.windows(2)).map(|w| (w[1].0 - w[0].0).hypot(w[1].1 - w[0].1)).sum();
        assert!((drawn - 12.0).abs() < 1e-9);
    }

    #[test]
    fn long_texts_are_shortened() {
        assert!(text_width(&fit(&"word ".repeat(50), 12, 100.0), 12) <= 100.0);
        assert_eq!(fit("a", 12, 0.0), "");
        assert!(wrap(&"word ".repeat(50), 12, 100.0, 2).len() <= 2);
    }
}
