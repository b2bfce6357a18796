//! The files that commands leave, each in the one form in which it is written and read.

pub mod basin;
pub mod fit;
pub mod identify;
pub mod run;
pub mod sketch;

pub use basin::{BasinFile, BasinMethod, MinimumEntry};
pub use fit::{FitFile, FitMethod, FitScore, GoodnessOfFit};
pub use identify::IdentifyFile;
pub use run::{Goodness, MethodResult, ResultFile};
pub use sketch::{Entry, MetricStudy, Quartiles, Study};
