//! Laws of the operators on random grids and densities, hostile ones among them: cells that are empty,
//! denormal or at 1e-300, supports in pieces, grids of one cell.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/common/cases.rs"]
mod cases;

use std::sync::Arc;

use cases::config;
use proptest::prelude::*;
use wngd_linalg::dense::{self, column, dot, norm};
use wngd_linalg::faer::Mat;
use wngd_linalg::lstsq::scaled_optimality;
use wngd_linalg::operator::{apply_transpose_vec, apply_vec, solve};
use wngd_linalg::{
    ACTIVE_DENSITY, BiCgStab, Divergence, DominantLu, FaceMean, Factorization, Grid, KrylovOptions, LaplacianPlan,
    LeastSquares, LinalgError, Lsmr, LuOrdering, NeumannLaplacian, NormalEquations, Ordering, PivotedQr, SparseLu,
    SparseMatrix, Svd, WeightedLaplacian, check_density, face_densities,
};

const MEANS: [FaceMean; 4] = [FaceMean::Arithmetic, FaceMean::Geometric, FaceMean::Logarithmic, FaceMean::Harmonic];

/// Grids of one to three axes, an axis of one cell being as likely as any.
fn grids() -> impl Strategy<Value = Grid> {
    (1usize..=3)
        .prop_flat_map(|dim| {
            let most = [40usize, 9, 5][dim - 1];
            prop::collection::vec((1..=most, -3.0..3.0f64, -1.0..1.0f64), dim)
        })
        .prop_map(|axes| {
            let lower: Vec<f64> = axes.iter().map(|a| a.1).collect();
            let upper: Vec<f64> = axes.iter().map(|a| a.1 + a.0 as f64 * 10f64.powf(a.2)).collect();
            let cells: Vec<usize> = axes.iter().map(|a| a.0).collect();
            Grid::new(&lower, &upper, &cells).unwrap()
        })
}

/// A cell that any program has met, over six decades, and in pieces.
fn tame() -> BoxedStrategy<f64> {
    prop_oneof![1 => Just(0.0), 5 => (-12.0..2.0f64).prop_map(f64::exp)].boxed()
}

/// A cell that few programs have met.
fn hostile() -> BoxedStrategy<f64> {
    prop_oneof![
        Just(0.0),
        Just(5e-324),
        Just(1e-310),
        Just(1e-300),
        Just(ACTIVE_DENSITY),
        Just(2e-290),
        (-600.0..3.0f64).prop_map(f64::exp),
        (-2.0..2.0f64).prop_map(f64::exp),
    ]
    .boxed()
}

/// A grid, a density that holds mass, and numbers in [-1, 1] to make vectors of.
fn problems(cell: BoxedStrategy<f64>) -> impl Strategy<Value = (Grid, Vec<f64>, Vec<f64>)> {
    grids().prop_flat_map(move |grid| {
        let k = grid.len();
        let numbers = prop::collection::vec(-1.0..1.0f64, 8 * k.max(8));
        (Just(grid), prop::collection::vec(cell.clone(), k), numbers)
    })
}

/// The support's components: cells joined by open faces.
fn components(grid: &Grid, faces: &[f64]) -> Vec<usize> {
    fn root(of: &mut [usize], mut i: usize) -> usize {
        while of[i] != i {
            of[i] = of[of[i]];
            i = of[i];
        }
        i
    }
    let mut of: Vec<usize> = (0..grid.len()).collect();
    for block in grid.face_blocks() {
        block.for_each(|face, left, right| {
            if faces[face] > 0.0 {
                let (a, b) = (root(&mut of, left), root(&mut of, right));
                of[a] = b;
            }
        });
    }
    (0..grid.len()).map(|i| root(&mut of, i)).collect()
}

