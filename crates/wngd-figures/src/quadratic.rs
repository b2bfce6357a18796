//! The local quadratic model that each method minimises at its first steps,
//! `m(h) = f + g·h + h·M h / 2` with `M = G / tau`.

use std::path::Path;

use super::axes::{ABOVE, BELOW, BELOW_TICKS, Decor, Panel, Range, extent, left_margin};
use super::canvas::{Align, Canvas, Marker, Point, Rect, Stroke, wrap};
use super::error::FigureError;
use super::field::Field;
use super::landscape::{Landscape, arrow_head, window_around};
use super::legend::{Entry, Legend, Sample, title, title_height, truth_marker};
use super::save::save;
use super::style::{self, BLACK, CONTOUR, GREY, MethodStyle, SMALL, TITLE, WHITE, WIDE};

/// Iterations whose models are drawn.
const FIRST: usize = 3;
/// The lines of the models at iterations 0, 1, 2.
const DASHES: [&[f64]; FIRST] = [&[], &[7.0, 4.0], &[1.5, 3.5]];

/// The model at one iterate.
#[derive(Clone, Debug, Default)]
pub struct LocalModel {
    /// The iterate.
    pub theta: Vec<f64>,
    /// The objective there.
    pub value: f64,
    /// Its gradient there.
    pub gradient: Vec<f64>,
    /// The model's Hessian `G / tau`, `p` by `p`, row by row.
    pub matrix: Vec<f64>,
    /// The step taken from there.
    pub step: Vec<f64>,
}

/// The objective and the model along the step from one iterate.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// The fraction of the step: 0 at the iterate, 1 at the full step.
    pub t: Vec<f64>,
    /// The objective.
    pub f: Vec<f64>,
    /// The model.
    pub model: Vec<f64>,
}

/// The first steps of one method.
#[derive(Clone, Debug, Default)]
pub struct QuadraticPanel {
    /// The method's label, such as `wasserstein`.
    pub label: String,
    /// The iterates.
    pub iterates: Vec<Vec<f64>>,
    /// The models at the first iterates (at most three are drawn).
    pub models: Vec<LocalModel>,
    /// The objective along the first steps; not needed with two parameters.
    pub profile: Vec<Profile>,
}

/// The first steps of some methods.
#[derive(Clone, Debug, Default)]
pub struct QuadraticModels {
    /// One panel per method.
    pub panels: Vec<QuadraticPanel>,
    /// With two parameters: the objective around the iterates. Its names label
    /// the axes; its traces are not drawn.
    pub landscape: Option<Landscape>,
    /// With one parameter: its name.
    pub parameter_name: String,
    /// The figure's title; none if empty.
    pub title: String,
}

/// Draws the local models: level ellipses over the landscape with two
/// parameters, parabolas over the objective with one, the objective and the
/// model along each step with more.
///
/// Each model has two ellipses: the outer passes through the iterate, the inner
/// lies at a quarter of the predicted decrease. A model without a unique
/// minimiser (a singular `G`) has none. If the methods' steps differ too much in
/// length for one window, each panel gets its own, and the figure says so.
///
/// # Errors
/// [`FigureError::Shape`] if there is nothing to draw or dimensions disagree;
/// [`FigureError::Io`] if a file cannot be written.
pub fn quadratic_models(data: &QuadraticModels, path_stem: &Path) -> Result<(), FigureError> {
    let p = check(data)?;
    match p {
        1 => parabolas(data, path_stem),
        2 => ellipses(data, path_stem),
        _ => profiles(data, path_stem),
    }
}

