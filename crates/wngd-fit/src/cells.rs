//! Cells for the goodness of fit of points: boxes of nearly equal probability, in any dimension, cut from draws of the
//! fitted mixture, which also tell the probabilities and how they move with the parameters.

use crate::component::{Component, Parameters};
use crate::frame::Frame;
use crate::goodness::{Cells, LEAST, MOST};
use crate::layout::Layout;
use crate::likelihood::pairs;
use crate::mixture::draws;

/// Draws per sample, and their bounds.
const DRAWS: [usize; 3] = [50, 50_000, 200_000];

/// A node of the tree of boxes.
enum Node {
    Cell(usize),
    Cut { axis: usize, at: f64, below: Box<Node>, above: Box<Node> },
}

impl Node {
    fn find(&self, x: &[f64]) -> usize {
        match self {
            Self::Cell(index) => *index,
            Self::Cut { axis, at, below, above } => if x[*axis] < *at { below } else { above }.find(x),
        }
    }
}

/// What counts of samples are compared with.
pub(crate) struct Partition {
    root: Node,
    cells: Cells,
}

impl Partition {
    /// Cells for n observations; none where there are too few.
    ///
    /// Rounded coordinates are drawn from the mixture less the variance of rounding, and rounded.
    pub(crate) fn new(
        parameters: &Parameters,
        layout: &Layout,
        frame: &Frame,
        observations: f64,
        seed: u64,
    ) -> Option<Self> {
        let wanted = (2.0 * observations.powf(0.4)).min(observations / (1.6 * LEAST)).min(MOST as f64);
        if wanted < 2.0 {
            return None;
        }
        let dim = parameters.dim;
        let draws_wanted = ((DRAWS[0] as f64 * observations) as usize).clamp(DRAWS[1], DRAWS[2]);
        let components = parameters.prepare()?;
        let steps: Vec<Option<f64>> =
            frame.lattice.iter().zip(&frame.scale).map(|(l, s)| l.map(|l| l.step / s)).collect();
        let mut finer = parameters.clone();
        for covariance in &mut finer.covariances {
            for (a, step) in steps.iter().enumerate() {
                covariance[a * dim + a] -= step.map_or(0.0, |h| h * h / 12.0);
            }
        }
        // At the floor nothing is left; the rounding then is drawn twice.
        let (mut values, from) = draws(&finer.prepare().unwrap_or_else(|| components.clone()), draws_wanted, seed);
        for x in values.chunks_exact_mut(dim) {
            for a in 0..dim {
                if let (Some(h), Some(lattice)) = (steps[a], frame.lattice[a]) {
                    let origin = (lattice.origin - frame.centre[a]) / frame.scale[a];
                    x[a] = origin + h * ((x[a] - origin) / h).round();
                }
            }
        }
        drop(from);
        let count = values.len() / dim;
        let mut index: Vec<usize> = (0..count).collect();
        let least = LEAST / observations * count as f64;
        let mut cells = 0;
        let size = count as f64 / wanted;
        let root = cut(&values, dim, &mut index, size, least, &mut cells);
        let mut partition = Self {
            root,
            cells: Cells {
                observed: vec![0.0; cells],
                shares: vec![0.0; cells],
                derivatives: vec![0.0; cells * layout.slots.len()],
                information: vec![0.0; layout.slots.len().pow(2)],
                noise: observations / count as f64,
            },
        };
        partition.learn(&values, &components, layout);
        Some(partition)
    }

