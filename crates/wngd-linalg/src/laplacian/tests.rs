use std::sync::Arc;

use faer::Mat;

use super::*;
use crate::dense;
use crate::divergence::{Divergence, FaceMean, face_densities};
use crate::grid::Grid;
use crate::operator::{LinearOp, apply_transpose_vec};

fn gaussian_pair(grid: &Grid, distance: f64) -> Vec<f64> {
    (0..grid.len())
        .map(|i| {
            let p = grid.center(i);
            let g = |m: f64| (-0.5 * ((p[0] - m).powi(2) + p[1].powi(2))).exp() / (2.0 * std::f64::consts::PI);
            0.4 * g(-distance / 2.0) + 0.6 * g(distance / 2.0)
        })
        .collect()
}

fn factor(grid: &Grid, density: &[f64]) -> WeightedLaplacian {
    let plan = Arc::new(LaplacianPlan::new(grid).unwrap());
    plan.factor(density, &face_densities(grid, density, FaceMean::Arithmetic, 0.0).unwrap()).unwrap()
}

fn iterate(grid: &Grid, density: &[f64]) -> WeightedLaplacian {
    let faces = face_densities(grid, density, FaceMean::Arithmetic, 0.0).unwrap();
    Arc::new(LaplacianPlan::iterative(grid)).factor(density, &faces).unwrap()
}

impl WeightedLaplacian {
    fn direct(&self) -> &FactoredLaplacian {
        self.factored().expect("an eliminated grid")
    }
    fn without_factor(&self) -> &IterativeLaplacian {
        match self {
            Self::Iterative(laplacian) => laplacian,
            Self::Factored(_) => panic!("a grid that was eliminated"),
        }
    }
}

fn columns(grid: &Grid, density: &[f64]) -> Mat<f64> {
    Mat::from_fn(grid.len(), 3, |i, j| {
        let p = grid.center(i);
        density[i] * [p[0], p[1] - 0.3 * p[0], p[0] * p[1]][j]
    })
}

#[test]
fn solution_satisfies_the_projected_equation_and_half_whitening_has_its_gram() {
    let grid = Grid::new(&[-6.0, -5.0], &[6.0, 5.0], &[41, 37]).unwrap();
    let density = gaussian_pair(&grid, 3.0);
    let laplacian = factor(&grid, &density);
    let z = columns(&grid, &density);
    let (y, leak) = laplacian.flux(z.clone()).unwrap();
    let b = Divergence::new(&grid, &density, FaceMean::Arithmetic).unwrap();
    let mut back = Mat::zeros(grid.len(), 3);
    b.apply(back.as_mut(), y.as_ref());
    let total: f64 = density.iter().sum();
    for j in 0..3 {
        let excess = (0..grid.len()).map(|i| z[(i, j)]).sum::<f64>() / total;
        for i in 0..grid.len() {
            assert!((back[(i, j)] - (z[(i, j)] - density[i] * excess)).abs() < 1e-12);
        }
        assert!(leak.relative[j] < 1.0 && leak.between_components[j] == 0.0);
    }
    let (x, _) = laplacian.direct().whiten(z.clone());
    let (gx, gy) = (dense::gram(x.as_ref()), dense::gram(y.as_ref()));
    assert!((&gx - &gy).norm_max() < 1e-12 * gy.norm_max());

    let u: Vec<f64> = (0..grid.len()).map(|i| (grid.center(i)[0] * 0.7).sin() + grid.center(i)[1]).collect();
    let bx = laplacian.direct().whiten_derivative(&u);
    let by = apply_transpose_vec(&b, &u);
    assert!((dense::norm(&bx) - dense::norm(&by)).abs() < 1e-12 * dense::norm(&by));
    for j in 0..3 {
        let (dx, dy) = (dense::dot(&bx, &dense::column(x.as_ref(), j)), dense::dot(&by, &dense::column(y.as_ref(), j)));
        assert!((dx - dy).abs() < 1e-11 * dense::norm(&by));
    }
}

