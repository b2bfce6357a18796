//! Seeds of the fuzz targets with something changed, for toolchains that have no libFuzzer.
//!
//! `MUTANTS=100000 cargo test --release -p wngd-experiment --lib mutants -- --nocapture` reads as many by each reader.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;

/// Longest input.
const LONGEST: usize = 8192;

/// Seeds and words of a fuzz target.
struct Material {
    seeds: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
    rng: Pcg64,
}

impl Material {
    fn of(target: &str) -> Self {
        let root: PathBuf = [env!("CARGO_MANIFEST_DIR"), "fuzz"].iter().collect();
        let files = |folder: &Path| {
            let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
            paths.sort();
            paths
        };
        let seeds = files(&root.join("seeds").join(target)).iter().map(|path| std::fs::read(path).unwrap()).collect();
        let text = std::fs::read_to_string(root.join("dictionaries").join(format!("{target}.dict"))).unwrap();
        let quoted = text.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix('"'));
        let words = quoted.map(|word| word.replace("\\\"", "\"").into_bytes()).collect();
        Self { seeds, words, rng: Pcg64::seed_from_u64(1) }
    }

    fn below(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    /// A seed with one to six changes.
    fn mutant(&mut self) -> Vec<u8> {
        let seed = self.below(self.seeds.len());
        let mut bytes = self.seeds[seed].clone();
        for _ in 0..1 + self.below(6) {
            let at = self.below(bytes.len() + 1);
            let end = (at + 1 + self.below(40)).min(bytes.len());
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] = self.rng.random_range(0..=255),
                1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                2 => drop(bytes.drain(at..end)),
                3 => {
                    let part = bytes[at..end].to_vec();
                    let to = self.below(bytes.len() + 1);
                    bytes.splice(to..to, part);
                }
                4 => {
                    let word = self.below(self.words.len());
                    bytes.splice(at..end, self.words[word].iter().copied());
                }
                5 => {
                    let odd = ["nan", "-1e308", "5e-324", "18446744073709551615", "-0", "", "\u{0}", "\u{202e}"];
                    let odd = odd[self.below(odd.len())];
                    bytes.splice(at..end, odd.bytes());
                }
                _ => {
                    let other = self.below(self.seeds.len());
                    let from = self.below(self.seeds[other].len() + 1);
                    bytes.truncate(at);
                    bytes.extend_from_slice(&self.seeds[other][from..]);
                }
            }
        }
        bytes.truncate(LONGEST);
        bytes
    }
}

/// Reads mutants of a target's seeds; what panics is left in the folder of temporary files.
fn read(target: &str, reader: fn(&[u8])) {
    let wanted: usize = std::env::var("MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(200);
    let mut material = Material::of(target);
    let mut slowest = Duration::ZERO;
    let clock = Instant::now();
    for number in 0..wanted {
        let bytes = material.mutant();
        let begun = Instant::now();
        if catch_unwind(|| reader(&bytes)).is_err() {
            let kept = std::env::temp_dir().join(format!("wngd-mutant-{target}-{number}"));
            std::fs::write(&kept, &bytes).unwrap();
            panic!("{target}: mutant {number}, kept in {}", kept.display());
        }
        slowest = slowest.max(begun.elapsed());
    }
    let (whole, slowest) = (clock.elapsed().as_secs_f64(), slowest.as_secs_f64());
    println!("{target}: {wanted} mutants read in {whole:.0} s, the slowest in {slowest:.2} s");
}

#[test]
fn of_experiments() {
    read("toml", super::experiment);
}

#[test]
fn of_tables() {
    read("csv", super::csv);
}

#[test]
fn of_arrays() {
    read("npy", super::npy);
}

#[test]
fn of_checkpoints() {
    read("checkpoint", super::checkpoint);
}
