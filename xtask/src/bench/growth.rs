//! How cost grows: seconds against cells, parameters, probes and points, with fitted exponents.

use std::error::Error;
use std::process::Command;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use wngd::fit::{Components, Options, Samples, fit};
use wngd::identify::{Dynamics, Sample, WeakStationary, simulate};
use wngd::models::flow::system;
use wngd_figures::{Growth, GrowthPanel};

use super::options::Bench;
use super::process::{peak_megabytes, run, timed};
use super::session::Session;

/// What grows.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Family {
    /// W₂ directions of two parameters by the information matrix, against cells.
    DirectionsOfTwo,
    /// The same with 100 parameters.
    DirectionsOfMany,
    /// The same on 256² cells, against parameters.
    Parameters,
    /// W₂ directions of three parameters in space, against cells.
    Space,
    /// Stationary density of Lorenz' flow with one adjoint solve, against cells.
    Flows,
    /// The same on 24³ cells, against adjoint solves.
    Adjoints,
    /// A mixture to samples, against samples.
    Samples,
    /// The stationary equation in weak form, against points.
    Points,
}

/// One family: its name in the session, what it is against, sizes and the panel that it is drawn in.
struct Line {
    family: Family,
    name: &'static str,
    words: &'static str,
    panel: usize,
    sizes: &'static [usize],
}

const PANELS: [&str; 4] = ["cells k", "parameters p", "adjoint solves m", "points n"];
const LINES: [Line; 8] = [
    Line {
        family: Family::DirectionsOfTwo,
        name: "w2-k-2",
        words: "W₂ direction, p = 2",
        panel: 0,
        sizes: &[64, 128, 256, 512, 1024, 2048],
    },
    Line {
        family: Family::DirectionsOfMany,
        name: "w2-k-100",
        words: "W₂ direction, p = 100",
        panel: 0,
        sizes: &[64, 128, 256, 512, 1024],
    },
    Line {
        family: Family::Parameters,
        name: "w2-p",
        words: "W₂ direction, 256² cells",
        panel: 1,
        sizes: &[2, 10, 30, 100, 300, 1000],
    },
    Line {
        family: Family::Space,
        name: "w2-k-space",
        words: "W₂ direction in space, p = 3",
        panel: 0,
        sizes: &[16, 32, 48, 64, 128],
    },
    Line {
        family: Family::Flows,
        name: "lorenz-k",
        words: "Lorenz, forward and 1 adjoint",
        panel: 0,
        sizes: &[16, 24, 32, 48, 64, 128],
    },
    Line {
        family: Family::Adjoints,
        name: "lorenz-m",
        words: "Lorenz, 24³ cells",
        panel: 2,
        sizes: &[1, 4, 16, 64, 256],
    },
    Line {
        family: Family::Samples,
        name: "fit-n",
        words: "mixture of 3 to samples",
        panel: 3,
        sizes: &[10_000, 100_000, 1_000_000],
    },
    Line {
        family: Family::Points,
        name: "weak-n",
        words: "identification, weak form",
        panel: 3,
        sizes: &[10_000, 100_000, 1_000_000],
    },
];

#[derive(Args)]
pub(crate) struct MeasureGrowth {
    #[arg(long)]
    family: Family,
    #[arg(long)]
    size: usize,
    #[arg(long)]
    threads: usize,
    #[arg(long)]
    repeat: usize,
}

#[derive(Deserialize, Serialize)]
struct Figures {
    seconds: Vec<f64>,
    peak_mb: f64,
}

/// Measures every family, each size in a process of its own, and prints exponents.
pub(super) fn table(bench: &Bench, session: &mut Session) -> Result<(), Box<dyn Error>> {
    println!("\nHow cost grows, {} threads, best of {}", bench.threads, bench.repeat);
    println!("{:>32} {:>9} {:>10} {:>8} {:>9}", "", "size", "s", "MB", "exponent");
    for line in &LINES {
        let mut earlier: Option<(f64, f64)> = None;
        let sizes = line.sizes.iter().filter(|&&n| !bench.quick || n <= line.sizes[2]);
        for &size in sizes {
            let value = line.family.to_possible_value().ok_or("no name")?;
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["measure-growth", "--family", value.get_name(), "--size", &size.to_string()]);
            command.args(["--threads", &bench.threads.to_string(), "--repeat", &bench.repeat.to_string()]);
            let figures: Figures = run(&mut command)?;
            let best = figures.seconds.iter().copied().fold(f64::INFINITY, f64::min);
            let at = line.family.units(size);
            let slope = earlier.map_or(String::new(), |(x, s)| format!("{:.2}", (best / s).ln() / (at / x).ln()));
            println!("{:>32} {at:>9.0} {best:>10.4} {:>8.0} {slope:>9}", line.words, figures.peak_mb);
            session.note(format!("growth/{}/{size}", line.name), figures.seconds, None, figures.peak_mb);
            earlier = Some((at, best));
        }
    }
    Ok(())
}

