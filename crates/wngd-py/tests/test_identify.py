"""``identify``, ``simulate``, ``stationary_density``: systems from points."""

import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import wngd

OWN = """
variables = ["x", "y"]
[equations]
x = "y"
y = "mu*(1 - x^2)*y - x"
[parameters]
mu = 1.0
"""


@pytest.fixture(scope="module")
def points():
    return wngd.simulate("van-der-pol", 4000, dt=0.1, theta=[1.3])


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k != "seconds"}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def test_the_same_bits_as_the_command_line(points, tmp_path):
    np.save(tmp_path / "points.npy", points)
    arguments = ["identify", "--system", "van-der-pol", "--trajectory", "points.npy", "--dt", "0.1", "--start", "0.9"]
    arguments += ["--no-figures", "--quiet", "--out", "out"]
    subprocess.run([sys.executable, "-m", "wngd", *arguments], check=True, cwd=tmp_path)
    file = json.loads((tmp_path / "out/result.json").read_text())
    found = wngd.identify(points, "van-der-pol", dt=0.1, start=[0.9])
    assert without_times(found.result) == without_times(file)
    assert found.verdict == "fits" and found.success
    assert found.x.tolist() == file["methods"][0]["theta"]
    assert np.sqrt(np.diag(found.cov)) == pytest.approx(found.stderr)
    assert {e.estimator for e in found.estimates} >= {"weak-stationary", "shooting"}
    kept = wngd.identify(points, "van-der-pol", dt=0.1, start={"mu": 0.9}, out=tmp_path / "kept")
    assert kept.x.tolist() == found.x.tolist() and (tmp_path / "kept/report.html").exists()


def test_systems_are_names_files_texts_and_dictionaries(points, tmp_path):
    (tmp_path / "own.toml").write_text(OWN)
    as_dictionary = {
        "variables": ["x", "y"],
        "equations": {"x": "y", "y": "mu*(1 - x^2)*y - x"},
        "parameters": {"mu": 1.0},
    }
    found = [
        wngd.identify(points, system, dt=0.1).x.tolist()
        for system in (OWN, as_dictionary, tmp_path / "own.toml", str(tmp_path / "own.toml"))
    ]
    assert all(x == found[0] for x in found) and found[0] == pytest.approx([1.3], abs=1e-5)
    assert wngd.describe_system(OWN).variables == ["x", "y"]
    assert wngd.describe_system(as_dictionary).theta.tolist() == [1.0]
    assert "lorenz63" in wngd.system_names()


def test_frames_are_matched_by_name(points):
    pandas = pytest.importorskip("pandas")
    time = 0.1 * np.arange(len(points))
    frame = pandas.DataFrame({"y": points[:, 1], "t": time, "x": points[:, 0]})
    by_name = wngd.identify(frame, OWN)
    assert by_name.x.tolist() == pytest.approx([1.3], abs=1e-5)
    # Column t has told the time between points.
    assert {e.estimator for e in by_name.estimates} >= {"weak-stationary", "shooting"}
    chosen = wngd.identify(pandas.DataFrame({"a": points[:, 0], "b": points[:, 1]}), OWN, dt=0.1, columns=["a", "b"])
    assert chosen.verdict == "fits"
    assert list(by_name.to_pandas().index) == ["mu"]


def test_records_do_not_follow_on_each_other(points):
    other = wngd.simulate("van-der-pol", 3000, dt=0.1, theta=[1.3], seed=2)
    found = wngd.identify([points[:2000], other], "van-der-pol", dt=0.1)
    assert found.verdict == "fits" and found.x == pytest.approx([1.3], abs=1e-5)


def test_points_in_no_order_are_enough(points):
    shuffled = np.random.default_rng(1).permutation(points)
    found = wngd.identify(shuffled, "van-der-pol", ordered=False)
    assert [e.estimator for e in found.estimates] == ["weak-stationary"]
    assert found.x == pytest.approx([1.3], rel=1e-2)


def test_a_model_that_does_not_fit_says_so():
    rng = np.random.default_rng(4)
    noise = np.cumsum(rng.normal(size=(3000, 2)), axis=0) * 0.05
    found = wngd.identify(noise, "van-der-pol", dt=0.1)
    assert found.verdict != "fits" and not found.success and found.remarks


def test_results_print_draw_and_pickle(points):
    found = wngd.identify(points, "van-der-pol", dt=0.1, noise=0.0)
    again = pickle.loads(pickle.dumps(found))
    assert again.x.tobytes() == found.x.tobytes()
    assert json.dumps(found.to_dict())
    assert "mu" in found._repr_html_() and "fits" in found._repr_html_()
    assert "van-der-pol" in found.report_html
    pytest.importorskip("matplotlib")
    assert found.plot().get_legend() is not None


