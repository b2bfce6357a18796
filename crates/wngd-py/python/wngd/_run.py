"""``run``: experiments as the command line has them."""

import json
import os

import numpy as np

from . import _wngd
from ._identify import errors, identification
from ._progress import Bars
from ._result import Fitted, Reported, draw_traces, short


class Method(Fitted):
    """What one method of an experiment found: fields of SciPy's ``OptimizeResult``, and what `run` knows besides.

    ``label``, ``metric``, ``x``, ``stderr`` (NaN where there is none), ``cov``, ``fun``, ``fun0``, ``nit``, ``success``,
    ``status``, ``message``, ``trace`` (arrays ``iteration``, ``objective``, ``gradient_norm``, ``slope``, ``step``,
    ``seconds`` and ``x`` of shape (nit + 1, p)), ``density`` (the fitted one, in the shape of the grid), ``rank``,
    ``condition``, ``goodness_of_fit``, ``log_likelihood``, ``aic``, ``bic``, ``remarks``, ``seconds``.
    """

    def _title(self):
        return f"{self['label']}: {self['status']}, objective {short(self['fun'])}"

    def plot(self, ax=None):
        """The objective against iterations; returns the axes."""
        return draw_traces(self._axes(ax), [(self["label"], self["trace"])])


class Run(Reported):
    """What `run` found: ``name``, ``names``, ``x0``, ``methods`` (list of `Method`), ``best`` (label), ``remarks``.

    ``x``, ``stderr``, ``cov``, ``fun`` and ``success`` are those of the best method.
    """

    def _title(self):
        return f"{self['name']}: {self['best']}, objective {short(self['fun'])}"

    def __getitem__(self, name):
        if not dict.__contains__(self, name):
            for method in dict.get(self, "methods", []):
                if method["label"] == name:
                    return method
        return super().__getitem__(name)

    def plot(self, ax=None):
        """The objectives of all methods against iterations; returns the axes."""
        return draw_traces(self._axes(ax), [(m["label"], m["trace"]) for m in self["methods"]])


def run(experiment, out=None, *, figures=None, restart=False, progress=False):
    """Carries out an experiment as ``wngd run`` does, to the same bits.

    Parameters
    ----------
    experiment : str, path or dict
        The path of an experiment file, the name of a built-in one, TOML text, or the same as a dictionary. Paths in
        text and dictionaries are relative to the working directory.
    out : path, optional
        A folder for the files that the command line writes; none are kept if left out.
    figures : bool, optional
        Whether figures are drawn; they are where there is a folder.
    restart : bool, default=False
        Whether an unfinished run in the folder may be lost; else it is an error, and ``wngd resume`` goes on with it.

    progress : bool, default=False
        Whether bars of tqdm show iterations and objectives.

    Returns
    -------
    Run, or Identification for an experiment with a section ``[identify]``

    Examples
    --------
    >>> import wngd
    >>> found = wngd.run({
    ...     "name": "shift",
    ...     "grid": {"lower": [-6.0], "upper": [8.0], "cells": [80]},
    ...     "model": {"kind": "gaussian-mixture", "weights": [1.0], "means": [[2.5]], "free": ["means[0]"]},
    ...     "data": {"truth": {"weights": [1.0], "means": [[1.0]]}},
    ...     "method": [{"metric": "l2"}, {"metric": "wasserstein"}],
    ... })
    >>> found.names, found.success
    (['means[0][0]'], True)
    >>> [method.metric for method in found.methods]
    ['l2', 'wasserstein']
    >>> bool(abs(found["wasserstein"].x[0] - 1.0) < 1e-4)
    True
    """
    figures = out is not None if figures is None else bool(figures)
    out = None if out is None else os.fspath(out)
    bars = Bars() if progress else None
    try:
        told = _wngd.run_experiment(experiment, out, figures, bool(restart), bars)
    finally:
        if bars is not None:
            bars.close()
    if "traces" not in told:
        return identification(told)
    file = json.loads(told["json"])
    methods = [
        _method(entry, file["names"], trace, density)
        for entry, trace, density in zip(file["methods"], told["traces"], told["densities"])
    ]
    best = next((method for method in methods if method["label"] == file["best"]), methods[0])
    return Run(
        name=file["name"],
        names=file["names"],
        x0=np.array(file["theta0"]),
        objective=file["objective"],
        best=best["label"],
        x=best["x"],
        stderr=best["stderr"],
        cov=best["cov"],
        fun=best["fun"],
        success=all(method["success"] for method in methods),
        message=best["message"],
        truth=None if file["truth"] is None else np.array(file["truth"]),
        methods=methods,
        remarks=file["notes"] + best["remarks"],
        result=file,
        report_html=told["report"],
    )


def _method(entry, names, trace, density):
    kept = ["label", "metric", "rank", "condition", "goodness_of_fit", "log_likelihood", "aic", "bic", "remarks", "seconds"]
    cov = entry["covariance"]
    fun = np.nan if entry["objective"] is None else entry["objective"]
    improved = entry["status"] == "max-iterations" and fun < entry["objective0"]
    return Method(
        {key: entry[key] for key in kept},
        names=names,
        x=np.array(entry["theta"]),
        stderr=errors(entry["standard_errors"], len(names)),
        cov=None if cov is None else np.array(cov),
        fun=fun,
        fun0=entry["objective0"],
        nit=entry["iterations"],
        status=entry["status"],
        success=entry["status"] == "converged" or improved,
        message=entry["reason"] or entry["status"],
        trace=trace,
        density=density,
    )
