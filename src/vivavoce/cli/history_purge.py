"""`vivavoce history purge`: gone for good, from the file, its index and its log."""

from __future__ import annotations

import sys

import click

from vivavoce.config.errors import VivavoceError


@click.command("purge")
@click.option("--all", "everything", is_flag=True, help="All of it.")
@click.option("--before", metavar="WHEN", help="What was said before: 2026-05-01, yesterday, 2h.")
@click.option("--older-than", metavar="AGE", help="What is older: 30d, 12h.")
@click.option(
    "--id", "numbers", type=click.IntRange(min=1), multiple=True, metavar="N", help="One."
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_context
def purge(
    context: click.Context,
    *,
    everything: bool,
    before: str | None,
    older_than: str | None,
    numbers: tuple[int, ...],
    yes: bool,
) -> None:
    """Remove what was said, for good: it is overwritten in the file, the index and the log.

    (What the disk itself still holds in blocks that it no longer uses, or a backup has, nobody can
    tell from here.) It works while the program is running, too.

    \b
      vivavoce history purge --id 4711
      vivavoce history purge --older-than 30d
      vivavoce history purge --all
    """
    from vivavoce.actors.history.errors import NoHistory
    from vivavoce.actors.history.purging import Purge, count, purge_now
    from vivavoce.actors.history.reading import Reader
    from vivavoce.cli.history_when import milliseconds

    chosen = [bool(everything), before is not None, older_than is not None, bool(numbers)]
    if sum(chosen) != 1:
        raise click.UsageError("say what to remove: --all, --before, --older-than or --id")
    wanted = Purge(everything=everything, before=milliseconds(before or older_than), ids=numbers)
    path = context.obj()
    try:
        with Reader(path) as reader:
            found = count(reader, wanted)
    except NoHistory:
        found = 0
    if not found:
        click.echo("nothing of that is there", err=True)
        return
    if not yes:
        _ask(f"remove {found:,} {'entry' if found == 1 else 'entries'} of {path} for good?")
    removed, complete = purge_now(path, wanted)
    click.echo(f"removed {removed:,}", err=True)
    if not complete:
        click.echo(
            "a program is reading the history: its log still holds what was removed; run the same "
            "command again when that has ended",
            err=True,
        )


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise VivavoceError("nobody can be asked here: say --yes to remove it")
    click.confirm(question, abort=True, err=True)
