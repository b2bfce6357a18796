"""Other ways to the parameters of a polynomial system, on the records of `cargo xtask compare`.

Reads a record as JSON from each line, prints what each way finds: parameters, standard errors where the way has some, seconds.
The system is v(x) = (C0 + Σ θ_j P_j) m(x) with monomials m. What a way needs to be told is told to it: the level of the
noise, and for derivatives the window that does best, known only to who knows the truth.
"""
import json
import sys
import time
import warnings

import numpy as np
from numba import njit
from scipy.signal import savgol_filter

warnings.filterwarnings("ignore")
PAIRS = 10_000
FILTERED = 10_000


@njit(cache=True)
def monomials(x, exponents, out):
    for k in range(exponents.shape[0]):
        value = 1.0
        for a in range(x.size):
            for _ in range(exponents[k, a]):
                value *= x[a]
        out[k] = value


@njit(cache=True)
def velocity(x, c, exponents, m, out):
    monomials(x, exponents, m)
    for a in range(x.size):
        total = 0.0
        for k in range(m.size):
            total += c[a, k] * m[k]
        out[a] = total


@njit(cache=True)
def flow(x, time_, substeps, c, exponents):
    """Runge-Kutta of order 4, in place."""
    h = time_ / substeps
    d = x.size
    m = np.empty(exponents.shape[0])
    k1, k2, k3, k4 = np.empty(d), np.empty(d), np.empty(d), np.empty(d)
    for _ in range(substeps):
        velocity(x, c, exponents, m, k1)
        velocity(x + 0.5 * h * k1, c, exponents, m, k2)
        velocity(x + 0.5 * h * k2, c, exponents, m, k3)
        velocity(x + h * k3, c, exponents, m, k4)
        for a in range(d):
            x[a] += h / 6.0 * (k1[a] + 2.0 * k2[a] + 2.0 * k3[a] + k4[a])


@njit(cache=True)
def pushed(points, time_, substeps, c, exponents):
    out = points.copy()
    for i in range(points.shape[0]):
        flow(out[i], time_, substeps, c, exponents)
    return out


@njit(cache=True)
def followed(x, time_, substeps, count, drop, c, exponents):
    out = np.empty((count, x.size))
    for i in range(-drop, count):
        flow(x, time_, substeps, c, exponents)
        if i >= 0:
            out[i] = x
    return out


class System:
    def __init__(self, cell):
        self.exponents = np.array(cell["exponents"], dtype=np.int64)
        self.c0 = np.array(cell["c0"], dtype=float)
        self.p = np.array(cell["p"], dtype=float)
        self.start = np.array(cell["start"], dtype=float)
        self.truth = np.array(cell["truth"], dtype=float)
        self.step = cell["step"]

    def c(self, theta):
        return self.c0 + np.tensordot(theta, self.p, 1)

    def features(self, x):
        return np.prod(x[:, None, :] ** self.exponents[None], axis=2)

    def of_coefficients(self, c):
        """θ of a full table of coefficients, by least squares."""
        design = self.p.reshape(len(self.p), -1).T
        return np.linalg.lstsq(design, (c - self.c0).ravel(), rcond=None)[0]

    def substeps(self, time_):
        return max(1, int(np.ceil(time_ / self.step - 1e-9)))


def affine(system, left, features, scale):
    """left = (C0 + Σ θ P) features, least squares in units of each coordinate's scatter."""
    columns = [((pj @ features.T).T / scale).ravel() for pj in system.p]
    right = ((left - features @ system.c0.T) / scale).ravel()
    return np.linalg.lstsq(np.stack(columns, 1), right, rcond=None)[0]


def best(system, found):
    return min(found, key=lambda theta: np.abs(theta / system.truth - 1).max())


def regression(system, x, cell):
    """Least squares on derivatives by differences or by Savitzky-Golay filters, the best window of nine."""
    dt, found = cell["dt"], []
    v = (x[:-4] - 8 * x[1:-3] + 8 * x[3:-1] - x[4:]) / (12 * dt)
    found.append(affine(system, v, system.features(x[2:-2]), x.std(0)))
    for window in (5, 7, 9, 11, 15, 21, 31, 41):
        if window < len(x) // 4:
            cut = slice(window, -window)
            smooth = savgol_filter(x, window, 4, axis=0)[cut]
            v = savgol_filter(x, window, 4, deriv=1, delta=dt, axis=0)[cut]
            found.append(affine(system, v, system.features(smooth), x.std(0)))
    return best(system, found), None


