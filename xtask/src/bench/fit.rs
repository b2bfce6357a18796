//! Fits of Gaussian mixtures to many samples, and to histograms of more and more entries.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use serde::Deserialize;
use wngd::fit::{Components, Fit, Histogram, Mixture, Options, Samples, fit, fit_histogram};

use super::options::Bench;
use super::process::{peer, run};
use super::session::Session;

const SAMPLES: usize = 1_000_000;

/// The peer with its own tolerance, and with one at which its likelihood is ours.
#[derive(Deserialize)]
struct Figures {
    usual: Peer,
    tight: Peer,
}

#[derive(Deserialize)]
struct Peer {
    seconds: f64,
    /// Per sample.
    log_likelihood: f64,
}

/// Prints the table of fits.
pub(super) fn table(bench: &Bench, session: &mut Session) -> Result<(), Box<dyn Error>> {
    let values = three()?.sample(SAMPLES, 5);
    let options = Options { components: Components::Exactly(3), ..Options::default() };
    println!("three Gaussians in two dimensions, {SAMPLES} samples, best of {}", bench.repeat);
    println!("{:>28} {:>9} {:>22} {:>7}", "", "s", "log-likelihood/sample", "ratio");
    let samples = Samples::new(2, values.clone())?;
    let (seconds, found) = best(bench.repeat, || fit(&samples, &options))?;
    let ours = found.log_likelihood / SAMPLES as f64;
    println!("{:>28} {seconds:>9.3} {ours:>22.9}", "with errors and test");
    let mut beside = None;
    if let Some(python) = &bench.peer {
        let file = std::env::temp_dir().join(format!("wngd-bench-{}.f64", std::process::id()));
        std::fs::write(&file, values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())?;
        let mut command = peer(python, Path::new("bench_fit.py"));
        let figures = run::<Figures>(command.arg(&file).args(["--repeat", &bench.repeat.to_string()]));
        std::fs::remove_file(&file)?;
        let Figures { usual, tight } = figures?;
        for (name, peer) in [("scikit-learn, tol 1e-3", usual), ("scikit-learn, tol 1e-9", tight)] {
            let ratio = peer.seconds / seconds;
            beside = Some(peer.seconds);
            println!("{name:>28} {:>9.3} {:>22.9} {ratio:>7.1}", peer.seconds, peer.log_likelihood);
            if peer.log_likelihood > ours + 1e-6 {
                return Err(format!("{name} found a higher likelihood").into());
            }
        }
    }
    session.note("fit/samples".into(), vec![seconds], beside, 0.0);
    println!("\ntwo Gaussians in 200 bins, any number of entries");
    println!("{:>12} {:>9}", "entries", "s");
    let options = Options { components: Components::Exactly(2), ..Options::default() };
    for entries in [1e4, 1e5, 1e6, 1e7] {
        let histogram = binned(entries)?;
        let (seconds, _) = best(bench.repeat, || fit_histogram(&histogram, &options))?;
        println!("{entries:>12} {seconds:>9.4}");
        session.note(format!("fit/histogram/{entries}"), vec![seconds], None, 0.0);
    }
    Ok(())
}

/// Three Gaussians in two dimensions.
pub(super) fn three() -> Result<Mixture, Box<dyn Error>> {
    let covariance = |a: f64, b: f64, c: f64| vec![vec![a, b], vec![b, c]];
    Ok(Mixture::new(
        vec![0.5, 0.3, 0.2],
        vec![vec![0.0, 0.0], vec![4.0, 1.0], vec![-2.0, 5.0]],
        vec![covariance(1.0, 0.3, 0.7), covariance(0.5, -0.1, 1.2), covariance(1.4, 0.6, 0.6)],
    )?)
}

fn best<E: Error + 'static>(
    repeat: usize,
    mut once: impl FnMut() -> Result<Fit, E>,
) -> Result<(f64, Fit), Box<dyn Error>> {
    let mut least: Option<(f64, Fit)> = None;
    for _ in 0..repeat.max(1) {
        let clock = Instant::now();
        let found = once()?;
        let seconds = clock.elapsed().as_secs_f64();
        if least.as_ref().is_none_or(|(s, _)| seconds < *s) {
            least = Some((seconds, found));
        }
    }
    least.ok_or_else(|| "nothing was run".into())
}

/// Expected counts of two Gaussians in 200 bins, rounded to whole numbers.
fn binned(entries: f64) -> Result<Histogram, Box<dyn Error>> {
    let mixture = Mixture::new(vec![0.6, 0.4], vec![vec![-1.0], vec![2.0]], vec![vec![vec![1.0]], vec![vec![0.5]]])?;
    let width = 0.05;
    let lower: Vec<f64> = (0..200).map(|i| -5.0 + width * f64::from(i)).collect();
    let upper = lower.iter().map(|x| x + width).collect();
    let counts = lower.iter().map(|x| (entries * width * mixture.log_density(&[x + 0.5 * width]).exp()).round());
    Ok(Histogram::new(1, lower.clone(), upper, counts.collect())?)
}
