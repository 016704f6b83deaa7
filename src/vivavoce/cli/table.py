"""Plain tables for people."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click
from wcwidth import wcswidth


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns on standard output; the head is bold on a terminal."""
    widths = [max(wcswidth(row[column]) for row in (head, *rows)) for column in range(len(head))]
    click.echo(styled(_line(head, widths), bold=True), color=coloured())
    for row in rows:
        click.echo(_line(row, widths), color=coloured())


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell + " " * (width - wcswidth(click.unstyle(cell)))
        for cell, width in zip(cells, widths, strict=True)
    ]
    return "  ".join(padded).rstrip()


def coloured() -> bool:
    """Whether standard output is a terminal whose user wants colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def styled(text: str, *, bold: bool = False, colour: str | None = None) -> str:
    """``text`` in style where colours are wanted, as it is elsewhere."""
    return click.style(text, bold=bold, fg=colour) if coloured() else text
