use thiserror::Error;
use wngd_adjoint::ModelError;
use wngd_linalg::LinalgError;
use wngd_models::{TrajectoryError, WidthError};
use wngd_opt::{DescentError, ObjectiveError, UncertaintyError};

/// What can go wrong when a trajectory is simulated.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// The system has no coordinates, or too many for a grid.
    #[error("{system} has {dim} coordinates; systems of 1 to 3 have densities on grids, and at least 1 is simulated")]
    Coordinates {
        /// Name of the system.
        system: String,
        /// Its coordinates.
        dim: usize,
    },
    /// The parameters are not those of the system.
    #[error("{system} takes {} finite numbers: {}", names.len(), names.join(", "))]
    Theta {
        /// Name of the system.
        system: String,
        /// Names of its parameters.
        names: Vec<String>,
    },
    /// The start is no point of the system.
    #[error("{system} starts at {dim} finite coordinates, not at {start:?}")]
    Start {
        /// Name of the system.
        system: String,
        /// Its coordinates.
        dim: usize,
        /// The start given.
        start: Vec<f64>,
    },
    /// The time step is not usable.
    #[error("{dt:?} is not usable; a positive time step is needed, between 1e-100 and 1e100: change the units of time")]
    TimeStep {
        /// Its value.
        dt: f64,
    },
    /// The points do not fit into memory.
    #[error("{points} points do not fit into memory; take fewer, or follow the trajectory point by point")]
    TooManyPoints {
        /// Points asked for.
        points: usize,
    },
    /// The trajectory is lost.
    #[error(
        "simulating {system} at theta = {theta:?}: the trajectory leaves every bound; choose parameters with a bounded attractor"
    )]
    Unbounded {
        /// Name of the system.
        system: String,
        /// Its parameters.
        theta: Vec<f64>,
    },
    /// Some motions are so much faster than others that explicit methods take far too many steps.
    #[error(
        "simulating {system} at theta = {theta:?}: the system is stiff (seen {time:.3} after a restart), which the explicit method of order 8 cannot follow; leave out what decays fastest (set it to its equilibrium), or choose other parameters"
    )]
    Stiff {
        /// Name of the system.
        system: String,
        /// Its parameters.
        theta: Vec<f64>,
        /// When it was noticed.
        time: f64,
    },
    /// The integrator cannot follow the trajectory.
    #[error(
        "simulating {system} at theta = {theta:?}: {reason}; choose parameters with a bounded attractor, or shorter times"
    )]
    Integration {
        /// Name of the system.
        system: String,
        /// Its parameters.
        theta: Vec<f64>,
        /// What the integrator says.
        reason: String,
    },
}

/// What can be wrong with [`Settings`](crate::Settings).
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// One simulated trajectory per correction.
    #[error("one simulated trajectory per correction says nothing about noise; give 0 or at least 2")]
    OneReplicate,
    /// Too many simulated trajectories per correction.
    #[error("{replicates} simulated trajectories per correction; at most {most} are possible")]
    TooManyReplicates {
        /// Their number.
        replicates: usize,
        /// Most of them.
        most: usize,
    },
    /// Too many corrections.
    #[error("{corrections} corrections; at most {most} are possible, and a few are enough")]
    TooManyCorrections {
        /// Their number.
        corrections: usize,
        /// Most of them.
        most: usize,
    },
    /// The time between the points is not usable.
    #[error(
        "{dt:?} is not usable; a positive time between the points is needed, between 1e-100 and 1e100: change the units of time"
    )]
    TimeStep {
        /// Its value.
        dt: f64,
    },
    /// The noise is not usable.
    #[error("one share of the scatter or {dim} standard deviations are needed, none negative, not {noise:?}")]
    Noise {
        /// Coordinates of the system.
        dim: usize,
        /// The noise given.
        noise: Vec<f64>,
    },
}

impl SettingsError {
    /// Name of the field of [`Settings`](crate::Settings) that is not usable.
    pub fn field(&self) -> &'static str {
        match self {
            Self::OneReplicate | Self::TooManyReplicates { .. } => "replicates",
            Self::TooManyCorrections { .. } => "corrections",
            Self::TimeStep { .. } => "dt",
            Self::Noise { .. } => "noise",
        }
    }
}

/// What can be wrong with observed points.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SampleError {
    /// Numbers, coordinates and records do not belong together.
    #[error("{numbers} numbers are no records of {records:?} points of {dim} coordinates; give rows of {dim} numbers")]
    Shape {
        /// Numbers given.
        numbers: usize,
        /// Coordinates of a point.
        dim: usize,
        /// Points of each record.
        records: Vec<usize>,
    },
    /// Too few points.
    #[error("{count} points say nothing about a system; give at least {fewest}, better 1000")]
    Few {
        /// Points given.
        count: usize,
        /// Fewest points.
        fewest: usize,
    },
    /// A value is not finite.
    #[error("coordinate {coordinate} of point {row} is not finite; remove the point or repair it")]
    NotFinite {
        /// Point, from 0.
        row: usize,
        /// Coordinate, from 0.
        coordinate: usize,
    },
    /// A coordinate never changes.
    #[error("coordinate {coordinate} never changes; take it out of the system, or choose another column")]
    Constant {
        /// Coordinate, from 0.
        coordinate: usize,
    },
    /// The time between the points is not usable.
    #[error(
        "{dt:?} is not usable; a positive time between the points is needed, between 1e-100 and 1e100: change the units of time"
    )]
    TimeStep {
        /// Its value.
        dt: f64,
    },
}

