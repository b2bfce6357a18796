"""Dynamical systems: trajectories and stationary densities."""

import json
import os

import numpy as np

from . import _wngd
from ._numbers import corners, number
from ._result import Result

system_names = _wngd.system_names


class Density(Result):
    """A stationary density on a grid.

    ``density`` (array in the shape of the grid, values at the centres of cells), ``lower``, ``upper``, ``cells``,
    ``centers`` (a list of one array per axis), ``names`` and ``x`` of the parameters, ``mean``, ``second_moment``,
    ``remarks``.
    """

    def plot(self, ax=None):
        """The density over one or two axes, summed over a third; returns the axes."""
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots()[1]
        values, centers = self["density"], self["centers"]
        if values.ndim == 1:
            ax.plot(centers[0], values)
            return ax
        if values.ndim == 3:
            values = values.sum(axis=1) * (self["upper"][1] - self["lower"][1]) / self["cells"][1]
            centers = [centers[0], centers[2]]
        ax.pcolormesh(centers[0], centers[1], values.T, shading="nearest")
        return ax


def describe_system(system):
    """Names of a system's variables and parameters, the parameters' usual values and a point to start from.

    Parameters
    ----------
    system : str, path, dict or System
        As for `identify`.

    Returns
    -------
    Result

    Examples
    --------
    >>> import wngd
    >>> wngd.describe_system("lorenz63").parameters
    ['sigma', 'rayleigh', 'beta']
    """
    return Result(_wngd.describe_system(system))


def simulate(system, n, *, dt=0.05, theta=None, start=None, burn_in=50.0, seed=1, noise=None):
    """Points of a trajectory, as ``wngd simulate`` writes them.

    Parameters
    ----------
    system : str, path, dict or System
        As for `identify`.
    n : int
        Number of points.
    dt : float, default=0.05
        Time between them.
    theta : array-like of shape (p,), optional
        Parameters; the usual ones if left out.
    start : array-like of shape (d,), optional
        Where to start; moved a little at random.
    burn_in : float, default=50
        Time simulated before the first point.
    seed : int
        Seed of that move and of the noise.
    noise : array-like of shape (d,), optional
        Standard deviation of Gaussian noise added to what is observed.

    Returns
    -------
    array of shape (n, d)

    Examples
    --------
    >>> import wngd
    >>> wngd.simulate("lorenz63", 1000).shape
    (1000, 3)
    """
    return _wngd.simulate(system, n, number("dt", dt), theta, start, number("burn_in", burn_in), seed, noise)


def stationary_density(
    system,
    theta=None,
    *,
    lower=None,
    upper=None,
    cells=None,
    discretisation="semi-lagrangian",
    out=None,
    figures=False,
    **options,
):
    """The density that a dynamical system leaves unchanged, as ``wngd density`` computes it.

    Parameters
    ----------
    system : str, path, dict or System
        As for `identify`; one to three variables.
    theta : array-like of shape (p,), optional
        Parameters; the usual ones if left out.
    lower, upper : array-like of shape (d,), optional
        Corners of the box; from a short simulation if left out.
    cells : int or list of int, optional
        Cells, one number or one per axis; 256, 64 or 24 in one, two or three dimensions if left out.
    discretisation : str, default="semi-lagrangian"
        ``"semi-lagrangian"`` (options ``time``, ``step``, ``points``, ``restart``), ``"upwind"`` or
        ``"scharfetter-gummel"`` (options ``diffusion``, ``restart``).
    out : path, optional
        A folder for the files that the command line writes.
    figures : bool
        Whether they include a figure.

    Returns
    -------
    Density

    Examples
    --------
    >>> import numpy as np, wngd
    >>> found = wngd.stationary_density("van-der-pol", cells=32)
    >>> found.density.shape
    (32, 32)
    >>> volume = np.prod((found.upper - found.lower) / found.cells)
    >>> round(float(found.density.sum() * volume), 6)
    1.0
    """
    if (lower is None) != (upper is None):
        raise ValueError("lower, upper: give both corners of the box, or neither")
    box = None if lower is None else corners(lower, upper)
    cells = None if cells is None else np.ravel(cells).tolist()
    out = None if out is None else os.fspath(out)
    options = {"kind": discretisation, **options}
    told = _wngd.stationary_density(system, theta, box, cells, options, out, bool(figures))
    file = json.loads(told["json"])
    lower, upper = np.array(file["lower"]), np.array(file["upper"])
    centers = [a + (np.arange(n) + 0.5) * (b - a) / n for a, b, n in zip(lower, upper, file["cells"])]
    return Density(
        system=file["system"],
        names=file["names"],
        x=np.array(file["theta"]),
        density=told["density"],
        lower=lower,
        upper=upper,
        cells=np.array(file["cells"]),
        centers=centers,
        mean=np.array(file["state"]["mean"]),
        second_moment=np.array(file["state"]["second_moment"]),
        solver=file["solver"],
        remarks=file["notes"],
    )