#[test]
fn transposed_whitening_is_the_transpose() {
    let grid = Grid::new(&[-6.0, -5.0], &[6.0, 5.0], &[21, 18]).unwrap();
    let split: Vec<f64> = gaussian_pair(&grid, 6.0)
        .into_iter()
        .enumerate()
        .map(|(i, r)| if (10..12).contains(&(i / 18)) { 0.0 } else { r })
        .collect();
    let wave = |rows: usize, seed: f64| Mat::from_fn(rows, 20, |i, j| (seed * (i + 7 * j) as f64).sin());
    for density in [&gaussian_pair(&grid, 3.0), &split] {
        // Without a factor L ends on the faces, and solves are good to their tolerance.
        let laplacian = iterate(&grid, density);
        let laplacian = laplacian.without_factor();
        let z = wave(grid.len(), 0.7);
        let x = laplacian.whiten(z.clone()).0;
        let xi = wave(x.nrows(), 1.3);
        let h = laplacian.whiten_transpose(xi.clone());
        for j in 0..20 {
            let left = dense::dot(&dense::column(x.as_ref(), j), &dense::column(xi.as_ref(), j));
            let right = dense::dot(&dense::column(z.as_ref(), j), &dense::column(h.as_ref(), j));
            assert!((left - right).abs() < 1e-9 * x.col(j).norm_l2() * xi.col(j).norm_l2(), "{left} {right}");
        }
    }
    for density in [gaussian_pair(&grid, 3.0), split] {
        let laplacian = factor(&grid, &density);
        let laplacian = laplacian.direct();
        let (z, xi) = (wave(grid.len(), 0.7), wave(grid.len(), 1.3));
        let (x, h) = (laplacian.whiten(z.clone()).0, laplacian.whiten_transpose(xi.clone()));
        for j in 0..20 {
            let left = dense::dot(&dense::column(x.as_ref(), j), &dense::column(xi.as_ref(), j));
            let right = dense::dot(&dense::column(z.as_ref(), j), &dense::column(h.as_ref(), j));
            let scale = x.col(j).norm_l2() * xi.col(j).norm_l2();
            assert!((left - right).abs() < 1e-12 * scale, "{left} against {right}");
        }
        // A column on its own has the bits it has in a block.
        let alone = laplacian.whiten_transpose(Mat::from_fn(grid.len(), 1, |i, _| xi[(i, 18)]));
        assert_eq!(alone.col(0), h.col(18));
        let alone = laplacian.whiten(Mat::from_fn(grid.len(), 1, |i, _| z[(i, 18)])).0;
        assert_eq!(alone.col(0), x.col(18));
    }
}

#[test]
fn deep_valleys_switch_to_subtraction_free_elimination_and_say_so() {
    // One row of cells: the flux of a weight tangent across the valley is its
    // cumulative sum, known exactly, and G = Σ flux²/ρ_f.
    for distance in [6.0, 14.0, 18.0] {
        let grid = Grid::new(&[-16.0], &[16.0], &[320]).unwrap();
        let g = |x: f64, m: f64| (-0.5 * (x - m).powi(2)).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let x = grid.centers(0);
        let (a, b) = (-distance / 2.0, distance / 2.0);
        let density: Vec<f64> = x.iter().map(|&x| 0.4 * g(x, a) + 0.6 * g(x, b)).collect();
        let z: Vec<f64> = x.iter().map(|&x| g(x, a) - g(x, b)).collect();
        let laplacian = factor(&grid, &density);
        if distance > 13.0 {
            assert_eq!(laplacian.report().elimination, EliminationKind::SubtractionFree);
        } else {
            assert_eq!(laplacian.report().elimination, EliminationKind::Cholesky);
        }
        let (whitened, _) = laplacian.direct().whiten(Mat::from_fn(320, 1, |i, _| z[i]));
        let found = dense::gram(whitened.as_ref())[(0, 0)];
        let mut expected = 0.0;
        for face in 0..319 {
            // From the nearer end, so that the cumulative sum does not cancel.
            let flux: f64 = if x[face] < 0.0 { z[..=face].iter().sum() } else { -z[face + 1..].iter().sum::<f64>() };
            let flux = flux * grid.spacing()[0];
            expected += flux * flux / (0.5 * (density[face] + density[face + 1]));
        }
        assert!((found / expected - 1.0).abs() < 1e-9, "distance {distance}: {found:e} against {expected:e}");
        assert!(laplacian.report().constant_error < 1e-10);
    }
}