/// z less the share of the density that balances it, component by component; 0 where nothing can move.
fn balanced(grid: &Grid, density: &[f64], faces: &[f64], z: &[f64]) -> Vec<f64> {
    let label = components(grid, faces);
    let (mut excess, mut mass) = (vec![0.0; grid.len()], vec![0.0; grid.len()]);
    let mut count = vec![0; grid.len()];
    for (i, &l) in label.iter().enumerate() {
        excess[l] += z[i];
        mass[l] += density[i];
        count[l] += 1;
    }
    (0..grid.len())
        .map(|i| if count[label[i]] < 2 { 0.0 } else { z[i] - density[i] * (excess[label[i]] / mass[label[i]]) })
        .collect()
}

/// The factored Laplacian and its face densities; `None` for a density that holds no mass, which is refused.
fn factored(grid: &Grid, density: &[f64], mean: FaceMean) -> Option<(WeightedLaplacian, Vec<f64>)> {
    let faces = match face_densities(grid, density, mean, 0.0) {
        Err(LinalgError::EmptyDensity { .. }) => {
            assert!(density.iter().all(|r| *r <= ACTIVE_DENSITY));
            return None;
        }
        other => other.unwrap(),
    };
    let plan = Arc::new(LaplacianPlan::new(grid).unwrap());
    Some((plan.factor(density, &faces).unwrap(), faces))
}

/// The largest residual of BBᵀφ = z, in units of what rounding leaves of the matrix scaled to unit diagonal.
fn largest_miss(grid: &Grid, faces: &[f64], laplacian: &WeightedLaplacian, z: &[f64], wanted: &[f64]) -> f64 {
    let phi = column(laplacian.solve(matrix_of(z)).0.as_ref(), 0);
    let (mut degree, mut back) = (vec![0.0; grid.len()], vec![0.0; grid.len()]);
    for block in grid.face_blocks() {
        let h2 = grid.spacing()[block.axis].powi(2);
        block.for_each(|face, left, right| {
            let conductance = faces[face] / h2;
            let flow = conductance * (phi[right] - phi[left]);
            degree[left] += conductance;
            degree[right] += conductance;
            back[left] -= flow;
            back[right] += flow;
        });
    }
    let scale: f64 = degree.iter().zip(&phi).map(|(d, p)| d.sqrt() * p.abs()).sum();
    (0..grid.len())
        .map(|i| {
            (back[i] - wanted[i]).abs() / (f64::EPSILON * (degree[i].sqrt() * scale + largest(z)) + f64::MIN_POSITIVE)
        })
        .fold(0.0, f64::max)
}

