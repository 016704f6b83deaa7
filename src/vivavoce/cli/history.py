"""`vivavoce history`: what was said, and what became of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vivavoce.cli.history_export import export
from vivavoce.cli.history_purge import purge
from vivavoce.cli.history_use import copy, replay
from vivavoce.cli.old_settings import told_as_gone

if TYPE_CHECKING:  # not needed to start
    from vivavoce.actors.history.reading import Filter

_MOST = 10_000

_limit = click.option(
    "--limit",
    "-n",
    type=click.IntRange(1, _MOST),
    default=20,
    show_default=True,
    help="How many at most.",
)
_before = click.option(
    "--before", type=click.IntRange(min=1), metavar="ID", help="Only those with lesser numbers."
)
_since = click.option(
    "--since", metavar="WHEN", help="2h, yesterday, 2026-05-01, '2026-05-01 14:30'."
)
_until = click.option("--until", metavar="WHEN", help="The same; a day is meant to its end.")
_application = click.option("--application", metavar="CLASS", help="Spoken into these windows.")
_json = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group("history")
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The database; by default the one that the profile names.",
)
@click.option("--profile", metavar="PROFILE", help="Whose `history.path` is meant.")
@click.pass_context
def command(context: click.Context, *, file: Path | None, profile: str | None) -> None:
    """What was said: list it, search it, use it again, export it, remove it.

    \b
      vivavoce history list --since yesterday
      vivavoce history search 'quarterly rep'        the last word may be a beginning
      vivavoce history copy last                     into the clipboard
      vivavoce history export --format md -o said.md
      vivavoce history purge --older-than 30d

    A history is kept where the profile says `history.enabled: true`, as `dictation` does.
    """
    context.obj = lambda: _place(file, profile)


def _place(file: Path | None, profile: str | None) -> Path:
    if file is not None:
        return file.absolute()
    from vivavoce.actors.history.place import history_path
    from vivavoce.config import load_profile

    name = profile or os.environ.get("VIVAVOCE_PROFILE")
    return history_path(
        load_profile(name, environ=os.environ, on_gone=told_as_gone).history, os.environ
    )


def _wanted(since: str | None, until: str | None, application: str | None) -> Filter:
    from vivavoce.actors.history.reading import Filter
    from vivavoce.cli.history_when import milliseconds

    return Filter(
        since=milliseconds(since), until=milliseconds(until, end=True), application=application
    )


@command.command("list")
@_limit
@_before
@_since
@_until
@_application
@_json
@click.pass_context
def list_finals(
    context: click.Context,
    *,
    limit: int,
    before: int | None,
    since: str | None,
    until: str | None,
    application: str | None,
    as_json: bool,
) -> None:
    """List what was said, the newest first.

    \b
      vivavoce history list --since 2h
      vivavoce history list --application firefox --limit 100
      vivavoce history list --json | jq -r '.[].text'
    """
    from vivavoce.actors.history.reading import Reader
    from vivavoce.cli.history_text import as_data, show_list

    wanted = _wanted(since, until, application)
    with Reader(context.obj()) as reader:
        found = reader.page(limit + 1, before=before, wanted=wanted)
    if as_json:
        click.echo(json.dumps([as_data(entry) for entry in found[:limit]], ensure_ascii=False))
        return
    show_list([(entry, entry.text) for entry in found[:limit]], more=len(found) > limit)


@command.command("search")
@click.argument("words", nargs=-1, required=True)
@_limit
@_before
@_since
@_until
@_application
@click.option("--fts", is_flag=True, help="WORDS are a query in the syntax of SQLite's FTS5.")
@_json
@click.pass_context
def search(
    context: click.Context,
    *,
    words: tuple[str, ...],
    limit: int,
    before: int | None,
    since: str | None,
    until: str | None,
    application: str | None,
    fts: bool,
    as_json: bool,
) -> None:
    """Find what was said by its WORDS, the newest first.

    All words must be there; case and accents do not matter, and the last word may be the beginning
    of one. "Several words" in quotation marks are meant side by side; word* is a beginning.

    \b
      vivavoce history search invoice march
      vivavoce history search '"new york" flight'
      vivavoce history search --fts 'invoice NOT (march OR april)'
    """
    from vivavoce.actors.history.query import match_expression
    from vivavoce.actors.history.reading import Reader
    from vivavoce.cli.history_text import as_data, show_list

    text = " ".join(words)
    expression = text if fts else match_expression(text)
    wanted = _wanted(since, until, application)
    with Reader(context.obj()) as reader:
        found = reader.search(expression, limit + 1, before=before, wanted=wanted)
    if as_json:
        data = [as_data(hit.entry) for hit in found[:limit]]
        click.echo(json.dumps(data, ensure_ascii=False))
        return
    show_list([(hit.entry, hit.marked) for hit in found[:limit]], more=len(found) > limit)


@command.command("show")
@click.argument("number", metavar="ID|last")
@_json
@click.pass_context
def show(context: click.Context, *, number: str, as_json: bool) -> None:
    """Show all that is kept of one final."""
    from vivavoce.actors.history.reading import Reader
    from vivavoce.cli.history_text import as_data, show_entry
    from vivavoce.cli.history_use import find

    with Reader(context.obj()) as reader:
        entry = find(reader, number)
    if as_json:
        click.echo(json.dumps(as_data(entry), ensure_ascii=False, indent=2))
    else:
        show_entry(entry)


@command.command("path")
@click.pass_context
def path(context: click.Context) -> None:
    """Print where the database is."""
    click.echo(str(context.obj()))


for each in (copy, replay, export, purge):
    command.add_command(each)