/// Checks all lengths and returns the number of parameters.
fn check(data: &QuadraticModels) -> Result<usize, FigureError> {
    let Some(first) = data.panels.first() else {
        return Err(FigureError::shape("panels", "is empty"));
    };
    let p = first.iterates.first().or(first.models.first().map(|m| &m.theta)).map_or(0, Vec::len);
    if p == 0 {
        return Err(FigureError::shape("panels[0].iterates", "holds no parameters"));
    }
    for (k, panel) in data.panels.iter().enumerate() {
        let expect = |field: String, n: usize, want: usize| {
            if n == want {
                Ok(())
            } else {
                Err(FigureError::shape(format!("panels[{k}].{field}"), format!("has {n} entries, not {want}")))
            }
        };
        for (i, v) in panel.iterates.iter().enumerate() {
            expect(format!("iterates[{i}]"), v.len(), p)?;
        }
        for (i, m) in panel.models.iter().enumerate() {
            expect(format!("models[{i}].theta"), m.theta.len(), p)?;
            expect(format!("models[{i}].gradient"), m.gradient.len(), p)?;
            expect(format!("models[{i}].matrix"), m.matrix.len(), p * p)?;
            expect(format!("models[{i}].step"), m.step.len(), p)?;
        }
        for (i, q) in panel.profile.iter().enumerate() {
            expect(format!("profile[{i}].f"), q.f.len(), q.t.len())?;
            expect(format!("profile[{i}].model"), q.model.len(), q.t.len())?;
        }
        if panel.models.is_empty() && panel.profile.is_empty() {
            return Err(FigureError::shape(format!("panels[{k}].models"), "is empty"));
        }
        if p > 2 && panel.profile.is_empty() {
            return Err(FigureError::shape(
                format!("panels[{k}].profile"),
                format!("is empty, but is what is drawn with {p} parameters"),
            ));
        }
    }
    Ok(p)
}

/// Panels in rows: up to three in one row, four as two by two, more in rows of
/// three.
pub(super) fn arrange(n: usize) -> (usize, usize) {
    let columns = match n {
        0 | 1 => 1,
        2 | 4 => 2,
        _ => 3,
    };
    (columns, n.div_ceil(columns))
}

/// Rectangles of equal panels that share axes: only the first column has tick
/// labels on the left, only the last panel of a column those below.
pub(super) struct Tiling {
    pub columns: usize,
    pub rects: Vec<Rect>,
    pub width: f64,
    pub bottom: f64,
}

impl Tiling {
    /// `gap` lies between columns, `aspect` is height over width, `above` the
    /// room for a panel's title.
    pub fn new(n: usize, left: f64, gap: f64, top: f64, aspect: f64, above: f64) -> Self {
        let (columns, rows) = arrange(n);
        let total = Self::width(n);
        let w = (total - left - 18.0 - gap * (columns - 1) as f64) / columns as f64;
        let h = w * aspect;
        let pitch = h + above + BELOW_TICKS + 6.0;
        let rects = (0..n)
            .map(|k| {
                let (r, c) = (k / columns, k % columns);
                Rect::new(left + c as f64 * (w + gap), top + above + r as f64 * pitch, w, h)
            })
            .collect();
        let bottom = top + above + (rows - 1) as f64 * pitch + h;
        Self { columns, rects, width: total, bottom }
    }

    /// The width of the page: one or two panels need not fill it.
    pub fn width(n: usize) -> f64 {
        match arrange(n).0 {
            1 => 460.0,
            2 => 620.0,
            _ => WIDE,
        }
    }

    /// Whether panel `k` has the vertical axis' labels.
    pub fn at_left(&self, k: usize) -> bool {
        k.is_multiple_of(self.columns)
    }

    /// Whether nothing lies below panel `k`.
    pub fn at_bottom(&self, k: usize) -> bool {
        k + self.columns >= self.rects.len()
    }
}

/// A symmetric 2 by 2 model: its minimiser and its level ellipses.
struct Bowl {
    minimiser: [f64; 2],
    /// The depth of the minimum below the iterate's value.
    depth: f64,
    /// Lower triangular factor of `M`.
    l: [f64; 3],
}

impl Bowl {
    /// `None` unless the model has a unique minimiser.
    fn new(m: &LocalModel) -> Option<Self> {
        let (a, c) = (m.matrix[0], m.matrix[3]);
        let b = 0.5 * (m.matrix[1] + m.matrix[2]);
        if !(a > 0.0 && c > 0.0) {
            return None;
        }
        let l0 = a.sqrt();
        let l1 = b / l0;
        let rest = c - l1 * l1;
        // Relative: what remains of `c` after elimination is rounding.
        if rest.is_nan() || rest <= 1e-12 * c {
            return None;
        }
        let l2 = rest.sqrt();
        let (g0, g1) = (m.gradient[0], m.gradient[1]);
        let w0 = g0 / l0;
        let w1 = (g1 - l1 * w0) / l2;
        let h1 = -w1 / l2;
        let h0 = (-w0 - l1 * h1) / l0;
        let depth = 0.5 * (w0 * w0 + w1 * w1);
        let minimiser = [m.theta[0] + h0, m.theta[1] + h1];
        (minimiser.iter().all(|v| v.is_finite()) && depth.is_finite()).then_some(Self {
            minimiser,
            depth,
            l: [l0, l1, l2],
        })
    }

