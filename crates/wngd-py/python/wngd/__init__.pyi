import os
from collections.abc import Callable, Sequence
from typing import Any, Literal, Optional, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

__version__: str

_Floats = NDArray[np.float64]
_Path = Union[str, os.PathLike[str]]
_System = Union[str, os.PathLike[str], dict[str, Any], System]
_Model = Union[Model, tuple[Callable[..., ArrayLike], ...], Callable[[Any], Any], Any]
_Family = Literal["full", "tied", "diag", "diagonal", "spherical", "isotropic"]
_Metric = Literal["none", "l2", "fisher-rao", "h1", "h-1", "homogeneous-h-1", "wasserstein"]
_Objective = Literal["l2", "kl", "homogeneous-h-1", "linearised-wasserstein", "wasserstein"]

class OutOfDomain(ValueError): ...

class Result(dict[str, Any]):
    def __getattr__(self, name: str) -> Any: ...
    def copy(self) -> Result: ...
    def to_dict(self) -> dict[str, Any]: ...

class _Fitted(Result):
    names: list[str]
    x: _Floats
    remarks: list[str]
    def _repr_html_(self) -> str: ...
    def to_pandas(self) -> Any: ...
    def to_arviz(self, draws: int = ..., chains: int = ..., seed: int = ...) -> Any: ...
    def plot(self, ax: Any = ...) -> Any: ...

class Minimum(_Fitted):
    fun: float
    jac: _Floats
    nit: int
    nfev: int
    njev: int
    success: bool
    status: Literal["converged", "max-iterations", "stalled", "stopped"]
    message: str
    state: _Floats
    stderr: Optional[_Floats]
    cov: Optional[_Floats]
    trace: dict[str, NDArray[Any]]
    rank: int
    condition: float
    metric: str
    objective: str
    solver_note: Optional[str]
    seconds: dict[str, float]

class Method(_Fitted):
    label: str
    metric: str
    stderr: _Floats
    cov: Optional[_Floats]
    fun: float
    fun0: float
    nit: int
    success: bool
    status: Literal["converged", "max-iterations", "stalled", "stopped"]
    message: str
    trace: dict[str, NDArray[Any]]
    density: _Floats
    rank: int
    condition: Optional[float]
    goodness_of_fit: Optional[dict[str, float]]
    log_likelihood: Optional[float]
    aic: Optional[float]
    bic: Optional[float]
    seconds: float

class Run(_Fitted):
    name: str
    x0: _Floats
    objective: str
    best: str
    stderr: _Floats
    cov: Optional[_Floats]
    fun: float
    success: bool
    message: str
    truth: Optional[_Floats]
    methods: list[Method]
    result: dict[str, Any]
    report_html: str
    def report(self, path: _Path) -> Any: ...

class Identification(_Fitted):
    name: str
    x0: _Floats
    stderr: _Floats
    cov: Optional[_Floats]
    verdict: Literal["fits", "misfit", "undetermined", "not-converged"]
    success: bool
    answer: str
    message: str
    estimates: list[Result]
    undetermined: list[dict[str, Any]]
    noise: Optional[dict[str, Any]]
    diffusion: Optional[_Floats]
    result: dict[str, Any]
    report_html: str
    def report(self, path: _Path) -> Any: ...

class Density(Result):
    density: _Floats
    lower: _Floats
    upper: _Floats
    cells: NDArray[np.int64]
    centers: list[_Floats]
    names: list[str]
    x: _Floats
    mean: _Floats
    second_moment: _Floats
    remarks: list[str]
    def plot(self, ax: Any = ...) -> Any: ...

class Checked(Result):
    ok: bool
    text: str
    taylor: bool
    rate: float
    dot: bool
    gap: float
    wrong: list[str]
    steps: _Floats
    remainders: _Floats
    def __bool__(self) -> bool: ...
    def plot(self, ax: Any = ...) -> Any: ...

