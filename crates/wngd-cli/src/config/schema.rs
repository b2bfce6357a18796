//! The experiment file: one documented schema. Unknown keys are errors.

use serde::Deserialize;
use wngd::opt::Estimator;

/// A whole experiment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentFile {
    /// Name of the experiment and of its result folder.
    pub name: String,
    /// The box and its cells; from the data if absent, for trajectories.
    #[serde(default)]
    pub grid: GridSection,
    /// The model with its start point.
    pub model: ModelSection,
    /// Where the data density comes from.
    pub data: DataSection,
    /// The distance to minimise.
    #[serde(default)]
    pub objective: ObjectiveSection,
    /// One descent each.
    #[serde(default)]
    pub method: Vec<MethodSection>,
    /// When descents end.
    #[serde(default)]
    pub stop: StopSection,
    /// Starts of `wngd basin`.
    pub basin: Option<BasinSection>,
    /// Asks for identification: the bias of the discretisation is removed by simulations.
    pub identify: Option<IdentifySection>,
}

/// `[grid]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GridSection {
    /// Lower corner of the box; with `upper` from a trajectory if absent.
    pub lower: Option<Vec<f64>>,
    /// Upper corner of the box.
    pub upper: Option<Vec<f64>>,
    /// Cells per axis; by dimension for a trajectory, if absent.
    pub cells: Option<Cells>,
}

/// Cells of a grid.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a whole number or a list of whole numbers is needed")]
pub enum Cells {
    /// As many on every axis.
    Same(usize),
    /// One number per axis.
    Each(Vec<usize>),
}

/// `[model]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSection {
    /// Which model.
    pub kind: ModelKind,
    /// K weights (mixture).
    pub weights: Option<Vec<f64>>,
    /// K means (mixture).
    pub means: Option<Vec<Vec<f64>>>,
    /// Covariances of the components (mixture).
    pub covariance: Option<CovarianceSection>,
    /// Name of the system (flow).
    pub system: Option<String>,
    /// All parameters of the system (flow).
    pub theta: Option<Vec<f64>>,
    /// How the density is put on the grid (flow).
    pub discretisation: Option<DiscretisationSection>,
    /// Dimension of a polynomial field.
    pub dimension: Option<usize>,
    /// Degree of a polynomial field.
    pub degree: Option<usize>,
    /// Free hat functions added to the field, which itself stays at theta (flow).
    pub perturbation: Option<PerturbationSection>,
    /// Names of the free parameters.
    pub free: Option<Vec<String>>,
}

/// `perturbation = { nodes = .., scale = .. }`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerturbationSection {
    /// Hats per axis: d nodes^d free parameters.
    pub nodes: usize,
    /// Velocity of a hat with parameter 1.
    #[serde(default = "one")]
    pub scale: f64,
}

fn one() -> f64 {
    1.0
}

/// `discretisation = { kind = .., .. }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscretisationSection {
    /// Which scheme.
    pub kind: DiscretisationKind,
    /// Diffusion coefficient D of finite volumes.
    pub diffusion: Option<f64>,
    /// Restart rate κ of finite volumes, or probability ε per map.
    pub restart: Option<f64>,
    /// Map time T.
    pub time: Option<f64>,
    /// Runge–Kutta step.
    pub step: Option<f64>,
    /// Points per axis of a cell.
    pub points: Option<usize>,
}

/// Discretisations of a stationary density.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiscretisationKind {
    /// Upwind finite volumes.
    Upwind,
    /// Scharfetter–Gummel finite volumes.
    ScharfetterGummel,
    /// Cells carried along the flow.
    SemiLagrangian,
}

/// Which model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// A mixture of Gaussians.
    GaussianMixture,
    /// The stationary density of a flow.
    StationaryDensity,
}

/// `"identity"`, `{ isotropic = .. }`, `{ diagonal = .. }` or `{ full = .. }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "covariance is \"identity\" or a table with one of isotropic, diagonal, full")]
pub enum CovarianceSection {
    /// `"identity"`
    Named(CovarianceName),
    /// A table with one key.
    Table(CovarianceTable),
}

impl Default for CovarianceSection {
    fn default() -> Self {
        CovarianceSection::Named(CovarianceName::Identity)
    }
}

/// Covariances that need no numbers.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CovarianceName {
    /// The identity.
    Identity,
}

/// Covariances with numbers.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CovarianceTable {
    /// One variance for all components, or one per component.
    Isotropic(OneOrMany),
    /// Variances per component and axis.
    Diagonal(Vec<Vec<f64>>),
    /// A matrix per component.
    Full(Vec<Vec<Vec<f64>>>),
}

/// A number or a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a number or a list of numbers is needed")]
pub enum OneOrMany {
    /// A number for all components.
    One(f64),
    /// One number per component.
    Many(Vec<f64>),
}