    /// The ellipse on which the model lies a fraction of the depth above its
    /// minimum; a fraction of 1 gives the one through the iterate.
    fn ellipse(&self, fraction: f64) -> Vec<Point> {
        let r = (2.0 * self.depth * fraction).sqrt();
        let n = 160;
        (0..=n)
            .map(|k| {
                let a = std::f64::consts::TAU * f64::from(k) / f64::from(n);
                // Solve L' h = r (cos, sin).
                let h1 = r * a.sin() / self.l[2];
                let h0 = (r * a.cos() - self.l[1] * h1) / self.l[0];
                (self.minimiser[0] + h0, self.minimiser[1] + h1)
            })
            .collect()
    }
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
    let (cx, cy) = window_around(&points);
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
    let (x, y) = (Range::around(points.iter().map(|p| p[0]), 0.07), Range::around(points.iter().map(|p| p[1]), 0.07));
    let Some((fx, fy)) = bounds else {
        return (x, y);
    };
    let within = |a: Range, b: Range| {
        if a.lo < b.hi && a.hi > b.lo { Range::linear(a.lo.max(b.lo), a.hi.min(b.hi)) } else { b }
    };
    (within(x, fx), within(y, fy))
}

/// Two parameters.
fn ellipses(data: &QuadraticModels, stem: &Path) -> Result<(), FigureError> {
    let mut field = match &data.landscape {
        Some(l) => Some(Field::new(&l.x, &l.y, &l.values, "landscape.")?),
        None => None,
    };
    let mut windows: Vec<(Range, Range)> = data.panels.iter().map(|p| window(p, field.as_ref())).collect();
    let union =
        |f: &dyn Fn(&(Range, Range)) -> Range| Range::around(windows.iter().map(f).flat_map(|r| [r.lo, r.hi]), 0.0);
    let all = (union(&|w| w.0), union(&|w| w.1));
    let size = |r: &Range| r.hi - r.lo;
    // One window for all if every method's steps can be seen in it.
    let shared = windows.iter().all(|w| size(&w.0) > 0.3 * size(&all.0) || size(&w.1) > 0.3 * size(&all.1));
    if shared {
        windows.fill(all);
    }

    let styles = style::styles(data.panels.iter().map(|p| p.label.as_str()));
    let heading = wrap(&data.title, TITLE, Tiling::width(data.panels.len()) - 20.0, 2);
    let top = title_height(&heading, TITLE);
    let margin = |label: bool| windows.iter().map(|w| left_margin(&w.1, 170.0, label)).fold(0.0, f64::max);
    let left = margin(true) + 10.0;
    let gap = if shared { 26.0 } else { margin(false) + 14.0 };
    let tiles = Tiling::new(data.panels.len(), left, gap, top, 0.95, ABOVE);
    let panels: Vec<Panel> =
        tiles.rects.iter().zip(&windows).map(|(r, w)| Panel { rect: *r, x: w.0, y: w.1 }).collect();
    let truth = data
        .landscape
        .as_ref()
        .and_then(|l| l.truth)
        .filter(|t| panels.iter().any(|p| p.rect.contains(p.at(t[0], t[1]), 0.0)));

    let mut entries = Vec::new();
    if field.is_some() {
        let pen = Stroke::solid(CONTOUR, 1.0);
        entries.push(Entry::new("level sets of f", Sample::Line(pen, None)));
    }
    entries.extend(model_entries(data.panels.iter().map(|p| p.models.len())));
    if truth.is_some() {
        entries.push(Entry::new("truth", Sample::Truth));
    }
    let legend = Legend::new(entries, tiles.width - 40.0);
    let legend_y = tiles.bottom + BELOW + 8.0;
    let note_y = legend_y + legend.height() + 14.0;
    let bottom = if shared { note_y - 6.0 } else { note_y + 8.0 };
    let mut canvas = Canvas::new(tiles.width, bottom);
    title(&mut canvas, &heading, TITLE, tiles.width / 2.0);
    let (x_name, y_name) = match &data.landscape {
        Some(l) => (l.x_name.as_str(), l.y_name.as_str()),
        None => ("parameter 1", "parameter 2"),
    };
    for (k, (content, style)) in data.panels.iter().zip(&styles).enumerate() {
        let panel = &panels[k];
        if let Some(f) = &mut field {
            f.focus(&panel.x, &panel.y);
            f.draw(&mut canvas, panel);
        }
        panel.frame(
            &mut canvas,
            &Decor {
                title: &style.name,
                x_label: if tiles.at_bottom(k) { x_name } else { "" },
                y_label: if tiles.at_left(k) { y_name } else { "" },
                x_ticks: true,
                y_ticks: tiles.at_left(k) || !shared,
            },
        );
        if let Some(t) = truth {
            let at = panel.at(t[0], t[1]);
            if panel.rect.contains(at, 0.0) {
                truth_marker(&mut canvas, at, 10.5);
            }
        }
        bowls(&mut canvas, panel, content, style);
    }
    legend.draw(&mut canvas, tiles.width / 2.0, legend_y);
    if !shared {
        let note = "each panel has its own window";
        canvas.text((tiles.width / 2.0, note_y), note, SMALL, Align::Middle, BLACK);
    }
    save(canvas, stem)
}

