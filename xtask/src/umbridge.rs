//! Models behind UM-Bridge with its Python package on the other side: as server of a model in NumPy, and as client.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::root;
use crate::python::{environment, install, program};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What stands on the other side.
const PEERS: [&str; 2] = ["umbridge==1.2.10", "numpy"];
/// Cells of the small model and of the large one.
const SMALL: usize = 40;
const LARGE: usize = 300;
/// Parameters and cells on an axis of the density.
const MEANS: usize = 1000;
const SIDE: usize = 100;
/// Parameters may differ by this: linear algebra of another library.
const SAME: f64 = 1e-6;

/// A process that ends with this value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Builds the tool and lets it and the package ask each other.
pub(crate) fn run() -> Outcome<()> {
    let built = Command::new("cargo").args(["build", "--release", "-p", "wngd-cli"]).current_dir(root()).status()?;
    if !built.success() {
        return Err("the tool does not build".into());
    }
    let python = environment(&root().join("target/python/umbridge"))?;
    install(&python, &PEERS)?;
    let folder = root().join("target/umbridge");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let session = Session { python: program(&python, "python"), folder };
    session.same_as_in_rust(SMALL, 12)?;
    session.same_as_in_rust(LARGE, 3)?;
    session.densities_as_in_rust(3)?;
    session.killed_and_restarted()?;
    session.asked_by_the_package()
}

struct Session {
    python: PathBuf,
    folder: PathBuf,
}

fn tool() -> PathBuf {
    root().join("target/release").join(format!("wngd{}", std::env::consts::EXE_SUFFIX))
}

