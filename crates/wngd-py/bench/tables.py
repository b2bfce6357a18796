"""Mixtures and Lorenz' parameters beside scikit-learn, pysindy and SciPy, in one session; the tables of docs/python.md.

    pip install wngd scikit-learn scipy pysindy
    export OMP_NUM_THREADS=1                         # scikit-learn's threads wait for each other on small data
    python crates/wngd-py/bench/tables.py            # prints the tables
    python crates/wngd-py/bench/tables.py --write    # puts them into docs/python.md, too
"""

import itertools
import pathlib
import sys
import time
import warnings

import numpy as np
import pysindy
import scipy
import sklearn
import wngd
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares
from sklearn.mixture import GaussianMixture

ROOT = pathlib.Path(__file__).resolve().parents[3]
FAITHFUL = ROOT / "crates/wngd-experiment/experiments/faithful.csv"
SETS = [FAITHFUL] + [ROOT / f"crates/wngd-fit/tests/data/{n}.csv" for n in ("iris", "penguins", "galaxies", "cancer", "pima")]
COMPONENTS = range(1, 4)
TRUTH = np.array([10.0, 28.0, 8.0 / 3.0])
START = np.array([8.0, 24.0, 2.0])
POINTS, DT = 10_000, 0.01


def timed(work):
    """What work returns, and its wall seconds."""
    began = time.perf_counter()
    found = work()
    return found, time.perf_counter() - began


def mixtures():
    """Rows: the number of components by BIC, the difference of the log-likelihoods at K, seconds for K = 1, 2, 3."""
    yield "| data | samples | K by BIC | K of scikit-learn | ln L per sample above scikit-learn's | seconds | scikit-learn |"
    yield "|---|---|---|---|---|---|---|"
    for path in SETS:
        X = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
        ours, seconds = timed(lambda: wngd.GaussianMixture((1, 3), goodness_of_fit=False).fit(X))

        def climbed():
            one = lambda k: GaussianMixture(k, n_init=20, tol=1e-9, max_iter=20_000, random_state=0).fit(X)
            return min(map(one, COMPONENTS), key=lambda mixture: mixture.bic(X))

        theirs, theirs_seconds = timed(climbed)
        same = ours if ours.n_components_ == theirs.n_components else wngd.GaussianMixture(theirs.n_components).fit(X)
        above = same.score(X) - theirs.score(X)
        yield (
            f"| {path.stem} | {len(X)} × {X.shape[1]} | {ours.n_components_} | {theirs.n_components} | {above:+.1e} "
            f"| {seconds:.2f} | {theirs_seconds:.2f} |"
        )


def lorenz(x, theta):
    """The velocity; x of shape (3,) or (3, n)."""
    return np.array([theta[0] * (x[1] - x[0]), x[0] * (theta[1] - x[2]) - x[1], x[0] * x[1] - theta[2] * x[2]])


def trajectory():
    """Points by SciPy's integrator, so that no tool has its own data."""
    times = 20.0 + DT * np.arange(POINTS)
    solved = solve_ivp(lambda t, x: lorenz(x, TRUTH), (0, times[-1]), [1.0, 1.0, 1.0], "DOP853", times, rtol=1e-12, atol=1e-12)
    return solved.y.T


def by_wngd(points):
    return wngd.identify(points, "lorenz63", dt=DT, start=START).x


def by_sindy(points):
    """SINDy over polynomials of degree 2: of its coefficients those that are Lorenz' parameters."""
    model = pysindy.SINDy(pysindy.STLSQ(threshold=0.5), pysindy.PolynomialLibrary(degree=2), pysindy.SmoothedFiniteDifference())
    model.fit(points, t=DT, feature_names=["x", "y", "z"])
    names, found = model.get_feature_names(), model.coefficients()
    return np.array([found[0, names.index("y")], found[1, names.index("x")], -found[2, names.index("z")]])


def by_steps(points):
    """SciPy's least squares on the distance of each point from where the one before flows to."""
    from_, to = points[:-1].T, points[1:].T

    def residuals(theta):
        x = from_
        for _ in range(2):  # the classical method of order 4 in two steps
            h = DT / 2
            a = lorenz(x, theta)
            b = lorenz(x + h / 2 * a, theta)
            c = lorenz(x + h / 2 * b, theta)
            x = x + h / 6 * (a + 2 * b + 2 * c + lorenz(x + h * c, theta))
        return (x - to).ravel()

    return least_squares(residuals, START).x


def by_trajectory(points):
    """SciPy's least squares on the distance from a trajectory of two time units that begins at the first point."""
    seen = points[:200]
    times = DT * np.arange(len(seen))

    def residuals(theta):
        solved = solve_ivp(lambda t, x: lorenz(x, theta), (0, times[-1]), seen[0], "DOP853", times, rtol=1e-9, atol=1e-9)
        return (solved.y.T - seen).ravel()

    return least_squares(residuals, START).x


def parameters():
    """Rows: the largest relative error of a parameter and wall seconds, without noise and with it."""
    points = trajectory()
    levels = [0.0, 0.01, 0.05]
    scatter = points.std(axis=0) * np.random.default_rng(1).normal(size=points.shape)
    yield "| Lorenz' parameters by | " + " | ".join(f"noise {level:.0%} | seconds" for level in levels) + " |"
    yield "|---|" + "---|---|" * len(levels)
    tools = {
        "`wngd.identify`": by_wngd,
        "pysindy, SINDy with smoothed differences": by_sindy,
        "SciPy `least_squares` on steps": by_steps,
        "SciPy `least_squares` on two time units": by_trajectory,
    }
    for name, tool in tools.items():
        cells = []
        for level in levels:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found, seconds = timed(lambda: tool(points + level * scatter))
            cells += [f"{np.abs(found / TRUTH - 1).max():.1e}", f"{seconds:.2f}"]
        yield f"| {name} | " + " | ".join(cells) + " |"


def main():
    versions = f"wngd {wngd.__version__}, scikit-learn {sklearn.__version__}, pysindy {pysindy.__version__}, SciPy {scipy.__version__}"
    lines = []
    for line in itertools.chain(parameters(), [""], mixtures(), ["", f"{versions}."]):
        lines.append(line)
        print(line, flush=True)
    text = "\n".join(lines)
    if "--write" in sys.argv[1:]:
        page = ROOT / "docs/python.md"
        before, rest = page.read_text().split("<!-- tables -->\n")
        after = rest.split("<!-- end of tables -->")[1]
        page.write_text(f"{before}<!-- tables -->\n{text}\n<!-- end of tables -->{after}")


if __name__ == "__main__":
    main()
