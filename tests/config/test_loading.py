"""Layers and their order, and errors that a person can act on."""

from pathlib import Path

import msgspec
import pytest

from vivavoce.config import Profile, ProfileError, load_profile
from vivavoce.config.loader import contradictions
from vivavoce.config.schema import VadSettings
from vivavoce.profiles import profile_names


def load(profile=None, *overrides: str, **environ: str) -> Profile:
    return load_profile(profile, environ=environ, overrides=overrides)


def error(profile=None, *overrides: str, **environ: str) -> str:
    with pytest.raises(ProfileError) as refused:
        load(profile, *overrides, **environ)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 2
    return str(refused.value)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_default_is_captions_with_the_schemas_defaults() -> None:
    assert load().transcription == Profile().transcription
    assert load("captions") == load()


def test_later_layers_win(tmp_path: Path) -> None:
    write(tmp_path, "parent.yaml", "extends: meeting\nvad: {threshold: 0.6, pause_ms: 300}\n")
    child = write(tmp_path, "child.yaml", "extends: parent.yaml\nvad: {pause_ms: 310}\n")
    plain = load(child)
    assert plain.capture.ring_s == 120  # from meeting
    assert (plain.vad.threshold, plain.vad.pause_ms) == (0.6, 310)
    assert load(child, VIVAVOCE_VAD__PAUSE_MS="320").vad.pause_ms == 320
    assert load(child, "vad.pause_ms=330", VIVAVOCE_VAD__PAUSE_MS="320").vad.pause_ms == 330


def test_mappings_merge_and_lists_are_replaced(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "cleanup: {replacements: {a: b}}\ncapture: {device: [x, y]}\n")
    path = write(
        tmp_path,
        "b.yaml",
        "extends: ./a.yaml\ncleanup: {replacements: {c: d}}\ncapture: {device: [z]}\n",
    )
    assert load(path).cleanup.replacements == {"a": "b", "c": "d"}
    assert load(path).capture.device == ["z"]


def test_a_users_profile_is_found_by_name_and_wins_over_a_shipped_one(tmp_path: Path) -> None:
    folder = tmp_path / "vivavoce" / "profiles"
    folder.mkdir(parents=True)
    write(folder, "mine.yaml", "vad: {threshold: 0.7}\n")
    write(folder, "battery.yaml", "vad: {threshold: 0.8}\n")
    for name, threshold in (("mine", 0.7), ("battery", 0.8)):
        assert load(name, XDG_CONFIG_HOME=str(tmp_path)).vad.threshold == threshold


def test_a_users_profile_may_extend_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "vivavoce" / "profiles"
    folder.mkdir(parents=True)
    write(folder, "captions.yaml", "extends: captions\nvad: {threshold: 0.7}\n")
    write(folder, "meeting.yaml", "extends: meeting\nvad: {pause_ms: 300}\n")
    assert load(XDG_CONFIG_HOME=str(tmp_path)).vad.threshold == 0.7
    meeting = load("meeting", XDG_CONFIG_HOME=str(tmp_path))
    assert (meeting.vad.pause_ms, meeting.capture.ring_s) == (300, 120)
    write(folder, "mine.yaml", "extends: mine\n")
    assert "circle" in error("mine", XDG_CONFIG_HOME=str(tmp_path))


def test_the_process_environment_plays_no_part(monkeypatch) -> None:
    monkeypatch.setenv("VIVAVOCE_VAD__THRESHOLD", "0.9")
    assert load().vad.threshold == Profile().vad.threshold


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_loads_and_says_what_it_is_for(name: str) -> None:
    assert load(name).description


def test_the_shipped_profiles_are_those_that_are_promised() -> None:
    assert set(profile_names()) == {
        "captions", "dictation", "meeting", "low-latency", "accurate", "battery", "offline",
        "recordings", "push-to-talk",
    }  # fmt: skip
    assert load("offline").transcription.engine == "pocketsphinx"
    assert not load("dictation").transcription.partials
    assert load("battery").transcription.beam_size == 1


def test_every_setting_is_described() -> None:
    schema = msgspec.json.schema(Profile)
    for name, section in schema["$defs"].items():
        for key, setting in section["properties"].items():
            if "$ref" not in setting and "allOf" not in setting and name != "Profile":
                assert setting.get("description"), f"{name}.{key} has no description"


