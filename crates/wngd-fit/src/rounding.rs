//! Samples rounded so coarsely that their variances hold a share of rounding: the likelihood of the rounded values,
//! integrals over cells of the lattice, tells what the variances are without it.

use std::collections::BTreeMap;

use crate::binned::Binned;
use crate::descent::{End, em, polish};
use crate::frame::Frame;
use crate::options::Family;
use crate::remark::Remark;
use crate::search::Found;

/// Step over deviation from which rounding is told.
const COARSE: f64 = 0.5;
/// Step over deviation below which rounding plays no part at all.
const FINE: f64 = 0.1;
/// Cells up to which the likelihood of rounded values is computed.
const CELLS: usize = 20_000;

/// Tells the components along which rounding is coarse, with their variances without it where all of up to three
/// coordinates are rounded.
pub(crate) fn coarse(
    values: &[f64],
    weights: Option<&[f64]>,
    frame: &Frame,
    found: &Found,
    family: Family,
    remarks: &mut Vec<Remark>,
) {
    let point = &found.polished.point;
    let dim = point.parameters.dim;
    let mut places = Vec::new();
    for (axis, lattice) in frame.lattice.iter().enumerate() {
        let Some(lattice) = lattice else { continue };
        let step = lattice.step / frame.scale[axis];
        let of = |c: &Vec<f64>| step / c[axis * dim + axis].sqrt();
        if point.parameters.covariances.iter().any(|c| of(c) > FINE) {
            remarks.push(Remark::Rounded { axis, step: lattice.step });
        }
    }
    for (axis, lattice) in frame.lattice.iter().enumerate() {
        let Some(lattice) = lattice else { continue };
        for k in 0..point.parameters.components() {
            let ratio = lattice.step / frame.scale[axis] / point.parameters.covariances[k][axis * dim + axis].sqrt();
            if ratio > COARSE && !point.at_floor[k] {
                places.push((axis, k, ratio));
            }
        }
    }
    if places.is_empty() {
        return;
    }
    let better = corrected(values, weights, frame, found, family);
    for (axis, component, ratio) in places {
        let variance = better.as_ref().map(|p| p[component][axis * dim + axis] * frame.scale[axis].powi(2));
        remarks.push(Remark::Coarse { axis, component, ratio, variance });
    }
}

/// Covariances by the likelihood of rounded values.
fn corrected(
    values: &[f64],
    weights: Option<&[f64]>,
    frame: &Frame,
    found: &Found,
    family: Family,
) -> Option<Vec<Vec<f64>>> {
    let dim = found.start.dim;
    if dim > 3 || !frame.lattice.iter().all(Option::is_some) || found.polished.end != End::Stationary {
        return None;
    }
    let steps: Vec<f64> = frame.lattice.iter().flatten().zip(&frame.scale).map(|(l, s)| l.step / s).collect();
    let origin: Vec<f64> = frame
        .lattice
        .iter()
        .flatten()
        .zip(frame.centre.iter().zip(&frame.scale))
        .map(|(l, (c, s))| (l.origin - c) / s)
        .collect();
    let mut cells: BTreeMap<Vec<i64>, f64> = BTreeMap::new();
    for (i, x) in values.chunks_exact(dim).enumerate() {
        let key = (0..dim).map(|a| ((x[a] - origin[a]) / steps[a]).round() as i64).collect();
        *cells.entry(key).or_default() += weights.map_or(1.0, |w| w[i]);
        if cells.len() > CELLS {
            return None;
        }
    }
    let edge = |side: f64| {
        let of = |key: &Vec<i64>| (0..dim).map(|a| origin[a] + steps[a] * (key[a] as f64 + side)).collect::<Vec<f64>>();
        cells.keys().flat_map(of).collect::<Vec<f64>>()
    };
    let bins = Binned {
        dim,
        lower: edge(-0.5),
        upper: edge(0.5),
        counts: cells.values().copied().collect(),
        cut: false,
        stop: || false,
    };
    let floor: Vec<f64> = steps.iter().map(|h| (0.01 * h).powi(2)).collect();
    let point = em(&bins, &found.polished.point.parameters, family, &floor, 30, 1e-8, &mut None)?;
    let polished = polish(&bins, point, family, &floor, 50, false);
    (polished.end == End::Stationary).then_some(polished.point.parameters.covariances)
}
