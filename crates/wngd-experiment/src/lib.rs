//! From an experiment file to results, as a library: what the command line and bindings are thin layers on.
//!
//! One way, without a return: a [`Source`] is text that knows its lines; [`Described`] is what it says; an
//! [`Experiment`] is what that becomes on its data; [`run::run`], [`basin::basin`], [`study::study`], [`profile::profile`],
//! [`toys::toys`] and [`identification::identify`] carry it out and leave the files of [`results`], figures and a [`report`].
//!
//! Every thing that a user can name is a file of its own: [`metrics`], [`objectives`], [`solvers`], [`steps`], [`models`],
//! [`schemes`], kinds of [`data`] and their formats. Lists, tables of keys, the JSON [`schema`] and errors come from
//! their [`registry`].
//!
//! ```
//! use wngd_experiment::{Experiment, Source};
//!
//! let source = Source::load("mixture-mu1", &["stop.iterations=5".to_string()])?;
//! let experiment = Experiment::build(&source)?;
//! assert_eq!(experiment.names(), ["means[0][0]", "means[0][1]"]);
//! let outcome = experiment.descent(0, 0).run(&experiment.theta0)?;
//! assert!(outcome.last().objective < outcome.trace[0].objective);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod basin;
pub mod checkpoint;
pub mod data;
pub mod density;
pub mod facts;
pub mod files;
mod fitted;
pub mod fitting;
pub mod folder;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod grid;
pub mod identification;
pub mod inspection;
mod keys;
pub mod labels;
pub mod limits;
mod memory;
pub mod method;
pub mod metrics;
pub mod models;
pub mod numbers;
pub mod objectives;
pub mod offer;
pub mod parameters;
pub mod pictures;
pub mod profile;
pub mod record;
pub mod registry;
pub mod report;
pub mod results;
pub mod run;
pub mod schema;
pub mod schemes;
pub mod solvers;
pub mod source;
pub mod starts;
pub mod steps;
pub mod stop;
pub mod study;
pub mod submit;
pub mod toys;
pub mod window;

mod best;
mod end;
mod error;
mod experiment;
mod ground;

pub use error::ExperimentError;
pub use experiment::{Described, Experiment, usual_axes};
pub use ground::Ground;
pub use method::{Method, MethodSection};
pub use source::{Given, Section, Source};
