//! Workers that share a map, killed at random and begun again: the same bytes as if nothing had happened.

use std::error::Error;
use std::process::Child;
use std::time::{Duration, Instant};

use rand::RngExt;

use super::field::Field;
use super::row::Row;

const BASIN: [&str; 5] = ["basin", "e.toml", "--out", "o", "--quiet"];
/// Workers at a time.
const WORKERS: usize = 3;

pub(super) fn attack(field: &mut Field, times: usize) -> Result<Row, Box<dyn Error>> {
    field.clear("o")?;
    let clock = Instant::now();
    if !field.wngd(&BASIN).status()?.success() {
        return Err("the experiment of the attack does not run".into());
    }
    let whole = clock.elapsed();
    let path = field.folder().join("o/basin.json");
    let expected = std::fs::read(&path)?;
    let (mut faults, mut killed, mut maps) = (Vec::new(), 0, 0);
    while killed < times {
        field.clear("o")?;
        maps += 1;
        let names: Vec<String> = (0..WORKERS).map(|i| format!("{i}/{WORKERS}")).collect();
        let begin = |field: &Field, name: &str| {
            field.wngd(&[&BASIN[..], &["--threads", "1", "--checkpoint", "1000", "--shard", name]].concat()).spawn()
        };
        let mut workers = names.iter().map(|name| begin(field, name)).collect::<Result<Vec<Child>, _>>()?;
        let mut left = vec![true; WORKERS];
        while left.contains(&true) {
            if killed < times {
                std::thread::sleep(whole.mul_f64(field.rng.random_range(0.0..0.3)));
                let victim = field.rng.random_range(0..WORKERS);
                if left[victim] && workers[victim].try_wait()?.is_none() {
                    workers[victim].kill()?;
                    killed += 1;
                }
            } else {
                std::thread::sleep(Duration::from_millis(5));
            }
            for ((worker, left), name) in workers.iter_mut().zip(&mut left).zip(&names).filter(|((_, left), _)| **left)
            {
                match worker.try_wait()? {
                    Some(status) if status.success() => *left = false,
                    Some(status) if status.code().is_some() => {
                        return Err(format!("shard {name} ended with {status}").into());
                    }
                    Some(_) => *worker = begin(field, name)?,
                    None => {}
                }
            }
        }
        let merged = field.wngd(&["merge", "o", "--quiet"]).status()?;
        match std::fs::read(&path) {
            Ok(found) if merged.success() && found == expected => {}
            Ok(_) => faults.push(format!("map {maps}, after {killed} kills: {merged}, other bytes")),
            Err(error) => faults.push(format!("map {maps}, after {killed} kills: {merged}, no result, {error}")),
        }
    }
    Ok(Row { times: killed, faults, remark: format!("{maps} maps of {WORKERS} shards") })
}
