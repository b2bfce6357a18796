"""Every array argument in every form that it may come in: the same bits, or an error that names the argument."""

import numpy as np
import pytest
import wngd

RNG = np.random.default_rng(6)
POINTS = wngd.simulate("van-der-pol", 1500, dt=0.1, theta=[1.3])
SAMPLES = np.concatenate([RNG.normal(0, 1, (150, 2)), RNG.normal(6, 1, (80, 2))])
MIXTURE = wngd.GaussianMixture(2, n_init=3, goodness_of_fit=False).fit(SAMPLES)
T = np.linspace(0.0, 2.0, 9)
MODEL = (
    lambda x: x[0] * np.exp(-x[1] * T),
    lambda x, v: np.exp(-x[1] * T) * (v[0] - x[0] * T * v[1]),
    lambda x, u: np.array([u @ np.exp(-x[1] * T), -u @ (x[0] * T * np.exp(-x[1] * T))]),
)
RHO = RNG.uniform(0.5, 1.5, (6, 8))
Z = RNG.normal(size=(6, 8))
BOX = ([0.0, 0.0], [3.0, 2.0])
COUNTS, EDGES = np.histogram(SAMPLES[:, 0], bins=12)
EXPERIMENT = {
    "name": "shift",
    "grid": {"cells": [30]},
    "model": {"kind": "gaussian-mixture", "weights": [1.0], "means": [[2.0]], "free": ["means[0]"]},
    "data": {"truth": {"weights": [1.0], "means": [[1.0]]}},
    "method": [{"metric": "l2"}],
}


def fitted(**given):
    return wngd.GaussianMixture(2, n_init=3, goodness_of_fit=False).fit(**given).parameters_


#: Function, argument, a right value, what the function makes of it.
CASES = {
    "GaussianMixture.fit": ("X", SAMPLES, lambda v: fitted(X=v)),
    "GaussianMixture.fit, weights": ("sample_weight", RNG.integers(1, 3, 230) * 1.0, lambda v: fitted(X=SAMPLES, sample_weight=v)),
    "GaussianMixture.fit_histogram, edges": (
        "edges",
        EDGES,
        lambda v: wngd.GaussianMixture(1).fit_histogram(v, COUNTS).parameters_,
    ),
    "GaussianMixture.fit_histogram, counts": (
        "counts",
        COUNTS * 1.0,
        lambda v: wngd.GaussianMixture(1).fit_histogram(EDGES, v).parameters_,
    ),
    "GaussianMixture.score_samples": ("X", SAMPLES, MIXTURE.score_samples),
    "GaussianMixture.predict_proba": ("X", SAMPLES, MIXTURE.predict_proba),
    "GaussianMixture.predict": ("X", SAMPLES, MIXTURE.predict),
    "GaussianMixture.bic": ("X", SAMPLES, lambda v: np.array(MIXTURE.bic(v))),
    "identify, points": ("points", POINTS, lambda v: wngd.identify(v, "van-der-pol", dt=0.1).x),
    "identify, start": ("start", np.array([0.9]), lambda v: wngd.identify(POINTS, "van-der-pol", dt=0.1, start=v).x),
    "identify, noise": ("noise", np.array([0.01, 0.02]), lambda v: wngd.identify(POINTS, "van-der-pol", dt=0.1, noise=v).x),
    "simulate, theta": ("theta", np.array([1.5]), lambda v: wngd.simulate("van-der-pol", 50, theta=v)),
    "simulate, start": ("start", np.array([1.5, 0.5]), lambda v: wngd.simulate("van-der-pol", 50, start=v)),
    "simulate, noise": ("noise", np.array([0.5, 0.25]), lambda v: wngd.simulate("van-der-pol", 50, noise=v)),
    "stationary_density, theta": (
        "theta",
        np.array([1.5]),
        lambda v: wngd.stationary_density("van-der-pol", v, cells=12).density,
    ),
    "stationary_density, lower": (
        "lower",
        np.array([-4.0, -5.0]),
        lambda v: wngd.stationary_density("van-der-pol", lower=v, upper=[4.0, 5.0], cells=12).density,
    ),
    "minimize, data": ("data", MODEL[0]([2.0, 0.5]), lambda v: wngd.minimize(MODEL, v, [1.0, 1.0]).x),
    "minimize, x0": ("x0", np.array([1.0, 1.0]), lambda v: wngd.minimize(MODEL, MODEL[0]([2.0, 0.5]), v).x),
    "check, x0": ("x0", np.array([1.0, 0.5]), lambda v: wngd.check(MODEL, v).remainders),
    "wasserstein, source": ("source", RHO, lambda v: np.array(wngd.wasserstein(v, RHO[::-1], *BOX).half_squared_distance)),
    "wasserstein, target": ("target", RHO, lambda v: np.array(wngd.wasserstein(RHO[::-1], v, *BOX).half_squared_distance)),
    "wasserstein, lower": ("lower", np.zeros(2), lambda v: np.array(wngd.wasserstein(RHO, RHO[::-1], v, BOX[1]).half_squared_distance)),
    "weighted_laplacian, density": ("density", RHO, lambda v: wngd.weighted_laplacian(v, Z, *BOX).potential),
    "weighted_laplacian, z": ("z", Z, lambda v: wngd.weighted_laplacian(RHO, v, *BOX).potential),
    "whiten, z": ("z", Z, lambda v: wngd.whiten(v, RHO, *BOX)),
    "whiten, density": ("density", RHO, lambda v: wngd.whiten(Z, v, *BOX)),
    "lstsq, a": ("a", Z, lambda v: wngd.lstsq(v, np.arange(6.0)).x),
    "lstsq, b": ("b", np.arange(6.0), lambda v: wngd.lstsq(Z, v).x),
    "lstsq, damping": ("damping", np.arange(8.0), lambda v: wngd.lstsq(Z, np.ones(6), damping=v).x),
    "sketch, z": ("z", Z, lambda v: wngd.sketch(v, RHO.T).estimate),
    "sketch, probes": ("probes", RHO.T, lambda v: wngd.sketch(Z, v).estimate),
    "sketch, x": ("x", np.array([1.0, 0.5]), lambda v: wngd.sketch(MODEL, np.ones((2, 9)), v).estimate),
    "run, lower": ("grid.lower", np.array([-6.0]), lambda v: wngd.run({**EXPERIMENT, "grid": {"lower": v, "upper": [8.0], "cells": [30]}}).x),
}


