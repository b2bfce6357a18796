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
    /// without diffusion coarse grids have spurious sinks ([`FlowReport::spurious_sink`]).
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