class Model:
    state: Callable[[_Floats], ArrayLike]
    jvp: Optional[Callable[[_Floats, _Floats], ArrayLike]]
    vjp: Optional[Callable[[_Floats, _Floats], ArrayLike]]
    jacobian: Optional[Callable[[_Floats], ArrayLike]]
    batched: bool
    def __init__(
        self,
        state: Callable[[_Floats], ArrayLike],
        jvp: Optional[Callable[[_Floats, _Floats], ArrayLike]] = ...,
        vjp: Optional[Callable[[_Floats, _Floats], ArrayLike]] = ...,
        *,
        jacobian: Optional[Callable[[_Floats], ArrayLike]] = ...,
        batched: bool = ...,
    ) -> None: ...
    @classmethod
    def from_jax(cls, function: Callable[[Any], Any]) -> Model: ...

class System:
    velocity: Callable[[_Floats, _Floats], ArrayLike]
    variables: list[str]
    parameters: list[tuple[str, float]]
    jac_x: Callable[[_Floats, _Floats], ArrayLike]
    jac_theta: Callable[[_Floats, _Floats], ArrayLike]
    differences: list[str]
    name: str
    def __init__(
        self,
        velocity: Callable[[_Floats, _Floats], ArrayLike],
        variables: Sequence[str],
        parameters: dict[str, float],
        jac_x: Optional[Callable[[_Floats, _Floats], ArrayLike]] = ...,
        jac_theta: Optional[Callable[[_Floats, _Floats], ArrayLike]] = ...,
        *,
        differences: bool = ...,
        name: Optional[str] = ...,
    ) -> None: ...
    @classmethod
    def from_jax(
        cls,
        velocity: Callable[[Any, Any], Any],
        variables: Sequence[str],
        parameters: dict[str, float],
        *,
        name: Optional[str] = ...,
    ) -> System: ...
    def check(self, x: ArrayLike, theta: Optional[ArrayLike] = ...) -> Result: ...

class GaussianMixture:
    n_components: Union[int, str, tuple[int, int]]
    covariance_type: _Family
    weights_: _Floats
    means_: _Floats
    covariances_: _Floats
    standard_errors_: dict[str, _Floats]
    parameter_names_: list[str]
    parameters_: _Floats
    parameter_covariance_: _Floats
    n_components_: int
    scores_: list[dict[str, Any]]
    converged_: bool
    status_: str
    n_iter_: int
    log_likelihood_: float
    bic_: float
    aic_: float
    goodness_of_fit_: Optional[dict[str, float]]
    remarks_: list[str]
    def __init__(
        self,
        n_components: Union[int, str, tuple[int, int]] = ...,
        *,
        covariance_type: _Family = ...,
        n_init: int = ...,
        max_iter: int = ...,
        random_state: Any = ...,
        standard_errors: bool = ...,
        goodness_of_fit: bool = ...,
    ) -> None: ...
    def fit(self, X: ArrayLike, y: Any = ..., sample_weight: Optional[ArrayLike] = ...) -> GaussianMixture: ...
    def fit_histogram(self, edges: Any, counts: ArrayLike) -> GaussianMixture: ...
    def fit_predict(
        self, X: ArrayLike, y: Any = ..., sample_weight: Optional[ArrayLike] = ...
    ) -> NDArray[np.intp]: ...
    def score_samples(self, X: ArrayLike) -> _Floats: ...
    def score(self, X: ArrayLike, y: Any = ...) -> float: ...
    def predict_proba(self, X: ArrayLike) -> _Floats: ...
    def predict(self, X: ArrayLike) -> NDArray[np.intp]: ...
    def bic(self, X: ArrayLike) -> float: ...
    def aic(self, X: ArrayLike) -> float: ...
    def sample(self, n_samples: int = ...) -> tuple[_Floats, NDArray[np.intp]]: ...
    def get_params(self, deep: bool = ...) -> dict[str, Any]: ...
    def set_params(self, **params: Any) -> GaussianMixture: ...
    def to_dict(self) -> dict[str, Any]: ...
    def to_arviz(self, draws: int = ..., chains: int = ..., seed: int = ...) -> Any: ...

