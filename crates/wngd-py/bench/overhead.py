"""What Python adds to a descent: on a NumPy model of 10⁴ cells, and on an experiment that the command line runs, too.

    python crates/wngd-py/bench/overhead.py
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import wngd

CELLS = 100
LOWER, UPPER = -6.0, 8.0
EXPERIMENT = f"""
name = "shift"
[grid]
lower = [{LOWER}, {LOWER}]
upper = [{UPPER}, {UPPER}]
cells = [{CELLS}, {CELLS}]
[model]
kind = "gaussian-mixture"
weights = [0.4, 0.6]
means = [[2.5, 1.0], [-1.0, 0.0]]
free = ["means[0]", "means[1]"]
[data]
truth = {{ weights = [0.4, 0.6], means = [[1.5, 2.0], [-1.5, 0.5]] }}
[[method]]
metric = "wasserstein"
step = {{ rule = "fixed", length = 0.2 }}
[stop]
iterations = 40
relative_objective = 0.0
"""


def numpy_model():
    """Two Gaussians on the grid, with means θ = (a, b, c, d), as three callables."""
    centers = LOWER + (np.arange(CELLS) + 0.5) * (UPPER - LOWER) / CELLS
    at = np.stack(np.meshgrid(centers, centers, indexing="ij"))
    weights = (0.4, 0.6)

    def parts(theta):
        for weight, mean in zip(weights, np.reshape(theta, (2, 2))):
            away = at - mean[:, None, None]
            yield away, weight / (2 * np.pi) * np.exp(-0.5 * (away**2).sum(axis=0))

    state = lambda theta: sum(rho for _, rho in parts(theta))
    jvp = lambda theta, v: sum(
        rho * np.tensordot(m, away, 1) for m, (away, rho) in zip(np.reshape(v, (2, 2)), parts(theta))
    )
    vjp = lambda theta, u: np.concatenate([(away * rho * u).sum(axis=(1, 2)) for away, rho in parts(theta)])
    return state, jvp, vjp


def main():
    model = numpy_model()
    data = model[0]([1.5, 2.0, -1.5, 0.5])
    shares = []
    for _ in range(5):
        found = wngd.minimize(
            model,
            data,
            [2.5, 1.0, -1.0, 0.0],
            metric="wasserstein",
            grid=([LOWER] * 2, [UPPER] * 2),
            step=0.2,
            iterations=40,
            relative_objective=0.0,
        )
        seconds = found.seconds
        shares.append(seconds["binding"] / seconds["total"])
    print(f"NumPy model of {CELLS * CELLS} cells, {found.nit} iterations: {seconds['total']:.2f} s, of them in the model "
          f"{seconds['model']:.2f} s, on the way there and back {100 * np.median(shares):.2f} %")  # fmt: skip

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "shift.toml"
        path.write_text(EXPERIMENT)
        ratios = []
        for i in range(5):
            out = pathlib.Path(folder) / f"out-{i}"
            arguments = ["run", str(path), "--no-figures", "--quiet", "--out", str(out)]
            subprocess.run([sys.executable, "-m", "wngd", *arguments], check=True)
            by_command = json.loads((out / "result.json").read_text())["methods"][0]
            by_python = wngd.run(path).methods[0]
            assert by_python.x.tolist() == by_command["theta"], "not the same bits"
            ratios.append(by_python.seconds / by_command["seconds"])
        print(f"the experiment by `wngd.run` and by `wngd run`: the same bits, {np.median(ratios):.3f} of the time "
              f"({min(ratios):.3f} to {max(ratios):.3f} in five pairs)")  # fmt: skip


if __name__ == "__main__":
    main()
