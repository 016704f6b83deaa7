"""The benchmarks by name. Each is a module with ``description`` and ``run(options) -> Result``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from vivavoce.bench.results import Result

NAMES = ("channel", "micro", "pipeline", "ring", "startup", "memory")
"""In the order in which ``all`` runs them: the long one last."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run of a benchmark is told.

    Attributes:
        quick: a few seconds at most: shows that the benchmark works; its figures mean little.
        model: a Whisper model (CTranslate2 directory or name); None: the one of the checkout's
            tests, and pocketsphinx where there is no checkout.
        hours: hours of audio for ``memory``.
        say: told in a short line what goes on.
    """

    quick: bool = False
    model: str | None = None
    hours: float = 3.0
    say: Callable[[str], None] = lambda _: None


class Benchmark(Protocol):
    """A benchmark module."""

    name: str
    description: str

    def run(self, options: Options) -> Result:
        """Measure. Takes minutes at most, except ``memory``."""
        ...


def find(name: str) -> Benchmark:
    """The benchmark of that name (one of :data:`NAMES`)."""
    return cast(Benchmark, importlib.import_module(f"vivavoce.bench.{name}"))


def checkout() -> Path | None:
    """The root of the source tree that this package is part of; None when installed without."""
    root = Path(__file__).resolve().parent.parent
    return root if (root / "tests" / "assets" / "speech").is_dir() else None
