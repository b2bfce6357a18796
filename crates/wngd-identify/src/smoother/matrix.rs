//! Small dense matrices, row-major in slices.

/// out = a (n x k) times b (k x m).
pub(super) fn product(a: &[f64], b: &[f64], k: usize, m: usize, out: &mut [f64]) {
    out.fill(0.0);
    for (row, sums) in a.chunks_exact(k).zip(out.chunks_exact_mut(m)) {
        for (factor, values) in row.iter().zip(b.chunks_exact(m)).filter(|(f, _)| **f != 0.0) {
            sums.iter_mut().zip(values).for_each(|(s, v)| *s += factor * v);
        }
    }
}

/// out = a (n x k) times the transpose of b (m x k).
pub(super) fn product_transposed(a: &[f64], b: &[f64], k: usize, out: &mut [f64]) {
    let m = b.len() / k;
    for (row, values) in a.chunks_exact(k).zip(out.chunks_exact_mut(m)) {
        for (value, other) in values.iter_mut().zip(b.chunks_exact(k)) {
            *value = dot(row, other);
        }
    }
}

/// The transpose of a (n x m).
pub(super) fn transposed(a: &[f64], m: usize, out: &mut [f64]) {
    let n = a.len() / m;
    for i in 0..n {
        for j in 0..m {
            out[j * n + i] = a[i * m + j];
        }
    }
}

/// The mean of a square matrix and its transpose: rounding that is not symmetric grows along a filter.
pub(super) fn symmetrise(a: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            let mean = 0.5 * (a[i * n + j] + a[j * n + i]);
            (a[i * n + j], a[j * n + i]) = (mean, mean);
        }
    }
}

/// Σ a b
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_those_of_the_definition() {
        // [1 2 3; 4 5 6] [1 0; 2 1; 0 3]
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 0.0, 2.0, 1.0, 0.0, 3.0]);
        let mut out = [0.0; 4];
        product(&a, &b, 3, 2, &mut out);
        assert_eq!(out, [5.0, 11.0, 14.0, 23.0]);
        let mut turned = [0.0; 6];
        transposed(&b, 2, &mut turned);
        let mut again = [0.0; 4];
        product_transposed(&a, &turned, 3, &mut again);
        assert_eq!(again, out);
    }
}
