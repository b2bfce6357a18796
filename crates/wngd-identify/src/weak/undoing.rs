//! Gaussian noise of the observations, undone: E[g(x)] = E[exp(−½S:∇²) g (x + ε)] for g = x^m exp(iw·x).

use wngd_models::flow::Monomial;

use super::monomials::Monomials;

/// x^m exp(iw·x) before Gaussian noise, but for the factor exp(½wᵀSw), as a sum of x^k exp(iw·x) of what was observed:
/// in each coordinate h_{a+1} = z h_a − a s² h_{a−1} with z = x − i s² w.
pub(super) fn undone(
    monomials: &Monomials,
    target: &Monomial,
    wave: &[(usize, f64)],
    noise: &[f64],
) -> Vec<(usize, (f64, f64))> {
    if target.iter().all(|(axis, _)| noise[*axis] == 0.0) {
        return vec![(monomials.place(target), (1.0, 0.0))];
    }
    let mut sums = vec![(Vec::new(), (1.0, 0.0))];
    for &(axis, exponent) in target {
        let w = wave.iter().find(|(other, _)| *other == axis).map_or(0.0, |(_, w)| *w);
        let powers = hermite(exponent as usize, w, noise[axis]);
        let mut next = Vec::new();
        for (lower, (re, im)) in &sums {
            for (k, (a, b)) in powers.iter().enumerate().filter(|(_, c)| **c != (0.0, 0.0)) {
                let mut product: Vec<(usize, u32)> = lower.clone();
                if k > 0 {
                    product.push((axis, k as u32));
                }
                next.push((product, (re * a - im * b, re * b + im * a)));
            }
        }
        sums = next;
    }
    sums.into_iter().map(|(lower, factor)| (monomials.place(&lower), factor)).collect()
}

/// −½∂² of x^m exp(iw·x) by one coordinate, as a sum of x^k exp(iw·x): its derivative by the variance of the noise there,
/// since the noise is undone by exp(−½S:∇²).
pub(super) fn cooled(monomial: &Monomial, wave: &[(usize, f64)], axis: usize) -> Vec<(Monomial, (f64, f64))> {
    let w = wave.iter().find(|(other, _)| *other == axis).map_or(0.0, |(_, w)| *w);
    let exponent = monomial.iter().find(|(other, _)| *other == axis).map_or(0, |(_, exponent)| *exponent);
    let m = f64::from(exponent);
    let lowered = |by: u32| -> Monomial {
        let less = monomial.iter().map(|&(other, e)| (other, if other == axis { e - by } else { e }));
        less.filter(|(_, e)| *e > 0).collect()
    };
    let mut sum = vec![(monomial.clone(), (0.5 * w * w, 0.0))];
    if exponent > 0 {
        sum.push((lowered(1), (0.0, -m * w)));
    }
    if exponent > 1 {
        sum.push((lowered(2), (-0.5 * m * (m - 1.0), 0.0)));
    }
    sum.retain(|(_, factor)| *factor != (0.0, 0.0));
    sum
}

/// exp(½wᵀSw).
pub(super) fn damp(wave: &[(usize, f64)], noise: &[f64]) -> f64 {
    (0.5 * wave.iter().map(|&(axis, w)| w * w * noise[axis]).sum::<f64>()).exp()
}

/// Coefficients of h_a in powers of x.
fn hermite(a: usize, w: f64, variance: f64) -> Vec<(f64, f64)> {
    let mut earlier = vec![(0.0, 0.0); a + 1];
    let mut now = earlier.clone();
    now[0] = (1.0, 0.0);
    for k in 0..a {
        let mut next = vec![(0.0, 0.0); a + 1];
        for (j, &(re, im)) in now.iter().enumerate() {
            if j < a {
                next[j + 1].0 += re;
                next[j + 1].1 += im;
            }
            // −i s² w (re + i im).
            next[j].0 += variance * w * im;
            next[j].1 -= variance * w * re;
        }
        for (n, &(re, im)) in next.iter_mut().zip(&earlier) {
            n.0 -= k as f64 * variance * re;
            n.1 -= k as f64 * variance * im;
        }
        earlier = std::mem::replace(&mut now, next);
    }
    now
}
