//! Exact squared-distance optimal transport between two mass vectors on one uniform grid.
//!
//! For masses `a` and `b`, each normalised to one, on the centres x of a uniform grid in one, two or
//! three dimensions,
//!
//! ```text
//! ½W₂²(a, b) = min over plans π of Σ ½|x−y|² π(x, y)
//!            = max over u(x) + v(y) ≤ ½|x−y|² of Σ a(x) u(x) + Σ b(y) v(y).
//! ```
//!
//! In one dimension the monotone rearrangement solves the problem; beyond, the network simplex does on
//! the graph that moves mass along one axis at a time. Masses are first rounded to multiples of
//! 2⁻⁶⁰ and costs to multiples of a common unit (without error when the squared spacings have
//! small ratios, in particular for equal ones), so the combinatorial part runs in integers.
#![forbid(unsafe_code)]

mod network_simplex;

use network_simplex::{NetworkSimplex, PivotLimit, lines, row_minima};
use std::fmt;
use std::iter::zip;

/// The integer mass that stands for one.
const TOTAL: f64 = (1u64 << 60) as f64;

/// How to solve a transport problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Cells whose mass is at most this fraction of the total are dropped; at zero, only those up to
    /// 2⁻⁶⁰ are.
    pub threshold: f64,
    /// Most pivots of the network simplex, over all levels of refinement.
    pub max_pivots: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { threshold: 1e-14, max_pivots: 100_000_000 }
    }
}

/// An optimal transport: its value, a potential, and how well the two certify each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Transport {
    /// The primal value ½W₂² = Σ ½|x−y|² π(x, y) of the plan between the kept masses.
    pub half_squared_distance: f64,
    /// The potential u(x) = min over y of ½|x−y|² − v(y) on every cell, shifted so that Σ a(x) u(x) = 0.
    ///
    /// Divided by the total of the source, it is a subgradient of ½W₂² in the masses as they
    /// were passed, before normalisation. Where the optimal potential is not unique, this is the midpoint
    /// of the extreme ones that agree at the source cell of largest mass.
    pub potential: Vec<f64>,
    /// The dual value Σ a u + Σ b v for the kept masses.
    pub dual_value: f64,
    /// |primal − dual| / primal, the primal value being replaced by the rounding error of
    /// the largest cost where it is smaller than that.
    pub relative_gap: f64,
    /// Pivots of the network simplex, over all levels of refinement.
    pub pivots: usize,
    /// The larger of the fractions of the source and of the target mass that were dropped.
    pub dropped_mass: f64,
}

/// Why a transport problem could not be solved.
#[derive(Clone, Debug, PartialEq)]
pub enum TransportError {
    /// A mass is negative.
    NegativeMass {
        /// Cell of the mass.
        index: usize,
        /// The mass.
        value: f64,
    },
    /// A mass is infinite or not a number.
    NotFinite {
        /// Cell of the mass.
        index: usize,
    },
    /// A mass vector has no mass, or none above the threshold.
    EmptyMass {
        /// `"source"` or `"target"`.
        which: &'static str,
    },
    /// A slice has the wrong length.
    Shape {
        /// Length that the grid asks for.
        expected: usize,
        /// Length that was passed.
        found: usize,
    },
    /// The grid has no axis or more than three.
    Dimension {
        /// Number of axes.
        found: usize,
    },
    /// A spacing is not positive, or its square leaves the normal range of `f64`.
    Spacing {
        /// Axis of the spacing.
        axis: usize,
        /// The spacing.
        value: f64,
    },
    /// The grid has more cells, or spacings further apart, than the integer arithmetic can carry.
    TooLarge,
    /// The pivot budget ran out first.
    PivotLimit {
        /// Pivots made.
        pivots: usize,
    },
}

impl fmt::Display for TransportError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NegativeMass { index, value } => {
                write!(formatter, "the mass {value} of cell {index} is negative")
            }
            Self::NotFinite { index } => {
                write!(formatter, "the mass of cell {index} is not finite")
            }
            Self::EmptyMass { which } => write!(formatter, "the {which} has no mass"),
            Self::Shape { expected, found } => {
                write!(formatter, "expected a slice of length {expected}, found {found}")
            }
            Self::Dimension { found } => {
                write!(formatter, "the grid must have one to three axes, not {found}")
            }
            Self::Spacing { axis, value } => {
                write!(formatter, "the spacing {value} of axis {axis} is not positive or out of range")
            }
            Self::TooLarge => write!(formatter, "the grid is too large for the integer arithmetic"),
            Self::PivotLimit { pivots } => {
                write!(formatter, "no optimal transport after {pivots} pivots")
            }
        }
    }
}

impl std::error::Error for TransportError {}

