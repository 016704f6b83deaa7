"""The information commands, run as a user runs them."""

import json
from pathlib import Path

import pytest
from support.program import run

pytestmark = pytest.mark.process


def test_profiles_lists_shows_and_validates(tmp_path: Path) -> None:
    listed = run(tmp_path, "profiles")
    assert listed.code == 0
    assert "captions" in listed.out
    assert "shipped" in listed.out
    shown = run(tmp_path, "profiles", "show", "battery", "--set", "vad.threshold=0.61")
    assert "threshold: 0.61" in shown.out
    path = tmp_path / "again.yaml"
    path.write_text(shown.out)
    assert run(tmp_path, "profiles", "validate", str(path)).out == "ok\n"
    path.write_text("vad: {threshold: 5}\n")
    wrong = run(tmp_path, "profiles", "validate", str(path))
    assert wrong.code == 2
    assert len(wrong.err.splitlines()) == 1


def test_schema_is_json_schema_with_extends(tmp_path: Path) -> None:
    schema = json.loads(run(tmp_path, "schema").out)
    properties = schema["$defs"]["Profile"]["properties"]
    assert {"extends", "vad", "transcription"} <= set(properties)


def test_models(tmp_path: Path) -> None:
    assert "base.en" in run(tmp_path, "models", "list").out
    pulled = run(tmp_path, "models", "pull", "tiny.en")
    assert pulled.code == 1
    assert len(pulled.err.splitlines()) == 1
    assert "did you mean 'tiny.en'" in run(tmp_path, "models", "pull", "tinny.en").err


def test_a_python_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    profiles = tmp_path / "config" / "vivavoce" / "profiles"
    profiles.mkdir(parents=True)
    own = "extends: captions\ntranscription: {python: /nowhere/python}\n"
    (profiles / "captions.yaml").write_text(own, encoding="utf-8")
    pulled = run(tmp_path, "models", "pull", "tiny.en")
    assert pulled.code == 1
    assert len(pulled.err.splitlines()) == 1
    assert "'/nowhere/python' cannot be run" in pulled.err
    checked = run(tmp_path, "doctor")
    assert checked.err == ""
    assert "'/nowhere/python' cannot be run" in checked.out


def test_doctor_says_how_to_mend(tmp_path: Path) -> None:
    checked = run(tmp_path, "doctor")
    assert checked.code == 0, checked.out
    assert "vivavoce models pull" in checked.out
    findings = json.loads(run(tmp_path, "doctor", "--json").out)
    assert {"python", "packages", "microphone", "profiles"} <= {f["check"] for f in findings}
    assert "\x1b" not in checked.out


def test_devices_without_any_is_one_line(tmp_path: Path) -> None:
    listed = run(tmp_path, "devices")
    if listed.code:
        assert len(listed.err.splitlines()) == 1
    else:
        assert "NAME" in listed.out


@pytest.mark.device
def test_devices_with_one(tmp_path: Path, pulse_microphone, monkeypatch) -> None:
    for key, value in pulse_microphone.environ.items():
        monkeypatch.setenv(key, value)
    found = json.loads(run(tmp_path, "devices", "--json").out)
    assert any(device["is_default"] for device in found)


def test_help_teaches_and_completion_is_a_script(tmp_path: Path) -> None:
    helped = run(tmp_path, "--help")
    assert "vivavoce demo" in helped.out
    assert "--pace" in run(tmp_path, "run", "--help").out
    for shell in ("bash", "zsh", "fish"):
        assert "_VIVAVOCE_COMPLETE" in run(tmp_path, "completion", shell).out
    assert run(tmp_path, "--version").out.startswith("vivavoce, version ")


@pytest.mark.engine
def test_the_demo_is_captioned_correctly_by_the_bundled_engine(tmp_path: Path) -> None:
    from vivavoce.actors.cleanup.guards import spoken_form

    shown = run(tmp_path, "demo", "--pace", "max")
    assert shown.code == 0
    text = (Path(__file__).parents[2] / "src" / "vivavoce" / "assets" / "demo.txt").read_text()
    assert spoken_form(shown.out) == spoken_form(text)
    assert "synthetic" in shown.err


def test_a_misspelt_command_is_not_taken_for_a_profile(tmp_path: Path) -> None:
    wrong = run(tmp_path, "devcies")
    assert wrong.code == 2
    assert "did you mean `vivavoce devices`?" in wrong.err
    assert "Traceback" not in wrong.err
