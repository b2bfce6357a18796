//! Cells for the goodness of fit of a histogram: neighbouring bins together until five entries are expected in each.

use crate::binned::{Bin, Binned};
use crate::component::Parameters;
use crate::goodness::{Cells, LEAST, MOST};
use crate::layout::{Layout, pulled};
use crate::likelihood::Likelihood;

/// The cells; none where there are fewer than two.
pub(crate) fn cells(bins: &Binned, parameters: &Parameters, layout: &Layout) -> Option<Cells> {
    let components = parameters.prepare()?;
    let told = bins.bins(&components, layout.family.is_diagonal(), false);
    let covered = bins.covered(&told);
    let shares: Vec<f64> = told.iter().map(|b| b.log_mass.exp() / covered).collect();
    let q = told.first()?.features.len() / components.len();
    let (n, p) = (components.len() * q, layout.slots.len());
    let jacobian = layout.jacobian(&components);
    let score = |b: &Bin| pulled(&jacobian, &(0..n).map(|i| b.shares[i / q] * b.features[i]).collect::<Vec<_>>(), p);
    let mut scores: Vec<Vec<f64>> = told.iter().map(score).collect();
    // Scores given that an entry is in a bin at all.
    let mut mean = vec![0.0; p];
    for (share, score) in shares.iter().zip(&scores) {
        mean.iter_mut().zip(score).for_each(|(m, s)| *m += share * s);
    }
    for score in &mut scores {
        score.iter_mut().zip(&mean).for_each(|(s, m)| *s -= m);
    }
    let mut information = vec![0.0; p * p];
    for (share, score) in shares.iter().zip(&scores) {
        for i in 0..p {
            (0..p).for_each(|j| information[i * p + j] += share * score[i] * score[j]);
        }
    }
    let total = bins.total();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    let mut groups = Vec::new();
    group(bins, &shares, &mut order, LEAST.max(total / MOST as f64) / total, LEAST / total, &mut groups);
    let mut cells = Cells {
        observed: vec![0.0; groups.len()],
        shares: vec![0.0; groups.len()],
        derivatives: vec![0.0; groups.len() * p],
        information,
        noise: 0.0,
    };
    for (cell, group) in groups.iter().enumerate() {
        for &i in group {
            cells.observed[cell] += bins.counts[i];
            cells.shares[cell] += shares[i];
            (0..p).for_each(|a| cells.derivatives[cell * p + a] += shares[i] * scores[i][a]);
        }
    }
    (groups.len() > 1).then_some(cells)
}

/// Halves a set of bins by expected entries along its longest axis, as long as both halves keep enough.
fn group(bins: &Binned, shares: &[f64], set: &mut [usize], size: f64, least: f64, out: &mut Vec<Vec<usize>>) {
    let dim = bins.dim;
    let share: f64 = set.iter().map(|&i| shares[i]).sum();
    if share >= 1.5 * size.max(least) || share >= 2.0 * least && size <= least {
        let centre = |i: usize, a: usize| 0.5 * (bins.lower[i * dim + a] + bins.upper[i * dim + a]);
        // Scatter of the set along the axes, by the model.
        let scatter = |a: usize| {
            let mean = set.iter().map(|&i| shares[i] * centre(i, a)).sum::<f64>() / share;
            set.iter().map(|&i| shares[i] * (centre(i, a) - mean).powi(2)).sum::<f64>()
        };
        let mut axes: Vec<(f64, usize)> = (0..dim).map(|a| (scatter(a), a)).collect();
        axes.sort_by(|x, y| y.0.total_cmp(&x.0));
        for (_, a) in axes {
            set.sort_by(|&i, &j| centre(i, a).total_cmp(&centre(j, a)).then(i.cmp(&j)));
            // Where both parts keep enough, the cut nearest to the middle; bins of one place stay together.
            let (mut below, mut best) = (0.0, None);
            for cut in 1..set.len() {
                below += shares[set[cut - 1]];
                let apart = centre(set[cut], a) > centre(set[cut - 1], a);
                if apart && below >= least && share - below >= least {
                    let off = (below - 0.5 * share).abs();
                    if best.is_none_or(|(least, _)| off < least) {
                        best = Some((off, cut));
                    }
                }
            }
            if let Some((_, cut)) = best {
                let (low, high) = set.split_at_mut(cut);
                group(bins, shares, low, size, least, out);
                group(bins, shares, high, size, least, out);
                return;
            }
        }
    }
    out.push(set.to_vec());
}