def sindy_weak(system, x, cell):
    """pysindy's weak form with the library of the system's degree, the best of three lengths of domain."""
    import pysindy as ps

    dt = cell["dt"]
    t = np.arange(len(x)) * dt
    degree = int(system.exponents.sum(1).max())
    found = []
    for half in (10, 20, 40):
        if 4 * half > len(x):
            continue
        np.random.seed(0)
        library = ps.WeakPDELibrary(
            function_library=ps.PolynomialLibrary(degree=degree, include_bias=True),
            spatiotemporal_grid=t,
            K=500,
            H_xt=[half * dt],
        )
        model = ps.SINDy(optimizer=ps.STLSQ(threshold=0.05 * np.abs(system.c(system.truth)).max() / 10), feature_library=library)
        model.fit(x, t=t)
        names = [f"x{a}" for a in range(x.shape[1])]
        table = np.zeros_like(system.c0)
        for name, column in zip(model.get_feature_names(), model.coefficients().T):
            exponents = np.zeros(x.shape[1], dtype=int)
            if name != "1":
                for factor in name.replace("^", " ^").split(" "):
                    if factor.startswith("^"):
                        exponents[last] += int(factor[1:]) - 1
                    elif factor:
                        for piece in [p for p in factor.split("x") if p]:
                            last = int(piece)
                            exponents[last] += 1
            at = np.flatnonzero((system.exponents == exponents).all(1))
            if len(at):
                table[:, at[0]] = column
        found.append(system.of_coefficients(table))
    return best(system, found), None


def one_step(system, x, cell):
    """x_{i+1} = Φ(x_i; θ) by Gauss-Newton on at most 10⁴ pairs."""
    dt, theta = cell["dt"], system.start.copy()
    pairs = np.linspace(0, len(x) - 2, min(PAIRS, len(x) - 1)).astype(int)
    a, b, scale = x[pairs], x[pairs + 1], x.std(0)
    substeps = system.substeps(dt)

    def residual(theta):
        return ((b - pushed(a, dt, substeps, system.c(theta), system.exponents)) / scale).ravel()

    r = residual(theta)
    for _ in range(30):
        columns = []
        for j in range(len(theta)):
            e = np.zeros(len(theta))
            e[j] = 1e-6 * max(abs(theta[j]), 0.1)
            columns.append((residual(theta + e) - residual(theta - e)) / (2 * e[j]))
        jacobian = np.stack(columns, 1)
        step = -np.linalg.lstsq(jacobian, r, rcond=None)[0]
        length = 1.0
        while length > 1e-6:
            tried = residual(theta + length * step)
            if np.isfinite(tried).all() and tried @ tried <= r @ r:
                break
            length *= 0.5
        theta, r = theta + length * step, tried
        if np.abs(step).max() < 1e-12 * np.abs(theta).max():
            break
    information = np.linalg.inv(jacobian.T @ jacobian)
    return theta, np.sqrt(np.diag(information) * (r @ r) / len(r))


@njit(cache=True)
def unscented(y, seen, dt, substeps, theta, spread, noise, drive, c0, p, exponents):
    """Filter of the state and the parameters together; `seen` are the coordinates that were measured."""
    d, k = c0.shape[0], theta.size
    size, s = d + k, seen.size
    mean = np.zeros(size)
    cov = np.zeros((size, size))
    for a in range(d):
        cov[a, a] = spread[d + k + a] ** 2
        mean[a] = spread[2 * d + k + a]
    for a in range(s):
        mean[seen[a]] = y[0, a]
        cov[seen[a], seen[a]] = noise[a] + 1e-10
    for j in range(k):
        mean[d + j] = theta[j]
        cov[d + j, d + j] = spread[d + j] ** 2
    sigma = np.empty((2 * size, size))
    for i in range(1, y.shape[0]):
        root = np.linalg.cholesky(cov + 1e-13 * np.eye(size)) * np.sqrt(size * 1.0)
        for l in range(size):
            sigma[2 * l] = mean + root[:, l]
            sigma[2 * l + 1] = mean - root[:, l]
        for l in range(2 * size):
            c = c0.copy()
            for j in range(k):
                c += sigma[l, d + j] * p[j]
            x = sigma[l, :d].copy()
            flow(x, dt, substeps, c, exponents)
            sigma[l, :d] = x
        mean = np.zeros(size)
        for l in range(2 * size):
            mean += sigma[l] / (2 * size)
        cov = np.zeros((size, size))
        for l in range(2 * size):
            off = sigma[l] - mean
            cov += np.outer(off, off) / (2 * size)
        for a in range(d):
            cov[a, a] += drive[a]
        gain = np.zeros((size, s))
        inner = np.empty((s, s))
        cross = np.empty((size, s))
        for a in range(s):
            cross[:, a] = cov[:, seen[a]]
            for b in range(s):
                inner[a, b] = cov[seen[a], seen[b]]
            inner[a, a] += noise[a]
        gain = np.linalg.solve(inner, cross.T.copy()).T.copy()
        off = np.empty(s)
        for a in range(s):
            off[a] = y[i, a] - mean[seen[a]]
        mean = mean + gain @ off
        cov = cov - gain @ inner @ gain.T
        cov = 0.5 * (cov + cov.T)
        if not np.all(np.isfinite(mean)):
            break
    return mean[d:], np.sqrt(np.diag(cov)[d:])


