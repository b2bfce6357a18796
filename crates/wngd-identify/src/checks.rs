//! What data and model say of each other before and beside any estimator; each finding in its own words.

use crate::dynamics::Dynamics;
use crate::sample::Sample;
use crate::scale::time_scale;
use crate::simulate::simulate;
use crate::stream::Stream;

/// A gap this many times the range of the rest sets values apart.
const GAP: f64 = 4.0;
/// Most values that may be apart.
const APART: f64 = 0.1;
/// Values that tell where the middle is.
const LOOKED_AT: usize = 10_000;
/// Points two steps apart must be nearer than this share of their scatter for speeds to be told.
const SMOOTH: f64 = 0.7;
/// Share of the motion that the field must explain, or noise hides the speed.
const EXPLAINED: f64 = 0.5;
/// Ratio of speeds that is no matter of finite differences.
const SPEED: f64 = 2.2;
/// Fewer turns than this are few.
const TURNS: f64 = 30.0;
/// Ratio of ranges that says other units.
const RANGE: f64 = 3.0;

/// Values so far from all others that they are no values, as −999 for a missing one.
pub(crate) fn outliers(sample: &Sample, names: &[String]) -> Option<String> {
    for axis in 0..sample.dim {
        if !reaches_out(sample, axis) {
            continue;
        }
        let mut order: Vec<usize> = (0..sample.count()).collect();
        let value = |i: usize| sample.points[i * sample.dim + axis];
        let by_value = |a: &usize, b: &usize| value(*a).total_cmp(&value(*b)).then(a.cmp(b));
        let n = order.len();
        let few = ((n as f64 * APART) as usize).max(1);
        // Both ends alone need an order.
        let edge = few + 1;
        if 2 * edge < n {
            order.select_nth_unstable_by(edge - 1, by_value);
            order[edge..].select_nth_unstable_by(n - 2 * edge, by_value);
            order[..edge].sort_unstable_by(by_value);
            order[n - edge..].sort_unstable_by(by_value);
        } else {
            order.sort_unstable_by(by_value);
        }
        let range = |from: usize, to: usize| value(order[to]) - value(order[from]);
        let low = (1..=few)
            .find(|k| range(k - 1, *k) > GAP * range(*k, n - 1))
            .map(|k| (k, order[0], range(k - 1, k) / range(k, n - 1)));
        let high = (1..=few)
            .find(|k| range(n - 1 - k, n - k) > GAP * range(0, n - 1 - k))
            .map(|k| (k, order[n - 1], range(n - 1 - k, n - k) / range(0, n - 1 - k)));
        if let Some((count, row, times)) = low.or(high) {
            let first = order.iter().take(count).chain(order.iter().rev().take(count));
            let row = first.copied().filter(|i| value(*i) == value(row)).min().unwrap_or(row);
            return Some(format!(
                "row {} has {} = {}, {times:.0} times the range of all others away from them{}: a mark for a missing value? leave such rows out",
                row + 1,
                names[axis],
                value(row),
                if count > 1 { format!(", with {} more", count - 1) } else { String::new() }
            ));
        }
    }
    None
}

/// The same of points that are not held: the farthest values of all beside the range of some.
pub(crate) fn far_values(stream: &Stream, names: &[String]) -> Option<String> {
    let some = stream.some();
    stream.extremes.iter().enumerate().find_map(|(axis, (low, high))| {
        let mut column: Vec<f64> = some.points.iter().copied().skip(axis).step_by(some.dim).collect();
        column.sort_unstable_by(f64::total_cmp);
        let (few, n) = ((column.len() as f64 * APART) as usize, column.len());
        // Marks may be among the points that were kept, too: the innermost gap that is wide enough sets them apart.
        let begin = (1..=few).rfind(|k| column[*k] - column[k - 1] > GAP * (column[n - 1 - few] - column[*k])).unwrap_or(0);
        let end = (1..=few).rfind(|k| column[n - k] - column[n - 1 - k] > GAP * (column[n - 1 - k] - column[few]));
        let (least, most) = (column[begin], column[n - 1 - end.unwrap_or(0)]);
        let (below, above) = ((least - low.value) / (most - least), (high.value - most) / (most - least));
        let (far, times) = if below > above { (low, below) } else { (high, above) };
        (times > GAP).then(|| {
            format!(
                "row {} has {} = {}, {times:.0} times the range of others away from them: a mark for a missing value? leave such rows out",
                far.row + 1,
                names[axis],
                far.value
            )
        })
    })
}

