"""Conditions of the machine: what holds under them, and which mistakes are found at loading."""

import json
from pathlib import Path

import msgspec
import pytest

from vivavoce.config import Profile, ProfileError, load_profile
from vivavoce.config.conditions import with_conditions
from vivavoce.config.power import ConditionSettings, PowerSettings


def load(profile=None, *overrides: str, **environ: str) -> Profile:
    return load_profile(profile, environ=environ, overrides=overrides)


def error(profile=None, *overrides: str, **environ: str) -> str:
    with pytest.raises(ProfileError) as refused:
        load(profile, *overrides, **environ)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def write(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def under(profile: Profile, *conditions: str) -> Profile:
    names = ("on_battery", "low_battery", "under_pressure")
    return with_conditions(profile, **{name: name in conditions for name in names})


def test_without_a_condition_the_profile_is_itself() -> None:
    profile = load()
    assert under(profile) is profile
    assert under(profile, "low_battery", "under_pressure") is profile  # they change nothing


def test_a_battery_saves_by_default() -> None:
    plain = load(None, "transcription.draft=tiny.en")
    saving = under(plain, "on_battery")
    assert saving.transcription.draft is None
    assert (saving.transcription.partial_interval_ms, saving.power.park_after_s) == (500, 60.0)
    assert saving.vad == plain.vad
    assert (plain.transcription.draft, plain.power.park_after_s) == ("tiny.en", 600.0)


def test_the_defaults_of_a_condition_never_ask_for_more_than_the_profile() -> None:
    frugal = under(load("accurate", "power.park_after_s=20"), "on_battery")
    assert frugal.transcription.partial_interval_ms == 1000
    assert frugal.power.park_after_s == 20
    for_ever = under(load(None, "power.park_after_s=null"), "on_battery")
    assert for_ever.power.park_after_s == 60
    # What the profile says of the condition itself holds, whatever it says elsewhere.
    told = load("accurate", "power.on_battery.settings.transcription.partial_interval_ms=600")
    assert under(told, "on_battery").transcription.partial_interval_ms == 600


def test_later_conditions_win_and_mappings_merge(tmp_path: Path) -> None:
    profile = load(
        write(
            tmp_path,
            "power:\n"
            "  on_battery: {settings: {transcription: {beam_size: 3, threads: 2}}}\n"
            "  low_battery: {settings: {transcription: {beam_size: 2, partials: false}}}\n"
            "  under_pressure: {settings: {transcription: {beam_size: 1}}}\n",
        )
    )
    beams = [
        under(profile, *names).transcription.beam_size
        for names in (["on_battery"], ["on_battery", "low_battery"], ["under_pressure"])
    ]
    assert beams == [3, 2, 1]
    all_of_them = under(profile, "on_battery", "low_battery", "under_pressure").transcription
    assert (all_of_them.beam_size, all_of_them.threads, all_of_them.partials) == (1, 2, False)
    assert under(profile, "on_battery").power.park_after_s == 60  # the default is merged, too


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on_battery: null", {}),
        ("on_battery: {settings: null}", {}),
        ("on_battery: {settings: {power: null}}",
         {"transcription": {"draft": None, "partial_interval_ms": 500}}),
        ("on_battery: {settings: {transcription: {partial_interval_ms: null}}}",
         {"transcription": {"draft": None}, "power": {"park_after_s": 60.0}}),
        ("on_battery: {settings: {power: {park_after_s: null}}}",
         {"transcription": {"draft": None, "partial_interval_ms": 500},
          "power": {"park_after_s": None}}),
    ],
)  # fmt: skip
def test_null_takes_out_what_a_layer_below_set(tmp_path: Path, text: str, expected) -> None:
    path = write(tmp_path, f"power:\n  {text}\n")
    assert load(path).power.on_battery.settings == expected


def test_what_is_taken_out_can_be_set_again_by_a_later_layer(tmp_path: Path) -> None:
    write(tmp_path, "power: {on_battery: null}\n", "parent.yaml")
    child = write(
        tmp_path,
        "extends: ./parent.yaml\npower: {on_battery: {settings: {vad: {gate: false}}}}\n",
    )
    assert load(child).power.on_battery.settings == {"vad": {"gate": False}}


def test_every_layer_can_write_a_condition() -> None:
    language = "power.low_battery.settings.transcription.language=no"
    set_ = load(None, "transcription.model=base", language)
    assert under(set_, "low_battery").transcription.language == "no"
    environ = load(VIVAVOCE_POWER__UNDER_PRESSURE__SETTINGS__TRANSCRIPTION__PARTIALS="false")
    assert not under(environ, "under_pressure").transcription.partials


