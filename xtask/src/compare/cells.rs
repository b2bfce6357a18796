//! The records that all ways are tried on.

use std::error::Error;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde_json::{Value, json};
use wngd::identify::{Dynamics, Noise, NoiseLevel, Trajectory, perturbed, time_scale};
use wngd::models::flow::{Equations, ExpressionField, Family, system};

/// Systems beside Lorenz', at one setting.
const OTHERS: [&str; 16] = [
    "roessler",
    "halvorsen",
    "chen",
    "rabinovich-fabrikant",
    "aizawa",
    "dadras",
    "lorenz84",
    "rucklidge",
    "nose-hoover",
    "sprott-b",
    "sprott-c",
    "sprott-e",
    "sprott-m",
    "rikitake",
    "finance",
    "genesio-tesi",
];

/// One record of a system with known parameters.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Which system; a name of the library, or one of those below.
    pub(super) system: String,
    pub(super) ordered: bool,
    /// Time between points; 0 stands for three tenths of the system's own time.
    pub(super) dt: f64,
    /// Share of each coordinate's scatter.
    pub(super) noise: f64,
    pub(super) count: usize,
    pub(super) seed: u64,
}

/// Its points.
pub(super) struct Data {
    /// What was measured, row-major.
    pub(super) points: Vec<f64>,
    /// Coordinates that were measured.
    pub(super) seen: Vec<usize>,
    /// Standard deviation of the noise of each coordinate seen.
    noise: Vec<f64>,
    /// Of the whole state without noise.
    scatter: Vec<f64>,
    center: Vec<f64>,
    /// The system's own time.
    scale: f64,
}

/// All of them: Lorenz' grid, then single settings.
pub(super) fn records(quick: bool) -> Vec<Record> {
    let mut all = Vec::new();
    let mut add = |system: &str, ordered, dt, noise, count, seeds: u64| {
        let one = |seed| Record { system: system.into(), ordered, dt, noise, count, seed };
        all.extend((1..=seeds).map(one));
    };
    let counts: &[usize] = if quick { &[1000] } else { &[1000, 10_000, 100_000] };
    for ordered in [true, false] {
        for noise in [0.0, 0.05, 0.2] {
            for dt in [0.01, 0.05, 0.2, 0.5] {
                for &count in counts {
                    add("lorenz63", ordered, dt, noise, count, if count > 10_000 || quick { 1 } else { 3 });
                }
            }
        }
    }
    if !quick {
        for name in OTHERS {
            add(name, true, 0.0, 0.05, 10_000, 3);
        }
        add("lorenz63, x alone", true, 0.02, 0.05, 8000, 3);
        add("lorenz63, forced by 4 dW", true, 0.05, 0.0, 20_000, 3);
        add("lorenz96, 2 parameters", true, 0.05, 0.0, 4000, 1);
        add("lorenz96, 2 parameters", false, 1.0, 0.0, 4000, 1);
        add("lorenz96, 40 forcings", true, 0.05, 0.0, 4000, 1);
    }
    all
}

impl Record {
    /// The setting, without the seed.
    pub(super) fn setting(&self) -> (String, bool, u64, u64, usize) {
        (self.system.clone(), self.ordered, self.dt.to_bits(), self.noise.to_bits(), self.count)
    }

    pub(super) fn name(&self) -> String {
        let order = if self.ordered { "in order" } else { "shuffled" };
        format!("{}, {order}, dt {}, noise {}, n {}, seed {}", self.system, self.dt, self.noise, self.count, self.seed)
    }

    /// Whether some coordinates are hidden.
    pub(super) fn partial(&self) -> bool {
        self.system.contains("alone")
    }

    fn forced(&self) -> bool {
        self.system.contains("forced")
    }

    /// The level of noise that is told: nothing where there is an order, the truth without.
    pub(super) fn level(&self, data: &Data) -> NoiseLevel {
        if self.ordered { NoiseLevel::Auto } else { NoiseLevel::Each(data.noise.clone()) }
    }

