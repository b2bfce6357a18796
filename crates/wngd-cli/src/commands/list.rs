//! `wngd list`

use super::print;
use crate::config::builtin;
use crate::error::CliError;

const CHOICES: &str = "\
Metrics (method.metric)
  none              the standard gradient
  l2                L², least squares on the density
  wasserstein       Wasserstein-2: B†Z with B = −∇·(√ρ ·); options face_mean, floor
  fisher-rao        ρ^(−1/2) Z, the metric of maximum likelihood
  h1, h-1           Sobolev H¹ and H⁻¹
  homogeneous-h-1   Ḣ⁻¹

Objectives (objective.kind)
  l2                      ½‖ρ − ρ*‖²                 matched metric l2
  kl                      KL(ρ*‖ρ)                   matched metric fisher-rao
  h-1                     ½‖ρ − ρ*‖² in Ḣ⁻¹          matched metric homogeneous-h-1
  linearised-wasserstein  W₂ linearised at the data  matched metric wasserstein
  wasserstein             ½W₂², exact transport      matched metric wasserstein
  With its matched metric a natural gradient is a Gauss–Newton method: step length 1.

Solvers (method.solver)
  qr            rank-revealing QR, minimum norm (default)
  svd           truncated singular value decomposition
  lsmr          iterative
  information   G η = −∇f with the information matrix
  Matrix-free, for many parameters (options tolerance, probes, seed; damping 1e-4 of the largest eigenvalue):
  auto            chosen by a cost model, which it reports
  krylov          Golub–Kahan iteration with tangent and adjoint solves
  nystrom         conjugate gradients, randomised Nyström preconditioner
  preconditioned  sketch-to-precondition, m = 4p probes
  sketched        sketched least squares; sketched-gram: exact gradient, sketched G
  hutchinson      H_m as published, a baseline
  exact           all p tangents

Step rules (method.step)
  { rule = \"fixed\", length = 1.0 }
  { rule = \"armijo\" }                                   length found by doubling and halving (default)
  { rule = \"armijo\", initial = 1.0, c1 = 1e-4 }         backtracking from initial; remember = true starts from twice the last length
  { rule = \"levenberg-marquardt\", damping = 1e-3 }      full steps, adaptive damping";

/// Shows what there is to choose from.
pub fn list() -> Result<u8, CliError> {
    let mut text = String::from("Built-in experiments (wngd run NAME, wngd init NAME)\n");
    for (name, description) in builtin::descriptions() {
        text.push_str(&format!("  {name:<17} {description}\n"));
    }
    text.push('\n');
    text.push_str(CHOICES);
    print(&text)?;
    Ok(0)
}