def filtered(system, x, cell):
    """Unscented Kalman filter, told the noise of the observations and what drives the motion, on at most 10⁴ points."""
    d, k = system.c0.shape[0], len(system.start)
    seen = np.array(cell["seen"], dtype=np.int64)
    noise = np.maximum(np.array(cell["noise"]) ** 2, (1e-6 * x.std(0)) ** 2)
    drive = np.array(cell["drive"]) ** 2 * cell["dt"]
    drive = np.maximum(drive, (1e-8 * np.array(cell["scatter"])) ** 2)
    spread = np.concatenate([np.zeros(d), 0.2 * np.abs(system.start), np.array(cell["scatter"]), np.array(cell["center"])])
    y = np.ascontiguousarray(x[:FILTERED])
    return unscented(
        y, seen, cell["dt"], system.substeps(cell["dt"]), system.start, spread, noise, drive, system.c0, system.p, system.exponents
    )


def moments(x):
    pairs = [(x[:, a] * x[:, b]).mean() for a in range(x.shape[1]) for b in range(a, x.shape[1])]
    return np.concatenate([x.mean(0), pairs])


def smoothed(system, x, cell):
    """Ensemble smoother with multiple data assimilation on first and second moments, 40 members, 6 rounds."""
    from iterative_ensemble_smoother import ESMDA

    rng = np.random.default_rng(1)
    d = x.shape[1]
    blocks = np.array_split(x, 20)
    observed = moments(x)
    at = d
    for a in range(d):
        for b in range(a, d):
            if a == b:
                observed[at] -= cell["noise"][a] ** 2
            at += 1
    time_ = cell["spacing"]
    count = min(max(2000, len(x)), 10_000)
    spread = np.cov(np.stack([moments(b) for b in blocks]).T) / 20 * (1 + len(x) / count)
    spread += 1e-9 * np.diag(np.diag(spread)) + 1e-12 * np.eye(len(spread))
    # Logarithms of the parameters, which keep their signs.
    sign = np.sign(system.start)
    ensemble = np.log(np.abs(system.start))[:, None] + 0.2 * rng.standard_normal((len(system.start), 40))
    smoother = ESMDA(covariance=spread, observations=observed, alpha=6, seed=1)
    substeps = system.substeps(time_)
    for _ in range(6):
        answers = []
        for i in range(ensemble.shape[1]):
            begin = x[rng.integers(len(x))].copy()
            run = followed(begin, time_, substeps, count, 200, system.c(sign * np.exp(ensemble[:, i])), system.exponents)
            answers.append(moments(run))
        answers = np.stack(answers, 1)
        good = np.isfinite(answers).all(0)
        ensemble, answers = ensemble[:, good], answers[:, good]
        smoother.prepare_assimilation(Y=answers)
        ensemble = smoother.assimilate_batch(X=ensemble)
    found = sign[:, None] * np.exp(ensemble)
    return found.mean(1), found.std(1)


WAYS = {
    "regression": regression,
    "pysindy weak": sindy_weak,
    "one step": one_step,
    "unscented filter": filtered,
    "ensemble smoother": smoothed,
}


def apply(cell):
    ordered, whole = cell["dt"] is not None, len(cell["seen"]) == len(cell["c0"])
    small = len(cell["c0"]) <= 4
    ways = []
    if ordered and whole:
        ways += ["regression", "one step"]
        if small:
            ways.append("pysindy weak")
    if ordered and small:
        ways.append("unscented filter")
    if whole and small and not cell["sde"]:
        ways.append("ensemble smoother")
    return ways


def main():
    warm = set()
    for line in sys.stdin:
        cell = json.loads(line)
        system = System(cell)
        x = np.fromfile(cell["data"]).reshape(-1, len(cell["seen"]))
        found = {}
        for name in apply(cell):
            if (name, len(cell["c0"])) not in warm:
                # Compilation is not counted.
                warm.add((name, len(cell["c0"])))
                try:
                    WAYS[name](system, x[:400], cell)
                except Exception:
                    pass
            clock = time.perf_counter()
            try:
                theta, errors = WAYS[name](system, x, cell)
                bad = not np.isfinite(theta).all()
            except Exception as error:
                print(f"{cell['name']}: {name}: {error}"[:200], file=sys.stderr)
                bad = True
            seconds = time.perf_counter() - clock
            found[name] = None if bad else {
                "theta": list(theta),
                "errors": None if errors is None else [float(e) if np.isfinite(e) else None for e in errors],
                "seconds": seconds,
            }
        print(json.dumps({"name": cell["name"], "ways": found}), flush=True)


if __name__ == "__main__":
    main()