def test_a_mode_that_is_written_in_part_keeps_its_other_defaults() -> None:
    idle = load(None, "power.idle.block_ms=256").power.idle
    assert (idle.block_ms, idle.detector) == (256, False)


@pytest.mark.parametrize(
    ("settings", "line", "words"),
    [
        ("{transcription: {partial_intervall_ms: 9}}", 4,
         ["transcription.partial_intervall_ms", "did you mean 'partial_interval_ms'"]),
        ("{transcripton: {partials: no}}", 4, ["transcripton", "did you mean 'transcription'"]),
        ("{transcription: {partial_interval_ms: often}}", 4,
         ["transcription.partial_interval_ms", "'often'", "int"]),
        ("{transcription: {engine: wisper}}", 4, ["did you mean 'faster-whisper'"]),
        ("{vad: {threshold: 3}}", 4, ["vad.threshold", "3", "<= 1"]),
        ("{vad: {threshold: 2024-01-01}}", 4, ["vad.threshold"]),
        ("{vad: 7}", 4, ["vad", "7", "object"]),
        ("{vad: {pause_ms: 1600}}", 4, ["vad.pause_ms", "end_silence_ms (1500)"]),
        ("{vad: {end_silence_ms: 150}}", 4, [": power.low_battery.settings.vad"]),
        ("{log: {levels: {captrue: info}}}", 4, ["did you mean 'capture'"]),
        ("{capture: {source: talk.wav}}", 4, ["capture.source", "only when the program starts"]),
        ("{captions: {format: srt}}", 4, ["captions.format", "only when the program starts"]),
        ("{supervisor: {max_restarts: 1}}", 4, ["only when the program starts"]),
        ("{power: {on_battery: {settings: {}}, park_after_s: 1}}", 4, []),
        ("{power: {on_battery: {settings: {vad: {gate: no}}}}}", 4,
         ["cannot change what the conditions are"]),
        ("{power: {low_battery_percent: 3}}", 4, ["cannot change what the conditions are"]),
        ("{extends: meeting}", 4, ["extends", "unknown setting"]),
        ("[1]", 4, ["settings", "object"]),
    ],
)  # fmt: skip
def test_mistakes_name_file_line_and_path(tmp_path: Path, settings, line, words) -> None:
    text = f"description: x\npower:\n  low_battery:\n    settings: {settings}\n"
    path = write(tmp_path, text)
    if not words:
        load(path)
        return
    said = error(path)
    assert said.startswith(f"{path}:{line}: power.low_battery.settings")
    for word in words:
        assert word in said


def test_contradictions_of_two_conditions_are_found_though_each_is_right(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "power:\n"
        "  on_battery: {settings: {vad: {end_silence_ms: 490}}}\n"
        "  under_pressure:\n"
        "    settings:\n"
        "      vad: {pause_ms: 500}\n",
    )
    said = error(path)
    assert said.startswith(f"{path}:5: power.under_pressure.settings.vad.pause_ms: 500 is above ")
    assert said.endswith("(together with power.on_battery)")


def test_mistakes_in_other_layers_name_the_layer() -> None:
    option = "power.on_battery.settings.vad.threshold=x"
    assert error(None, option).startswith(
        f"--set {option}: power.on_battery.settings.vad.threshold: 'x': expected"
    )
    assert error(None, "log.levels.captrue=info").startswith(
        "--set log.levels.captrue=info: log.levels.captrue: there is no such component: did you"
    )


def test_wrong_settings_of_a_profile_made_in_code_are_refused() -> None:
    wrong = ConditionSettings(settings={"vad": {"threshold": "loud"}})
    with pytest.raises(
        ProfileError, match=r"^power\.low_battery\.settings\.vad\.threshold: 'loud'"
    ):
        under(Profile(power=PowerSettings(low_battery=wrong)), "low_battery")


def test_a_shown_profile_can_be_loaded_again(tmp_path: Path) -> None:
    profile = load("battery", "power.low_battery.settings.transcription.partials=false")
    shown = write(tmp_path, json.dumps(msgspec.to_builtins(profile)))
    assert load(shown) == profile


def test_the_schema_says_that_a_condition_holds_settings_of_a_profile() -> None:
    settings = msgspec.json.schema(Profile)["$defs"]["ConditionSettings"]["properties"]["settings"]
    assert settings["$ref"] == "#/$defs/Profile"
