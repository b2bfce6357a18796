"""``run``: what the command line does, to the same bits."""

import json
import pickle
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
import wngd

TEXT = """
name = "shift"
[grid]
lower = [-6.0, -6.0]
upper = [8.0, 8.0]
cells = [24, 24]
[model]
kind = "gaussian-mixture"
weights = [0.4, 0.6]
means = [[2.5, 1.0], [-1.0, 0.0]]
free = ["means[0]"]
[data]
truth = { weights = [0.4, 0.6], means = [[1.5, 2.0], [-1.0, 0.0]] }
[[method]]
metric = "l2"
[[method]]
metric = "wasserstein"
label = "w2"
[stop]
iterations = 30
"""


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k != "seconds"}
    return [without_times(v) for v in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def by_command(tmp_path_factory):
    folder = tmp_path_factory.mktemp("command")
    (folder / "shift.toml").write_text(TEXT)
    arguments = ["run", "shift.toml", "--no-figures", "--quiet", "--out", "out"]
    subprocess.run([sys.executable, "-m", "wngd", *arguments], check=True, cwd=folder)
    return folder


def test_the_same_bits_as_the_command_line(by_command, tmp_path):
    file = json.loads((by_command / "out/result.json").read_text())
    for experiment in (str(by_command / "shift.toml"), by_command / "shift.toml", TEXT):
        found = wngd.run(experiment)
        assert without_times(found.result) == without_times(file)
        for method, entry in zip(found.methods, file["methods"]):
            density = np.load(by_command / "out" / entry["density"])
            assert method.density.tobytes() == density.tobytes() and method.density.shape == (24, 24)
            rows = np.genfromtxt(by_command / "out" / entry["trace"], delimiter=",", names=True)
            assert (rows["objective"] == method.trace["objective"]).all()
            assert method.trace["x"].shape == (entry["iterations"] + 1, 2)
    kept = wngd.run(TEXT, out=tmp_path / "kept", figures=False)
    assert without_times(json.loads((tmp_path / "kept/result.json").read_text())) == without_times(file)
    assert kept.x.tolist() == found.x.tolist()


def test_dictionaries_are_experiments_too(by_command):
    tomllib = pytest.importorskip("tomllib")
    experiment = tomllib.loads(TEXT)
    experiment["grid"]["lower"] = np.array(experiment["grid"]["lower"])
    experiment["stop"]["iterations"] = np.int64(30)
    assert without_times(wngd.run(experiment).result) == without_times(wngd.run(TEXT).result)


def test_results_have_the_fields_of_scipy():
    found = wngd.run(TEXT)
    assert found.names == ["means[0][0]", "means[0][1]"] and found.success
    method = found["w2"]
    assert method is found.methods[1] and method.metric == "wasserstein"
    for field in ("x", "fun", "nit", "success", "status", "message"):
        assert field in method
    assert found.x == pytest.approx([1.5, 2.0], abs=1e-4)
    assert found.fun == min(m.fun for m in found.methods)
    again = pickle.loads(pickle.dumps(found))
    assert again.methods[1].x.tobytes() == method.x.tobytes() and type(again) is wngd.Run
    assert json.dumps(found.to_dict())
    assert "means[0][0]" in found._repr_html_() and "shift" in found._repr_html_()
    assert "methods: <2 entries>" in repr(found)
    with pytest.raises(AttributeError, match="has no 'missing'"):
        found.missing


def test_reports_are_pages_of_their_own(tmp_path):
    found = wngd.run(TEXT)
    path = found.report(tmp_path / "report.html")
    assert path.read_text().startswith("<!") and "shift" in path.read_text()
    figures = wngd.run(TEXT, out=tmp_path / "out")
    assert "<svg" in figures.report_html
    # It says how to repeat it: the text has become a file.
    assert (tmp_path / "out/experiment.toml").read_text() == TEXT
    assert f"wngd run experiment.toml --out {tmp_path / 'out'}" in figures.report_html


def test_plots_are_drawn():
    pytest.importorskip("matplotlib")
    found = wngd.run(TEXT)
    assert len(found.plot().lines) == 2 and len(found["w2"].plot().lines) == 1


def test_frames_hold_values_and_errors():
    pytest.importorskip("pandas")
    frame = wngd.run(TEXT).to_pandas()
    assert list(frame.index) == ["means[0][0]", "means[0][1]"] and frame["value"].tolist() == pytest.approx([1.5, 2.0], abs=1e-4)
    # A truth has no noise, so that there are no errors.
    assert frame["stderr"].isna().all()


def test_what_is_wrong_is_told(tmp_path):
    with pytest.raises(ValueError, match="neither a file nor a built-in"):
        wngd.run("nothing")
    with pytest.raises(ValueError, match="line 8.*model.kind.*did you mean"):
        wngd.run(TEXT.replace("gaussian-mixture", "gaussian-mixtur"))
    with pytest.raises(ValueError, match="experiment"):
        wngd.run("name = \n")
    with pytest.raises(TypeError, match="model.weights.1.: object"):
        wngd.run({"name": "a", "model": {"weights": [1.0, object()]}})
    with pytest.raises(TypeError, match="dictionary"):
        wngd.run(3)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        wngd.run(TEXT, out=tmp_path / "file" / "out")


def test_identifications_run_too(tmp_path):
    np.save(tmp_path / "points.npy", wngd.simulate("van-der-pol", 2000, dt=0.1, theta=[1.3]))
    found = wngd.run(
        {
            "name": "oscillator",
            "model": {"kind": "stationary-density", "system": "van-der-pol"},
            "data": {"trajectory": tmp_path / "points.npy"},
            "identify": {"dt": 0.1},
        }
    )
    assert isinstance(found, wngd.Identification) and found.verdict == "fits"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_stops_a_run(tmp_path):
    slow = TEXT.replace("iterations = 30", "iterations = 1000000\nrelative_objective = 0.0").replace(
        'metric = "l2"', 'metric = "none"\nstep = { rule = "fixed", length = 1e-9 }'
    )
    timer = threading.Timer(1.0, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        wngd.run(slow, out=tmp_path / "out")
    timer.join()
    # What was done is kept, as on the command line.
    assert (tmp_path / "out/checkpoint.wngd").exists() and (tmp_path / "out/run.json").exists()
    with pytest.raises(ValueError, match="unfinished.*wngd resume"):
        wngd.run(slow, out=tmp_path / "out")
    assert wngd.run(TEXT, out=tmp_path / "out", figures=False, restart=True).success
    assert not (tmp_path / "out/checkpoint.wngd").exists()
