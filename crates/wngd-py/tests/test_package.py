"""The package as it is installed: command line, types, documentation."""

import doctest
import html
import importlib
import importlib.util
import inspect
import pathlib
import subprocess
import sys

import pytest
import wngd

MODULES = ["_field", "_identify", "_minimize", "_mixture", "_model", "_pieces", "_result", "_run", "_systems"]


def command(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "wngd", *arguments], capture_output=True, text=True, **options)


def test_the_command_line_comes_with_it(tmp_path):
    assert command("--version").stdout == f"wngd {wngd.__version__}\n"
    assert command("no-such-command").returncode == 2
    assert "--out" in command("run", "--help").stdout
    ran = command("run", "mixture-mu1", "--set", "stop.iterations=3", "--no-figures", "--out", str(tmp_path / "out"))
    assert ran.returncode == 0, ran.stderr
    report = html.unescape((tmp_path / "out" / "report.html").read_text())
    # The command that repeats it is its own, not Python's.
    assert "wngd run mixture-mu1 --set 'stop.iterations=3' --no-figures" in report


def test_importing_takes_neither_scikit_learn_nor_anything_else():
    code = "import sys, wngd; print([m for m in ('sklearn', 'pandas', 'matplotlib', 'jax', 'scipy') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.stdout == "[]\n", found.stderr


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name):
    module = importlib.import_module(f"wngd.{name}")
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    with_jax = importlib.util.find_spec("jax") is not None
    for example in doctest.DocTestFinder().find(module):
        if with_jax or "import jax" not in example.docstring:
            runner.run(example)
    outcome = runner.summarize(verbose=False)
    assert outcome.failed == 0
    assert outcome.attempted > 0 or name == "_result"


def test_everything_public_is_documented_and_typed():
    stubs = (pathlib.Path(wngd.__file__).parent / "__init__.pyi").read_text()
    assert (pathlib.Path(wngd.__file__).parent / "py.typed").exists()
    for name in wngd.__all__:
        thing = getattr(wngd, name)
        assert f"class {name}" in stubs or f"def {name}" in stubs or f"{name}:" in stubs, name
        if name != "__version__":
            assert thing.__doc__, name
        if inspect.isclass(thing):
            for member, function in inspect.getmembers(thing, inspect.isfunction):
                assert member.startswith("_") or function.__doc__, f"{name}.{member}"


def test_stubs_have_the_arguments_of_functions():
    import ast

    tree = ast.parse((pathlib.Path(wngd.__file__).parent / "__init__.pyi").read_text())

    def arguments(node):
        a = node.args
        return [x.arg for x in a.posonlyargs + a.args + a.kwonlyargs]

    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            function = getattr(wngd, node.name)
            if inspect.isfunction(function):
                real = [n for n, p in inspect.signature(function).parameters.items() if p.kind != p.VAR_KEYWORD]
                assert arguments(node) == real, node.name
        if isinstance(node, ast.ClassDef) and node.name in ("GaussianMixture", "System"):
            for method in (m for m in node.body if isinstance(m, ast.FunctionDef)):
                real = vars(getattr(wngd, node.name)).get(method.name)
                if inspect.isfunction(real):
                    assert arguments(method) == list(inspect.signature(real).parameters), method.name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        wngd.nothing
    assert "GaussianMixture" in dir(wngd)
