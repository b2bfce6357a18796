use std::f64::consts::PI;

use faer::Mat;

use super::{Multigrid, Stop};
use crate::dense;
use crate::divergence::{Divergence, FaceMean, face_densities};
use crate::grid::Grid;
use crate::operator::{LinearOp, apply_transpose_vec};

const STOP: Stop = Stop { aim: 5e-13, tolerance: 1e-11, cycles: 60 };

fn conductance(grid: &Grid, density: &[f64]) -> Vec<f64> {
    let mut faces = face_densities(grid, density, FaceMean::Arithmetic, 0.0).unwrap();
    for block in grid.face_blocks() {
        let h2 = grid.spacing()[block.axis].powi(2);
        block.for_each(|face, _, _| faces[face] /= h2);
    }
    faces
}

fn mixture(grid: &Grid, parts: &[(f64, [f64; 2], f64)]) -> Vec<f64> {
    (0..grid.len())
        .map(|i| {
            let p = grid.center(i);
            let of = |&(weight, mean, sigma): &(f64, [f64; 2], f64)| {
                let away = (p[0] - mean[0]).powi(2) + (p[1] - mean[1]).powi(2);
                weight * (-0.5 * away / (sigma * sigma)).exp() / (2.0 * PI * sigma * sigma)
            };
            parts.iter().map(of).sum()
        })
        .collect()
}

/// BBᵀ of known potentials is solved back to them: cycles, and the largest error of their fields relative to the fields.
fn recovered(grid: &Grid, density: &[f64]) -> (usize, f64, f64) {
    let multigrid = Multigrid::new(grid, &conductance(grid, density)).unwrap();
    let b = Divergence::new(grid, density, FaceMean::Arithmetic).unwrap();
    let side = |axis: usize| grid.upper()[axis] - grid.lower()[axis];
    let phi = Mat::from_fn(grid.len(), 3, |i, j| {
        let p = grid.center(i);
        let (x, y) = ((p[0] - grid.lower()[0]) / side(0), (p[1] - grid.lower()[1]) / side(1));
        [x + y, (3.0 * PI * x).cos() * y, (40.0 * x * y).sin()][j]
    });
    let mut fields = Mat::zeros(b.ncols(), 3);
    b.apply_transpose(fields.as_mut(), phi.as_ref());
    let mut z = Mat::zeros(grid.len(), 3);
    b.apply(z.as_mut(), fields.as_ref());
    let solved = multigrid.solve(z.as_mut(), STOP);
    let mut error = 0.0f64;
    for j in 0..3 {
        let found = apply_transpose_vec(&b, z.col_as_slice(j));
        let miss: Vec<f64> = found.iter().zip(fields.col_as_slice(j)).map(|(a, b)| a - b).collect();
        error = error.max(dense::norm(&miss) / fields.col(j).norm_l2());
    }
    let most = solved.iter().map(|s| s.iterations).max().unwrap();
    (most, solved.iter().map(|s| s.error).fold(0.0, f64::max), error)
}

fn square(n: usize) -> Grid {
    Grid::new(&[-4.0; 2], &[14.0; 2], &[n, n]).unwrap()
}

const THREE: [(f64, [f64; 2], f64); 3] = [(0.3, [2.0, 3.0], 1.0), (0.3, [7.0, 6.0], 0.7), (0.4, [4.0, 9.0], 1.5)];

#[test]
fn known_potentials_come_back() {
    // Over the whole box the narrow density falls by 250 decades.
    let narrow = [(1.0, [2.0, 3.0], 0.5)];
    for n in [40, 129, 256, 512] {
        let grid = square(n);
        let densities =
            [vec![1.0; n * n], mixture(&grid, &THREE[..1]), mixture(&grid, &narrow), mixture(&grid, &THREE)];
        for (which, density) in densities.iter().enumerate() {
            let (iterations, believed, error) = recovered(&grid, density);
            assert!(iterations <= 16 && believed <= 1e-11 && error <= 1e-11, "{n} {which} {iterations} {error:e}");
        }
    }
}

#[test]
fn narrow_cells_and_odd_sizes_take_no_more_cycles() {
    for (cells, upper) in
        [([100, 400], [1.0, 1.0]), ([400, 100], [1.0, 1.0]), ([300, 70], [1.0, 7.0]), ([128, 129], [1.0, 1.6])]
    {
        let grid = Grid::new(&[0.0; 2], &upper, &cells).unwrap();
        let (iterations, believed, error) = recovered(&grid, &vec![1.0; grid.len()]);
        assert!(iterations <= 16 && believed <= 1e-11 && error <= 1e-11, "{cells:?} {iterations} {error:e}");
    }
}

