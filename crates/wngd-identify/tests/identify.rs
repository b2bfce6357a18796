//! Identification without files: what it finds, tells, keeps and refuses.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/common/memory.rs"]
mod memory;

use memory::Memory;
use wngd_identify::{
    Event, Identification, IdentifyError, Problem, Settings, SettingsError, SimulateError, identify, simulate,
};
use wngd_linalg::Grid;
use wngd_models::box_of;
use wngd_models::flow::system;
use wngd_opt::KeepNothing;

/// Points of van der Pol's oscillator at mu = 1.3, 0.1 apart, and a grid around them.
fn data() -> (Vec<f64>, Grid) {
    let oscillator = system("van-der-pol").unwrap();
    let points = simulate(oscillator.field.as_ref(), &[1.3], &oscillator.start, 0.1, 6000, 50.0).unwrap();
    let (lower, upper) = box_of(&points, 2, 0.1).unwrap();
    (points, Grid::new(&lower, &upper, &[20, 20]).unwrap())
}

fn problem() -> Problem {
    Problem::new(system("van-der-pol").unwrap().field, vec![1.0], None).unwrap()
}

fn settings() -> Settings {
    Settings { dt: Some(0.1), replicates: 2, ..Settings::default() }
}

/// Everything that was found, but for the seconds.
fn shown(found: &Identification) -> String {
    let mut found = found.clone();
    found.fit.trace.iter_mut().for_each(|row| row.seconds = 0.0);
    format!("{found:?}")
}

#[test]
fn a_parameter_is_found_and_the_stages_are_told() {
    let (points, grid) = data();
    let mut told = Vec::new();
    let mut rows = 0;
    let watch = &mut |event: &Event<'_>| match event {
        Event::Iterate(_) => rows += 1,
        other => told.push(other.to_string()),
    };
    let found = identify(&problem(), &points, grid, &settings(), &KeepNothing, watch).unwrap();
    assert!((found.theta[0] / 1.3 - 1.0).abs() < 0.01, "{:?}", found.theta);
    assert!(found.corrections.len() > 1 && found.stalled.is_none(), "{found:?}");
    assert_eq!(rows, found.fit.trace.len());
    assert_eq!(told[0], "coarse fit");
    assert!(told[1].starts_with("fit from (") && told[2].starts_with("raw fit ("), "{told:?}");
    assert!(told[3].starts_with("correction 1: ("), "{told:?}");
    assert_eq!(told.last().unwrap(), "response to the parameters");
}

#[test]
fn an_interrupted_identification_goes_on_with_the_same_bits() {
    let (points, grid) = data();
    let run = |keep: &Memory| identify(&problem(), &points, grid.clone(), &settings(), keep, &mut |_| {});
    let whole = Memory::new(Vec::new(), usize::MAX);
    let expected = shown(&run(&whole).unwrap());
    let pieces = whole.kept().len();
    assert!(pieces > 10);
    for room in (1..pieces).step_by(3) {
        let first = Memory::new(Vec::new(), room);
        match run(&first) {
            // Told to stop at the very end, it ends.
            Ok(found) => assert!(found.stalled.is_some() || shown(&found) == expected, "after {room} pieces"),
            Err(error) => assert!(matches!(error, IdentifyError::Stopped), "{error}"),
        }
        let earlier = first.kept();
        let kept = earlier.len();
        let second = Memory::new(earlier, usize::MAX);
        assert_eq!(shown(&run(&second).unwrap()), expected, "stopped after {room} pieces");
        // Nothing is computed twice.
        assert_eq!(second.kept().len(), pieces - kept);
    }
}

#[test]
fn what_cannot_work_is_refused() {
    let (points, grid) = data();
    let run = |points: &[f64], grid: &Grid, settings: &Settings| {
        identify(&problem(), points, grid.clone(), settings, &KeepNothing, &mut |_| {}).unwrap_err()
    };
    let line = Grid::new(&[0.0], &[1.0], &[20]).unwrap();
    assert!(matches!(run(&points, &line, &settings()), IdentifyError::Axes { axes: 1, dim: 2 }));
    let one = Settings { replicates: 1, ..settings() };
    assert!(matches!(run(&points, &grid, &one), IdentifyError::Settings(SettingsError::OneReplicate)));
    for few in [&points[..0], &points[..999], &points[..4001]] {
        assert!(matches!(run(few, &grid, &settings()), IdentifyError::Trajectory(_)), "{} numbers", few.len());
    }
    let mut holed = points.clone();
    holed[77] = f64::NAN;
    assert!(matches!(run(&holed, &grid, &settings()), IdentifyError::Trajectory(_)));
    let far = Problem::new(system("van-der-pol").unwrap().field, vec![1e9], None).unwrap();
    let error = identify(&far, &points, grid, &settings(), &KeepNothing, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("must stay finite"), "{error}");
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let oscillator = system("van-der-pol").unwrap();
    let run = |theta: &[f64], start: &[f64], dt: f64, points: usize| {
        simulate(oscillator.field.as_ref(), theta, start, dt, points, 0.0).unwrap_err()
    };
    assert!(matches!(run(&[1.0, 2.0], &[1.0, 1.0], 0.1, 10), SimulateError::Theta { .. }));
    assert!(matches!(run(&[1.0], &[1.0], 0.1, 10), SimulateError::Start { .. }));
    assert!(matches!(run(&[1.0], &[1.0, 1.0], 0.0, 10), SimulateError::TimeStep { .. }));
    assert!(matches!(run(&[1.0], &[1.0, 1.0], 0.1, usize::MAX), SimulateError::TooManyPoints { .. }));
    assert!(run(&[1.0, 2.0], &[1.0, 1.0], 0.1, 10).to_string().contains("van-der-pol takes"));
}