/// Solves the transport problem between two mass vectors on a uniform grid exactly.
///
/// ½W₂²(a, b) = min over plans π of Σ ½|x−y|² π(x, y)
///
/// The result depends on the arguments alone, to the last bit.
///
/// # Shapes
///
/// `cells` and `spacing` hold one entry per axis (one to three axes); `source`, `target` and the
/// potential hold one entry per cell in row-major order, the last axis fastest. Neither mass vector need
/// be normalised.
///
/// # Cost
///
/// In one dimension O(n log n). Beyond, O(dN) memory for N cells, O(dNn) operations to
/// price all arcs once, and a number of pivots that in practice is a small multiple of N, each at
/// O(N) or much less. Smooth densities on 64 x 64 cells take about 0.3 s.
///
/// # Errors
///
/// Every variant of [`TransportError`], as described there.
///
/// # References
///
/// - G. Auricchio, F. Bassetti, S. Gualandi, M. Veneroni, *Computing Kantorovich-Wasserstein distances on
///   d-dimensional histograms using (d+1)-partite graphs*, NeurIPS 2018.
/// - F. Santambrogio, *Optimal Transport for Applied Mathematicians*, Birkhäuser 2015,
///   doi:10.1007/978-3-319-20828-2 (one dimension: section 2.1; potentials as first variations:
///   section 7.2).
pub fn half_squared_wasserstein(
    cells: &[usize],
    spacing: &[f64],
    source: &[f64],
    target: &[f64],
    options: &Options,
) -> Result<Transport, TransportError> {
    if !(1..=3).contains(&cells.len()) {
        return Err(TransportError::Dimension { found: cells.len() });
    }
    let cell_count = cells
        .iter()
        .try_fold(1usize, |product, &length| product.checked_mul(length))
        .filter(|&count| count < 1 << 28)
        .ok_or(TransportError::TooLarge)?;
    for (expected, found) in [(cells.len(), spacing.len()), (cell_count, source.len()), (cell_count, target.len())] {
        if expected != found {
            return Err(TransportError::Shape { expected, found });
        }
    }
    for (axis, &value) in spacing.iter().enumerate() {
        if !(value > 0.0 && (value * value).is_normal()) {
            return Err(TransportError::Spacing { axis, value });
        }
    }
    let source = Masses::new(source, options.threshold, "source")?;
    let target = Masses::new(target, options.threshold, "target")?;
    let (source_units, target_units, total) = integer_masses(&source, &target);

    let mut pivots = 0;
    let (unit, weights) = integer_costs(cells, spacing).ok_or(TransportError::TooLarge)?;
    let (squares, twice_potentials) = if cells.len() == 1 {
        rearrange(weights[0], &source_units, &target_units)
    } else {
        let simplex = refine(cells, &weights, &source_units, &target_units, &mut pivots, options.max_pivots)
            .map_err(|PivotLimit| TransportError::PivotLimit { pivots })?;
        let mut squares = [0; 3];
        for (axis, distance, flow) in simplex.moves() {
            squares[axis] += i128::from(flow) * (distance * distance) as i128;
        }
        let potentials = simplex.twice_centred_potentials(source.largest);
        (squares, potentials)
    };

    let curvatures: Vec<f64> = spacing.iter().map(|h| 0.5 * h * h).collect();
    // The whole part of the mean is split off first, so that a common displacement suffers no rounding.
    let primal = zip(squares, &curvatures)
        .map(|(sum, curvature)| {
            let (whole, part) = (sum / i128::from(total), sum % i128::from(total));
            curvature * (whole as f64 + part as f64 / total as f64)
        })
        .sum::<f64>();
    let mut target_potential: Vec<f64> = twice_potentials
        .iter()
        .map(|twice| twice.map_or(f64::NEG_INFINITY, |twice| 0.5 * unit * twice as f64))
        .collect();
    let mut potential = transform(cells, &curvatures, &target_potential);
    let mean =
        zip(&source.masses, &potential).map(|(mass, u)| mass * u).sum::<f64>() / source.masses.iter().sum::<f64>();
    potential.iter_mut().for_each(|u| *u -= mean);
    target_potential.iter_mut().for_each(|v| *v += mean);
    let dual = zip(&source_units, &potential)
        .chain(zip(&target_units, &target_potential))
        .filter(|&(&mass, _)| mass > 0)
        .map(|(&mass, &value)| mass as f64 * value)
        .sum::<f64>()
        / total as f64;
    let dearest: f64 =
        zip(cells, &curvatures).map(|(&length, curvature)| curvature * ((length - 1) as f64).powi(2)).sum();
    let scale = primal.max(f64::EPSILON * dearest).max(f64::MIN_POSITIVE);
    Ok(Transport {
        half_squared_distance: primal,
        potential,
        dual_value: dual,
        relative_gap: (primal - dual).abs() / scale,
        pivots,
        dropped_mass: source.dropped.max(target.dropped),
    })
}

