//! Directions that leave no bound which they start from.

use wngd_adjoint::Bound;
use wngd_linalg::faer::Mat;
use wngd_linalg::{LaplacianReport, MassLeak};

use crate::curvature::pseudo_inverse;
use crate::direction::{Direction, PreparedDirection};
use crate::error::DirectionError;
use crate::prior::PriorTerms;

/// The least step of ½ηᵀMη + gᵀη among those that leave none of the bounds, from η that is the least of all.
///
/// Bounds are taken up while the step leaves them and dropped where it would be better without: an active-set method
/// for a quadratic program with few constraints, all of them met at η = 0.
///
/// # References
/// Nocedal and Wright 2006, Numerical Optimization, 16.5.
pub(crate) fn hold(eta: &[f64], metric: &Mat<f64>, bounds: &[&Bound]) -> Result<Vec<f64>, DirectionError> {
    let left = |eta: &[f64], bound: &Bound| {
        let size: f64 = bound.terms.iter().map(|(j, c)| (c * eta[*j]).abs()).sum();
        bound.rate(eta) < -1e-12 * size
    };
    if bounds.iter().all(|bound| !left(eta, bound)) {
        return Ok(eta.to_vec());
    }
    let p = eta.len();
    let inverse = pseudo_inverse(metric)?;
    let mut held: Vec<usize> = Vec::new();
    let mut best = eta.to_vec();
    // Each bound is taken up and dropped once at most.
    for _ in 0..2 * bounds.len() {
        if let Some(next) = (0..bounds.len()).find(|i| !held.contains(i) && left(&best, bounds[*i])) {
            held.push(next);
        } else {
            break;
        }
        loop {
            let row =
                |i: usize| Mat::from_fn(p, 1, |j, _| bounds[i].terms.iter().filter(|t| t.0 == j).map(|t| t.1).sum());
            let rows: Vec<Mat<f64>> = held.iter().map(|&i| row(i)).collect();
            let m = held.len();
            let schur = Mat::from_fn(m, m, |a, b| (rows[a].transpose() * &inverse * &rows[b])[(0, 0)]);
            let rates = Mat::from_fn(m, 1, |a, _| bounds[held[a]].rate(eta));
            let schur_inverse = pseudo_inverse(&schur)?;
            let multipliers = schur_inverse * rates;
            best = eta.to_vec();
            for (a, row) in rows.iter().enumerate() {
                let back = &inverse * row;
                (0..p).for_each(|j| best[j] -= multipliers[(a, 0)] * back[(j, 0)]);
            }
            // What is held stays, whatever rounding says.
            for &i in &held {
                if let [(j, _)] = bounds[i].terms[..] {
                    best[j] = 0.0;
                }
            }
            match (0..m).find(|&a| multipliers[(a, 0)] > 0.0) {
                Some(free) if m > 1 => drop(held.remove(free)),
                _ => break,
            }
        }
    }
    Ok(best)
}

/// Directions of a rule that leave none of the bounds met at its point.
pub(crate) struct Held<'a> {
    pub(crate) inner: Box<dyn PreparedDirection + 'a>,
    pub(crate) bounds: Vec<&'a Bound>,
    /// Information matrix |c| YᵀY.
    pub(crate) information: Mat<f64>,
    /// |c|.
    pub(crate) weight: f64,
}

impl Held<'_> {
    fn hold(&self, direction: Direction, damping: f64, lengths: &[f64]) -> Result<Direction, DirectionError> {
        let g = &self.information;
        let damped = Mat::from_fn(g.nrows(), g.ncols(), |i, j| {
            let floor = lengths.get(i).map_or(0.0, |length| self.weight * length * length);
            g[(i, j)] + if i == j { damping * g[(i, i)].max(floor) } else { 0.0 }
        });
        let eta = hold(&direction.eta, &damped, &self.bounds)?;
        Ok(Direction { eta, ..direction })
    }
}

impl PreparedDirection for Held<'_> {
    fn take_up(&mut self, priors: &PriorTerms, weight: f64) -> Result<(), DirectionError> {
        self.inner.take_up(priors, weight)?;
        priors.add_curvature(&mut self.information, 1.0);
        Ok(())
    }
    fn direction(&self, damping: f64) -> Result<Direction, DirectionError> {
        self.hold(self.inner.direction(damping)?, damping, &[])
    }
    fn lengths(&self) -> Option<Vec<f64>> {
        self.inner.lengths()
    }
    fn direction_at_least(&self, damping: f64, lengths: &[f64]) -> Result<Direction, DirectionError> {
        self.hold(self.inner.direction_at_least(damping, lengths)?, damping, lengths)
    }
    fn information(&self) -> Option<Mat<f64>> {
        Some(self.information.clone())
    }
    fn curvature(&self, eta: &[f64]) -> f64 {
        self.inner.curvature(eta)
    }
    fn mass_leak(&self) -> Option<&MassLeak> {
        self.inner.mass_leak()
    }
    fn laplacian(&self) -> Option<&LaplacianReport> {
        self.inner.laplacian()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wngd_linalg::dense::dot;

    #[test]
    fn the_step_is_the_least_of_all_that_leave_no_bound() {
        let metric = Mat::from_fn(3, 3, |i, j| if i == j { 2.0 } else { 0.7 - 0.2 * (i + j) as f64 });
        let bounds = [
            Bound { name: "a".into(), terms: vec![(0, 1.0)], lower: 0.0 },
            Bound { name: "b".into(), terms: vec![(1, 1.0)], lower: 0.0 },
            Bound { name: "c".into(), terms: vec![(0, -1.0), (1, -1.0)], lower: -1.0 },
        ];
        let rows: Vec<&Bound> = bounds.iter().collect();
        let value = |eta: &[f64], g: &[f64]| {
            let bend: f64 = (0..3).map(|i| eta[i] * (0..3).map(|j| metric[(i, j)] * eta[j]).sum::<f64>()).sum();
            0.5 * bend + dot(g, eta)
        };
        for trial in 0..40 {
            let g: Vec<f64> = (0..3).map(|i| (1.7 * trial as f64 + 2.3 * i as f64).sin()).collect();
            let inverse = pseudo_inverse(&metric).unwrap();
            let eta: Vec<f64> = (0..3).map(|i| -(0..3).map(|j| inverse[(i, j)] * g[j]).sum::<f64>()).collect();
            // Bounds a, b and c cannot all hold with steps other than along the third parameter.
            let met = [&rows[..1], &rows[..2], &rows[1..], &rows[..]][trial % 4];
            let found = hold(&eta, &metric, met).unwrap();
            assert!(met.iter().all(|b| b.rate(&found) >= -1e-12), "{found:?}");
            let best = value(&found, &g);
            // No admissible step nearby or far is better.
            for probe in 0..2000 {
                let step: Vec<f64> = (0..3)
                    .map(|i| {
                        let wave = ((probe * 3 + i) as f64 * 12.9898 + trial as f64).sin() * 43758.5453;
                        found[i] + (2.0 * (wave - wave.floor()) - 1.0) * [1e-3, 0.1, 1.0][probe % 3]
                    })
                    .collect();
                if met.iter().all(|b| b.rate(&step) >= 0.0) {
                    assert!(value(&step, &g) >= best - 1e-12, "{trial}: {step:?} is better than {found:?}");
                }
            }
        }
    }
}
