//! Identification beside other ways, on one set of records: the map of docs/identification.md.

mod cells;
mod figure;
mod found;
mod peers;
mod setting;
mod table;

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use wngd::identify::{Estimate, NoiseLevel, Question, Sample, Verdict, answer};

use crate::place::root;
use cells::Record;
use found::{Found, Row};
use peers::Others;

#[derive(Args)]
pub(crate) struct Compare {
    /// A Python with xtask/peer/requirements-identify.txt, to compare with.
    #[arg(long, value_name = "PYTHON")]
    peer: Option<PathBuf>,
    /// Short records of Lorenz' system alone.
    #[arg(long)]
    quick: bool,
    /// Records whose name contains this alone, as "lorenz96"; may be given several times.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Write what was found into the map, and the table and the figure of it into docs/.
    #[arg(long)]
    docs: bool,
}

impl Compare {
    pub(crate) fn run(&self) -> Result<(), Box<dyn Error>> {
        let folder = root().join("target/compare");
        std::fs::create_dir_all(&folder)?;
        let mut rows = Vec::new();
        let mut others = self.peer.as_ref().map(|python| Others::begin(python, &folder)).transpose()?;
        for record in cells::records(self.quick) {
            let record = record.with_step()?;
            if !self.only.is_empty() && !self.only.iter().any(|text| record.name().contains(text)) {
                continue;
            }
            let data = record.data()?;
            let (ours, refused) = ours(&record, &data)?;
            let line = ours.as_ref().map_or_else(
                || format!("no answer: {}", refused.as_deref().unwrap_or_default()),
                |f| format!("{:.1e} by {} in {:.2} s", record.error(&f.theta), f.by, f.seconds),
            );
            println!("{}: {line}", record.name());
            if let Some(others) = &mut others {
                others.ask(&record, &data)?;
            }
            rows.push(Row { record, ours, refused, peers: Vec::new() });
        }
        if let Some(others) = others {
            for (row, peers) in rows.iter_mut().zip(others.answers()?) {
                let words = peers.iter().map(|(name, found)| {
                    let text =
                        found.as_ref().map_or("failed".into(), |f| format!("{:.1e}", row.record.error(&f.theta)));
                    format!("{name} {text}")
                });
                println!("{}: {}", row.record.name(), words.collect::<Vec<_>>().join(", "));
                row.peers = peers;
            }
        }
        let mut settings = setting::settings(&rows);
        println!("\n{}", table::markdown(&settings));
        if self.docs {
            settings = setting::merged(&root().join("docs/data/identification-map.json"), &settings)?;
        }
        let text = table::markdown(&settings);
        std::fs::write(folder.join("map.md"), &text)?;
        let drawing = figure::of(&settings);
        if drawing.panels.is_empty() {
            return Ok(());
        }
        wngd_figures::Figure::save(&drawing, &folder)?;
        if self.docs {
            table::into_page(&root().join("docs/identification.md"), &text)?;
            std::fs::copy(folder.join("dots.png"), root().join("docs/images/identification-map.png"))?;
        }
        Ok(())
    }
}

/// The answer of this library, told nothing but the system and the time step.
fn ours(record: &Record, data: &cells::Data) -> Result<(Option<Found>, Option<String>), Box<dyn Error>> {
    let count = data.points.len() / data.seen.len();
    let sample = Sample::new(data.points.clone(), data.seen.len(), vec![count], record.ordered.then_some(record.dt))?;
    let dynamics = record.dynamics()?;
    let question = Question {
        noise: if record.ordered || record.noise > 0.0 { record.level(data) } else { NoiseLevel::Share(0.0) },
        observed: record.partial().then(|| data.seen.clone()),
        ..Question::default()
    };
    let clock = std::time::Instant::now();
    let found = match answer(&dynamics, &sample, &question) {
        Ok(found) => found,
        Err(error) => return Ok((None, Some(error.to_string()))),
    };
    let seconds = clock.elapsed().as_secs_f64();
    found.estimates.iter().for_each(|estimate| println!("    {}", words(record, estimate)));
    if found.verdict != Verdict::Fits {
        return Ok((None, Some(found.verdict.name().into())));
    }
    let estimate = found.estimate();
    let by = estimate.estimator.to_string();
    Ok((Some(Found { theta: estimate.theta.clone(), errors: estimate.standard_errors.clone(), seconds, by }), None))
}

/// What one estimator came to.
fn words(record: &Record, estimate: &Estimate) -> String {
    let errors = estimate.standard_errors.as_ref().filter(|errors| errors.iter().all(Option::is_some));
    let off = errors.map(|errors| {
        let offs = record.normalised(&estimate.theta, errors);
        format!(", {} standard errors", offs.iter().map(|z| format!("{z:.1}")).collect::<Vec<_>>().join(" "))
    });
    let misfit = estimate.misfit.map(|m| format!(", misfit {:.1} for {:.0}", m.statistic, m.degrees_of_freedom));
    let rest = if estimate.converged { "" } else { ", not at rest" };
    let words = estimate.objections.iter().chain(&estimate.remarks).map(|text| format!("; {text}"));
    format!(
        "{}: {:.1e} in {:.2} s{}{}{rest}{}",
        estimate.estimator,
        record.error(&estimate.theta),
        estimate.seconds,
        off.unwrap_or_default(),
        misfit.unwrap_or_default(),
        words.collect::<String>()
    )
}