#[test]
fn both_eliminations_agree_in_two_dimensions() {
    let grid = Grid::new(&[-8.0, -5.0], &[8.0, 5.0], &[40, 25]).unwrap();
    let density = gaussian_pair(&grid, 5.0);
    let plan = Arc::new(LaplacianPlan::new(&grid).unwrap());
    let faces = face_densities(&grid, &density, FaceMean::Arithmetic, 0.0).unwrap();
    let laplacian = plan.factor(&density, &faces).unwrap();
    assert_eq!(laplacian.report().elimination, EliminationKind::Cholesky);
    let WeightedLaplacian::Factored(again) = plan.factor(&density, &faces).unwrap() else { panic!("no elimination") };
    let kept: Vec<bool> = again.grounded.scale.iter().map(|&s| s > 0.0).collect();
    let symbolic = &plan.analysis().unwrap().unwrap().symbolic;
    let other = FactoredLaplacian::without_subtraction(again.grounded, symbolic, &plan.conductances(&faces), &kept);
    let other = WeightedLaplacian::Factored(Box::new(other));
    assert_eq!(other.report().elimination, EliminationKind::SubtractionFree);
    let z = columns(&grid, &density);
    let (a, b) = (laplacian.direct().whiten(z.clone()).0, other.direct().whiten(z.clone()).0);
    let (ga, gb) = (dense::gram(a.as_ref()), dense::gram(b.as_ref()));
    assert!((&ga - &gb).norm_max() < 1e-11 * ga.norm_max());
    let u: Vec<f64> = (0..grid.len()).map(|i| (grid.center(i)[0]).cos()).collect();
    let [na, nb] = [&laplacian, &other].map(|l| dense::norm(&l.direct().whiten_derivative(&u)));
    assert!((na - nb).abs() < 1e-12 * na);
    let (fa, fb) = (laplacian.flux(z.clone()).unwrap().0, other.flux(z).unwrap().0);
    assert!((&fa - &fb).norm_max() < 1e-9 * fa.norm_max());
}

/// Two ridges, with a range of 1e-12, and optionally empty cells that cut the box.
fn ridges(grid: &Grid, cut: bool) -> Vec<f64> {
    let value = |i: usize| {
        let [x, y, z] = grid.center(i);
        let bump = |a: f64| (-2.0 * (x - a).powi(2) - 0.5 * (y - a * z).powi(2) - 0.3 * z * z).exp();
        if cut && (x.abs() < 0.2 || z > 2.2) { 0.0 } else { bump(-1.2) + 0.5 * bump(1.1) }
    };
    (0..grid.len()).map(value).collect()
}

#[test]
fn krylov_solves_agree_with_cholesky() {
    for (n, cut) in [(16, false), (16, true), (24, false)] {
        let grid = Grid::new(&[-3.0; 3], &[3.0; 3], &[n, n, n]).unwrap();
        let density = ridges(&grid, cut);
        let (direct, iterative) = (factor(&grid, &density), iterate(&grid, &density));
        assert_eq!(direct.report().elimination, EliminationKind::Cholesky);
        assert_eq!(iterative.report().elimination, EliminationKind::Krylov);
        assert_eq!(iterative.report().components, direct.report().components);
        let z = Mat::from_fn(grid.len(), 3, |i, j| {
            let [x, y, z] = grid.center(i);
            density[i] * [x, y - 0.3 * x, x * z][j]
        });
        let ((x, _), (y, leak)) = (direct.direct().whiten(z.clone()), iterative.without_factor().whiten(z.clone()));
        let (gx, gy) = (dense::gram(x.as_ref()), dense::gram(y.as_ref()));
        assert!((&gx - &gy).norm_max() < 1e-9 * gx.norm_max(), "{n} {cut} {:?}", iterative.report());
        assert!(leak.relative.iter().all(|l| l.is_finite()));
        let stats = iterative.report().krylov.unwrap();
        assert!(stats.missed == 0 && stats.iterations < 60, "{stats:?}");
        let u: Vec<f64> = (0..grid.len()).map(|i| grid.center(i)[0].sin() + grid.center(i)[2]).collect();
        let a = direct.direct().whiten_derivative(&u);
        let b = iterative.without_factor().whiten_derivative(&u);
        for j in 0..3 {
            let (a, b) = (dense::dot(&a, &dense::column(x.as_ref(), j)), dense::dot(&b, &dense::column(y.as_ref(), j)));
            assert!((a - b).abs() < 1e-9 * gx.norm_max().sqrt() * dense::norm(&u), "{a} against {b}");
        }
        let flux = iterative.flux(z).unwrap().0;
        assert_eq!(flux, y);
    }
}

