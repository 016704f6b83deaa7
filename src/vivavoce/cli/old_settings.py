"""Settings of earlier releases in a profile that a command reads: told, and left out."""

from __future__ import annotations

import click


def told_as_gone(line: str) -> None:
    """Say so on standard error; the command goes on."""
    click.echo(f"vivavoce: {line}", err=True)
