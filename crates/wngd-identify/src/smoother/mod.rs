//! The iterated extended Kalman smoother: path and parameters of dx = v(x; θ) dt from noisy observations in order.
//!
//! The unknowns are all points of the path, the parameters, the noise of the observations R and what drives the motion Q:
//!
//! Σ (y_k − H x_k)ᵀR⁻¹(y_k − H x_k) + Σ (x_{k+1} − Φ(x_k; θ))ᵀQ⁻¹(x_{k+1} − Φ(x_k; θ)) → min over path and θ.
//!
//! Each Gauss–Newton step is a Kalman filter along the linearised path with one column more per parameter, and an adjoint
//! recursion back: a block-tridiagonal solve in O(n). Coordinates may be hidden, times uneven, values missing, records
//! several. R and Q follow from the size of their scores; where the model is right Q falls to a floor far below the noise,
//! and the path is a solution of the equations.
//!
//! Where the model has a diffusion the path is never known, and the likelihood of a filter by sigma points takes the place of
//! path and parameters at once.
//!
//! # References
//! Bell 1994, doi:10.1137/0804035 (iterated smoother as Gauss–Newton); de Jong 1989, doi:10.1080/01621459.1989.10478780
//! (adjoint recursion); MacKay 1992, doi:10.1162/neco.1992.4.3.415 (variances by the evidence).

mod backward;
mod drive;
mod estimate;
mod forward;
mod links;
mod matrix;
mod misfit;
mod observed;
mod scoring;
mod setting;
mod sigma;
mod solve;
mod start;

pub use estimate::Smoother;
