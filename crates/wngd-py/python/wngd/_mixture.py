"""``GaussianMixture``: the estimator of ``wngd fit`` in scikit-learn's shape."""

import numbers

import numpy as np

from . import _wngd
from ._numbers import real

try:
    from sklearn.base import BaseEstimator, DensityMixin
    from sklearn.utils.validation import check_is_fitted, validate_data

    _SKLEARN = True
except ImportError:  # Without scikit-learn its conventions are kept as far as they need none of it.
    from ._plain import BaseEstimator, DensityMixin, check_is_fitted, validate_data

    _SKLEARN = False

#: Names of covariance families, scikit-learn's and the command line's.
_FAMILIES = {
    "full": "full",
    "tied": "tied",
    "diag": "diagonal",
    "diagonal": "diagonal",
    "spherical": "isotropic",
    "isotropic": "isotropic",
}


class GaussianMixture(DensityMixin, BaseEstimator):
    """A Gaussian mixture by maximum likelihood, with standard errors.

    Parameters
    ----------
    n_components : int, str or pair of int, default=2
        A number, ``"auto"`` (the lowest BIC), or a range, ``"1..6"`` or ``(1, 6)``, of which the lowest BIC is taken.
    covariance_type : str, default="full"
        ``"full"``, ``"tied"``, ``"diag"`` (or ``"diagonal"``), ``"spherical"`` (or ``"isotropic"``).
    n_init : int, default=20
        Starts per number of components; the best is kept.
    max_iter : int, default=300
        Most iterations of the last phase of a descent.
    random_state : int, RandomState or None, default=None
        Seed of the starts and of `sample`; None is 0, so that results are the same every time.
    standard_errors : bool, default=True
        Whether they are computed; they cost a pass over the samples.
    goodness_of_fit : bool, default=True
        Whether goodness of fit is tested.

    Attributes
    ----------
    weights_ : array of shape (K,), largest first
    means_ : array of shape (K, d)
    covariances_ : array of shape (K, d, d), (d, d), (K, d) or (K,), by the family
    standard_errors_ : dict of arrays
        ``"weights"``, ``"means"`` and ``"covariances"`` in the shapes above; NaN where there is none, which a remark
        explains.
    parameter_names_, parameters_, parameter_covariance_ : list of p names, arrays of shape (p,) and (p, p)
    n_components_ : int, the K that was taken
    scores_ : list of dict, every number of components that was tried
    converged_ : bool, whether the end is stationary
    status_ : str, ``"converged"``, ``"max-iterations"`` or ``"stalled"``
    n_iter_ : int
    log_likelihood_, bic_, aic_ : float, on what was fitted
    goodness_of_fit_ : dict or None, ``statistic``, ``degrees_of_freedom``, ``p_value``
    remarks_ : list of str, what should be known

    Examples
    --------
    >>> import numpy as np
    >>> from wngd import GaussianMixture
    >>> rng = np.random.default_rng(1)
    >>> X = np.concatenate([rng.normal(0, 1, (300, 1)), rng.normal(6, 1, (100, 1))])
    >>> mixture = GaussianMixture(n_components="auto").fit(X)
    >>> mixture.n_components_, mixture.converged_
    (2, True)
    >>> np.abs(mixture.means_.ravel() - [0.0, 6.0]) < 4 * mixture.standard_errors_["means"].ravel()
    array([ True,  True])
    """

    def __init__(
        self,
        n_components=2,
        *,
        covariance_type="full",
        n_init=20,
        max_iter=300,
        random_state=None,
        standard_errors=True,
        goodness_of_fit=True,
    ):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.n_init = n_init
        self.max_iter = max_iter
        self.random_state = random_state
        self.standard_errors = standard_errors
        self.goodness_of_fit = goodness_of_fit

    def fit(self, X, y=None, sample_weight=None):
        """Fits samples.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : ignored
        sample_weight : array-like of shape (n,), optional
            Whole numbers count equal samples; others are importance, known up to a factor.

        Returns
        -------
        self
        """
        X = validate_data(self, _dateless(X), dtype=np.float64, order="C", ensure_min_samples=2)
        if sample_weight is not None:
            sample_weight = _weights(sample_weight, len(X))
        return self._take(_wngd.fit_samples(X, sample_weight, self._asked()))

    def fit_histogram(self, edges, counts):
        """Fits counts of bins: the likelihood is that of integrals over the bins.

        Parameters
        ----------
        edges : array of shape (bins + 1,), a sequence of one such array per axis, or a pair (lower, upper)
            As `numpy.histogram` and `numpy.histogramdd` give them. A pair of arrays of shape (bins, d), or (bins,) in
            one dimension, gives the corners of bins of any place and size.
        counts : array of shape (bins,), or (bins of axis 0, bins of axis 1, …)

        Returns
        -------
        self

        Examples
        --------
        >>> import numpy as np, wngd
        >>> x = np.random.default_rng(2).normal(3.0, 0.5, 2000)
        >>> counts, edges = np.histogram(x, bins=12)
        >>> wngd.GaussianMixture(1).fit_histogram(edges, counts).means_.round(1)
        array([[3.]])
        """
        lower, upper, counts = _bins(edges, counts)
        self.n_features_in_ = lower.shape[1]
        return self._take(_wngd.fit_bins(lower, upper, counts, self._asked()))

    def score_samples(self, X):
        """ln of the density at samples.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        array of shape (n,)
        """
        return self._at(X, False)

    def score(self, X, y=None):
        """Mean of `score_samples`.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : ignored

        Returns
        -------
        float
        """
        return float(self.score_samples(X).mean())

    def predict_proba(self, X):
        """Probability of each component given a sample.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        array of shape (n, K)
        """
        return self._at(X, True)

    def predict(self, X):
        """The most probable component of each sample.

        Parameters
        ----------
        X : array-like of shape (n, d)

        Returns
        -------
        array of int of shape (n,)
        """
        return self.predict_proba(X).argmax(axis=1)

    def fit_predict(self, X, y=None, sample_weight=None):
        """`fit`, then `predict`.

        Parameters
        ----------
        X : array-like of shape (n, d)
        y : ignored
        sample_weight : array-like of shape (n,), optional

        Returns
        -------
        array of int of shape (n,)
        """
        return self.fit(X, sample_weight=sample_weight).predict(X)

    def bic(self, X):
        """−2 ln L + p ln n on samples of shape (n, d), each counted once; `bic_` is that of what was fitted."""
        scores = self.score_samples(X)
        return float(len(self.parameters_) * np.log(len(scores)) - 2.0 * scores.sum())

    def aic(self, X):
        """−2 ln L + 2p on samples of shape (n, d), each counted once; `aic_` is that of what was fitted."""
        return float(2.0 * len(self.parameters_) - 2.0 * self.score_samples(X).sum())

    def sample(self, n_samples=1):
        """Draws from the mixture.

        Parameters
        ----------
        n_samples : int

        Returns
        -------
        X : array of shape (n_samples, d)
        y : array of int of shape (n_samples,), the component of each
        """
        check_is_fitted(self)
        if not isinstance(n_samples, numbers.Integral) or n_samples < 1:
            raise ValueError(f"n_samples: {n_samples!r}; a whole number of at least 1 is needed")
        X, y = _wngd.mixture_sample(*self._mixture(), int(n_samples), _seed(self.random_state))
        return X, np.asarray(y, dtype=np.intp)

    def to_dict(self):
        """The fit in lists, numbers and texts, with which `json.dump` can do something; missing numbers are None."""
        from ._result import plain

        check_is_fitted(self)
        fitted = {name[:-1]: value for name, value in vars(self).items() if name.endswith("_")}
        return plain(fitted)

    def to_arviz(self, draws=1000, chains=4, seed=0):
        """Draws from the normal law of the parameters as ArviZ 1 has them: an `xarray.DataTree` with ``posterior``.

        Parameters
        ----------
        draws, chains : int
            Independent draws per chain, and how many chains.
        seed : int

        Returns
        -------
        xarray.DataTree
        """
        from ._result import arviz_tree

        check_is_fitted(self)
        names, cov = self.parameter_names_, self.parameter_covariance_
        return arviz_tree(names, self.parameters_, cov, draws, chains, seed)

    def _asked(self):
        family = self.covariance_type
        if family not in _FAMILIES:
            raise ValueError(f"covariance_type: {family!r} is none of {', '.join(_FAMILIES)}")
        components = self.n_components
        if isinstance(components, (tuple, list)) and len(components) == 2:
            components = f"{components[0]}..{components[1]}"
        elif not isinstance(components, (numbers.Integral, str)) or isinstance(components, bool):
            raise ValueError(f'n_components: {components!r}; a number, "auto" or a range is needed')
        for name in ("n_init", "max_iter"):
            value = getattr(self, name)
            if not isinstance(value, numbers.Integral) or value < 1:
                raise ValueError(f"{name}: {value!r}; a whole number of at least 1 is needed")
        return {
            "components": str(components),
            "covariance": _FAMILIES[family],
            "starts": int(self.n_init),
            "seed": _seed(self.random_state),
            "iterations": int(self.max_iter),
            "errors": bool(self.standard_errors),
            "goodness": bool(self.goodness_of_fit),
        }

    def _take(self, found):
        self.weights_ = found["weights"]
        self.means_ = found["means"]
        self.covariances_ = found["covariances"]
        self.covariance_type_ = _FAMILIES[self.covariance_type]
        self.standard_errors_ = found["standard_errors"]
        self.parameter_names_ = found["names"]
        self.parameters_ = found["theta"]
        self.parameter_covariance_ = found["parameter_covariance"]
        self.n_components_ = len(found["weights"])
        self.scores_ = found["scores"]
        self.status_ = found["status"]
        self.converged_ = found["status"] == "converged"
        self.n_iter_ = max(found["iterations"], 1)
        self.log_likelihood_ = found["log_likelihood"]
        self.lower_bound_ = found["log_likelihood"] / found["observations"]
        self.observations_ = found["observations"]
        self.bic_ = found["bic"]
        self.aic_ = found["aic"]
        self.goodness_of_fit_ = found["goodness_of_fit"]
        self.goodness_of_fit_note_ = found["goodness_of_fit_note"]
        self.rank_ = found["rank"]
        self.condition_ = found["condition"]
        self.remarks_ = found["remarks"]
        return self

    def _mixture(self):
        return self.weights_, self.means_, self.covariances_, self.covariance_type_

    def _at(self, X, shares):
        check_is_fitted(self)
        X = validate_data(self, _dateless(X), dtype=np.float64, order="C", reset=False)
        return _wngd.mixture_at(*self._mixture(), X, shares)


