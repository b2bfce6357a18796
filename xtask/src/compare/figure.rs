//! The map as a figure.

use wngd_figures::{Dots, DotsPanel};

use super::setting::{Score, Setting};

/// Errors from which an estimate is none.
const MOST: f64 = 10.0;

/// Errors of every way on Lorenz' grid, a panel per order and noise.
pub(super) fn of(settings: &[Setting]) -> Dots {
    let mut dots = Dots { axis: "largest relative error".into(), least: 1e-8, ..Dots::default() };
    dots.series.push("wngd".into());
    for setting in settings.iter().filter(|s| s.system == "lorenz63") {
        let order = if setting.ordered { "in order" } else { "shuffled" };
        let title = format!("{order}, noise {:.0} %", 100.0 * setting.noise);
        if dots.panels.last().is_none_or(|p| p.title != title) {
            dots.panels.push(DotsPanel { title, ..DotsPanel::default() });
        }
        let mut values = vec![None; dots.series.len()];
        // What is lost would stretch the axis.
        let drawn = |s: Score| Some(s.error).filter(|e| *e < MOST);
        values[0] = setting.ours.and_then(drawn);
        for (name, score) in setting.peers.iter().filter_map(|(name, score)| Some((name, (*score)?))) {
            let at = dots.series.iter().position(|s| s == name).unwrap_or_else(|| {
                dots.series.push(name.clone());
                values.push(None);
                dots.series.len() - 1
            });
            values[at] = drawn(score);
        }
        if let Some(panel) = dots.panels.last_mut() {
            panel.rows.push((format!("Δt {}, n {}", setting.dt, setting.count), values));
        }
    }
    let n = dots.series.len();
    dots.panels.iter_mut().flat_map(|p| &mut p.rows).for_each(|(_, values)| values.resize(n, None));
    dots
}