/// Whether some value lies so far from the middle half of some of the values that a gap may be in between; which spares most data
/// the sorting.
fn reaches_out(sample: &Sample, axis: usize) -> bool {
    let column = || sample.points.iter().copied().skip(axis).step_by(sample.dim);
    let mut some: Vec<f64> = column().step_by((sample.count() / LOOKED_AT).max(1)).collect();
    some.sort_unstable_by(f64::total_cmp);
    let (low, high) = (some[some.len() / 4], some[3 * some.len() / 4]);
    // The rest is nine tenths of the values, which the middle half of some of them is well within.
    let reach = GAP * (high - low);
    column().any(|v| v < low - reach || v > high + reach)
}

/// Whether the points move as fast as the model says.
pub(crate) fn time_unit(dynamics: &Dynamics, sample: &Sample, theta: &[f64]) -> Option<String> {
    let dt = sample.dt.filter(|_| dynamics.diffusion.is_none())?;
    let d = sample.dim;
    let full = dynamics.theta_full(theta);
    let mut v = vec![0.0; d];
    let (mut along, mut speed, mut moved, mut count) = (0.0, 0.0, 0.0, 0.0);
    for (begin, end) in sample.spans() {
        for i in begin + 1..end.saturating_sub(1) {
            let (before, after) = (sample.point(i - 1), sample.point(i + 1));
            dynamics.drift.velocity(sample.point(i), &full, &mut v);
            for c in 0..d {
                let scale = sample.deviations[c];
                let (step, v) = ((after[c] - before[c]) / scale, v[c] / scale);
                along += step * v;
                speed += v * v;
                moved += step * step;
            }
            count += d as f64;
        }
    }
    let ratio = along / (2.0 * dt * speed);
    let smooth = (moved / count).sqrt() < SMOOTH && along * along > EXPLAINED * moved * speed;
    if !smooth || !ratio.is_finite() || ratio <= 0.0 || (1.0 / SPEED..SPEED).contains(&ratio) {
        return None;
    }
    let scale = time_scale(dynamics.drift.as_ref(), &full, &sample.points);
    Some(format!(
        "the data's time step, {dt}, is {:.2} times the time scale of the system, but the points move as if it were {:.3}: other units of time?",
        dt / scale,
        dt * ratio
    ))
}

/// How many turns the data hold, where they are few; `count` points in all, of which the sample has some.
pub(crate) fn turns(dynamics: &Dynamics, sample: &Sample, count: usize, theta: &[f64]) -> Option<String> {
    let dt = sample.dt?;
    let scale = time_scale(dynamics.drift.as_ref(), &dynamics.theta_full(theta), &sample.points);
    let turns = dt * count as f64 / (std::f64::consts::TAU * scale);
    (turns < TURNS)
        .then(|| format!("the record is about {turns:.0} turns long: too short for errors by its scatter to rely on"))
}

/// Ranges of the data that the model does not visit at some parameters.
pub(crate) fn ranges(dynamics: &Dynamics, sample: &Sample, theta: &[f64]) -> Option<String> {
    if dynamics.diffusion.is_some() || sample.dim > 3 {
        return None;
    }
    let full = dynamics.theta_full(theta);
    let field = dynamics.drift.as_ref();
    // From small values first: the data themselves may be far off.
    let starts = [vec![0.3; sample.dim], sample.point(sample.count() / 2).to_vec()];
    let path = starts.iter().find_map(|start| {
        let mut v = vec![0.0; sample.dim];
        field.velocity(start, &full, &mut v);
        let size = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
        let scale = Some(size(start) / size(&v)).filter(|s| s.is_finite() && *s > 0.0)?.clamp(1e-3, 1e3);
        simulate(field, &full, start, 0.2 * scale, 2000, 100.0 * scale).ok()
    })?;
    let range = |points: &[f64], axis: usize| {
        let column = points.iter().skip(axis).step_by(sample.dim);
        column.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(*v), b.max(*v)))
    };
    (0..sample.dim).find_map(|axis| {
        let ((a, b), (c, d)) = (range(&path, axis), range(&sample.points, axis));
        let ratio = (d - c) / (b - a);
        (b > a && !(1.0 / RANGE..RANGE).contains(&ratio)).then(|| {
            format!(
                "simulations cover [{a:.3}, {b:.3}] in {}, the data [{c:.3}, {d:.3}]: other units?",
                dynamics.variables()[axis]
            )
        })
    })
}

/// The sample with its columns in another order.
pub(crate) fn reordered(sample: &Sample, order: &[usize]) -> Sample {
    let points = sample.points.chunks_exact(sample.dim).flat_map(|row| order.iter().map(|i| row[*i])).collect();
    Sample { points, deviations: order.iter().map(|i| sample.deviations[*i]).collect(), ..sample.clone() }
}
