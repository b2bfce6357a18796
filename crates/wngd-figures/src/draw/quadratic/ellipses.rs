//! Two parameters: level ellipses of the models over those of the objective.

use super::bowl::Bowl;
use super::value::{DASHES, FIRST, QuadraticModels, QuadraticPanel, model_entries};
use crate::axes::{ABOVE, Decor, Panel, Range, left_margin};
use crate::canvas::{BLACK, CONTOUR, Canvas, Point, Stroke, WHITE, clip_segment};
use crate::drawing::Drawing;
use crate::error::FigureError;
use crate::field::Field;
use crate::looks::{self, MethodStyle};
use crate::sheet::{Entry, Sample, Sheet, Tiling};

pub(super) fn draw(data: &QuadraticModels) -> Result<Drawing, FigureError> {
    let mut field = match &data.landscape {
        Some(l) => Some(Field::new(&l.x, &l.y, &l.values, "landscape.")?),
        None => None,
    };
    let n = data.panels.len();
    let (windows, shared) = windows(data, field.as_ref());
    let margin = |label: bool| windows.iter().map(|w| left_margin(&w.1, 170.0, label)).fold(0.0, f64::max);
    let left = margin(true) + 10.0;
    let gap = if shared { 26.0 } else { margin(false) + 14.0 };
    let mut sheet = Sheet::new(Tiling::width(n), &data.title);
    let tiles = Tiling::new(n, left, gap, sheet.top, 0.95, ABOVE);
    let panels: Vec<Panel> =
        tiles.rects.iter().zip(&windows).map(|(r, w)| Panel { rect: *r, x: w.0, y: w.1 }).collect();
    let truth = data.landscape.as_ref().and_then(|l| l.truth);
    let place = |p: &Panel| truth.map(|t| p.at(t[0], t[1])).filter(|at| p.rect.contains(*at, 0.0));
    let (x_name, y_name) = match &data.landscape {
        Some(l) => (l.x_name.as_str(), l.y_name.as_str()),
        None => ("parameter 1", "parameter 2"),
    };
    let styles = looks::styles(data.panels.iter().map(|p| p.label.as_str()));
    for (k, ((content, style), panel)) in data.panels.iter().zip(&styles).zip(&panels).enumerate() {
        let canvas = &mut sheet.canvas;
        if let Some(f) = &mut field {
            f.focus(&panel.x, &panel.y);
            f.draw(canvas, panel);
        }
        let decor = Decor {
            title: &style.name,
            x_label: if tiles.at_bottom(k) { x_name } else { "" },
            y_label: if tiles.at_left(k) { y_name } else { "" },
            x_ticks: true,
            y_ticks: tiles.at_left(k) || !shared,
            ..Decor::default()
        };
        panel.frame(canvas, &decor);
        if let Some(at) = place(panel) {
            canvas.truth_marker(at, 10.5);
        }
        bowls(canvas, panel, content, style);
    }
    let mut entries = Vec::new();
    if field.is_some() {
        let pen = Stroke::solid(CONTOUR, 1.0);
        entries.push(Entry::new("level sets of f", Sample::Line(pen, None)));
    }
    entries.extend(model_entries(data.panels.iter().map(|p| p.models.len())));
    if panels.iter().any(|p| place(p).is_some()) {
        entries.push(Entry::new("truth", Sample::Truth));
    }
    sheet.panels_end(tiles.bottom);
    sheet.legend(entries);
    sheet.note(if shared { "" } else { "each panel has its own window" });
    Ok(sheet.finish())
}

/// A window per panel; one for all, if every method's steps can be seen in it.
fn windows(data: &QuadraticModels, field: Option<&Field>) -> (Vec<(Range, Range)>, bool) {
    let mut windows: Vec<(Range, Range)> = data.panels.iter().map(|p| window(p, field)).collect();
    let union =
        |f: &dyn Fn(&(Range, Range)) -> Range| Range::around(windows.iter().map(f).flat_map(|r| [r.lo, r.hi]), 0.0);
    let all = (union(&|w| w.0), union(&|w| w.1));
    let size = |r: &Range| r.hi - r.lo;
    let shared = windows.iter().all(|w| size(&w.0) > 0.3 * size(&all.0) || size(&w.1) > 0.3 * size(&all.1));
    if shared {
        windows.fill(all);
    }
    (windows, shared)
}

