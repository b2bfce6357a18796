//! Houart's, Dupont's and Goldbeter's calcium in a cell, bursting.
//!
//! What beta is multiplied by is a number: only the products are seen.
//!
//! # References
//! Houart, Dupont and Goldbeter 1999, Bull. Math. Biology 61, 507; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "ca-two-plus",
    equations: &["z' = V0 + 2*beta - Vm2*z^2/(K2^2 + z^2) + Vm3*z^2/(Kz^2 + z^2)*y^2/(Ky^2 + y^2)*a^4/(Ka^4 + a^4) + kf*y - k*z", "y' = Vm2*z^2/(K2^2 + z^2) - Vm3*z^2/(Kz^2 + z^2)*y^2/(Ky^2 + y^2)*a^4/(Ka^4 + a^4) - kf*y", "a' = 3*beta - Vm5*a/(K5 + a)*z^4/(Kd^4 + z^4) - eps*a"],
    parameters: &[("V0", 2.0), ("beta", 0.65), ("Vm2", 6.0), ("K2", 0.1), ("Vm3", 30.0), ("Kz", 0.6), ("Ky", 0.3), ("Ka", 0.1), ("Vm5", 50.0), ("K5", 0.3194), ("Kd", 1.0), ("kf", 1.0), ("k", 10.0), ("eps", 13.0)],
    lower: &[0.18, 0.61, 0.097],
    upper: &[0.54, 1.4, 0.16],
    start: &[0.2888, 0.8114, 0.14],
};