#[test]
fn split_support_reports_mass_that_cannot_move() {
    let grid = Grid::new(&[0.0], &[6.0], &[6]).unwrap();
    let density = [1.0, 1.0, 0.0, 0.0, 2.0, 2.0];
    let laplacian = factor(&grid, &density);
    assert_eq!((laplacian.report().components, laplacian.report().inactive_cells), (2, 2));
    let z = Mat::from_fn(6, 1, |i, _| [1.0, 0.0, 0.0, 0.0, 0.0, -1.0][i]);
    let (x, leak) = laplacian.direct().whiten(z);
    assert_eq!(leak.between_components[0], 1.0);
    assert!(x.norm_max().is_finite());
}

#[test]
fn one_cell_has_nothing_to_transport() {
    let grid = Grid::new(&[0.0, 0.0], &[1.0, 1.0], &[1, 1]).unwrap();
    let laplacian = factor(&grid, &[1.0]);
    let (x, _) = laplacian.direct().whiten(Mat::from_fn(1, 2, |_, j| j as f64 + 1.0));
    assert_eq!(x.norm_max(), 0.0);
}

#[test]
fn valley_depth_sees_the_saddle() {
    let grid = Grid::new(&[-8.0, -5.0], &[8.0, 5.0], &[80, 51]).unwrap();
    assert_eq!(valley_depth(&grid, &gaussian_pair(&grid, 0.0), 0.01), 1.0);
    let deep = valley_depth(&grid, &gaussian_pair(&grid, 8.0), 0.01);
    // Saddle: 2·exp(-16/2)·…/peak of the lower mode, within the grid's resolution.
    assert!(deep > 1e-4 && deep < 2e-3, "{deep}");
}

/// Normal modes on a line: their density, and per mode its own density and that times the distance from its middle.
fn modes(grid: &Grid, means: &[f64], weights: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let x = grid.centers(0);
    let own = |m: f64| x.iter().map(move |x| (-0.5 * (x - m).powi(2)).exp() / (2.0 * std::f64::consts::PI).sqrt());
    let own: Vec<Vec<f64>> = means.iter().map(|&m| own(m).collect()).collect();
    let density = (0..x.len()).map(|i| own.iter().zip(weights).map(|(g, w)| w * g[i]).sum()).collect();
    let moved = own.iter().zip(means).map(|(g, m)| g.iter().zip(&x).map(|(g, x)| g * (x - m)).collect()).collect();
    (density, own, moved)
}

