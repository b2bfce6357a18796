use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;
use wngd_linalg::dense::{dot, norm};
use wngd_linalg::faer::Mat;

/// Probes that are made orthogonal to each other together.
const GROUP: usize = 32;

/// Distribution of random probes h ∈ ℝⁿ; E h hᵀ = I for all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProbeKind {
    /// Independent signs.
    #[default]
    Rademacher,
    /// Independent standard normal entries.
    Gaussian,
    /// Groups of 32 (or n, if fewer) orthogonal vectors of length √n, uniformly turned.
    Orthogonal,
}

/// A reproducible sequence of random probes.
///
/// Probe i depends on `(seed, iteration, i)` and on nothing else: any batch of any split
/// on any number of threads has the same bits.
///
/// # Example
/// ```
/// use wngd_adjoint::{ProbeKind, Probes};
/// let probes = Probes { kind: ProbeKind::Rademacher, seed: 7, iteration: 0 };
/// let (all, later) = (probes.block(100, 0, 5), probes.block(100, 3, 2));
/// assert_eq!(all.col(4), later.col(1));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Probes {
    /// Distribution.
    pub kind: ProbeKind,
    /// Seed of the run.
    pub seed: u64,
    /// Iteration of the descent: each has probes of its own.
    pub iteration: u64,
}

impl Probes {
    /// Probes `first..first + count` as columns.
    ///
    /// # Shapes
    /// n x count.
    ///
    /// # Cost
    /// One draw per entry; orthogonal groups also 32 n operations per probe, and whole groups are made.
    pub fn block(&self, n: usize, first: usize, count: usize) -> Mat<f64> {
        let mut out = Mat::zeros(n, count);
        if self.kind == ProbeKind::Orthogonal && n > 0 {
            let group = GROUP.min(n);
            let mut at = first;
            while at < first + count {
                let vectors = self.orthogonal_group(n, at / group, group);
                let end = (first + count).min((at / group + 1) * group);
                for index in at..end {
                    out.col_as_slice_mut(index - first).copy_from_slice(&vectors[index % group]);
                }
                at = end;
            }
        } else {
            for j in 0..count {
                self.fill((first + j) as u64, out.col_as_slice_mut(j));
            }
        }
        out
    }

    /// Modified Gram–Schmidt, twice, on Gaussian vectors.
    fn orthogonal_group(&self, n: usize, group: usize, size: usize) -> Vec<Vec<f64>> {
        let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(size);
        for j in 0..size {
            let mut v = vec![0.0; n];
            self.fill((group * size + j) as u64, &mut v);
            for _ in 0..2 {
                for earlier in &vectors {
                    let along = dot(earlier, &v) / n as f64;
                    v.iter_mut().zip(earlier).for_each(|(v, e)| *v -= along * e);
                }
            }
            let scale = (n as f64).sqrt() / norm(&v);
            v.iter_mut().for_each(|v| *v *= scale);
            vectors.push(v);
        }
        vectors
    }

    fn fill(&self, index: u64, out: &mut [f64]) {
        let mut rng = self.stream(index);
        match self.kind {
            ProbeKind::Rademacher => {
                for piece in out.chunks_mut(64) {
                    let mut bits: u64 = rng.random();
                    for value in piece {
                        *value = if bits & 1 == 1 { 1.0 } else { -1.0 };
                        bits >>= 1;
                    }
                }
            }
            ProbeKind::Gaussian | ProbeKind::Orthogonal => {
                out.iter_mut().for_each(|value| *value = rng.sample(StandardNormal));
            }
        }
    }

    /// The random stream of one probe. The key is hashed: neighbouring states or streams of the
    /// generator by themselves would be correlated.
    fn stream(&self, index: u64) -> Pcg64 {
        let mut seed = [0; 32];
        let mut state = self.seed;
        for (i, word) in [self.iteration, index, 1, 2].into_iter().enumerate() {
            state = mix(state ^ mix(word.wrapping_add(0x9e37_79b9_7f4a_7c15u64.wrapping_mul(i as u64 + 1))));
            seed[8 * i..8 * i + 8].copy_from_slice(&state.to_le_bytes());
        }
        Pcg64::from_seed(seed)
    }
}

/// The finaliser of SplitMix64 (doi:10.1145/2714064.2660195): a bijection that scatters its bits.
fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [ProbeKind; 3] = [ProbeKind::Rademacher, ProbeKind::Gaussian, ProbeKind::Orthogonal];

    #[test]
    fn any_split_gives_the_same_bits_and_other_keys_other_probes() {
        for kind in KINDS {
            let probes = Probes { kind, seed: 3, iteration: 5 };
            let all = probes.block(70, 0, 80);
            for split in [1, 7, 40, 79] {
                let (a, b) = (probes.block(70, 0, split), probes.block(70, split, 80 - split));
                for j in 0..80 {
                    let part = if j < split { a.col_as_slice(j) } else { b.col_as_slice(j - split) };
                    assert_eq!(part, all.col_as_slice(j));
                }
            }
            for other in [Probes { seed: 4, ..probes }, Probes { iteration: 6, ..probes }] {
                assert_ne!(other.block(70, 0, 1), probes.block(70, 0, 1));
            }
        }
    }

    #[test]
    fn second_moments_are_the_identity() {
        // 4000 probes: the mean of h_i h_j has standard deviation 1/√4000 = 0.016 (√2 times that for
        // Gaussian diagonals); 5 of these in 55 entries happen by chance once in 30 000 runs.
        for kind in KINDS {
            let (n, m) = (10, 4000);
            let h = Probes { kind, seed: 11, iteration: 0 }.block(n, 0, m);
            for i in 0..n {
                for j in 0..=i {
                    let mean = (0..m).map(|s| h[(i, s)] * h[(j, s)]).sum::<f64>() / m as f64;
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!((mean - expected).abs() < 5.0 * (2.0f64 / m as f64).sqrt(), "{kind:?} ({i}, {j}): {mean}");
                }
            }
        }
    }

    #[test]
    fn orthogonal_groups_are_orthogonal() {
        let h = Probes { kind: ProbeKind::Orthogonal, seed: 1, iteration: 2 }.block(90, 0, 64);
        for i in 0..64 {
            for j in 0..i {
                let product = dot(h.col_as_slice(i), h.col_as_slice(j)) / 90.0;
                assert!(product.abs() < 1e-13 || i / GROUP != j / GROUP, "({i}, {j}): {product}");
            }
            assert!((norm(h.col_as_slice(i)) - 90f64.sqrt()).abs() < 1e-12);
        }
        // As many as dimensions: the identity, exactly.
        let h = Probes { kind: ProbeKind::Orthogonal, seed: 1, iteration: 2 }.block(6, 0, 6);
        let product = &h * h.transpose();
        assert!((product - Mat::<f64>::identity(6, 6) * 6.0).norm_max() < 1e-12);
    }
}