/// The legend entries of models, iterates and minimisers.
fn model_entries(counts: impl Iterator<Item = usize>) -> Vec<Entry> {
    let shown = counts.max().unwrap_or(0).min(FIRST);
    let mut entries: Vec<Entry> = DASHES
        .iter()
        .enumerate()
        .take(shown)
        .map(|(k, dash)| {
            let pen = Stroke { color: BLACK, width: 1.6, dash };
            Entry::new(format!("model at iteration {k}"), Sample::Line(pen, None))
        })
        .collect();
    entries.push(Entry::new("iterate", Sample::Marker(Marker::Circle, BLACK, 4.0)));
    entries.push(Entry::new("minimiser of the model", Sample::Ring(BLACK)));
    entries
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
            && let Some((_, exit)) = super::canvas::clip_segment(&panel.rect, w[0], w[1])
        {
            arrow_head(canvas, exit, (w[1].0 - w[0].0, w[1].1 - w[0].1), style);
        }
    }
    for p in px.iter().filter(|p| inside(p)) {
        canvas.circle(*p, 3.4, Some(BLACK), Some(&Stroke::solid(WHITE, 0.9)));
    }
}

/// One parameter: the objective as a curve, a parabola per iterate.
fn parabolas(data: &QuadraticModels, stem: &Path) -> Result<(), FigureError> {
    // All profiles lie on one curve; together they sample it best.
    let mut curve: Vec<Point> = Vec::new();
    for panel in &data.panels {
        for (m, q) in panel.models.iter().zip(&panel.profile) {
            let at = |t: &f64| m.theta[0] + t * m.step[0];
            curve.extend(q.t.iter().map(at).zip(q.f.iter().copied()));
        }
        curve.extend(panel.models.iter().map(|m| (m.theta[0], m.value)));
    }
    curve.retain(|p| p.0.is_finite() && p.1.is_finite());
    curve.sort_by(|a, b| a.0.total_cmp(&b.0));
    curve.dedup_by(|a, b| a.0 == b.0);

    let lowest = |m: &LocalModel| -> Option<Point> {
        let h = -m.gradient[0] / m.matrix[0];
        let v = m.value + 0.5 * m.gradient[0] * h;
        (m.matrix[0] > 0.0 && h.is_finite() && v.is_finite()).then_some((m.theta[0] + h, v))
    };
    let iterates = || data.panels.iter().flat_map(|p| p.iterates.iter().take(FIRST + 1).map(|v| v[0]));
    let (a, b) = extent(iterates().chain(curve.iter().map(|p| p.0))).unwrap_or((0.0, 1.0));
    let x = Range::around([a, b], 0.04);
    let (fl, fh) = extent(curve.iter().map(|p| p.1)).unwrap_or((0.0, 1.0));
    let span = if fh > fl { fh - fl } else { fl.abs().max(1.0) };
    let minima = data.panels.iter().flat_map(|p| p.models.iter().take(FIRST).filter_map(lowest));
    // A model that promises far too much must not flatten the objective.
    let low = minima.map(|p| p.1).fold(fl, f64::min).max(fl - 0.8 * span);
    let y = Range::around([low, fh], 0.07);

    let styles = style::styles(data.panels.iter().map(|p| p.label.as_str()));
    let heading = wrap(&data.title, TITLE, Tiling::width(data.panels.len()) - 20.0, 2);
    let left = left_margin(&y, 150.0, true) + 10.0;
    let tiles = Tiling::new(data.panels.len(), left, 26.0, title_height(&heading, TITLE), 0.85, ABOVE);
    let mut entries = vec![Entry::new("f", Sample::Line(Stroke::solid(GREY, 3.0), None))];
    entries.extend(model_entries(data.panels.iter().map(|p| p.models.len())));
    let legend = Legend::new(entries, tiles.width - 40.0);
    let legend_y = tiles.bottom + BELOW + 8.0;
    let mut canvas = Canvas::new(tiles.width, legend_y + legend.height() + 8.0);
    title(&mut canvas, &heading, TITLE, tiles.width / 2.0);
    let name = if data.parameter_name.is_empty() { "parameter" } else { &data.parameter_name };
    for (k, (content, style)) in data.panels.iter().zip(&styles).enumerate() {
        let panel = Panel { rect: tiles.rects[k], x, y };
        panel.grid(&mut canvas);
        panel.curve(&mut canvas, &curve, &Stroke::solid(GREY, 3.0));
        for (m, dash) in content.models.iter().take(FIRST).zip(DASHES) {
            let n = 240;
            let parabola: Vec<Point> = (0..=n)
                .map(|i| {
                    let v = x.lo + (x.hi - x.lo) * f64::from(i) / f64::from(n);
                    let h = v - m.theta[0];
                    (v, m.value + m.gradient[0] * h + 0.5 * m.matrix[0] * h * h)
                })
                .collect();
            panel.curve(&mut canvas, &parabola, &Stroke { color: style.color, width: 1.7, dash });
        }
        for m in content.models.iter().take(FIRST) {
            if let Some(p) = lowest(m) {
                let at = panel.at(p.0, p.1);
                if panel.rect.contains(at, 0.5) {
                    canvas.ring(at, style.color);
                }
            }
            let at = panel.at(m.theta[0], m.value);
            if panel.rect.contains(at, 0.5) {
                canvas.circle(at, 3.6, Some(BLACK), Some(&Stroke::solid(WHITE, 0.9)));
            }
        }
        panel.frame(
            &mut canvas,
            &Decor {
                title: &style.name,
                x_label: if tiles.at_bottom(k) { name } else { "" },
                y_label: if tiles.at_left(k) { "f" } else { "" },
                x_ticks: true,
                y_ticks: tiles.at_left(k),
            },
        );
    }
    legend.draw(&mut canvas, tiles.width / 2.0, legend_y);
    save(canvas, stem)
}

