//! The page of `wngd play`, as a browser and as a stranger meet it.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use common::wngd;
use serde_json::{Value, json};

const SMALL: &str = r#"
name = "small"

[grid]
lower = [-4.0, -4.0]
upper = [7.0, 7.0]
cells = [24, 24]

[model]
kind = "gaussian-mixture"
weights = [0.3, 0.7]
means = [[2.2, 2.6], [3.0, 2.0]]
free = ["weights", "means[0]"]

[data]
truth = { weights = [0.4, 0.6], means = [[1.0, 3.0], [3.0, 2.0]] }

[basin]
parameters = ["means[0][0]", "means[0][1]"]
lower = [0.0, 0.0]
upper = [4.0, 5.0]
counts = [3, 3]

[[method]]
metric = "none"

[[method]]
metric = "l2"
step = { rule = "levenberg-marquardt" }

[[method]]
metric = "wasserstein"
step = { rule = "fixed", length = 0.5 }

[stop]
iterations = 40
"#;

/// A running `wngd play`.
struct Page {
    child: Child,
    out: BufReader<ChildStdout>,
    port: u16,
}

impl Page {
    fn open(folder: &Path) -> Self {
        Self::open_with(folder, SMALL)
    }

    fn open_with(folder: &Path, experiment: &str) -> Self {
        std::fs::write(folder.join("small.toml"), experiment).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_wngd"))
            .args(["play", "small.toml", "--port", "0"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while !text.contains("Ctrl-C") {
            assert_ne!(out.read_line(&mut text).unwrap(), 0, "{text}");
        }
        let port = text.split("127.0.0.1:").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
        Self { child, out, port }
    }

    /// Sends bytes as they are; returns status and body.
    fn raw(&self, request: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // A server that has seen enough may hang up before all is sent.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        if head.contains("chunked") {
            // Sizes stand on lines of their own, which hold no JSON.
            let lines = body.lines().filter(|line| line.starts_with('{'));
            return (status, lines.collect::<Vec<_>>().join("\n"));
        }
        (status, body.to_string())
    }

    fn get(&self, path: &str) -> (u16, String) {
        let port = self.port;
        self.raw(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").as_bytes())
    }

    fn post(&self, path: &str, body: &str) -> (u16, String) {
        self.post_with(path, body, "Content-Type: application/json\r\n")
    }

    fn post_with(&self, path: &str, body: &str, headers: &str) -> (u16, String) {
        let (port, length) = (self.port, body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n{headers}\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        self.raw(format!("{head}{body}").as_bytes())
    }

    fn descend(&self, request: &Value) -> Vec<Value> {
        let (status, text) = self.post("/api/descend", &request.to_string());
        assert_eq!(status, 200, "{text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn order(methods: &[&str]) -> Value {
    json!({ "start": [2.2, 2.6], "methods": methods, "factor": 1.0, "iterations": 40 })
}

#[test]
fn descents_are_those_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(folder.path());
    let events = page.descend(&order(&["none", "l2", "wasserstein"]));
    let run = wngd(folder.path(), &["run", "small.toml", "--out", "o", "--quiet", "--no-figures"]);
    assert!(matches!(run.status.code(), Some(0 | 1)));
    let result: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("o/result.json")).unwrap()).unwrap();
    for method in result["methods"].as_array().unwrap() {
        let own: Vec<&Value> = events.iter().filter(|e| e["method"] == method["label"]).collect();
        let iterates: Vec<&&Value> = own.iter().filter(|e| e["event"] == "iterate").collect();
        let last = iterates.last().unwrap();
        // All digits, so the same bits.
        assert_eq!(last["theta"], method["theta"], "{method}");
        assert_eq!(last["objective"], method["objective"]);
        assert_eq!(last["iteration"], method["iterations"]);
        assert_eq!(own.last().unwrap()["event"], "end");
        assert_eq!(own.last().unwrap()["status"], method["status"]);
        assert!(iterates.len() > 5);
    }
}

/// Floats as they are sent.
fn floats(value: &Value) -> Vec<f32> {
    use base64::Engine;
    let bytes = base64::prelude::BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap();
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// The end of a method's descent, and its entry in the result of a run.
fn same_end(events: &[Value], run: &Value, label: &str) {
    let mut own = events.iter().filter(|e| e["method"] == label && e["event"] == "iterate");
    let last = own.next_back().unwrap();
    let method = run["methods"].as_array().unwrap().iter().find(|m| m["label"] == label).unwrap();
    assert_eq!(last["theta"], method["theta"]);
    assert_eq!(last["objective"], method["objective"]);
}

#[test]
fn every_built_in_experiment_is_on_offer() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(folder.path());
    let choices: Value = serde_json::from_str(&page.post("/api/choices", "{}").1).unwrap();
    let names: Vec<&str> =
        choices["experiments"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap()).collect();
    let mut all = vec!["small"];
    all.extend(wngd_experiment::source::builtin::names());
    assert_eq!(names, all);
    assert_eq!(choices["objectives"], json!(["l2", "kl", "homogeneous-h-1", "linearised-wasserstein", "wasserstein"]));
    for (name, objective, origin, truth) in [
        ("peak", "kl", json!([600.0, 5.28]), json!([600.0, 5.28])),
        // Other means than the model's, which no fit can reach.
        ("mixture-weight", "l2", json!([0.3, 1.0]), Value::Null),
        ("faithful", "kl", Value::Null, Value::Null),
        ("lorenz-hats", "l2", Value::Null, Value::Null),
    ] {
        let scene = json!({ "experiment": name }).to_string();
        let (status, text) = page.post("/api/experiment", &scene);
        assert_eq!(status, 200, "{text}");
        let found: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&found["experiment"], &found["objective"]), (&json!(name), &json!(objective)));
        assert_eq!((&found["origin"], &found["truth"]), (&origin, &truth), "{name}");
        assert_eq!(page.post("/api/data", &scene).0, 200);
    }
}