/// A mass vector, scaled by a power of two.
struct Masses {
    /// The masses.
    masses: Vec<f64>,
    /// Masses up to this one are dropped.
    floor: f64,
    /// Sum of the kept masses, between one and two up to what was dropped.
    kept: f64,
    /// First cell of largest mass.
    largest: usize,
    /// Fraction of the mass that was dropped.
    dropped: f64,
}

impl Masses {
    /// Validates and scales a mass vector.
    fn new(masses: &[f64], threshold: f64, which: &'static str) -> Result<Self, TransportError> {
        let mut largest = 0;
        for (index, &value) in masses.iter().enumerate() {
            if !value.is_finite() {
                return Err(TransportError::NotFinite { index });
            }
            if value < 0.0 {
                return Err(TransportError::NegativeMass { index, value });
            }
            if value > masses[largest] {
                largest = index;
            }
        }
        let most = masses.get(largest).copied().unwrap_or(0.0);
        // The first power of two keeps the sum in range, the second brings it to between one and two.
        // Adding in sorted order makes the sum the same for all rearrangements of a vector.
        let mut masses = masses.to_vec();
        scale_down(&mut masses, exponent(most).clamp(-1000, 1000));
        let mut sorted = masses.clone();
        sorted.sort_by(f64::total_cmp);
        let shift = exponent(sorted.iter().sum());
        scale_down(&mut masses, shift);
        scale_down(&mut sorted, shift);
        let sum: f64 = sorted.iter().sum();
        let floor = (threshold * sum).max(sum / TOTAL);
        let first_kept = sorted.partition_point(|&mass| mass <= floor);
        let (dropped, kept) = sorted.split_at(first_kept);
        if kept.is_empty() {
            return Err(TransportError::EmptyMass { which });
        }
        Ok(Self {
            floor,
            kept: kept.iter().sum(),
            largest,
            // An empty sum of floats is -0.
            dropped: (dropped.iter().sum::<f64>() / sum).abs(),
            masses,
        })
    }
}

/// Binary exponent of a normal number.
fn exponent(value: f64) -> i32 {
    (value.to_bits() >> 52 & 0x7ff) as i32 - 1023
}

fn scale_down(values: &mut [f64], exponent: i32) {
    let factor = 2f64.powi(-exponent);
    values.iter_mut().for_each(|value| *value *= factor);
}

/// Normalises and rounds two mass vectors to integers with a common total.
fn integer_masses(source: &Masses, target: &Masses) -> (Vec<i64>, Vec<i64>, i64) {
    let round = |side: &Masses| -> Vec<i64> {
        // Vectors of the same sum need no division: what is equal, or adds up to equal sums, stays so.
        let sum = if source.kept == target.kept { 2.0 } else { side.kept };
        let unit = |&mass: &f64| {
            if mass > side.floor { (mass / sum * TOTAL).round() as i64 } else { 0 }
        };
        side.masses.iter().map(unit).collect()
    };
    let (mut from, mut to) = (round(source), round(target));
    let (from_total, to_total): (i64, i64) = (from.iter().sum(), to.iter().sum());
    // Rounding leaves the totals a few units apart; the largest mass of the lighter side takes them up.
    let total = from_total.max(to_total);
    if let Some(mass) = from.get_mut(source.largest) {
        *mass += total - from_total;
    }
    if let Some(mass) = to.get_mut(target.largest) {
        *mass += total - to_total;
    }
    (from, to, total)
}

