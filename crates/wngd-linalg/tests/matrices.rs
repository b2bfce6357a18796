//! Rank-deficient and ill-conditioned matrices for the least-squares solvers.
//!
//! Sources: matrices of the SuiteSparse collection as they come with SPQR's tests (`data/matrices`), each
//! with its transpose; Hilbert's (Higham 2002, doi:10.1137/1.9780898718027, 28.1), Kahan's (1966,
//! doi:10.4153/CMB-1966-083-2) and Vandermonde's.
//!
//! A solver passes a matrix if, for a consistent and an inconsistent right-hand side, LAPACK's scaled ratio
//! stays below 30, the rank is right, and the solution has minimum norm. The ranks of the files are computed
//! here in exact arithmetic modulo the prime 2⁶¹ − 1, from their decimals: no rounding, no tolerance. Those
//! of the classical matrices count singular values above max(m, p) ε. LSMR documents that it decides no
//! rank, and is not asked for one.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use faer::Mat;
use wngd_linalg::dense::norm;
use wngd_linalg::lstsq::scaled_optimality;
use wngd_linalg::operator::apply_vec;
use wngd_linalg::{LeastSquares, Lsmr, NormalEquations, PivotedQr, Svd, faer};

const LIMIT: f64 = 30.0;
const PRIME: u128 = (1 << 61) - 1;

const FILES: [&str; 17] = [
    "GD01_b",
    "GD06_theory",
    "GD98_a",
    "LFAT5",
    "Tina_AskCal",
    "ash219",
    "b1_ss",
    "bcspwr01",
    "bfwa62",
    "c32",
    "lp_e226",
    "lp_share1b",
    "lpi_galenet",
    "lpi_itest6",
    "r2",
    "s32",
    "west0067",
];

struct Case {
    name: String,
    a: Mat<f64>,
    rank: usize,
}

fn power(mut base: u128, mut exponent: u128) -> u128 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % PRIME;
        }
        base = base * base % PRIME;
        exponent >>= 1;
    }
    result
}

fn inverse(x: u128) -> u128 {
    power(x, PRIME - 2)
}

/// A decimal number modulo the prime, exactly.
fn residue(text: &str) -> u128 {
    let lower = text.to_lowercase();
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: String = whole.chars().chain(fraction.chars()).filter(char::is_ascii_digit).collect();
    let size = digits.bytes().fold(0, |n, d| (10 * n + u128::from(d - b'0')) % PRIME);
    let shift = exponent.parse::<i32>().unwrap() - fraction.len() as i32;
    let scale = power(10, u128::from(shift.unsigned_abs()));
    let value = size * if shift < 0 { inverse(scale) } else { scale } % PRIME;
    if mantissa.starts_with('-') { (PRIME - value) % PRIME } else { value }
}

fn exact_rank(mut rows: Vec<Vec<u128>>) -> usize {
    let width = rows.first().map_or(0, Vec::len);
    let mut rank = 0;
    for column in 0..width {
        let Some(pivot) = (rank..rows.len()).find(|&i| rows[i][column] != 0) else { continue };
        rows.swap(rank, pivot);
        let (done, rest) = rows.split_at_mut(rank + 1);
        let pivot = &done[rank];
        let scale = inverse(pivot[column]);
        for row in rest.iter_mut().filter(|row| row[column] != 0) {
            let factor = PRIME - row[column] * scale % PRIME;
            row.iter_mut().zip(pivot).for_each(|(r, p)| *r = (*r + factor * p) % PRIME);
        }
        rank += 1;
    }
    rank
}

