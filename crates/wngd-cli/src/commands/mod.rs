//! One module per command, with its arguments; here is what there is.

mod basin;
mod check;
mod completions;
mod density;
mod fit;
mod identify;
mod init;
mod inspect;
mod list;
mod man;
mod merge;
#[cfg(feature = "play")]
mod play;
mod profile;
mod report;
mod resume;
mod run;
mod schema;
#[cfg(feature = "play")]
mod serve;
mod simulate;
mod sketch;
mod submit;
mod systems;
mod toys;

use clap::Subcommand;

use crate::error::CliError;

/// Commands, in the order of the help; a command is documented where its arguments are.
#[derive(Debug, Subcommand)]
pub enum Command {
    Fit(fit::FitArgs),
    Run(run::RunArgs),
    Resume(resume::ResumeArgs),
    Check(check::CheckArgs),
    Schema(schema::SchemaArgs),
    Inspect(inspect::InspectArgs),
    Basin(basin::BasinArgs),
    Sketch(sketch::SketchArgs),
    Profile(profile::ProfileArgs),
    Toys(toys::ToysArgs),
    Merge(merge::MergeArgs),
    Submit(submit::SubmitArgs),
    #[cfg(feature = "play")]
    Play(play::PlayArgs),
    #[cfg(feature = "play")]
    Serve(serve::ServeArgs),
    Report(report::ReportArgs),
    Init(init::InitArgs),
    List(list::ListArgs),
    Simulate(simulate::SimulateArgs),
    Density(density::DensityArgs),
    Identify(identify::IdentifyArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Systems(systems::SystemsArgs),
}

impl Command {
    /// Carries the command out and returns its exit code; `whole` is the command line it belongs to.
    pub fn carry_out(self, whole: fn() -> clap::Command) -> Result<u8, CliError> {
        match self {
            Self::Fit(args) => fit::fit(&args),
            Self::Run(args) => run::run(&args, None),
            Self::Resume(args) => resume::resume(&args),
            Self::Check(args) => check::check(&args),
            Self::Schema(args) => schema::schema(&args),
            Self::Inspect(args) => inspect::inspect(&args),
            Self::Basin(args) => basin::basin(&args, None),
            Self::Sketch(args) => sketch::sketch(&args, None),
            Self::Profile(args) => profile::profile(&args, None),
            Self::Toys(args) => toys::toys(&args, None),
            Self::Merge(args) => merge::merge(&args),
            Self::Submit(args) => submit::submit(&args),
            #[cfg(feature = "play")]
            Self::Play(args) => play::play(&args),
            #[cfg(feature = "play")]
            Self::Serve(args) => serve::serve(&args),
            Self::Report(args) => report::report(&args),
            Self::Init(args) => init::init(&args),
            Self::List(args) => list::list(&args),
            Self::Simulate(args) => simulate::simulate(&args),
            Self::Density(args) => density::density(&args),
            Self::Identify(args) => identify::identify(&args, None),
            Self::Completions(args) => completions::completions(&args, whole()),
            Self::Man(args) => man::man(&args, whole()),
            Self::Systems(args) => systems::systems(&args),
        }
    }

    /// Carries the command out with other processes, where it has units that they can do.
    #[cfg(feature = "mpi")]
    pub fn carry_out_together(self, whole: fn() -> clap::Command) -> Result<u8, CliError> {
        match self {
            Self::Basin(_)
            | Self::Toys(_)
            | Self::Sketch(_)
            | Self::Profile(_)
            | Self::Identify(_)
            | Self::Resume(_) => self.carry_out(whole),
            _ => Err(CliError::usage(
                "mpirun",
                "only basin, toys, sketch, profile, identify, and resume of these, are done by several processes; start one",
            )),
        }
    }
}
