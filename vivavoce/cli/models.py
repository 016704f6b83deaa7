"""`vivavoce models`: which there are, fetching one, and which suits this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import msgspec

from vivavoce.cli.progress import DownloadProgress
from vivavoce.cli.table import print_table
from vivavoce.config.errors import VivavoceError


@click.group("models")
def command() -> None:
    """List the Whisper models, fetch one for offline use, or get advice.

    \b
      vivavoce models list
      vivavoce models pull base.en
      vivavoce models recommend
    """


@command.command("list")
def list_models() -> None:
    """List the models by name, and which are on this machine."""
    from vivavoce.actors.transcription.engines.models import REPOSITORIES, cached_model

    rows = []
    for name, repository in REPOSITORIES.items():
        folder = cached_model(name, os.environ)
        here = f"{_size(folder) / 1e6:.0f} MB" if folder else "-"
        rows.append((name, here, repository))
    print_table(("MODEL", "HERE", "REPOSITORY"), rows)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


@command.command("pull")
@click.argument("name")
def pull(name: str) -> None:
    """Fetch model NAME once; afterwards it is used offline for ever."""
    fetching = subprocess.Popen(  # noqa: S603 - our own module; the name is one argument, no shell
        [sys.executable, "-P", "-m", "vivavoce.actors.transcription.engines.pull", name],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert fetching.stdout is not None
    show = DownloadProgress(sys.stderr)
    last: dict[str, str] = {}
    for line in fetching.stdout:
        told = json.loads(line)
        if "what" in told:
            show(told["what"], told["done"], told["total"])
        else:
            last = told
    fetching.wait()
    if "folder" not in last:
        raise VivavoceError(last.get("error", f"fetching {name!r} broke off: try again"))
    click.echo(last["folder"])


class Candidate(msgspec.Struct, frozen=True):
    """A model and what it asks of a machine: memory in GB at int8, cost relative to base."""

    name: str
    memory_gb: float
    cost: float


CANDIDATES = (
    Candidate("tiny.en", 0.4, 0.5),
    Candidate("base.en", 0.6, 1.0),
    Candidate("small.en", 1.1, 4.0),
    Candidate("medium.en", 2.4, 12.0),
    Candidate("large-v3-turbo", 2.6, 14.0),
)


def recommend_model(cores: int, memory_gb: float, *, cuda: bool) -> tuple[Candidate, str]:
    """The largest candidate that fits, and why: pure.

    The budget is one base model at real-time pace for two cores, in proportion to the cores; a CUDA
    device takes any. It rests on figures, not on a measurement of this machine.
    """
    budget = 1e9 if cuda else cores / 2
    fitting = [
        candidate
        for candidate in CANDIDATES
        if candidate.cost <= budget and candidate.memory_gb <= memory_gb / 3
    ]
    chosen = fitting[-1] if fitting else CANDIDATES[0]
    machine = "a CUDA device" if cuda else f"{cores} cores"
    reason = f"the largest that {machine} and {memory_gb:.0f} GB of memory carry with partials"
    return chosen, reason


@command.command("recommend")
def recommend() -> None:
    """Recommend a model from cores, memory and GPU (from figures: nothing is measured)."""
    import shutil

    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory_gb = psutil.virtual_memory().total / 1e9
    cuda = shutil.which("nvidia-smi") is not None
    chosen, reason = recommend_model(cores or 1, memory_gb, cuda=cuda)
    rows = [
        (
            ("→ " if candidate == chosen else "  ") + candidate.name,
            f"{candidate.memory_gb:.1f} GB",
            f"{candidate.cost:g} × base",
        )
        for candidate in CANDIDATES
    ]
    print_table(("  MODEL", "MEMORY", "COST"), rows)
    click.echo(f"\n{chosen.name}: {reason}. From figures, not measured on this machine.")