/// What can be wrong with points that are read in parts.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PointsError {
    /// They cannot be read.
    #[error(transparent)]
    Read(Box<dyn std::error::Error + Send + Sync>),
    /// They are not usable.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// A later reading gives other points than the first one.
    #[error("record {record} has {now} points where it had {before}: it changed while it was read; copy it first")]
    Changed {
        /// Which, from 0.
        record: usize,
        /// Points when it was first read.
        before: usize,
        /// Points that came now, or one more than there were.
        now: usize,
    },
    /// The time steps of two records differ.
    #[error("record {record} has a time step of {step}, those before {before}: resample one of them")]
    Steps {
        /// Which, from 0.
        record: usize,
        /// Its time step.
        step: f64,
        /// That of the records before.
        before: f64,
    },
}

/// What can go wrong when a system is identified.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentifyError {
    /// The settings are not usable.
    #[error("{field}: {0}", field = .0.field())]
    Settings(#[from] SettingsError),
    /// The free parameters are no selection of the system's.
    #[error("free parameters {free:?} of {parameters}; name at least one, each once, counted from 0")]
    Free {
        /// The selection.
        free: Vec<usize>,
        /// Parameters of the system.
        parameters: usize,
    },
    /// Grid and system do not belong together.
    #[error("the grid has {axes} axes, the system {dim} coordinates; give one axis per coordinate")]
    Axes {
        /// Axes of the grid.
        axes: usize,
        /// Coordinates of the system.
        dim: usize,
    },
    /// The points are not usable.
    #[error("trajectory: {0}")]
    Sample(#[from] SampleError),
    /// The points cannot be read in parts.
    #[error("trajectory: {0}")]
    Points(#[from] PointsError),
    /// What was asked for needs all points in memory.
    #[error(
        "estimator: {names}: only weak-stationary, with every variable measured, bears points that are read in parts; take fewer points"
    )]
    NotHeld {
        /// What was asked for.
        names: String,
    },
    /// System and points have different numbers of coordinates.
    #[error("points of {columns} coordinates for a system of {dim}; give one column per variable")]
    Coordinates {
        /// Coordinates of the system.
        dim: usize,
        /// Those of the points.
        columns: usize,
    },
    /// Noise is undone by a formula for polynomials.
    #[error(
        "noise: it can be undone where the right-hand sides are polynomials in the variables; declare none (--noise 0) for this system"
    )]
    NoiseOfOther,
    /// None of the estimators asked for applies.
    #[error(
        "estimator: none of those asked for applies to points without order, or to a system with diffusion; ask for weak-stationary"
    )]
    NoEstimator,
    /// The estimator follows the flow from point to point.
    #[error(
        "dt: steps from point to point need points in order and their time step; all but the smoother a system without diffusion, too"
    )]
    NotOrdered,
    /// The smoother scales D.
    #[error(
        "diffusion: D of {variable} is neither known nor one parameter, which the equations do not have, times something known: weak-stationary alone bears that"
    )]
    Diffusion {
        /// The driven variable.
        variable: String,
    },
    /// The smoother scales D from where it begins.
    #[error("start: D of {variable} begins at 0, from where the smoother cannot scale it; start its parameter above 0")]
    DiffusionStart {
        /// The driven variable.
        variable: String,
    },
    /// The estimator follows more steps from point to point than there are.
    #[error("{steps} steps from point to point are too few, {least} are needed; record more points")]
    FewSteps {
        /// Steps that there are.
        steps: usize,
        /// Steps that are needed.
        least: usize,
    },
    /// Variables were not measured, and nothing that was asked for can do without them.
    #[error(
        "observed: the data lack {names}: only the smoother (points in order) and simulated-moments can do without; ask for one of them"
    )]
    Hidden {
        /// The variables, with commas.
        names: String,
    },
    /// The flow cannot be followed over a time step.
    #[error(
        "dt: the flow cannot be followed from the data's points over their time step, {dt}; is it in the system's unit of time?"
    )]
    FlowLost {
        /// The time step.
        dt: f64,
    },
    /// The weak form in time needs points that lie close.
    #[error(
        "dt: points {dt} apart are too sparse, or too few, for weak-in-time, which needs them closer than {most:.3}; ask for shooting"
    )]
    NotDense {
        /// Time between points.
        dt: f64,
        /// Most that it may be.
        most: f64,
    },
    /// Simulations leave every bound.
    #[error("start: simulations at {theta:?} leave every bound; start where the system stays bounded")]
    Unbounded {
        /// The free parameters.
        theta: Vec<f64>,
    },
    /// Too few points for simulated moments.
    #[error("trajectory: {points} points are too few for simulated moments; give at least {fewest}")]
    TooFew {
        /// Points given.
        points: usize,
        /// Fewest of them.
        fewest: usize,
    },
    /// The field is not finite at the data.
    #[error(
        "the right-hand sides are not finite at all points for parameters {theta:?}; start elsewhere, or check the columns"
    )]
    FieldNotFinite {
        /// The parameters.
        theta: Vec<f64>,
    },
    /// The points are not usable.
    #[error("trajectory: {0}")]
    Trajectory(#[from] TrajectoryError),
    /// The density of the points cannot be smoothed that way.
    #[error("smoothing: {0}")]
    Smoothing(#[source] WidthError),
    /// The model's density cannot be smoothed by the noise.
    #[error("noise: {0}")]
    Noise(#[source] WidthError),
    /// The stationary density could not be computed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The objective could not be evaluated.
    #[error("objective: {0}")]
    Objective(#[from] ObjectiveError),
    /// The fit to the data could not be carried out.
    #[error("fit: {0}")]
    Fit(#[from] DescentError),
    /// A grid or a decomposition failed.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
    /// Standard errors failed.
    #[error("standard errors: {0}")]
    Uncertainty(#[from] UncertaintyError),
    /// A trajectory could not be simulated.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// It was told to stop before there was a fit to the data.
    #[error("told to stop before the fit to the data; go on with what was kept")]
    Stopped,
}
