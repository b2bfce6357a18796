"""Systems whose velocity is a function of Python."""

import json
import threading

import numpy as np
import pytest
import wngd

OWN = {"variables": ["u", "v"], "equations": {"u": "v", "v": "mu*(1 - u^2)*v - u"}, "parameters": {"mu": 1.0}}


def velocity(x, theta):
    return np.array([x[1], theta[0] * (1 - x[0] ** 2) * x[1] - x[0]])


def jac_x(x, theta):
    return np.array([[0.0, 1.0], [-2 * theta[0] * x[0] * x[1] - 1, theta[0] * (1 - x[0] ** 2)]])


def jac_theta(x, theta):
    return np.array([[0.0], [(1 - x[0] ** 2) * x[1]]])


def oscillator(velocity=velocity, jac_x=jac_x, jac_theta=jac_theta, **options):
    return wngd.System(velocity, ["u", "v"], {"mu": 1.0}, jac_x, jac_theta, **options)


@pytest.fixture(scope="module")
def points():
    return wngd.simulate("van-der-pol", 200, dt=0.1, theta=[1.3])


def test_a_function_is_found_as_its_equations_are(points):
    by_function = wngd.identify(points, oscillator(), dt=0.1)
    by_text = wngd.identify(points, OWN, dt=0.1)
    assert by_function.verdict == by_text.verdict == "fits"
    assert by_function.names == ["mu"] and by_function.name == "identify-velocity"
    assert by_function.x == pytest.approx([1.3], abs=1e-8) and by_text.x == pytest.approx([1.3], abs=1e-8)
    assert by_function.stderr == pytest.approx(by_text.stderr, rel=0.05)
    assert json.dumps(by_function.to_dict()) and "velocity" in by_function.report_html


def test_its_trajectories_and_densities_are_those_of_its_equations():
    options = {"dt": 0.1, "theta": [1.3], "start": [0.5, 0.5], "burn_in": 1.0}
    by_function, by_text = (wngd.simulate(system, 20, **options) for system in (oscillator(), OWN))
    np.testing.assert_allclose(by_function, by_text, rtol=1e-7)
    box = {"lower": [-3.0, -4.0], "upper": [3.0, 4.0], "cells": 12, "discretisation": "upwind", "diffusion": 0.5, "restart": 0.1}
    by_function, by_text = (wngd.stationary_density(system, **box) for system in (oscillator(), OWN))
    np.testing.assert_allclose(by_function.density, by_text.density, atol=1e-12)
    described = wngd.describe_system(oscillator(name="mine"))
    assert described.name == "mine" and described.variables == ["u", "v"] and described.parameters == ["mu"]


def test_start_free_and_columns_go_by_name(points):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"v": points[:, 1], "other": 0.0, "t": 0.1 * np.arange(len(points)), "u": points[:, 0]})
    found = wngd.identify(frame, oscillator(), start={"mu": 0.8}, free=["mu"], estimators=["shooting"])
    assert found.x0.tolist() == [0.8] and found.x == pytest.approx([1.3], abs=1e-8)
    with pytest.raises(ValueError, match="start.*nu"):
        wngd.identify(points, oscillator(), dt=0.1, start={"nu": 0.8})
    with pytest.raises(ValueError, match="points|columns"):
        wngd.identify(points[:, :1], oscillator(), dt=0.1)


def test_differences_are_taken_when_asked_for_and_said(points):
    with pytest.raises(TypeError, match="jac_theta.*differences=True"):
        oscillator(jac_theta=None)
    found = wngd.identify(points, oscillator(jac_theta=None, differences=True), dt=0.1, estimators=["shooting"])
    assert found.x == pytest.approx([1.3], abs=1e-6)
    assert "jac_theta of velocity by central differences" in found.remarks
    plain = wngd.identify(points, oscillator(differences=True), dt=0.1, estimators=["shooting"])
    assert not any("differences" in remark for remark in plain.remarks)


def test_derivatives_are_checked():
    assert oscillator().check([0.5, 1.5]).ok and oscillator(jac_x=None, jac_theta=None, differences=True).check([0.5, 1.5]).ok
    wrong = oscillator(jac_x=lambda x, theta: jac_x(x, theta).T).check([0.5, 1.5])
    assert not wrong.ok and wrong.rate_x < 1.5 and wrong.rate_theta >= 1.9
    with pytest.raises(ValueError, match="x: 1 numbers; 2 are needed"):
        oscillator().check([0.5])