/// Reads a Matrix Market file; a complex matrix becomes the real one [Re −Im; Im Re].
fn read(name: &str) -> Case {
    let path = format!("{}/tests/data/matrices/{name}.mtx", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let header = text.lines().next().unwrap().to_lowercase();
    let mut lines = text.lines().filter(|l| !l.starts_with('%') && !l.trim().is_empty());
    let size: Vec<usize> = lines.next().unwrap().split_whitespace().map(|v| v.parse().unwrap()).collect();
    let entries: Vec<Vec<&str>> = lines.map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(entries.len(), size[2], "{name}");
    let complex = header.contains("complex");
    let (m, p) = if complex { (2 * size[0], 2 * size[1]) } else { (size[0], size[1]) };
    let first = usize::from(entries.iter().all(|e| e[0] != "0" && e[1] != "0"));
    let mut a = Mat::zeros(m, p);
    let mut exact = vec![vec![0; p]; m];
    let mut put = |i: usize, j: usize, text: &str| {
        a[(i, j)] = text.parse().unwrap();
        exact[i][j] = residue(text);
    };
    for entry in &entries {
        let (i, j) = (entry[0].parse::<usize>().unwrap() - first, entry[1].parse::<usize>().unwrap() - first);
        let value = entry.get(2).copied().unwrap_or("1");
        put(i, j, value);
        if header.contains("symmetric") {
            put(j, i, value);
        }
        if complex {
            let imaginary = entry[3];
            let opposite = imaginary.strip_prefix('-').map_or_else(|| format!("-{imaginary}"), String::from);
            put(i + size[0], j + size[1], value);
            put(i + size[0], j, imaginary);
            put(i, j + size[1], &opposite);
        }
    }
    Case { name: name.into(), a, rank: exact_rank(exact) }
}

fn singular_values(a: &Mat<f64>) -> Vec<f64> {
    a.singular_values().unwrap()
}

fn classical(name: &str, a: Mat<f64>) -> Case {
    let s = singular_values(&a);
    let cut = a.nrows().max(a.ncols()) as f64 * f64::EPSILON * s[0];
    Case { name: name.into(), rank: s.iter().filter(|&&v| v > cut).count(), a }
}

fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for file in FILES {
        let case = read(file);
        let transposed = Case { name: format!("{file}'"), a: case.a.transpose().to_owned(), rank: case.rank };
        all.extend([case, transposed]);
    }
    let hilbert = |m: usize, p: usize| Mat::from_fn(m, p, |i, j| 1.0 / (i + j + 1) as f64);
    let kahan = |n: usize| {
        // Diagonal raised a little, as in MATLAB's gallery, so that rounding cannot change the pivots.
        let (s, c) = 1.2f64.sin_cos();
        Mat::from_fn(n, n, |i, j| match i.cmp(&j) {
            std::cmp::Ordering::Less => -c * s.powi(i as i32),
            std::cmp::Ordering::Equal => s.powi(i as i32) + 25.0 * f64::EPSILON * (n - i) as f64,
            std::cmp::Ordering::Greater => 0.0,
        })
    };
    let vandermonde = |m: usize, p: usize| Mat::from_fn(m, p, |i, j| (i as f64 / (m - 1) as f64).powi(j as i32));
    for (m, p) in [(6, 6), (10, 10), (12, 12), (20, 8)] {
        all.push(classical(&format!("Hilbert {m}x{p}"), hilbert(m, p)));
    }
    for n in [30, 90] {
        all.push(classical(&format!("Kahan {n}"), kahan(n)));
    }
    for (m, p) in [(12, 6), (20, 10), (30, 15), (10, 20)] {
        all.push(classical(&format!("Vandermonde {m}x{p}"), vandermonde(m, p)));
    }
    all
}

#[test]
fn the_exact_ranks_are_those_of_the_singular_values() {
    for file in FILES {
        let case = read(file);
        let s = singular_values(&case.a);
        // A gap of four orders at the rank: no tolerance decides these.
        let (last, next) = (s[case.rank - 1], s.get(case.rank).copied().unwrap_or(0.0));
        println!("{file}: {}x{} rank {} condition {:.1e}", case.a.nrows(), case.a.ncols(), case.rank, s[0] / last);
        assert!(next < 1e-4 * last && next < 1e-13 * s[0], "{file}: {last:e} {next:e}");
    }
    assert_eq!((read("GD01_b").rank, read("Tina_AskCal").rank, read("c32").rank), (17, 9, 4));
}