fn matrix_of(column: &[f64]) -> Mat<f64> {
    Mat::from_fn(column.len(), 1, |i, _| column[i])
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |m, v| v.abs().max(m))
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn the_divergence_conserves_mass_and_has_a_transpose(
        (grid, density, numbers) in problems(hostile()), mean in 0usize..4
    ) {
        let Ok(b) = Divergence::new(&grid, &density, MEANS[mean]) else {
            prop_assert!(check_density(&grid, &density).is_err());
            return Ok(());
        };
        let faces = face_densities(&grid, &density, MEANS[mean], 0.0).unwrap();
        prop_assert!(faces.iter().all(|f| *f >= 0.0 && *f <= largest(&density)));
        let (x, y) = (&numbers[..faces.len()], &numbers[numbers.len() - grid.len()..]);
        let (bx, bty) = (apply_vec(&b, x), apply_transpose_vec(&b, y));
        // Rounding is relative to the fluxes, not to what is left of them in a cell.
        let mut scale = 0.0;
        for block in grid.face_blocks() {
            let h = grid.spacing()[block.axis];
            block.for_each(|f, left, right| scale += faces[f].sqrt() * x[f].abs() / h * (y[left].abs() + y[right].abs()));
        }
        prop_assert!((dot(&bx, y) - dot(x, &bty)).abs() <= 1e-14 * scale);
        let moved: f64 = bx.iter().map(|v| v.abs()).sum();
        prop_assert!(dense::sum(bx.iter().copied()).abs() <= 1e-14 * moved);
        prop_assert!(apply_transpose_vec(&b, &vec![3.7; grid.len()]).iter().all(|v| *v == 0.0));
    }

    #[test]
    fn the_laplacian_is_solved_on_what_can_move((grid, density, numbers) in problems(tame()), mean in 0usize..4) {
        let Some((laplacian, faces)) = factored(&grid, &density, MEANS[mean]) else { return Ok(()) };
        let whitener = laplacian.factored().expect("small grids are eliminated");
        let z: Vec<f64> = density.iter().zip(&numbers).map(|(r, g)| r * g).collect();
        let y = column(laplacian.flux(matrix_of(&z)).unwrap().0.as_ref(), 0);
        let b = Divergence::from_faces(&grid, &faces).unwrap();
        let wanted = balanced(&grid, &density, &faces, &z);
        let missed = largest_miss(&grid, &faces, &laplacian, &z, &wanted);
        prop_assert!(missed < 1e4, "{missed} roundings");
        // The half-whitened column has the same length, and the whitened derivative pairs with both.
        let (x, leak) = whitener.whiten(matrix_of(&z));
        let x = column(x.as_ref(), 0);
        prop_assert!((norm(&x) - norm(&y)).abs() <= 1e-9 * norm(&y));
        prop_assert!(leak.relative[0] >= 0.0 && leak.relative[0] <= 1.0 + 1e-12);
        let u = &numbers[grid.len()..2 * grid.len()];
        let (wx, wy) = (whitener.whiten_derivative(u), apply_transpose_vec(&b, u));
        prop_assert!((norm(&wx) - norm(&wy)).abs() <= 1e-9 * norm(&wy));
        prop_assert!((dot(&wx, &x) - dot(u, &wanted)).abs() <= 1e-9 * (norm(&wx) * norm(&x) + norm(u) * norm(&z)));
        // Whitening and its transpose.
        let xi = &numbers[2 * grid.len()..3 * grid.len()];
        let h = column(whitener.whiten_transpose(matrix_of(xi)).as_ref(), 0);
        let gap = (dot(&x, xi) - dot(&z, &h)).abs();
        prop_assert!(gap <= 1e-9 * (norm(&x) * norm(xi) + norm(&z) * norm(&h)));
    }

    #[test]
    fn the_pseudo_inverse_is_one((grid, density, numbers) in problems(tame())) {
        let Some((laplacian, faces)) = factored(&grid, &density, FaceMean::Arithmetic) else { return Ok(()) };
        let b = Divergence::from_faces(&grid, &faces).unwrap();
        // P = B†B: symmetric, idempotent, and BP = B.
        let project = |w: &[f64]| column(laplacian.flux(matrix_of(&apply_vec(&b, w))).unwrap().0.as_ref(), 0);
        let q = faces.len();
        let (v, w) = (&numbers[..q], &numbers[numbers.len() - q..]);
        let (pv, pw) = (project(v), project(w));
        let slack = 1e-8 * norm(v) * norm(w);
        prop_assert!((dot(v, &pw) - dot(&pv, w)).abs() <= slack);
        prop_assert!((dot(&pv, w) - dot(&pv, &pw)).abs() <= slack);
        let (bv, bpv) = (apply_vec(&b, v), apply_vec(&b, &pv));
        let gap: Vec<f64> = bv.iter().zip(&bpv).map(|(a, b)| a - b).collect();
        prop_assert!(largest(&gap) <= 1e-9 * largest(&bv).max(f64::MIN_POSITIVE));
        prop_assert!(norm(&pv) <= norm(v) * (1.0 + 1e-8));
    }

    #[test]
    fn hostile_densities_have_finite_tangents_that_solve_the_equation(
        (grid, density, numbers) in problems(hostile()), mean in 0usize..4
    ) {
        let Some((laplacian, faces)) = factored(&grid, &density, MEANS[mean]) else { return Ok(()) };
        let whitener = laplacian.factored().expect("small grids are eliminated");
        let z: Vec<f64> = density.iter().zip(&numbers).map(|(r, g)| r * g).collect();
        let (y, leak) = laplacian.flux(matrix_of(&z)).unwrap();
        let y = column(y.as_ref(), 0);
        let x = column(whitener.whiten(matrix_of(&z)).0.as_ref(), 0);
        prop_assert!(x.iter().chain(&y).chain(&leak.relative).chain(&leak.between_components).all(|v| v.is_finite()));
        let wanted = balanced(&grid, &density, &faces, &z);
        let missed = largest_miss(&grid, &faces, &laplacian, &z, &wanted);
        prop_assert!(missed < 1e4, "{missed} roundings");
        let h = whitener.whiten_transpose(matrix_of(&numbers[..grid.len()]));
        prop_assert!(column(h.as_ref(), 0).iter().all(|v| v.is_finite()));
        let derivative = whitener.whiten_derivative(&numbers[grid.len()..2 * grid.len()]);
        prop_assert!(derivative.iter().all(|v| v.is_finite()));
        let report = laplacian.report();
        prop_assert!(report.components + report.inactive_cells <= grid.len());
    }

    #[test]
    fn on_a_line_the_length_of_a_tangent_is_that_of_its_flux(
        density in prop::collection::vec(prop_oneof![2 => (-60.0..2.0f64).prop_map(f64::exp), 1 => (-2.0..2.0f64).prop_map(f64::exp)], 2..50),
        numbers in prop::collection::vec(-1.0..1.0f64, 50),
    ) {
        // Σ flux²/ρ_f; the flux of the balanced tangent is (Z_left M_right − Z_right M_left)/M.
        let n = density.len();
        let grid = Grid::new(&[0.0], &[n as f64], &[n]).unwrap();
        let Some((laplacian, faces)) = factored(&grid, &density, FaceMean::Arithmetic) else { return Ok(()) };
        let whitener = laplacian.factored().expect("small grids are eliminated");
        let z: Vec<f64> = density.iter().zip(&numbers).map(|(r, g)| r * g).collect();
        let total = |part: &[f64]| part.iter().sum::<f64>();
        let size = |part: &[f64]| part.iter().map(|v| v.abs()).sum::<f64>();
        let (mut exact, mut slack) = (0.0, 0.0);
        for face in 0..n - 1 {
            let ((z, rest), (rho, others)) = (z.split_at(face + 1), density.split_at(face + 1));
            let (here, there) = (total(rho) / total(&density), total(others) / total(&density));
            let flux = total(z) * there - total(rest) * here;
            let rounding = 1e-14 * (size(z) * there + size(rest) * here);
            exact += flux * flux / faces[face];
            slack += (2.0 * flux.abs() + rounding) * rounding / faces[face];
        }
        let found = norm(&column(whitener.whiten(matrix_of(&z)).0.as_ref(), 0)).powi(2);
        prop_assert!((found - exact).abs() <= 1e-9 * exact + slack, "{found:e} for {exact:e}");
    }

    #[test]
    fn cosine_transforms_diagonalise_the_plain_laplacian((grid, _, numbers) in problems(tame())) {
        let laplacian = NeumannLaplacian::new(&grid);
        let v = &numbers[..grid.len()];
        let (mut same, mut image) = (v.to_vec(), v.to_vec());
        laplacian.apply(&mut same, |_| 1.0);
        laplacian.apply(&mut image, |lambda| lambda);
        let b = Divergence::from_faces(&grid, &vec![1.0; grid.face_count()]).unwrap();
        let exact = apply_vec(&b, &apply_transpose_vec(&b, v));
        let stiff: f64 = grid.spacing().iter().map(|h| 4.0 / (h * h)).sum();
        for i in 0..grid.len() {
            prop_assert!((same[i] - v[i]).abs() <= 1e-13);
            prop_assert!((image[i] - exact[i]).abs() <= 1e-12 * stiff);
        }
    }

    #[test]
    fn cells_are_where_the_grid_says(grid in grids()) {
        for i in 0..grid.len() {
            prop_assert_eq!(grid.locate(&grid.center(i)), Some(i));
        }
        let cubes = grid.cubes();
        prop_assert!(cubes.len() == grid.len() && cubes.iter().all(|c| *c < grid.len()));
        prop_assert_eq!(grid.face_midpoints().len(), grid.face_count());
    }

    #[test]
    fn grids_of_any_size_are_made_or_refused(
        bounds in prop::collection::vec((any::<f64>(), any::<f64>()), 0..5),
        cells in prop::collection::vec(prop_oneof![any::<usize>(), 0usize..9], 0..5),
    ) {
        let (lower, upper): (Vec<f64>, Vec<f64>) = bounds.into_iter().unzip();
        match Grid::new(&lower, &upper, &cells) {
            Err(error) => prop_assert!(!error.to_string().is_empty()),
            Ok(grid) => {
                prop_assert!(grid.cell_volume().is_normal() && (1.0 / grid.cell_volume()).is_normal());
                prop_assert_eq!(Some(grid.len()), cells.iter().try_fold(1usize, |t, n| t.checked_mul(*n)));
            }
        }
    }
}