#[test]
fn mass_jumps_across_voids_while_the_rest_stays_in_its_basin() {
    // On a line the flux of a tangent is its cumulative sum, taken from that side on which it does not cancel.
    for (means, weights) in [
        (vec![-9.3, 9.0], vec![0.3, 0.7]),
        (vec![-17.0, 17.0], vec![0.3, 0.7]),
        (vec![-17.13, 16.8], vec![0.999, 0.001]),
        (vec![-30.0, -10.0, 22.0], vec![0.2, 0.1, 0.7]),
        (vec![-30.0, -8.0, 22.0], vec![0.5, 1e-12, 0.5]),
    ] {
        let grid = Grid::new(&[-40.0], &[40.0], &[400]).unwrap();
        let h = grid.spacing()[0];
        let (density, own, moved) = modes(&grid, &means, &weights);
        let k = means.len();
        let last = k - 1;
        let z = Mat::from_fn(400, 2 * k - 1, |i, j| match j {
            j if j < k => weights[j] * moved[j][i],
            j => own[j - k][i] - own[last][i],
        });
        let laplacian = factor(&grid, &density);
        assert_eq!(laplacian.report().voids, last, "{means:?}");
        assert_eq!(laplacian.report().components, 1);
        let (x, leak) = laplacian.direct().whiten(z.clone());
        let found = dense::gram(x.as_ref());
        let flow = |values: &[f64], face: usize, middle: f64| {
            let right: f64 = -values[face + 1..].iter().sum::<f64>();
            if grid.centers(0)[face] < middle { values[..=face].iter().sum() } else { right }
        };
        let flux = |j: usize, face: usize| {
            let value = match j {
                j if j < k => weights[j] * flow(&moved[j], face, means[j]),
                // Between the modes one unit is under way.
                j => {
                    let x = grid.centers(0)[face];
                    let below = |m: usize| {
                        if x < means[m] {
                            own[m][..=face].iter().sum()
                        } else {
                            1.0 / h - own[m][face + 1..].iter().sum::<f64>()
                        }
                    };
                    below(j - k) - below(last)
                }
            };
            h * value / (0.5 * (density[face] + density[face + 1])).sqrt()
        };
        let expected =
            Mat::from_fn(2 * k - 1, 2 * k - 1, |a, b| (0..399).map(|f| flux(a, f) * flux(b, f)).sum::<f64>());
        for a in 0..2 * k - 1 {
            assert_eq!(leak.between_components[a], 0.0);
            for b in 0..2 * k - 1 {
                let size = (expected[(a, a)] * expected[(b, b)]).sqrt();
                let error = (found[(a, b)] - expected[(a, b)]).abs() / size;
                assert!(error < 1e-12, "{means:?} ({a}, {b}): {:e} for {:e}", found[(a, b)], expected[(a, b)]);
            }
        }
        // b is u in the rows of X, and probes of X are probes of Z.
        let u: Vec<f64> = grid.centers(0).iter().map(|x| (0.1 * x).sin() + 0.02 * x).collect();
        let (b, projected) = (laplacian.direct().whiten_derivative(&u), laplacian.project_derivative(&u));
        let xi = Mat::from_fn(400, 1, |i, _| (1.3 * i as f64).sin());
        let back = laplacian.direct().whiten_transpose(xi.clone());
        for j in 0..2 * k - 1 {
            let (x, z) = (x.col_as_slice(j), z.col_as_slice(j));
            let (slope, exact) = (dense::dot(&b, x), dense::dot(&projected, z));
            let scale: f64 = z.iter().zip(&u).map(|(z, u)| (z * u).abs()).sum();
            assert!((slope - exact).abs() < 1e-9 * scale, "{means:?} {j}: {slope:e} for {exact:e}");
            let (left, right) = (dense::dot(xi.col_as_slice(0), x), dense::dot(back.col_as_slice(0), z));
            // A probe feels the rounding of the mass of a basin, which whitening sets to nothing.
            let mass: f64 = z.iter().map(|z| z.abs()).sum();
            let scale = 1e-9 * dense::norm(x) * xi.norm_l2() + 1e-14 * mass * back.norm_max();
            assert!((left - right).abs() < scale, "{means:?} {j}: {left:e} for {right:e}");
        }
    }
}

#[test]
fn jumps_through_many_faces_of_a_void_are_those_of_one_line() {
    // A product of a density on a line and one across it: tangents along the line have its flux, times the other.
    let line = Grid::new(&[-30.0], &[30.0], &[180]).unwrap();
    let grid = Grid::new(&[-30.0, -3.0], &[30.0, 3.0], &[180, 15]).unwrap();
    let (means, weights) = ([-20.0, 1.0, 21.0], [0.2, 0.5, 0.3]);
    let (density, own, moved) = modes(&line, &means, &weights);
    let profile = |j: usize| (-0.5 * grid.centers(1)[j].powi(2)).exp();
    let z = |i: usize, j: usize| if j < 3 { moved[j][i] } else { own[j - 3][i] - own[2][i] };
    let spread: Vec<f64> = (0..grid.len()).map(|i| density[i / 15] * profile(i % 15)).collect();
    let (one, many) = (factor(&line, &density), factor(&grid, &spread));
    assert_eq!((one.report().voids, many.report().voids), (2, 2));
    let one = dense::gram(one.direct().whiten(Mat::from_fn(180, 5, z)).0.as_ref());
    let laplacian = many.direct();
    let many =
        dense::gram(laplacian.whiten(Mat::from_fn(grid.len(), 5, |i, j| z(i / 15, j) * profile(i % 15))).0.as_ref());
    let mass: f64 = (0..15).map(profile).sum();
    for a in 0..5 {
        for b in 0..5 {
            let error = many[(a, b)] / mass - one[(a, b)];
            assert!(error.abs() < 1e-11 * (one[(a, a)] * one[(b, b)]).sqrt(), "({a}, {b}): {error:e}");
        }
    }
    // Potentials across the void: their differences are the fluxes.
    let jump = Mat::from_fn(grid.len(), 1, |i, _| z(i / 15, 4) * profile(i % 15));
    let (phi, _) = laplacian.solve(jump.clone());
    let energy = dense::dot(phi.col_as_slice(0), jump.col_as_slice(0));
    assert!((energy / many[(4, 4)] - 1.0).abs() < 1e-9, "{energy:e} for {:e}", many[(4, 4)]);
}

