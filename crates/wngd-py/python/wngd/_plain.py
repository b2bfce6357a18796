"""What `GaussianMixture` uses of scikit-learn, where that is not installed."""

import inspect

import numpy as np


class DensityMixin:
    """Nothing: scikit-learn's mark of density estimators."""


class NotFittedError(ValueError, AttributeError):
    """Asked before `fit`."""


class BaseEstimator:
    """Parameters by the names of ``__init__``."""

    def get_params(self, deep=True):
        """The parameters by name."""
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        return {name: getattr(self, name) for name in names}

    def set_params(self, **params):
        """Sets parameters by name and returns the estimator."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(f"{name}: there is no such parameter; there are {', '.join(known)}")
            setattr(self, name, value)
        return self

    def __repr__(self):
        changed = {
            name: value
            for name, value in self.get_params().items()
            if inspect.signature(type(self).__init__).parameters[name].default != value
        }
        return f"{type(self).__name__}({', '.join(f'{n}={v!r}' for n, v in changed.items())})"


def check_is_fitted(estimator):
    """Refuses an estimator that was not fitted."""
    if not any(name.endswith("_") and not name.startswith("__") for name in vars(estimator)):
        raise NotFittedError(f"this {type(estimator).__name__} is not fitted yet; call fit first")


def validate_data(estimator, X, *, dtype=np.float64, order="C", reset=True, ensure_min_samples=1):
    """`X` as an array of finite numbers of shape (n, d)."""
    X = np.asarray(X)
    if X.dtype.kind not in "biufO":
        raise ValueError(f"X: real numbers are needed, not {X.dtype}")
    X = np.asarray(X, dtype=dtype, order=order)
    if X.ndim != 2 or X.shape[1] == 0 or X.shape[0] < ensure_min_samples:
        raise ValueError(f"X: shape {X.shape}; (samples, features) with at least {ensure_min_samples} samples is needed")
    if not np.isfinite(X).all():
        raise ValueError("X: NaN or infinity; every entry must be finite")
    if reset:
        estimator.n_features_in_ = X.shape[1]
    elif X.shape[1] != estimator.n_features_in_:
        raise ValueError(f"X has {X.shape[1]} features, the mixture has {estimator.n_features_in_}")
    return X
