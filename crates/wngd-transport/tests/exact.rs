//! Values and potentials against other ways to get them.

mod common;

use std::iter::zip;
use std::time::Instant;

use common::{Random, close, half_square, position, solve};

/// Least cost of a perfect matching, by the Hungarian method with potentials.
fn assignment(count: usize, cost: impl Fn(usize, usize) -> f64) -> f64 {
    let mut matched = vec![count; count + 1];
    let (mut u, mut v) = (vec![0.0; count + 1], vec![0.0; count + 1]);
    for row in 0..count {
        let mut column = count;
        matched[column] = row;
        let mut slack = vec![f64::INFINITY; count];
        let mut used = vec![false; count + 1];
        let mut previous = vec![count; count];
        while matched[column] < count {
            used[column] = true;
            let at = matched[column];
            let (mut least, mut next) = (f64::INFINITY, count);
            for j in (0..count).filter(|&j| !used[j]) {
                let reduced = cost(at, j) - u[at] - v[j];
                if reduced < slack[j] {
                    (slack[j], previous[j]) = (reduced, column);
                }
                if slack[j] < least {
                    (least, next) = (slack[j], j);
                }
            }
            for j in 0..=count {
                if used[j] {
                    u[matched[j]] += least;
                    v[j] -= least;
                } else if j < count {
                    slack[j] -= least;
                }
            }
            column = next;
        }
        while column < count {
            matched[column] = matched[previous[column]];
            column = previous[column];
        }
    }
    (0..count).map(|j| cost(matched[j], j)).sum()
}

/// Compares with the assignment of unit masses that are thrown at random onto the cells.
fn against_assignment(cells: &[usize], spacing: &[f64], seeds: u64, tolerance: f64) {
    const UNITS: usize = 40;
    let count = cells.iter().product();
    for seed in 0..seeds {
        let mut random = Random(seed);
        let mut throw = || -> Vec<usize> { (0..UNITS).map(|_| random.below(count)).collect() };
        let (from, to) = (throw(), throw());
        let masses = |units: &[usize]| {
            let mut masses = vec![0.0; count];
            units.iter().for_each(|&cell| masses[cell] += 1.0);
            masses
        };
        let transport = solve(cells, spacing, &masses(&from), &masses(&to));
        let expected = assignment(UNITS, |i, j| half_square(cells, spacing, from[i], to[j])) / UNITS as f64;
        close(transport.half_squared_distance, expected, tolerance);
    }
}

#[test]
fn agrees_with_the_hungarian_method() {
    against_assignment(&[17], &[0.3], 20, 1e-12);
    against_assignment(&[4, 4], &[1.0, 1.0], 40, 1e-12);
    against_assignment(&[5, 9], &[0.25, 0.125], 20, 1e-12);
    against_assignment(&[3, 3, 3], &[0.5, 0.5, 0.5], 40, 1e-12);
    against_assignment(&[5, 6, 4], &[1.0, 1.0, 1.0], 20, 1e-12);
    against_assignment(&[1, 13, 1], &[1.0, 2.0, 3.0], 20, 1e-12);
}

#[test]
fn spacings_without_a_common_unit_are_solved_to_rounded_costs() {
    against_assignment(&[6, 7], &[1.0, std::f64::consts::FRAC_1_SQRT_2 * 1.1], 20, 1e-10);
    against_assignment(&[3, 4, 5], &[1.0, 0.1 * std::f64::consts::PI, 1.7], 20, 1e-10);
}

#[test]
fn one_dimension_follows_the_quantiles() {
    let mut random = Random(7);
    for count in [2, 5, 40, 301] {
        let spacing = 1.0 / count as f64;
        // Two separate blocks make the quantile function of the source jump.
        let source: Vec<f64> =
            (0..count).map(|i| if (count / 4..count / 2).contains(&i) { 0.0 } else { random.next() }).collect();
        let target = random.masses(count);
        let cumulate = |masses: &[f64]| -> Vec<f64> {
            let total: f64 = masses.iter().sum();
            let mut level = 0.0;
            masses
                .iter()
                .map(|mass| {
                    level += mass / total;
                    level
                })
                .collect()
        };
        let (from, to) = (cumulate(&source), cumulate(&target));
        let mut levels: Vec<f64> = from.iter().chain(&to).copied().collect();
        levels.push(0.0);
        levels.sort_by(f64::total_cmp);
        let quantile =
            |levels: &[f64], level: f64| levels.partition_point(|&l| l < level).min(count - 1) as f64 * spacing;
        let expected: f64 = levels
            .windows(2)
            .map(|pair| {
                let middle = 0.5 * (pair[0] + pair[1]);
                let distance = quantile(&from, middle) - quantile(&to, middle);
                0.5 * (pair[1] - pair[0]) * distance * distance
            })
            .sum();
        let transport = solve(&[count], &[spacing], &source, &target);
        close(transport.half_squared_distance, expected, 1e-11);
        assert_eq!(transport.pivots, 0);
        // The network simplex agrees on the value and on the potential.
        let plane = solve(&[1, count], &[1.0, spacing], &source, &target);
        close(plane.half_squared_distance, expected, 1e-11);
        for (line, plane) in zip(&transport.potential, &plane.potential) {
            assert!((line - plane).abs() < 1e-12);
        }
    }
}

