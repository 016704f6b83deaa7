"""The benchmark of push-to-talk, as quickly as it goes, on a real X server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import Result

from bench import ptt, ptt_path, xserver
from bench.options import DeveloperOptions
from vivavoce.bench import microphone, results
from vivavoce.bench.child import Run
from vivavoce.config.trigger import TriggerSettings

Bench = Callable[..., Result]


@pytest.mark.engine
@pytest.mark.skipif(xserver.missing() is not None, reason=str(xserver.missing()))
def test_each_key_is_heard_and_in_time(bench: Bench, tmp_path: Path) -> None:
    shown = bench("ptt", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    (result,) = results.load(tmp_path / "r.json")
    found = {figure.name: figure for figure in result.figures}
    for circumstance in ("quiet", "engine decoding"):
        assert found[f"{circumstance}: keys that nothing came of"].value == 0
        assert found[f"{circumstance}: keys that nothing came of"].samples == 20
        for edge in ("press → start", "release → stop"):
            spread = found[f"{circumstance}: {edge}, p99"]
            assert spread.budget == 20.0
            assert spread.samples == 10
            assert 0 < spread.value < 500
            assert found[f"{circumstance}: {edge}, median"].ratio_to is not None
    assert "engine decoding: trigger, release" in shown.stdout


def test_what_was_not_heard_is_counted() -> None:
    heard = ptt._Heard()
    heard.take(
        [(1.0, 2.0), (3.0, 4.0), (5.0, 6.0)],
        [("press", 1.001), ("release", 2.002), ("release", 4.5), ("press", 5.25), ("press", 5.5)],
    )
    assert heard.pressed == pytest.approx([1.0, 250.0])
    assert heard.released == pytest.approx([2.0, 500.0])
    assert heard.missed == 2


@pytest.mark.engine
@pytest.mark.device
@pytest.mark.skipif(xserver.missing() is not None, reason=str(xserver.missing()))
@pytest.mark.skipif(microphone.missing() is not None, reason=str(microphone.missing()))
def test_each_key_gets_its_audio_in_the_whole_program(bench: Bench, tmp_path: Path) -> None:
    shown = bench("ptt-path", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    (result,) = results.load(tmp_path / "r.json")
    found = {figure.name: figure for figure in result.figures}
    assert found["keys that nothing came of"].value == 0
    assert found["samples not accounted for"].value == 0
    for place in ("begin of the recording off the key and its pre-roll", "end of the recording"):
        (off,) = [figure for name, figure in found.items() if name.startswith(place)]
        assert off.budget == 20.0
        assert off.value < 300  # a key that waits for a block of audio is later than that


def test_recordings_belong_to_the_key_that_they_begin_at() -> None:
    settings = TriggerSettings(pre_roll_ms=300, tail_ms=200)
    events = [
        {"type": "recording", "state": "started", "start": 1.71},
        {"type": "recording", "state": "ended", "start": 0.2, "end": 0.7},  # of another key
        {"type": "final", "text": "late"},
        {"type": "recording", "state": "started", "start": 3.7},
        {"type": "recording", "state": "ended", "start": 1.71, "end": 2.55},
    ]
    run = Run(began=100.0, events=events, read_at=[2.54, 2.6, 3.0, 4.55, 4.6], first_sample_s=0.5)
    answers = ptt_path._answers([(102.5, 102.8), (104.5, 104.8), (106.5, 106.8)], run, settings)
    assert answers.missed == 2
    assert answers.begins == pytest.approx([10.0])
    assert answers.ends == pytest.approx([50.0])
    assert answers.told_start == pytest.approx([40.0])
    assert answers.told_end == pytest.approx([1_600.0])


@pytest.mark.parametrize("module", [ptt, ptt_path])
def test_without_an_x_server_it_says_so(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = module.run(DeveloperOptions())
    assert result.figures == []
    assert result.notes == ["skipped: Xvfb is not installed"]