/// Exponents of a session's families over all sizes and over the last two, as rows of a table.
pub(super) fn exponents(session: &Session) -> Vec<String> {
    let row = |line: &Line| {
        let found = points(session, line);
        let (first, last) = (found.first()?, found.last()?);
        let before = found.get(found.len().checked_sub(2)?)?;
        let slope = |a: &(f64, f64), b: &(f64, f64)| (b.1 / a.1).ln() / (b.0 / a.0).ln();
        let peak = session.rows.get(&format!("growth/{}/{}", line.name, line.sizes[found.len() - 1]))?.peak_mb;
        Some(format!(
            "| {} | {} | {:.0} to {:.0} | {:.4} to {:.3} | {peak:.0} | {:.2} | {:.2} |",
            line.words,
            PANELS[line.panel],
            first.0,
            last.0,
            first.1,
            last.1,
            slope(first, last),
            slope(before, last)
        ))
    };
    LINES.iter().filter_map(row).collect()
}

/// The families of a session as a figure.
pub(super) fn figure(session: &Session) -> Growth {
    let panel = |(k, axis): (usize, &&str)| GrowthPanel {
        axis: (*axis).into(),
        curves: LINES
            .iter()
            .filter(|line| line.panel == k)
            .map(|line| (line.words.to_string(), points(session, line)))
            .filter(|(_, points)| !points.is_empty())
            .collect(),
    };
    let panels = PANELS.iter().enumerate().map(panel).filter(|p| !p.curves.is_empty()).collect();
    Growth { panels, title: String::new() }
}

fn points(session: &Session, line: &Line) -> Vec<(f64, f64)> {
    let at = |&size: &usize| {
        Some((line.family.units(size), session.rows.get(&format!("growth/{}/{size}", line.name))?.best()))
    };
    line.sizes.iter().filter_map(at).collect()
}

impl Family {
    /// What the size stands for on the axis.
    fn units(self, size: usize) -> f64 {
        let n = size as f64;
        match self {
            Self::DirectionsOfTwo | Self::DirectionsOfMany => n * n,
            Self::Space | Self::Flows => n * n * n,
            Self::Parameters | Self::Adjoints | Self::Samples | Self::Points => n,
        }
    }
}

impl MeasureGrowth {
    pub(crate) fn run(&self) -> Result<(), Box<dyn Error>> {
        rayon::ThreadPoolBuilder::new().num_threads(self.threads).build_global()?;
        let (size, repeat) = (self.size, self.repeat);
        let seconds = match self.family {
            Family::DirectionsOfTwo => super::mixture::seconds(size, 2, repeat)?,
            Family::DirectionsOfMany => super::mixture::seconds(size, 100, repeat)?,
            Family::Parameters => super::mixture::seconds(256, size, repeat)?,
            Family::Space => super::space::seconds(size, repeat)?,
            Family::Flows => super::lorenz::seconds(size, 1, repeat)?,
            Family::Adjoints => super::lorenz::seconds(24, size, repeat)?,
            Family::Samples => {
                let samples = Samples::new(2, super::fit::three()?.sample(size, 5))?;
                let options = Options { components: Components::Exactly(3), ..Options::default() };
                timed(repeat, || Ok(fit(&samples, &options)?))?
            }
            Family::Points => {
                let lorenz = system("lorenz63").ok_or("no Lorenz system")?;
                let points = simulate(lorenz.field.as_ref(), &lorenz.theta, &lorenz.start, 0.05, size, 50.0)?;
                let sample = Sample::new(points, 3, vec![size], Some(0.05))?;
                let dynamics = Dynamics::written(&lorenz.written()?, lorenz.theta.clone(), None)?;
                timed(repeat, || Ok(WeakStationary::default().estimate(&dynamics, &sample)?))?
            }
        };
        println!("{}", serde_json::to_string(&Figures { seconds, peak_mb: peak_megabytes()? })?);
        Ok(())
    }
}