    fn field(&self) -> Result<(ExpressionField, Vec<f64>), Box<dyn Error>> {
        if self.system.starts_with("lorenz96") {
            let many = self.system.contains("forcings");
            let forcing = if many { "F[i]" } else { "F" };
            let names: Vec<(String, f64)> = if many {
                (1..=40).map(|i| (format!("F{i}"), 8.0 + 0.5 * f64::from(i * i % 7 - 3))).collect()
            } else {
                vec![("c".into(), 1.0), ("F".into(), 8.0)]
            };
            let factor = if many { "1" } else { "c" };
            let line = format!("{factor}*(x[i+1] - x[i-2])*x[i-1] - x[i] + {forcing}");
            let family = |name: &str| Family { name: name.into(), first: 1, last: 40 };
            let mut families = vec![family("x")];
            if many {
                families.push(family("F"));
            }
            let field = ExpressionField::new(&Equations {
                name: self.system.clone(),
                variables: (1..=40).map(|i| format!("x{i}")).collect(),
                equations: vec![line; 40],
                indices: (1..=40).map(|i| Some(("i".to_string(), i))).collect(),
                parameters: names,
                families,
                ..Equations::default()
            })?;
            let start = (0..40).map(|i| 8.0 + f64::from(i % 5)).collect();
            return Ok((field, start));
        }
        let name = self.system.split(',').next().unwrap_or_default();
        let known = system(name).ok_or_else(|| format!("no system {name}"))?;
        let start = known.start.clone();
        if !self.forced() {
            return Ok((known.written()?, start));
        }
        let (variables, equations): (Vec<String>, Vec<String>) =
            known.equations.iter().filter_map(|l| l.split_once("' = ")).map(|(x, v)| (x.into(), v.into())).unzip();
        let names = known.field.parameter_names().into_iter().zip(known.theta.iter().copied());
        let field = ExpressionField::new(&Equations {
            name: self.system.clone(),
            diffusion: vec![Some("D".into()); variables.len()],
            variables,
            equations,
            parameters: names.chain([("D".to_string(), 8.0)]).collect(),
            ..Equations::default()
        })?;
        Ok((field, start))
    }

    /// The truth.
    fn truth(&self) -> Result<Vec<f64>, Box<dyn Error>> {
        Ok(self.field()?.0.start().to_vec())
    }

    /// The system with every parameter free, a fifth off, up and down in turn.
    pub(super) fn dynamics(&self) -> Result<Dynamics, Box<dyn Error>> {
        let (field, _) = self.field()?;
        let start = away(field.start());
        Ok(Dynamics::written(&field, start, None)?)
    }

    /// Largest relative error of a parameter of the drift.
    pub(super) fn error(&self, theta: &[f64]) -> f64 {
        let truth = self.truth().unwrap_or_default();
        theta.iter().zip(&truth).take(self.drift(&truth)).map(|(t, v)| (t / v - 1.0).abs()).fold(0.0, f64::max)
    }

    /// Errors of the parameters of the drift in standard errors; NaN for one without.
    pub(super) fn normalised(&self, theta: &[f64], errors: &[Option<f64>]) -> Vec<f64> {
        let truth = self.truth().unwrap_or_default();
        (0..self.drift(&truth)).map(|j| (theta[j] - truth[j]) / errors[j].unwrap_or(f64::NAN)).collect()
    }

    /// Parameters within 1.96 standard errors, and how many there are.
    pub(super) fn covered(&self, theta: &[f64], errors: &[Option<f64>]) -> (usize, usize) {
        let all = self.normalised(theta, errors);
        (all.iter().filter(|z| z.abs() < 1.96).count(), all.len())
    }

    fn drift(&self, truth: &[f64]) -> usize {
        truth.len() - usize::from(self.forced())
    }

