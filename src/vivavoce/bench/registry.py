"""The benchmarks by name. Each is a module with ``description`` and ``run(options) -> Result``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Protocol, cast

import click

from vivavoce.bench.results import Result
from vivavoce.config.errors import VivavoceError

_OURS, _DEVELOPERS = "vivavoce.bench", "bench"

PACKAGES = {
    "channel": _OURS,
    "micro": _DEVELOPERS,
    "pipeline": _DEVELOPERS,
    "ring": _OURS,
    "loop": _OURS,
    "monitor": _DEVELOPERS,
    "startup": _OURS,
    "ptt-path": _DEVELOPERS,
    "cleanup": _DEVELOPERS,
    "ptt": _DEVELOPERS,
    "history": _DEVELOPERS,
    "stream": _DEVELOPERS,
    "throughput": _DEVELOPERS,
    "idle": _OURS,
    "wake": _DEVELOPERS,
    "memory": _DEVELOPERS,
    "soak": _DEVELOPERS,
}
"""Where each benchmark is, in the order in which ``all`` runs them: the long ones last.

Those of ``bench``, the folder of a checkout, need what only a checkout has (recordings whose words
and their times are known, a million rows of history, other ways to do it), or measure whether a way
to do something pays, which is the same on every machine.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run of a benchmark is told.

    Attributes:
        quick: a few seconds at most: shows that the benchmark works; its figures mean little.
        model: a Whisper model (CTranslate2 directory or name); None: the one of the checkout's
            tests, and pocketsphinx where there is no checkout.
        recording: for ``loop``, what is captioned; None: a talk of the checkout's tests, and the
            demonstration where there is no checkout.
        seconds: for ``idle``, seconds of measuring in each mode.
        say: told in a short line what goes on.
    """

    quick: bool = False
    model: str | None = None
    recording: Path | None = None
    seconds: float = 60.0
    say: Callable[[str], None] = lambda _: None

    @property
    def written(self) -> tuple[Path, ...]:
        """Files that the benchmarks will write."""
        return ()


class Benchmark(Protocol):
    """A benchmark module."""

    name: str
    description: str

    def run(self, options: Options) -> Result:
        """Measure. Takes minutes; ``memory``, ``wake`` and ``soak`` take longer.

        Args:
            options: made by the suite; the developers' benchmarks want those of their suite.
        """
        ...


class UnknownBenchmark(VivavoceError):  # noqa: N818 - what the user named
    """There is no benchmark of that name here."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Suite:
    """The benchmarks that can be run together.

    Attributes:
        names: in the order in which ``all`` runs them.
        options: what makes the options, from the parameters of the command line by name.
        parameters: of the command line, beyond those that every suite has or in their place.
    """

    names: tuple[str, ...]
    options: Callable[..., Options] = Options
    parameters: tuple[click.Parameter, ...] = ()

    def wanted(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The benchmarks that are named, each once; ``all`` names all of them.

        Raises:
            UnknownBenchmark: one of them is not here; says where it is, if it is anywhere.
        """
        here = ", ".join(self.names)
        for name in names:
            if name in self.names or name == "all":
                continue
            if name in PACKAGES:
                raise UnknownBenchmark(
                    f"{name!r} is a developers' benchmark, which an installed package does not "
                    f"have: run `vivavoce bench {name}` in a checkout of the source (after `make "
                    f"install`); here there are: {here}, all"
                )
            raise UnknownBenchmark(f"no benchmark is called {name!r}; there are: {here}, all")
        return self.names if "all" in names else tuple(dict.fromkeys(names))


INSTALLED = Suite(tuple(name for name, package in PACKAGES.items() if package == _OURS))
"""What works wherever the package is."""


def suite() -> Suite:
    """The benchmarks that work here: the developers' too, where this is part of a checkout."""
    root = checkout()
    if root is None:
        return INSTALLED
    _open(root / _DEVELOPERS)
    developers = importlib.import_module(f"{_DEVELOPERS}.options")
    return Suite(tuple(PACKAGES), developers.DeveloperOptions, developers.PARAMETERS)


def find(name: str) -> Benchmark:
    """The benchmark of that name, one of the names of :func:`suite`."""
    module = name.replace("-", "_")
    return cast(Benchmark, importlib.import_module(f"{PACKAGES[name]}.{module}"))


def checkout() -> Path | None:
    """The root of the source tree that this package is part of; None when installed without."""
    here = Path(__file__).resolve().parent
    root = here.parents[2]
    return root if here == root / "src" / "vivavoce" / "bench" else None


def _open(folder: Path) -> None:
    """Make a package importable by the name of its folder, and nothing that is beside it.

    The root of the checkout in ``sys.path`` would also make `config`, `docs`, `tests` importable.
    """
    if folder.name in sys.modules:
        return
    spec = spec_from_file_location(
        folder.name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[folder.name] = module
    spec.loader.exec_module(module)
