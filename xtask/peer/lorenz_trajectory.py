"""Writes two million points of Lorenz-63, by SciPy, to the file given."""

import sys

import numpy as np
from scipy.integrate import solve_ivp


def velocity(t, x):
    return [10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]]


solution = solve_ivp(velocity, [0, 20050], [1, 1, 20], method="DOP853", rtol=1e-9, atol=1e-9,
                     t_eval=50 + 0.01 * np.arange(2_000_000))
np.save(sys.argv[1], solution.y.T)
