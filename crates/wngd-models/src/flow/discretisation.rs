use wngd_adjoint::ModelError;
use wngd_linalg::Grid;

/// How the stationary density of a flow is put on the grid.
///
/// All three are Markov chains with a restart: with probability (semi-Lagrangian) or rate
/// (finite volumes) `restart` the state is drawn anew, uniformly on the box. This makes the
/// density unique and positive. Rates and diffusions do not depend on θ.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Discretisation {
    /// Upwind finite volumes with isotropic diffusion (which may be 0).
    ///
    /// Monotone and very diffusive; ρ(θ) has kinks where a face velocity changes sign, and
    /// without diffusion coarse grids have spurious sinks ([`FlowReport::spurious_sink`](crate::flow::FlowReport::spurious_sink)).
    Upwind {
        /// Diffusion coefficient D ≥ 0.
        diffusion: f64,
        /// Restart rate κ > 0.
        restart: f64,
    },
    /// Scharfetter–Gummel finite volumes: smooth in θ, exact for constant velocity and density fluxes.
    ScharfetterGummel {
        /// Diffusion coefficient D > 0.
        diffusion: f64,
        /// Restart rate κ > 0.
        restart: f64,
    },
    /// Cells carried along the flow for a time T and deposited: the least diffusive.
    SemiLagrangian {
        /// Map time T > 0.
        time: f64,
        /// Runge–Kutta step, > 0; T is cut into round(T/step) equal steps.
        step: f64,
        /// Points per axis and cell.
        points: usize,
        /// Restart probability per map, 0 < ε < 1.
        restart: f64,
    },
}

/// Shorter times are lost in the rounding of any flow.
const SHORTEST: f64 = 1e-100;

impl Discretisation {
    /// Restart rate κ or probability ε.
    pub(crate) fn restart(&self) -> f64 {
        match *self {
            Discretisation::Upwind { restart, .. }
            | Discretisation::ScharfetterGummel { restart, .. }
            | Discretisation::SemiLagrangian { restart, .. } => restart,
        }
    }

    /// Refuses options that make no chain on the grid.
    pub(crate) fn check(&self, grid: &Grid) -> Result<(), ModelError> {
        let refuse = |option: &str, value: f64, rule: &str| {
            Err(ModelError::invalid(format!("discretisation.{option}"), format!("{value:?} given; {rule}")))
        };
        // Comparisons are written so that NaN is refused.
        match *self {
            Discretisation::Upwind { diffusion, restart }
            | Discretisation::ScharfetterGummel { diffusion, restart } => {
                if !(diffusion >= 0.0 && diffusion.is_finite()) {
                    return refuse("diffusion", diffusion, "the diffusion is a finite number >= 0");
                }
                if diffusion == 0.0 && matches!(self, Discretisation::ScharfetterGummel { .. }) {
                    return refuse("diffusion", diffusion, "Scharfetter-Gummel needs diffusion > 0; upwind does not");
                }
                if !(restart > 0.0 && restart.is_finite()) {
                    return refuse("restart", restart, "the restart rate is a finite number > 0");
                }
            }
            Discretisation::SemiLagrangian { time, step, points, restart } => {
                if !(time > 0.0 && time.is_finite()) {
                    return refuse("time", time, "the map time is a finite number > 0");
                }
                if time < SHORTEST {
                    return refuse("time", time, "no point moves in times below 1e-100: change the units of time");
                }
                if !(step > 0.0 && step.is_finite()) {
                    return refuse("step", step, "the Runge-Kutta step is a finite number > 0");
                }
                if time / step > 1e6 {
                    return refuse("step", step, "at most a million steps per map: the map time is too long for it");
                }
                if !(1..=16).contains(&points) {
                    return refuse("points", points as f64, "1 to 16 points per axis and cell");
                }
                if !(restart > 0.0 && restart < 1.0) {
                    return refuse("restart", restart, "the restart probability lies strictly between 0 and 1");
                }
                if let Some(axis) = grid.cells().iter().position(|&n| n < 2) {
                    let problem = format!("1 along axis {axis}; multilinear deposition needs 2 cells or more");
                    return Err(ModelError::invalid("grid.cells", problem));
                }
            }
        }
        Ok(())
    }
}
