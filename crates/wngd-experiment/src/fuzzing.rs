//! The readers as functions of bytes, for the fuzz targets and for the test that replays their inputs.
//!
//! Each of them panics if something is wrong with the program and returns whatever the bytes are.

#[cfg(test)]
mod mutants;

use wngd::linalg::check_density;
use wngd::models::{Binning, GaussianSmoothing, bin_trajectory, box_of, long_run_covariance};
use wngd::opt::Progress;
use wngd::prelude::*;

use crate::checkpoint::Checkpoint;
use crate::data::formats::{Array, Asked, Dialect, Input, Time};
use crate::error::ExperimentError;
use crate::experiment::{Described, Experiment};
use crate::source::{Section, Source};

/// Grids up to this size are built, and models on them solved.
const CELLS: usize = 400;
/// The fewest points of a trajectory.
const POINTS: usize = 1000;

/// An experiment file: parsed and checked; if it is small and names no file, built, its model being solved.
pub fn experiment(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some(source) = accepted(Source::parse("fuzz.toml".into(), None, text.into())) else { return };
    if is_small(&source) {
        accepted(Experiment::build(&source));
    }
}

/// Whether an experiment passes its checks, names no files and has a model that is solved in no time.
fn is_small(source: &Source) -> bool {
    let Some(described) = accepted(Described::read(source)) else { return false };
    let Some(dim) = accepted(described.dimension()) else { return false };
    let grid = accepted(source.section("grid")).and_then(|s| accepted(described.grid.build(&s, dim, None)));
    // What is refused anyway costs nothing.
    let cheap = || -> Option<bool> {
        let model = accepted(source.section("model"))?;
        let number = |section: &Section<'_>, key: &str| section.number(key);
        let scheme = accepted(model.table("discretisation"))?;
        let scheme = scheme.is_none_or(|scheme| {
            let steps = number(&scheme, "time").unwrap_or(0.2) / number(&scheme, "step").unwrap_or(0.01);
            !(100.0..=1e6).contains(&steps) && !(3.0..=16.0).contains(&number(&scheme, "points").unwrap_or(2.0))
        });
        let hats = accepted(model.table("perturbation"))?;
        let hats = hats.is_none_or(|hats| !(5.0..100.0).contains(&number(&hats, "nodes").unwrap_or(1.0)));
        let degree = !(4.0..=16.0).contains(&number(&model, "degree").unwrap_or(1.0));
        Some(scheme && hats && degree)
    };
    grid.is_some_and(|grid| grid.len() <= CELLS)
        && accepted(source.section("data")).is_some_and(|data| data.has("truth"))
        && cheap() == Some(true)
}

/// A table of samples, then of points of a trajectory, in one to three dimensions.
pub fn csv(bytes: &[u8]) {
    let dialect = Dialect::default();
    let names = ["x".to_string(), "y".to_string(), "x".to_string()];
    for dim in 1..=3 {
        for columns in [None, Some(&names[..dim])] {
            for time in [Time::None, Time::Column] {
                let asked = Asked { columns, time, variables: &names[..dim], ..Asked::new(dim, &dialect) };
                let input = Input::bytes("fuzz.csv".into(), bytes.to_vec());
                let Some(points) = accepted(input.and_then(|input| input.format().rows(input, &asked))) else {
                    continue;
                };
                assert!(!points.values.is_empty() && points.values.len().is_multiple_of(dim));
                assert!(points.values.iter().all(|v| v.is_finite()));
                assert!(points.dt.is_none_or(|dt| dt > 0.0 && dt.is_finite()));
                samples(&points.values.chunks_exact(dim).map(<[f64]>::to_vec).collect::<Vec<_>>(), dim);
                trajectory(&points.values, dim);
            }
        }
    }
}

/// An array, taken as density, as samples and as trajectory.
pub fn npy(bytes: &[u8]) {
    let dialect = Dialect::default();
    let input = Input::bytes("fuzz.npy".into(), bytes.to_vec());
    let array = accepted(input.and_then(|input| input.format().array(input, &Asked::new(1, &dialect))));
    let Some(Array { shape, values, .. }) = array else { return };
    assert_eq!(shape.iter().product::<usize>(), values.len());
    if let Ok(grid) = Grid::new(&vec![0.0; shape.len()], &vec![1.0; shape.len()], &shape)
        && check_density(&grid, &values).is_ok()
    {
        assert!(values.iter().all(|v| *v >= 0.0) && values.iter().any(|v| *v > 0.0));
    }
    if let [_, dim @ 1..=3] = shape[..] {
        samples(&values.chunks_exact(dim).map(<[f64]>::to_vec).collect::<Vec<_>>(), dim);
        trajectory(&values, dim);
    }
}

