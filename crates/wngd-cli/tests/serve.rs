//! `wngd serve`, as our own client, `wngd run` and a stranger meet it.
#![cfg(feature = "play")]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{code, stderr, wngd};
use wngd_umbridge::{Client, Fault, Settings};

struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn new(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_wngd"))
            .args([&["serve"], arguments, &["--port", "0"]].concat())
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let at = |line: String| Some(line.strip_prefix("UM-Bridge at ")?.split(';').next()?.to_string());
        let url = out.lines().map_while(Result::ok).find_map(at).unwrap();
        Self { child, url }
    }

    fn client(&self, name: &str) -> Client {
        Client::connect(Settings::new(&self.url, name)).unwrap()
    }

    /// Status and body of a request as it is.
    fn raw(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        // A connection that is cut is an answer, too.
        let _ = stream.read_to_string(&mut text);
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_string()).unwrap_or_default())
    }

    fn post(&self, path: &str, headers: &str, body: &str) -> (u16, String) {
        let host = self.url.trim_start_matches("http://");
        let length = body.len();
        self.raw(&format!(
            "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn values_and_products_are_those_of_the_experiment() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::new(folder.path(), &["mixture-mu1"]);
    let (forward, objective) = (served.client("forward"), served.client("objective"));
    assert_eq!((forward.parameters(), forward.values()), (2, 7225));
    assert_eq!((objective.parameters(), objective.values()), (2, 1));
    let output = wngd(folder.path(), &["inspect", "mixture-mu1", "--json", "--theta", "3.5,2.25"]);
    let inspected: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let theta = [3.5, 2.25];
    assert_eq!(objective.evaluate(&theta).unwrap()[0], inspected["objective"].as_f64().unwrap());
    let gradient: Vec<f64> = serde_json::from_value(inspected["gradient"].clone()).unwrap();
    assert_eq!(objective.gradient(&theta, &[1.0]).unwrap(), gradient);
    let slope = objective.apply_jacobian(&theta, &[2.0, -1.0]).unwrap()[0];
    assert!((slope - (2.0 * gradient[0] - gradient[1])).abs() < 1e-15 * gradient[0].abs().max(1.0));
    let s: Vec<f64> = (0..7225).map(|i| (0.1 * f64::from(i)).sin()).collect();
    let tangent = forward.apply_jacobian(&theta, &[1.0, 0.5]).unwrap();
    let adjoint = forward.gradient(&theta, &s).unwrap();
    let (a, b): (f64, f64) = (tangent.iter().zip(&s).map(|(t, s)| t * s).sum(), adjoint[0] + 0.5 * adjoint[1]);
    assert!((a - b).abs() < 1e-12 * a.abs().max(1.0), "{a} {b}");
    let outside = served.client("forward").evaluate(&[f64::MAX, 0.0]);
    assert!(outside.is_err() || outside.unwrap().iter().all(|v| v.is_finite()));
}

#[test]
fn a_served_model_descends_as_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let served = Served::new(dir, &["mixture-mu1"]);
    let rest = "[data]\ntruth = { theta = [1.0, 3.0] }\n[[method]]\nmetric = \"wasserstein\"\nsolver = \"qr\"\n[stop]\niterations = 6\n";
    let text = format!(
        "name = \"far\"\n[grid]\nlower = [-6.0, -6.0]\nupper = [11.0, 11.0]\ncells = [85, 85]\n[model]\nkind = \"um-bridge\"\n\
         url = \"{}\"\nname = \"forward\"\nstart = [4.2, 4.0]\n{rest}",
        served.url
    );
    std::fs::write(dir.join("far.toml"), text).unwrap();
    let output = wngd(dir, &["run", "far.toml", "--out", "far", "--quiet", "--no-figures"]);
    assert!(code(&output) < 2, "{}", stderr(&output));
    let set = ["--set", "stop.iterations=6"];
    let near = [&["run", "mixture-mu1", "--out", "near", "--quiet", "--no-figures"], &set[..]].concat();
    assert!(code(&wngd(dir, &near)) < 2);
    let result = |name: &str| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(dir.join(name).join("result.json")).unwrap()).unwrap()
    };
    let first = |name: &str| result(name)["methods"][0]["objective0"].as_f64().unwrap();
    assert!((first("far") - first("near")).abs() < 1e-12 * first("near"));
    let last = result("far")["methods"][0]["objective"].as_f64().unwrap();
    assert!(last < 1e-2 * first("far"), "{last}");
}

