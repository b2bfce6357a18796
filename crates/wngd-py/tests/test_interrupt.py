"""Ctrl-C stops what takes long, and threads may work at once."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import wngd

#: Work that takes minutes.
LONG = {
    "GaussianMixture.fit": """
X = np.random.default_rng(1).normal(size=(400_000, 6))
work = lambda: wngd.GaussianMixture((1, 30), n_init=200).fit(X)
""",
    "GaussianMixture.fit_histogram": """
counts, edges = np.histogramdd(np.random.default_rng(1).normal(size=(200_000, 2)), bins=120)
work = lambda: wngd.GaussianMixture((1, 30), n_init=200).fit_histogram(edges, counts)
""",
    "identify": """
points = np.concatenate([wngd.simulate("lorenz63", 100_000, dt=0.02)] * 4)
points += np.random.default_rng(1).normal(size=points.shape)
work = lambda: wngd.identify(points, "lorenz63", dt=0.02, estimators=["smoother", "simulated-moments"])
""",
    "identify with a function": """
points = wngd.simulate("van-der-pol", 20_000, dt=0.1)
f = lambda x, theta: [x[1], theta[0] * (1 - x[0] ** 2) * x[1] - x[0]]
system = wngd.System(f, ["x", "y"], {"mu": 0.7}, differences=True)
work = lambda: wngd.identify(points, system, dt=0.1)
""",
    "minimize": """
t = np.linspace(0, 1, 10_000)
model = (
    lambda x: x[0] * np.exp(-x[1] * t),
    lambda x, v: np.exp(-x[1] * t) * (v[0] - x[0] * t * v[1]),
    lambda x, u: np.array([u @ np.exp(-x[1] * t), -u @ (x[0] * t * np.exp(-x[1] * t))]),
)
work = lambda: wngd.minimize(
    model, model[0]([2.0, 0.5]), [1.0, 1.0], metric="none", step=1e-12, iterations=10**7, relative_objective=0.0
)
""",
    "run": """
work = lambda: wngd.run({
    "name": "slow", "grid": {"lower": [-6.0], "upper": [8.0], "cells": [200]},
    "model": {"kind": "gaussian-mixture", "weights": [1.0], "means": [[2.5]], "free": ["means[0]"]},
    "data": {"truth": {"weights": [1.0], "means": [[1.0]]}},
    "method": [{"metric": "none", "step": {"rule": "fixed", "length": 1e-9}}],
    "stop": {"iterations": 10**7, "relative_objective": 0.0},
})
""",
    "simulate": """
work = lambda: wngd.simulate("lorenz63", 10**8)
""",
}

SCRIPT = """
import signal
import numpy as np, wngd
# Children of shells in the background begin with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
# What this brings along takes more than a second the first time, and is not what is to be stopped.
wngd.GaussianMixture
{setup}
print("ready", flush=True)
try:
    work()
except KeyboardInterrupt:
    print("interrupted", flush=True)
else:
    print("ended", flush=True)
# What was stopped has left nothing behind.
print(round(float(wngd.GaussianMixture(1).fit(np.arange(20.0)[:, None]).means_[0, 0]), 9))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("name", LONG)
def test_ctrl_c_arrives(name):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(setup=LONG[name])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    time.sleep(1.0)
    assert process.poll() is None
    os.kill(process.pid, signal.SIGINT)
    began = time.monotonic()
    said = process.stdout.readline()
    print(f"{name}: {time.monotonic() - began:.2f} s")
    rest, errors = process.communicate(timeout=60)
    assert (said, rest) == ("interrupted\n", "9.5\n"), errors


def test_threads_may_fit_at_once():
    X = np.random.default_rng(1).normal(size=(2000, 2))
    alone = wngd.GaussianMixture(2).fit(X).parameters_.tobytes()
    found = [None] * 4

    def fit(i):
        found[i] = wngd.GaussianMixture(2).fit(X).parameters_.tobytes()

    threads = [threading.Thread(target=fit, args=(i,)) for i in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert found == [alone] * 4
