"""The Python of the pages does what they show."""

import doctest
import pathlib
import re

import pytest
import wngd  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGES = ["README.md", "docs/python.md", "crates/wngd-py/README.md"]


@pytest.mark.parametrize("page", PAGES)
def test_sessions_print_what_they_show(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    assert blocks, page
    # One session per page, in order.
    session = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page, page, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    if "jax" in text:
        pytest.importorskip("jax")
    runner.run(session)
    assert runner.summarize(verbose=False).failed == 0
