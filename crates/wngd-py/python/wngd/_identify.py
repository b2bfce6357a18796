"""``identify``: parameters of a dynamical system from points."""

import json
import os

import numpy as np

from . import _wngd
from ._field import remarks_of
from ._numbers import number, real
from ._result import Reported, Result, short


class Identification(Reported):
    """What `identify` found.

    Fields: ``x`` and ``stderr`` (arrays of p numbers, NaN where nothing determines one), ``cov`` (array (p, p) or None),
    ``names``, ``verdict`` (``"fits"``, ``"misfit"``, ``"undetermined"`` or ``"not-converged"``), ``success`` (whether it
    fits), ``answer`` (which estimator), ``estimates`` (all of them, each with ``estimator``, ``x``, ``stderr``,
    ``misfit``, ``remarks``), ``undetermined``, ``noise``, ``diffusion``, ``remarks``, ``report_html``.
    """

    def _title(self):
        return f"{self['name']}: {self['verdict']}, by {self['answer']}"

    def plot(self, ax=None):
        """The estimates side by side, in standard errors of the answer; returns the axes."""
        ax = self._axes(ax)
        p = len(self["names"])
        scale = np.where(np.isfinite(self["stderr"]) & (self["stderr"] > 0), self["stderr"], 1.0)
        for k, estimate in enumerate(self["estimates"]):
            place = np.arange(p) + 0.15 * k
            ax.errorbar(
                (estimate["x"] - self["x"]) / scale, place, xerr=estimate["stderr"] / scale, fmt="o", label=estimate["estimator"]
            )
        ax.set_yticks(range(p), [f"{n} = {short(x)}" for n, x in zip(self["names"], self["x"])])
        ax.set_xlabel("distance from the answer, in its standard errors")
        ax.legend()
        return ax


def identify(
    points,
    system,
    dt=None,
    start=None,
    noise="auto",
    ordered=True,
    *,
    free=None,
    estimators=None,
    columns=None,
    observed=None,
    burn_in=0,
    stride=1,
    cells=None,
    binning="multilinear",
    smoothing=0.0,
    replicates=4,
    corrections=8,
    seed=1,
    out=None,
    figures=False,
    restart=False,
):
    """Finds the parameters of a dynamical system from points that it passed through, and says whether it fits.

    Parameters
    ----------
    points : array-like of shape (n, d), data frame, or list of these
        Several are records that do not follow on each other. Columns of a frame are matched to variables by name; its
        column ``t`` or ``time`` tells the time between points.
    system : str, path, dict or System
        A built-in name (`system_names`), the path of a ``.toml`` file, TOML text, or the same as a dictionary:
        ``{"variables": ["x"], "equations": {"x": "a*x - x^3"}, "parameters": {"a": 1.0}}``. A
        `System` is one whose velocity is a function.
    dt : float, optional
        Time between points, if no column tells it.
    start : array-like of shape (p,) or dict by name, optional
        Parameters to start from; the system's own if left out.
    noise : "auto", float or array-like of shape (d,), default="auto"
        Estimated, a share of each coordinate's scatter, or a standard deviation per variable.
    ordered : bool, default=True
        Whether the order of the points means something.
    free : list of str, optional
        Names of the parameters to find; all if left out.
    estimators : list of str, optional
        Of ``"weak-stationary"``, ``"weak-in-time"``, ``"shooting"``, ``"smoother"``, ``"simulated-moments"``,
        ``"density"``; all but the last, as far as they apply, if left out.
    columns : list of str, optional
        Columns of a frame in the order of the variables.
    observed : list of str, optional
        The variables that were measured, where others were not.
    burn_in, stride : int
        Points left out at the beginning of each record; every how many one is taken.
    cells, binning, smoothing, replicates, corrections
        Options of the estimator ``"density"``, as ``wngd identify --help`` has them.
    seed : int
        Seed of test functions and simulations.
    out : path, optional
        A folder for the files that the command line writes; none are kept if left out.
    figures : bool, default=False
        Whether the report has figures.
    restart : bool, default=False
        Whether an unfinished command in the folder may be lost; else it is an error.

    Returns
    -------
    Identification

    Examples
    --------
    >>> import wngd
    >>> points = wngd.simulate("van-der-pol", 4000, dt=0.1, theta=[1.3])
    >>> found = wngd.identify(points, "van-der-pol", dt=0.1)
    >>> found.verdict, found.names
    ('fits', ['mu'])
    >>> bool(abs(found.x[0] - 1.3) < 1e-4)
    True
    """
    if start is not None and not isinstance(start, dict):
        start = real("start", start)
    if not isinstance(noise, str):
        noise = real("noise", noise)
        if not noise.size:
            raise ValueError(f"noise: shape {noise.shape}; a share, or a standard deviation per variable, is needed")
    sections = {
        "model": {"theta": start, "free": free},
        "data": {
            # The usual ones are left out: without the estimator "density" they would be refused.
            "binning": None if binning == "multilinear" else binning,
            "burn_in": burn_in,
            "stride": stride,
            "smoothing": number("smoothing", smoothing) or None,
            "columns": columns,
        },
        "grid": {"cells": cells},
        "identify": {
            "dt": None if dt is None else number("dt", dt),
            "unordered": not ordered,
            "noise": noise,
            "estimators": estimators,
            "observed": [observed] if isinstance(observed, str) else observed,
            "replicates": None if replicates == 4 else replicates,
            "corrections": None if corrections == 8 else corrections,
            "seed": seed,
        },
    }
    out = None if out is None else os.fspath(out)
    told = _wngd.identify_records(_records(points), system, sections, out, bool(figures), bool(restart))
    found = identification(told)
    found.remarks += remarks_of(system)
    return found


def _records(points):
    """Records of points with the names of their columns, or none."""
    if isinstance(points, (list, tuple)) and len(points) and all(np.ndim(record) == 2 for record in points):
        return [_record(record) for record in points]
    return [_record(points)]


def _record(points):
    if hasattr(points, "columns") and hasattr(points, "to_numpy"):
        return points.to_numpy(), [str(name) for name in points.columns]
    return points, None


def identification(told):
    """What Rust tells, as a result."""
    file = json.loads(told["json"])
    method = file["methods"][0]
    p = len(file["names"])
    estimates = [
        Result(
            estimator=e["estimator"],
            x=np.array(e["theta"]),
            stderr=errors(e["standard_errors"], p),
            misfit=e["misfit"],
            seconds=e["seconds"],
            remarks=e["remarks"],
        )
        for e in file["estimates"]
    ]
    cov = method["covariance"]
    return Identification(
        name=file["name"],
        names=file["names"],
        x=np.array(method["theta"]),
        stderr=errors(method["standard_errors"], p),
        cov=None if cov is None else np.array(cov),
        x0=np.array(file["theta0"]),
        verdict=file["verdict"],
        success=file["verdict"] == "fits",
        answer=file["answer"],
        message=file["notes"][0] if file["notes"] else file["verdict"],
        estimates=estimates,
        undetermined=file["undetermined"],
        noise=file["noise"],
        diffusion=None if file["diffusion"] is None else np.array(file["diffusion"]),
        remarks=file["notes"] + method["remarks"],
        result=file,
        report_html=told["report"],
    )


def errors(values, p):
    """Standard errors with NaN where there are none."""
    if values is None:
        return np.full(p, np.nan)
    return np.array([np.nan if value is None else value for value in values])