def _dateless(X):
    """X, unless it holds times: scikit-learn takes those for numbers, days or nanoseconds by chance."""
    kinds = getattr(X, "dtypes", getattr(X, "dtype", None))
    for kind in kinds if hasattr(kinds, "__iter__") else [kinds]:
        if getattr(kind, "kind", "") in ("m", "M"):
            raise TypeError(f"X: real numbers are needed, not {kind}")
    return X


def _seed(state):
    """A seed from what scikit-learn takes for one."""
    if state is None:
        return 0
    if isinstance(state, numbers.Integral):
        if state < 0:
            raise ValueError(f"random_state: {state}; a seed of at least 0 is needed")
        return int(state)
    if isinstance(state, np.random.RandomState):
        return int(state.randint(2**31))
    if isinstance(state, np.random.Generator):
        return int(state.integers(2**31))
    raise ValueError(f"random_state: {state!r} is no seed; give a whole number")


def _weights(weights, n):
    weights = real("sample_weight", weights)
    if weights.ndim == 0:
        return np.full(n, weights)
    if weights.shape != (n,):
        raise ValueError(f"sample_weight: shape {weights.shape}; ({n},) is needed, one per sample")
    if n and not weights.any():
        raise ValueError("sample_weight: every weight is zero; at least one has to be positive")
    return weights