/// The window of one method's first steps: iterates, minimisers, and the
/// ellipses, as far as those do not dwarf the rest.
fn window(panel: &QuadraticPanel, field: Option<&Field>) -> (Range, Range) {
    let bowls: Vec<Bowl> = panel.models.iter().take(FIRST).filter_map(Bowl::new).collect();
    let mut points: Vec<[f64; 2]> = panel.iterates.iter().take(FIRST + 1).map(|v| [v[0], v[1]]).collect();
    points.extend(panel.models.iter().take(FIRST).map(|m| [m.theta[0], m.theta[1]]));
    let bounds = field.map(Field::window);
    if let Some((fx, fy)) = &bounds {
        points.retain(|p| (fx.lo..=fx.hi).contains(&p[0]) && (fy.lo..=fy.hi).contains(&p[1]));
    }
    let (cx, cy) = window_around(&points, 0.12);
    let near = |r: &Range, v: f64, k: f64| v >= r.lo - k * (r.hi - r.lo) && v <= r.hi + k * (r.hi - r.lo);
    points.extend(bowls.iter().map(|b| b.minimiser).filter(|m| near(&cx, m[0], 2.0) && near(&cy, m[1], 2.0)));
    for b in &bowls {
        let ring = b.ellipse(1.0);
        // A direction the iterates hardly move along may still be shown.
        let cut = |v: f64, r: &Range| {
            let size = r.hi - r.lo;
            v.clamp(r.lo - 15.0 * size, r.hi + 15.0 * size)
        };
        points.extend(ring.iter().map(|p| [cut(p.0, &cx), cut(p.1, &cy)]));
    }
    let (x, y) = window_around(&points, 0.07);
    let Some((fx, fy)) = bounds else {
        return (x, y);
    };
    let within = |a: Range, b: Range| {
        if a.lo < b.hi && a.hi > b.lo { Range::linear(a.lo.max(b.lo), a.hi.min(b.hi)) } else { b }
    };
    (within(x, fx), within(y, fy))
}

/// A window around some points.
fn window_around(points: &[[f64; 2]], pad: f64) -> (Range, Range) {
    (Range::around(points.iter().map(|p| p[0]), pad), Range::around(points.iter().map(|p| p[1]), pad))
}

/// The ellipses, the path and the minimisers of one method.
fn bowls(canvas: &mut Canvas, panel: &Panel, content: &QuadraticPanel, style: &MethodStyle) {
    let bowls: Vec<Option<Bowl>> = content.models.iter().take(FIRST).map(Bowl::new).collect();
    for (bowl, dash) in bowls.iter().zip(DASHES) {
        let Some(bowl) = bowl else { continue };
        for (fraction, width) in [(1.0, 1.6), (0.25, 1.1)] {
            let ring = bowl.ellipse(fraction);
            panel.curve(canvas, &ring, &Stroke::solid(WHITE, width + 1.2));
            panel.curve(canvas, &ring, &Stroke { color: style.color, width, dash });
        }
    }
    let path: Vec<Point> = content.iterates.iter().take(FIRST + 1).map(|v| (v[0], v[1])).collect();
    panel.curve(canvas, &path, &Stroke::solid(WHITE, 3.0));
    panel.curve(canvas, &path, &Stroke::solid(BLACK, 1.3));
    let inside = |p: &Point| panel.rect.contains(*p, 0.5);
    for bowl in bowls.iter().flatten() {
        let at = panel.at(bowl.minimiser[0], bowl.minimiser[1]);
        if inside(&at) {
            canvas.ring(at, style.color);
        }
    }
    let px: Vec<Point> = path.iter().map(|p| panel.at(p.0, p.1)).collect();
    for w in px.windows(2) {
        if inside(&w[0])
            && !inside(&w[1])
            && let Some((_, exit)) = clip_segment(&panel.rect, w[0], w[1])
        {
            canvas.arrow_head(exit, (w[1].0 - w[0].0, w[1].1 - w[0].1), style.color);
        }
    }
    for p in px.iter().filter(|p| inside(p)) {
        canvas.circle(*p, 3.4, Some(BLACK), Some(&Stroke::solid(WHITE, 0.9)));
    }
}
