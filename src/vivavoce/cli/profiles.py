"""`vivavoce profiles`: which there are, what is in them, and whether one is right."""

from __future__ import annotations

import os

import click

from vivavoce.cli.old_settings import told_as_gone
from vivavoce.cli.table import print_table

_settings = click.option(
    "--set", "settings", multiple=True, metavar="SECTION.KEY=VALUE", help="Change a setting."
)


@click.group("profiles", invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List the profiles, show one with everything filled in, or check one.

    \b
      vivavoce profiles
      vivavoce profiles show meeting
      vivavoce profiles validate ./mine.yaml
    """
    if context.invoked_subcommand is not None:
        return
    from vivavoce.config import load_profile
    from vivavoce.config.layers import known_profiles

    rows = []
    for name, place in sorted(known_profiles(os.environ).items()):
        loaded = load_profile(name, environ=os.environ, on_gone=told_as_gone)
        rows.append((name, place, loaded.description))
    print_table(("PROFILE", "WHERE", "WHAT"), rows)


@command.command("show")
@click.argument("name")
@_settings
def show(name: str, settings: tuple[str, ...]) -> None:
    """Print profile NAME (or a file) as YAML, with every setting filled in."""
    import msgspec
    import yaml

    from vivavoce.config import load_profile

    loaded = load_profile(name, environ=os.environ, overrides=settings, on_gone=told_as_gone)
    click.echo(
        yaml.safe_dump(msgspec.to_builtins(loaded), sort_keys=False, allow_unicode=True), nl=False
    )


@command.command("validate")
@click.argument("name")
@_settings
def validate(name: str, settings: tuple[str, ...]) -> None:
    """Check profile NAME (or a file): `ok`, or one line that says what is wrong where."""
    from vivavoce.config import load_profile

    load_profile(name, environ=os.environ, overrides=settings)
    click.echo("ok")
