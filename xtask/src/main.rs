//! `cargo xtask`: benchmarks and checks of the workspace.
#![forbid(unsafe_code)]

mod attack;
mod bench;
mod book;
mod ci;
mod compare;
mod deny;
mod dependencies;
mod docs;
mod gallery;
mod generate;
mod hyperqueue;
mod mpi;
mod notebooks;
mod pages;
mod place;
#[path = "../../crates/wngd/benches/problem/mod.rs"]
mod problem;
mod python;
mod reproduce;
mod scaling;
mod shared;
mod slurm;
mod tools;
mod umbridge;
mod wheel;

use std::error::Error;

use clap::{CommandFactory, Parser};

/// Benchmarks and checks of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Xtask {
    /// Times a large W₂ direction and the solves of a Lorenz flow, alone or against SciPy and CHOLMOD.
    Bench(bench::options::Bench),
    /// Times one direction in this process and prints it as JSON.
    #[command(hide = true)]
    Measure(bench::mixture::Measure),
    /// Times forward and adjoint solves of the Lorenz flow in this process and prints them as JSON.
    #[command(hide = true)]
    MeasureLorenz(bench::lorenz::MeasureLorenz),
    /// Times one family at one size in this process and prints it as JSON.
    #[command(hide = true)]
    MeasureGrowth(bench::growth::MeasureGrowth),
    /// Times estimators of the direction on the Lorenz flow with many parameters and prints them as JSON.
    #[command(hide = true)]
    MeasureEstimators(bench::estimators::MeasureEstimators),
    /// Builds the book of docs/ into target/book; the first time it installs mdBook into target/tools.
    Book,
    /// Dependencies, formatting, lints, tests, documentation: everything a change must pass.
    Ci {
        /// Leave out the tests, where they have just been run.
        #[arg(long)]
        skip_tests: bool,
    },
    /// Packages every crate as for publication and builds what was packaged.
    Package,
    /// Checks the pages: names in docs/formulas.md, links, commands of cargo.
    Docs,
    /// Draws the figures of docs/gallery.md anew: runs the page's commands and copies what they draw.
    Gallery(gallery::Gallery),
    /// Rewrites what is generated and checked in: the table of keys, code of examples in pages.
    Generate,
    /// Builds the tool with MPI and compares four processes of `mpirun` with one, in target/mpi.
    Mpi,
    /// Shards as tasks of HyperQueue against one process, with its server and a worker in an environment under target/python.
    Hyperqueue,
    /// What sharing a command costs: measured at 1, 2, 4 and 8 shards, simulated beyond.
    Scaling,
    /// Runs `wngd submit` under Slurm, with controller and daemon on this machine, in target/slurm.
    Slurm,
    /// Lets models behind UM-Bridge and `wngd serve` meet UM-Bridge's Python package, in an environment under target/python.
    Umbridge,
    /// Builds the wheel of Python's package and tests it, its notebooks too, in environments under target/python.
    Wheel {
        /// Write what the notebooks show into docs/notebooks.md.
        #[arg(long)]
        pages: bool,
    },
    /// Attacks the library and the program, and prints a table of what it came to.
    Attack(attack::Attack),
    /// Draws the map of docs/identification.md: errors and seconds of identification beside other ways.
    Compare(compare::Compare),
    /// Repeats the README's numbers, in target/reproduce, and compares.
    Reproduce(reproduce::Reproduce),
}

fn main() -> Result<(), Box<dyn Error>> {
    match Xtask::parse() {
        Xtask::Bench(bench) => bench::run(&bench),
        Xtask::Measure(measure) => measure.run(),
        Xtask::MeasureLorenz(measure) => measure.run(),
        Xtask::MeasureGrowth(measure) => measure.run(),
        Xtask::MeasureEstimators(measure) => measure.run(),
        Xtask::Book => book::run(),
        Xtask::Ci { skip_tests } => ci::run(skip_tests, Xtask::command()),
        Xtask::Package => ci::package(),
        Xtask::Docs => docs::run().and_then(|()| dependencies::run()).and_then(|()| pages::run(&Xtask::command())),
        Xtask::Gallery(gallery) => gallery.run(),
        Xtask::Generate => generate::run(false),
        Xtask::Mpi => mpi::run(),
        Xtask::Hyperqueue => hyperqueue::run(),
        Xtask::Scaling => scaling::run(),
        Xtask::Slurm => slurm::run(),
        Xtask::Umbridge => umbridge::run(),
        Xtask::Wheel { pages } => wheel::run(pages),
        Xtask::Attack(attack) => attack.run(),
        Xtask::Compare(compare) => compare.run(),
        Xtask::Reproduce(reproduce) => reproduce.run(),
    }
}
