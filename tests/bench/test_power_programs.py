"""The benchmarks of power modes, as quickly as they go: real children, a real microphone."""

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import Result

from bench import wake
from bench.options import DeveloperOptions
from vivavoce.bench import idle, idle_report, microphone, proc, results
from vivavoce.bench.idle_report import Cost
from vivavoce.bench.proc import Between
from vivavoce.pipeline.messages import PowerMode

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(proc.missing() is not None, reason=str(proc.missing())),
]
device = pytest.mark.device
needs_microphone = pytest.mark.skipif(
    microphone.missing() is not None, reason=str(microphone.missing())
)

Bench = Callable[..., Result]


def found_in(path: Path) -> tuple[results.Result, dict[str, results.Figure]]:
    (result,) = results.load(path)
    assert result.quick
    return result, {figure.name: figure for figure in result.figures}


@device
@needs_microphone
def test_idle_measures_each_mode_beside_a_program_that_does_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    shown = bench("idle", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    result, found = found_in(tmp_path / "r.json")
    for source in ("microphone", "recording"):
        for mode in PowerMode:
            if (source, mode) == ("recording", PowerMode.CLOSED):
                continue
            assert found[f"{source}, {mode}: CPU"].samples == 3
            wake_ups = found[f"{source}, {mode}: wake-ups"].value
            assert mode is PowerMode.CLOSED or wake_ups > 1
        assert found[f"{source}, parked: engine processes alive"].met
        assert 20 < found[f"{source}, parked: resident memory"].value < 120
    assert found["microphone, closed: wake-ups"].value < 5, "nothing is heard any more"
    assert found["microphone, speaking: CPU"].value > found["microphone, idle: CPU"].value
    assert found["microphone, idle: CPU"].budget == 0.5
    assert found["microphone, listening: wake-ups, against an empty callback"].value > 0.5
    (table,) = result.tables
    engines = {row[0]: row[6] for row in table.rows}
    assert str(engines["microphone, idle"]).endswith(" MB")
    assert engines["microphone, parked"] == "none"
    assert any("wake-ups/s, microphone, active: " in note for note in result.notes)


def test_idle_without_pulseaudio_measures_recordings_and_says_why(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cost(title: str, _: str, mode: PowerMode, *__: object) -> Cost:
        window = Between(1.0, 0.2, 9.0, {"main": 9.0})
        return Cost(title, mode, (window, window), 0.2, 70.0, None, 0, 0.0, 0.0)

    monkeypatch.setattr(idle, "_silent", cost)
    monkeypatch.setattr(microphone, "missing", lambda: "pulseaudio is not installed")
    shown = bench("idle", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    result, found = found_in(tmp_path / "r.json")
    assert result.notes[0] == "nothing on a microphone: pulseaudio is not installed"
    assert not any(name.startswith("microphone") for name in found)
    assert found["recording, idle: wake-ups"].value == 9.0


def test_without_proc_idle_is_one_clear_line(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proc, "missing", lambda: "there is no /proc (Linux only)")
    shown = bench("idle", "--quick")
    assert shown.exit_code == 1
    assert shown.stderr.splitlines()[-1] == (
        "vivavoce bench: cannot measure processes: there is no /proc (Linux only)"
    )


def test_budgets_are_those_of_the_design() -> None:
    assert (idle_report.CPU_BUDGETS["listening"], idle_report.WAKE_UP_BUDGETS["listening"]) == (
        1.0,
        40.0,
    )
    assert (idle_report.CPU_BUDGETS["idle"], idle_report.WAKE_UP_BUDGETS["idle"]) == (0.5, 12.0)
    assert idle_report.CPU_BUDGETS["closed"] == 0.1
    assert idle_report.block_lengths()[PowerMode.CLOSED] == 0
    assert idle_report.block_lengths()[PowerMode.ACTIVE] == 32


def test_waking_from_parked_loses_nothing(bench: Bench, tmp_path: Path) -> None:
    shown = bench("wake", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    result, found = found_in(tmp_path / "r.json")
    heard = ["recording, parked"]
    if microphone.missing() is None:
        heard += ["microphone, parked", "microphone, closed"]
    else:
        assert result.notes[0].startswith("nothing on a microphone: ")
    for title in heard:
        if title == "recording, parked":
            assert found[f"{title}: words lost"].value == 0
        else:
            assert found[f"{title}: samples of speech not captured as played"].value == 0
        assert found[f"{title}: samples not accounted for"].value == 0
    assert found["recording, parked: utterances that woke it from there"].value >= 1
    assert found["recording, parked: finals unlike the undisturbed"].value == 0
    assert found["recording, parked: samples dropped"].value == 0
    assert 0 < found["recording, parked: begin of speech → active"].value < 5
    assert found["recording, parked: end of speech → final"].samples == 2
    rows = {row[0]: row for row in result.tables[0].rows}
    # One engine for all of it; one for each time it was woken, and at most one from before.
    asleep = found["recording, parked: utterances that woke it from there"].value
    assert rows["recording, active"][3] == 1
    assert rows["recording, parked"][3] in (asleep, asleep + 1)


def test_soak_goes_through_the_modes_and_loses_nothing(bench: Bench, tmp_path: Path) -> None:
    shown = bench("soak", "--quick", "--save", "r.json", "--plot", "p.svg")
    assert shown.exit_code == 0, shown.output
    result, found = found_in(tmp_path / "r.json")
    parts = ["accelerated"]
    if microphone.missing() is None:
        parts.append("real time")
        modes = [row[0] for row in result.tables[1].rows]
        assert modes == [str(mode) for mode in PowerMode], "each mode came up"
    for part in parts:
        assert found[f"{part}: samples not accounted for"].value == 0
        assert found[f"{part}: samples dropped and not told as a gap"].value == 0
        assert found[f"{part}: utterances without a final"].value == 0
        assert found[f"{part}: main process, slope of memory"].verdict
    notes = " ".join(result.notes)
    assert re.search(r"accelerated: .* s, (\d) cycles, \1 engine processes", notes), notes
    assert ElementTree.parse(tmp_path / "p.svg").getroot().tag.endswith("svg")


def test_a_child_that_fails_is_one_clear_line(bench: Bench) -> None:
    shown = bench("wake", "--quick", "--model", "/nowhere/at/all")
    assert shown.exit_code == 1
    assert shown.stderr.splitlines()[-1].startswith("vivavoce bench: ")


def test_wake_takes_more_trials_from_parked_than_from_other_modes(tmp_path: Path) -> None:
    made = wake.alternating(100, lead_s=4.0, pause_s=wake._PAUSE_S, seed=1)
    titles = [title for title, _ in wake._on_recording(DeveloperOptions(), made, tmp_path)]
    assert [title.split(" utterances")[0] for title in titles] == [
        "recording, active: 100",
        "recording, parked: 100",
        "recording, listening: 30",
        "recording, idle: 30",
    ]
