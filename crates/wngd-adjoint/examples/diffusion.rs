//! Steady diffusion −∇·(eᵐ∇u) = s on the unit square, u = 0 around it, with the log-conductivity m of
//! every cell as a parameter (p = k): the model of the crate's front page, its tests, and one use.
//!
//! `cargo run --release -p wngd-adjoint --example diffusion`
#![allow(clippy::print_stdout)]

use wngd_adjoint::{
    ForwardModel, Implicit, ImplicitConstraint, LuOrdering, ModelError, SparseLu, SparseMatrix, apply_transpose_vec,
    apply_vec, dot_test, solve, taylor_test,
};

// ANCHOR: constraint
/// n x n cells, row-major; cell n² stands for the outside.
struct Diffusion {
    n: usize,
    source: Vec<f64>,
}

impl Diffusion {
    /// Faces (a, b, T, ∂T/∂m_a, ∂T/∂m_b) with T = 2/(e^{−m_a} + e^{−m_b}) inside, 2e^{m_a} at the boundary.
    fn faces(&self, m: &[f64]) -> Vec<(usize, usize, f64, f64, f64)> {
        let (n, outside) = (self.n, self.n * self.n);
        let inner = (0..outside).flat_map(|a| [(a, a + 1, a % n + 1 < n), (a, a + n, a / n + 1 < n)]);
        let outer = (0..n).flat_map(|i| [i, n * (n - 1) + i, n * i, n * i + n - 1]).map(|a| (a, outside, true));
        let face = |(a, b, _): (usize, usize, bool)| {
            let resistance = |i: usize| if i == outside { 0.0 } else { 0.5 * (-m[i]).exp() };
            let t = 1.0 / (resistance(a) + resistance(b));
            (a, b, t, t * t * resistance(a), t * t * resistance(b))
        };
        inner.chain(outer).filter(|f| f.2).map(face).collect()
    }
    /// The entries inside the square, as a matrix.
    fn assemble(&self, entries: impl Iterator<Item = [(usize, usize, f64); 4]>) -> Result<SparseMatrix, ModelError> {
        let k = self.n * self.n;
        Ok(SparseMatrix::from_entries(k, k, entries.flatten().filter(|&(i, j, _)| i < k && j < k))?)
    }
    /// A(m): each face carries T (u_a − u_b) from a to b.
    fn matrix(&self, m: &[f64]) -> Result<SparseMatrix, ModelError> {
        self.assemble(self.faces(m).into_iter().map(|(a, b, t, ..)| [(a, a, t), (b, b, t), (a, b, -t), (b, a, -t)]))
    }
}

impl ImplicitConstraint for Diffusion {
    type StateFactor = SparseLu;
    type ParamJacobian = SparseMatrix;
    fn dim_param(&self) -> usize {
        self.n * self.n
    }
    fn dim_state(&self) -> usize {
        self.n * self.n
    }
    /// g(u, m) = A(m) u − s h².
    fn residual(&self, u: &[f64], m: &[f64]) -> Result<Vec<f64>, ModelError> {
        Ok(apply_vec(&self.matrix(m)?, u).iter().zip(&self.source).map(|(au, s)| au - s).collect())
    }
    fn solve_state(&self, m: &[f64]) -> Result<Vec<f64>, ModelError> {
        Ok(solve(&self.factor_state_jacobian(&[], m)?, &self.source))
    }
    fn factor_state_jacobian(&self, _: &[f64], m: &[f64]) -> Result<SparseLu, ModelError> {
        Ok(SparseLu::new(&self.matrix(m)?, LuOrdering::Colamd)?)
    }
    /// ∂g/∂m: what a face's two conductivities change in the balances of its two cells.
    fn param_jacobian(&self, u: &[f64], m: &[f64]) -> Result<SparseMatrix, ModelError> {
        self.assemble(self.faces(m).into_iter().map(|(a, b, _, da, db)| {
            let drop = u[a] - u.get(b).unwrap_or(&0.0);
            [(a, a, da * drop), (a, b, db * drop), (b, a, -da * drop), (b, b, -db * drop)]
        }))
    }
}

// ANCHOR_END: constraint

fn main() -> Result<(), ModelError> {
    // ANCHOR: use
    let n = 24;
    let model = Implicit::new(Diffusion { n, source: vec![1.0 / (n * n) as f64; n * n] });
    let wave = |k: f64| (0..n * n).map(|i| (k * (i % n) as f64).sin() * (0.3 * k * (i / n) as f64).cos()).collect();
    let (m, direction): (Vec<f64>, Vec<f64>) = (wave(0.4), wave(1.1));

    let taylor = taylor_test(&model, &m, &direction)?;
    let at = model.linearize(&m)?;
    let dot = dot_test(&at.jacobian, 2);
    println!("Taylor rate {:.3} (2 for an exact derivative), dot test {dot:.1e}", taylor.rate);
    assert!(taylor.rate > 1.9 && dot < 1e-12);

    // One adjoint solve: how the mean of u answers to every one of the n² conductivities.
    let before = model.solve_counts();
    let gradient = apply_transpose_vec(&at.jacobian, &vec![1.0 / (n * n) as f64; n * n]);
    let strongest = (0..n * n).max_by(|&i, &j| gradient[i].abs().total_cmp(&gradient[j].abs())).unwrap_or(0);
    let adjoint = model.solve_counts().since(before).adjoint;
    println!("{} sensitivities of the mean of u from {adjoint} adjoint solve", gradient.len());
    // ANCHOR_END: use
    println!("largest: {:.2e} in cell ({}, {})", gradient[strongest], strongest / n, strongest % n);
    Ok(())
}