/// `[data]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSection {
    /// Another mixture.
    pub truth: Option<TruthSection>,
    /// CSV or NPY file of samples.
    pub samples: Option<String>,
    /// CSV or NPY file, or files, of successive points.
    pub trajectory: Option<Files>,
    /// How points of a trajectory are put on cells.
    pub binning: Option<BinningKind>,
    /// Points of each trajectory file left out at its beginning.
    pub burn_in: Option<usize>,
    /// Every how many points of a trajectory one is taken.
    pub stride: Option<usize>,
    /// Standard deviation of a Gaussian that a trajectory's density is smoothed by, in cells.
    pub smoothing: Option<f64>,
    /// Columns of the CSV file, one per axis.
    pub columns: Option<Vec<String>>,
    /// How samples become a density.
    pub estimate: Option<EstimateKind>,
    /// Kernel standard deviation per axis.
    pub bandwidth: Option<Vec<f64>>,
    /// NPY file of density values.
    pub density: Option<String>,
}

/// `truth = { .. }`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TruthSection {
    /// K weights (mixture).
    pub weights: Option<Vec<f64>>,
    /// K means (mixture).
    pub means: Option<Vec<Vec<f64>>>,
    /// Covariances; the identity if absent (mixture).
    pub covariance: Option<CovarianceSection>,
    /// Parameters of the model's own density (flow).
    pub theta: Option<Vec<f64>>,
}

/// A file or a list of files.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a file name or a list of file names is needed")]
pub enum Files {
    /// One file.
    One(String),
    /// Several files.
    Many(Vec<String>),
}

/// How a point is put on cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum BinningKind {
    /// By multilinear weights on the cells around it.
    #[default]
    Multilinear,
    /// On the cell that holds it.
    Nearest,
}

/// How samples become a density.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EstimateKind {
    /// Shares of the cells.
    Histogram,
    /// Gaussian kernel.
    Kernel,
}

/// `[objective]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveSection {
    /// Which distance; "kl" for samples and "l2" otherwise if absent.
    pub kind: Option<ObjectiveKind>,
}

/// Distances between densities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ObjectiveKind {
    /// ½‖ρ − ρ*‖².
    #[serde(rename = "l2")]
    L2,
    /// KL(ρ*‖ρ).
    #[serde(rename = "kl")]
    KullbackLeibler,
    /// ½‖ρ − ρ*‖² in Ḣ⁻¹.
    #[serde(rename = "h-1")]
    NegativeSobolev,
    /// W₂ linearised at the data.
    #[serde(rename = "linearised-wasserstein")]
    LinearisedWasserstein,
    /// ½W₂², exact.
    #[serde(rename = "wasserstein")]
    Wasserstein,
}

/// `[[method]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodSection {
    /// Metric of the natural gradient, or "none".
    pub metric: MetricKind,
    /// Name in tables and files; the metric's name if absent.
    pub label: Option<String>,
    /// How the direction is solved.
    #[serde(default)]
    pub solver: SolverKind,
    /// Step rule.
    #[serde(default)]
    pub step: StepSection,
    /// Damping: G + damping · diag G, or plain and relative to the largest eigenvalue for the
    /// matrix-free solvers. 0 if absent, 1e-4 for those.
    pub damping: Option<f64>,
    /// Error of the direction that a matrix-free solver aims for.
    pub tolerance: Option<f64>,
    /// Probes, or rank, of a matrix-free solver; found by itself if absent.
    pub probes: Option<usize>,
    /// Seed of the probes.
    pub seed: Option<u64>,
    /// Face densities of the Wasserstein metric.
    pub face_mean: Option<FaceMeanKind>,
    /// Density floor of the Wasserstein metric.
    pub floor: Option<f64>,
    /// Iteration limit of this method, instead of that of `[stop]`.
    pub iterations: Option<usize>,
}

impl MethodSection {
    /// A method that says nothing but its metric.
    pub fn of(metric: MetricKind) -> Self {
        Self {
            metric,
            label: None,
            solver: SolverKind::default(),
            step: StepSection::default(),
            damping: None,
            tolerance: None,
            probes: None,
            seed: None,
            face_mean: None,
            floor: None,
            iterations: None,
        }
    }
}

/// Metrics on densities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum MetricKind {
    /// The standard gradient.
    #[serde(rename = "none")]
    None,
    /// L².
    #[serde(rename = "l2")]
    L2,
    /// Wasserstein-2.
    #[serde(rename = "wasserstein")]
    Wasserstein,
    /// Fisher–Rao.
    #[serde(rename = "fisher-rao")]
    FisherRao,
    /// H¹.
    #[serde(rename = "h1")]
    H1,
    /// H⁻¹.
    #[serde(rename = "h-1")]
    HMinus1,
    /// Ḣ⁻¹.
    #[serde(rename = "homogeneous-h-1")]
    HomogeneousHMinus1,
}

