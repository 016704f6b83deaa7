"""The doctor's checks of the machine, in folders of our own."""

import json
from pathlib import Path

import pytest
from support.program import run

from vivavoce.cli import doctor, doctor_desktop, doctor_machine
from vivavoce.cli.finding import Finding

pytestmark = pytest.mark.process


def test_what_is_wrong_comes_first_with_its_remedy(tmp_path: Path) -> None:
    checked = run(tmp_path, "doctor")
    lines = checked.out.splitlines()
    assert lines[0].startswith("findings: ")
    states = [line.split()[0] for line in lines[1:] if not line.strip().startswith("→")]
    assert states == sorted(states, key=("problem", "warning", "ok").index)
    assert sum(state != "ok" for state in states) == int(lines[0].split()[-1])


def test_json_keeps_its_shape(tmp_path: Path) -> None:
    found = json.loads(run(tmp_path, "doctor", "--json").out)
    assert all(set(one) == {"check", "state", "text", "fix"} for one in found)
    assert {"microphone permission", "cache folder", "battery", "pressure", "monitor"} <= {
        one["check"] for one in found
    }


def test_every_warning_of_the_machine_says_how_to_mend_it() -> None:
    for check in doctor_machine.CHECKS:
        for finding in check():
            assert finding.state == "ok" or finding.fix
            assert "\n" not in finding.text + finding.fix
    assert set(doctor_machine.CHECKS) <= set(doctor.CHECKS)


@pytest.mark.parametrize(
    ("environ", "made", "server"),
    [
        ({}, "", ""),
        ({"PULSE_SERVER": "unix:/x"}, "", "PulseAudio at unix:/x"),
        ({"XDG_RUNTIME_DIR": "RUNTIME"}, "pulse/native", "PulseAudio"),
        ({"XDG_RUNTIME_DIR": "RUNTIME"}, "pipewire-0", "PipeWire"),
        ({"XDG_RUNTIME_DIR": "RUNTIME"}, "", ""),
    ],
)
def test_the_sound_server(tmp_path: Path, environ: dict[str, str], made: str, server: str) -> None:
    if made:
        (tmp_path / made).parent.mkdir(exist_ok=True)
        (tmp_path / made).touch()
    environ = {key: value.replace("RUNTIME", str(tmp_path)) for key, value in environ.items()}
    assert doctor_machine.sound_server(environ) == server


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    cache, runtime = doctor_machine.folders()
    assert cache.state == "warning"
    assert str(tmp_path) in cache.text
    assert cache.fix
    assert runtime.state == "ok"


def governed(tmp_path: Path, governor: str, preference: bool) -> Finding:
    (tmp_path / "scaling_governor").write_text(f"{governor}\n")
    if preference:
        (tmp_path / "energy_performance_preference").write_text("balance_power\n")
    (finding,) = doctor_machine.governor(tmp_path)
    return finding


def test_the_clock_of_the_processor(tmp_path: Path) -> None:
    assert governed(tmp_path, "schedutil", preference=False).text == "governor schedutil"
    slow = governed(tmp_path, "powersave", preference=False)
    assert slow.state == "warning"
    assert "powerprofilesctl" in slow.fix
    # intel_pstate calls its dynamic governor that, too.
    assert governed(tmp_path, "powersave", preference=True).state == "ok"
    (unknown,) = doctor_machine.governor(tmp_path / "none")
    assert unknown.state == "ok"


def test_a_machine_without_a_desktop_needs_nothing_of_it() -> None:
    found = [*doctor_desktop.hotkeys({}), *doctor_desktop.typing({})]
    assert [finding.state for finding in found] == ["ok", "ok"]
    assert "no graphical session" in found[1].text
    assert "vivavoce ctl toggle" in found[0].fix


def test_a_desktop_without_tools_is_told_what_to_install(tmp_path: Path) -> None:
    environ = {"DISPLAY": ":987", "PATH": str(tmp_path)}
    found = {finding.check: finding for finding in doctor_desktop.typing(environ)}
    assert found["typing"].state == "warning"
    assert found["clipboard"].state == "warning"
    assert all(finding.fix for finding in found.values())
