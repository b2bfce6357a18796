use statrs::function::gamma::checked_gamma_ur;

/// Least expected count of a pooled cell.
const EXPECTED: f64 = 5.0;

/// Pearson's test of counts against a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GoodnessOfFit {
    /// χ² = Σ (O − E)²/E over pooled cells.
    pub statistic: f64,
    /// Pooled cells less one, less the number of fitted parameters.
    pub degrees_of_freedom: usize,
    /// Probability of a larger χ² if the model is right.
    pub p_value: f64,
}

/// Tests shares of cells against a fitted model; `None` where pooling leaves no degree of freedom.
///
/// The box is halved, along the axis on which the expected counts reach widest, until halves would expect fewer than 5:
/// pools of about equal expectation and about as wide in every direction, so that rounding of the data within a few
/// cells is not taken for misfit. What the model expects outside of all cells, where nothing was seen, is one more pool if
/// that is 5 or more, and goes to the last one otherwise.
///
/// # Shapes
/// `observed` and `expected`: shares of the cells of a row-major grid of that `shape`, of sum 1 and at most 1; `number`:
/// how many were counted; `parameters`: how many were fitted.
///
/// # Panics
/// If the shares are not as many as the grid has cells.
///
/// # Cost
/// A pass over the cells for every doubling of the number of pools.
///
/// # References
/// Cochran 1954, doi:10.2307/3001616; fitted parameters cost a degree of freedom each if they are fitted to the same
/// cells (Chernoff and Lehmann 1954, doi:10.1214/aoms/1177728726), which fine cells come close to.
pub fn goodness_of_fit(
    observed: &[f64],
    expected: &[f64],
    shape: &[usize],
    number: f64,
    parameters: usize,
) -> Option<GoodnessOfFit> {
    let cells = Cells { observed, expected, shape, number };
    let whole = Part { lower: vec![0; shape.len()], upper: shape.to_vec() };
    let spreads: Vec<f64> = (0..shape.len()).map(|axis| spread(&cells.marginal(&whole, axis))).collect();
    let mut pools = Vec::new();
    cells.halve(whole, &spreads, &mut pools);
    let outside = number * (1.0 - expected.iter().sum::<f64>()).max(0.0);
    match pools.last_mut() {
        Some(last) if outside < EXPECTED => last.1 += outside,
        _ => pools.push((0.0, outside)),
    }
    let degrees_of_freedom = pools.len().checked_sub(1 + parameters).filter(|n| *n > 0)?;
    let statistic: f64 = pools.iter().map(|(o, e)| (o - e) * (o - e) / e).sum();
    let p_value = checked_gamma_ur(0.5 * degrees_of_freedom as f64, 0.5 * statistic).ok()?;
    Some(GoodnessOfFit { statistic, degrees_of_freedom, p_value })
}

/// Counts on a grid.
struct Cells<'a> {
    observed: &'a [f64],
    expected: &'a [f64],
    shape: &'a [usize],
    number: f64,
}

/// A box of cells.
struct Part {
    lower: Vec<usize>,
    upper: Vec<usize>,
}

impl Cells<'_> {
    /// Calls `visit` with index and position of every cell of a box.
    fn each(&self, part: &Part, mut visit: impl FnMut(usize, &[usize])) {
        let mut at = part.lower.clone();
        loop {
            let index = at.iter().zip(self.shape).fold(0, |index, (i, n)| index * n + i);
            visit(index, &at);
            let Some(axis) = (0..at.len()).rev().find(|&axis| at[axis] + 1 < part.upper[axis]) else { return };
            at[axis] += 1;
            at[axis + 1..].copy_from_slice(&part.lower[axis + 1..]);
        }
    }

    /// Expected counts of the slices of a box across an axis.
    fn marginal(&self, part: &Part, axis: usize) -> Vec<f64> {
        let mut slices = vec![0.0; part.upper[axis] - part.lower[axis]];
        self.each(part, |index, at| slices[at[axis] - part.lower[axis]] += self.number * self.expected[index]);
        slices
    }

    /// Halves a box as long as both halves expect enough, and adds the pools.
    fn halve(&self, part: Part, spreads: &[f64], pools: &mut Vec<(f64, f64)>) {
        let marginals: Vec<Vec<f64>> = (0..self.shape.len()).map(|axis| self.marginal(&part, axis)).collect();
        let reach = |axis: &usize| if spreads[*axis] > 0.0 { spread(&marginals[*axis]) / spreads[*axis] } else { 0.0 };
        let mut axes: Vec<usize> = (0..self.shape.len()).collect();
        axes.sort_by(|a, b| reach(b).total_cmp(&reach(a)));
        for axis in axes {
            if let Some(cut) = middle(&marginals[axis]) {
                let mut below = Part { lower: part.lower.clone(), upper: part.upper.clone() };
                below.upper[axis] = part.lower[axis] + cut;
                let mut above = Part { lower: part.lower.clone(), upper: part.upper.clone() };
                above.lower[axis] = part.lower[axis] + cut;
                self.halve(below, spreads, pools);
                self.halve(above, spreads, pools);
                return;
            }
        }
        let mut pool = (0.0, 0.0);
        self.each(&part, |index, _| {
            pool.0 += self.number * self.observed[index];
            pool.1 += self.number * self.expected[index];
        });
        pools.push(pool);
    }
}

