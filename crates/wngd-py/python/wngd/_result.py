"""Results: dictionaries whose keys are attributes, too, with a head in notebooks, a report and a figure."""

import html
import math

import numpy as np


def plain(value):
    """Lists, numbers and texts in place of arrays; None for what is not finite."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value


def short(value, error=None):
    """A number as people read it, with its error."""
    if error is None or not math.isfinite(error) or error <= 0:
        return f"{value:.6g}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    if digits > 12 or abs(value) >= 1e7:
        return f"{value:.6g} ± {error:.2g}"
    return f"{value:.{digits}f} ± {error:.{digits}f}"


class Result(dict):
    """A result; ``result["x"]`` and ``result.x`` are the same."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no {name!r}; it has {', '.join(self)}") from None

    def __setattr__(self, name, value):
        self[name] = value

    def __dir__(self):
        return sorted([*super().__dir__(), *self])

    def __repr__(self):
        width = max((len(name) for name in self), default=0)
        lines = []
        for name, value in self.items():
            if isinstance(value, str) and len(value) > 200:
                text = f"<{len(value)} characters>"
            elif isinstance(value, np.ndarray) and value.size > 20:
                text = f"<array of shape {value.shape}>"
            elif isinstance(value, dict) and not isinstance(value, Result):
                text = f"<{', '.join(map(str, value))}>"
            elif isinstance(value, list) and value and isinstance(value[0], Result):
                text = f"<{len(value)} entries>"
            else:
                text = repr(value)
            lines.append(f"{name:>{width}}: " + text.replace("\n", "\n" + " " * (width + 2)))
        return "\n".join(lines)

    def __reduce__(self):
        return type(self), (dict(self),)

    def copy(self):
        """A shallow copy of the same type."""
        return type(self)(self)

    def to_dict(self):
        """The result in dictionaries, lists, numbers and texts, with which `json.dump` can do something."""
        return plain(dict(self))


class Fitted(Result):
    """A result with parameters: `names`, `x`, `stderr`."""

    def _title(self):
        return str(self.get("message", ""))

    def _rows(self):
        errors = self.get("stderr")
        errors = [None] * len(self["x"]) if errors is None else errors
        return [(name, short(x, e)) for name, x, e in zip(self["names"], self["x"], errors)]

    def _repr_html_(self):
        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>"
            for name, value in self._rows()
        )
        remarks = "".join(f"<li>{html.escape(str(remark))}</li>" for remark in self.get("remarks") or [])
        return (
            f"<p><b>{html.escape(self._title())}</b></p>"
            f"<table><thead><tr><th>parameter</th><th>value</th></tr></thead><tbody>{rows}</tbody></table>"
            f"<ul>{remarks}</ul>"
        )

    def to_pandas(self):
        """A data frame of values and standard errors, one row per parameter."""
        import pandas

        errors = self.get("stderr")
        errors = np.full(len(self["x"]), np.nan) if errors is None else errors
        return pandas.DataFrame({"value": self["x"], "stderr": errors}, index=pandas.Index(self["names"], name="parameter"))

    def to_arviz(self, draws=1000, chains=4, seed=0):
        """Draws from the normal law N(x, cov) as ArviZ 1 has them: an `xarray.DataTree` with the group ``posterior``.

        That law is what a posterior comes to where data are many and nothing is known before; its attributes say so.

        Parameters
        ----------
        draws, chains : int
            Independent draws per chain, and how many chains.
        seed : int

        Returns
        -------
        xarray.DataTree
        """
        return arviz_tree(self["names"], self["x"], self.get("cov"), draws, chains, seed)

    def _axes(self, ax):
        if ax is not None:
            return ax
        import matplotlib.pyplot as plt

        return plt.subplots()[1]


def arviz_tree(names, x, cov, draws, chains, seed):
    """Draws of N(x, cov) as ArviZ has them."""
    try:
        import arviz
    except ImportError:
        raise ImportError('to_arviz needs ArviZ 1 or later: pip install "arviz>=1"') from None
    if int(arviz.__version__.split(".")[0]) < 1:
        raise ImportError(f'to_arviz needs ArviZ 1 or later, this is {arviz.__version__}: pip install -U "arviz>=1"')
    if cov is None or not np.isfinite(cov).all():
        raise ValueError("to_arviz: there is no covariance of all parameters; remarks say why")
    rng = np.random.default_rng(seed)
    values = rng.multivariate_normal(x, cov, size=(chains, draws), method="eigh")
    posterior = {name: values[..., j] for j, name in enumerate(names)}
    law = {"inference_library": "wngd", "law": "normal, about the estimate, with its covariance"}
    return arviz.from_dict({"posterior": posterior}, attrs={"posterior": law})


class Reported(Fitted):
    """A result that has a report."""

    def report(self, path):
        """Writes the report, one page that needs no other file, and returns its path."""
        import pathlib

        path = pathlib.Path(path)
        path.write_text(self["report_html"], encoding="utf-8")
        return path


def draw_traces(ax, traces):
    """The objective of descents against iterations."""
    for label, trace in traces:
        ax.plot(trace["iteration"], trace["objective"], label=label)
    if all(np.all(np.asarray(trace["objective"]) > 0) for _, trace in traces):
        ax.set_yscale("log")
    ax.set_xlabel("iteration")
    ax.set_ylabel("objective")
    ax.legend()
    return ax
