//! Which minimum a descent ends in, over many starts.

/// A minimum that descents end in, with how many did.
#[derive(Debug, Clone, PartialEq)]
pub struct Minimum {
    /// Parameters of its best representative.
    pub theta: Vec<f64>,
    /// Objective there.
    pub objective: f64,
    /// Descents that ended there.
    pub count: usize,
}

/// Groups end points into minima.
///
/// Ends within `tolerance` of each other, relative to the spread `scale` of each
/// parameter, are the same minimum. The minima are sorted by objective, best first.
///
/// # Shapes
/// `ends`: one entry per descent, `None` for descents that did not end in a minimum;
/// result: the minima, and the minimum of each descent.
pub fn group_ends(
    ends: &[Option<(Vec<f64>, f64)>],
    scale: &[f64],
    tolerance: f64,
) -> (Vec<Minimum>, Vec<Option<usize>>) {
    let mut order: Vec<usize> = (0..ends.len()).filter(|&i| ends[i].is_some()).collect();
    let objective = |i: usize| ends[i].as_ref().map_or(f64::INFINITY, |e| e.1);
    order.sort_by(|&a, &b| objective(a).total_cmp(&objective(b)).then(a.cmp(&b)));
    let mut minima: Vec<Minimum> = Vec::new();
    let mut member = vec![None; ends.len()];
    for i in order {
        let Some((theta, value)) = &ends[i] else { continue };
        let same = |minimum: &Minimum| {
            minimum.theta.iter().zip(theta).zip(scale).all(|((a, b), s)| (a - b).abs() <= tolerance * s)
        };
        let index = match minima.iter().position(same) {
            Some(index) => index,
            None => {
                minima.push(Minimum { theta: theta.clone(), objective: *value, count: 0 });
                minima.len() - 1
            }
        };
        minima[index].count += 1;
        member[i] = Some(index);
    }
    (minima, member)
}

/// Points of a regular lattice: `counts[i]` values from `lower[i]` to `upper[i]`
/// inclusive along each axis, last axis fastest.
///
/// # Panics
/// If the lengths differ, or the points are more than can be counted.
pub fn lattice(lower: &[f64], upper: &[f64], counts: &[usize]) -> Vec<Vec<f64>> {
    let total: usize = counts.iter().product();
    (0..total)
        .map(|index| {
            let mut rest = index;
            let mut point = vec![0.0; counts.len()];
            for axis in (0..counts.len()).rev() {
                let j = rest % counts[axis];
                rest /= counts[axis];
                let share = if counts[axis] > 1 { j as f64 / (counts[axis] - 1) as f64 } else { 0.5 };
                point[axis] = lower[axis] + share * (upper[axis] - lower[axis]);
            }
            point
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_grouped_best_first() {
        let ends = vec![
            Some((vec![1.0, 5.0], 0.3)),
            None,
            Some((vec![0.0, 0.0], 0.1)),
            Some((vec![1.0005, 5.0], 0.3001)),
            Some((vec![0.0, 1e-4], 0.1001)),
        ];
        let (minima, member) = group_ends(&ends, &[1.0, 1.0], 1e-3);
        assert_eq!(minima.iter().map(|m| m.count).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(member, [Some(1), None, Some(0), Some(1), Some(0)]);
        assert_eq!(minima[0].theta, [0.0, 0.0]);
    }

    #[test]
    fn a_lattice_includes_its_corners() {
        let points = lattice(&[0.0, -1.0], &[1.0, 1.0], &[2, 3]);
        assert_eq!(points.first().map(Vec::as_slice), Some(&[0.0, -1.0][..]));
        assert_eq!(points.last().map(Vec::as_slice), Some(&[1.0, 1.0][..]));
        assert_eq!(points[1], [0.0, 0.0]);
        assert_eq!(lattice(&[2.0], &[4.0], &[1]), [[3.0]]);
    }
}