#[test]
fn other_objectives_and_data_are_those_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(folder.path());
    let before = (page.get("/api/experiment"), page.get("/api/data"));
    let run = |out: &str, set: &str| -> Value {
        let args = ["run", "small.toml", "--out", out, "--quiet", "--no-figures", "--set", set];
        let output = wngd(folder.path(), &args);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&std::fs::read_to_string(folder.path().join(out).join("result.json")).unwrap()).unwrap()
    };
    let with = |scene: Value| {
        let mut request = order(&["l2"]);
        request["scene"] = scene;
        request
    };
    let kl = run("kl", "objective.kind=kl");
    same_end(&page.descend(&with(json!({ "objective": "kl" }))), &kl, "l2");
    // The two parameters of the map are the first mean; its weight stays that of the file.
    let moved = r#"data.truth={ weights = [0.4, 0.6], means = [[1.5, 2.5], [3.0, 2.0]] }"#;
    let scene = json!({ "data": [1.5, 2.5] });
    same_end(&page.descend(&with(scene.clone())), &run("moved", moved), "l2");
    let shown = page.post("/api/density", r#"{"theta":[0.4,1.5,2.5]}"#);
    let data = page.post("/api/data", &scene.to_string());
    assert_eq!(data, shown, "data are the model's density where they were made");
    assert_ne!(data, before.1);
    let told: Value = serde_json::from_str(&page.post("/api/experiment", &scene.to_string()).1).unwrap();
    assert_eq!((&told["origin"], &told["truth"]), (&json!([1.5, 2.5]), &json!([1.5, 2.5])));
    // The landscape is that of these data: lowest where they were made.
    for coarse in [true, false] {
        let asked = json!({ "scene": { "data": [1.5, 2.5] }, "coarse": coarse }).to_string();
        let map: Value = serde_json::from_str(&page.post("/api/map", &asked).1).unwrap();
        let (z, columns) = (floats(&map["z"]), map["columns"].as_u64().unwrap() as usize);
        let (lowest, _) = z.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).unwrap();
        let at = [lowest % columns, lowest / columns].map(|i| i as f64 / (columns - 1) as f64);
        assert!((4.0 * at[0] - 1.5).abs() < 0.3 && (5.0 * at[1] - 2.5).abs() < 0.3, "{at:?}");
    }
    assert_eq!((page.get("/api/experiment"), page.get("/api/data")), before);
}