def run(
    experiment: Union[_Path, dict[str, Any]],
    out: Optional[_Path] = ...,
    *,
    figures: Optional[bool] = ...,
    restart: bool = ...,
    progress: bool = ...,
) -> Union[Run, Identification]: ...
def identify(
    points: Any,
    system: _System,
    dt: Optional[float] = ...,
    start: Union[ArrayLike, dict[str, float], None] = ...,
    noise: Union[str, float, ArrayLike] = ...,
    ordered: bool = ...,
    *,
    free: Optional[Sequence[str]] = ...,
    estimators: Optional[Sequence[str]] = ...,
    columns: Optional[Sequence[str]] = ...,
    observed: Union[str, Sequence[str], None] = ...,
    burn_in: int = ...,
    stride: int = ...,
    cells: Union[int, Sequence[int], None] = ...,
    binning: Literal["multilinear", "nearest"] = ...,
    smoothing: float = ...,
    replicates: int = ...,
    corrections: int = ...,
    seed: int = ...,
    out: Optional[_Path] = ...,
    figures: bool = ...,
    restart: bool = ...,
) -> Identification: ...
def minimize(
    model: _Model,
    data: ArrayLike,
    x0: ArrayLike,
    *,
    metric: Optional[_Metric] = ...,
    objective: _Objective = ...,
    grid: Any = ...,
    solver: Optional[str] = ...,
    step: Union[float, str, dict[str, Any], None] = ...,
    damping: Optional[float] = ...,
    callback: Optional[Callable[..., Any]] = ...,
    iterations: int = ...,
    relative_objective: float = ...,
    relative_step: float = ...,
    gradient: float = ...,
    names: Optional[Sequence[str]] = ...,
    bounds: Any = ...,
    samples: Optional[float] = ...,
    progress: bool = ...,
    **options: Any,
) -> Minimum: ...
def check(model: _Model, x0: ArrayLike, *, names: Optional[Sequence[str]] = ..., seed: int = ...) -> Checked: ...
def describe_system(system: _System) -> Result: ...
def system_names() -> list[str]: ...
def simulate(
    system: _System,
    n: int,
    *,
    dt: float = ...,
    theta: Optional[ArrayLike] = ...,
    start: Optional[ArrayLike] = ...,
    burn_in: float = ...,
    seed: int = ...,
    noise: Optional[ArrayLike] = ...,
) -> _Floats: ...
def stationary_density(
    system: _System,
    theta: Optional[ArrayLike] = ...,
    *,
    lower: Optional[ArrayLike] = ...,
    upper: Optional[ArrayLike] = ...,
    cells: Union[int, Sequence[int], None] = ...,
    discretisation: Literal["semi-lagrangian", "upwind", "scharfetter-gummel"] = ...,
    out: Optional[_Path] = ...,
    figures: bool = ...,
    **options: Any,
) -> Density: ...
def wasserstein(source: ArrayLike, target: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Result: ...
def weighted_laplacian(
    density: ArrayLike, z: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, floor: float = ...
) -> Result: ...
def whiten(
    z: ArrayLike, density: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, metric: str = ..., **options: Any
) -> _Floats: ...
def probes(
    n: int,
    count: int,
    *,
    kind: Literal["rademacher", "gaussian", "orthogonal"] = ...,
    seed: int = ...,
    iteration: int = ...,
    first: int = ...,
) -> _Floats: ...
def sketch(z: Union[ArrayLike, _Model], probes: ArrayLike, x: Optional[ArrayLike] = ...) -> Result: ...
def lstsq(
    a: ArrayLike, b: ArrayLike, *, damping: Optional[ArrayLike] = ..., solver: Literal["qr", "svd", "lsmr", "information"] = ...
) -> Result: ...