/// A checkpoint, and the same bytes as lines `kind content` with the right checksums.
pub fn checkpoint(bytes: &[u8]) {
    let lines = std::str::from_utf8(bytes).unwrap_or_default();
    for bytes in [bytes, Checkpoint::whole(lines).as_bytes()] {
        match Checkpoint::parse(bytes) {
            Ok(checkpoint) => go_on(&checkpoint),
            Err(problem) => assert!(!problem.is_empty()),
        }
    }
}

/// Goes on with the descents of a checkpoint for one more iteration, if its experiment is small.
fn go_on(checkpoint: &Checkpoint) {
    checkpoint.record().repeat();
    let (Some(text), Ok(iterates)) = (checkpoint.record().text.clone(), checkpoint.iterates()) else { return };
    let Some(source) = accepted(Source::parse("fuzz.toml".into(), None, text)) else { return };
    if !is_small(&source) {
        return;
    }
    let Some(experiment) = accepted(Experiment::build(&source)) else { return };
    for (index, method) in experiment.methods.iter().enumerate() {
        let progress = Progress::of(&iterates, index);
        let mut descent = experiment.descent(index, 1);
        descent.stop.iterations = descent.stop.iterations.min(progress.trace.len());
        let _ = descent.resume(progress, method.step_rule().as_mut(), &mut Silent);
    }
}

/// What was read; anything else has to be a complaint about the input.
fn accepted<T>(result: Result<T, ExperimentError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(!error.is_internal() && !error.to_string().is_empty(), "{error}");
            None
        }
    }
}

/// A density or a complaint.
fn samples(rows: &[Vec<f64>], dim: usize) {
    let Ok(grid) = Grid::new(&[-1.0; 3][..dim], &[2.0; 3][..dim], &[5, 4, 3][..dim]) else { return };
    for estimate in [Estimate::Histogram, Estimate::Kernel { bandwidth: None }] {
        if let Ok(seen) = density_of_samples(&grid, rows, &estimate) {
            is_density(&grid, &seen.density);
        }
    }
}

/// A density or a complaint; short trajectories are repeated.
fn trajectory(values: &[f64], dim: usize) {
    let points: Vec<f64> = values.iter().copied().cycle().take(values.len().max(POINTS * dim)).collect();
    let Ok((lower, upper)) = box_of(&points, dim, 0.1) else { return };
    let Ok(grid) = Grid::new(&lower, &upper, &[5, 4, 3][..dim]) else { return };
    for binning in [Binning::Nearest, Binning::Multilinear] {
        if let Ok(mut seen) = bin_trajectory(&grid, &points, binning, 0, 1) {
            is_density(&grid, &seen.density);
            if let Ok(smoothing) = GaussianSmoothing::new(&grid, grid.spacing()) {
                smoothing.apply(&mut seen.density);
                is_density(&grid, &seen.density);
            }
        }
        let functionals = wngd::linalg::faer::Mat::from_fn(grid.len(), 1, |i, _| i as f64);
        let _ = long_run_covariance(&grid, &points, binning, functionals.as_ref());
    }
}

/// Mass 1, none of it negative.
fn is_density(grid: &Grid, density: &[f64]) {
    // The mass is taken without the cell volume, which may underflow where its inverse did not.
    let mass: f64 = density.iter().map(|v| v * grid.cell_volume()).sum();
    assert!(density.iter().all(|v| *v >= 0.0) && (mass - 1.0).abs() < 1e-9, "{density:?} on {grid:?}");
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    /// Runs a reader over every seed of its fuzz target, past findings among them.
    fn replay(target: &str, reader: fn(&[u8])) {
        let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "fuzz", "seeds", target].iter().collect();
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let outcome = std::panic::catch_unwind(|| reader(&bytes));
            assert!(outcome.is_ok(), "{}", path.display());
            count += 1;
        }
        assert!(count > 5, "{count} seeds of {target}");
    }

    #[test]
    fn seeds_of_experiments_are_accepted_or_refused() {
        replay("toml", super::experiment);
    }

    #[test]
    fn seeds_of_tables_are_accepted_or_refused() {
        replay("csv", super::csv);
    }

    #[test]
    fn seeds_of_arrays_are_accepted_or_refused() {
        replay("npy", super::npy);
    }

    #[test]
    fn seeds_of_checkpoints_are_accepted_or_refused() {
        replay("checkpoint", super::checkpoint);
    }
}
