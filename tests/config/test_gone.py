"""Settings of earlier releases: one line that says what to write now."""

import re
import wave
from pathlib import Path

import pytest

from vivavoce import Pipeline
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


def test_who_runs_a_profile_of_an_earlier_release_is_told_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "transcription: {previous_words: 40, beam_size: 3}\n"
        "power: {on_battery: {settings: {vad: {max_utterance_ms: null}}}}\n"
    )
    told: list[str] = []
    option = "transcription.phrase_cache.enabled=true"
    profile = load_profile(path, environ={}, overrides=[option], on_gone=told.append)
    assert profile.transcription.beam_size == 3
    assert not profile.power.on_battery.settings.get("vad")
    assert len(told) == 3
    assert f"{path}:1: transcription.previous_words is gone: " in told[0]
    assert f"--set {option}: transcription.phrase_cache is gone: " in told[1]
    assert f"{path}:2: power.on_battery.settings.vad.max_utterance_ms is gone: " in told[2]
    with pytest.raises(ProfileError, match="unknown setting: "):
        load_profile(None, environ={}, overrides=["transcription.vocabular=a"], on_gone=print)


async def test_it_is_logged_once(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    sound = tmp_path / "silence.wav"
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000))
    overrides = ["transcription.previous_words=40", f"capture.source={sound}", "capture.pace=max"]
    async with Pipeline(overrides=overrides, environ={}) as pipeline:
        await pipeline.wait()
    lines = [record.message for record in caplog.records if "is gone" in record.message]
    assert len(lines) == 1
    assert lines[0].startswith(
        "--set transcription.previous_words=40: transcription.previous_words"
    )
