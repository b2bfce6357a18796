//! Györgyi and Field's three variables of the Belousov–Zhabotinsky reaction.
//!
//! Scales of the variables are numbers: a factor of one is undone by the rates.
//!
//! # References
//! Györgyi and Field 1992, Nature 355, 808; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "belousov-zhabotinsky",
    equations: &["x' = 2308.62*((c1*x + c2)*6.92813e-7/7.72571e-6*z*v/(2.00869*x + 0.01352 + kf) + c3*x^2 + c4*(0.000833 - 8.33e-6*z)*sqrt(x) + c5*x*z - kf*x)", "z' = 2308.62*(c6/8.33e-6*(0.000833 - 8.33e-6*z)*sqrt(x) + c7*x*z + c8*z*v + c9*z - kf*z)", "v' = 2308.62*((c10*x + c11)*6.92813e-7/7.72571e-6*z*v/(2.00869*x + 0.01352 + kf) + c12*x^2 + c13*z*v - kf*v)"],
    parameters: &[("c1", -8.03474), ("c2", 0.05408), ("c3", -0.0115886), ("c4", 832.587), ("c5", -0.029155), ("c6", 0.00321617), ("c7", -0.01352), ("c8", -0.0831709), ("c9", -0.0199985), ("c10", 0.0223915), ("c11", 7.53559e-05), ("c12", 8.07384e-6), ("c13", -0.000499825), ("kf", 0.00035)],
    lower: &[0.0066, 0.48, 0.84],
    upper: &[0.83, 2.2, 0.86],
    start: &[0.6974, 1.845, 0.848],
};
