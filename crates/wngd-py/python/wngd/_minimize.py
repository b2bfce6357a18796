"""``minimize`` and ``check``: descents on models of one's own."""

import inspect

import numpy as np

from . import _wngd
from ._model import model_of
from ._numbers import corners, number, real
from ._progress import bar
from ._result import Fitted, Result, draw_traces, short


class Minimum(Fitted):
    """What `minimize` found: fields of SciPy's ``OptimizeResult``, and what the descent knows besides.

    ``x``, ``fun``, ``jac``, ``nit``, ``nfev`` (states), ``njev`` (products), ``success``, ``status`` (``"converged"``,
    ``"max-iterations"``, ``"stalled"`` or ``"stopped"``), ``message``, ``state`` (at the end, in its shape), ``stderr``
    and ``cov`` (where ``samples`` were told; else None), ``trace`` (arrays by name), ``rank`` and ``condition`` of the
    whitened Jacobian behind the last step, ``names``, ``metric``, ``objective``, ``solver_note``, ``seconds`` (``"total"``,
    ``"model"`` in the callables, ``"binding"`` on the way to them and back).
    """

    def _title(self):
        return f"{self['metric']}: {self['status']}, objective {short(self['fun'])}"

    def plot(self, ax=None):
        """The objective against iterations; returns the axes."""
        return draw_traces(self._axes(ax), [(self["metric"], self["trace"])])


def minimize(
    model,
    data,
    x0,
    *,
    metric=None,
    objective="l2",
    grid=None,
    solver=None,
    step=None,
    damping=None,
    callback=None,
    iterations=200,
    relative_objective=1e-12,
    relative_step=0.0,
    gradient=0.0,
    names=None,
    bounds=None,
    samples=None,
    progress=False,
    **options,
):
    """Minimises the distance of a model's state to data along natural gradients.

    Parameters
    ----------
    model : Model, tuple (state, jvp, vjp), object with these attributes, or function that JAX can trace
        See `Model`.
    data : array-like in the shape of the state
    x0 : array-like of shape (p,)
        Where to start.
    metric : str, optional
        ``"none"`` (the plain gradient), ``"l2"``, ``"fisher-rao"``, ``"h1"``, ``"h-1"``, ``"homogeneous-h-1"`` or
        ``"wasserstein"``; the one that makes it a Gauss–Newton direction if left out.
    objective : str, default="l2"
        ``"l2"``, ``"kl"``, ``"homogeneous-h-1"``, ``"linearised-wasserstein"`` or ``"wasserstein"``.
    grid : pair (lower, upper) of shape (d,) each, or dict with lower, upper and cells, optional
        The box of a density with a value per cell; cells are the state's shape if left out. Without it states are plain
        values, for ``"l2"``.
    solver : str, optional
        ``"qr"`` (default), ``"svd"``, ``"lsmr"``, ``"information"``; without a stored Jacobian ``"auto"``, ``"krylov"``,
        ``"nystrom"`` and others.
    step : float, str or dict, optional
        A fixed length, the name of a rule, or ``{"rule": …, …}``; a line search that finds its length if left out.
    damping : float, optional
    callback : callable, optional
        Called after each iterate as SciPy does it: with ``intermediate_result``, or with x alone if the parameter has
        another name. ``StopIteration`` ends the descent, any other exception travels through.
    iterations, relative_objective, relative_step, gradient
        When to end.
    names : list of p str, optional
    bounds : sequence of p pairs (lower, upper), optional
        None for no bound.
    samples : float, optional
        How many independent samples a density was made of: then there are standard errors.
    progress : bool, default=False
        Whether a bar of tqdm shows iterations and objective.
    **options
        Options of metric and solver as in an experiment file: ``face_mean``, ``floor``, ``tolerance``, ``probes``, ….

    Returns
    -------
    Minimum

    Examples
    --------
    >>> import numpy as np, wngd
    >>> t = np.linspace(0.0, 2.0, 9)
    >>> state = lambda x: x[0] * np.exp(-x[1] * t)
    >>> jvp = lambda x, v: np.exp(-x[1] * t) * (v[0] - x[0] * t * v[1])
    >>> vjp = lambda x, u: np.array([u @ np.exp(-x[1] * t), -u @ (x[0] * t * np.exp(-x[1] * t))])
    >>> found = wngd.minimize((state, jvp, vjp), state([2.0, 0.5]), [1.0, 1.0])
    >>> found.success, found.x.round(6).tolist()
    (True, [2.0, 0.5])
    """
    parts = model_of(model)
    if step is not None and not isinstance(step, dict):
        step = {"rule": step} if isinstance(step, str) else {"rule": "fixed", "length": number("step", step)}
    method = {"metric": metric, "solver": solver, "step": step, "damping": damping, **options}
    stop = {
        "iterations": iterations,
        "relative_objective": number("relative_objective", relative_objective),
        "relative_step": number("relative_step", relative_step),
        "gradient": number("gradient", gradient),
    }
    names = None if names is None else [str(name) for name in names]
    asked = {
        "method": method,
        "objective": objective,
        "stop": stop,
        "grid": None if grid is None else _grid(grid),
        "names": names,
        "bounds": None if bounds is None else _bounds(bounds),
        "samples": None if samples is None else number("samples", samples),
    }
    callback = None if callback is None else _callback(callback)
    if progress:
        shown = bar(iterations, "minimize")
        try:
            told = _wngd.minimize(parts, data, x0, asked, _shown(shown, callback))
        finally:
            shown.close()
    else:
        told = _wngd.minimize(parts, data, x0, asked, callback)
    improved = told.pop("improved")
    told.setdefault("stderr", None)
    told.setdefault("cov", None)
    success = told["status"] == "converged" or (told["status"] == "max-iterations" and improved)
    names = names or [f"x[{i}]" for i in range(len(told["x"]))]
    return Minimum(told, success=success, names=names, remarks=[told["message"]])