/// What is wrong with a solver's answers, if anything.
fn check(case: &Case, solver: &dyn LeastSquares, decides_rank: bool) -> Result<f64, String> {
    let (m, p) = (case.a.nrows(), case.a.ncols());
    let ones: Vec<f64> = (0..p).map(|j| 1.0 + 0.5 * (j as f64).sin()).collect();
    let consistent = apply_vec(&case.a, &ones);
    let inconsistent: Vec<f64> = (0..m).map(|i| (0.37 * i as f64).cos() + 0.1).collect();
    let svd = case.a.svd().unwrap();
    let s = singular_values(&case.a);
    let (v, gap) = (svd.V(), s[0] / s[case.rank - 1]);
    let mut worst = 0.0f64;
    for (kind, b) in [("consistent", consistent), ("inconsistent", inconsistent)] {
        let solution = solver.solve(&case.a, &b, None).map_err(|error| format!("{kind}: {error}"))?;
        let ratio = scaled_optimality(&case.a, &b, None, &solution.x);
        if !(ratio < LIMIT) {
            return Err(format!("{kind}: ratio {ratio:.1e}"));
        }
        worst = worst.max(ratio);
        if decides_rank && solution.rank != case.rank {
            return Err(format!("{kind}: rank {} for {}", solution.rank, case.rank));
        }
        // Minimum norm: nothing along the null space, which doubles know up to ε σ₁/σ_r.
        let along: Vec<f64> = (case.rank..p).map(|j| (0..p).map(|i| v[(i, j)] * solution.x[i]).sum::<f64>()).collect();
        let excess = norm(&along) / norm(&solution.x).max(f64::MIN_POSITIVE);
        let allowed = LIMIT * f64::EPSILON * m.max(p) as f64 * gap;
        if !(excess <= allowed) {
            return Err(format!("{kind}: {excess:.1e} of the solution lies in the null space, {allowed:.1e} allowed"));
        }
    }
    Ok(worst)
}

fn run(what: &str, solver: &dyn LeastSquares, decides_rank: bool, known: &[(&str, &str)]) {
    let cases = cases();
    let mut failed = Vec::new();
    let mut worst = 0.0f64;
    for case in &cases {
        match check(case, solver, decides_rank) {
            Ok(ratio) => worst = worst.max(ratio),
            Err(found) => failed.push((case.name.as_str(), found)),
        }
    }
    println!(
        "{what}: {} of {} matrices pass, worst ratio of these {worst:.2}",
        cases.len() - failed.len(),
        cases.len()
    );
    for (name, found) in &failed {
        let reason = known.iter().find(|k| k.0 == *name).map_or("NOT LISTED", |k| k.1);
        println!("  {name}: {found}\n    because: {reason}");
    }
    let new: Vec<_> = failed.iter().filter(|f| known.iter().all(|k| k.0 != f.0)).collect();
    let gone: Vec<_> = known.iter().filter(|k| failed.iter().all(|f| f.0 != k.0)).map(|k| k.0).collect();
    assert!(new.is_empty() && gone.is_empty(), "{what}: fails unexpectedly {new:?}; passes unexpectedly {gone:?}");
}

#[test]
fn pivoted_qr() {
    run("pivoted QR", &PivotedQr::default(), true, &[]);
}

#[test]
fn svd() {
    run("SVD", &Svd::default(), true, &[]);
}

#[test]
fn lsmr() {
    let slow = "condition 1e5 with singular values spread over all of it: not converged within the limit of 10 p + 100 \
                iterations, and an error says so";
    let known = [
        ("b1_ss'", "the default tolerance stops it at 1e-13 ‖A‖ ‖r‖, 450 roundings, where direct solvers go to one"),
        ("lp_share1b", slow),
        ("lp_share1b'", slow),
    ];
    run("LSMR", &Lsmr::default(), false, &known);
}

#[test]
fn normal_equations() {
    let squared = "AᵀA has the square of the condition number: singular values below 1e-8 of the largest drown in its \
                   rounding, and the columns that carry them count as dependent";
    let known = [
        ("Hilbert 10x10", squared),
        ("Hilbert 12x12", squared),
        ("Hilbert 20x8", squared),
        ("Vandermonde 30x15", squared),
        (
            "Vandermonde 10x20",
            "the rank is right, but AᵀA knows the null space only up to its own rounding: a few 1e-7 of it stay in \
             the solution",
        ),
    ];
    run("normal equations", &NormalEquations::default(), true, &known);
}
