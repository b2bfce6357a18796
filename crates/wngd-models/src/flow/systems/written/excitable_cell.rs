//! Chay's excitable cell.
//!
//! The constants of the gates are numbers: where they vary apart, rates have poles.
//!
//! # References
//! Chay 1985, Physica D 16, 233; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "excitable-cell",
    equations: &["v' = gi*(1/(1 + 4*exp(-(v + 50)/18)*(1 - exp(-0.1*v - 2.5))/(0.1*(25 + v))))^3*(1/(1 + exp(0.05*v + 2.5)/(0.07*(1 + exp(-0.1*v - 2)))))*(100 - v) - (gkv*n^4 + gkc*c/(1 + c))*(v + 75) - gl*(v + 40)", "n' = rate*(0.01*(20 + v)/(1 - exp(-0.1*v - 2))*(1 - n) - 0.125*exp(-0.0125*v - 0.375)*n)", "c' = rho*((1/(1 + 4*exp(-(v + 50)/18)*(1 - exp(-0.1*v - 2.5))/(0.1*(25 + v))))^3*(1/(1 + exp(0.05*v + 2.5)/(0.07*(1 + exp(-0.1*v - 2)))))*(100 - v) - kc*c)"],
    parameters: &[("gi", 1800.0), ("gkv", 1700.0), ("gkc", 11.0), ("gl", 7.0), ("rate", 230.0), ("rho", 0.27), ("kc", 0.183333)],
    lower: &[-51.0, 0.08, 0.43],
    upper: &[-16.0, 0.42, 0.49],
    start: &[-41.91, 0.1504, 0.4451],
};