def check(model, x0, *, names=None, seed=1):
    """Tests the derivatives of a model at a point, and says what is wrong.

    A Taylor test compares ``jvp`` with differences of the state; a dot test compares ``vjp`` with ``jvp``.

    Parameters
    ----------
    model : as for `minimize`
    x0 : array-like of shape (p,)
        A point with neighbours in the domain: states are taken up to a sixteenth of each parameter away.
    names : list of p str, optional
    seed : int

    Returns
    -------
    Result
        ``ok``, ``text`` (what was found, in words), ``taylor`` and ``rate`` (2 for an exact derivative), ``dot`` and
        ``gap``, ``wrong`` (names of parameters whose derivative is wrong), ``steps``, ``remainders``.

    Examples
    --------
    >>> import numpy as np, wngd
    >>> t = np.arange(5.0)
    >>> found = wngd.check((lambda x: np.sin(x[0] * t), lambda x, v: np.sin(x[0] * t) * t * v[0]), [0.7])
    >>> found.ok, found.wrong
    (False, ['x[0]'])
    """
    told = _wngd.check(model_of(model), x0, names, seed)
    names = names or [f"x[{i}]" for i in range(np.size(x0))]
    wrong = [names[j] for j in told["wrong"]]
    lines = [told["taylor_text"]]
    if not told["taylor"]:
        about = f" for {', '.join(wrong)}" if wrong else ""
        lines.append(f"jvp (or jacobian) is not the derivative of state{about}, or state is not smooth there")
    if told["has_vjp"]:
        lines.append(told["dot_text"])
        if not told["dot"]:
            other = "once jvp is right, " if not told["taylor"] else ""
            lines.append(f"{other}vjp is not the transpose of jvp: <vjp(x, u), v> must be <u, jvp(x, v)>")
    else:
        lines.append("there is no vjp to test: the Jacobian is stored")
    return Checked(
        ok=told["taylor"] and told["dot"],
        text="\n".join(lines),
        taylor=told["taylor"],
        rate=told["rate"],
        dot=told["dot"],
        gap=told["gap"],
        wrong=wrong,
        steps=np.array(told["steps"]),
        remainders=np.array(told["remainders"]),
    )


class Checked(Result):
    """What `check` found; it prints as text."""

    def __repr__(self):
        return self["text"]

    def __bool__(self):
        return self["ok"]

    def plot(self, ax=None):
        """The remainder of Taylor's formula against the step; returns the axes."""
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots()[1]
        ax.loglog(self["steps"], self["remainders"], "o-")
        ax.set_xlabel("step")
        ax.set_ylabel("remainder")
        return ax


def _grid(grid):
    if isinstance(grid, dict):
        unknown = set(grid) - {"lower", "upper", "cells"}
        if unknown or not {"lower", "upper"} <= set(grid):
            raise ValueError(f"grid: lower, upper and cells are its keys, not {', '.join(map(str, grid))}")
        lower, upper, cells = grid["lower"], grid["upper"], grid.get("cells")
    else:
        try:
            lower, upper = grid
        except (TypeError, ValueError):
            raise ValueError("grid: give (lower, upper), or a dictionary with lower, upper and cells") from None
        cells = None
    lower, upper = corners(lower, upper)
    return lower, upper, None if cells is None else [int(n) for n in real("grid", cells).ravel()]


def _bounds(bounds):
    if hasattr(bounds, "lb") and hasattr(bounds, "ub"):
        bounds = list(zip(*np.broadcast_arrays(bounds.lb, bounds.ub)))
    try:
        pairs = [(lower, upper) for lower, upper in bounds]
        # Infinities are no bounds.
        value = lambda bound: None if bound is None else float(bound)
        return [(value(lower), value(upper)) for lower, upper in pairs]
    except (TypeError, ValueError) as error:
        raise type(error)(f"bounds: a pair (lower, upper) per parameter is needed: {error}") from None


def _shown(shown, callback):
    """A callback that shows iterates, too."""

    def both(row):
        shown.set_postfix_str(f"objective {row['fun']:.3g}", refresh=False)
        shown.update(row["nit"] - shown.n)
        if callback is not None:
            callback(row)

    return both


def _callback(callback):
    """The callback as Rust calls it, with a dictionary."""
    try:
        named = "intermediate_result" in inspect.signature(callback).parameters
    except (TypeError, ValueError):
        named = False
    if named:
        return lambda row: callback(intermediate_result=Result(row))
    return lambda row: callback(row["x"])
