//! Level lines.

use std::collections::HashMap;

use crate::canvas::Point;

/// The level lines of a lattice function (marching squares), joined into
/// polylines. Cells with a gap at a corner are skipped.
pub(crate) fn contour(x: &[f64], y: &[f64], z: &[f64], level: f64) -> Vec<Vec<Point>> {
    let nx = x.len();
    // An edge is named by its lower or left node and its direction.
    let key = |i: usize, j: usize, vertical: bool| 2 * (j * nx + i) + usize::from(vertical);
    let mut points: HashMap<usize, Point> = HashMap::new();
    let mut links: HashMap<usize, [Option<usize>; 2]> = HashMap::new();
    let mut order: Vec<usize> = Vec::new();
    for j in 0..y.len().saturating_sub(1) {
        for i in 0..nx - 1 {
            let v = [z[j * nx + i], z[j * nx + i + 1], z[(j + 1) * nx + i + 1], z[(j + 1) * nx + i]];
            if v.iter().any(|v| !v.is_finite()) {
                continue;
            }
            let mut crossed: Vec<usize> = Vec::with_capacity(4);
            let corner = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)];
            for e in 0..4 {
                let (a, b) = (v[e], v[(e + 1) % 4]);
                if (a >= level) == (b >= level) {
                    continue;
                }
                let t = (level - a) / (b - a);
                let (p, q) = (corner[e], corner[(e + 1) % 4]);
                let at = (x[p.0] + t * (x[q.0] - x[p.0]), y[p.1] + t * (y[q.1] - y[p.1]));
                let k = match e {
                    0 => key(i, j, false),
                    1 => key(i + 1, j, true),
                    2 => key(i, j + 1, false),
                    _ => key(i, j, true),
                };
                points.insert(k, at);
                crossed.push(k);
            }
            let pairs: &[(usize, usize)] = match crossed.len() {
                2 => &[(0, 1)],
                // A saddle: the centre decides which corners are joined.
                4 if (v.iter().sum::<f64>() / 4.0 >= level) == (v[0] >= level) => &[(0, 1), (2, 3)],
                4 => &[(3, 0), (1, 2)],
                _ => &[],
            };
            for (a, b) in pairs {
                let (a, b) = (crossed[*a], crossed[*b]);
                for (from, to) in [(a, b), (b, a)] {
                    let slot = links.entry(from).or_insert([None; 2]);
                    if slot[0].is_none() {
                        slot[0] = Some(to);
                    } else {
                        slot[1] = Some(to);
                    }
                    order.push(from);
                }
            }
        }
    }
    // Open lines first, from an end; what is left are loops.
    let ends: Vec<usize> = order.iter().copied().filter(|k| links.get(k).is_some_and(|l| l[1].is_none())).collect();
    let mut used: HashMap<usize, bool> = HashMap::new();
    let mut lines = Vec::new();
    for start in ends.into_iter().chain(order) {
        if used.contains_key(&start) {
            continue;
        }
        let mut line = Vec::new();
        let mut at = Some(start);
        let mut last = start;
        while let Some(k) = at {
            used.insert(k, true);
            last = k;
            line.extend(points.get(&k).copied());
            at = links.get(&k).and_then(|l| l.iter().flatten().copied().find(|n| !used.contains_key(n)));
        }
        let closes = links.get(&last).is_some_and(|l| l.contains(&Some(start)));
        if closes && line.len() > 2 {
            line.push(line[0]);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_line_of_a_paraboloid_is_one_circle() {
        let n = 41;
        let x: Vec<f64> = (0..n).map(|i| -1.0 + f64::from(i) / 20.0).collect();
        let z: Vec<f64> = x.iter().flat_map(|y| x.iter().map(move |x| x * x + y * y)).collect();
        let lines = contour(&x, &x, &z, 0.5);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        for p in &lines[0] {
            assert!((p.0.hypot(p.1) - 0.5f64.sqrt()).abs() < 2e-3);
        }
        // One that leaves the lattice is cut into four arcs.
        assert_eq!(contour(&x, &x, &z, 1.5).len(), 4);
    }
}