#[test]
fn few_columns_on_a_large_plane_are_solved_by_multigrid() {
    let grid = Grid::new(&[-6.0, -5.0], &[6.0, 5.0], &[520, 430]).unwrap();
    let density = gaussian_pair(&grid, 3.0);
    let plan = Arc::new(LaplacianPlan::new(&grid).unwrap());
    let faces = face_densities(&grid, &density, FaceMean::Arithmetic, 0.0).unwrap();
    let (few, many) = (plan.factor_for(&density, &faces, 1).unwrap(), plan.factor(&density, &faces).unwrap());
    assert_eq!(
        (few.report().elimination, few.report().choice),
        (EliminationKind::Multigrid, EliminationChoice::Columns)
    );
    assert_eq!(
        (many.report().elimination, many.report().choice),
        (EliminationKind::Cholesky, EliminationChoice::Columns)
    );
    let (by_levels, by_factor) = (few.without_factor(), many.direct());
    let z = columns(&grid, &density);
    let ((y, leak), (x, same)) = (by_levels.whiten(z.clone()), by_factor.whiten(z.clone()));
    assert_eq!(leak, same);
    let stats = few.report().krylov.unwrap();
    assert!(stats.missed == 0 && stats.iterations < 20 && stats.solves == 3, "{stats:?}");
    let (gy, gx) = (dense::gram(y.as_ref()), dense::gram(x.as_ref()));
    assert!((&gy - &gx).norm_max() < 1e-11 * gx.norm_max(), "{:e}", (&gy - &gx).norm_max() / gx.norm_max());
    let u: Vec<f64> = (0..grid.len()).map(|i| grid.center(i)[0].sin() + grid.center(i)[1]).collect();
    let (by, bx) = (by_levels.whiten_derivative(&u), by_factor.whiten_derivative(&u));
    for j in 0..3 {
        let slope = |b: &[f64], y: &Mat<f64>| dense::dot(b, y.col_as_slice(j));
        assert!((slope(&by, &y) - slope(&bx, &x)).abs() < 1e-10 * dense::norm(&by) * y.col(j).norm_l2());
    }
    // Potentials are 0 at the densest cell, whatever solves.
    let (fy, fx) = (few.solve(z.clone()).0, many.solve(z.clone()).0);
    assert!((0..3).all(|j| (0..grid.len()).any(|i| fy[(i, j)] == 0.0 && fx[(i, j)] == 0.0)));
    // Probes of Y are probes of Z.
    let xi = Mat::from_fn(y.nrows(), 2, |i, j| ((i * (j + 2)) as f64 * 0.7).sin());
    let h = by_levels.whiten_transpose(xi.clone());
    for j in 0..2 {
        let (left, right) =
            (dense::dot(y.col_as_slice(j), xi.col_as_slice(j)), dense::dot(z.col_as_slice(j), h.col_as_slice(j)));
        assert!((left - right).abs() < 1e-10 * y.col(j).norm_l2() * xi.col(j).norm_l2(), "{left} {right}");
    }
}

