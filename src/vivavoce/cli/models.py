"""`vivavoce models`: which there are, fetching one, and which suits this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click

from vivavoce.cli.old_settings import told_as_gone
from vivavoce.cli.progress import DownloadProgress
from vivavoce.cli.recommend import command as recommend
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
    from vivavoce.actors.transcription.interpreter import (
        CANNOT_IMPORT,
        InterpreterError,
        host_program,
        python_command,
    )
    from vivavoce.config import load_profile

    fetcher, environ = python_command(
        "vivavoce.actors.transcription.engines.pull",
        [name],
        python=load_profile(environ=os.environ, on_gone=told_as_gone).transcription.python,
        host=host_program(),
        environ=os.environ,
    )
    try:
        fetching = subprocess.Popen(  # noqa: S603 - our own module; the name is one argument, no shell
            fetcher, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except OSError as error:
        raise InterpreterError(f"{fetcher[0]!r} cannot be run ({error.strerror})") from error
    assert fetching.stdout is not None
    show = DownloadProgress(sys.stderr)
    last: dict[str, str] = {}
    for line in fetching.stdout:
        told = json.loads(line)
        if "what" in told:
            show(told["what"], told["done"], told["total"])
        else:
            last = told
    if fetching.wait() == CANNOT_IMPORT:
        raise InterpreterError(f"{fetcher[0]!r} cannot import vivavoce")
    if "folder" not in last:
        raise VivavoceError(last.get("error", f"fetching {name!r} broke off: try again"))
    click.echo(last["folder"])


command.add_command(recommend)
