#!/usr/bin/env python3
"""Peer of `cargo xtask bench`: the stationary density of Lorenz' flow and adjoint products with SuperLU.

Scharfetter-Gummel finite volumes, A = kappa I - K, A p = kappa/k; h^T Z by A^T lambda = h - (p^T h) 1.
SciPy's splu in symmetric mode (minimum degree of A + A^T, pivots on the diagonal) and as it comes
(COLAMD). The assembly is not counted. Prints one JSON object."""
import argparse, json, os, resource, time

ap = argparse.ArgumentParser()
ap.add_argument("--cells", type=int, default=24)
ap.add_argument("--adjoints", default="1,16,256")
ap.add_argument("--threads", type=int, default=2)
ap.add_argument("--repeat", type=int, default=3)
a = ap.parse_args()
for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[v] = str(a.threads)

import numpy as np, scipy.sparse as sp, scipy.sparse.linalg as spla

n, kappa, D, theta = a.cells, 2e-3, 10.0, (10.0, 28.0, 8 / 3)
k = n**3
lower, upper = np.array([-25.0, -30.0, 0.0]), np.array([25.0, 30.0, 50.0])
h = (upper - lower) / n
cell = np.arange(k).reshape(n, n, n)


def bernoulli(x):
    return np.where(np.abs(x) < 1e-12, 1 - x / 2, x / np.where(x == 0, 1, np.expm1(x)))


def slope(x):
    """Derivative of the Bernoulli function."""
    small = np.abs(x) < 1e-2
    y = np.where(small, 1.0, x)
    e = np.expm1(y)
    return np.where(small, -.5 + x / 6 - x**3 / 180 + x**5 / 5040, (e - y * (e + 1)) / e**2)


def faces(axis):
    """Cells left and right of each face, its normal velocity and the derivative of that by its parameter."""
    centre = [lower[d] + h[d] * (np.arange(n) + .5) for d in range(3)]
    centre[axis] = lower[axis] + h[axis] * np.arange(1, n)
    x, y, z = np.meshgrid(*centre, indexing="ij")
    s, r, b = theta
    v, dv = [(s * (y - x), y - x), (x * (r - z) - y, x), (x * y - b * z, -z)][axis]
    left = np.take(cell, range(n - 1), axis)
    right = np.take(cell, range(1, n), axis)
    return left.ravel(), right.ravel(), v.ravel(), dv.ravel()


rows, columns, values = [], [], []
for d in range(3):
    l, r, v, _ = faces(d)
    x = v * h[d] / D
    out, back = D / h[d]**2 * bernoulli(-x), D / h[d]**2 * bernoulli(x)
    rows += [l, r, r, l]
    columns += [l, l, r, r]
    values += [out, -out, back, -back]
A = sp.csc_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(k, k))
A = (A + kappa * sp.identity(k, format="csc")).tocsc()


def best(f, repeat=a.repeat):
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        value = f()
        seconds.append(time.perf_counter() - start)
    return value, min(seconds)


def product(p, lam):
    """lambda^T d(K p)/d theta, over the cell volume."""
    out = []
    for d in range(3):
        l, r, v, dv = faces(d)
        x = v * h[d] / D
        flux = -(slope(-x) * p[l] + slope(x) * p[r]) / h[d]
        out.append(float((lam[r] - lam[l]) @ (flux * dv)) / h.prod())
    return out


modes = [
    ("SuperLU symmetric mode", dict(permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=dict(SymmetricMode=True))),
    ("SuperLU default", {}),
]
solves = []
result = None
for name, options in modes:
    lu, factor = best(lambda: spla.splu(A, **options))
    p, forward = best(lambda: lu.solve(np.full(k, kappa / k)))
    p /= p.sum()
    for m in map(int, a.adjoints.split(",")):
        H = np.sin(.37 * np.arange(k)[:, None] * (np.arange(m) + 1))
        lam, adjoint = best(lambda: lu.solve(H - p @ H, "T"), 1 if m > 16 else a.repeat)
        solves.append(dict(solver=name, m=m, factor=factor, forward=forward, adjoint=adjoint))
    if result is None:
        result = p / h.prod(), product(p, lam[:, 0])
    del lu
print(json.dumps(dict(
    solves=solves,
    density=result[0].tolist(),
    product=result[1],
    peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
)))
