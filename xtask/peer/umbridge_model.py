"""Steady diffusion -(e^m u')' = 1 on the line, u = 0 at its ends: m in each of n cells, and so u."""
# ANCHOR: model
import sys

import numpy as np
import umbridge


def solved(m):
    n, h = len(m), 1 / len(m)
    r = 0.5 * h * np.exp(-m)  # resistance of half a cell
    t = 1 / np.concatenate(([r[0]], r[:-1] + r[1:], [r[-1]]))  # what faces let through
    A = np.diag(t[:-1] + t[1:]) - np.diag(t[1:-1], 1) - np.diag(t[1:-1], -1)
    u = np.linalg.solve(A, np.full(n, h))
    drop, i = np.diff(np.concatenate(([0], u, [0]))), np.arange(n)
    F = np.zeros((n + 1, n))  # derivative of the flux through each face by m
    F[i, i], F[i + 1, i] = drop[:-1] * t[:-1] ** 2 * r, drop[1:] * t[1:] ** 2 * r
    return A, u, F[:-1] - F[1:]  # A(m) u = h, and the derivative of A(m) u by m


class Diffusion(umbridge.Model):
    def get_input_sizes(self, config): return [config["cells"]]
    def get_output_sizes(self, config): return [config["cells"]]
    def supports_evaluate(self): return True
    def supports_gradient(self): return True
    def supports_apply_jacobian(self): return True
    def __call__(self, parameters, config):
        return [solved(np.array(parameters[0]))[1].tolist()]
    def gradient(self, out_wrt, in_wrt, parameters, sens, config):
        A, _, G = solved(np.array(parameters[0]))
        return (-G.T @ np.linalg.solve(A, sens)).tolist()
    def apply_jacobian(self, out_wrt, in_wrt, parameters, vec, config):
        A, _, G = solved(np.array(parameters[0]))
        return np.linalg.solve(A, -G @ vec).tolist()


n = int(sys.argv[2])
truth = np.sin(7 * (np.arange(n) + 0.5) / n)  # observations that it explains
np.savetxt("u.csv", solved(truth)[1], header="u", comments="", fmt="%.17g")
umbridge.serve_models([Diffusion("forward")], int(sys.argv[1]))
# ANCHOR_END: model
