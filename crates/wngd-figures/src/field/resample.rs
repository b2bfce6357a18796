//! A lattice refined or thinned.

/// The lattice is refined until it has about this many nodes per axis, so that
/// contour lines are smooth.
const FINE: usize = 200;
/// Finer lattices are thinned: no more can be seen.
const FINEST: usize = 400;

/// The lattice with about [`FINE`] nodes per axis: cubic where the
/// neighbourhood is complete, bilinear near gaps.
pub(super) fn resample(x: &[f64], y: &[f64], z: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (fx, fy) = (fractions(x.len()), fractions(y.len()));
    let axis = |a: &[f64], f: &[f64]| -> Vec<f64> {
        f.iter()
            .map(|v| {
                let i = (v.floor() as usize).min(a.len() - 2);
                a[i] + (v - i as f64) * (a[i + 1] - a[i])
            })
            .collect()
    };
    let nx = x.len();
    let (mx, my) = (nx as isize - 1, y.len() as isize - 1);
    // One node beyond the border is continued linearly.
    let node = |i: isize, j: isize| -> f64 {
        let inside = |i: isize, j: isize| z[j as usize * nx + i as usize];
        let row = |j: isize| {
            if i < 0 {
                2.0 * inside(0, j) - inside(1, j)
            } else if i > mx {
                2.0 * inside(mx, j) - inside(mx - 1, j)
            } else {
                inside(i, j)
            }
        };
        if j < 0 {
            2.0 * row(0) - row(1)
        } else if j > my {
            2.0 * row(my) - row(my - 1)
        } else {
            row(j)
        }
    };
    let mut out = Vec::with_capacity(fx.len() * fy.len());
    for v in &fy {
        let j = (v.floor() as isize).min(my - 1);
        let t = v - j as f64;
        for u in &fx {
            let i = (u.floor() as isize).min(mx - 1);
            let s = u - i as f64;
            let (ws, wt) = (catmull_rom(s), catmull_rom(t));
            let mut sum = 0.0;
            for (b, wt) in (-1..3).zip(wt) {
                for (a, ws) in (-1..3).zip(ws) {
                    // A zero weight must not let a gap spread.
                    if ws != 0.0 && wt != 0.0 {
                        sum += ws * wt * node(i + a, j + b);
                    }
                }
            }
            if !sum.is_finite() {
                sum = 0.0;
                for (b, wt) in [(0, 1.0 - t), (1, t)] {
                    for (a, ws) in [(0, 1.0 - s), (1, s)] {
                        if ws != 0.0 && wt != 0.0 {
                            sum += ws * wt * node(i + a, j + b);
                        }
                    }
                }
            }
            out.push(sum);
        }
    }
    (axis(x, &fx), axis(y, &fy), out)
}

/// Node positions of the refined (or thinned) axis, in units of the old nodes.
fn fractions(n: usize) -> Vec<f64> {
    let cells = n - 1;
    let m = if cells > FINEST { FINEST } else { cells * FINE.div_ceil(cells).max(1) };
    (0..=m).map(|k| cells as f64 * k as f64 / m as f64).collect()
}

fn catmull_rom(t: f64) -> [f64; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [0.5 * (-t + 2.0 * t2 - t3), 0.5 * (2.0 - 5.0 * t2 + 3.0 * t3), 0.5 * (t + 4.0 * t2 - 3.0 * t3), 0.5 * (t3 - t2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refinement_keeps_nodes_and_gaps() {
        let x = [0.0, 1.0, 2.0, 3.0];
        let z: Vec<f64> = (0..16).map(|k| if k == 5 { f64::NAN } else { f64::from(k) }).collect();
        let (fx, fy, fz) = resample(&x, &x, &z);
        let step = (fx.len() - 1) / 3;
        for j in 0..4 {
            for i in 0..4 {
                let v = fz[j * step * fx.len() + i * step];
                assert!(if j * 4 + i == 5 { v.is_nan() } else { (v - (j * 4 + i) as f64).abs() < 1e-12 });
            }
        }
        assert_eq!(fz.len(), fx.len() * fy.len());
    }
}