#[test]
fn a_valley_that_stops_multigrid_is_eliminated_and_said() {
    let grid = Grid::new(&[-14.0, -5.0], &[14.0, 5.0], &[700, 300]).unwrap();
    let plan = Arc::new(LaplacianPlan::new(&grid).unwrap());
    for (distance, kind, choice) in [
        (0.0, EliminationKind::Multigrid, EliminationChoice::Columns),
        (5.0, EliminationKind::Multigrid, EliminationChoice::Columns),
        (7.0, EliminationKind::Multigrid, EliminationChoice::Columns),
        (16.0, EliminationKind::SubtractionFree, EliminationChoice::Valley),
    ] {
        let density = gaussian_pair(&grid, distance);
        let faces = face_densities(&grid, &density, FaceMean::Arithmetic, 0.0).unwrap();
        let laplacian = plan.factor_for(&density, &faces, 1).unwrap();
        let report = laplacian.report();
        assert_eq!((report.elimination, report.choice), (kind, choice), "{report:?}");
        if let WeightedLaplacian::Iterative(laplacian) = &laplacian {
            laplacian.whiten(columns(&grid, &density));
            assert_eq!(laplacian.report().krylov.unwrap().missed, 0, "{distance}");
        }
        // Without elimination there is nothing to fall back on.
        let only = Arc::new(LaplacianPlan::iterative(&grid)).factor(&density, &faces);
        assert_eq!(only.is_ok(), choice == EliminationChoice::Columns);
        assert!(only.err().is_none_or(|e| e.to_string().contains("multigrid")));
    }
}

#[test]
fn rows_that_are_not_kept_add_up_to_the_gram_matrix_of_whitened_columns() {
    // Halves and a plane; a whole; two components with closed cells between them; wide supernodes of three axes.
    let cases: [(&[usize], bool, usize); 4] =
        [(&[95, 83], false, 37), (&[41, 37], false, 5), (&[70, 66], true, 21), (&[17, 16, 18], false, 20)];
    for (cells, closed, p) in cases {
        let grid = Grid::new(&[-6.0, -5.0, -4.0][..cells.len()], &[6.0, 5.0, 4.0][..cells.len()], cells).unwrap();
        let middle = grid.len() / 2;
        let density: Vec<f64> = gaussian_pair(&grid, 3.0)
            .into_iter()
            .enumerate()
            .map(|(i, rho)| if closed && i.abs_diff(middle) < 140 { 0.0 } else { rho })
            .collect();
        let laplacian = factor(&grid, &density);
        let laplacian = laplacian.direct();
        let z = Mat::from_fn(grid.len(), p, |i, j| density[i] * ((0.37 * (i * (j + 3)) as f64).sin() + 0.2));
        let u: Vec<f64> = (0..grid.len()).map(|i| (grid.center(i)[0] * 0.7).sin() + grid.center(i)[1]).collect();
        let b = laplacian.whiten_derivative(&u);
        let (sums, found) = laplacian.whitened_sums(&z, p, &b).unwrap();
        let (x, leak) = laplacian.whiten(z);
        let gram = dense::gram(x.as_ref());
        let off = (&sums.gram - &gram).norm_max() / gram.norm_max();
        assert!(off < 1e-12, "{cells:?} {off:e}");
        for j in 0..p {
            let column = dense::column(x.as_ref(), j);
            let size: f64 = column.iter().zip(&b).map(|(x, b)| (x * b).abs()).sum();
            assert!((sums.size[j] - size).abs() < 1e-11 * size, "{cells:?}");
            assert!((sums.product[j] - dense::dot(&column, &b)).abs() < 1e-11 * size, "{cells:?}");
            assert!((found.relative[j] - leak.relative[j]).abs() < 1e-14, "{cells:?}");
            assert!((found.between_components[j] - leak.between_components[j]).abs() < 1e-13, "{cells:?}");
        }
    }
}

#[test]
fn tasks_that_share_a_plan_do_not_wait_for_each_other() {
    use rayon::prelude::*;
    // Few columns on so many cells need no analysis until one is asked for, and its halves are ordered in parallel.
    let grid = Grid::new(&[0.0, 0.0], &[1.0, 1.0], &[460, 460]).unwrap();
    let plan = LaplacianPlan::new(&grid).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let found = pool.install(|| (0..12).into_par_iter().filter(|_| plan.analysis().unwrap().is_some()).count());
    assert_eq!(found, 12);
}