def forms(value):
    """The same numbers in other forms."""
    spread = np.zeros(tuple(2 * n for n in value.shape))
    view = spread[tuple(slice(None, None, 2) for _ in value.shape)]
    view[...] = value
    frozen = value.copy()
    frozen.setflags(write=False)
    return {
        "Fortran order": np.asfortranarray(value),
        "view": view,
        "backwards": value[::-1].copy()[::-1],
        "read-only": frozen,
        "list": value.tolist(),
        "big-endian": value.astype(">f8"),
        "object": value.astype(object),
        "unaligned": np.frombuffer(b"-" + value.tobytes(), offset=1).reshape(value.shape),
        "matrix of Python floats": [list(row) for row in value.tolist()] if value.ndim == 2 else tuple(value.tolist()),
    }


@pytest.mark.parametrize("case", CASES)
def test_forms_give_the_same_bits(case):
    _, value, made = CASES[case]
    plain = np.asarray(made(value))
    for name, form in forms(value).items():
        assert np.asarray(made(form)).tobytes() == plain.tobytes(), name
    before = value.copy()
    made(value)
    assert (before == value).all()


@pytest.mark.parametrize("case", CASES)
def test_single_precision_is_taken_as_the_numbers_it_is(case):
    _, value, made = CASES[case]
    single = value.astype(np.float32)
    assert np.asarray(made(single)).tobytes() == np.asarray(made(single.astype(np.float64))).tobytes()


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_names_the_argument(case):
    name, value, made = CASES[case]
    name = name.replace(".", r"\.")
    wrong = {"NaN": value.copy(), "infinity": value.copy()}
    wrong["NaN"].flat[-1] = np.nan
    wrong["infinity"].flat[0] = np.inf
    wrong["complex"] = value + 1j
    wrong["text"] = np.full(value.shape, "a")
    wrong["dates"] = np.full(value.shape, np.datetime64("2020-01-01"))
    wrong["an axis more"] = np.stack([value, value])[None]
    wrong["nothing"] = np.zeros((0,) * value.ndim)
    wrong["ragged"] = [[1.0], [1.0, 2.0]]
    wrong["dictionary"] = object()
    for kind, form in wrong.items():
        with pytest.raises((ValueError, TypeError)) as raised:
            made(form)
        text = str(raised.value)
        assert name in text.replace("\n", " ") or name.split(r"\.")[-1] in text or scikit_learn_says(case, text), (kind, text)


def scikit_learn_says(case, text):
    """scikit-learn's checks of X name the input in their own words."""
    return case.startswith("GaussianMixture") and any(word in text for word in ("Input X", "array", "GaussianMixture", "omplex", "float"))
