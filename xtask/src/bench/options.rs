//! What to measure.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Args)]
pub(crate) struct Bench {
    /// A Python with xtask/peer/requirements.txt, to compare with.
    #[arg(long, value_name = "PYTHON")]
    pub(super) peer: Option<PathBuf>,
    /// These tables only.
    #[arg(long, value_delimiter = ',')]
    pub(super) only: Vec<Table>,
    /// Cells per axis of the mixture.
    #[arg(long, default_value_t = 256)]
    pub(super) grid: usize,
    /// Numbers of parameters of the mixture.
    #[arg(long, value_delimiter = ',', default_value = "2,100,1000")]
    pub(super) p: Vec<usize>,
    /// Threads, for both sides.
    #[arg(long, default_value_t = 2)]
    pub(super) threads: usize,
    /// Repetitions; the best counts.
    #[arg(long, default_value_t = 3)]
    pub(super) repeat: usize,
    /// Write the seconds of every row into this file.
    #[arg(long, value_name = "FILE")]
    pub(super) save: Option<PathBuf>,
    /// Print ratios to the rows of a file that --save wrote.
    #[arg(long, value_name = "FILE")]
    pub(super) against: Option<PathBuf>,
    /// Write tables and figure into docs/performance.md.
    #[arg(long)]
    pub(super) page: bool,
    /// Leave out the criterion benches and the largest grids.
    #[arg(long)]
    pub(super) quick: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Table {
    Mixture,
    Lorenz,
    Estimators,
    Fit,
    /// Many fits of made-up data.
    Toys,
    /// Cost against sizes, with exponents.
    Growth,
    /// A matrix product and a copy.
    Limit,
    /// A factor beside multigrid.
    Choice,
}