    pub(super) fn data(&self) -> Result<Data, Box<dyn Error>> {
        let (field, start) = self.field()?;
        let theta = field.start().to_vec();
        let d = start.len();
        // The time scale from points that are far apart.
        let pilot = wngd::identify::simulate(&field, &theta, &start, 0.1, 4000, 50.0)?;
        let scale = time_scale(&field, &theta, &pilot);
        let dt = self.spacing(scale);
        let begin = perturbed(&start, self.seed, 0);
        let mut trajectory = Trajectory::new(&field, &theta, &begin, dt)?;
        trajectory.skip((300.0 * scale).max(dt))?;
        if let Some(diffusion) = field.diffusion() {
            trajectory = trajectory.driven(diffusion, self.seed)?;
        }
        let mut clean = Vec::with_capacity(self.count * d);
        trajectory.advance(self.count, |point| {
            clean.extend_from_slice(point);
            Ok::<_, wngd::identify::SimulateError>(())
        })?;
        let n = self.count as f64;
        let column = |a: usize| clean.iter().skip(a).step_by(d);
        let center: Vec<f64> = (0..d).map(|a| column(a).sum::<f64>() / n).collect();
        let scatter: Vec<f64> =
            (0..d).map(|a| (column(a).map(|x| (x - center[a]).powi(2)).sum::<f64>() / n).sqrt()).collect();
        let seen: Vec<usize> = if self.partial() { vec![0] } else { (0..d).collect() };
        let noise: Vec<f64> = seen.iter().map(|a| self.noise * scatter[*a]).collect();
        let mut observer = Noise::new(noise.clone(), self.seed, 0);
        let mut rows: Vec<Vec<f64>> = clean
            .chunks_exact(d)
            .map(|row| observer.added(&seen.iter().map(|a| row[*a]).collect::<Vec<f64>>()).to_vec())
            .collect();
        if !self.ordered {
            let mut rng = Pcg64::seed_from_u64(self.seed);
            for i in (1..rows.len()).rev() {
                rows.swap(i, rng.random_range(0..=i));
            }
        }
        Ok(Data { points: rows.concat(), seen, noise, scatter, center, scale })
    }

    /// Two digits.
    fn spacing(&self, scale: f64) -> f64 {
        if self.dt > 0.0 {
            return self.dt;
        }
        let wanted = 0.3 * scale;
        let unit = 10f64.powf(wanted.log10().floor() - 1.0);
        (wanted / unit).round() * unit
    }

    /// With the time step put in where it follows from the system.
    pub(super) fn with_step(mut self) -> Result<Self, Box<dyn Error>> {
        if self.dt == 0.0 {
            let (field, start) = self.field()?;
            let pilot = wngd::identify::simulate(&field, field.start(), &start, 0.1, 4000, 50.0)?;
            self.dt = self.spacing(time_scale(&field, field.start(), &pilot));
        }
        Ok(self)
    }

    /// What the peers are told.
    pub(super) fn for_peers(&self, data: &Data, path: &Path) -> Result<Value, Box<dyn Error>> {
        let (field, _) = self.field()?;
        let form = field.polynomial().ok_or("peers are given polynomials")?;
        let theta = field.start().to_vec();
        let (d, p) = (data.scatter.len(), self.drift(&theta));
        let exponents: Vec<Vec<u32>> = form
            .monomials
            .iter()
            .map(|monomial| {
                let mut row = vec![0; d];
                monomial.iter().for_each(|&(axis, power)| row[axis] = power);
                row
            })
            .collect();
        let (values, slopes) = (form.coefficients(&theta), form.coefficient_derivatives(&theta));
        let mut c0 = vec![vec![0.0; exponents.len()]; d];
        let mut each = vec![vec![vec![0.0; exponents.len()]; d]; p];
        for (t, &(component, monomial)) in form.terms.iter().enumerate() {
            c0[component][monomial] += values[t];
            for (j, table) in each.iter_mut().enumerate() {
                let slope = slopes[t * theta.len() + j];
                table[component][monomial] += slope;
                c0[component][monomial] -= slope * theta[j];
            }
        }
        Ok(json!({
            "name": self.name(),
            "data": path,
            "dt": self.ordered.then_some(self.dt),
            "spacing": self.dt.min(data.scale),
            "step": 0.07 * data.scale,
            "seen": data.seen,
            "noise": data.noise,
            "drive": vec![if self.forced() { 4.0 } else { 0.0 }; d],
            "sde": self.forced(),
            "scatter": data.scatter,
            "center": data.center,
            "exponents": exponents,
            "c0": c0,
            "p": each,
            "truth": theta[..p],
            "start": away(&theta)[..p],
        }))
    }
}

fn away(theta: &[f64]) -> Vec<f64> {
    theta.iter().enumerate().map(|(i, v)| v * if i % 2 == 0 { 1.2 } else { 0.8 }).collect()
}