#[test]
fn scenes_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(folder.path());
    let bodies = [
        (json!({ "experiment": "nothing" }), "experiment"),
        (json!({ "experiment": "../small.toml" }), "experiment"),
        (json!({ "experiment": "small.toml" }), "experiment"),
        (json!({ "objective": "nothing" }), "objective"),
        (json!({ "objective": "l2\"\nx = 1" }), "objective"),
        (json!({ "experiment": "faithful", "data": [0.4, 2.0] }), "data"),
        (json!({ "experiment": "lorenz-hats", "data": [0.0, 0.0] }), "data"),
        (json!({ "experiment": "mixture-weight", "data": [2.0, 1.0] }), "data"),
        (json!({ "data": [1.0] }), "data"),
        (json!({ "folder": "/etc" }), "folder"),
    ];
    for (scene, part) in bodies {
        for (path, body) in [
            ("/api/experiment", scene.clone()),
            ("/api/data", scene.clone()),
            ("/api/map", json!({ "scene": scene })),
            ("/api/density", json!({ "scene": scene, "theta": [0.4, 1.0, 3.0] })),
            (
                "/api/descend",
                json!({ "scene": scene, "start": [1.0, 1.0], "methods": ["l2"], "factor": 1.0, "iterations": 5 }),
            ),
        ] {
            let (status, answer) = page.post(path, &body.to_string());
            assert_eq!(status, 422, "{path} {body}: {answer}");
            assert!(answer.contains("error") && answer.contains(part), "{path} {body}: {answer}");
        }
    }
}

