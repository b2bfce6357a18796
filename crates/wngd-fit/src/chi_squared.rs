//! The upper tail of χ².

/// P(χ² with `degrees` degrees of freedom > `value`): the regularised incomplete gamma function by its series or
/// continued fraction (Press et al., Numerical Recipes, section 6.2), to 1e-12.
pub(crate) fn upper_tail(value: f64, degrees: usize) -> f64 {
    let (a, x) = (0.5 * degrees as f64, 0.5 * value);
    if !(x > 0.0) {
        return 1.0;
    }
    let front = (a * x.ln() - x - log_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..2000 {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < 1e-15 * sum {
                break;
            }
        }
        return (1.0 - front * sum).clamp(0.0, 1.0);
    }
    let tiny = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut h = d;
    for i in 1..2000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = an * d + b;
        d = 1.0 / if d.abs() < tiny { tiny } else { d };
        c = b + an / c;
        c = if c.abs() < tiny { tiny } else { c };
        let delta = c * d;
        h *= delta;
        if (delta - 1.0).abs() < 1e-15 {
            break;
        }
    }
    (front * h).clamp(0.0, 1.0)
}

/// ln Γ(a) for a > 0: Stirling's series after shifting a above 10.
fn log_gamma(a: f64) -> f64 {
    let (mut shift, mut x) = (0.0, a);
    while x < 10.0 {
        shift += x.ln();
        x += 1.0;
    }
    let r = 1.0 / (x * x);
    let series = (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r / 1188.0)))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - shift
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R 4.3: pchisq(c(3.84, 23.2, 80, 0.5), c(1, 10, 60, 4), lower.tail = FALSE).
    #[test]
    fn tails_are_those_of_tables() {
        for (value, degrees, tail) in [
            (3.841_458_820_694_124, 1, 0.05),
            (23.209_251_158_954_356, 10, 0.01),
            (88.379_418_898_142, 60, 0.01),
            (0.710_723_021_397_324, 4, 0.95),
        ] {
            assert!((upper_tail(value, degrees) - tail).abs() < 1e-9, "{value} {degrees}");
        }
        assert_eq!(upper_tail(0.0, 3), 1.0);
    }
}
