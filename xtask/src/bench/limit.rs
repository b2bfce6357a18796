//! What this machine can do at most: a matrix product and a copy, measured in the same session as the rest.

use std::error::Error;
use std::time::Instant;

use rayon::prelude::*;
use wngd::linalg::dense;
use wngd::linalg::faer::Mat;

use super::options::Bench;
use super::session::Session;

/// The Jacobian of the largest row of the directions.
const CELLS: usize = 65_536;
const PARAMETERS: usize = 1000;

/// Times XᵀX and a copy of X, X with 65 536 rows and 1000 columns.
pub(super) fn table(bench: &Bench, session: &mut Session) -> Result<(), Box<dyn Error>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(bench.threads).build()?;
    let x = Mat::from_fn(CELLS, PARAMETERS, |i, j| ((i * 7 + j * 13) % 101) as f64 - 50.0);
    let gram = pool.install(|| clocked(bench.repeat, || drop(std::hint::black_box(dense::gram(x.as_ref())))));
    let mut to = vec![0.0; CELLS * PARAMETERS];
    let copy = pool.install(|| {
        clocked(bench.repeat, || {
            to.par_chunks_mut(CELLS).enumerate().for_each(|(j, out)| {
                out.iter_mut().zip(x.col(j).iter()).for_each(|(o, v)| *o = *v);
            });
            std::hint::black_box(&to);
        })
    });
    let best = |times: &[f64]| times.iter().copied().fold(f64::INFINITY, f64::min);
    let rate = CELLS as f64 * (PARAMETERS * PARAMETERS) as f64 / best(&gram) / 1e9;
    let bytes = 16.0 * (CELLS * PARAMETERS) as f64 / best(&copy) / 1e9;
    println!("\nLimit, {CELLS} x {PARAMETERS}, {} threads", bench.threads);
    println!("  X'X {:.3} s, {rate:.0} GFLOP/s (one triangle counted)", best(&gram));
    println!("  copy {:.3} s, {bytes:.0} GB/s read and written", best(&copy));
    session.note("limit/gram".into(), gram, None, 0.0);
    session.note("limit/copy".into(), copy, None, 0.0);
    Ok(())
}

fn clocked(repeat: usize, mut once: impl FnMut()) -> Vec<f64> {
    let one = |_| {
        let clock = Instant::now();
        once();
        clock.elapsed().as_secs_f64()
    };
    (0..repeat.max(1)).map(one).collect()
}