/// Three parameters or more: a row per method, a column per iteration, each
/// with its own vertical axis (the scales differ by orders of magnitude).
fn profiles(data: &QuadraticModels, stem: &Path) -> Result<(), FigureError> {
    let styles = style::styles(data.panels.iter().map(|p| p.label.as_str()));
    let columns = data.panels.iter().map(|p| p.profile.len().min(FIRST)).max().unwrap_or(1).max(1);
    let h = 104.0;
    let range = |q: &Profile| {
        let (fl, fh) = extent(q.f.iter().copied()).unwrap_or((0.0, 1.0));
        let span = if fh > fl { fh - fl } else { fl.abs().max(1e-12) };
        let (ml, mh) = extent(q.model.iter().copied()).unwrap_or((fl, fh));
        Range::around([fl.min(ml).max(fl - span), fh.max(mh).min(fh + span)], 0.08)
    };
    let mut margins = vec![0.0f64; columns];
    for panel in &data.panels {
        for (c, q) in panel.profile.iter().take(FIRST).enumerate() {
            margins[c] = margins[c].max(left_margin(&range(q), h, true) + 4.0);
        }
    }
    let name_width = 26.0;
    let total = if columns == 1 { 460.0 } else { WIDE };
    let gap = 12.0;
    let w = (total - name_width - margins.iter().sum::<f64>() - gap * columns as f64) / columns as f64;
    let heading = wrap(&data.title, TITLE, total - 20.0, 2);
    let top = title_height(&heading, TITLE) + ABOVE;
    let pitch = h + BELOW_TICKS + 14.0;
    let bottom = top + pitch * (data.panels.len() - 1) as f64 + h;
    let legend = Legend::new(
        vec![
            Entry::new("f along the step", Sample::Line(Stroke::solid(GREY, 3.0), None)),
            Entry::new("model", Sample::Line(Stroke { color: BLACK, width: 1.7, dash: DASHES[1] }, None)),
            Entry::new("iterate", Sample::Marker(Marker::Circle, BLACK, 4.0)),
            Entry::new("full step", Sample::Marker(Marker::Diamond, BLACK, 4.0)),
        ],
        total - 40.0,
    );
    let legend_y = bottom + BELOW + 8.0;
    let mut canvas = Canvas::new(total, legend_y + legend.height() + 8.0);
    title(&mut canvas, &heading, TITLE, total / 2.0);
    for (r, (content, style)) in data.panels.iter().zip(&styles).enumerate() {
        let y0 = top + pitch * r as f64;
        let name = super::canvas::fit(&style.name, TITLE, h + 24.0);
        canvas.text_up((name_width - 8.0, y0 + h / 2.0), &name, TITLE, BLACK);
        let mut x0 = name_width;
        for (c, margin) in margins.iter().enumerate() {
            x0 += margin;
            if let Some(q) = content.profile.get(c).filter(|q| !q.t.is_empty()) {
                let x = Range::around(q.t.iter().copied(), 0.03);
                let panel = Panel { rect: Rect::new(x0, y0, w, h), x, y: range(q) };
                let lists = |v: &[f64]| -> Vec<Point> { q.t.iter().copied().zip(v.iter().copied()).collect() };
                let f = lists(&q.f);
                panel.grid(&mut canvas);
                panel.curve(&mut canvas, &f, &Stroke::solid(GREY, 3.0));
                let pen = Stroke { color: style.color, width: 1.7, dash: DASHES[1] };
                panel.curve(&mut canvas, &lists(&q.model), &pen);
                for (t, marker) in [(0.0, Marker::Circle), (1.0, Marker::Diamond)] {
                    if let Some(v) = interpolate(&f, t) {
                        let at = panel.at(t, v);
                        if panel.rect.contains(at, 0.5) {
                            canvas.marker(marker, at, 3.9, BLACK, Some(&Stroke::solid(WHITE, 0.9)));
                        }
                    }
                }
                let heading = format!("iteration {c}");
                panel.frame(
                    &mut canvas,
                    &Decor {
                        title: if r == 0 { &heading } else { "" },
                        x_label: if r + 1 == data.panels.len() { "fraction t of the step" } else { "" },
                        y_label: "f",
                        x_ticks: true,
                        y_ticks: true,
                    },
                );
            }
            x0 += w + gap;
        }
    }
    legend.draw(&mut canvas, total / 2.0, legend_y);
    save(canvas, stem)
}

