"""A mixture of n/2 Gaussians in the plane as a density on cells: their means are the n parameters."""
import sys

import numpy as np
import umbridge

n, side = int(sys.argv[2]), int(sys.argv[3])
x = -6 + 12 * (np.arange(side) + 0.5) / side  # centres of cells, on either axis


def bells(means):
    """Each component's two factors, and their slopes by its mean."""
    d = x[None, :] - means[:, :, None].transpose(1, 0, 2)  # axis, component, cell
    g = np.exp(-0.5 * d**2) / np.sqrt(2 * np.pi)
    return g, d * g


class Mixture(umbridge.Model):
    def get_input_sizes(self, config): return [n]
    def get_output_sizes(self, config): return [side * side]
    def supports_evaluate(self): return True
    def supports_gradient(self): return True
    def supports_apply_jacobian(self): return True
    def __call__(self, parameters, config):
        (a, b), _ = bells(np.reshape(parameters[0], (-1, 2)))
        return [(2 / n * a.T @ b).ravel().tolist()]
    def gradient(self, out_wrt, in_wrt, parameters, sens, config):
        (a, b), (da, db) = bells(np.reshape(parameters[0], (-1, 2)))
        s = np.reshape(sens, (side, side))
        sb = b @ s.T  # component, first axis
        return (2 / n * np.stack([(da * sb).sum(1), (a * (db @ s.T)).sum(1)], 1)).ravel().tolist()
    def apply_jacobian(self, out_wrt, in_wrt, parameters, vec, config):
        (a, b), (da, db) = bells(np.reshape(parameters[0], (-1, 2)))
        v = np.reshape(vec, (-1, 2))
        return (2 / n * ((v[:, :1] * da).T @ b + (v[:, 1:] * a).T @ db)).ravel().tolist()


umbridge.serve_models([Mixture("forward")], int(sys.argv[1]))
