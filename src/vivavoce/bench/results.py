"""What a benchmark found, as plain data: figures, the machine, files of results, comparison."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from vivavoce.config.errors import VivavoceError
from vivavoce.pipeline.cores import cores_available

Better: TypeAlias = Literal["lower", "higher"]


class ResultFileError(VivavoceError):
    """A file of results cannot be read or written."""

    exit_code = 2


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured figure.

    Attributes:
        name: unique within its benchmark; comparisons go by it.
        value: the figure itself (a median where there are several samples), in ``unit``.
        budget: the most (``better`` is "lower") or the least ("higher") that is promised.
        ratio_to: what ``value`` is a ratio to, measured in the same run in turns; such a figure
            can be compared between machines.
        noise: values up to this are the same as far as a comparison is concerned, in ``unit``.
        samples: how many measurements are behind it; ``p50`` and ``p99`` are theirs.
        verdict: what follows from the figure, where that is not just a budget.
    """

    name: str
    value: float
    unit: str
    better: Better = "lower"
    budget: float | None = None
    ratio_to: str | None = None
    noise: float = 0.0
    samples: int = 1
    p50: float | None = None
    p99: float | None = None
    verdict: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the budget is met; None where there is none."""
        if self.budget is None:
            return None
        return self.value <= self.budget if self.better == "lower" else self.value >= self.budget


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where the figures come from; ``load`` is the one-minute load average at the start."""

    cores: int
    python: str
    platform: str
    load: float = 0.0

    def same_kind(self, other: Machine) -> bool:
        """Whether absolute figures of the two may be compared."""
        mine = (self.cores, self.python, self.platform)
        return mine == (other.cores, other.python, other.platform)


def this_machine() -> Machine:
    """The facts of the machine that this process runs on."""
    return Machine(
        cores=cores_available(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=f"{platform.system()} {platform.machine()}",
        load=round(os.getloadavg()[0], 2),
    )


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Runs beside each other: a row each, its name first. For reading: nothing is judged by it."""

    title: str
    columns: list[str]
    rows: list[list[str | float]]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one run of one benchmark found. ``date`` is ISO 8601 in UTC."""

    name: str
    figures: list[Figure]
    notes: list[str] = msgspec.field(default_factory=list)
    tables: list[Table] = msgspec.field(default_factory=list)
    quick: bool = False
    date: str = msgspec.field(
        default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds")
    )
    machine: Machine = msgspec.field(default_factory=this_machine)


class ResultFile(msgspec.Struct, frozen=True, kw_only=True):
    """What ``--save`` writes and ``--against`` reads; ``v`` is the version of the format."""

    v: Literal[1]
    results: list[Result]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A figure beside its value in an earlier run.

    ``worse`` is how many times worse it is now (below 1: better). ``judged`` is false for absolute
    figures of another machine and between quick and complete runs: they tell, they do not fail.
    """

    benchmark: str
    figure: str
    unit: str
    before: float
    now: float
    worse: float
    judged: bool
    regressed: bool


def times_worse(before: Figure, now: Figure) -> float:
    """How many times worse ``now`` is than ``before``; 1 is equal, infinity if it was 0."""
    noise = max(before.noise, now.noise)
    old, new = max(before.value, noise), max(now.value, noise)
    if now.better == "higher":
        old, new = new, old
    if old <= 0.0:
        return 1.0 if new <= old else math.inf
    return max(new, 0.0) / old


def compare(
    before: Sequence[Result], now: Sequence[Result], factor: float
) -> tuple[list[Comparison], list[str]]:
    """Compare the benchmarks that both runs contain.

    Returns:
        A comparison for each figure in both, and a line for each that is missing in one of them.
    """
    earlier = {result.name: result for result in before}
    comparisons: list[Comparison] = []
    missing: list[str] = []
    for result in now:
        old = earlier.get(result.name)
        if old is None:
            missing.append(f"{result.name}: the earlier run does not have this benchmark")
            continue
        old_figures = {figure.name: figure for figure in old.figures}
        new_figures = {figure.name: figure for figure in result.figures}
        missing += [
            f"{result.name}: {name}: only in the {'earlier' if name in old_figures else 'new'} run"
            for name in [*old_figures, *new_figures]
            if (name in old_figures) != (name in new_figures)
        ]
        comparable = old.machine.same_kind(result.machine) and old.quick == result.quick
        for name, figure in new_figures.items():
            if name not in old_figures:
                continue
            worse = times_worse(old_figures[name], figure)
            judged = comparable or (figure.ratio_to is not None and old.quick == result.quick)
            comparisons.append(
                Comparison(
                    benchmark=result.name,
                    figure=name,
                    unit=figure.unit,
                    before=old_figures[name].value,
                    now=figure.value,
                    worse=worse,
                    judged=judged,
                    regressed=judged and worse > factor,
                )
            )
    return comparisons, missing


def load(path: Path) -> list[Result]:
    """Read the results that :func:`save` wrote.

    Raises:
        ResultFileError: there is no such file, or it holds something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=ResultFile).results
    except OSError as error:
        raise ResultFileError(f"cannot read results from {path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise ResultFileError(
            f"{path} is no file of benchmark results (written by --save): {error}"
        ) from error


def dump(results: Sequence[Result]) -> bytes:
    """The results as JSON, indented for people."""
    encoded = msgspec.json.encode(ResultFile(v=1, results=list(results)))
    return msgspec.json.format(encoded, indent=2) + b"\n"


def save(results: Sequence[Result], path: Path) -> None:
    """Write the results to ``path``.

    Raises:
        ResultFileError: the file cannot be written.
    """
    try:
        path.write_bytes(dump(results))
    except OSError as error:
        raise ResultFileError(f"cannot write results to {path}: {error.strerror}") from error
