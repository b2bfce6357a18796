//! `cargo xtask attack`: what a hostile world does to the program, counted.

mod calls;
mod field;
mod files;
mod kills;
mod mutants;
mod names;
mod row;
mod shards;
mod writers;

use std::error::Error;
use std::time::Instant;

use clap::Args;

use field::Field;
use row::Row;

/// What an attack is: so many times in a field.
type Attacker = fn(&mut Field, usize) -> Result<Row, Box<dyn Error>>;

/// All attacks, with how often the whole of each is.
const ATTACKS: [(&str, usize, Attacker); 9] = [
    ("calls of public functions", 1_000_000, calls::attack),
    ("mutants of files, to their readers", 100_000, mutants::attack),
    ("experiment files with something changed", 10_000, files::attack),
    ("kills, then resumed", 200, |field, times| kills::attack(field, times, kills::Blow::Kill)),
    ("other signals, then resumed", 60, |field, times| kills::attack(field, times, kills::Blow::Signal)),
    ("files that may not grow, then resumed", 60, |field, times| kills::attack(field, times, kills::Blow::Limit)),
    ("pairs of writers, killed, then resumed", 100, writers::attack),
    ("shards, their workers killed, then merged", 40, shards::attack),
    ("hostile names, on every command", 200, names::attack),
];

/// Attacks the library and the program, and prints a table of what it came to.
#[derive(Args)]
pub(crate) struct Attack {
    /// Share of the whole attack; 0.02 takes a minute.
    #[arg(long, default_value_t = 1.0)]
    share: f64,
    /// Only the attacks whose line in the table has this in it.
    #[arg(long, value_name = "WORD")]
    only: Option<String>,
    /// Seed of all that is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Attack {
    /// Carries it out; an error where anything went wrong.
    pub(crate) fn run(&self) -> Result<(), Box<dyn Error>> {
        if !(self.share > 0.0 && self.share <= 1.0) {
            return Err("--share: above 0, at most 1".into());
        }
        let chosen = |name: &str| self.only.as_deref().is_none_or(|word| name.contains(word));
        if !ATTACKS.iter().any(|(name, ..)| chosen(name)) {
            let names: Vec<&str> = ATTACKS.iter().map(|(name, ..)| *name).collect();
            return Err(format!("--only: no attack has it in its name; there are {}", names.join("; ")).into());
        }
        let mut field = Field::new(self.seed)?;
        let mut rows = Vec::new();
        for (name, whole, attack) in ATTACKS.into_iter().filter(|(name, ..)| chosen(name)) {
            let times = ((whole as f64 * self.share).ceil() as usize).max(1);
            // The same whether others came before it or not.
            field.sow(self.seed);
            let clock = Instant::now();
            rows.push((name, attack(&mut field, times)?));
            eprintln!("{name}: {:.0} s", clock.elapsed().as_secs_f64());
        }
        println!("{:<44} {:>8} {:>7}  remark", "attack", "times", "faults");
        for (name, Row { times, faults, remark }) in &rows {
            println!("{name:<44} {times:>8} {:>7}  {remark}", faults.len());
        }
        let faults: Vec<&str> = rows.iter().flat_map(|(_, row)| row.faults.iter().map(String::as_str)).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults[..faults.len().min(20)].join("\n").into()) }
    }
}
