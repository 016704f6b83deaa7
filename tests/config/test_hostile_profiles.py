"""Profiles and settings that nobody should write get one line, never a traceback."""

from pathlib import Path

import pytest

from vivavoce.config import Profile, ProfileError, load_profile


def load(*overrides: str, **environ: str) -> Profile:
    return load_profile(environ=environ, overrides=overrides)


def error(path: Path | None, *overrides: str) -> str:
    with pytest.raises(ProfileError) as refused:
        load_profile(path, environ={}, overrides=overrides)
    said = str(refused.value)
    assert said.isprintable()
    return said


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("vad:\n  threshold: !!float abc\n", 2, "vad.threshold"),
        ("vad:\n  gate: !!bool maybe\n", 2, "vad.gate"),
        ("vad:\n  pause_ms: !!int ''\n", 2, "vad.pause_ms"),
        ("vad:\n  gate: !!timestamp now\n", 2, "vad.gate"),
        ("description: x\ntranscription:\n  initial_prompt: 2024-13-45\n", 3, "2024-13-45"),
        (f"vad:\n  pause_ms: {'9' * 5_000}\n", 2, "vad.pause_ms"),
        ("vad:\n  gate: &a [*a]\n", 2, "nested"),
        ("vad: &a\n  gate: *a\n", 1, "nested"),
        (f"vad: {'[' * 400_000}", 1, "nested"),
        (f"vad: {'{a: ' * 200_000}", 1, "nested"),
        (f"vad:\n  {'- ' * 300_000}", 2, "nested"),
    ],
)
def test_what_yaml_cannot_make_a_value_of_is_one_line(tmp_path, text, line, words) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    said = error(path)
    assert said.startswith(f"{path}:{line}: ")
    assert words in said
    assert len(said) < 400 + len(str(path))


@pytest.mark.parametrize(
    "text", ['"v\\e[31mad": 3\n', '"vad\\nx": 3\n', 'vad: {gate: "a\\nb\\e]0;x\\a"}\n', "\x07: 1\n"]
)
def test_control_characters_do_not_reach_the_terminal(tmp_path, text) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    error(path)
    error(None, "vad.gate=a\nb", "x=\x1b[31m")
    error(None, "vad.ga\x1b[31mte=true")


def test_a_very_long_value_is_not_repeated_in_full() -> None:
    assert len(error(None, f"vad.threshold={'x' * 100_000}")) < 400


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("no", "no"),
        ("2024", "2024"),
        ("Meeting: today", "Meeting: today"),
        ("Room #5, floor #2", "Room #5, floor #2"),
        ("2024-11-05", "2024-11-05"),
        ("[draft", "[draft"),
        ("'quoted: text'", "quoted: text"),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_a_text_on_the_command_line_or_in_the_environment_is_taken_as_it_is(given, text) -> None:
    assert load(f"transcription.initial_prompt={given}").transcription.initial_prompt == text
    environ = {"VIVAVOCE_TRANSCRIPTION__INITIAL_PROMPT": given}
    assert load(**environ).transcription.initial_prompt == text


def test_settings_that_are_no_text_are_read_as_yaml() -> None:
    assert load("capture.device=3").capture.device == 3
    assert load("capture.device=[usb, 3]").capture.device == ["usb", 3]
    assert load("vad.gate=no").vad.gate is False
    assert load("cleanup.replacements={a: b}").cleanup.replacements == {"a": "b"}
    assert load("cleanup.replacements.yes=no").cleanup.replacements == {"yes": "no"}


def test_a_file_that_forgets_quotes_is_told_so(tmp_path) -> None:
    path = tmp_path / "norwegian.yaml"
    path.write_text("transcription:\n  language: no\n")
    assert "quotes" in error(path)
    path.write_text("cleanup:\n  replacements: {one: 1}\n")
    assert "quotes" in error(path)
    path.write_text("transcription:\n  language: [no]\n")
    assert "quotes" not in error(path)
