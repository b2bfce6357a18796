//! One parameter: the objective as a curve, a parabola per iterate.

use super::value::{DASHES, FIRST, LocalModel, QuadraticModels, model_entries};
use crate::axes::{ABOVE, Decor, Panel, Range, extent, left_margin};
use crate::canvas::{BLACK, GREY, Point, Stroke, WHITE};
use crate::drawing::Drawing;
use crate::looks;
use crate::sheet::{Entry, Sample, Sheet, Tiling};

pub(super) fn draw(data: &QuadraticModels) -> Drawing {
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

    let n = data.panels.len();
    let styles = looks::styles(data.panels.iter().map(|p| p.label.as_str()));
    let left = left_margin(&y, 150.0, true) + 10.0;
    let mut sheet = Sheet::new(Tiling::width(n), &data.title);
    let tiles = Tiling::new(n, left, 26.0, sheet.top, 0.85, ABOVE);
    let name = if data.parameter_name.is_empty() { "parameter" } else { &data.parameter_name };
    for (k, (content, style)) in data.panels.iter().zip(&styles).enumerate() {
        let panel = Panel { rect: tiles.rects[k], x, y };
        let canvas = &mut sheet.canvas;
        panel.grid(canvas);
        panel.curve(canvas, &curve, &Stroke::solid(GREY, 3.0));
        for (m, dash) in content.models.iter().take(FIRST).zip(DASHES) {
            let n = 240;
            let parabola: Vec<Point> = (0..=n)
                .map(|i| {
                    let v = x.lo + (x.hi - x.lo) * f64::from(i) / f64::from(n);
                    let h = v - m.theta[0];
                    (v, m.value + m.gradient[0] * h + 0.5 * m.matrix[0] * h * h)
                })
                .collect();
            panel.curve(canvas, &parabola, &Stroke { color: style.color, width: 1.7, dash });
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
            canvas,
            &Decor {
                title: &style.name,
                x_label: if tiles.at_bottom(k) { name } else { "" },
                y_label: if tiles.at_left(k) { "f" } else { "" },
                x_ticks: true,
                y_ticks: tiles.at_left(k),
                ..Decor::default()
            },
        );
    }
    let mut entries = vec![Entry::new("f", Sample::Line(Stroke::solid(GREY, 3.0), None))];
    entries.extend(model_entries(data.panels.iter().map(|p| p.models.len())));
    sheet.panels_end(tiles.bottom);
    sheet.legend(entries);
    sheet.finish()
}
