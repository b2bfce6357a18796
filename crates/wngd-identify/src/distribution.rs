//! Tail probabilities of misfit statistics.

/// Natural logarithm of Γ(x) for x > 0, by Lanczos' series; error below 1e-13.
fn ln_gamma(x: f64) -> f64 {
    const C: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let sum = C[1..].iter().enumerate().fold(C[0], |sum, (i, c)| sum + c / (x + 1.0 + i as f64));
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// Regularised incomplete beta function I_x(a, b), by its continued fraction (Lentz).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(1.0 - x, b, a);
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp() / a;
    let away = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let (mut c, mut d) = (1.0, 1.0 / away(1.0 - (a + b) * x / (a + 1.0)));
    let mut h = d;
    for m in 1..500 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        h *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    front * h
}

/// P(F > x) of Fisher's distribution with (a, b) degrees of freedom.
pub(crate) fn beyond_f(x: f64, a: f64, b: f64) -> f64 {
    if !(x > 0.0) { 1.0 } else { incomplete_beta(b / (b + a * x), 0.5 * b, 0.5 * a) }
}

/// P(χ² > x) with k degrees of freedom.
#[cfg(test)]
fn beyond_chi_square(x: f64, k: f64) -> f64 {
    if !(x > 0.0) {
        return 1.0;
    }
    let (a, x) = (0.5 * k, 0.5 * x);
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..10_000 {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < sum * 1e-16 {
                break;
            }
        }
        return (1.0 - front * sum).max(0.0);
    }
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1e300, 1.0 / b);
    let mut h = d;
    for n in 1..10_000 {
        let n = f64::from(n);
        let step = -n * (n - a);
        b += 2.0;
        d = 1.0 / (step * d + b);
        c = b + step / c;
        h *= d * c;
        if (d * c - 1.0).abs() < 1e-15 {
            break;
        }
    }
    front * h
}

/// P(T² > x) of Hotelling's statistic for q means, their covariance from n independent draws.
///
/// Where the covariance is estimated from not many more draws than there are means, χ² would reject too often.
pub(crate) fn beyond_hotelling(x: f64, q: f64, n: f64) -> f64 {
    if n - q < 1.0 { 1.0 } else { beyond_f(x * (n - q) / (q * (n - 1.0)), q, n - q) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_tables() {
        // Abramowitz and Stegun, tables 26.8 and 26.9.
        for (x, k, p) in
            [(3.841_459, 1.0, 0.05), (18.307_04, 10.0, 0.05), (149.449_25, 100.0, 0.001), (2.0, 2.0, (-1f64).exp())]
        {
            assert!((beyond_chi_square(x, k) - p).abs() < 1e-6, "{x} {k}: {}", beyond_chi_square(x, k));
        }
        for (x, a, b, p) in
            [(4.964_603, 1.0, 10.0, 0.05), (1.838_859, 20.0, 40.0, 0.05), (4.410_861, 10.0, 21.0, 0.001_93)]
        {
            assert!((beyond_f(x, a, b) - p).abs() < 1e-3, "{x} {a} {b}: {}", beyond_f(x, a, b));
        }
        assert_eq!(beyond_chi_square(0.0, 3.0), 1.0);
        assert!(beyond_chi_square(1e4, 40.0) < 1e-300 && beyond_f(f64::INFINITY, 3.0, 9.0) == 0.0);
        // Many draws: Hotelling's statistic is χ².
        assert!((beyond_hotelling(50.0, 40.0, 1e7) - beyond_chi_square(50.0, 40.0)).abs() < 1e-4);
        assert!(beyond_hotelling(60.0, 40.0, 100.0) > 5.0 * beyond_chi_square(60.0, 40.0));
    }
}
