//! A UM-Bridge server for tests, in this process: one that does as it should, until a test has it do otherwise.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

/// What a server does with a request: `None` if that is the honest thing.
pub type Mischief = dyn Fn(&str, usize, &mut TcpStream) -> Option<()> + Send + Sync;

type Calls = Arc<Mutex<BTreeMap<String, usize>>>;
type Function = Arc<dyn Fn(&[f64]) -> Vec<f64> + Send + Sync>;
type Product = Arc<dyn Fn(&[f64], &[f64]) -> Vec<f64> + Send + Sync>;

/// A model `forward` with one input and one output.
#[derive(Clone)]
pub struct Model {
    pub inputs: usize,
    pub outputs: usize,
    pub evaluate: Function,
    /// θ, s → sᵀJ.
    pub gradient: Option<Product>,
    /// θ, v → Jv.
    pub apply: Option<Product>,
}

/// A server that ends with its test.
pub struct Server {
    pub port: u16,
    stop: Arc<AtomicBool>,
    calls: Calls,
    most: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn of(model: Model) -> Self {
        Self::mischievous(model, 0, |_, _, _| None)
    }

    /// At a port, or any if that is 0; `mischief` is told the endpoint and which call of it this is, from 1 on.
    pub fn mischievous(
        model: Model,
        port: u16,
        mischief: impl Fn(&str, usize, &mut TcpStream) -> Option<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = (0..200).find_map(|_| {
            let bound = TcpListener::bind(("127.0.0.1", port)).ok();
            if bound.is_none() {
                std::thread::sleep(Duration::from_millis(20));
            }
            bound
        });
        let listener = listener.expect("a port");
        let port = listener.local_addr().unwrap().port();
        let (stop, calls, most) = (Arc::default(), Arc::default(), Arc::default());
        let under_way = Arc::new(AtomicUsize::new(0));
        let mischief: Arc<Mischief> = Arc::new(mischief);
        let thread = {
            let (stop, calls, most): (Arc<AtomicBool>, Calls, Arc<AtomicUsize>) =
                (Arc::clone(&stop), Arc::clone(&calls), Arc::clone(&most));
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(stream) = stream else { continue };
                    let (model, mischief) = (model.clone(), mischief.clone());
                    let (calls, most, under_way) = (Arc::clone(&calls), Arc::clone(&most), Arc::clone(&under_way));
                    std::thread::spawn(move || {
                        let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        // How a connection ends is the client's affair.
                        let _ = serve(stream, &model, mischief.as_ref(), &calls, UnderWay(under_way));
                    });
                }
            })
        };
        Self { port, stop, calls, most, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Calls of an endpoint so far.
    pub fn calls(&self, endpoint: &str) -> usize {
        self.calls.lock().unwrap().get(endpoint).copied().unwrap_or(0)
    }

    /// Most calls that were under way at the same time.
    pub fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// A call that counts as under way until this is dropped.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn serve(
    stream: TcpStream,
    model: &Model,
    mischief: &Mischief,
    calls: &Mutex<BTreeMap<String, usize>>,
    under_way: UnderWay,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let endpoint = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_string();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    if endpoint.is_empty() {
        return Ok(());
    }
    let number = {
        let mut calls = calls.lock().unwrap();
        let count = calls.entry(endpoint.clone()).or_default();
        *count += 1;
        *count
    };
    let mut stream = stream;
    if mischief(&endpoint, number, &mut stream).is_none() {
        let answer = honest(model, &endpoint, &body).to_string();
        // Before the client can know of it and call again.
        drop(under_way);
        reply(&mut stream, 200, &answer);
    }
    Ok(())
}

/// An answer of a status with a body.
pub fn reply(stream: &mut TcpStream, status: u16, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

fn honest(model: &Model, endpoint: &str, body: &[u8]) -> Value {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let numbers = |value: &Value| -> Vec<f64> { serde_json::from_value(value.clone()).unwrap() };
    let theta = || numbers(&asked["input"][0]);
    match endpoint {
        "Info" => json!({ "protocolVersion": 1.0, "models": ["other", "forward"] }),
        "ModelInfo" => json!({ "support": {
            "Evaluate": true, "Gradient": model.gradient.is_some(), "ApplyJacobian": model.apply.is_some(),
            "ApplyHessian": false,
        } }),
        "InputSizes" => json!({ "inputSizes": [model.inputs] }),
        "OutputSizes" => json!({ "outputSizes": [model.outputs] }),
        "Evaluate" => json!({ "output": [(model.evaluate)(&theta())] }),
        "Gradient" => json!({ "output": model.gradient.as_ref().unwrap()(&theta(), &numbers(&asked["sens"])) }),
        "ApplyJacobian" => json!({ "output": model.apply.as_ref().unwrap()(&theta(), &numbers(&asked["vec"])) }),
        other => json!({ "error": { "type": "NoSuchEndpoint", "message": other } }),
    }
}

/// θ → exp(−θᵢ xⱼ) summed over i, at points x: smooth, and curved in every direction.
pub fn decays(parameters: usize, points: usize) -> Model {
    let x = move |j: usize| 0.2 + j as f64 / points as f64;
    let evaluate = move |theta: &[f64]| {
        (0..points).map(|j| theta.iter().enumerate().map(|(i, t)| (-(t + i as f64) * x(j)).exp()).sum()).collect()
    };
    let entry = move |theta: &[f64], j: usize, i: usize| -x(j) * (-(theta[i] + i as f64) * x(j)).exp();
    Model {
        inputs: parameters,
        outputs: points,
        evaluate: Arc::new(evaluate),
        gradient: Some(Arc::new(move |theta, s| {
            (0..theta.len()).map(|i| (0..points).map(|j| s[j] * entry(theta, j, i)).sum()).collect()
        })),
        apply: Some(Arc::new(move |theta, v| {
            (0..points).map(|j| (0..theta.len()).map(|i| v[i] * entry(theta, j, i)).sum()).collect()
        })),
    }
}
