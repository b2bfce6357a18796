//! Points in parts: the same bits as points in memory, answers that say what was left out, memory that does not grow.
#![allow(clippy::unwrap_used)]

mod systems;

use systems::{dynamics, entry, noisy, points, shuffled, truth, written};
use wngd_identify::{
    Dynamics, Estimate, IdentifyError, InMemory, NoiseLevel, Question, Sample, Stream, Verdict, WeakStationary,
    answer_streamed,
};

fn stream(points: &[f64], records: &[usize], dt: Option<f64>) -> Stream {
    let dim = points.len() / records.iter().sum::<usize>();
    Stream::new(Box::new(InMemory::new(points.to_vec(), dim, records.to_vec()).unwrap()), dt, true).unwrap()
}

fn on<T: Send>(threads: usize, job: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(job)
}

/// Every number of an estimate but the seconds.
fn bits(found: &Estimate) -> String {
    format!("{:?}", Estimate { seconds: 0.0, ..found.clone() })
}

#[test]
fn in_parts_or_in_memory_on_any_number_of_threads_the_bits_are_the_same() {
    let lorenz = entry("lorenz63");
    let data = points(lorenz, 120_000, 0.05, 3);
    let (data, _) = noisy(data, 0.02, 1);
    let model = dynamics(lorenz);
    let noise: Vec<f64> = vec![0.15; 3];
    for (records, dt) in [(vec![120_000], Some(0.05)), (vec![70_003, 17, 49_980], Some(0.05)), (vec![120_000], None)] {
        let weak = WeakStationary { noise: noise.clone(), seed: 5 };
        let sample = Sample::new(data.clone(), 3, records.clone(), dt).unwrap();
        let held = weak.estimate(&model, &sample).unwrap();
        let parts = stream(&data, &records, dt);
        for threads in [1, 3] {
            let found = on(threads, || weak.estimate_in_parts(&model, &parts).unwrap());
            assert_eq!(bits(&found), bits(&held));
        }
    }
}

#[test]
fn fields_that_are_no_polynomials_have_the_same_bits_too() {
    let thomas = entry("thomas");
    let data = points(thomas, 60_000, 0.3, 1);
    let model = dynamics(thomas);
    let sample = Sample::new(data.clone(), 3, vec![60_000], Some(0.3)).unwrap();
    let held = WeakStationary::default().estimate(&model, &sample).unwrap();
    let found = WeakStationary::default().estimate_in_parts(&model, &stream(&data, &[60_000], Some(0.3))).unwrap();
    assert_eq!(bits(&found), bits(&held));
    assert!((found.theta[0] / truth(thomas)[0] - 1.0).abs() < 1e-3, "{:?}", found.theta);
}

#[test]
fn the_answer_says_what_was_left_out_and_what_the_noise_is() {
    let lorenz = entry("lorenz63");
    let (clean, truth, model) = (points(lorenz, 130_000, 0.05, 3), truth(lorenz), dynamics(lorenz));
    let found = answer_streamed(&model, &stream(&clean, &[130_000], Some(0.05)), &Question::default()).unwrap();
    assert_eq!((found.verdict, found.estimate().estimator), (Verdict::Fits, "weak-stationary"));
    assert!(found.remarks[1].contains("130000 points are read in parts") && found.remarks[1].contains("shooting"));
    for (found, exact) in found.estimate().theta.iter().zip(&truth) {
        assert!((found / exact - 1.0).abs() < 1e-4, "{found} {exact}");
    }
    let (data, deviations) = noisy(clean.clone(), 0.05, 2);
    let found = answer_streamed(&model, &stream(&data, &[130_000], Some(0.05)), &Question::default()).unwrap();
    println!("{found:#?}");
    assert_eq!(found.verdict, Verdict::Fits);
    for (share, (noise, whole)) in found.noise_share.iter().zip(deviations.iter().zip(WHOLE)) {
        assert!((share * whole / noise - 1.0).abs() < 0.05, "{:?} {deviations:?}", found.noise_share);
    }
    let errors = found.estimate().standard_errors.as_ref().unwrap();
    for ((found, exact), error) in found.estimate().theta.iter().zip(&truth).zip(errors) {
        assert!((found - exact).abs() < 4.0 * error.unwrap() && error.unwrap() < 0.01 * exact, "{found} {error:?}");
    }
    // What is declared to be clean is not.
    let question = Question { noise: NoiseLevel::Share(0.0), ..Question::default() };
    let found = answer_streamed(&model, &stream(&data, &[130_000], Some(0.05)), &question).unwrap();
    assert_eq!(found.verdict, Verdict::Misfit, "{:?}", found.remarks);
}