/// Standard deviation of slices, in slices.
fn spread(slices: &[f64]) -> f64 {
    let total: f64 = slices.iter().sum();
    let moment = |power: i32| slices.iter().enumerate().map(|(i, e)| (i as f64).powi(power) * e).sum::<f64>() / total;
    if total > 0.0 { (moment(2) - moment(1).powi(2)).max(0.0).sqrt() } else { 0.0 }
}

/// How many slices make the first half, if both halves expect enough.
fn middle(slices: &[f64]) -> Option<usize> {
    let total: f64 = slices.iter().sum();
    let mut below = 0.0;
    let cuts = slices.iter().enumerate().map(|(i, e)| {
        below += e;
        (i + 1, below)
    });
    let (cut, below) = cuts.min_by(|a, b| (a.1 - 0.5 * total).abs().total_cmp(&(b.1 - 0.5 * total).abs()))?;
    (below >= EXPECTED && total - below >= EXPECTED).then_some(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_pooled_by_halves_and_the_statistic_is_pearsons() {
        let expected = [0.5, 0.02, 0.03, 0.25, 0.2];
        let observed = [0.4, 0.03, 0.05, 0.3, 0.22];
        let found = goodness_of_fit(&observed, &expected, &[5], 100.0, 1).unwrap();
        // 50 | 5 + 25 + 20: the half of 50 is cut nearest to 25, and that of 30 or 25 nearest to half of it.
        let pools: [(f64, f64); 4] = [(40.0, 50.0), (8.0, 5.0), (30.0, 25.0), (22.0, 20.0)];
        let expected: f64 = pools.iter().map(|(o, e)| (o - e).powi(2) / e).sum();
        assert!((found.statistic - expected).abs() < 1e-12, "{found:?} {expected}");
        assert_eq!(found.degrees_of_freedom, 2);
        // With two degrees of freedom the tail is an exponential.
        assert!((found.p_value - (-0.5 * expected).exp()).abs() < 1e-12);
        assert_eq!(goodness_of_fit(&[0.5, 0.5], &[0.5, 0.5], &[2], 100.0, 1), None);
    }

    #[test]
    fn what_the_model_expects_outside_counts() {
        let found = goodness_of_fit(&[0.5, 0.5], &[0.4, 0.4], &[2], 100.0, 0).unwrap();
        assert!((found.statistic - (2.0 * 100.0 / 40.0 + 20.0)).abs() < 1e-12);
        assert_eq!(found.degrees_of_freedom, 2);
    }

    #[test]
    fn pools_in_the_plane_are_no_stripes() {
        // Counts that alternate along an axis, as rounding makes them, are a fit for pools wider than that.
        let shape = [40, 40];
        let expected = vec![1.0 / 1600.0; 1600];
        let observed: Vec<f64> = (0..1600).map(|i| if i / 40 % 2 == 0 { 2.0 / 1600.0 } else { 0.0 }).collect();
        let found = goodness_of_fit(&observed, &expected, &shape, 1000.0, 2).unwrap();
        assert!(found.degrees_of_freedom > 50 && found.p_value > 0.5, "{found:?}");
        // Counts on one half of the box are none.
        let observed: Vec<f64> = (0..1600).map(|i| if i / 40 < 20 { 1.6 / 1600.0 } else { 0.4 / 1600.0 }).collect();
        assert!(goodness_of_fit(&observed, &expected, &shape, 1000.0, 2).unwrap().p_value < 0.02);
    }
}