/// The value at `t` of a curve sorted by its first coordinate.
fn interpolate(curve: &[Point], t: f64) -> Option<f64> {
    curve.windows(2).find_map(|w| {
        let (a, b) = (w[0], w[1]);
        if a.0 <= t && t <= b.0 && b.0 > a.0 { Some(a.1 + (t - a.0) / (b.0 - a.0) * (b.1 - a.1)) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ellipses_are_level_sets_of_the_model() {
        let m = LocalModel {
            theta: vec![1.0, -2.0],
            value: 3.0,
            gradient: vec![0.7, -0.4],
            matrix: vec![2.0, 0.5, 0.5, 1.0],
            step: vec![0.0, 0.0],
        };
        let b = Bowl::new(&m).expect("positive definite");
        let model = |p: Point| {
            let (h, k) = (p.0 - 1.0, p.1 + 2.0);
            3.0 + 0.7 * h - 0.4 * k + 0.5 * (2.0 * h * h + h * k + k * k)
        };
        for p in b.ellipse(1.0) {
            assert!((model(p) - 3.0).abs() < 1e-12);
        }
        let bottom = model((b.minimiser[0], b.minimiser[1]));
        assert!((3.0 - bottom - b.depth).abs() < 1e-12);
        let flat = LocalModel { matrix: vec![1.0, 1.0, 1.0, 1.0], ..m };
        assert!(Bowl::new(&flat).is_none());
    }
}