fn free_port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Session {
    /// The model of the page, at a port.
    fn model(&self, port: u16, cells: usize) -> Outcome<Process> {
        self.served("umbridge_model.py", port, &[cells])
    }

    /// A program of models, at a port, with sizes.
    fn served(&self, script: &str, port: u16, sizes: &[usize]) -> Outcome<Process> {
        let log = fs::File::create(self.folder.join("server.txt"))?;
        let mut server = Command::new(&self.python);
        server.arg(root().join("xtask/peer").join(script)).arg(port.to_string());
        server.args(sizes.iter().map(ToString::to_string));
        server.current_dir(&self.folder).stderr(log.try_clone()?).stdout(log).stdin(Stdio::null());
        let server = Process(server.spawn()?);
        let clock = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if clock.elapsed() > Duration::from_secs(120) {
                return Err("umbridge's server did not begin; see target/umbridge/server.txt".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(server)
    }

    fn experiment(&self, name: &str, model: &str, iterations: usize) -> Outcome<()> {
        let text = format!(
            "name = \"{name}\"\n\n[model]\n{model}\n\n[data]\nvalues = \"u.csv\"\n\n[[method]]\nmetric = \"l2\"\nsolver = \"krylov\"\n\
             \n[stop]\niterations = {iterations}\n"
        );
        Ok(fs::write(self.folder.join(format!("{name}.toml")), text)?)
    }

    fn remote(&self, port: u16, cells: usize, iterations: usize) -> Outcome<()> {
        let start = vec!["0.0"; cells].join(", ");
        let model = format!(
            "kind = \"um-bridge\"\nurl = \"http://127.0.0.1:{port}\"\nname = \"forward\"\nconfig = {{ cells = {cells} }}\nstart = [{start}]\n\
             retries = 2"
        );
        self.experiment("remote", &model, iterations)
    }

    fn wngd(&self, arguments: &[&str]) -> Outcome<(Option<i32>, String)> {
        let output = Command::new(tool()).args(arguments).current_dir(&self.folder).output()?;
        Ok((output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()))
    }

    fn result(&self, name: &str) -> Outcome<Value> {
        let text = fs::read_to_string(self.folder.join(name).join("result.json"))?;
        Ok(serde_json::from_str::<Value>(&text)?["methods"][0].clone())
    }

    /// The same descent with the same model in Rust: same way, no more calls.
    fn same_as_in_rust(&self, cells: usize, iterations: usize) -> Outcome<()> {
        println!("== a model in NumPy with {cells} parameters");
        let port = free_port()?;
        let _server = self.model(port, cells)?;
        self.remote(port, cells, iterations)?;
        self.experiment("own", "kind = \"diffusion\"", iterations)?;
        let own = fs::read_to_string(self.folder.join("own.toml"))?;
        let grid = format!("\n[grid]\nlower = [0]\nupper = [1]\ncells = [{cells}]\n\n[model]");
        fs::write(self.folder.join("own.toml"), own.replacen("\n[model]", &grid, 1))?;
        self.alike(true)
    }

    /// The same for a density in the plane, by transport and in L².
    fn densities_as_in_rust(&self, iterations: usize) -> Outcome<()> {
        let port = free_port()?;
        let _server = self.served("umbridge_mixture.py", port, &[MEANS, SIDE])?;
        // Evenly on a disc, and the same a little aside.
        let means = |aside: f64| -> Vec<[f64; 2]> {
            let place = |i: usize| {
                let (radius, turn) = (2.5 * ((i as f64 + 0.5) / (MEANS / 2) as f64).sqrt(), 2.399_963 * i as f64);
                [radius * turn.cos() + aside, radius * turn.sin() - 0.5 * aside]
            };
            (0..MEANS / 2).map(place).collect()
        };
        let (start, truth) = (means(0.0), means(0.4));
        let flat = |all: &[[f64; 2]]| format!("{:?}", all.concat());
        let weights = vec![2.0 / MEANS as f64; MEANS / 2];
        for metric in ["wasserstein", "l2"] {
            println!("== a density of {MEANS} parameters in {SIDE}² cells, {metric}");
            let text = |name: &str, model: &str, data: &str| {
                let text = format!(
                    "name = \"{name}\"\n[grid]\nlower = [-6, -6]\nupper = [6, 6]\ncells = [{SIDE}, {SIDE}]\n[model]\n{model}\n\
                     [data]\ntruth = {data}\n[[method]]\nmetric = \"{metric}\"\nsolver = \"krylov\"\n\
                     damping = 1e-4\n[stop]\niterations = {iterations}\n"
                );
                fs::write(self.folder.join(format!("{name}.toml")), text)
            };
            let remote = format!(
                "kind = \"um-bridge\"\nurl = \"http://127.0.0.1:{port}\"\nname = \"forward\"\nstart = {}",
                flat(&start)
            );
            text("remote", &remote, &format!("{{ theta = {} }}", flat(&truth)))?;
            let own = format!(
                "kind = \"gaussian-mixture\"\nweights = {weights:?}\nmeans = {start:?}\nfree = [\"means\"]\n\
                 covariance = \"identity\""
            );
            text("own", &own, &format!("{{ weights = {weights:?}, means = {truth:?} }}"))?;
            // Explicit models count no calls.
            self.alike(false)?;
        }
        Ok(())
    }

    /// Two experiments of one model, here and behind UM-Bridge; whether calls are counted on both sides.
    fn alike(&self, counted: bool) -> Outcome<()> {
        for name in ["remote", "own"] {
            let clock = Instant::now();
            let (code, text) = self.wngd(&["run", &format!("{name}.toml"), "--out", name, "--no-figures"])?;
            if code.is_none_or(|code| code > 1) {
                return Err(format!("{name}: exit {code:?}\n{text}").into());
            }
            let result = self.result(name)?;
            println!(
                "   {name}: f {} after {} iterations, {} calls, {:.1} s",
                result["objective"],
                result["iterations"],
                result["solves"],
                clock.elapsed().as_secs_f64()
            );
        }
        let (remote, own) = (self.result("remote")?, self.result("own")?);
        let apart = apart(&remote, &own)?;
        println!("   parameters apart by {apart:.1e}");
        if apart.is_nan() || apart > SAME || remote["iterations"] != own["iterations"] {
            return Err("the model behind UM-Bridge descends otherwise than that in Rust".into());
        }
        if counted && remote["solves"].as_u64() > own["solves"].as_u64() {
            return Err("the model behind UM-Bridge is called more often than that in Rust".into());
        }
        Ok(())
    }

    /// A server that is killed in a descent and started again.
    fn killed_and_restarted(&self) -> Outcome<()> {
        println!("== the server killed, and started again");
        let (port, cells) = (free_port()?, 200);
        let server = self.model(port, cells)?;
        self.remote(port, cells, 40)?;
        let (code, text) = self.wngd(&["run", "remote.toml", "--out", "whole", "--quiet", "--no-figures"])?;
        if code.is_none_or(|code| code > 1) {
            return Err(format!("exit {code:?}\n{text}").into());
        }
        let mut run = Command::new(tool());
        run.args(["run", "remote.toml", "--out", "broken", "--quiet", "--no-figures"]).current_dir(&self.folder);
        let mut run = Process(run.stderr(Stdio::piped()).spawn()?);
        let clock = Instant::now();
        let kept = self.folder.join("broken/checkpoint.wngd");
        while fs::read_to_string(&kept).map_or(0, |text| text.lines().count()) < 6 {
            if clock.elapsed() > Duration::from_secs(120) || run.0.try_wait()?.is_some() {
                return Err("the descent did not come to five iterates before its end".into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(server);
        let ended = run.0.wait()?.code();
        let mut told = String::new();
        if let Some(errors) = run.0.stderr.take() {
            BufReader::new(errors).lines().map_while(Result::ok).for_each(|line| told = format!("{told}   {line}\n"));
        }
        print!("{told}");
        if ended != Some(2) || !told.contains("wngd resume broken") || !kept.exists() {
            return Err(format!("a killed server ended the run with {ended:?} and not with a checkpoint").into());
        }
        let _server = self.model(port, cells)?;
        let (code, text) = self.wngd(&["resume", "broken", "--quiet"])?;
        if code.is_none_or(|code| code > 1) {
            return Err(format!("resumed: exit {code:?}\n{text}").into());
        }
        let apart = apart(&self.result("whole")?, &self.result("broken")?)?;
        println!("   resumed: apart by {apart:e} from the run that was not broken");
        if apart == 0.0 { Ok(()) } else { Err("the resumed run ended elsewhere".into()) }
    }

    /// `wngd serve`, asked by the package.
    fn asked_by_the_package(&self) -> Outcome<()> {
        println!("== wngd serve, asked by umbridge's client");
        for experiment in ["mixture-mu1", "peak"] {
            let mut serve = Command::new(tool());
            serve.args(["serve", experiment, "--port", "0"]).current_dir(&self.folder).stdout(Stdio::piped());
            let mut serve = Process(serve.spawn()?);
            let out = serve.0.stdout.take().ok_or("no output of wngd serve")?;
            let url = BufReader::new(out)
                .lines()
                .map_while(Result::ok)
                .find_map(|line| Some(line.strip_prefix("UM-Bridge at ")?.split(';').next()?.to_string()))
                .ok_or("wngd serve did not say where it is")?;
            let mut client = Command::new(&self.python);
            client.arg(root().join("xtask/peer/umbridge_client.py")).arg(url).current_dir(&self.folder);
            if !client.status()?.success() {
                return Err(format!("umbridge's client does not understand wngd serve {experiment}").into());
            }
        }
        Ok(())
    }
}

/// How far the parameters of two results are apart.
fn apart(a: &Value, b: &Value) -> Outcome<f64> {
    let numbers = |value: &Value| -> Outcome<Vec<f64>> { Ok(serde_json::from_value(value["theta"].clone())?) };
    let (a, b) = (numbers(a)?, numbers(b)?);
    if a.len() != b.len() {
        return Err("results of other parameters".into());
    }
    Ok(a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max))
}
