"""`vivavoce clean`: what a profile makes of a text, and which rule did what."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from vivavoce.cli.language import checked_language, known_languages
from vivavoce.cli.old_settings import told_as_gone
from vivavoce.cli.table import coloured, print_table, styled

if TYPE_CHECKING:
    from vivavoce.actors.cleanup import Cleaner, Step
    from vivavoce.config.cleanup import CleanupSettings


@click.command("clean")
@click.argument("text", nargs=-1, metavar="[TEXT|-]")
@click.option(
    "--profile", default="dictation", show_default=True, help="Whose rules: a name or a file."
)
@click.option(
    "--language",
    callback=checked_language,
    shell_complete=known_languages,
    metavar="CODE",
    help="As `de`. Default: the profile's, or English.",
)
@click.option(
    "--application", default="", metavar="CLASS", help="As text for windows of this class."
)
@click.option("--explain", is_flag=True, help="Show which rule did what.")
@click.option("--list", "listed", is_flag=True, help="List all rules, and whether they are on.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object for each text.")
@click.option(
    "--set", "settings", multiple=True, metavar="SECTION.KEY=VALUE", help="Change a setting."
)
def command(
    *,
    text: tuple[str, ...],
    profile: str,
    language: str | None,
    application: str,
    explain: bool,
    listed: bool,
    as_json: bool,
    settings: tuple[str, ...],
) -> None:
    """Clean TEXT as a profile would clean what was said; `-`: each line of standard input.

    \b
      vivavoce clean "dear John comma new line thank you um so much"
      vivavoce clean --explain "it is five percent period scratch that"
      vivavoce clean --list --language de
      vivavoce clean --set cleanup.fillers=false - < lines.txt
    """
    from vivavoce.actors.cleanup import Cleaner
    from vivavoce.config import load_profile
    from vivavoce.config.for_application import for_application

    loaded = load_profile(profile, environ=os.environ, overrides=settings, on_gone=told_as_gone)
    language = language or loaded.transcription.language or "en"
    cleaner = Cleaner(for_application(loaded, application).cleanup)
    if listed:
        _list(cleaner.settings, language, as_json)
        return
    if not text:
        raise click.UsageError('there is no text: vivavoce clean "some text", or - for its input')
    for each in _lines() if text == ("-",) else [_readable(" ".join(text))]:
        if as_json:
            _print_json(cleaner, each, language, explain)
        elif explain:
            _print_steps(cleaner, each, language)
        else:
            click.echo(_shown(cleaner.text(each, language), keep="\n"))


def _lines() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def _readable(text: str) -> str:
    """An argument as text: what is no UTF-8 in it comes as question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _print_json(cleaner: Cleaner, text: str, language: str, explain: bool) -> None:
    cleaned, retracts = cleaner.cleaned(text, language)
    found: dict[str, object] = {"text": cleaned, "retracts": retracts}
    if explain:
        steps = cleaner.explain(text, language)
        found["steps"] = [
            {"rule": step.rule, "before": step.before, "after": step.after} for step in steps
        ]
    click.echo(json.dumps(found, ensure_ascii=False))


def _print_steps(cleaner: Cleaner, text: str, language: str) -> None:
    cleaned, retracts = cleaner.cleaned(text, language)
    steps = cleaner.explain(text, language)
    if steps:
        print_table(("RULE", "BEFORE", "", "AFTER"), list(_rows(steps)))
        click.echo()
    click.echo(f"{styled('said', bold=True)}   {_shown(text)}")
    click.echo(f"{styled('text', bold=True)}   {_shown(cleaned)}", color=coloured())
    if retracts:
        click.echo(f"and takes back {retracts} before it")


def _rows(steps: Iterable[Step]) -> Iterator[tuple[str, ...]]:
    for step in steps:
        yield (
            styled(_shown(step.rule), colour="cyan"),
            styled(_shown(step.before), colour="red"),
            "→",
            styled(_shown(step.after), colour="green"),
        )


def _shown(text: str, keep: str = "") -> str:
    """The text with what a terminal would obey written as escapes."""
    return "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)


# -- the list of all rules


def _list(settings: CleanupSettings, language: str, as_json: bool) -> None:
    from vivavoce.actors.cleanup.listing import all_rules

    rules = all_rules(settings, language)
    if as_json:
        click.echo(
            json.dumps(
                [
                    {"rule": rule.name, "on": rule.on, "say": rule.say, "writes": rule.writes}
                    for rule in rules
                ],
                ensure_ascii=False,
            )
        )
        return
    rows = [
        (
            _shown(rule.name),
            styled("on", colour="green") if rule.on else "off",
            _shown(", ".join(rule.say)),
            _shown(rule.writes),
        )
        for rule in rules
    ]
    print_table(("RULE", "IS", "SAY", "WRITES"), rows)