#[test]
fn steps_end_at_the_minimum_of_their_model() {
    let folder = tempfile::tempdir().unwrap();
    // Two free parameters, so that the map's model is the whole one.
    let page = Page::open_with(folder.path(), &SMALL.replace(r#""weights", "means[0]""#, r#""means[0]""#));
    let start = [1.5, 3.0];
    let events = page.descend(&json!({
        "start": start, "methods": ["l2"], "rule": "fixed", "factor": 0.5, "iterations": 1, "damping": 0.0
    }));
    let numbers = |event: &Value, key: &str| -> Vec<f64> {
        event[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    };
    let model = events.iter().find(|e| e["event"] == "model").unwrap();
    let next = events.iter().find(|e| e["iteration"] == 1).unwrap();
    assert_eq!(next["step"], 0.5, "half of 1, since the file has another rule");
    let (m, g) = (numbers(model, "matrix"), numbers(model, "gradient"));
    let det = m[0] * m[3] - m[1] * m[2];
    let minimiser = [start[0] - (m[3] * g[0] - m[1] * g[1]) / det, start[1] - (m[0] * g[1] - m[2] * g[0]) / det];
    let moved = numbers(next, "theta");
    for axis in 0..2 {
        assert!((moved[axis] - start[axis]).abs() > 1e-3, "{moved:?}");
        assert!((moved[axis] - minimiser[axis]).abs() < 1e-9, "{moved:?} {minimiser:?}");
    }
}

#[test]
fn densities_and_the_map_come_as_floats() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(folder.path());
    let shown: Value = serde_json::from_str(&page.post("/api/density", r#"{"theta":[0.4,1.0,3.0]}"#).1).unwrap();
    let data: Value = serde_json::from_str(&page.get("/api/data").1).unwrap();
    let (shown, data) = (floats(&shown["values"]), floats(&data["values"]));
    assert_eq!(shown.len(), 24 * 24);
    assert_eq!(shown, data, "the model at the truth is the data");
    let mass: f32 = shown.iter().sum::<f32>() * (11.0f32 / 24.0).powi(2);
    assert!((mass - 1.0).abs() < 1e-3, "{mass}");
    let map: Value = serde_json::from_str(&page.get("/api/map").1).unwrap();
    let (z, columns) = (floats(&map["z"]), map["columns"].as_u64().unwrap() as usize);
    assert!(columns >= 61 && z.len() >= 61 * 61 && z.len() % columns == 0);
    assert_eq!(map["x"], json!([0.0, 4.0]));
    assert_eq!(map["y"], json!([0.0, 5.0]));
}

#[test]
fn hostile_requests_are_refused_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(folder.path());
    let before = page.get("/api/experiment");
    assert_eq!(before.0, 200);
    let port = page.port;
    let host = format!("Host: 127.0.0.1:{port}\r\n");
    let close = "Connection: close\r\n";
    let good = order(&["l2"]).to_string();
    let long = "x".repeat(100_000);
    let heads: Vec<(u16, String)> = vec![
        (403, format!("GET / HTTP/1.1\r\nHost: evil.example\r\n{close}\r\n")),
        (403, format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{close}\r\n")),
        (403, format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}.evil.example\r\n{close}\r\n")),
        (403, format!("GET / HTTP/1.1\r\n{close}\r\n")),
        (403, format!("GET http://evil.example/ HTTP/1.1\r\n{host}{close}\r\n")),
        (400, format!("GET / HTTP/1.1\r\n{host}{host}{close}\r\n")),
        (403, format!("GET /api/map HTTP/1.1\r\n{host}Origin: http://evil.example\r\n{close}\r\n")),
        (403, format!("GET /api/map HTTP/1.1\r\n{host}Origin: null\r\n{close}\r\n")),
        (403, format!("GET /api/map HTTP/1.1\r\n{host}Origin: https://127.0.0.1:{port}\r\n{close}\r\n")),
        (403, format!("GET /api/map HTTP/1.1\r\n{host}Sec-Fetch-Site: cross-site\r\n{close}\r\n")),
        (403, format!("GET /play.js HTTP/1.1\r\n{host}Sec-Fetch-Site: same-site\r\n{close}\r\n")),
        (
            403,
            format!(
                "POST /api/descend HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: {}\r\n{close}\r\n{good}",
                good.len()
            ),
        ),
        (404, format!("GET /../../etc/passwd HTTP/1.1\r\n{host}{close}\r\n")),
        (404, format!("GET /%2e%2e/small.toml HTTP/1.1\r\n{host}{close}\r\n")),
        (405, format!("PUT / HTTP/1.1\r\n{host}{close}\r\n")),
        (405, format!("GET /api/descend HTTP/1.1\r\n{host}{close}\r\n")),
        (400, "garbage\r\n\r\n".into()),
        (400, format!("GET / HTTP/9.9\r\n{host}\r\n")),
        (431, format!("GET / HTTP/1.1\r\n{host}X: {long}\r\n\r\n")),
    ];
    for (status, request) in &heads {
        let (found, body) = page.raw(request.as_bytes());
        assert_eq!(found, *status, "{request:.200}\n{body:.300}");
    }
    let with = |key: &str, value: Value| {
        let mut request = order(&["l2"]);
        request[key] = value;
        request.to_string()
    };
    let bodies: Vec<(u16, &str, String)> = vec![
        (400, "/api/descend", "{".into()),
        (400, "/api/descend", String::new()),
        (422, "/api/descend", format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000))),
        (422, "/api/descend", "[]".into()),
        (413, "/api/descend", long.clone()),
        (422, "/api/descend", with("start", json!([1.0]))),
        (422, "/api/descend", with("start", json!([null, 1.0]))),
        (400, "/api/descend", good.replace("2.2", "1e999")),
        (422, "/api/descend", with("methods", json!([]))),
        (422, "/api/descend", with("methods", json!(["l2", "l2"]))),
        (422, "/api/descend", with("methods", json!(["../l2"]))),
        (422, "/api/descend", with("iterations", json!(0))),
        (422, "/api/descend", with("iterations", json!(1_000_000_000u64))),
        (422, "/api/descend", with("iterations", json!(-1))),
        (422, "/api/descend", with("factor", json!(0.0))),
        (422, "/api/descend", with("factor", json!(1e300))),
        (422, "/api/descend", with("damping", json!(-1.0))),
        (422, "/api/descend", with("rule", json!("none"))),
        (422, "/api/descend", with("file", json!("/etc/passwd"))),
        (422, "/api/density", r#"{"theta":[]}"#.into()),
        (422, "/api/density", r#"{"theta":[2.0,1.0,1.0]}"#.into()),
        (422, "/api/density", r#"{"theta":[0.5,1.0,1.0,1.0]}"#.into()),
    ];
    for (status, path, body) in &bodies {
        let (found, answer) = page.post(path, body);
        assert_eq!(found, *status, "{body:.200}\n{answer:.300}");
        assert!(answer.contains("error"), "{answer:.300}");
    }
    assert_eq!(page.post_with("/api/descend", &good, "Content-Type: text/plain\r\n").0, 415);
    assert_eq!(page.post_with("/api/descend", &good, "").0, 415);
    // A body shorter than it says, and then nothing more.
    let cut = format!(
        "POST /api/descend HTTP/1.1\r\n{host}Origin: http://127.0.0.1:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: 9999\r\n{close}\r\n{{"
    );
    assert_eq!(page.raw(cut.as_bytes()).0, 408);
    assert_eq!(page.get("/api/experiment"), before);
    assert_eq!(page.descend(&order(&["l2"])).last().unwrap()["event"], "end");
}

#[test]
fn a_flood_is_damped() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(folder.path());
    let one = format!("GET /play.css HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", page.port);
    let last = format!("{one}Connection: close\r\n\r\n");
    let mut stream = TcpStream::connect(("127.0.0.1", page.port)).unwrap();
    let mut sender = stream.try_clone().unwrap();
    let requests = format!("{one}\r\n").repeat(3000) + &last;
    let sending = std::thread::spawn(move || sender.write_all(requests.as_bytes()));
    let mut answers = String::new();
    let _ = stream.read_to_string(&mut answers);
    let _ = sending.join();
    assert!(answers.contains("HTTP/1.1 429"), "nothing was refused");
    assert!(answers.contains("HTTP/1.1 200"));
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(page.get("/").0, 200);
}

/// The page answers within a time that a reader does not mind.
fn answers_soon(page: &Page) {
    let clock = Instant::now();
    assert_eq!(page.get("/").0, 200);
    assert_eq!(page.get("/api/experiment").0, 200);
    assert!(clock.elapsed() < Duration::from_secs(10), "{:?}", clock.elapsed());
}

#[test]
fn another_page_does_not_silence_it() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(folder.path());
    let foreign = format!(
        "GET /api/map HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n",
        page.port
    );
    for _ in 0..400 {
        assert_eq!(page.raw(foreign.as_bytes()).0, 403);
    }
    for _ in 0..40 {
        assert_eq!(page.get("/").0, 200);
    }
}

#[test]
fn silent_connections_and_deaf_readers_do_not_keep_it_busy() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(folder.path());
    let connect = || TcpStream::connect(("127.0.0.1", page.port)).unwrap();
    let silent: Vec<TcpStream> = (0..400).map(|_| connect()).collect();
    answers_soon(&page);
    drop(silent);
    let body =
        json!({ "start": [2.2, 2.6], "methods": ["none", "l2", "wasserstein"], "factor": 1.0, "iterations": 2000 })
            .to_string();
    let port = page.port;
    let deaf: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = connect();
            write!(
                stream,
                "POST /api/descend HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
            stream
        })
        .collect();
    answers_soon(&page);
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string(format!("/proc/{}/status", page.child.id())).unwrap();
        let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap();
        assert!(threads.trim().parse::<usize>().unwrap() < 80, "{threads} threads");
    }
    drop(deaf);
    answers_soon(&page);
}