/// The solvers, and whether they decide ranks.
fn solvers() -> [(&'static str, Box<dyn LeastSquares>); 4] {
    [
        ("qr", Box::new(PivotedQr::default())),
        ("svd", Box::new(Svd::default())),
        ("lsmr", Box::new(Lsmr::default())),
        ("normal", Box::new(NormalEquations::default())),
    ]
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn least_squares_are_optimal_with_minimum_norm(
        m in 1usize..60, p in 1usize..10, entries in prop::collection::vec(-1.0..1.0f64, 700),
        twin in any::<bool>(), damped in any::<bool>(),
    ) {
        // The last column may repeat the first one; then the rank is one less.
        let twins = twin && p > 1;
        let a = Mat::from_fn(m, p, |i, j| {
            let j = if twins && j == p - 1 { 0 } else { j };
            entries[i * 10 + j] + if i == j { 2.0 } else { 0.0 }
        });
        let b = &entries[600..600 + m];
        let damping: Option<Vec<f64>> = damped.then(|| (0..p).map(|j| 0.1 + 0.1 * j as f64).collect());
        let reference = Svd::default().solve(&a, b, damping.as_deref()).unwrap();
        for (name, solver) in solvers() {
            let s = solver.solve(&a, b, damping.as_deref()).unwrap();
            let limit = if name == "lsmr" { 1e5 } else { 100.0 };
            // Normal equations lose the square of the condition.
            if name != "normal" || reference.condition < 1e3 {
                prop_assert!(scaled_optimality(&a, b, damping.as_deref(), &s.x) < limit, "{name}");
            }
            prop_assert!(s.rank <= p);
            if reference.condition < 1e3 || reference.condition.is_infinite() && m > 2 * p {
                prop_assert!(norm(&s.x) <= norm(&reference.x) * (1.0 + 1e-6), "{name}");
                let gap: Vec<f64> = s.x.iter().zip(&reference.x).map(|(a, b)| a - b).collect();
                prop_assert!(norm(&gap) <= 1e-6 * norm(&reference.x), "{name} {gap:?}");
            }
            // Twins share their weight equally unless damping tells them apart.
            if twins && !damped && m > 2 * p {
                prop_assert!((s.x[0] - s.x[p - 1]).abs() <= 1e-7 * norm(&s.x), "{name}");
            }
        }
    }

    #[test]
    fn units_of_the_parameters_do_not_matter_to_ranks(
        p in 1usize..9, entries in prop::collection::vec(-1.0..1.0f64, 400),
        exponents in prop::collection::vec(-60i32..60, 9),
    ) {
        let plain = Mat::from_fn(40, p, |i, j| entries[i * 9 + j] + if i == j { 2.0 } else { 0.0 });
        // Powers of two: scaling is exact.
        let scaled = Mat::from_fn(40, p, |i, j| plain[(i, j)] * 2f64.powi(exponents[j]));
        let b = &entries[360..400];
        for solver in [&PivotedQr::default() as &dyn LeastSquares, &NormalEquations::default()] {
            let (s, t) = (solver.solve(&plain, b, None).unwrap(), solver.solve(&scaled, b, None).unwrap());
            prop_assert_eq!(s.rank, t.rank);
            for j in 0..p {
                prop_assert!((t.x[j] * 2f64.powi(exponents[j]) - s.x[j]).abs() <= 1e-10 * norm(&s.x));
            }
        }
    }

    #[test]
    fn sparse_matrices_are_their_dense_twins(
        (m, n, entries) in (1usize..9, 1usize..9).prop_flat_map(|(m, n)| {
            (Just(m), Just(n), prop::collection::vec((0..m, 0..n, -1.0..1.0f64), 0..60))
        }),
        numbers in prop::collection::vec(-1.0..1.0f64, 16),
    ) {
        let a = SparseMatrix::from_entries(m, n, entries.iter().copied()).unwrap();
        let mut twin = Mat::<f64>::zeros(m, n);
        entries.iter().for_each(|&(i, j, v)| twin[(i, j)] += v);
        let (x, y) = (&numbers[..n], &numbers[numbers.len() - m..]);
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-13);
        prop_assert!(close(&apply_vec(&a, x), &apply_vec(&twin, x)));
        prop_assert!(close(&apply_transpose_vec(&a, y), &apply_transpose_vec(&twin, y)));
        let (row_ptr, columns, values) = a.to_rows();
        for i in 0..m {
            for at in row_ptr[i]..row_ptr[i + 1] {
                prop_assert!((values[at] - twin[(i, columns[at])]).abs() <= 1e-13);
            }
        }
    }

    #[test]
    fn sparse_patterns_are_taken_or_refused(
        nrows in 0usize..5, col_ptr in prop::collection::vec(0usize..7, 0..6),
        row_idx in prop::collection::vec(0usize..6, 0..7), values in prop::collection::vec(any::<f64>(), 0..7),
    ) {
        if let Ok(a) = SparseMatrix::new(nrows, col_ptr.clone(), row_idx, values) {
            let n = col_ptr.len() - 1;
            apply_vec(&a, &vec![1.0; n]);
            prop_assert_eq!(a.to_rows().0.len(), nrows + 1);
            prop_assert_eq!((0..n).map(|j| a.column(j).count()).sum::<usize>(), a.nnz());
        }
    }

    #[test]
    fn generators_are_solved_by_every_factorisation(
        n in 2usize..30, links in prop::collection::vec((0usize..30, 0usize..30, 1e-3..1.0f64), 1..120),
        numbers in prop::collection::vec(-1.0..1.0f64, 30), leak in 1e-4..1.0f64,
    ) {
        // κI − K of a random Markov chain: dominant columns, the pattern symmetric.
        let mut entries: Vec<(usize, usize, f64)> = (0..n).map(|i| (i, i, leak)).collect();
        for (i, j, rate) in links {
            let (i, j) = (i % n, j % n);
            if i != j {
                entries.extend([(i, j, -rate), (j, j, rate), (j, i, -0.5 * rate), (i, i, 0.5 * rate)]);
            }
        }
        let a = SparseMatrix::from_entries(n, n, entries).unwrap();
        let b = &numbers[..n];
        let krylov = BiCgStab::new(&a, KrylovOptions::default()).unwrap();
        let factors: [(&str, Box<dyn Factorization>); 3] = [
            ("lu", Box::new(SparseLu::new(&a, LuOrdering::Colamd).unwrap())),
            ("dominant", Box::new(DominantLu::new(&a, Ordering::Amd).unwrap())),
            ("krylov", Box::new(krylov)),
        ];
        let size = largest(a.values());
        for (name, factor) in factors {
            let x = solve(factor.as_ref(), b);
            let residual: Vec<f64> = apply_vec(&a, &x).iter().zip(b).map(|(ax, b)| ax - b).collect();
            let limit = if name == "krylov" { 1e-9 } else { 1e-13 };
            prop_assert!(norm(&residual) <= limit * (size * norm(&x) + norm(b)) * n as f64, "{name}");
            let mut t = matrix_of(b);
            factor.apply_inverse_transpose(t.as_mut());
            let t = column(t.as_ref(), 0);
            let residual: Vec<f64> = apply_transpose_vec(&a, &t).iter().zip(b).map(|(at, b)| at - b).collect();
            prop_assert!(norm(&residual) <= limit * (size * norm(&t) + norm(b)) * n as f64, "{name} transposed");
        }
    }
}