#[test]
fn strangers_and_nonsense_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::new(folder.path(), &["mixture-mu1"]);
    let good = "{\"name\": \"forward\", \"input\": [[4.0, 3.0]], \"config\": {}}";
    assert_eq!(served.post("Evaluate", "", good).0, 200);
    // A page elsewhere, through the browser of whoever reads it.
    assert_eq!(served.post("Evaluate", "Origin: http://elsewhere.invalid\r\n", good).0, 403);
    let own = format!("Origin: {}\r\n", served.url);
    assert_eq!(served.post("Evaluate", &own, good).0, 403);
    assert_eq!(served.post("Evaluate", "Sec-Fetch-Site: same-origin\r\n", good).0, 403);
    assert_eq!(served.raw("GET /Info HTTP/1.1\r\nHost: elsewhere.invalid\r\n\r\n").0, 403);
    assert_eq!(served.post("EvaluateShMem", "", good).0, 404);
    assert_eq!(served.post("Info", "", good).0, 405);
    for (path, body, status, part) in [
        ("Evaluate", "{", 400, "InvalidInput"),
        ("Evaluate", "{\"name\": \"forward\"}", 400, "0 lists, one is needed"),
        ("Evaluate", "{\"name\": \"forward\", \"input\": [[1.0]]}", 400, "1 values, 2 are needed"),
        ("Evaluate", "{\"name\": \"forward\", \"input\": [[1.0, \"x\"]]}", 422, "InvalidInput"),
        ("Evaluate", "{\"name\": \"posterior\", \"input\": [[1.0, 2.0]]}", 400, "ModelNotFound"),
        ("Evaluate", "{\"name\": \"forward\", \"input\": [[1.0, 2.0]], \"config\": {\"a\": 1}}", 400, "config"),
        ("Gradient", "{\"name\": \"forward\", \"input\": [[1.0, 2.0]], \"sens\": [1.0]}", 400, "sens: 1 values, 7225"),
        (
            "ApplyJacobian",
            "{\"name\": \"forward\", \"input\": [[1.0, 2.0]], \"inWrt\": 1, \"vec\": [1, 2]}",
            400,
            "inWrt",
        ),
        ("Evaluate", "{\"name\": \"forward\", \"input\": [[1e999, 2.0]]}", 400, "InvalidInput"),
    ] {
        let (found, text) = served.post(path, "", body);
        assert!(found == status && text.contains(part), "{body}: {found} {text}");
    }
    let long = format!("{{\"name\": \"forward\", \"input\": [[{}1.0]]}}", "1.0, ".repeat(1 << 18));
    assert!([413, 0].contains(&served.post("Evaluate", "", &long).0));
    // It is still there.
    assert_eq!(served.post("Evaluate", "", good).0, 200);
    let unknown = Client::connect(Settings::new(&served.url, "posterior")).unwrap_err();
    assert!(unknown.fault == Fault::Settings && unknown.remedy.contains("\"objective\""), "{unknown}");
    let output = wngd(folder.path(), &["serve", "mixture-mu1", "--requests", "0"]);
    assert!(code(&output) == 2 && stderr(&output).contains("--requests"), "{}", stderr(&output));
    let port = served.url.rsplit(':').next().unwrap();
    let output = wngd(folder.path(), &["serve", "mixture-mu1", "--port", port]);
    assert!(code(&output) == 2 && stderr(&output).contains("choose another"), "{}", stderr(&output));
}