#[test]
#[cfg(unix)]
fn ctrl_c_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut page = Page::open(folder.path());
    // Also while a descent has nobody who listens.
    let mut deaf = TcpStream::connect(("127.0.0.1", page.port)).unwrap();
    let body = order(&["none", "wasserstein"]).to_string();
    let port = page.port;
    write!(
        deaf,
        "POST /api/descend HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let status = Command::new("kill").args(["-INT", &page.child.id().to_string()]).status().unwrap();
    assert!(status.success());
    assert_eq!(page.child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    page.out.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("stopped"), "{rest}");
}

#[test]
fn what_cannot_be_played_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let page = Page::open(folder.path());
    let refused = |args: &[&str], part: &str| {
        let output = wngd(folder.path(), args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(part), "{text}");
    };
    refused(&["play", "small.toml", "--port", &page.port.to_string()], "choose another");
    refused(&["play", "small.toml", "--port", "70000"], "--port");
    refused(&["play", "smal.toml"], "smal.toml");
    let one = SMALL.replace(r#"free = ["weights", "means[0]"]"#, r#"free = ["weights"]"#);
    let one = one.replace(r#"parameters = ["means[0][0]", "means[0][1]"]"#, r#"parameters = ["weights[0]"]"#);
    std::fs::write(folder.path().join("one.toml"), &one).unwrap();
    refused(&["play", "one.toml"], "basin.lower");
    let one = one.replace("[0.0, 0.0]", "[0.0]").replace("[4.0, 5.0]", "[1.0]");
    std::fs::write(folder.path().join("one.toml"), one).unwrap();
    refused(&["play", "one.toml"], "two free parameters");
}
