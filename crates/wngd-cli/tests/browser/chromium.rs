//! A headless Chromium, driven through its DevTools protocol.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};
use tungstenite::{Message, WebSocket};

/// More than this no page may take for anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with one page.
pub struct Chromium {
    child: Child,
    socket: WebSocket<TcpStream>,
    session: String,
    sent: u64,
    /// Errors and warnings that the page logged, exceptions it did not catch, requests that failed.
    pub complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts a browser.
    pub fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut child = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
            .args(["--disable-component-update", "--disable-sync", "--disable-quic", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stderr(Stdio::piped())
            .spawn()
            .expect("chromium is needed: apt-get install chromium");
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url =
            lines.find_map(|line| line.unwrap().strip_prefix("DevTools listening on ").map(str::to_string)).unwrap();
        // What else it says must be read, or it stops.
        std::thread::spawn(move || lines.for_each(drop));
        let address = url.trim_start_matches("ws://").split('/').next().unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (socket, _) = tungstenite::client(&url, stream).unwrap();
        let mut browser =
            Self { child, socket, session: String::new(), sent: 0, complaints: Vec::new(), _profile: profile };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attached =
            browser.call("Target.attachToTarget", json!({ "targetId": target["targetId"], "flatten": true }));
        browser.session = attached["sessionId"].as_str().unwrap().to_string();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Calls a method of the protocol; events on the way are looked at.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(message.to_string())).unwrap();
        loop {
            let Message::Text(text) = self.socket.read().unwrap() else { continue };
            let answer: Value = serde_json::from_str(&text).unwrap();
            if answer["id"] == json!(self.sent) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.look_at(&answer);
        }
    }

    fn look_at(&mut self, event: &Value) {
        let params = &event["params"];
        let bad = match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => true,
            "Runtime.consoleAPICalled" => ["error", "warning", "assert"].iter().any(|t| params["type"] == *t),
            "Log.entryAdded" => ["error", "warning"].iter().any(|t| params["entry"]["level"] == *t),
            "Network.loadingFailed" => params["canceled"] != true,
            "Network.responseReceived" => params["response"]["status"].as_u64().is_some_and(|s| s >= 400),
            _ => false,
        };
        if bad {
            self.complaints.push(event.to_string());
        }
    }

    /// Sets the size of the window in CSS pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Goes to a page and waits until a condition holds there.
    pub fn open(&mut self, url: &str, condition: &str) {
        // A page that differs by its fragment only would not be loaded again.
        self.call("Page.navigate", json!({ "url": "about:blank" }));
        self.call("Page.navigate", json!({ "url": url }));
        self.wait(condition);
    }

    /// The value of an expression.
    pub fn value(&mut self, expression: &str) -> Value {
        let found = self.call("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true }));
        assert!(found["exceptionDetails"].is_null(), "{expression}: {found}");
        found["result"]["value"].clone()
    }

    /// Waits until an expression is true; what it asks about may not be there yet.
    pub fn wait(&mut self, condition: &str) {
        let begun = Instant::now();
        let condition = format!("(() => {{ try {{ return Boolean({condition}) }} catch {{ return false }} }})()");
        while self.value(&condition) != true {
            if begun.elapsed() >= PATIENCE {
                let page = self.value("JSON.stringify([document.body.dataset, document.body.innerText])");
                panic!("waited for {condition}; the page: {page}; it complained: {:?}", self.complaints);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Clicks with the mouse, in CSS pixels of the window.
    pub fn click(&mut self, x: f64, y: f64) {
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Moves the pointer there.
    pub fn point(&mut self, x: f64, y: f64) {
        self.call("Input.dispatchMouseEvent", json!({ "type": "mouseMoved", "x": x, "y": y }));
    }

    /// Drags from one place to another, in steps.
    pub fn drag(&mut self, from: [f64; 2], to: [f64; 2]) {
        let button = |kind: &str, [x, y]: [f64; 2]| json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1 });
        self.call("Input.dispatchMouseEvent", button("mousePressed", from));
        for k in 1..=10 {
            let at = [0, 1].map(|i| from[i] + (to[i] - from[i]) * f64::from(k) / 10.0);
            self.call("Input.dispatchMouseEvent", button("mouseMoved", at));
            std::thread::sleep(Duration::from_millis(60));
        }
        self.call("Input.dispatchMouseEvent", button("mouseReleased", to));
    }

    /// Whether there is a finger instead of a mouse.
    pub fn finger(&mut self, there: bool) {
        self.call("Emulation.setTouchEmulationEnabled", json!({ "enabled": there, "maxTouchPoints": 1 }));
    }

    /// Puts a finger on a place, moves it in steps and lifts it.
    pub fn swipe(&mut self, from: [f64; 2], to: [f64; 2]) {
        let touch = |kind: &str, points: &[[f64; 2]]| json!({ "type": kind, "touchPoints": points.iter().map(|[x, y]| json!({ "x": x, "y": y })).collect::<Vec<_>>() });
        self.call("Input.dispatchTouchEvent", touch("touchStart", &[from]));
        for k in 1..=10 {
            let at = [0, 1].map(|i| from[i] + (to[i] - from[i]) * f64::from(k) / 10.0);
            if from != to {
                self.call("Input.dispatchTouchEvent", touch("touchMove", &[at]));
                std::thread::sleep(Duration::from_millis(60));
            }
        }
        self.call("Input.dispatchTouchEvent", touch("touchEnd", &[]));
    }

    /// Presses a key.
    pub fn press(&mut self, key: &str, code: u32) {
        for kind in ["keyDown", "keyUp"] {
            let event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Writes a picture of the whole page.
    pub fn picture(&mut self, path: &Path) {
        let shot = self.call("Page.captureScreenshot", json!({ "format": "png", "captureBeyondViewport": true }));
        let bytes = base64::prelude::BASE64_STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