def test_what_is_wrong_names_the_argument(points):
    broken = points.copy()
    broken[7, 1] = np.nan
    cases = [
        ((broken, "van-der-pol"), {"dt": 0.1}, ValueError, r"points\[7, 1\] is (nan|NaN)"),
        ((points[:, 0], "van-der-pol"), {"dt": 0.1}, ValueError, "points: shape"),
        ((points.astype(complex), "van-der-pol"), {}, TypeError, "points: real numbers"),
        ((np.array([["a", "b"]] * 60), "van-der-pol"), {}, TypeError, "points: real numbers"),
        ((points, "van-der-poll"), {"dt": 0.1}, ValueError, "system: .*van-der-pol"),
        ((points, "van-der-pol"), {"dt": -0.1}, ValueError, "dt"),
        ((points, "van-der-pol"), {"start": [1.0, 2.0]}, ValueError, "start"),
        ((points, "van-der-pol"), {"free": ["nu"]}, ValueError, "free.*nu"),
        ((points, "van-der-pol"), {"noise": "loud"}, ValueError, "noise.*loud"),
        ((points, "van-der-pol"), {"estimators": ["weak"]}, ValueError, "estimators.*weak"),
        ((points, {"variables": ["x"]}), {}, ValueError, "system"),
        ((points, 3), {}, TypeError, "system: a dictionary"),
        (([], "van-der-pol"), {}, ValueError, "points"),
    ]
    for arguments, options, kind, text in cases:
        with pytest.raises(kind, match=text):
            wngd.identify(*arguments, **options)


def test_any_layout_gives_the_same_bits(points):
    plain = wngd.identify(points, "van-der-pol", dt=0.1).x
    wide = np.zeros((len(points), 4))
    wide[:, ::2] = points
    frozen = points.copy()
    frozen.setflags(write=False)
    for form in (np.asfortranarray(points), wide[:, ::2], frozen, points.tolist()):
        assert (wngd.identify(form, "van-der-pol", dt=0.1).x == plain).all()
    assert wngd.identify(points.astype(np.float32), "van-der-pol", dt=0.1).x == pytest.approx(plain, rel=1e-3)


def test_trajectories_are_those_of_the_command_line(tmp_path):
    arguments = ["simulate", "--system", "lorenz63", "--points", "500", "--seed", "3", "--quiet", "--out", "out.npy"]
    subprocess.run([sys.executable, "-m", "wngd", *arguments], check=True, cwd=tmp_path)
    found = wngd.simulate("lorenz63", 500, seed=3)
    assert found.tobytes() == np.load(tmp_path / "out.npy").tobytes()
    noisy = wngd.simulate("lorenz63", 500, seed=3, noise=[0.1, 0.1, 0.1])
    assert 0.08 < (noisy - found).std() < 0.12
    for options, text in [({"dt": 0.0}, "dt"), ({"theta": [1.0]}, "theta"), ({"noise": [1.0]}, "noise"), ({"start": [0.0]}, "start")]:
        with pytest.raises(ValueError, match=text):
            wngd.simulate("lorenz63", 10, **options)
    with pytest.raises(ValueError, match="n: "):
        wngd.simulate("lorenz63", 2**62)


def test_densities_are_those_of_the_command_line(tmp_path):
    arguments = ["density", "--system", "van-der-pol", "--theta", "1.3", "--cells", "24", "--no-figures", "--quiet"]
    subprocess.run([sys.executable, "-m", "wngd", *arguments, "--out", "out"], check=True, cwd=tmp_path)
    found = wngd.stationary_density("van-der-pol", [1.3], cells=24)
    assert found.density.tobytes() == np.load(tmp_path / "out/density.npy").tobytes()
    assert found.density.shape == (24, 24) and len(found.centers[0]) == 24
    upwind = wngd.stationary_density(
        OWN, lower=[-4, -6], upper=[4, 6], cells=[20, 30], discretisation="upwind", diffusion=0.5, restart=0.01
    )
    assert upwind.density.shape == (20, 30) and upwind.density.min() >= 0
    with pytest.raises(ValueError, match="lower, upper"):
        wngd.stationary_density("van-der-pol", lower=[0, 0])
    with pytest.raises(ValueError, match="diffusion"):
        wngd.stationary_density("van-der-pol", discretisation="upwind", diffusion=-1.0, cells=8)
    pytest.importorskip("matplotlib")
    assert found.plot().collections
