"""`vivavoce history export`: all of it, or a part, as a file of a usual kind."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import click

from vivavoce.config.errors import VivavoceError

if TYPE_CHECKING:  # not needed to start
    from vivavoce.actors.history.entry import Entry

Format = Literal["txt", "md", "srt", "vtt", "jsonl", "csv"]
_SECOND = 16_000


@click.command("export")
@click.option(
    "--format",
    "format_",
    type=click.Choice(get_args(Format)),
    help="By default what FILE ends with, else txt.",
)
@click.option("--since", metavar="WHEN", help="2h, yesterday, 2026-05-01, '2026-05-01 14:30'.")
@click.option("--until", metavar="WHEN", help="The same; a day is meant to its end.")
@click.option("--application", metavar="CLASS", help="Spoken into these windows.")
@click.option(
    "--session", metavar="RUN", help="One run of the program, by what `show` calls it; or `last`."
)
@click.option(
    "--with-retracted",
    is_flag=True,
    help="Also what the speaker took back (jsonl and csv: always).",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to; readable for you alone. Standard output by default.",
)
@click.pass_context
def export(
    context: click.Context,
    *,
    format_: Format | None,
    since: str | None,
    until: str | None,
    application: str | None,
    session: str | None,
    with_retracted: bool,
    output: Path | None,
) -> None:
    """Write what was said, the oldest first.

    Times of srt and vtt are those of the run's audio: they fit a recording of it. Where there are
    several runs, each begins, at a whole second, when the one before has ended; a note in vtt says
    when it was. With --session there is only one.

    \b
      vivavoce history export --since today > today.txt
      vivavoce history export --session last -o talk.srt
      vivavoce history export --format csv -o all.csv
    """
    from vivavoce.actors.history.reading import Filter, Reader
    from vivavoce.cli.history_when import milliseconds

    chosen = format_ or _by_name(output)
    with Reader(context.obj()) as reader:
        if session == "last":
            newest = reader.page(1)
            session = newest[0].session if newest else None
        wanted = Filter(
            since=milliseconds(since),
            until=milliseconds(until, end=True),
            application=application,
            session=session,
        )
        rows: Iterable[Entry] = reader.every(wanted)
        if not with_retracted and chosen not in ("jsonl", "csv"):
            rows = (entry for entry in rows if not entry.retracted)
        _write(WRITERS[chosen](rows), output)


def _by_name(output: Path | None) -> Format:
    kind = output.suffix.removeprefix(".").lower() if output is not None else ""
    return next((known for known in get_args(Format) if known == kind), "txt")


def _write(pieces: Iterator[str], output: Path | None) -> None:
    if output is None:
        for piece in pieces:
            click.echo(piece.encode(), nl=False)
        return
    # Beside it first: a file that is there stays as it is until the new one is complete.
    beside = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                file.write(piece.encode())
        beside.replace(output)
    except OSError as error:
        raise VivavoceError(f"cannot write {output}: {error.strerror}") from error
    finally:
        with suppress(OSError):
            beside.unlink()


def _txt(rows: Iterable[Entry]) -> Iterator[str]:
    """A line for each."""
    for entry in rows:
        yield _safe_line(entry.text) + "\n"


def _md(rows: Iterable[Entry]) -> Iterator[str]:
    """A heading for each day, an item for each row."""
    from vivavoce.cli.history_text import local

    day = ""
    for entry in rows:
        today = local(entry.began, "%Y-%m-%d")
        if today != day:
            yield f"{'' if not day else chr(10)}## {today}\n\n"
            day = today
        where = f" *{_markdown(entry.application)}*" if entry.application else ""
        yield f"- **{local(entry.began, '%H:%M:%S')}**{where} {_markdown(entry.text)}\n"


def _subtitles(kind: Literal["srt", "vtt"]) -> Callable[[Iterable[Entry]], Iterator[str]]:
    def write(rows: Iterable[Entry]) -> Iterator[str]:
        from vivavoce.actors.captions.subtitles import SubtitleWriter
        from vivavoce.cli.history_text import local
        from vivavoce.pipeline.messages import Final

        writer = SubtitleWriter(kind)
        run: str | None = None
        begin, last = 0, 0  # where the run's audio begins among the cues, and where they end
        head = "WEBVTT\n\n" if kind == "vtt" else ""
        yield head
        for entry in rows:
            if entry.session != run:
                yield writer.flush().decode().removeprefix(head)
                begin = -(-max(last, writer.shown_until) // _SECOND) * _SECOND
                if kind == "vtt":
                    yield f"NOTE run {entry.session[:8]} of {local(entry.session_began)}\n\n"
                run = entry.session
            # Two runs side by side interleave: no cue begins before the one ahead of it.
            start = max(begin + entry.start, last)
            end = max(start + _SECOND // 1000, begin + entry.end)
            cue = writer.render(
                Final(
                    utterance=entry.utterance,
                    start=start,
                    end=end,
                    text=entry.text,
                    language=entry.language,
                ),
                0.0,
            )
            yield cue.decode().removeprefix(head)
            last = end
        yield writer.flush().decode().removeprefix(head)

    return write


def _jsonl(rows: Iterable[Entry]) -> Iterator[str]:
    """An object for each; the same as ``list --json``."""
    from vivavoce.cli.history_text import as_data

    for entry in rows:
        yield json.dumps(as_data(entry), ensure_ascii=False) + "\n"


def _csv(rows: Iterable[Entry]) -> Iterator[str]:
    """RFC 4180 (commas, quotation marks, CRLF), with a line of names."""
    from vivavoce.actors.history.entry import Entry as Row
    from vivavoce.cli.history_text import as_data

    out = io.StringIO()
    writer = csv.DictWriter(out, Row.__struct_fields__)
    writer.writeheader()
    for entry in rows:
        data = as_data(entry)
        writer.writerow({key: _cell(value) for key, value in data.items()})
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()  # the names, where there are no rows


WRITERS: dict[Format, Callable[[Iterable[Entry]], Iterator[str]]] = {
    "txt": _txt,
    "md": _md,
    "srt": _subtitles("srt"),
    "vtt": _subtitles("vtt"),
    "jsonl": _jsonl,
    "csv": _csv,
}


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula, and carry out, begins with ' instead.

    OWASP, "CSV Injection".
    """
    if isinstance(value, str):
        return "'" + value if value[:1] in tuple("=+-@\t\r") else value
    return int(value) if isinstance(value, bool) else value


def _safe_line(text: str) -> str:
    from vivavoce.pipeline.safety import neutralise

    return neutralise(text)


_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>()#+!|~"})


def _markdown(text: str) -> str:
    """The text as Markdown shows it: no sign of it is markup, no tag is HTML."""
    return _safe_line(text).translate(_SIGNS).replace("&", "&amp;")