def _bins(edges, counts):
    """Corners of shape (bins, d) and counts of shape (bins,) of a histogram in any of the forms that it has."""
    counts = real("counts", counts)
    if isinstance(edges, (tuple, list)) and edges and np.ndim(edges[0]) > 0:
        axes = [real(f"edges[{i}]", edge) for i, edge in enumerate(edges)]
        if len(axes) == 2 and axes[0].shape == axes[1].shape and len(axes[0]) == counts.size and counts.ndim == 1:
            lower, upper = (edge.reshape(counts.size, -1) for edge in axes)
            return lower, upper, counts
    else:
        axes = [real("edges", edges)]
    if any(edge.ndim != 1 for edge in axes) or counts.shape != tuple(len(edge) - 1 for edge in axes):
        shapes = ", ".join(str(edge.shape) for edge in axes)
        raise ValueError(f"edges: shapes {shapes} for counts of shape {counts.shape}; one edge more than bins is needed")
    lower = np.stack(np.meshgrid(*(edge[:-1] for edge in axes), indexing="ij"), axis=-1)
    upper = np.stack(np.meshgrid(*(edge[1:] for edge in axes), indexing="ij"), axis=-1)
    return lower.reshape(-1, len(axes)), upper.reshape(-1, len(axes)), counts.reshape(-1)
