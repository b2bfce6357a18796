//! Temporary.
#![allow(clippy::all)]
use wngd_fit::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&args[1]).unwrap();
    let dim: usize = text.lines().next().unwrap().split(',').count();
    let values: Vec<f64> =
        text.lines().flat_map(|l| l.split(',').map(|v| v.trim().parse::<f64>().unwrap()).collect::<Vec<_>>()).collect();
    let components = args[2].parse().unwrap();
    let family = args[3].parse().unwrap();
    let samples = Samples::new(dim, values).unwrap();
    let options = Options { components, family, ..Options::default() };
    let f = fit(&samples, &options).unwrap();
    println!(
        "{} K={} ll={:.6} bic={:.3} rank {:?} cond {:?} {:.3}s, trace {}",
        f.status.name(),
        f.mixture.weights().len(),
        f.log_likelihood,
        f.bic,
        f.rank,
        f.condition,
        f.seconds,
        f.trace.len()
    );
    if f.names.len() < 40 {
        for ((n, t), e) in f.names.iter().zip(&f.theta).zip(f.standard_errors()) {
            println!("  {n} {t:.5} ± {e:?}");
        }
    }
    println!("{:?}", f.goodness);
    for s in &f.scores {
        println!("{} {:.6} {:.4} {}", s.components, s.log_likelihood, s.bic, s.degenerate);
    }
    for r in &f.remarks {
        println!("- {r}");
    }
}
