"""docs/history.md says what is so."""

import re
import shlex
from pathlib import Path

import click
import msgspec

from vivavoce.actors.history import recorder, upkeep
from vivavoce.cli import COMMANDS
from vivavoce.cli.history import command
from vivavoce.cli.history_export import WRITERS
from vivavoce.config import load_profile
from vivavoce.config.history import HistorySettings
from vivavoce.config.schema import Profile

PAGE = (Path(__file__).parents[2] / "docs" / "history.md").read_text()


def test_every_setting_is_there_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([\w.]+)` \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE))
    told = {name.removeprefix("history."): value for name, value in rows.items()}
    assert told.pop("persistence") == str(Profile().persistence).lower()
    assert set(told) == set(HistorySettings.__struct_fields__)
    for name, value in told.items():
        default = getattr(HistorySettings(), name)
        shown = "–" if default is None else str(default).lower().removesuffix(".0")
        assert value == shown, name


def test_every_command_and_option_exists() -> None:
    lines = [
        line
        for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(lines) > 8
    seen = set()
    for line in lines:
        program, name, *arguments = shlex.split(line)
        assert (program, name in COMMANDS) == ("vivavoce", True)
        if name == "history":
            chosen = command.commands[arguments[0]]
            seen.add(arguments[0])
            with click.Context(chosen) as context:
                chosen.parse_args(context, list(arguments[1:]))
    assert seen == set(command.commands)


def test_the_figures_are_those_of_the_program() -> None:
    assert f"over {upkeep._SMALL:,} entries" in PAGE
    assert f"up to {recorder._CAPACITY:,} changes" in PAGE
    assert all(f"`{kind}`" in PAGE for kind in WRITERS)
    assert round(16_000 * 2 * 3_600 / 1e6) == 115


def test_dictation_keeps_and_captions_do_not() -> None:
    assert load_profile("dictation", environ={}).history.enabled
    assert not load_profile("captions", environ={}).history.enabled
    assert not msgspec.to_builtins(load_profile("dictation", environ={}))["history"]["audio"]
