use faer::Mat;
use proptest::prelude::*;

use super::*;
use crate::dense::{column, gram};
use crate::gram::NormalSums;
use crate::operator::apply_transpose_vec;

fn solvers() -> Vec<(&'static str, Box<dyn LeastSquares>)> {
    vec![
        ("qr", Box::new(PivotedQr::default())),
        ("svd", Box::new(Svd::default())),
        ("lsmr", Box::new(Lsmr::default())),
        ("normal", Box::new(NormalEquations::default())),
    ]
}

fn sample(m: usize, p: usize, seed: f64) -> Mat<f64> {
    Mat::from_fn(m, p, |i, j| ((i as f64 + 1.3) * (j as f64 * 0.77 + seed)).sin() + if i == j { 1.0 } else { 0.0 })
}

fn rhs(m: usize) -> Vec<f64> {
    (0..m).map(|i| (0.37 * i as f64).cos() + 0.1).collect()
}

#[test]
fn all_solvers_satisfy_the_optimality_law_with_and_without_damping() {
    for (m, p) in [(40, 5), (7, 7), (500, 60), (3, 1)] {
        let (a, b) = (sample(m, p, 0.4), rhs(m));
        let d: Vec<f64> = (0..p).map(|i| 0.1 + 0.05 * i as f64).collect();
        for damping in [None, Some(&d[..])] {
            let reference = Svd::default().solve(&a, &b, damping).unwrap();
            for (name, solver) in solvers() {
                let s = solver.solve(&a, &b, damping).unwrap();
                let ratio = scaled_optimality(&a, &b, damping, &s.x);
                let limit = if name == "lsmr" { 1e4 } else { 30.0 };
                assert!(ratio < limit, "{name} {m}x{p}: {ratio}");
                assert_eq!(s.rank, p);
                for (x, y) in s.x.iter().zip(&reference.x) {
                    assert!((x - y).abs() < 1e-7 * norm(&reference.x), "{name} {m}x{p}");
                }
                assert!((s.residual - reference.residual).abs() < 1e-9 * norm(&b));
            }
        }
    }
}

#[test]
fn a_duplicated_column_lowers_the_rank_and_shares_its_weight() {
    for p in [4, 70] {
        let m = 600;
        let mut a = sample(m, p, 0.9);
        for i in 0..m {
            a[(i, p - 1)] = a[(i, 1)];
        }
        let b = rhs(m);
        let reference = Svd::default().solve(&a, &b, None).unwrap();
        assert_eq!(reference.rank, p - 1);
        for (name, solver) in solvers() {
            let s = solver.solve(&a, &b, None).unwrap();
            if name != "lsmr" {
                assert_eq!(s.rank, p - 1, "{name}");
                assert!(s.condition.is_infinite(), "{name}");
            }
            assert!((s.x[1] - s.x[p - 1]).abs() < 1e-8 * norm(&s.x), "{name}");
            assert!((norm(&s.x) - norm(&reference.x)).abs() < 1e-7 * norm(&reference.x), "{name}");
        }
    }
}

#[test]
fn wide_and_zero_problems_have_minimum_norm_solutions() {
    let (m, p) = (5, 9);
    let (a, b) = (sample(m, p, 0.2), rhs(m));
    let reference = Svd::default().solve(&a, &b, None).unwrap();
    for (name, solver) in solvers() {
        let s = solver.solve(&a, &b, None).unwrap();
        assert_eq!(s.rank, m, "{name}");
        assert!(s.residual < 1e-7 * norm(&b), "{name} {}", s.residual);
        assert!((norm(&s.x) - norm(&reference.x)).abs() < 1e-6 * norm(&s.x), "{name}");
        let zero = solver.solve(&Mat::<f64>::zeros(6, 3), &rhs(6), None).unwrap();
        assert_eq!(zero.x, vec![0.0; 3], "{name}");
        let none = solver.solve(&Mat::<f64>::zeros(6, 0), &rhs(6), None).unwrap();
        assert!(none.x.is_empty(), "{name}");
    }
}

#[test]
fn columns_of_very_different_units_do_not_fool_the_rank() {
    let mut a = sample(50, 4, 0.7);
    for i in 0..50 {
        a[(i, 0)] *= 1e-12;
        a[(i, 3)] *= 1e9;
    }
    assert_eq!(PivotedQr::default().solve(&a, &rhs(50), None).unwrap().rank, 4);
    assert_eq!(NormalEquations::default().solve(&a, &rhs(50), None).unwrap().rank, 4);
}

