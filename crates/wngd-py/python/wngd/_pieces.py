"""Pieces of the library on their own, NumPy in and out."""

from . import _wngd
from ._model import model_of
from ._numbers import corners, number
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
    return Result(_wngd.transport(source, target, corners(lower, upper)))


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
    return Result(_wngd.laplacian(density, z, corners(lower, upper), number("floor", floor)))


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
    return _wngd.whiten(z, density, {"metric": metric, **options}, corners(lower, upper))


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


def probes(n, count, *, kind="rademacher", seed=0, iteration=0, first=0):
    """Random probes h with E h hᵀ = I; probe i depends on seed, iteration and i alone.

    Parameters
    ----------
    n : int
        Entries of a probe.
    count : int
        Number of probes.
    kind : str
        ``"rademacher"`` (signs), ``"gaussian"`` or ``"orthogonal"`` (groups of 32 at right angles, of length √n).
    seed, iteration : int
    first : int
        Index of the first of them.

    Returns
    -------
    array of shape (count, n)

    Examples
    --------
    >>> import numpy as np, wngd
    >>> h = wngd.probes(100, 8, kind="orthogonal", seed=3)
    >>> bool(np.abs(h @ h.T - 100 * np.eye(8)).max() < 1e-10)
    True
    >>> bool((h[5:] == wngd.probes(100, 3, kind="orthogonal", seed=3, first=5)).all())
    True
    """
    return _wngd.probes(n, count, kind, seed, iteration, first)


def sketch(z, probes, x=None):
    """Products of a derivative with probes, and the estimate of it that they give.

    Parameters
    ----------
    z : array-like of shape (k, p), or a model as for `minimize`
        Z, or the model whose derivative at ``x`` it is: one transposed product per probe.
    probes : array-like of shape (m, k)
        One per row.
    x : array-like of shape (p,), optional
        Where a model's derivative is taken.

    Returns
    -------
    Result
        ``products``, the rows hᵀZ (array of shape (m, p)), and ``estimate`` (1/m) Σ h hᵀZ (array of shape (k, p)).

    Examples
    --------
    >>> import numpy as np, wngd
    >>> z = np.random.default_rng(1).normal(size=(30, 2))
    >>> found = wngd.sketch(z, np.sqrt(30) * np.eye(30))
    >>> bool(np.abs(found.estimate - z).max() < 1e-14)
    True
    """
    if x is None:
        return Result(_wngd.sketch(z, None, probes))
    return Result(_wngd.sketch(model_of(z), x, probes))
