//! Houart's, Dupont's and Goldbeter's calcium in a cell, with two periods.
//!
//! What beta is multiplied by is a number: only the products are seen.
//!
//! # References
//! Houart, Dupont and Goldbeter 1999, Bull. Math. Biology 61, 507; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "ca-two-plus-quasiperiodic",
    equations: &["z' = V0 + 2*beta - Vm2*z^2/(K2^2 + z^2) + Vm3*z^2/(Kz^2 + z^2)*y^2/(Ky^2 + y^2)*a^4/(Ka^4 + a^4) + kf*y - k*z", "y' = Vm2*z^2/(K2^2 + z^2) - Vm3*z^2/(Kz^2 + z^2)*y^2/(Ky^2 + y^2)*a^4/(Ka^4 + a^4) - kf*y", "a' = 5*beta - Vm5*a^2/(K5^2 + a^2)*z^4/(Kd^4 + z^4) - eps*a"],
    parameters: &[("V0", 2.0), ("beta", 0.51), ("Vm2", 6.0), ("K2", 0.1), ("Vm3", 20.0), ("Kz", 0.5), ("Ky", 0.2), ("Ka", 0.2), ("Vm5", 30.0), ("K5", 0.3), ("Kd", 0.5), ("kf", 1.0), ("k", 10.0), ("eps", 0.1)],
    lower: &[0.18, 0.66, 0.097],
    upper: &[0.57, 1.3, 1.0],
    start: &[0.3187, 1.083, 0.6845],
};
