#!/usr/bin/env python3
"""Peer of `cargo xtask bench`: the same W2 direction with SciPy, CHOLMOD and LAPACK.

Both routes whiten by half, X = L^-1 P Z with the Cholesky factor L of the grounded
Laplacian in unit-diagonal scaling. `information` solves (X^T X) eta = -Z^T u, `qr` takes
the R factor of [X b]. The symbolic analysis is not counted. Prints one JSON object."""
import argparse, json, os, resource, time

ap = argparse.ArgumentParser()
ap.add_argument("--grid", type=int, default=256)
ap.add_argument("--p", type=int, default=100)
ap.add_argument("--threads", type=int, default=2)
ap.add_argument("--repeat", type=int, default=3)
ap.add_argument("--route", choices=["information", "qr"], default="information")
ap.add_argument("--chunk", type=int, default=32, help="right-hand sides per solve call")
a = ap.parse_args()
for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[v] = str(a.threads)

import numpy as np, scipy.linalg as sla, scipy.sparse as sp
from scipy.linalg import blas, lapack
from sksparse.cholmod import analyze


def setup(n, p):
    K = -(-(p + 1) // 3)
    h = 18.0 / n
    c = -4 + (np.arange(n) + .5) * h
    al = 1.32471795724474602596
    k = np.arange(1, K + 1)
    mu = 10 * np.c_[(.5 + k / al) % 1, (.5 + k / al**2) % 1]
    s = max(5 / np.sqrt(K), 3 * h)
    w = 1 + .5 * np.sin(k + 1.0)
    w /= w.sum()
    return h, c, mu, s, w, mu + .3 * s * np.c_[np.cos(k), np.sin(k)]


def axes(c, mu, s):
    return [np.exp(-.5 * ((c[None] - mu[:, i:i + 1]) / s) ** 2) / (np.sqrt(2 * np.pi) * s) for i in (0, 1)]


def model(c, mu, s, w, mut, p):
    """rho, rho*, Z (Fortran order) from separable Gaussians: O(K n) exponentials."""
    n, K = len(c), len(w)
    (ex, ey), (exs, eys) = axes(c, mu, s), axes(c, mut, s)
    rho, rhos = (ey.T * w) @ ex, (eys.T / K) @ exs
    Z = np.empty((n * n, p), order="F")
    last = np.outer(ey[-1], ex[-1])
    for j in range(min(K - 1, p)):
        np.subtract(np.outer(ey[j], ex[j]), last, out=Z[:, j].reshape(n, n))
    for j in range(K - 1, p):
        q, d = divmod(j - (K - 1), 2)
        gx = ex[q] * (c - mu[q, 0]) / s**2 if d == 0 else ex[q]
        gy = ey[q] if d == 0 else ey[q] * (c - mu[q, 1]) / s**2
        np.outer(w[q] * gy, gx, out=Z[:, j].reshape(n, n))
    return rho, rhos, Z


def project(Z, rho):
    r = rho.ravel()
    blas.dger(-1.0, r, Z.sum(0) / r.sum(), a=Z, overwrite_a=1)


def assemble(rho, h, tiny=1e-290):
    """Lower triangle of the grounded Laplacian with unit diagonal, its scaling and the kept cells."""
    n = rho.shape[0]
    act = rho > tiny
    wx = np.where(act[:, 1:] & act[:, :-1], .5 * (rho[:, 1:] + rho[:, :-1]), 0) / h**2
    wy = np.where(act[1:] & act[:-1], .5 * (rho[1:] + rho[:-1]), 0) / h**2
    d = np.zeros_like(rho)
    d[:, 1:] += wx; d[:, :-1] += wx; d[1:] += wy; d[:-1] += wy
    keep = np.flatnonzero(d.ravel() > 0)
    pin = int(np.argmax(rho))
    keep = keep[keep != pin]
    s = np.zeros(n * n)
    s[keep] = 1 / np.sqrt(d.ravel()[keep])
    S = s.reshape(n, n)
    e1 = np.zeros((n, n))
    e1[:, :-1] = -(wx * S[:, 1:] * S[:, :-1])
    oy = -(wy * S[1:] * S[:-1])
    A = sp.diags([np.ones(n * n), e1.ravel()[:-1], oy.ravel()], [0, -1, -n], format="csc")
    return A[keep][:, keep], s[keep], keep, pin


def one(n, p, route, times):
    clock = [time.perf_counter()]

    def stage(name):
        now = time.perf_counter()
        times.setdefault(name, []).append(now - clock[0])
        clock[0] = time.perf_counter()

    h, c, mu, s, w, mut = setup(n, p)
    clock[0] = time.perf_counter()
    rho, rhos, Z = model(c, mu, s, w, mut, p)
    u = (rho - rhos).ravel()
    project(Z, rho)
    stage("1 model")
    A, scale, keep, pin = assemble(rho, h)
    stage("2 factor")
    F = analyze(A, mode="supernodal", ordering_method="amd")
    stage("analyze")
    F.cholesky_inplace(A)
    times["2 factor"][-1] += time.perf_counter() - clock[0]
    clock[0] = time.perf_counter()
    P = F.P()
    grad = h * h * (Z.T @ u)
    # One spare column for b saves the QR route a copy.
    X = np.empty((len(keep), p + (route == "qr")), order="F")
    rows, weights = keep[P], scale[P][:, None]
    for j in range(0, p, a.chunk):
        block = np.asfortranarray(Z[rows, j:min(j + a.chunk, p)] * weights)
        X[:, j:min(j + a.chunk, p)] = F.solve_L(block, use_LDLt_decomposition=False)
    del Z
    stage("3 whiten")
    if route == "information":
        G = blas.dsyrk(h * h, X, trans=1)
        stage("4 gram")
        eta = -sla.cho_solve(sla.cho_factor(G, check_finite=False), grad, check_finite=False)
        stage("5 solve")
    else:
        # b = L^T v without forming L: solve L b = A v in the permuted order.
        v = (u - u[pin])[keep] / scale
        X[:, p] = F.solve_L(((A + sp.tril(A, -1).T) @ v)[P], use_LDLt_decomposition=False)
        work = int(lapack.dgeqrf_lwork(*X.shape)[0])
        qr = lapack.dgeqrf(X, lwork=work, overwrite_a=1)[0]
        eta = -sla.solve_triangular(qr[:p, :p], qr[:p, p], check_finite=False)
        stage("4 least squares")
    return eta


times = {}
totals = []
for _ in range(a.repeat):
    eta = one(a.grid, a.p, a.route, times)
    totals.append(sum(v[-1] for k, v in times.items() if k != "analyze"))
print(json.dumps(dict(
    total=min(totals),
    stages={k: min(v) for k, v in times.items()},
    peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6,
    eta=eta.tolist(),
)))
