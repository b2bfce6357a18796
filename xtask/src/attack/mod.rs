//! `cargo xtask attack`: what a hostile world does to the program, counted.

mod calls;
mod field;
mod files;
mod kills;
mod names;
mod row;
mod writers;

use std::error::Error;

use clap::Args;

use field::Field;
use row::Row;

/// Attacks the library and the program, and prints a table of what it came to.
#[derive(Args)]
pub(crate) struct Attack {
    /// Share of the whole attack; 0.02 takes a minute.
    #[arg(long, default_value_t = 1.0)]
    share: f64,
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
        let times = |whole: usize| ((whole as f64 * self.share).ceil() as usize).max(1);
        let mut field = Field::new(self.seed)?;
        let rows = [
            calls::attack(times(1_000_000))?,
            files::attack(&mut field, times(10_000))?,
            kills::attack(&mut field, times(200), kills::Blow::Kill)?,
            kills::attack(&mut field, times(60), kills::Blow::Signal)?,
            kills::attack(&mut field, times(60), kills::Blow::Limit)?,
            writers::attack(&mut field, times(100))?,
            names::attack(&mut field, times(200))?,
        ];
        println!("{:<44} {:>8} {:>7}  remark", "attack", "times", "faults");
        for Row { attack, times, faults, remark } in &rows {
            println!("{attack:<44} {times:>8} {:>7}  {remark}", faults.len());
        }
        let faults: Vec<&str> = rows.iter().flat_map(|row| row.faults.iter().map(String::as_str)).collect();
        if faults.is_empty() { Ok(()) } else { Err(faults[..faults.len().min(20)].join("\n").into()) }
    }
}
