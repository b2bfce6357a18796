//! What a result folder says, to compare commands bit by bit.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// All result files of a folder by name, without the seconds, which differ from run to run.
pub fn results(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        let bytes = || std::fs::read(&path).unwrap();
        let content = match path.extension().and_then(|e| e.to_str()) {
            // It holds the arguments.
            Some("json") if name == "run.json" => continue,
            Some("json") => timeless(serde_json::from_slice(&bytes()).unwrap()).to_string().into_bytes(),
            Some("csv") => without_column(&String::from_utf8(bytes()).unwrap(), "seconds").into_bytes(),
            Some("npy") => bytes(),
            _ => continue,
        };
        found.insert(name, content);
    }
    assert!(!found.is_empty(), "{} has no results", folder.display());
    found
}

fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            map.remove("seconds");
            map.values_mut().for_each(|v| *v = timeless(v.take()));
        }
        Value::Array(list) => list.iter_mut().for_each(|v| *v = timeless(v.take())),
        _ => {}
    }
    value
}

fn without_column(text: &str, column: &str) -> String {
    let at = text.lines().next().unwrap().split(',').position(|name| name == column);
    let rows = text.lines().map(|line| {
        let cells = line.split(',').enumerate().filter(|(i, _)| Some(*i) != at).map(|(_, cell)| cell);
        cells.collect::<Vec<_>>().join(",")
    });
    rows.collect::<Vec<_>>().join("\n")
}