/// Integer weights `w` and their unit, with ½hₖ² = wₖ · unit; `None` if they would overflow.
///
/// The smallest multiple of the squared spacings that is integral up to the rounding of the spacings is
/// taken if there is one; failing that, the squares are rounded to as many bits as the arithmetic can carry.
fn integer_costs(cells: &[usize], spacing: &[f64]) -> Option<(f64, Vec<i64>)> {
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

/// Solves in one dimension by moving mass in order; returns what [`half_squared_wasserstein`] needs of it.
fn rearrange(weight: i64, source: &[i64], target: &[i64]) -> ([i128; 3], Vec<Option<i64>>) {
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

/// Solves from the potential of the problem at half the resolution, recursively.
fn refine(
    cells: &[usize],
    weights: &[i64],
    source: &[i64],
    target: &[i64],
    pivots: &mut usize,
    limit: usize,
) -> Result<NetworkSimplex, PivotLimit> {
    /// Grids up to this many cells start from the zero potential.
    const COARSEST: usize = 64;
    let factors: Vec<usize> = cells.iter().map(|&length| if length < 4 { 1 } else { 2 }).collect();
    let guess = if source.len() <= COARSEST || factors.iter().all(|&factor| factor == 1) {
        vec![0; source.len()]
    } else {
        let coarse_cells: Vec<usize> = zip(cells, &factors).map(|(n, f)| n.div_ceil(*f)).collect();
        let coarse_weights: Vec<i64> = zip(weights, &factors).map(|(w, &f)| w * (f * f) as i64).collect();
        let coarse_source = merge(cells, &factors, source);
        let coarse_target = merge(cells, &factors, target);
        let coarse = refine(&coarse_cells, &coarse_weights, &coarse_source, &coarse_target, pivots, limit)?;
        // Two transforms extend the potential from the target support to every cell.
        let curvatures: Vec<f64> = coarse_weights.iter().map(|&w| w as f64).collect();
        let supported: Vec<f64> =
            coarse.potentials().map(|potential| potential.map_or(f64::NEG_INFINITY, |p| p as f64)).collect();
        let mut other = transform(&coarse_cells, &curvatures, &supported);
        for (value, &mass) in zip(&mut other, &coarse_source) {
            if mass == 0 {
                *value = f64::NEG_INFINITY;
            }
        }
        let extended = transform(&coarse_cells, &curvatures, &other);
        let fine = interpolate(extended, &coarse_cells, cells);
        let least = fine.iter().copied().fold(f64::INFINITY, f64::min);
        fine.iter().map(|value| (value - least).round() as i64).collect()
    };
    let mut simplex = NetworkSimplex::new(cells, weights, source, target, &guess);
    simplex.optimise(pivots, limit)?;
    Ok(simplex)
}

/// Adds up the masses of the cells that share a coarse cell.
fn merge(cells: &[usize], factors: &[usize], masses: &[i64]) -> Vec<i64> {
    let mut merged = masses.to_vec();
    let mut shape = cells.to_vec();
    for (axis, &factor) in factors.iter().enumerate() {
        let mut coarse = shape.clone();
        coarse[axis] = shape[axis].div_ceil(factor);
        let mut sums = vec![0; coarse.iter().product()];
        for ((start, stride, length), (to, ..)) in zip(lines(&shape, axis), lines(&coarse, axis)) {
            for i in 0..length {
                sums[to + i / factor * stride] += merged[start + i * stride];
            }
        }
        (merged, shape) = (sums, coarse);
    }
    merged
}

/// Interpolates linearly from the centres of coarse cells to those of the cells that they merge.
fn interpolate(values: Vec<f64>, coarse_cells: &[usize], cells: &[usize]) -> Vec<f64> {
    let mut values = values;
    let mut shape = coarse_cells.to_vec();
    for (axis, &length) in cells.iter().enumerate() {
        let mut fine = shape.clone();
        fine[axis] = length;
        if fine == shape {
            continue;
        }
        let mut refined = vec![0.0; fine.iter().product()];
        for ((from, stride, count), (to, ..)) in zip(lines(&shape, axis), lines(&fine, axis)) {
            let coarse = |k: usize| values[from + k * stride];
            for i in 0..length {
                let k = i / 2;
                // Even cells lie a quarter of a coarse cell before the centre, odd ones after it; at the
                // ends the slope of the neighbouring interval is continued.
                let slope = match (i % 2, k) {
                    (0, 0) => coarse(0) - coarse(1),
                    (0, _) => coarse(k - 1) - coarse(k),
                    _ if k + 1 == count => coarse(k) - coarse(k - 1),
                    _ => coarse(k + 1) - coarse(k),
                };
                refined[to + i * stride] = coarse(k) + 0.25 * slope;
            }
        }
        (values, shape) = (refined, fine);
    }
    values
}

/// The transform min over y of Σ κₖ (xₖ − yₖ)² − v(y) at every cell, over the cells where `v` exceeds
/// negative infinity, one axis at a time.
fn transform(cells: &[usize], curvatures: &[f64], potential: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = potential.iter().map(|v| -v).collect();
    for (axis, &curvature) in curvatures.iter().enumerate() {
        let mut minima = vec![f64::INFINITY; values.len()];
        for (start, stride, length) in lines(cells, axis) {
            let value = |j: usize| values[start + j * stride];
            let sites: Vec<usize> = (0..length).filter(|&j| value(j) < f64::INFINITY).collect();
            let cost = |i: usize, j: usize| {
                let distance = i.abs_diff(j) as f64;
                curvature * (distance * distance) + value(j)
            };
            row_minima(0..length, &sites, &cost, &mut |i, _, least| minima[start + i * stride] = least);
        }
        values = minima;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// Deterministic uniform numbers in [0, 1).
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = self.0;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
        }

        fn below(&mut self, bound: usize) -> usize {
            (self.next() * bound as f64) as usize
        }

        fn masses(&mut self, count: usize) -> Vec<f64> {
            (0..count).map(|_| self.next()).collect()
        }
    }

    fn solve(cells: &[usize], spacing: &[f64], source: &[f64], target: &[f64]) -> Transport {
        let transport = half_squared_wasserstein(cells, spacing, source, target, &Options::default()).unwrap();
        assert!(transport.relative_gap < 1e-10, "{}", transport.relative_gap);
        let mean: f64 = zip(source, &transport.potential).map(|(a, u)| a * u).sum();
        let scale: f64 = zip(source, &transport.potential).map(|(a, u)| a * u.abs()).sum();
        assert!(mean.abs() <= 1e-12 * scale);
        transport
    }

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!(
            (found - expected).abs() <= tolerance * expected.abs().max(f64::MIN_POSITIVE),
            "found {found}, expected {expected}"
        );
    }

    fn position(cells: &[usize], spacing: &[f64], cell: usize) -> Vec<f64> {
        let mut rest = cell;
        let mut position = vec![0.0; cells.len()];
        for axis in (0..cells.len()).rev() {
            position[axis] = spacing[axis] * ((rest % cells[axis]) as f64 + 0.5);
            rest /= cells[axis];
        }
        position
    }

    fn half_square(cells: &[usize], spacing: &[f64], first: usize, second: usize) -> f64 {
        let (x, y) = (position(cells, spacing, first), position(cells, spacing, second));
        0.5 * zip(x, y).map(|(x, y)| (x - y).powi(2)).sum::<f64>()
    }

    /// Least cost of a perfect matching, by the Hungarian method with potentials.
    fn assignment(count: usize, cost: impl Fn(usize, usize) -> f64) -> f64 {
        let mut matched = vec![count; count + 1];
        let (mut u, mut v) = (vec![0.0; count + 1], vec![0.0; count + 1]);
        for row in 0..count {
            let mut column = count;
            matched[column] = row;
            let mut slack = vec![f64::INFINITY; count];
            let mut used = vec![false; count + 1];
            let mut previous = vec![count; count];
            while matched[column] < count {
                used[column] = true;
                let at = matched[column];
                let (mut least, mut next) = (f64::INFINITY, count);
                for j in (0..count).filter(|&j| !used[j]) {
                    let reduced = cost(at, j) - u[at] - v[j];
                    if reduced < slack[j] {
                        (slack[j], previous[j]) = (reduced, column);
                    }
                    if slack[j] < least {
                        (least, next) = (slack[j], j);
                    }
                }
                for j in 0..=count {
                    if used[j] {
                        u[matched[j]] += least;
                        v[j] -= least;
                    } else if j < count {
                        slack[j] -= least;
                    }
                }
                column = next;
            }
            while column < count {
                matched[column] = matched[previous[column]];
                column = previous[column];
            }
        }
        (0..count).map(|j| cost(matched[j], j)).sum()
    }

    /// Compares with the assignment of unit masses that are thrown at random onto the cells.
    fn against_assignment(cells: &[usize], spacing: &[f64], seeds: u64, tolerance: f64) {
        const UNITS: usize = 40;
        let count = cells.iter().product();
        for seed in 0..seeds {
            let mut random = Random(seed);
            let mut throw = || -> Vec<usize> { (0..UNITS).map(|_| random.below(count)).collect() };
            let (from, to) = (throw(), throw());
            let masses = |units: &[usize]| {
                let mut masses = vec![0.0; count];
                units.iter().for_each(|&cell| masses[cell] += 1.0);
                masses
            };
            let transport = solve(cells, spacing, &masses(&from), &masses(&to));
            let expected = assignment(UNITS, |i, j| half_square(cells, spacing, from[i], to[j])) / UNITS as f64;
            close(transport.half_squared_distance, expected, tolerance);
        }
    }

    #[test]
    fn agrees_with_the_hungarian_method() {
        against_assignment(&[17], &[0.3], 20, 1e-12);
        against_assignment(&[4, 4], &[1.0, 1.0], 40, 1e-12);
        against_assignment(&[5, 9], &[0.25, 0.125], 20, 1e-12);
        against_assignment(&[3, 3, 3], &[0.5, 0.5, 0.5], 40, 1e-12);
        against_assignment(&[5, 6, 4], &[1.0, 1.0, 1.0], 20, 1e-12);
        against_assignment(&[1, 13, 1], &[1.0, 2.0, 3.0], 20, 1e-12);
    }

    #[test]
    fn spacings_without_a_common_unit_are_solved_to_rounded_costs() {
        against_assignment(&[6, 7], &[1.0, std::f64::consts::FRAC_1_SQRT_2 * 1.1], 20, 1e-10);
        against_assignment(&[3, 4, 5], &[1.0, 0.1 * std::f64::consts::PI, 1.7], 20, 1e-10);
    }

    #[test]
    fn one_dimension_follows_the_quantiles() {
        let mut random = Random(7);
        for count in [2, 5, 40, 301] {
            let spacing = 1.0 / count as f64;
            // Two separate blocks make the quantile function of the source jump.
            let source: Vec<f64> =
                (0..count).map(|i| if (count / 4..count / 2).contains(&i) { 0.0 } else { random.next() }).collect();
            let target = random.masses(count);
            let cumulate = |masses: &[f64]| -> Vec<f64> {
                let total: f64 = masses.iter().sum();
                let mut level = 0.0;
                masses
                    .iter()
                    .map(|mass| {
                        level += mass / total;
                        level
                    })
                    .collect()
            };
            let (from, to) = (cumulate(&source), cumulate(&target));
            let mut levels: Vec<f64> = from.iter().chain(&to).copied().collect();
            levels.push(0.0);
            levels.sort_by(f64::total_cmp);
            let quantile =
                |levels: &[f64], level: f64| levels.partition_point(|&l| l < level).min(count - 1) as f64 * spacing;
            let expected: f64 = levels
                .windows(2)
                .map(|pair| {
                    let middle = 0.5 * (pair[0] + pair[1]);
                    let distance = quantile(&from, middle) - quantile(&to, middle);
                    0.5 * (pair[1] - pair[0]) * distance * distance
                })
                .sum();
            let transport = solve(&[count], &[spacing], &source, &target);
            close(transport.half_squared_distance, expected, 1e-11);
            assert_eq!(transport.pivots, 0);
            // The network simplex agrees on the value and on the potential.
            let plane = solve(&[1, count], &[1.0, spacing], &source, &target);
            close(plane.half_squared_distance, expected, 1e-11);
            for (line, plane) in zip(&transport.potential, &plane.potential) {
                assert!((line - plane).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn translations_cost_half_the_squared_shift() {
        let mut random = Random(3);
        for (cells, spacing, shift) in [
            (vec![24], vec![0.5], vec![7]),
            (vec![12, 15], vec![0.5, 0.25], vec![3, 5]),
            (vec![6, 7, 8], vec![1.0, 1.0, 2.0], vec![2, 0, 3]),
        ] {
            let count: usize = cells.iter().product();
            let (mut source, mut target) = (vec![0.0; count], vec![0.0; count]);
            let offset = (0..cells.len()).fold(0, |offset, axis| offset * cells[axis] + shift[axis]);
            for cell in 0..count {
                let inside = zip(position(&cells, &vec![1.0; cells.len()], cell), zip(&cells, &shift))
                    .all(|(x, (&length, &shift))| x < (length - shift) as f64);
                // A few holes leave the support in pieces.
                if inside && random.next() < 0.8 {
                    source[cell] = random.next();
                    target[cell + offset] = source[cell];
                }
            }
            let transport = solve(&cells, &spacing, &source, &target);
            let vector: Vec<f64> = zip(&shift, &spacing).map(|(&s, h)| s as f64 * h).collect();
            let expected = 0.5 * vector.iter().map(|s| s * s).sum::<f64>();
            assert_eq!(transport.half_squared_distance, expected);
            let slopes =
                |cell: usize| -> f64 { zip(position(&cells, &spacing, cell), &vector).map(|(x, s)| x * s).sum() };
            let support: Vec<usize> = (0..count).filter(|&cell| source[cell] > 0.0).collect();
            let constant = transport.potential[support[0]] + slopes(support[0]);
            for &cell in &support {
                assert!((transport.potential[cell] + slopes(cell) - constant).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn products_add_up_over_the_axes() {
        let mut random = Random(11);
        let (cells, spacing) = ([9, 14, 5], [0.2, 0.1, 0.4]);
        for axes in [2, 3] {
            let mut sum = 0.0;
            let (mut source, mut target) = (vec![1.0], vec![1.0]);
            for axis in 0..axes {
                let (a, b) = (random.masses(cells[axis]), random.masses(cells[axis]));
                sum += solve(&cells[axis..=axis], &spacing[axis..=axis], &a, &b).half_squared_distance;
                let outer = |masses: &[f64], factor: &[f64]| -> Vec<f64> {
                    masses.iter().flat_map(|m| factor.iter().map(move |f| m * f)).collect()
                };
                (source, target) = (outer(&source, &a), outer(&target, &b));
            }
            let transport = solve(&cells[..axes], &spacing[..axes], &source, &target);
            close(transport.half_squared_distance, sum, 1e-12);
        }
    }

    #[test]
    fn the_potential_is_the_derivative() {
        let mut random = Random(5);
        for cells in [vec![30], vec![7, 9], vec![4, 5, 3]] {
            let spacing = vec![0.125; cells.len()];
            let count = cells.iter().product();
            let (source, target) = (random.masses(count), random.masses(count));
            let transport = solve(&cells, &spacing, &source, &target);
            let total: f64 = source.iter().sum();
            for _ in 0..10 {
                let (from, to) = (random.below(count), random.below(count));
                // Within the range where the optimal basis stays the same the value is linear.
                let step = 1e-7;
                let value = |sign: f64| {
                    let mut moved = source.clone();
                    moved[from] -= sign * step;
                    moved[to] += sign * step;
                    solve(&cells, &spacing, &moved, &target).half_squared_distance
                };
                let slope = (value(1.0) - value(-1.0)) / (2.0 * step);
                let expected = (transport.potential[to] - transport.potential[from]) / total;
                assert!((slope - expected).abs() < 1e-8, "{slope} {expected}");
            }
        }
    }

    #[test]
    fn the_potential_supports_the_value_from_below() {
        let mut random = Random(13);
        for cells in [vec![20], vec![6, 7], vec![4, 3, 5]] {
            let spacing = vec![0.5; cells.len()];
            let count = cells.iter().product();
            let mut sparse = || -> Vec<f64> { (0..count).map(|_| (random.next() - 0.6).max(0.0)).collect() };
            let (source, target) = (sparse(), sparse());
            let transport = solve(&cells, &spacing, &source, &target);
            for _ in 0..20 {
                // The other source also has mass where the first has none.
                let other = sparse();
                let total: f64 = other.iter().sum();
                let rise = zip(&other, &transport.potential).map(|(a, u)| a * u).sum::<f64>() / total;
                let value = solve(&cells, &spacing, &other, &target).half_squared_distance;
                assert!(value >= transport.half_squared_distance + rise - 1e-13);
            }
        }
    }

    #[test]
    fn symmetries_of_the_grid_carry_over() {
        let mut random = Random(17);
        let (rows, columns) = (8, 11);
        let count = rows * columns;
        // Sparse masses from a short list: many ties between plans, and many optimal potentials.
        let mut sparse = || -> Vec<f64> { (0..count).map(|_| random.below(7).saturating_sub(3) as f64).collect() };
        let (mut source, mut target) = (sparse(), sparse());
        source[40] += 10.0;
        target[50] += 10.0;
        let difference = source.iter().sum::<f64>() - target.iter().sum::<f64>();
        source[40] -= difference.min(0.0);
        target[50] += difference.max(0.0);
        let transport = solve(&[rows, columns], &[1.0, 0.5], &source, &target);
        let again = solve(&[rows, columns], &[1.0, 0.5], &source, &target);
        assert_eq!(transport, again);
        let turn = |masses: &[f64]| -> Vec<f64> {
            (0..count).map(|k| masses[(rows - 1 - k % rows) * columns + k / rows]).collect()
        };
        let turned = solve(&[columns, rows], &[0.5, 1.0], &turn(&source), &turn(&target));
        assert_eq!(turned.half_squared_distance, transport.half_squared_distance);
        for (found, expected) in zip(&turned.potential, turn(&transport.potential)) {
            assert!((found - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn zeros_and_single_cells() {
        let (cells, spacing) = ([5, 6], [1.0, 0.5]);
        let point = |cell: usize| {
            let mut masses = vec![0.0; 30];
            masses[cell] = 4.0;
            masses
        };
        let transport = solve(&cells, &spacing, &point(2), &point(27));
        close(transport.half_squared_distance, half_square(&cells, &spacing, 2, 27), 1e-15);
        let shift = half_square(&cells, &spacing, 2, 27);
        for cell in 0..30 {
            let expected = half_square(&cells, &spacing, cell, 27) - shift;
            assert!((transport.potential[cell] - expected).abs() < 1e-13);
        }
        let same = solve(&cells, &spacing, &point(2), &point(2));
        assert_eq!((same.half_squared_distance, same.dual_value), (0.0, 0.0));
        // Onto a point, every mass has one way to go.
        let mut random = Random(19);
        let left: Vec<f64> = (0..30).map(|k| if k % 6 < 3 { random.next() } else { 0.0 }).collect();
        let total: f64 = left.iter().sum();
        let cost =
            |to: usize| -> f64 { (0..30).map(|k| left[k] * half_square(&cells, &spacing, k, to)).sum::<f64>() / total };
        close(solve(&cells, &spacing, &left, &point(17)).half_squared_distance, cost(17), 1e-14);
        close(solve(&cells, &spacing, &point(17), &left).half_squared_distance, cost(17), 1e-14);
        // Disjoint supports, mirror images of one another.
        let right: Vec<f64> = (0..30).map(|k| left[k / 6 * 6 + 5 - k % 6]).collect();
        let mirrored = solve(&cells, &spacing, &left, &right);
        close(solve(&cells, &spacing, &right, &left).half_squared_distance, mirrored.half_squared_distance, 1e-15);
        let single = solve(&[1, 1, 1], &[1.0; 3], &[2.0], &[5.0]);
        assert_eq!((single.half_squared_distance, single.potential), (0.0, vec![0.0]));
    }

    #[test]
    fn extreme_masses_are_carried_or_reported() {
        let mut source = vec![1e-300, 3e-300, 0.0, 1e-320];
        let target = vec![1e308, 1e308, 1e308, 1e308];
        let transport = solve(&[2, 2], &[1.0; 2], &source, &target);
        assert!(transport.dropped_mass > 0.0 && transport.dropped_mass < 1e-14);
        source[3] = 1e-310;
        let options = Options { threshold: 0.0, ..Options::default() };
        let kept = half_squared_wasserstein(&[2, 2], &[1.0; 2], &source, &target, &options).unwrap();
        assert_eq!(kept.dropped_mass, 0.0);
        close(kept.half_squared_distance, transport.half_squared_distance, 1e-9);
    }

    #[test]
    fn faulty_arguments_are_refused() {
        type Case<'a> = (&'a [usize], &'a [f64], &'a [f64], &'a [f64]);
        let refuse = |(cells, spacing, source, target): Case| {
            let error = half_squared_wasserstein(cells, spacing, source, target, &Options::default()).unwrap_err();
            assert!(!error.to_string().is_empty());
            error
        };
        let (grid, unit, ones): (&[usize], &[f64], &[f64]) = (&[2, 2], &[1.0, 1.0], &[1.0; 4]);
        assert!(matches!(
            refuse((grid, unit, &[1.0, f64::NAN, 1.0, 1.0], ones)),
            TransportError::NotFinite { index: 1 }
        ));
        assert_eq!(
            refuse((grid, unit, ones, &[1.0, 1.0, -2.0, 1.0])),
            TransportError::NegativeMass { index: 2, value: -2.0 }
        );
        assert_eq!(refuse((grid, unit, &[0.0; 4], ones)), TransportError::EmptyMass { which: "source" });
        assert_eq!(refuse((grid, unit, ones, &[-0.0; 4])), TransportError::EmptyMass { which: "target" });
        assert_eq!(refuse((&[0, 2], unit, &[], &[])), TransportError::EmptyMass { which: "source" });
        assert_eq!(refuse((grid, unit, &[1.0; 3], ones)), TransportError::Shape { expected: 4, found: 3 });
        assert_eq!(refuse((grid, &[1.0], ones, ones)), TransportError::Shape { expected: 2, found: 1 });
        assert_eq!(refuse((&[], &[], &[], &[])), TransportError::Dimension { found: 0 });
        assert_eq!(refuse((&[1; 4], &[1.0; 4], &[1.0], &[1.0])), TransportError::Dimension { found: 4 });
        assert_eq!(refuse((grid, &[1.0, -1.0], ones, ones)), TransportError::Spacing { axis: 1, value: -1.0 });
        assert_eq!(refuse((&[usize::MAX, 2], unit, ones, ones)), TransportError::TooLarge);
        assert_eq!(refuse((grid, &[1e-150, 1e150], ones, ones)), TransportError::TooLarge);
        let options = Options { max_pivots: 1, threshold: 0.0 };
        assert_eq!(
            half_squared_wasserstein(&[3, 3], &[1.0; 2], &Random(1).masses(9), &Random(2).masses(9), &options),
            Err(TransportError::PivotLimit { pivots: 1 })
        );
        let nothing = Options { threshold: f64::NAN, ..Options::default() };
        assert!(half_squared_wasserstein(grid, unit, ones, ones, &nothing).is_ok());
    }

    #[test]
    fn smooth_densities_with_tails_are_certified() {
        for cells in [vec![32, 32], vec![64, 64], vec![12, 12, 12]] {
            let spacing: Vec<f64> = cells.iter().map(|&n| 1.0 / n as f64).collect();
            let mixture = |bumps: &[([f64; 3], f64, f64)]| -> Vec<f64> {
                (0..cells.iter().product())
                    .map(|cell| {
                        let x = position(&cells, &spacing, cell);
                        let bump = |(centre, width, height): &([f64; 3], f64, f64)| {
                            let square: f64 = zip(&x, centre).map(|(x, c)| (x - c).powi(2)).sum();
                            height * (-square / (2.0 * width * width)).exp()
                        };
                        bumps.iter().map(bump).sum()
                    })
                    .collect()
            };
            let source = mixture(&[([0.3, 0.3, 0.4], 0.08, 1.0), ([0.7, 0.6, 0.5], 0.1, 0.5)]);
            let target = mixture(&[([0.6, 0.25, 0.6], 0.1, 1.0), ([0.4, 0.75, 0.3], 0.07, 0.7)]);
            let start = Instant::now();
            let transport = solve(&cells, &spacing, &source, &target);
            println!(
                "{cells:?}: {:.3} s, {} pivots, value {:.12}, gap {:.1e}, dropped {:.1e}",
                start.elapsed().as_secs_f64(),
                transport.pivots,
                transport.half_squared_distance,
                transport.relative_gap,
                transport.dropped_mass
            );
        }
    }
}
