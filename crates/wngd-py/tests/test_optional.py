"""What is used where it is installed: ArviZ and tqdm, and what is said where they are not."""

import sys
import types

import numpy as np
import pytest
import wngd

T = np.linspace(0.0, 2.0, 9)
DECAY = (lambda x: x[0] * np.exp(-x[1] * T), lambda x, v: np.exp(-x[1] * T) * (v[0] - x[0] * T * v[1]))
EXPERIMENT = {
    "name": "shift",
    "grid": {"lower": [-6.0], "upper": [8.0], "cells": [40]},
    "model": {"kind": "gaussian-mixture", "weights": [1.0], "means": [[2.0]], "free": ["means[0]"]},
    "data": {"truth": {"weights": [1.0], "means": [[1.0]]}},
    "method": [{"metric": "l2"}, {"metric": "wasserstein"}],
}


@pytest.fixture(scope="module")
def mixture():
    return wngd.GaussianMixture(1).fit(np.random.default_rng(1).normal(3.0, 2.0, (500, 1)))


def test_arviz_gets_draws_of_the_normal_law(mixture):
    arviz = pytest.importorskip("arviz", minversion="1.0")
    tree = mixture.to_arviz(draws=2000, chains=2, seed=3)
    assert type(tree).__name__ == "DataTree" and "normal" in tree["posterior"].attrs["law"]
    drawn = tree["posterior"]["means[0][0]"].values
    assert drawn.shape == (2, 2000)
    assert drawn.mean() == pytest.approx(mixture.means_[0, 0], abs=0.01)
    assert drawn.std() == pytest.approx(mixture.standard_errors_["means"][0, 0], rel=0.1)
    assert (drawn == mixture.to_arviz(draws=2000, chains=2, seed=3)["posterior"]["means[0][0]"].values).all()
    assert list(arviz.summary(tree).index) == mixture.parameter_names_
    found = wngd.identify(wngd.simulate("van-der-pol", 600, dt=0.1), "van-der-pol", dt=0.1)
    assert list(found.to_arviz(draws=10)["posterior"].data_vars) == ["mu"]


def test_arviz_is_named_where_it_is_missing_or_old(mixture, monkeypatch):
    monkeypatch.setitem(sys.modules, "arviz", None)
    with pytest.raises(ImportError, match='pip install "arviz>=1"'):
        mixture.to_arviz()
    monkeypatch.setitem(sys.modules, "arviz", types.SimpleNamespace(__version__="0.23.4"))
    with pytest.raises(ImportError, match="this is 0.23.4"):
        mixture.to_arviz()
    monkeypatch.setitem(sys.modules, "arviz", types.SimpleNamespace(__version__="1.0.0"))
    # Data without noise leave no covariance.
    with pytest.raises(ValueError, match="no covariance"):
        wngd.minimize(DECAY, DECAY[0]([2.0, 0.5]), [1.0, 1.0]).to_arviz()


def test_bars_show_progress(capsys):
    pytest.importorskip("tqdm")
    seen = []
    plain = wngd.minimize(DECAY, DECAY[0]([2.0, 0.5]), [1.0, 1.0])
    shown = wngd.minimize(DECAY, DECAY[0]([2.0, 0.5]), [1.0, 1.0], progress=True, callback=lambda x: seen.append(x))
    assert shown.x.tolist() == plain.x.tolist() and len(seen) >= plain.nit
    assert "minimize" in capsys.readouterr().err
    run = wngd.run(EXPERIMENT, progress=True)
    assert run.x.tolist() == wngd.run(EXPERIMENT).x.tolist()
    errors = capsys.readouterr().err
    assert "l2" in errors and "wasserstein" in errors


def test_tqdm_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    for call in (
        lambda: wngd.minimize(DECAY, DECAY[0]([2.0, 0.5]), [1.0, 1.0], progress=True),
        lambda: wngd.run(EXPERIMENT, progress=True),
    ):
        with pytest.raises(ImportError, match="pip install tqdm"):
            call()