    /// Shares, their derivatives and the information of an observation from the draws.
    fn learn(&mut self, values: &[f64], components: &[Component], layout: &Layout) {
        let dim = components[0].mean.len();
        let (count, p) = (values.len() / dim, layout.slots.len());
        let pairs = pairs(dim, layout.family.is_diagonal());
        let q = 1 + dim + pairs.len();
        let n = components.len() * q;
        let jacobian = layout.jacobian(components);
        let m = self.cells.shares.len();
        let mut local = vec![0.0; m * n];
        let mut gram = vec![0.0; n * n];
        let mut score = vec![0.0; n];
        let mut y = vec![0.0; components.len() * dim];
        let mut terms = vec![0.0; components.len()];
        for x in values.chunks_exact(dim) {
            for (k, component) in components.iter().enumerate() {
                terms[k] = component.log_density(x, &mut y[k * dim..(k + 1) * dim]);
            }
            crate::component::log_sum(&mut terms);
            for (k, r) in terms.iter().enumerate() {
                let (y, s) = (&y[k * dim..(k + 1) * dim], &mut score[k * q..(k + 1) * q]);
                s[0] = *r;
                (0..dim).for_each(|a| s[1 + a] = r * y[a]);
                for (s, &(a, b)) in s[1 + dim..].iter_mut().zip(&pairs) {
                    *s = r * if a == b { 0.5 * (y[a] * y[a] - 1.0) } else { y[a] * y[b] };
                }
            }
            let cell = self.root.find(x);
            self.cells.shares[cell] += 1.0 / count as f64;
            for i in 0..n {
                local[cell * n + i] += score[i] / count as f64;
                let factor = score[i] / count as f64;
                for j in 0..=i {
                    gram[i * n + j] += factor * score[j];
                }
            }
        }
        crate::likelihood::symmetric(&mut gram, n);
        self.cells.information = crate::layout::congruence(&jacobian, &gram, n, p);
        for cell in 0..m {
            let pulled = crate::layout::pulled(&jacobian, &local[cell * n..(cell + 1) * n], p);
            self.cells.derivatives[cell * p..(cell + 1) * p].copy_from_slice(&pulled);
        }
    }

    /// The cells with the samples counted.
    pub(crate) fn counted(mut self, values: &[f64], dim: usize, weights: Option<&[f64]>) -> Cells {
        for (i, x) in values.chunks_exact(dim).enumerate() {
            self.cells.observed[self.root.find(x)] += weights.map_or(1.0, |w| w[i]);
        }
        self.cells
    }
}

/// Halves a box of draws along its longest axis until it is small.
fn cut(values: &[f64], dim: usize, index: &mut [usize], size: f64, least: f64, cells: &mut usize) -> Node {
    let leaf = |cells: &mut usize| {
        *cells += 1;
        Node::Cell(*cells - 1)
    };
    if (index.len() as f64) < 1.5 * size {
        return leaf(cells);
    }
    // Longest by quartiles: tails count for little.
    let mut axes: Vec<(f64, usize)> = (0..dim)
        .map(|a| {
            let mut seen: Vec<f64> =
                index.iter().step_by(index.len().div_ceil(512)).map(|&i| values[i * dim + a]).collect();
            seen.sort_by(f64::total_cmp);
            (seen[seen.len() * 3 / 4] - seen[seen.len() / 4], a)
        })
        .collect();
    axes.sort_by(|x, y| y.0.total_cmp(&x.0));
    for (_, axis) in axes {
        let key = |i: usize| values[i * dim + axis];
        let half = index.len() / 2;
        let (_, middle, _) = index.select_nth_unstable_by(half, |&i, &j| key(i).total_cmp(&key(j)));
        let at = key(*middle);
        let mut below = 0;
        for i in 0..index.len() {
            if key(index[i]) < at {
                index.swap(i, below);
                below += 1;
            }
        }
        if (below as f64) < least || ((index.len() - below) as f64) < least {
            continue;
        }
        // Between two values of a lattice, so that rounding of the samples does not decide.
        let highest = index[..below].iter().map(|&i| key(i)).fold(f64::NEG_INFINITY, f64::max);
        let at = 0.5 * (highest + at);
        let (low, high) = index.split_at_mut(below);
        let below = Box::new(cut(values, dim, low, size, least, cells));
        let above = Box::new(cut(values, dim, high, size, least, cells));
        return Node::Cut { axis, at, below, above };
    }
    leaf(cells)
}
