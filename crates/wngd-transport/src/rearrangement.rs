//! Transport in one dimension.

/// Solves in one dimension by moving mass in order; returns Σ flow · (cells moved)² per axis, and
/// twice the potential of every target (`None` where there is no target mass).
pub(crate) fn rearrange(weight: i64, source: &[i64], target: &[i64]) -> ([i128; 3], Vec<Option<i64>>) {
    let cost = |i: usize, j: usize| weight * (i.abs_diff(j) as i64).pow(2);
    let mut sources = (0..source.len()).filter(|&i| source[i] > 0);
    let mut targets = (0..target.len()).filter(|&j| target[j] > 0);
    let mut twice = vec![None; target.len()];
    let mut squares = 0;
    let (Some(mut i), Some(mut j)) = (sources.next(), targets.next()) else {
        return ([0; 3], twice);
    };
    let (mut left, mut lacking) = (source[i], target[j]);
    // Twice the potentials of the current pair, which add up to twice its cost throughout.
    let (mut u, mut v) = (2 * cost(i, j), 0);
    loop {
        twice[j] = Some(v);
        let flow = left.min(lacking);
        squares += i128::from(flow) * (i.abs_diff(j) * i.abs_diff(j)) as i128;
        (left, lacking) = (left - flow, lacking - flow);
        let (before_i, before_j) = (i, j);
        if left == 0 {
            let Some(next) = sources.next() else { break };
            (i, left) = (next, source[next]);
        }
        if lacking == 0 {
            let Some(next) = targets.next() else { break };
            (j, lacking) = (next, target[next]);
        }
        // Twice the rise of u is the sum of its bounds, which differ only if both sides advance.
        u += cost(i, before_j) - cost(before_i, before_j) + cost(i, j) - cost(before_i, j);
        v = 2 * cost(i, j) - u;
    }
    ([squares, 0, 0], twice)
}
