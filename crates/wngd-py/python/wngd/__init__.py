"""Natural gradient descent for inverse problems, on NumPy arrays.

Everything is computed by the Rust crates of wngd; here arrays become their types and back.

- `GaussianMixture`: mixtures to samples and histograms, in scikit-learn's shape, with standard errors
- `identify`: parameters of a dynamical system from points, and whether it fits; `System` is one whose velocity is a
  function; `simulate`, `stationary_density`
- `minimize`: natural gradient descent on a model of your own, three callables or a JAX function; `check` tests it
- `run`: experiments as the command line has them
- `wasserstein`, `weighted_laplacian`, `whiten`, `lstsq`, `probes`, `sketch`: pieces on their own
"""

from ._field import System
from ._identify import Identification, identify
from ._minimize import Checked, Minimum, check, minimize
from ._model import Model
from ._pieces import lstsq, probes, sketch, wasserstein, weighted_laplacian, whiten
from ._result import Result
from ._run import Method, Run, run
from ._systems import Density, describe_system, simulate, stationary_density, system_names
from ._wngd import OutOfDomain, __version__

__all__ = [
    "Checked",
    "Density",
    "GaussianMixture",
    "Identification",
    "Method",
    "Minimum",
    "Model",
    "OutOfDomain",
    "Result",
    "Run",
    "System",
    "__version__",
    "check",
    "describe_system",
    "identify",
    "lstsq",
    "minimize",
    "probes",
    "run",
    "simulate",
    "sketch",
    "stationary_density",
    "system_names",
    "wasserstein",
    "weighted_laplacian",
    "whiten",
]


def __getattr__(name):
    # scikit-learn takes a second to import, and only the mixture uses it.
    if name == "GaussianMixture":
        from ._mixture import GaussianMixture

        globals()[name] = GaussianMixture
        return GaussianMixture
    raise AttributeError(f"module 'wngd' has no attribute {name!r}")


def __dir__():
    return __all__
