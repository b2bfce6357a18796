//! Beer's recurrent network of three neurons.
//!
//! # References
//! Beer 1995, Adaptive Behavior 3, 469; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "beer-rnn",
    equations: &["x' = (-x + w11/(1 + exp(-x - theta1)) + w12/(1 + exp(-y - theta2)) + w13/(1 + exp(-z - theta3)))/tau1", "y' = (-y + w21/(1 + exp(-x - theta1)) + w22/(1 + exp(-y - theta2)) + w23/(1 + exp(-z - theta3)))/tau2", "z' = (-z + w31/(1 + exp(-x - theta1)) + w32/(1 + exp(-y - theta2)) + w33/(1 + exp(-z - theta3)))/tau3"],
    parameters: &[("w11", 5.422), ("w12", -0.018), ("w13", 2.75), ("w21", -0.24), ("w22", 4.59), ("w23", 1.21), ("w31", 0.535), ("w32", -2.25), ("w33", 3.885), ("theta1", -4.108), ("theta2", -2.787), ("theta3", -1.114), ("tau1", 1.0), ("tau2", 2.5), ("tau3", 1.0)],
    lower: &[0.24, 1.8, -0.3],
    upper: &[8.0, 3.7, 2.7],
    start: &[6.773, 3.343, 1.485],
};
