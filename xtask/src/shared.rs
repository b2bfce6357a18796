//! The commands whose units engines share, and their results without what tells of time.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Commands, and the file of their results.
pub(crate) const COMMANDS: [(&str, &str); 5] = [
    ("basin mixture-mu1 --counts 4,3", "basin.json"),
    ("toys peak --count 40", "toys.json"),
    ("sketch mixture-mu1 --seeds 2 --probes 8,16", "sketch.json"),
    ("profile faithful --parameters weights[0]", "profile.json"),
    (
        "identify --system lorenz63 --trajectory points.csv --start 9.5,27,2.6 --noise 0.2,0.2,0.2 \
         --estimator weak-stationary,weak-in-time,smoother,simulated-moments",
        "result.json",
    ),
];
/// The points of the last one.
const POINTS: &str = "simulate --system lorenz63 --points 1200 --noise 0.2,0.2,0.2 --out points.csv";

/// Simulates the points that the commands read, in a folder.
pub(crate) fn points(tool: &Path, folder: &Path) -> Outcome<()> {
    let simulated = Command::new(tool).args(POINTS.split(' ')).current_dir(folder).status()?;
    if simulated.success() { Ok(()) } else { Err("the points could not be simulated".into()) }
}

/// A result without its seconds.
pub(crate) fn result(folder: &Path, name: &str, file: &str) -> Outcome<Value> {
    fn timeless(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("seconds");
                fields.values_mut().for_each(timeless);
            }
            Value::Array(values) => values.iter_mut().for_each(timeless),
            _ => {}
        }
    }
    let mut value = serde_json::from_str(&fs::read_to_string(folder.join(name).join(file))?)?;
    timeless(&mut value);
    Ok(value)
}
