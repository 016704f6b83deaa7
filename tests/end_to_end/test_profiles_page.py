"""The page on profiles: its commands run, its profiles load, its tables are complete."""

import re
import shlex
import subprocess
from pathlib import Path

import msgspec
import pytest
from support.program import command, isolated

from vivavoce.config import load_profile
from vivavoce.config.components import COMPONENTS
from vivavoce.config.effects import Effect, effect_of, every_setting
from vivavoce.config.fields import field_type

pytestmark = pytest.mark.process

PAGE = (Path(__file__).parents[2] / "docs" / "profiles.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def commands() -> list[str]:
    return [line.split("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]


@pytest.mark.parametrize("line", commands())
def test_a_command_of_the_page(line: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(blocks("yaml")[0])
    words = shlex.split(line.split(">", maxsplit=1)[0])
    assert words[0] == "vivavoce"
    done = subprocess.run(
        command(*words[1:]),
        cwd=tmp_path,
        env=isolated(tmp_path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("text", blocks("yaml"))
def test_a_profile_of_the_page(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    load_profile(path, environ={})


def test_the_first_example_keeps_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(blocks("yaml")[0])
    profile, parent = load_profile(path, environ={}), load_profile("meeting", environ={})
    assert profile.power.idle == msgspec.structs.replace(parent.power.idle, block_ms=256)
    assert profile.capture == parent.capture
    assert profile.transcription.partial_interval_ms == 400


def rows() -> dict[Effect, str]:
    found = {}
    for effect in Effect:
        (row,) = re.findall(rf"^\| {effect.value} \| (.*) \|$", PAGE, re.MULTILINE)
        found[effect] = row
    return found


def named(row: str) -> set[str]:
    """The settings and sections of a row, those of `transcription` with its name."""
    plain, _, transcription = row.partition("of `transcription`:")
    paths = set(re.findall(r"`([a-z_.]+)`", plain))
    return paths | {f"transcription.{key}" for key in re.findall(r"`([a-z_.]+)`", transcription)}


def test_the_table_of_effects_is_that_of_the_program() -> None:
    pages = {name: effect for effect, row in rows().items() for name in named(row)}
    pages["transcription"] = Effect.NEXT_UTTERANCE  # "what is not named elsewhere"
    assert all(field_type(tuple(name.split("."))) is not None for name in pages)
    pages["description"] = Effect.AT_ONCE  # nobody needs to be told
    for path in every_setting():
        names = [".".join(path[:count]) for count in range(len(path), 0, -1)]
        told = next((pages[name] for name in names if name in pages), None)
        assert told is effect_of(path), ".".join(path)


def test_the_components_of_the_log_are_named() -> None:
    for component in COMPONENTS:
        assert f"`{component}`" in PAGE.split("## The log")[1]
