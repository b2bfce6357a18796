"""The command line ``wngd`` as a script of this package."""

import sys

from . import _wngd


def main() -> int:
    """Runs the command of ``sys.argv`` and returns its exit code."""
    return _wngd.command(sys.argv)