/// Scatter of the coordinates of Lorenz' system.
const WHOLE: [f64; 3] = [7.92, 9.01, 8.62];

#[test]
fn wrong_models_and_wrong_data_are_told_from_parts_as_well() {
    let lorenz = entry("lorenz63");
    let (clean, model) = (points(lorenz, 60_000, 0.05, 3), dynamics(lorenz));
    let verdict = |model: &Dynamics, data: &[f64], dt: Option<f64>| {
        let found = answer_streamed(model, &stream(data, &[data.len() / 3], dt), &Question::default()).unwrap();
        (found.verdict, found.remarks.join("; "))
    };
    let parameters = [("s", 10.0), ("r", 28.0), ("b", 2.7)];
    let other = written("other", &["x", "y", "z"], &["s*(y - x)", "x*(r - 0.9*z) - y", "x*y - b*z"], &parameters);
    let other = Dynamics::written(&other, vec![10.0, 28.0, 2.7], None).unwrap();
    assert_eq!(verdict(&other, &clean, Some(0.05)).0, Verdict::Misfit);
    let mut marked = clean.clone();
    (0..20).for_each(|k| marked[3 * (3000 * k + 1234) + 1] = -999.0);
    let (found, text) = verdict(&model, &marked, Some(0.05));
    assert!(found == Verdict::Misfit && text.contains("row 1235 has y = -999"), "{text}");
    let swapped: Vec<f64> = clean.chunks_exact(3).flat_map(|p| [p[1], p[0], p[2]]).collect();
    let (found, text) = verdict(&model, &swapped, Some(0.05));
    assert!(found == Verdict::Misfit && text.contains("swapped columns"), "{text}");
    let (found, text) = verdict(&model, &clean, Some(50.0));
    assert!(found == Verdict::Misfit && text.contains("units of time"), "{text}");
    // Without an order nothing tells the unit of time of a system all of whose terms are free.
    let parameters = [("s", 10.0), ("r", 28.0), ("b", 2.7), ("m", 1.0)];
    let free = written("free", &["x", "y", "z"], &["s*(y - x)", "r*x - m*(x*z + y)", "m*x*y - b*z"], &parameters);
    let free = Dynamics::written(&free, vec![10.0, 28.0, 2.7, 1.0], None).unwrap();
    let (found, text) = verdict(&free, &shuffled(&clean, 3, 1), None);
    assert!(found == Verdict::Undetermined && text.contains("multiplied by one constant"), "{text}");
}

#[test]
fn what_needs_points_in_memory_is_refused() {
    let lorenz = entry("lorenz63");
    let (data, model) = (points(lorenz, 2000, 0.05, 3), dynamics(lorenz));
    let parts = stream(&data, &[2000], Some(0.05));
    let asked = |estimators: &[&str]| {
        let estimators = Some(estimators.iter().map(|name| name.to_string()).collect());
        answer_streamed(&model, &parts, &Question { estimators, ..Question::default() })
    };
    assert!(
        matches!(asked(&["weak-stationary", "shooting"]), Err(IdentifyError::NotHeld { names }) if names == "shooting")
    );
    assert!(asked(&["weak-stationary"]).is_ok());
    let question = Question { observed: Some(vec![0]), ..Question::default() };
    assert!(matches!(answer_streamed(&model, &parts, &question), Err(IdentifyError::NotHeld { .. })));
    let stopped = dynamics(lorenz).stopping(|| true);
    let found = answer_streamed(&stopped, &parts, &Question::default());
    assert!(matches!(found, Err(IdentifyError::Stopped)));
}