#[test]
fn translations_cost_half_the_squared_shift() {
    let mut random = Random(3);
    for (cells, spacing, shift) in [
        (vec![24], vec![0.5], vec![7]),
        (vec![12, 15], vec![0.5, 0.25], vec![3, 5]),
        (vec![6, 7, 8], vec![1.0, 1.0, 2.0], vec![2, 0, 3]),
    ] {
        let count: usize = cells.iter().product();
        let (mut source, mut target) = (vec![0.0; count], vec![0.0; count]);
        let offset = (0..cells.len()).fold(0, |offset, axis| offset * cells[axis] + shift[axis]);
        for cell in 0..count {
            let inside = zip(position(&cells, &vec![1.0; cells.len()], cell), zip(&cells, &shift))
                .all(|(x, (&length, &shift))| x < (length - shift) as f64);
            // A few holes leave the support in pieces.
            if inside && random.next() < 0.8 {
                source[cell] = random.next();
                target[cell + offset] = source[cell];
            }
        }
        let transport = solve(&cells, &spacing, &source, &target);
        let vector: Vec<f64> = zip(&shift, &spacing).map(|(&s, h)| s as f64 * h).collect();
        let expected = 0.5 * vector.iter().map(|s| s * s).sum::<f64>();
        assert_eq!(transport.half_squared_distance, expected);
        let slopes = |cell: usize| -> f64 { zip(position(&cells, &spacing, cell), &vector).map(|(x, s)| x * s).sum() };
        let support: Vec<usize> = (0..count).filter(|&cell| source[cell] > 0.0).collect();
        let constant = transport.potential[support[0]] + slopes(support[0]);
        for &cell in &support {
            assert!((transport.potential[cell] + slopes(cell) - constant).abs() < 1e-12);
        }
    }
}

#[test]
fn products_add_up_over_the_axes() {
    let mut random = Random(11);
    let (cells, spacing) = ([9, 14, 5], [0.2, 0.1, 0.4]);
    for axes in [2, 3] {
        let mut sum = 0.0;
        let (mut source, mut target) = (vec![1.0], vec![1.0]);
        for axis in 0..axes {
            let (a, b) = (random.masses(cells[axis]), random.masses(cells[axis]));
            sum += solve(&cells[axis..=axis], &spacing[axis..=axis], &a, &b).half_squared_distance;
            let outer = |masses: &[f64], factor: &[f64]| -> Vec<f64> {
                masses.iter().flat_map(|m| factor.iter().map(move |f| m * f)).collect()
            };
            (source, target) = (outer(&source, &a), outer(&target, &b));
        }
        let transport = solve(&cells[..axes], &spacing[..axes], &source, &target);
        close(transport.half_squared_distance, sum, 1e-12);
    }
}

#[test]
fn the_potential_is_the_derivative() {
    let mut random = Random(5);
    for cells in [vec![30], vec![7, 9], vec![4, 5, 3]] {
        let spacing = vec![0.125; cells.len()];
        let count = cells.iter().product();
        let (source, target) = (random.masses(count), random.masses(count));
        let transport = solve(&cells, &spacing, &source, &target);
        let total: f64 = source.iter().sum();
        for _ in 0..10 {
            let (from, to) = (random.below(count), random.below(count));
            // Within the range where the optimal basis stays the same the value is linear.
            let step = 1e-7;
            let value = |sign: f64| {
                let mut moved = source.clone();
                moved[from] -= sign * step;
                moved[to] += sign * step;
                solve(&cells, &spacing, &moved, &target).half_squared_distance
            };
            let slope = (value(1.0) - value(-1.0)) / (2.0 * step);
            let expected = (transport.potential[to] - transport.potential[from]) / total;
            assert!((slope - expected).abs() < 1e-8, "{slope} {expected}");
        }
    }
}

#[test]
fn the_potential_supports_the_value_from_below() {
    let mut random = Random(13);
    for cells in [vec![20], vec![6, 7], vec![4, 3, 5]] {
        let spacing = vec![0.5; cells.len()];
        let count = cells.iter().product();
        let mut sparse = || -> Vec<f64> { (0..count).map(|_| (random.next() - 0.6).max(0.0)).collect() };
        let (source, target) = (sparse(), sparse());
        let transport = solve(&cells, &spacing, &source, &target);
        for _ in 0..20 {
            // The other source also has mass where the first has none.
            let other = sparse();
            let total: f64 = other.iter().sum();
            let rise = zip(&other, &transport.potential).map(|(a, u)| a * u).sum::<f64>() / total;
            let value = solve(&cells, &spacing, &other, &target).half_squared_distance;
            assert!(value >= transport.half_squared_distance + rise - 1e-13);
        }
    }
}

