//! The stages of an identification.

use wngd_adjoint::ForwardModel;
use wngd_linalg::Grid;
use wngd_models::flow::{Discretisation, StationaryDensity, VelocityField};
use wngd_opt::Keep;
use wngd_opt::Objective;

use crate::correct;
use crate::error::IdentifyError;
use crate::event::Event;
use crate::found::Identification;
use crate::level::Level;
use crate::problem::{Problem, Settings};
use crate::scale::{scheme_at, time_scale};
use crate::score::Score;
use crate::shifts::Shifts;
use crate::simulate::noise_deviations;

/// A coarser level than this says little.
const COARSEST: usize = 8;
/// Most halvings of the map time.
const HALVINGS: usize = 6;

/// Identifies the free parameters of a system from points on its attractor.
///
/// `watch` hears of every stage and sees every iterate of the fit to the data. Iterates and shifts are kept by
/// `keep`: where it has those of an interrupted process, the result has the same bits as without the interruption.
///
/// # Shapes
/// `points`: N rows of d coordinates, row-major; `grid`: d axes.
///
/// # Cost
/// Two fits by some ten factorisations each, then up to corrections × replicates simulations of N points, and
/// 2p × replicates for each response to the parameters.
///
/// # Errors
/// Unusable points or settings, a fit to the data that cannot be carried out; [`IdentifyError::Stopped`] if `keep`
/// says so before that fit begins. A correction that cannot be carried out is halved and noted.
pub fn identify(
    problem: &Problem,
    points: &[f64],
    grid: Grid,
    settings: &Settings,
    keep: &dyn Keep,
    watch: &mut dyn FnMut(&Event<'_>),
) -> Result<Identification, IdentifyError> {
    let dim = problem.field.dim();
    settings.check(dim)?;
    if grid.dim() != dim {
        return Err(IdentifyError::Axes { axes: grid.dim(), dim });
    }
    let mut notes = Vec::new();
    let mut theta = problem.start();
    let time_scale = time_scale(problem.field.as_ref(), &problem.theta, points);
    let scheme = match settings.scheme {
        Some(scheme) => scheme,
        None => finite_scheme(problem, &grid, scheme_at(time_scale))?,
    };
    let noise = noise_deviations(&settings.noise, points, dim);
    let mut coarsely = None;
    let coarse: Vec<usize> = grid.cells().iter().map(|n| n / 2).collect();
    if coarse.iter().all(|n| *n >= COARSEST) {
        watch(&Event::CoarseFit);
        let coarse = Grid::new(grid.lower(), grid.upper(), &coarse)?;
        let level = Level::new(problem, coarse, scheme, settings.view, &noise)?;
        match level.fit(level.bin(points)?.density, &theta, (keep, 0), &mut |_| {}) {
            Ok(outcome) => coarsely = Some(outcome.last().theta.clone()),
            Err(error) => notes.push(format!("the fit on the coarse grid was left out: {error}")),
        }
        // From where a coarse fit was stopped no other fit may begin.
        if keep.stopped() {
            return Err(IdentifyError::Stopped);
        }
    }
    let level = Level::new(problem, grid, scheme, settings.view, &noise)?;
    let data = level.bin(points)?;
    let counts = [data.inside, data.outside];
    let data = data.density;
    if let Some(coarse) = coarsely {
        let objective = level.objective(data.clone())?;
        let value = |theta: &[f64]| level.model.state(theta).ok().and_then(|state| objective.value(&state).ok());
        // A coarse fit may have run away to where nothing depends on the parameters.
        match (value(&coarse), value(&theta)) {
            (Some(at_coarse), at_start) if at_start.is_none_or(|f| at_coarse < f) => theta = coarse,
            _ => notes.push("the fit on the coarse grid led away from the data and was left out".into()),
        }
    }
    watch(&Event::Fit { start: &theta });
    let fit = level.fit(data.clone(), &theta, (keep, 1), &mut |row| watch(&Event::Iterate(row)))?;
    let raw = fit.last().theta.clone();
    watch(&Event::RawFit { theta: &raw });

    let mut score = Score::new(&level, &data, &raw)?;
    let raw_standard_errors = match score.standard_errors(&level, points) {
        Ok(errors) => Some(errors),
        Err(error) => {
            notes.push(format!("no standard errors of the raw fit: {error}"));
            None
        }
    };
    let dt = match settings.dt {
        Some(dt) => dt,
        None => {
            let dt = time_step(problem.field.as_ref(), points, &level.model.density.theta_full(&raw)?);
            notes.push(format!("time between points estimated as {dt:.4}; give dt, or times with the points"));
            dt
        }
    };
    if let Discretisation::SemiLagrangian { time, .. } = scheme {
        notes.push(format!("map time {time:.3} for the time scale {time_scale:.3} of the data"));
    }
    let mut found = Identification {
        theta: raw.clone(),
        raw,
        raw_standard_errors,
        corrections: Vec::new(),
        standard_errors: None,
        identifiability: score.identifiability.clone(),
        dt,
        time_scale,
        noise,
        points: counts,
        notes,
        stalled: None,
        grid: level.grid().clone(),
        data,
        fit,
    };
    if !score.identifiability.eigenvalues.last().is_some_and(|largest| *largest > 0.0) {
        found.stalled = Some("the density at the fit does not depend on the parameters; start closer to the data");
    } else if settings.replicates > 0 {
        correct::correct(problem, &level, &score, points, settings, &Shifts::of(keep), watch, &mut found);
    }
    Ok(found)
}

/// Halves the map time until the flow from every cell of the box stays finite at the start; the corners of a box
/// are far from the attractor.
fn finite_scheme(problem: &Problem, grid: &Grid, scheme: Discretisation) -> Result<Discretisation, IdentifyError> {
    let mut tried = scheme;
    for _ in 0..HALVINGS {
        let density = StationaryDensity::new(problem.field.clone(), grid.clone(), tried, None, problem.theta.clone())?;
        if density.generator(&problem.theta).is_ok() {
            return Ok(tried);
        }
        if let Discretisation::SemiLagrangian { time, step, .. } = &mut tried {
            (*time, *step) = (0.5 * *time, 0.5 * *step);
        }
    }
    // The fit tells why it cannot be.
    Ok(scheme)
}

/// Time between points: mean distance over mean speed. For points in no order it comes out long,
/// as suits points that are nearly independent.
fn time_step(field: &dyn VelocityField, points: &[f64], theta: &[f64]) -> f64 {
    let dim = field.dim();
    let (mut distance, mut speed) = (0.0, 0.0);
    let mut velocity = vec![0.0; dim];
    for pair in points.chunks_exact(dim).zip(points.chunks_exact(dim).skip(1)) {
        distance += pair.0.iter().zip(pair.1).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        field.velocity(pair.0, theta, &mut velocity);
        speed += velocity.iter().map(|v| v * v).sum::<f64>().sqrt();
    }
    (distance / speed).clamp(1e-4, 1.0)
}