#[test]
fn closed_faces_and_separate_components_are_solved() {
    let grid = square(130);
    let density: Vec<f64> = (0..grid.len())
        .map(|i| {
            let [x, y, _] = grid.center(i);
            // A disc, a frame apart from it, and nothing between.
            let far = (x - 5.0).hypot(y - 5.0);
            if far < 4.0 {
                1.0 + 0.5 * x.sin()
            } else if far > 6.0 {
                0.2 + 0.1 * (y * x).cos()
            } else {
                0.0
            }
        })
        .collect();
    let (iterations, believed, error) = recovered(&grid, &density);
    assert!(iterations <= 40 && believed <= 1e-11 && error <= 1e-11, "{iterations} {believed:e} {error:e}");
}

#[test]
fn cycles_are_symmetric() {
    let grid = square(100);
    let multigrid = Multigrid::new(&grid, &conductance(&grid, &mixture(&grid, &THREE))).unwrap();
    let level = &multigrid.levels[0];
    let wave = |seed: f64| {
        let mut values = vec![[0.0; 1]; level.len()];
        for j in 1..=level.rows {
            (1..=level.columns).for_each(|i| values[j * level.width() + i] = [(seed * (i + 3 * j * j) as f64).sin()]);
        }
        values
    };
    let (a, b) = (wave(0.7), wave(1.9));
    let cycle = |r: &[[f64; 1]]| {
        let mut z = vec![[0.0]; r.len()];
        multigrid.cycle(&mut z, r, &mut multigrid.workspace(0));
        z
    };
    let product = |a: &[[f64; 1]], b: &[[f64; 1]]| dense::dot(a.as_flattened(), b.as_flattened());
    let (za, zb) = (cycle(&a), cycle(&b));
    let scale = (product(&a, &za) * product(&b, &zb)).sqrt();
    assert!((product(&a, &zb) - product(&b, &za)).abs() < 1e-12 * scale);
    assert!(product(&a, &za) > 0.0);
}

#[test]
fn columns_have_the_same_bits_alone_together_and_on_any_threads() {
    let grid = square(150);
    let density = mixture(&grid, &THREE);
    let multigrid = Multigrid::new(&grid, &conductance(&grid, &density)).unwrap();
    let b = Divergence::new(&grid, &density, FaceMean::Arithmetic).unwrap();
    let fields = Mat::from_fn(b.ncols(), 6, |i, j| ((i * (j + 1)) as f64 * 0.37).sin());
    let mut z = Mat::zeros(grid.len(), 6);
    b.apply(z.as_mut(), fields.as_ref());
    let on = |threads: usize| {
        let mut x = z.clone();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| multigrid.solve(x.as_mut(), STOP));
        x
    };
    let together = on(1);
    assert_eq!(together, on(3));
    for j in 0..6 {
        let mut alone = Mat::from_fn(grid.len(), 1, |i, _| z[(i, j)]);
        multigrid.solve(alone.as_mut(), STOP);
        assert_eq!(alone.col(0), together.col(j));
    }
}

#[test]
fn what_is_no_number_is_not_solved() {
    let grid = square(70);
    let density = mixture(&grid, &THREE);
    let good = conductance(&grid, &density);
    let solved = |conductance: &[f64], entry: f64| {
        let multigrid = Multigrid::new(&grid, conductance)?;
        let mut column = Mat::from_fn(grid.len(), 1, |i, _| if i == 2000 { entry } else { 0.0 });
        column[(2300, 0)] = -1.0;
        multigrid.solve(column.as_mut(), STOP).pop()
    };
    assert!(solved(&good, 1.0).unwrap().error <= STOP.tolerance);
    for bad in [f64::NAN, f64::INFINITY] {
        let mut conductance = good.clone();
        conductance[2000] = bad;
        // No levels, or a solve that says that it is none; never a panic.
        for found in [solved(&conductance, 1.0), solved(&good, bad)] {
            assert!(found.is_none_or(|found| !(found.error <= STOP.tolerance)), "{bad} {found:?}");
        }
    }
}