#[test]
fn symmetries_of_the_grid_carry_over() {
    let mut random = Random(17);
    let (rows, columns) = (8, 11);
    let count = rows * columns;
    // Sparse masses from a short list: many ties between plans, and many optimal potentials.
    let mut sparse = || -> Vec<f64> { (0..count).map(|_| random.below(7).saturating_sub(3) as f64).collect() };
    let (mut source, mut target) = (sparse(), sparse());
    source[40] += 10.0;
    target[50] += 10.0;
    let difference = source.iter().sum::<f64>() - target.iter().sum::<f64>();
    source[40] -= difference.min(0.0);
    target[50] += difference.max(0.0);
    let transport = solve(&[rows, columns], &[1.0, 0.5], &source, &target);
    let again = solve(&[rows, columns], &[1.0, 0.5], &source, &target);
    assert_eq!(transport, again);
    let turn = |masses: &[f64]| -> Vec<f64> {
        (0..count).map(|k| masses[(rows - 1 - k % rows) * columns + k / rows]).collect()
    };
    let turned = solve(&[columns, rows], &[0.5, 1.0], &turn(&source), &turn(&target));
    assert_eq!(turned.half_squared_distance, transport.half_squared_distance);
    for (found, expected) in zip(&turned.potential, turn(&transport.potential)) {
        assert!((found - expected).abs() < 1e-12);
    }
}

#[test]
fn zeros_and_single_cells() {
    let (cells, spacing) = ([5, 6], [1.0, 0.5]);
    let point = |cell: usize| {
        let mut masses = vec![0.0; 30];
        masses[cell] = 4.0;
        masses
    };
    let transport = solve(&cells, &spacing, &point(2), &point(27));
    close(transport.half_squared_distance, half_square(&cells, &spacing, 2, 27), 1e-15);
    let shift = half_square(&cells, &spacing, 2, 27);
    for cell in 0..30 {
        let expected = half_square(&cells, &spacing, cell, 27) - shift;
        assert!((transport.potential[cell] - expected).abs() < 1e-13);
    }
    let same = solve(&cells, &spacing, &point(2), &point(2));
    assert_eq!((same.half_squared_distance, same.dual_value), (0.0, 0.0));
    // Onto a point, every mass has one way to go.
    let mut random = Random(19);
    let left: Vec<f64> = (0..30).map(|k| if k % 6 < 3 { random.next() } else { 0.0 }).collect();
    let total: f64 = left.iter().sum();
    let cost =
        |to: usize| -> f64 { (0..30).map(|k| left[k] * half_square(&cells, &spacing, k, to)).sum::<f64>() / total };
    close(solve(&cells, &spacing, &left, &point(17)).half_squared_distance, cost(17), 1e-14);
    close(solve(&cells, &spacing, &point(17), &left).half_squared_distance, cost(17), 1e-14);
    // Disjoint supports, mirror images of one another.
    let right: Vec<f64> = (0..30).map(|k| left[k / 6 * 6 + 5 - k % 6]).collect();
    let mirrored = solve(&cells, &spacing, &left, &right);
    close(solve(&cells, &spacing, &right, &left).half_squared_distance, mirrored.half_squared_distance, 1e-15);
    let single = solve(&[1, 1, 1], &[1.0; 3], &[2.0], &[5.0]);
    assert_eq!((single.half_squared_distance, single.potential), (0.0, vec![0.0]));
}

#[test]
fn smooth_densities_with_tails_are_certified() {
    for cells in [vec![32, 32], vec![64, 64], vec![12, 12, 12]] {
        let spacing: Vec<f64> = cells.iter().map(|&n| 1.0 / n as f64).collect();
        let mixture = |bumps: &[([f64; 3], f64, f64)]| -> Vec<f64> {
            (0..cells.iter().product())
                .map(|cell| {
                    let x = position(&cells, &spacing, cell);
                    let bump = |(centre, width, height): &([f64; 3], f64, f64)| {
                        let square: f64 = zip(&x, centre).map(|(x, c)| (x - c).powi(2)).sum();
                        height * (-square / (2.0 * width * width)).exp()
                    };
                    bumps.iter().map(bump).sum()
                })
                .collect()
        };
        let source = mixture(&[([0.3, 0.3, 0.4], 0.08, 1.0), ([0.7, 0.6, 0.5], 0.1, 0.5)]);
        let target = mixture(&[([0.6, 0.25, 0.6], 0.1, 1.0), ([0.4, 0.75, 0.3], 0.07, 0.7)]);
        let start = Instant::now();
        let transport = solve(&cells, &spacing, &source, &target);
        println!(
            "{cells:?}: {:.3} s, {} pivots, value {:.12}, gap {:.1e}, dropped {:.1e}",
            start.elapsed().as_secs_f64(),
            transport.pivots,
            transport.half_squared_distance,
            transport.relative_gap,
            transport.dropped_mass
        );
    }
}
