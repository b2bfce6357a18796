//! Small dense matrices, row-major: the sizes here are those of covariances and of parameter vectors.

/// L of A = LLᵀ; none where A is not positive definite.
pub(crate) fn cholesky(a: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
            let rest = a[i * n + j] - known;
            if i == j {
                // What is left of a diagonal entry by rounding alone is no pivot.
                if !(rest > 1e-14 * a[i * n + i].abs()) || !rest.is_finite() {
                    return None;
                }
                l[i * n + i] = rest.sqrt();
            } else {
                l[i * n + j] = rest / l[j * n + j];
            }
        }
    }
    Some(l)
}

/// L⁻¹ of a lower triangle.
pub(crate) fn invert_lower(l: &[f64], n: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; n * n];
    for c in 0..n {
        inverse[c * n + c] = 1.0 / l[c * n + c];
        for i in c + 1..n {
            let known: f64 = (c..i).map(|k| l[i * n + k] * inverse[k * n + c]).sum();
            inverse[i * n + c] = -known / l[i * n + i];
        }
    }
    inverse
}

/// Solves LLᵀx = b in place.
pub(crate) fn solve(l: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        let known: f64 = (0..i).map(|k| l[i * n + k] * b[k]).sum();
        b[i] = (b[i] - known) / l[i * n + i];
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| l[k * n + i] * b[k]).sum();
        b[i] = (b[i] - known) / l[i * n + i];
    }
}

/// A B of square matrices.
pub(crate) fn product(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    let mut c = vec![0.0; n * n];
    for i in 0..n {
        for k in 0..n {
            let factor = a[i * n + k];
            if factor != 0.0 {
                (0..n).for_each(|j| c[i * n + j] += factor * b[k * n + j]);
            }
        }
    }
    c
}

/// A B Aᵀ of square matrices.
pub(crate) fn sandwich(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    let ab = product(a, b, n);
    let mut c = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..n {
            c[i * n + j] = (0..n).map(|k| ab[i * n + k] * a[j * n + k]).sum();
        }
    }
    c
}

/// Eigenvalues, ascending, and eigenvectors as rows, of a symmetric matrix: cyclic Jacobi rotations, which find small
/// eigenvalues of graded matrices as well as large ones (Demmel and Veselić 1992, doi:10.1137/0613074).
pub(crate) fn eigen(a: &[f64], n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut a = a.to_vec();
    let mut v = vec![0.0; n * n];
    (0..n).for_each(|i| v[i * n + i] = 1.0);
    for _ in 0..60 {
        let mut rotated = false;
        for p in 0..n {
            for q in p + 1..n {
                let off = a[p * n + q];
                if off == 0.0 || off.abs() <= 1e-16 * (a[p * n + p].abs() * a[q * n + q].abs()).sqrt() {
                    continue;
                }
                rotated = true;
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let t = if theta == 0.0 { 1.0 } else { t };
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
                }
                (a[p * n + q], a[q * n + p]) = (0.0, 0.0);
                for k in 0..n {
                    let (x, y) = (v[p * n + k], v[q * n + k]);
                    (v[p * n + k], v[q * n + k]) = (c * x - s * y, s * x + c * y);
                }
            }
        }
        if !rotated {
            break;
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| a[i * n + i].total_cmp(&a[j * n + j]));
    let values = order.iter().map(|&i| a[i * n + i]).collect();
    let vectors = order.iter().flat_map(|&i| v[i * n..(i + 1) * n].to_vec()).collect();
    (values, vectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_and_eigenvectors_give_the_matrix_back() {
        let n = 5;
        let g: Vec<f64> = (0..n * n).map(|i| ((i * 7919 % 23) as f64 - 11.0) / 7.0).collect();
        let mut identity = vec![0.0; n * n];
        (0..n).for_each(|i| identity[i * n + i] = 1.0);
        let mut a = sandwich(&g, &identity, n);
        (0..n).for_each(|i| a[i * n + i] += 0.1);
        let l = cholesky(&a, n).unwrap();
        let back = sandwich(&l, &identity, n);
        let near = |x: &[f64], y: &[f64]| x.iter().zip(y).all(|(a, b)| (a - b).abs() < 1e-12 * (1.0 + b.abs()));
        assert!(near(&back, &a));
        assert!(near(&product(&invert_lower(&l, n), &l, n), &identity));
        let mut x = vec![1.0, -2.0, 0.5, 3.0, 0.0];
        let b = x.clone();
        solve(&l, n, &mut x);
        let again: Vec<f64> = (0..n).map(|i| (0..n).map(|j| a[i * n + j] * x[j]).sum()).collect();
        assert!(again.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-10));
        let (values, vectors) = eigen(&a, n);
        let mut sum = vec![0.0; n * n];
        for (value, v) in values.iter().zip(vectors.chunks(n)) {
            for i in 0..n {
                (0..n).for_each(|j| sum[i * n + j] += value * v[i] * v[j]);
            }
        }
        assert!(near(&sum, &a));
        assert!(values.windows(2).all(|w| w[0] <= w[1]));
        assert!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
    }
}
