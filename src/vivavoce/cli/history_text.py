"""How rows of the history look on a terminal. What was said is text there, and steers nothing."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from wcwidth import wcswidth

from vivavoce.actors.history.entry import Entry
from vivavoce.cli.table import coloured, styled
from vivavoce.pipeline.safety import neutralise

_MARKS = re.compile("([\x02\x03])")
_LEAST_TEXT = 30


def as_data(entry: Entry) -> dict[str, Any]:
    """A row as JSON shows it: times as ISO 8601 in UTC and in seconds of the run's audio."""
    data: dict[str, Any] = msgspec.to_builtins(entry)
    for key in ("session_began", "began", "ended"):
        data[key] = iso(data[key])
    for key in ("start", "end"):
        data[key] = round(data[key] / 16_000, 3)
    return data


def iso(milliseconds: int) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return _utc(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local(milliseconds: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A time as people here read it."""
    return _utc(milliseconds).astimezone().strftime(form)


def _utc(milliseconds: int) -> datetime:
    # A damaged clock can have written anything.
    return datetime.fromtimestamp(min(max(milliseconds / 1000, 0), 253_402_214_400), UTC)


def fate(entry: Entry) -> str:
    """What became of it, in a word; empty: it was only heard."""
    return "retracted" if entry.retracted else entry.outcome


def show_list(rows: Sequence[tuple[Entry, str]], *, more: bool) -> None:
    """Print a line for each row: number, time, window, what became of it, text.

    On a terminal texts are cut to its width, and more lines than it has go through a pager.
    Elsewhere they are whole.

    Args:
        rows: with the text to show; what stands between U+0002 and U+0003 is highlighted.
        more: there are older ones.
    """
    if not rows:
        click.echo("nothing is there", err=True)
        return
    cells = [
        (str(entry.id), local(entry.began), neutralise(entry.application), fate(entry), text)
        for entry, text in rows
    ]
    terminal = sys.stdout.isatty()
    columns, height = shutil.get_terminal_size()
    widths = [max(max(0, wcswidth(row[column])) for row in cells) for column in range(4)]
    widths[2] = min(widths[2], 20)
    taken = sum(width + 2 for width in widths if width)
    room = max(_LEAST_TEXT, columns - taken) if terminal else None
    lines = [
        "".join(
            _padded(cell, width) + "  " for cell, width in zip(row, widths, strict=False) if width
        )
        + _highlighted(row[4], room)
        for row in cells
    ]
    if terminal and len(lines) > height - 2:
        click.echo_via_pager("\n".join(lines) + "\n", color=coloured())
    else:
        click.echo("\n".join(lines), color=coloured())
    if more:
        click.echo(f"more: --before {rows[-1][0].id}", err=True)


def _padded(cell: str, width: int) -> str:
    cell = _cut(cell, width)
    return cell + " " * (width - max(0, wcswidth(cell)))


def _cut(text: str, room: int | None) -> str:
    """As much of it as fits, with an ellipsis where that is not all."""
    if room is None or 0 <= wcswidth(text) <= room:
        return text
    used, kept = 0, []
    for character in text:
        used += max(0, wcswidth(character))
        if used > room - 1:
            break
        kept.append(character)
    return "".join(kept) + "…"


def _highlighted(text: str, room: int | None) -> str:
    """The text in one line, cut so that the first match can be seen, the matches in bold."""
    pieces = _MARKS.split(text)
    plain, marks, on = "", [], False
    for piece in pieces:
        if piece in ("\x02", "\x03"):
            on = piece == "\x02"
            continue
        shown = neutralise(piece)
        marks += [on] * len(shown)
        plain += shown
    first = marks.index(True) if True in marks else 0
    begin = 0
    if room is not None and wcswidth(plain) > room and first > room // 2:
        begin = first - room // 3
    cut = ("…" if begin else "") + _cut(plain[begin:], None if room is None else room - bool(begin))
    marked = ([False] if begin else []) + marks[begin:]
    out, at = "", 0
    while at < len(cut):
        state = at < len(marked) and marked[at]
        end = at + 1
        while end < len(cut) and (end < len(marked) and marked[end]) == state:
            end += 1
        out += styled(cut[at:end], bold=True, colour="yellow") if state else cut[at:end]
        at = end
    return out


def show_entry(entry: Entry) -> None:
    """Print all that is kept of a row, a line each, and its text below."""
    seconds = (entry.ended - entry.began) / 1000
    engine = " ".join(filter(None, (entry.engine, entry.model, entry.language)))
    result = " ".join(filter(None, (fate(entry), entry.back_end and f"by {entry.back_end}")))
    facts = {
        "number": str(entry.id),
        "spoken": f"{local(entry.began)} ({seconds:.1f} s)",
        "profile": entry.profile,
        "engine": engine,
        "confidence": f"{entry.confidence:.2f}",
        "application": entry.application,
        "injection": f"{result}: {entry.reason}" if entry.reason else result,
        "heard": entry.heard,
        "sound": f"kept (vivavoce history replay {entry.id})" if entry.sound else "",
        "run": f"{entry.session[:8]}, {entry.start / 16_000:.3f} s to {entry.end / 16_000:.3f} s",
    }
    for name, value in facts.items():
        if value:
            click.echo(f"{styled(name.ljust(12), bold=True)}{neutralise(value)}", color=coloured())
    click.echo("\n" + "\n".join(map(neutralise, entry.text.split("\n"))))
