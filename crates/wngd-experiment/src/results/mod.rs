//! The files that commands leave, each in the one form in which it is written and read.

pub mod basin;
pub mod fit;
pub mod identify;
pub mod profile;
pub mod run;
pub mod sketch;
pub mod toys;

pub use basin::{BasinFile, BasinMethod, MinimumEntry};
pub use fit::{FitFile, FitMethod, FitScore, GoodnessOfFit};
pub use identify::IdentifyFile;
pub use profile::{ContourEntry, ContourLevel, ProfileEntry, ProfileFile};
pub use run::{Goodness, MethodResult, ResultFile};
pub use sketch::{Entry, MetricStudy, Quartiles, Study};
pub use toys::{PullEntry, StatusCount, ToyEntry, ToysFile};