impl MetricKind {
    /// All metrics that give natural gradients.
    pub const NATURAL: [MetricKind; 6] = [
        MetricKind::L2,
        MetricKind::Wasserstein,
        MetricKind::FisherRao,
        MetricKind::H1,
        MetricKind::HMinus1,
        MetricKind::HomogeneousHMinus1,
    ];

    /// Name in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            MetricKind::None => "none",
            MetricKind::L2 => "l2",
            MetricKind::Wasserstein => "wasserstein",
            MetricKind::FisherRao => "fisher-rao",
            MetricKind::H1 => "h1",
            MetricKind::HMinus1 => "h-1",
            MetricKind::HomogeneousHMinus1 => "homogeneous-h-1",
        }
    }
}

/// How a direction is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SolverKind {
    /// Rank-revealing QR.
    #[default]
    Qr,
    /// Truncated SVD.
    Svd,
    /// LSMR.
    Lsmr,
    /// Information matrix.
    Information,
    /// Matrix-free, chosen by a cost model.
    Auto,
    /// All tangents, damped plainly.
    Exact,
    /// Golub–Kahan iteration.
    Krylov,
    /// Conjugate gradients with a Nyström preconditioner.
    Nystrom,
    /// Sketched least squares.
    Sketched,
    /// Exact gradient, sketched information matrix.
    SketchedGram,
    /// Sketch-to-precondition.
    Preconditioned,
    /// H_m as published.
    Hutchinson,
}

impl SolverKind {
    /// The estimator of a matrix-free solver.
    pub fn estimator(self) -> Option<Estimator> {
        Some(match self {
            SolverKind::Qr | SolverKind::Svd | SolverKind::Lsmr | SolverKind::Information => return None,
            SolverKind::Auto => Estimator::Auto,
            SolverKind::Exact => Estimator::Exact,
            SolverKind::Krylov => Estimator::Krylov,
            SolverKind::Nystrom => Estimator::Nystrom,
            SolverKind::Sketched => Estimator::Sketched,
            SolverKind::SketchedGram => Estimator::SketchedGram,
            SolverKind::Preconditioned => Estimator::Preconditioned,
            SolverKind::Hutchinson => Estimator::Hutchinson,
        })
    }
}

/// `step = { rule = .., .. }`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepSection {
    /// Which rule.
    #[serde(default)]
    pub rule: StepKind,
    /// Length of a fixed or Levenberg–Marquardt step.
    pub length: Option<f64>,
    /// First length of an Armijo search; found by doubling if absent.
    pub initial: Option<f64>,
    /// Armijo constant.
    pub c1: Option<f64>,
    /// Start Armijo searches from twice the last length.
    pub remember: Option<bool>,
    /// Initial damping of Levenberg–Marquardt.
    pub damping: Option<f64>,
}

/// Step rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// A fixed length.
    Fixed,
    /// Armijo backtracking.
    #[default]
    Armijo,
    /// Adaptive damping.
    LevenbergMarquardt,
}

/// Face densities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaceMeanKind {
    /// (a + b)/2.
    Arithmetic,
    /// √(ab).
    Geometric,
    /// Logarithmic mean.
    Logarithmic,
    /// 2ab/(a + b).
    Harmonic,
    /// The model's density at the face.
    Midpoint,
}

/// `[stop]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StopSection {
    /// Iteration limit.
    pub iterations: usize,
    /// Converged at f ≤ this · f₀.
    pub relative_objective: f64,
    /// Converged when the parameters move by less than this, relatively.
    pub relative_step: f64,
    /// Converged when the gradient's norm is below this.
    pub gradient: f64,
}

impl Default for StopSection {
    fn default() -> Self {
        Self { iterations: 200, relative_objective: 1e-12, relative_step: 0.0, gradient: 0.0 }
    }
}

/// `[basin]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasinSection {
    /// The one or two free parameters that vary; the first two if absent.
    pub parameters: Option<Vec<String>>,
    /// Lowest start values.
    pub lower: Vec<f64>,
    /// Highest start values.
    pub upper: Vec<f64>,
    /// Starts per parameter.
    pub counts: Vec<usize>,
}

/// `[identify]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentifySection {
    /// Simulated trajectories per correction; 0 for no correction.
    pub replicates: usize,
    /// Most corrections.
    pub corrections: usize,
    /// Time between the points, if no column tells it.
    pub dt: Option<f64>,
    /// Seed of the simulations.
    pub seed: u64,
    /// Noise of the observations: a share of each coordinate's standard deviation, or one standard deviation
    /// per coordinate.
    pub noise: Option<OneOrMany>,
}

impl Default for IdentifySection {
    fn default() -> Self {
        Self { replicates: 4, corrections: 8, dt: None, seed: 1, noise: None }
    }
}
