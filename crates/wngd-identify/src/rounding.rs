//! How many digits the data were written with.

use crate::sample::Sample;

/// Values that are looked at.
const LOOKED_AT: usize = 2000;

/// Standard deviation of the rounding of each coordinate: data in files have as many digits as somebody chose.
pub(crate) fn rounding(sample: &Sample) -> Vec<f64> {
    let stride = (sample.count() / LOOKED_AT).max(1);
    (0..sample.dim)
        .map(|axis| {
            let values = || sample.points.iter().skip(axis).step_by(sample.dim * stride).copied();
            // Single precision has long decimals in double precision.
            let single = values().all(|v| f64::from(v as f32) == v);
            let unit = |v: f64| {
                if single && last_digit(v) < 1e-7 * v.abs() { 1.2e-7 * v.abs() } else { last_digit(v) }
            };
            // The finest value tells how fine they are; a trailing 0 is not written.
            let shares: Vec<f64> = values().filter(|v| *v != 0.0).map(|v| unit(v) / decade(v)).collect();
            let absolute = values().filter(|v| *v != 0.0).map(unit).fold(f64::INFINITY, f64::min);
            let relative = shares.iter().copied().fold(f64::INFINITY, f64::min);
            // A fixed number of decimals or of digits: whichever is the coarser explanation.
            let size = sample.deviations[axis];
            absolute.max(relative * decade(size)).min(size) / 12f64.sqrt()
        })
        .collect()
}

fn decade(v: f64) -> f64 {
    10f64.powf(v.abs().log10().floor())
}

/// Unit of the last digit of the shortest decimal that gives a number.
fn last_digit(v: f64) -> f64 {
    let text = format!("{v:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    10f64.powi(exponent.parse::<i32>().unwrap_or(0) - decimals as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted() {
        let of = |round: fn(f64) -> f64| {
            let points: Vec<f64> = (0..500).map(|i| round(3.0 * (i as f64).sin())).collect();
            rounding(&Sample::new(points, 1, vec![500], None).unwrap())[0] * 12f64.sqrt()
        };
        assert!((of(|x| (x * 1e4).round() / 1e4) / 1e-4 - 1.0).abs() < 0.01);
        assert!(of(|x| x) < 1e-14);
        let single = of(|x| f64::from(x as f32));
        assert!((1e-8..1e-6).contains(&single), "{single}");
    }
}
