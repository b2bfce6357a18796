//! What sharing a command costs: measured at 1, 2, 4 and 8 shards, and from these costs what more units and cores come to.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

use crate::place::root;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Toys that are shared: the cheapest units there are, so that the cost of sharing stands out.
const TOYS: usize = 4000;
/// Toys of the large merge.
const MANY: usize = 100_000;
const SHARDS: [usize; 4] = [1, 2, 4, 8];
/// Seconds of units in the simulation: evenly between these.
const SECONDS: [f64; 2] = [0.5, 1.5];
/// Units and cores of the simulation.
const UNITS: [usize; 3] = [100, 10_000, 1_000_000];
const CORES: [usize; 3] = [16, 128, 1024];

const EXPERIMENT: &str = r#"name = "waiting"
[model]
kind = "gaussian-mixture"
weights = [0.4, 0.6]
means = [[54.0], [80.0]]
covariance = { isotropic = [30.0, 30.0] }
free = ["weights", "means[0]"]
[data]
histogram = "h.csv"
"#;
/// Waiting times of Old Faithful in bins of two minutes from 40 on.
const COUNTS: [usize; 30] =
    [0, 1, 3, 9, 8, 11, 12, 15, 7, 11, 6, 7, 7, 3, 3, 9, 8, 14, 21, 25, 21, 26, 16, 8, 9, 7, 3, 1, 1, 0];

/// The tool in a folder of its own.
struct Place {
    tool: PathBuf,
    folder: PathBuf,
}

impl Place {
    fn wngd(&self, arguments: &str) -> Outcome<f64> {
        let clock = Instant::now();
        let status = Command::new(&self.tool).args(arguments.split(' ')).current_dir(&self.folder).status()?;
        if !status.success() {
            return Err(format!("wngd {arguments}: {status}").into());
        }
        Ok(clock.elapsed().as_secs_f64())
    }

    /// Seconds of all shards one after the other, of their merge, and their bytes.
    fn shared(&self, toys: usize, shards: usize) -> Outcome<(f64, f64, u64)> {
        let _ = fs::remove_dir_all(self.folder.join("t"));
        let mut seconds = 0.0;
        for i in 0..shards {
            let shard = format!("--shard {i}/{shards} --threads 1 --quiet --no-figures");
            seconds += self.wngd(&format!("toys waiting.toml --count {toys} --out t {shard}"))?;
        }
        let bytes = size(&self.folder.join("t"))?;
        Ok((seconds, self.wngd("merge t --quiet")?, bytes))
    }
}

/// Bytes of the shards in a folder.
fn size(folder: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("shard-") {
            sum += entry.metadata()?.len();
        }
    }
    Ok(sum)
}

pub(crate) fn run() -> Outcome<()> {
    let built = Command::new("cargo").args(["build", "--release", "-p", "wngd-cli"]).current_dir(root()).status()?;
    if !built.success() {
        return Err("the tool does not build".into());
    }
    let folder = root().join("target/scaling");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("waiting.toml"), EXPERIMENT)?;
    let rows = COUNTS.iter().enumerate().map(|(i, n)| format!("{},{},{n}\n", 40 + 2 * i, 42 + 2 * i));
    fs::write(folder.join("h.csv"), format!("left,right,n\n{}", rows.collect::<String>()))?;
    let tool = root().join("target/release").join(format!("wngd{}", std::env::consts::EXE_SUFFIX));
    let place = Place { tool, folder };
    println!("| shards, one after the other | seconds, all of {TOYS} toys | merge, seconds |\n|---|---|---|");
    let mut all = Vec::new();
    for shards in SHARDS {
        let (seconds, merge, _) = place.shared(TOYS, shards)?;
        println!("| {shards} | {seconds:.2} | {merge:.2} |");
        all.push((shards as f64, seconds));
    }
    // A straight line through them: what each process costs, beside its toys.
    let n = all.len() as f64;
    let (x, y) = (all.iter().map(|a| a.0).sum::<f64>() / n, all.iter().map(|a| a.1).sum::<f64>() / n);
    let process =
        all.iter().map(|a| (a.0 - x) * (a.1 - y)).sum::<f64>() / all.iter().map(|a| (a.0 - x).powi(2)).sum::<f64>();
    let process = process.max(0.0);
    let (seconds, merge, bytes) = place.shared(MANY, 4)?;
    println!(
        "\na process costs {process:.3} s; {MANY} toys in 4 shards took {seconds:.1} s and {} bytes each, their merge {merge:.2} s",
        bytes / MANY as u64
    );
    let each = merge / MANY as f64;
    println!(
        "\nunits of {} to {} s, and these costs: hours, and in brackets how much longer than without any\n",
        SECONDS[0], SECONDS[1]
    );
    println!(
        "| units | cores | a shard per core | four per core | handed out one by one | merge, s |\n|---|---|---|---|---|---|"
    );
    for units in UNITS {
        for cores in CORES.into_iter().filter(|cores| *cores <= units) {
            let times = times(units);
            let ideal = times.iter().sum::<f64>() / cores as f64;
            let cell = |seconds: f64| format!("{:.3} ({:.1} %)", seconds / 3600.0, 100.0 * (seconds / ideal - 1.0));
            println!(
                "| {units} | {cores} | {} | {} | {} | {:.1} |",
                cell(in_shards(&times, cores, cores, process)),
                cell(in_shards(&times, cores, 4 * cores, process)),
                cell(process + in_shards(&times, cores, units, 0.0)),
                each * units as f64
            );
        }
    }
    Ok(())
}

/// Times of units that differ as those of descents do.
fn times(units: usize) -> Vec<f64> {
    let mut rng = Pcg64::seed_from_u64(1);
    (0..units).map(|_| SECONDS[0] + (SECONDS[1] - SECONDS[0]) * rng.random::<f64>()).collect()
}

/// Seconds until the last of some shards is done, each begun by the core that is free first.
fn in_shards(times: &[f64], cores: usize, shards: usize, process: f64) -> f64 {
    let mut free = vec![0.0f64; cores];
    for shard in 0..shards.min(times.len()) {
        let work = process + times.iter().skip(shard).step_by(shards).sum::<f64>();
        // Few cores: a look at all of them is cheap.
        if let Some(first) = free.iter_mut().min_by(|a, b| a.total_cmp(b)) {
            *first += work;
        }
    }
    free.into_iter().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_units_take_their_share_and_one_process_each() {
        let times = vec![2.0; 12];
        assert_eq!(in_shards(&times, 3, 3, 0.5), 8.5);
        assert_eq!(in_shards(&times, 3, 6, 0.5), 9.0);
        // A long unit is waited for.
        assert_eq!(in_shards(&[1.0, 5.0, 1.0], 3, 3, 0.0), 5.0);
    }
}
