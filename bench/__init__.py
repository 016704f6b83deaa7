"""The developers' benchmarks: what needs this checkout. ``vivavoce bench`` runs them from here.

The harness, and what a user can run on an installed package, are ``vivavoce.bench``.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

SPEECH = ROOT / "tests" / "assets" / "speech"
"""Recordings whose words and word times are known: in the ``refs.json`` beside them."""

_START = (
    "import runpy, sys; sys.path.append(sys.argv.pop(1)); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def program(module: str, *arguments: str) -> list[str]:
    """The command line that runs a module of this package as a program, wherever it is started."""
    return [sys.executable, "-P", "-c", _START, str(ROOT), f"bench.{module}", *arguments]
