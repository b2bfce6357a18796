//! Random Fourier functions.

use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;

/// Lengths of the functions, in standard deviations of the data; between them logarithmically uniform.
const LENGTHS: (f64, f64) = (0.7, 3.0);
/// Fewest functions.
const FEWEST: usize = 20;
/// Most coordinates that one function depends on: beyond it phases wander over many turns and means say nothing.
const COORDINATES: usize = 4;

/// Frequencies w of f = exp(iw·x), each on a few coordinates.
#[derive(Debug, Clone)]
pub(super) struct Functions {
    /// (coordinate, w) per function.
    pub(super) waves: Vec<Vec<(usize, f64)>>,
}

impl Functions {
    /// As many as `parameters` need, but no more than `most` if those are enough; `couplings` says which coordinates move
    /// each coordinate.
    pub(super) fn new(deviations: &[f64], couplings: &[Vec<usize>], parameters: usize, most: usize, seed: u64) -> Self {
        let dim = deviations.len();
        let mut rng = Pcg64::seed_from_u64(seed);
        let mut count = FEWEST.max(2 * parameters + 10);
        if dim > COORDINATES {
            count = count.max(dim + dim / 4).min(400);
        }
        let count = count.min(most.max(parameters / 2 + 4));
        let waves = (0..count).map(|k| {
            let axes = if dim <= COORDINATES { (0..dim).collect() } else { few(k % dim, couplings, &mut rng) };
            let (least, most) = (LENGTHS.0.ln(), LENGTHS.1.ln());
            let length = (least + (most - least) * rng.random::<f64>()).exp();
            let wave = |axis: usize| (axis, rng.sample::<f64, _>(StandardNormal) / (length * deviations[axis]));
            axes.into_iter().map(wave).collect()
        });
        Self { waves: waves.collect() }
    }
}

/// A coordinate and up to two of those that move it.
fn few(axis: usize, couplings: &[Vec<usize>], rng: &mut Pcg64) -> Vec<usize> {
    let mut others: Vec<usize> = couplings[axis].iter().copied().filter(|other| *other != axis).collect();
    let mut axes = vec![axis];
    for _ in 0..rng.random_range(0..3usize) {
        if !others.is_empty() {
            axes.push(others.swap_remove(rng.random_range(0..others.len())));
        }
    }
    axes.sort_unstable();
    axes
}

/// Some frequencies on all coordinates, always the same ones.
pub(crate) fn waves(deviations: &[f64], count: usize) -> Vec<Vec<(usize, f64)>> {
    let couplings = vec![(0..deviations.len()).collect(); deviations.len()];
    let mut waves = Functions::new(deviations, &couplings, 0, usize::MAX, 7).waves;
    waves.truncate(count);
    waves
}