# -- errors


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("vad:\n  treshold: 0.5\n", 2, ["vad.treshold", "did you mean 'threshold'"]),
        ("vad:\n  pause_ms: 1\n  threshold: loud\n", 3, ["vad.threshold", "'loud'", "float"]),
        ("vad:\n  threshold: 3\n", 2, ["3", "<= 1"]),
        ("vda: {}\n", 1, ["vda", "did you mean 'vad'"]),
        ("transcription: {engine: wisper}\n", 1, ["'wisper'", "did you mean 'faster-whisper'"]),
        ("vad:\n  threshold: [0.5\n", 3, ["not YAML"]),
        ("vad: {threshold: 0.5}\nvad: {}\n", 2, ["vad", "twice"]),
        ("- a list\n", 1, ["mapping"]),
        ("extends: captions\nvad:\n  pause_ms: 1600\n", 3, ["end_silence_ms"]),
        ("cleanup:\n  replacements:\n    x: 3\n", 2, ["replacements", "str"]),
    ],
)
def test_mistakes_name_file_line_and_remedy(tmp_path: Path, text, line, words) -> None:
    path = write(tmp_path, "wrong.yaml", text)
    said = error(path)
    assert said.startswith(f"{path}:{line}: ")
    for word in words:
        assert word in said


def test_mistakes_in_other_layers_name_the_layer() -> None:
    assert error(None, VIVAVOCE_VAD__TRESHOLD="1").startswith("VIVAVOCE_VAD__TRESHOLD: ")
    assert error(None, "vad.threshold=x").startswith("--set vad.threshold=x: ")
    assert "SECTION.KEY=VALUE" in error(None, "nonsense")


def test_profiles_that_are_not_there() -> None:
    assert "did you mean 'captions'" in error("captoins")
    assert "nowhere.yaml" in error("./nowhere.yaml")


def test_circles_bombs_and_binaries_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "extends: ./b.yaml\n")
    assert "circle" in error(write(tmp_path, "b.yaml", "extends: ./a.yaml\n"))
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
    for name, before in zip("bcdef", "abcde", strict=True):
        bomb += f"{name}: &{name} [{','.join(['*' + before] * 10)}]\n"
    assert "no profile" in error(write(tmp_path, "bomb.yaml", bomb))
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    assert "UTF-8" in error(path)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load(write(tmp_path, "empty.yaml", "# nothing\n")) == Profile()


@pytest.mark.parametrize(
    ("overrides", "path"),
    [
        (["vad.release_threshold=0"], "vad.release_threshold"),
        (["vad.threshold=1"], "vad.threshold"),
        (["vad.hangover_ms=1600"], "vad.hangover_ms"),
        (["vad.pause_ms=1600"], "vad.pause_ms"),
        (["supervisor.backoff_ms=6000"], "supervisor.backoff_ms"),
        (["captions.subtitles.longest_ms=900"], "captions.subtitles.shortest_ms"),
        (["power.active.microphone=closed"], "power.active.microphone"),
        (["power.listening.microphone=closed"], "power.listening.microphone"),
        (["transcription.engine=pocketsphinx", "transcription.draft=tiny.en"],
         "transcription.draft"),
    ],
)  # fmt: skip
def test_what_is_fine_alone_but_not_together_is_refused(overrides, path) -> None:
    assert f": {path}: " in error(None, *overrides)


@pytest.mark.parametrize(
    ("setting", "wrong"),
    [
        ("line_characters", "9"), ("line_characters", "wide"), ("lines", "0"), ("lines", "5"),
        ("shortest_ms", "-1"), ("longest_ms", "0"), ("longest_ms", "60001"),
        ("characters_per_second", "0"), ("characters_per_second", ".nan"),
        ("characters_per_second", ".inf"),
    ],
)  # fmt: skip
def test_subtitles_that_nobody_could_read_are_refused(setting: str, wrong: str) -> None:
    told = error(None, f"captions.subtitles.{setting}={wrong}")
    assert f"captions.subtitles.{setting}: " in told


def test_contradictions_are_pure_and_name_both_sides() -> None:
    profile = Profile(vad=VadSettings(threshold=0.3, release_threshold=0.4))
    ((path, complaint),) = contradictions(profile)
    assert path == ("vad", "release_threshold")
    assert "0.4" in complaint
    assert "0.3" in complaint
    assert contradictions(Profile()) == []
