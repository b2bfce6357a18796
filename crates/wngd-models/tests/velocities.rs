//! Velocities of systems by their equations beside those that the `dysts` collection computes.
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use wngd_models::flow::system;

#[test]
fn equations_are_those_of_the_collection() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/dysts_velocities.json");
    let data: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let numbers =
        |value: &Value| -> Vec<f64> { value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect() };
    let mut compared = 0;
    for (name, entry) in data.as_object().unwrap() {
        let system = system(name).unwrap();
        let mut ours = vec![0.0; 3];
        for (point, theirs) in entry["points"].as_array().unwrap().iter().zip(entry["velocities"].as_array().unwrap()) {
            system.field.velocity(&numbers(point), &system.theta, &mut ours);
            let theirs = numbers(theirs);
            let size = theirs.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
            assert!(
                ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() <= 1e-12 * size),
                "{name}: {ours:?} {theirs:?}"
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 3 * 37);
}
