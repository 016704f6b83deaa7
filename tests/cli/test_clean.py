"""`vivavoce clean`, run as a user runs it."""

import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from support.program import run

from vivavoce.cli.clean import command

PROFILE = """
cleanup:
  spoken_punctuation: true
  spoken_layout: true
  spoken_edits: true
  fillers: true
applications:
  - match: xterm
    settings: {cleanup: {sentence_case: false}}
"""


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = tmp_path / "mine.yaml"
    path.write_text(PROFILE)
    return f"--profile={path}"


def clean(*arguments: str, stdin: bytes | None = None) -> str:
    result = CliRunner().invoke(command, list(arguments), input=stdin, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_text_is_cleaned_by_the_rules_of_a_profile(profile: str) -> None:
    assert clean(profile, "um hello comma new line you") == "Hello,\nyou\n"
    assert clean(profile, "hello", "comma", "you") == "Hello, you\n"
    for german in ("de", "German", "de-CH"):
        assert clean(profile, "hallo Komma du", "--language", german) == "Hallo, du\n"
    assert clean(profile, "--application", "XTerm", "ls period") == "ls.\n"
    assert clean(profile, "--set", "cleanup.fillers=false", "um") == "Um\n"


def test_each_line_of_standard_input_is_a_text(profile: str) -> None:
    assert (
        clean(profile, "-", stdin=b"hi comma b\r\num\n\xff\xfe c\n") == "Hi, b\n\n\ufffd\ufffd c\n"
    )


def test_control_characters_are_shown_as_escapes(profile: str) -> None:
    shown = clean(profile, "\x1b[2J red new line you")
    assert shown == "\\x1b[2J red\nyou\n"
    assert "\x1b" not in clean(profile, "--explain", "\x1b[31m comma \x07 um")


def test_it_is_explained_rule_by_rule(profile: str) -> None:
    shown = clean(profile, "--explain", "scratch that, um hello comma new line you")
    assert "\x1b" not in shown
    lines = shown.splitlines()
    assert lines[0].split() == ["RULE", "BEFORE", "AFTER"]
    rules = [line.split()[0] for line in lines[1 : lines.index("")]]
    assert rules == [
        "edits.scratch_that",
        "fillers.um",
        "punctuation.comma",
        "layout.new_line",
        "tidy.sentence_case",
    ]
    assert re.search("hello comma +→  hello,\n", shown)
    assert "Hello,\\nyou" in shown
    assert "takes back 1" in shown


def test_json_for_programs(profile: str) -> None:
    told = json.loads(clean(profile, "--json", "--explain", "scratch that, hi comma"))
    assert told["text"] == "Hi,"
    assert told["retracts"] == 1
    assert told["steps"][0] == {
        "rule": "edits.scratch_that",
        "before": "scratch that,",
        "after": "",
    }
    rules = json.loads(clean(profile, "--json", "--list"))
    assert {"rule": "numbers", "on": False, "say": [], "writes": "digits"} in rules


def test_all_rules_are_listed_with_what_is_said_for_them(profile: str) -> None:
    shown = clean(profile, "--list", "--set", "cleanup.without=[punctuation.comma]")
    rows = {line.split()[0]: line.split()[1] for line in shown.splitlines()[1:]}
    assert rows["punctuation.full_stop"] == "on"
    assert rows["punctuation.comma"] == rows["units.percent"] == "off"
    assert "fuck" not in shown.replace("profanity.fuck", "")


def test_no_text_is_wrong_usage(profile: str) -> None:
    result = CliRunner().invoke(command, [profile])
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == click.UsageError.exit_code
    assert "there is no text" in result.output


@pytest.mark.process
def test_the_program_has_the_command_and_a_wrong_rule_is_one_line(tmp_path: Path) -> None:
    told = run(tmp_path, "clean", "--profile", "captions", "so i said , well")
    assert (told.code, told.out) == (0, "So I said, well\n")
    wrong = run(tmp_path, "clean", "--set", "cleanup.without=[punctuation.coma]", "x")
    assert wrong.code == 2
    assert len(wrong.err.splitlines()) == 1
    assert "did you mean 'punctuation.comma'" in wrong.err
