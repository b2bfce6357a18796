//! Costs of moving by one cell along each axis, as integers.

use std::iter::zip;

/// Integer weights `w` and their unit, with ½hₖ² = wₖ · unit; `None` if they would overflow.
///
/// The smallest multiple of the squared spacings that is integral up to the rounding of the spacings is
/// taken if there is one; failing that, the squares are rounded to as many bits as the arithmetic can carry.
pub(crate) fn integer_costs(cells: &[usize], spacing: &[f64]) -> Option<(f64, Vec<i64>)> {
    /// Largest multiple tried; it covers the spacings `1/m` and `1/n` up to `m = 128`.
    const MULTIPLES: u32 = 1 << 14;
    // A potential adds up costs along a tree path, and centring doubles it; the rearrangement in one
    // dimension keeps within a few times the largest cost.
    let path = match cells {
        [_] => 1,
        _ => (cells.len() + 1) * cells.iter().product::<usize>() + 1,
    };
    let bound = (i64::MAX / 16) as f64 / path as f64;
    let reaches: Vec<f64> = cells.iter().map(|&length| ((length - 1) as f64).powi(2)).collect();
    let smallest = spacing.iter().copied().fold(f64::INFINITY, f64::min);
    let ratios: Vec<f64> = spacing.iter().map(|h| (h / smallest).powi(2)).collect();
    let fits = |weights: &[i64]| {
        let costs = zip(weights, &reaches).map(|(&weight, reach)| weight as f64 * reach);
        costs.sum::<f64>() <= bound
    };
    let exact = (1..=MULTIPLES).map(f64::from).find(|multiple| {
        ratios.iter().all(|ratio| {
            let product = multiple * ratio;
            (product - product.round()).abs() <= 8.0 * f64::EPSILON * product
        })
    });
    if let Some(multiple) = exact {
        let weights: Vec<i64> = ratios.iter().map(|ratio| (multiple * ratio).round() as i64).collect();
        if fits(&weights) {
            return Some((0.5 * smallest * smallest / multiple, weights));
        }
    }
    let reach: f64 = zip(&ratios, &reaches).map(|(ratio, reach)| ratio * reach).sum();
    let scale = 0.5 * bound / reach.max(1.0);
    let weights: Vec<i64> = ratios.iter().map(|ratio| ((scale * ratio).round() as i64).max(1)).collect();
    let unit = 0.5 * smallest * smallest / scale;
    (unit.is_finite() && fits(&weights)).then_some((unit, weights))
}