#[test]
fn ill_conditioned_tall_problems_keep_qr_accuracy() {
    // Singular values 1 … 10^-s on an orthonormal basis, known solution.
    for exponent in [3.0, 6.0, 9.0, 12.0] {
        let (m, p) = (900, 60);
        let q = sample(m, p, 0.31).qr().compute_thin_Q();
        let v = sample(p, p, 0.61).qr().compute_thin_Q();
        let s = Mat::from_fn(p, p, |i, j| if i == j { 10f64.powf(-exponent * i as f64 / (p - 1) as f64) } else { 0.0 });
        let a = &q * (&s * v.transpose());
        let truth: Vec<f64> = (0..p).map(|i| 1.0 + (i as f64).sin()).collect();
        let b = apply_vec(&a, &truth);
        let solution = PivotedQr::default().solve(&a, &b, None).unwrap();
        let error: Vec<f64> = solution.x.iter().zip(&truth).map(|(a, b)| a - b).collect();
        let bound = 1e3 * f64::EPSILON * 10f64.powf(exponent) * norm(&truth);
        assert!(norm(&error) < bound, "1e{exponent}: {:e} by {}", norm(&error), solution.algorithm);
        assert!((solution.condition.log10() - exponent).abs() < 0.1, "{}", solution.condition);
        assert!(scaled_optimality(&a, &b, None, &solution.x) < 30.0);
    }
}

#[test]
fn cholesky_and_householder_routes_agree() {
    let (a, b) = (sample(3000, 100, 0.123), rhs(3000));
    let fast = PivotedQr::default().solve(&a, &b, None).unwrap();
    assert_eq!(fast.algorithm, Algorithm::CholeskyQr);
    let slow = Svd::default().solve(&a, &b, None).unwrap();
    let error: Vec<f64> = fast.x.iter().zip(&slow.x).map(|(a, b)| a - b).collect();
    assert!(norm(&error) < 1e-12 * fast.condition * norm(&slow.x));
}

