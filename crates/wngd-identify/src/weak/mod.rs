//! The stationary equation in weak form: E[v·∇f + D:∇²f] = 0 for every smooth f if the points follow an invariant
//! density of dx = v dt + √(2D) dW.
//!
//! With random Fourier functions f = exp(iw·x) the expectations are means over the points: no grid, no simulation, no
//! derivative of the data, any number of dimensions, any order of the points. Where v and D are affine in θ the
//! equations are linear. More equations than parameters, weighted by the inverse of their covariance (two-step
//! generalised method of moments): what is left of them is the misfit.
//!
//! Where points are few for so many equations, empirical likelihood takes the place of the inverse covariance, and errors
//! and misfit come from resamples.
//!
//! Gaussian noise of the observations is undone exactly where v and D are polynomials in x: E[g(x)] =
//! E[exp(−½S:∇²) g (x + ε)], which for x^a exp(iw·x) is a factor exp(½wᵀSw) and Hermite polynomials of x − iSw. Where S is
//! not known it is an unknown beside the parameters: surplus equations tell it, whatever the order of the points.
//!
//! On ordered data ∫v·∇f dt over a block is f(end) − f(start), but for what is driven by noise: these boundary terms are
//! subtracted, which is the weak form in time, and tells the time scale too.
//!
//! # References
//! Hansen 1982, doi:10.2307/1912775 (generalised method of moments); Messenger and Bortz 2021,
//! doi:10.1016/j.jcp.2021.110525 (weak form); Hansen and Scheinkman 1995, doi:10.2307/2171800 (moments of generators).

mod batch;
mod blocks;
mod data;
mod design;
mod directions;
mod few;
mod functions;
mod gmm;
mod likelihood;
mod moments;
mod monomials;
mod pass;
mod stretches;
mod undoing;
mod whiten;

pub use directions::Undetermined;
pub(crate) use directions::in_words;
pub(crate) use functions::waves;
pub use gmm::{NoiseVariance, WeakStationary};
