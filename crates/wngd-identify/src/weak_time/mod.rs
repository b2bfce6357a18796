//! The weak form in time: ∫φ'(t) x dt + ∫φ(t) v(x; θ) dt = 0 for every φ that vanishes at both ends of its window.
//!
//! With the points for x these are equations for θ, linear where v is affine in it, without a derivative of the data. Windows
//! overlap; their width is the one, of some, with the smallest errors: wide ones see less of the noise, narrow ones more of the
//! motion. Noise of the observations makes neighbouring equations correlated and their covariance S depends on θ: the equations
//! are solved in the metric of S (generalised least squares, banded), with half the gradient of ln det S taken off the score,
//! which is what noise in the derivatives by θ adds to it; v is freed of what noise adds to its mean.
//!
//! # References
//! Messenger and Bortz 2021, doi:10.1016/j.jcp.2021.110525 (test functions); Bortz, Messenger and Dukic 2023,
//! doi:10.1007/s11538-023-01208-6 (covariance of the residual).

mod band;
mod estimate;
mod field;
mod windows;

pub use estimate::WeakInTime;
