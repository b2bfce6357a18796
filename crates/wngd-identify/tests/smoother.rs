//! Path and parameters together on systems with known parameters.
#![allow(clippy::unwrap_used)]

mod systems;

use systems::{dynamics, entry, noisy, points, sample, truth};
use wngd_identify::{Sample, Smoother};

/// One coordinate of every point.
fn column(points: &[f64], axis: usize) -> Vec<f64> {
    points.iter().skip(axis).step_by(3).copied().collect()
}

fn shown(found: &wngd_identify::Estimate, truth: &[f64]) -> String {
    let each: Vec<String> = found
        .theta
        .iter()
        .zip(truth)
        .zip(found.standard_errors.as_ref().unwrap())
        .map(|((t, truth), e)| {
            let e = e.unwrap_or(f64::NAN);
            format!("{:+.4} % (s.e. {:.4}, z {:+.2})", 100.0 * (t / truth - 1.0), 100.0 * e / truth, (t - truth) / e)
        })
        .collect();
    format!("{} | p {:?} conv {} {:?} {:?} {:.2} s", each.join(", "), found.misfit.map(|m| m.p_value), found.converged, found.remarks, found.objections, found.seconds)
}

#[test]
#[ignore = "study"]
fn look() {
    let var = |name: &str, usual: f64| std::env::var(name).ok().and_then(|v| v.parse::<f64>().ok()).unwrap_or(usual);
    let (n, dt, share) = (var("N", 10_000.0) as usize, var("DT", 0.05), var("NOISE", 0.05));
    let name = std::env::var("SYSTEM").unwrap_or("lorenz63".into());
    let hidden = var("HIDDEN", 0.0) > 0.0;
    let system = entry(&name);
    for seed in 1..=var("SEEDS", 1.0) as u64 {
        let (data, _) = noisy(points(system, n, dt, seed), share, seed);
        let found = if hidden {
            let one = Sample::new(column(&data, 0), 1, vec![n], Some(dt)).unwrap();
            Smoother { observed: Some(vec![0]), noise: None }.estimate(&dynamics(system), &one, &dynamics(system).start())
        } else {
            Smoother::default().estimate(&dynamics(system), &sample(data, 3, Some(dt)), &dynamics(system).start())
        };
        match found {
            Ok(found) => println!("{}", shown(&found, &truth(system))),
            Err(error) => println!("{error}"),
        }
    }
}
