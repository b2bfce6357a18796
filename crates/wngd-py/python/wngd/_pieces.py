"""Pieces of the library on their own, NumPy in and out."""

import numpy as np

from . import _wngd
from ._result import Result


def wasserstein(source, target, lower, upper):
    """½W₂² between two densities on a grid, exact, with its potential.

    Parameters
    ----------
    source, target : array-like in the shape of the grid, one to three axes
        Values at least 0; neither need be normalised.
    lower, upper : array-like of shape (d,)
        Corners of the box.

    Returns
    -------
    Result
        ``half_squared_distance``, ``potential`` (in the shape of the grid), ``dual_value``, ``relative_gap``,
        ``dropped_mass``.

    Examples
    --------
    >>> import numpy as np, wngd
    >>> a, b = np.zeros(10), np.zeros(10)
    >>> a[2], b[5] = 1.0, 1.0
    >>> round(wngd.wasserstein(a, b, 0.0, 10.0).half_squared_distance, 12)
    4.5
    """
    return Result(_wngd.transport(source, target, _corners(lower, upper)))


def weighted_laplacian(density, z, lower, upper, *, floor=0.0):
    """φ with −∇·(ρ∇φ) = z and no flux through the boundary, and the pseudo-inverse's fields B†z.

    Parameters
    ----------
    density : array-like in the shape of the grid, one to three axes
        ρ; cells where it vanishes are left out.
    z : array-like in the shape of the grid, or with one more axis, the last, for columns
        What mass it has is taken out first, in each connected part of the support.
    lower, upper : array-like of shape (d,)
        Corners of the box.
    floor : float
        Least density of a face.

    Returns
    -------
    Result
        ``potential`` φ (in the shape of z), ``flux`` √ρ∇φ on the faces (first axis: faces, axis by axis), ``mass_leak``
        (relative, per column).

    Examples
    --------
    >>> import numpy as np, wngd
    >>> x = (np.arange(400) + 0.5) / 400
    >>> found = wngd.weighted_laplacian(np.ones(400), np.cos(np.pi * x), 0.0, 1.0)
    >>> exact = np.cos(np.pi * x) / np.pi**2
    >>> bool(np.abs(found.potential - found.potential.mean() - exact).max() < 1e-5)
    True
    """
    return Result(_wngd.laplacian(density, z, _corners(lower, upper), float(floor)))


def whiten(z, density, lower, upper, *, metric="wasserstein", **options):
    """Tangents in coordinates in which a metric is the Euclidean one: ‖whiten(z)‖ is the length of z.

    Parameters
    ----------
    z : array-like in the shape of the grid, or with one more axis, the last, for columns
    density : array-like in the shape of the grid
        Where the metric stands.
    lower, upper : array-like of shape (d,)
        Corners of the box.
    metric : str
        As for `minimize`, less ``"none"``.
    **options
        Of the metric: ``floor``, ``face_mean``.

    Returns
    -------
    array of shape (rows,) or (rows, columns)

    Examples
    --------
    >>> import numpy as np, wngd
    >>> rho, z = np.full(8, 0.5), np.arange(8.0)
    >>> (wngd.whiten(z, rho, 0.0, 2.0, metric="fisher-rao") * np.sqrt(0.5)).round(12)
    array([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    return _wngd.whiten(z, density, {"metric": metric, **options}, _corners(lower, upper))


def lstsq(a, b, *, damping=None, solver="qr"):
    """min ‖ax − b‖² + Σ dᵢ²xᵢ² with a rank on scaled columns; of minimum norm where that is deficient.

    Parameters
    ----------
    a : array-like of shape (m, p)
    b : array-like of shape (m,)
    damping : array-like of shape (p,), optional
        The dᵢ.
    solver : str
        ``"qr"``, ``"svd"``, ``"lsmr"`` or ``"information"`` (normal equations).

    Returns
    -------
    Result
        ``x``, ``rank``, ``condition``, ``residual``, ``algorithm``, ``iterations``.

    Examples
    --------
    >>> import wngd
    >>> found = wngd.lstsq([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]], [1.0, 3.0, 0.0])
    >>> found.rank, found.x.round(12).tolist()
    (1, [1.0, 1.0])
    """
    return Result(_wngd.lstsq(a, b, damping, solver))


def _corners(lower, upper):
    return tuple(np.ravel(np.asarray(corner, dtype=np.float64)).tolist() for corner in (lower, upper))