def test_exceptions_arrive_as_they_were_raised(points):
    class Mine(Exception):
        pass

    raised = Mine("after a while")
    calls = []

    def failing(x, theta):
        calls.append(threading.get_ident())
        if len(calls) > 500:
            raise raised
        return velocity(x, theta)

    for call in (
        lambda system: wngd.identify(points, system, dt=0.1),
        lambda system: wngd.simulate(system, 10**7),
        lambda system: wngd.stationary_density(system, lower=[-3, -4], upper=[3, 4], cells=64),
    ):
        calls.clear()
        with pytest.raises(Mine) as caught:
            call(oscillator(failing))
        assert caught.value is raised
        # Threads that were at work end their call, and nobody calls again.
        assert len(calls) < 520


def test_what_is_returned_is_looked_at(points):
    cases = [
        (dict(velocity=lambda x, theta: np.zeros(3)), r"system.velocity: shape \[3\]; \[2\] is needed"),
        (dict(jac_x=lambda x, theta: np.zeros(2)), r"system.jac_x: shape \[2\]; \[2, 2\] is needed"),
        (dict(jac_theta=lambda x, theta: np.zeros((2, 2))), r"system.jac_theta: shape \[2, 2\]; \[2, 1\] is needed"),
        (dict(velocity=lambda x, theta: x + 1j), "system.velocity: real numbers"),
    ]
    for parts, text in cases:
        with pytest.raises((ValueError, TypeError), match=text):
            wngd.identify(points, oscillator(**parts), dt=0.1)
    # Lists and single precision are taken.
    listed = oscillator(lambda x, theta: velocity(x, theta).tolist(), lambda x, theta: np.asfortranarray(jac_x(x, theta)))
    assert wngd.identify(points, listed, dt=0.1, estimators=["shooting"]).x == pytest.approx([1.3], abs=1e-8)


def test_where_it_is_undefined_it_is_not_finite(points):
    def walled(x, theta):
        if theta[0] > 5.0:
            raise wngd.OutOfDomain("mu is at most 5")
        return velocity(x, theta)

    assert wngd.identify(points, oscillator(walled), dt=0.1, estimators=["shooting"]).x == pytest.approx([1.3], abs=1e-8)


def test_what_is_wrong_names_the_argument(points):
    make = wngd.System
    cases = [
        (lambda: make(3, ["x"], {"a": 1.0}), TypeError, "velocity: int is not callable"),
        (lambda: make(velocity, ["x"], {"a": 1.0}, 3), TypeError, "jac_x: int"),
        (lambda: make(velocity, [], {"a": 1.0}, differences=True), ValueError, "variables"),
        (lambda: make(velocity, ["x", "x"], {"a": 1.0}, differences=True), ValueError, "variables"),
        (lambda: make(velocity, ["x", "y"], {}, differences=True), ValueError, "parameters"),
        (lambda: make(velocity, ["x", "y"], [1.0], differences=True), TypeError, "parameters"),
        (lambda: make(velocity, ["x", "y"], {"a": np.nan}, differences=True), ValueError, r"parameters\['a'\]: nan"),
        (lambda: make(velocity, ["x", "y"], {"a": "1"}, differences=True), ValueError, r"parameters\['a'\]: '1'"),
        (lambda: wngd.identify(points, velocity, dt=0.1), TypeError, "system: a function needs names.*wngd.System"),
    ]
    for call, kind, text in cases:
        with pytest.raises(kind, match=text):
            call()


def test_jax_gives_the_derivatives(points):
    jnp = pytest.importorskip("jax.numpy")
    traced = wngd.System.from_jax(
        lambda x, theta: jnp.array([x[1], theta[0] * (1 - x[0] ** 2) * x[1] - x[0]]), ["u", "v"], {"mu": 1.0}, name="traced"
    )
    assert traced.check([0.5, 1.5]).ok
    assert traced.velocity(np.array([0.1, 0.2]), np.array([1.3])).dtype == np.float64
    found = wngd.identify(points[:100], traced, dt=0.1, estimators=["shooting"])
    assert found.x == pytest.approx([1.3], abs=1e-8)


def test_hidden_variables_are_named(points):
    found = wngd.identify(points[:, :1], OWN, dt=0.1, observed=["u"], estimators=["smoother"])
    assert found.answer == "smoother" and found.x == pytest.approx([1.3], rel=1e-2)
    with pytest.raises(ValueError, match="observed.*w"):
        wngd.identify(points[:, :1], OWN, dt=0.1, observed=["w"])
