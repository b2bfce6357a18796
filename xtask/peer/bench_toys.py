"""iminuit with numba-stats: toys of a Gaussian peak over an exponential background, made and fitted one after the other.

Migrad, Hesse; counts in 100 bins, as the other side has them, and every event by itself. Compiling is not timed.
"""

import argparse
import json
import time

import numpy as np
from iminuit import Minuit
from iminuit.cost import ExtendedBinnedNLL, ExtendedUnbinnedNLL
from numba_stats import truncexpon, truncnorm

LOW, HIGH = 5.0, 7.0
TRUTH = {"peak": 600.0, "mu": 5.28, "sigma": 0.06, "background": 1400.0, "tau": 1.0}

parser = argparse.ArgumentParser()
parser.add_argument("--count", type=int, default=1000)
parser.add_argument("--seed", type=int, default=1)
arguments = parser.parse_args()


def cumulative(x, peak, mu, sigma, background, tau):
    return peak * truncnorm.cdf(x, LOW, HIGH, mu, sigma) + background * truncexpon.cdf(x, LOW, HIGH, LOW, tau)


def density(x, peak, mu, sigma, background, tau):
    both = peak * truncnorm.pdf(x, LOW, HIGH, mu, sigma) + background * truncexpon.pdf(x, LOW, HIGH, LOW, tau)
    return peak + background, both


def sample(rng):
    peak = rng.normal(TRUTH["mu"], TRUTH["sigma"], rng.poisson(TRUTH["peak"]))
    share = rng.random(rng.poisson(TRUTH["background"])) * -np.expm1(-(HIGH - LOW) / TRUTH["tau"])
    return np.append(peak[(peak > LOW) & (peak < HIGH)], LOW - TRUTH["tau"] * np.log1p(-share))


def fits(cost, count):
    rng = np.random.default_rng(arguments.seed)
    edges = np.linspace(LOW, HIGH, 101)
    pulls, valid = [], 0
    clock = time.perf_counter()
    for _ in range(count):
        x = sample(rng)
        if cost == "binned":
            nll = ExtendedBinnedNLL(np.histogram(x, edges)[0], edges, cumulative)
        else:
            nll = ExtendedUnbinnedNLL(x, density)
        fit = Minuit(nll, **TRUTH)
        fit.limits["peak", "background"] = (0, None)
        fit.limits["sigma", "tau"] = (1e-3, None)
        fit.migrad()
        fit.hesse()
        if fit.valid:
            valid += 1
            pulls.append([(fit.values[k] - TRUTH[k]) / fit.errors[k] for k in TRUTH])
    seconds = time.perf_counter() - clock
    pulls = np.array(pulls)
    means, widths = (dict(zip(TRUTH, map(float, v))) for v in (pulls.mean(axis=0), pulls.std(axis=0, ddof=1)))
    return {"seconds": seconds, "valid": valid, "means": means, "widths": widths}


for kind in ("binned", "unbinned"):
    fits(kind, 2)
print(json.dumps({kind: fits(kind, arguments.count) for kind in ("binned", "unbinned")}))
