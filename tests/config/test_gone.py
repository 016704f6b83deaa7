"""Settings of earlier releases: one line that says what to write now."""

import re
from pathlib import Path

import pytest

from vivavoce.config import ProfileError, load_profile
from vivavoce.config.fields import field_type
from vivavoce.config.gone import GONE

SETTINGS = {
    "transcription.window_ms": "14000",
    "transcription.previous_words": "40",
    "transcription.previous_words_silence_ms": "5000",
    "transcription.speculative_finals": "false",
    "transcription.phrase_cache": "{enabled: true}",
    "vad.max_utterance_ms": "120000",
    "vad.cut_search_ms": "5000",
}


def refused(profile: Path | None = None, *overrides: str, **environ: str) -> str:
    with pytest.raises(ProfileError) as error:
        load_profile(profile, environ=environ, overrides=overrides)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 2
    return str(error.value)


def test_all_that_have_gone_are_known() -> None:
    assert {".".join(path) for path in GONE} == SETTINGS.keys()


@pytest.mark.parametrize("path", GONE)
def test_what_has_gone_is_no_setting_and_what_is_named_instead_is_one(
    path: tuple[str, ...],
) -> None:
    assert field_type(path) is None
    named = re.findall(r"\b(?:transcription|vad)\.\w+", GONE[path])
    assert [name for name in named if field_type(tuple(name.split("."))) is None] == []
    assert named or "delete it" in GONE[path]


@pytest.mark.parametrize(("setting", "value"), SETTINGS.items())
def test_each_layer_is_told_where_it_is_and_what_to_write(
    tmp_path: Path, setting: str, value: str
) -> None:
    section, key = setting.split(".")
    told = f"{setting} is gone: {GONE[section, key]}"
    path = tmp_path / "mine.yaml"
    path.write_text(f"description: mine\n{section}:\n  {key}: {value}\n")
    assert refused(path) == f"{path}:3: {told}"
    assert refused(None, f"{setting}={value}") == f"--set {setting}={value}: {told}"
    variable = f"VIVAVOCE_{section.upper()}__{key.upper()}"
    assert refused(**{variable: value}) == f"{variable}: {told}"


def test_in_the_settings_of_a_condition_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "power:\n  on_battery:\n    settings:\n      transcription: {speculative_finals: no}\n"
    )
    assert refused(path).startswith(
        f"{path}:4: power.on_battery.settings.transcription.speculative_finals is gone: "
    )


def test_what_lay_within_it_and_null_are_told_alike(tmp_path: Path) -> None:
    option = "transcription.phrase_cache.enabled=true"
    assert refused(None, option).startswith(f"--set {option}: transcription.phrase_cache is gone: ")
    path = tmp_path / "mine.yaml"
    path.write_text("vad: {max_utterance_ms: null}\n")
    assert refused(path).startswith(f"{path}:1: vad.max_utterance_ms is gone: ")
