"""What PyPI's client of UM-Bridge makes of `wngd serve`: python umbridge_client.py URL."""
import sys

import numpy as np
import umbridge

url = sys.argv[1]
assert umbridge.supported_models(url) == ["forward", "objective"]
rng = np.random.default_rng(1)
for name in umbridge.supported_models(url):
    model = umbridge.HTTPModel(url, name)
    [p], [k] = model.get_input_sizes(), model.get_output_sizes()
    assert model.supports_evaluate() and model.supports_gradient() and model.supports_apply_jacobian()
    assert not model.supports_apply_hessian()
    theta, v, s = rng.uniform(1, 2, p), rng.normal(size=p), rng.normal(size=k)
    at = lambda t: np.array(model([list(t)])[0])
    assert at(theta).shape == (k,)
    step = 1e-5
    slope = (at(theta + step * v) - at(theta - step * v)) / (2 * step)
    tangent = np.array(model.apply_jacobian(0, 0, [list(theta)], list(v)))
    adjoint = np.array(model.gradient(0, 0, [list(theta)], list(s)))
    assert np.linalg.norm(tangent - slope) < 1e-6 * np.linalg.norm(slope), (tangent, slope)
    assert abs(s @ tangent - adjoint @ v) < 1e-10 * np.linalg.norm(s) * np.linalg.norm(tangent)
    for wrong in ([list(theta)] * 2, [list(theta[:-1])]):
        try:
            model(wrong)
        except Exception as error:
            assert "InvalidInput" in str(error), error
        else:
            raise AssertionError("an input of another size was taken")
    try:
        model([[float(1e9)] * p], {"level": 1})
    except Exception as error:
        assert "config" in str(error), error
    else:
        raise AssertionError("an option that there is not was taken")
    print(f"{name}: {p} to {k} values, derivatives right")
