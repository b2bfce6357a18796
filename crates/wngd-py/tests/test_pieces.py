"""Pieces on their own: transport, the weighted Laplacian, whitening, least squares."""

import numpy as np
import pytest
import wngd

LOWER, UPPER = [-2.0, -1.5], [2.0, 1.5]


@pytest.fixture(scope="module")
def density():
    x, y = np.meshgrid(np.linspace(-1.9, 1.9, 20), np.linspace(-1.4, 1.4, 15), indexing="ij")
    rho = np.exp(-(x**2) - y**2 - 0.3 * x * y)
    return rho / rho.sum() / (0.2 * 0.2)


def test_transport_on_a_line_is_that_of_quantiles():
    scipy = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(1)
    a, b = rng.random(50), rng.random(50)
    found = wngd.wasserstein(a, b, 0.0, 5.0)
    assert found.relative_gap < 1e-9 and found.potential.shape == (50,)
    # W₁ is below W₂; a shift by whole cells has both.
    centers = (np.arange(50) + 0.5) / 10
    assert scipy.wasserstein_distance(centers, centers, a, b) <= np.sqrt(2 * found.half_squared_distance) + 1e-12
    shifted = wngd.wasserstein(np.r_[a[:40], np.zeros(10)], np.r_[np.zeros(10), a[:40]], 0.0, 5.0)
    assert shifted.half_squared_distance == pytest.approx(0.5, rel=1e-12)


def test_transport_in_the_plane_moves_by_a_shift(density):
    a = np.zeros((24, 20))
    a[2:12, 3:13] = density[5:15, 2:12]
    moved = np.roll(a, (7, 4), axis=(0, 1))
    found = wngd.wasserstein(a, moved, [0.0, 0.0], [24.0, 20.0])
    assert found.half_squared_distance == pytest.approx(0.5 * (49 + 16), rel=1e-10)


def test_the_pseudo_inverse_is_one(density):
    scipy = pytest.importorskip("scipy.sparse")
    n, m = density.shape
    faces = []
    for axis, h in ((0, 0.2), (1, 0.2)):
        left = np.arange(n * m).reshape(n, m)[: n - (axis == 0), : m - (axis == 1)].ravel()
        right = left + (m if axis == 0 else 1)
        weight = np.sqrt(0.5 * (density.ravel()[left] + density.ravel()[right])) / h
        rows = np.arange(len(left))
        faces.append(scipy.csr_array((np.r_[-weight, weight], (np.r_[rows, rows], np.r_[left, right])), (len(left), n * m)))
    transposed = scipy.vstack(faces).toarray()
    z = np.random.default_rng(2).normal(size=(n, m, 3))
    z -= density[..., None] * z.sum(axis=(0, 1)) / density.sum()
    found = wngd.weighted_laplacian(density, z, LOWER, UPPER)
    fields = np.linalg.pinv(transposed.T, rcond=1e-10) @ z.reshape(-1, 3)
    np.testing.assert_allclose(found.flux, fields, atol=1e-9 * np.abs(fields).max())
    np.testing.assert_allclose(transposed @ found.potential.reshape(-1, 3), fields, atol=1e-9 * np.abs(fields).max())
    assert (found.mass_leak < 1e-12).all()
    single = wngd.weighted_laplacian(density, z[..., 0], LOWER, UPPER)
    assert single.potential.shape == density.shape
    np.testing.assert_allclose(single.flux, found.flux[:, 0], rtol=1e-12, atol=1e-12)
    # Lengths in the metric are those of the fields.
    y = wngd.whiten(z, density, LOWER, UPPER)
    np.testing.assert_allclose(y.T @ y, fields.T @ fields, rtol=1e-9)


def test_whitening_in_each_metric(density):
    z = np.random.default_rng(3).normal(size=density.shape)
    assert wngd.whiten(z, density, LOWER, UPPER, metric="l2") == pytest.approx(z.ravel())
    assert wngd.whiten(z, density, LOWER, UPPER, metric="fisher-rao") == pytest.approx((z / np.sqrt(density)).ravel())
    h1, minus, dot = (
        np.linalg.norm(wngd.whiten(z, density, LOWER, UPPER, metric=m)) for m in ("h1", "h-1", "homogeneous-h-1")
    )
    assert h1 > np.linalg.norm(z) > minus and dot > 0


def test_least_squares_are_those_of_numpy():
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(40, 5)), rng.normal(size=40)
    for solver in ("qr", "svd", "lsmr", "information"):
        found = wngd.lstsq(np.asfortranarray(a), b, solver=solver)
        np.testing.assert_allclose(found.x, np.linalg.lstsq(a, b, rcond=None)[0], rtol=1e-9)
        assert found.rank == 5
    damped = wngd.lstsq(a, b, damping=np.full(5, 2.0))
    np.testing.assert_allclose(damped.x, np.linalg.solve(a.T @ a + 4 * np.eye(5), a.T @ b), rtol=1e-10)
    low = wngd.lstsq(np.c_[a, a[:, 0]], b)
    assert low.rank == 5 and low.x[0] == pytest.approx(low.x[5])


def test_what_is_wrong_names_the_argument(density):
    cases = [
        (lambda: wngd.wasserstein(density, density[:-1], LOWER, UPPER), ValueError, "target: shape"),
        (lambda: wngd.wasserstein(-density, density, LOWER, UPPER), ValueError, "source"),
        (lambda: wngd.wasserstein(density, density, [0.0], [1.0]), ValueError, "source: shape.*lower and upper"),
        (lambda: wngd.weighted_laplacian(density, density[0], LOWER, UPPER), ValueError, "z: shape"),
        (lambda: wngd.weighted_laplacian(-density, density, LOWER, UPPER), ValueError, "density"),
        (lambda: wngd.weighted_laplacian(density, density, LOWER, UPPER, floor=-1), ValueError, "floor"),
        (lambda: wngd.whiten(density, density, LOWER, UPPER, metric="none"), ValueError, "metric"),
        (lambda: wngd.whiten(density, density, LOWER, UPPER, metric="l3"), ValueError, "metric.*l3"),
        (lambda: wngd.lstsq([1.0], [1.0]), ValueError, "a: shape"),
        (lambda: wngd.lstsq([[1.0], [2.0]], [1.0]), ValueError, "b: shape"),
        (lambda: wngd.lstsq([[1.0], [np.nan]], [1.0, 1.0]), ValueError, r"a\[1, 0\] is"),
        (lambda: wngd.lstsq([[1.0], [2.0]], [1.0, 1.0], damping=[-1.0]), ValueError, "damping"),
        (lambda: wngd.lstsq([[1.0], [2.0]], [1.0, 1.0], solver="lu"), ValueError, "solver.*lu"),
        (lambda: wngd.lstsq([[1.0], [2.0, 3.0]], [1.0, 1.0]), ValueError, "a: "),
    ]
    for call, kind, text in cases:
        with pytest.raises(kind, match=text):
            call()