#[test]
fn bad_input_is_named() {
    let a = sample(5, 2, 0.1);
    for (_, solver) in solvers() {
        assert!(matches!(solver.solve(&a, &[1.0; 4], None), Err(LinalgError::Shape { .. })));
        assert!(matches!(solver.solve(&a, &[f64::NAN; 5], None), Err(LinalgError::NotFinite { .. })));
        assert!(matches!(solver.solve(&a, &[1.0; 5], Some(&[0.1])), Err(LinalgError::Shape { .. })));
        let mut bad = a.clone();
        bad[(2, 1)] = f64::INFINITY;
        assert!(matches!(solver.solve(&bad, &[1.0; 5], None), Err(LinalgError::NotFinite { index: 1, .. })));
    }
    assert!(matches!(
        Lsmr { tolerance: 1e-14, max_iterations: Some(1) }.solve(&a, &rhs(5), None),
        Err(LinalgError::IterationLimit { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn pivoted_qr_is_optimal_on_random_matrices(
        m in 1usize..30, p in 1usize..12, entries in prop::collection::vec(-1.0f64..1.0, 400), zero in 0usize..12
    ) {
        let a = Mat::from_fn(m, p, |i, j| if j == zero { 0.0 } else { entries[i * 12 + j] });
        let b: Vec<f64> = (0..m).map(|i| entries[360 + i]).collect();
        let s = PivotedQr::default().solve(&a, &b, None).unwrap();
        prop_assert!(scaled_optimality(&a, &b, None, &s.x) < 30.0);
        prop_assert!(s.rank <= m.min(p));
        // Minimum norm: x lies in the row space, so it is orthogonal to zero columns.
        if zero < p {
            prop_assert_eq!(s.x[zero], 0.0);
            prop_assert!(column(a.as_ref(), zero).iter().all(|v| *v == 0.0));
        }
    }
}

#[test]
fn a_column_that_is_rounding_of_what_was_subtracted_is_no_direction() {
    // The first column is a multiple of the second up to 1e-9 of noise, the third differs from it by 1e-7.
    let f = |x: f64| (-0.5 * x * x).exp();
    let a = Mat::from_fn(40, 3, |i, j| {
        let x = 0.25 * i as f64 - 5.0;
        let noise = 1e-9 * (37.0 * x).sin();
        [-x * f(x) + noise, -x * f(x), -x * f(x) + 1e-7 * f(x)][j]
    });
    let b: Vec<f64> = (0..40).map(|i| f(0.25 * i as f64 - 4.0)).collect();
    let gradient = apply_transpose_vec(&a, &b);
    let rounding = [1e-9, 0.0, 0.0];
    let problem = |rounding| GradientProblem { a: &a, b: &b, gradient: &gradient, damping: None, rounding };
    let solvers: [&dyn LeastSquares; 2] = [&PivotedQr::default(), &Svd::default()];
    for solver in solvers {
        assert_eq!(solver.solve_gradient(&problem(None)).unwrap().rank, 3);
        let found = solver.solve_gradient(&problem(Some(&rounding[..]))).unwrap();
        assert_eq!(found.rank, 2, "{:?}", found.algorithm);
    }
}

#[test]
fn finite_input_has_a_finite_answer_or_an_error() {
    let sizes = [1e-320, 1e-200, 1e-160, 1.0, 1e150, 1e160, 1e200, 1e308];
    for (i, size) in sizes.into_iter().enumerate() {
        for (j, other) in sizes.into_iter().enumerate() {
            let a = sample(7, 3, 0.3 + (i * 8 + j) as f64);
            let a = Mat::from_fn(7, 3, |r, c| a[(r, c)] * if c == 1 { other } else { size });
            let b: Vec<f64> = rhs(7).iter().map(|v| v * other).collect();
            if !a.col_iter().flat_map(|c| c.iter().copied().collect::<Vec<f64>>()).chain(b.clone()).all(f64::is_finite)
            {
                continue;
            }
            for (name, solver) in solvers() {
                if let Ok(found) = solver.solve(&a, &b, None) {
                    assert!(found.x.iter().all(|x| x.is_finite()), "{name}, {size:e}, {other:e}: {:?}", found.x);
                }
            }
        }
    }
}

/// What the rows of A and b add up to.
fn sums(a: &Mat<f64>, b: &[f64]) -> NormalSums {
    let size = |j: usize| (0..a.nrows()).map(|i| (a[(i, j)] * b[i]).abs()).sum();
    NormalSums { gram: gram(a.as_ref()), product: apply_transpose_vec(a, b), size: (0..a.ncols()).map(size).collect() }
}

#[test]
fn sums_over_rows_have_the_solution_of_the_matrix_and_a_qr_of_them_refuses_what_it_would_lose() {
    let (m, p) = (400, 60);
    let b = rhs(m);
    for (closeness, taken) in [(1.0, true), (1e-2, true), (1e-6, false), (0.0, false)] {
        // The last two columns differ by `closeness`; units are far apart.
        let free = Mat::from_fn(m, p, |i, j| ((i * (j + 3)) as f64 * 0.37 + (i + j) as f64).sin());
        let a = Mat::from_fn(m, p, |i, j| {
            let own = if j == p - 1 { free[(i, p - 2)] + closeness * free[(i, j)] } else { free[(i, j)] };
            own * 10f64.powi(j as i32 % 7 - 3)
        });
        let (gradient, known) = (apply_transpose_vec(&a, &b), sums(&a, &b));
        assert!(!PivotedQr::default().takes_sums(&NormalSums { gram: Mat::identity(p, p - 1), ..known.clone() }));
        assert!(PivotedQr::begins_with_sums(m, p) && !PivotedQr::begins_with_sums(2 * p, p));
        assert_eq!(PivotedQr::default().takes_sums(&known), taken, "{closeness}");
        for d in [0.0, 0.3] {
            let damping: Vec<f64> = (0..p).map(|j| d * known.gram[(j, j)].sqrt()).collect();
            let damping = (d > 0.0).then_some(&damping[..]);
            let problem = GradientProblem { a: &a, b: &b, gradient: &gradient, damping, rounding: None };
            let whole = PivotedQr::default().solve_gradient(&problem).unwrap();
            let mut holed = known.clone();
            holed.gram[(5, 3)] = f64::NAN;
            let short = NormalSums { gram: Mat::identity(p, p - 1), ..known.clone() };
            for bad in [holed, short, NormalSums { product: vec![0.0; 3], ..known.clone() }] {
                assert!(PivotedQr::default().solve_from_sums(&problem, &bad).is_err());
                assert!(NormalEquations::default().solve_from_sums(&problem, &bad).is_err());
            }
            let found = PivotedQr::default().solve_from_sums(&problem, &known);
            if closeness == 0.0 && d == 0.0 {
                assert!(
                    matches!(found, Err(LinalgError::NotPositiveDefinite { index }) if index == p - 1),
                    "{found:?}"
                );
                continue;
            }
            let found = found.unwrap();
            let normal = NormalEquations::default().solve_from_sums(&problem, &known).unwrap();
            assert!(found.algorithm == Algorithm::CholeskyQr && found.rank == p);
            if taken || d > 0.0 {
                for solution in [&found, &normal] {
                    let size = |x: &[f64]| norm(&(0..p).map(|j| x[j] * known.gram[(j, j)].sqrt()).collect::<Vec<_>>());
                    let apart: Vec<f64> = solution.x.iter().zip(&whole.x).map(|(x, y)| x - y).collect();
                    assert!(size(&apart) < 1e-11 * size(&whole.x), "{closeness} {d} {:e}", size(&apart));
                    assert!(solution.inconsistency < 1e-12);
                }
            }
        }
    }
}
