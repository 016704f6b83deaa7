"""The benchmark of live captions: a real run against the real baseline, and wrong input."""

import json
import shutil
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import Result
from support.program import MODEL, SPEECH

from bench import offline, stream, stream_run
from bench.judging import WholeFile
from bench.offline import Baseline
from bench.options import RULES, DeveloperOptions
from bench.stream_metrics import FinalEvent, PartialEvent
from bench.stream_run import Streamed
from bench.talks import Talk
from vivavoce.actors.transcription.engine import session_options
from vivavoce.bench import results
from vivavoce.bench.sound import write
from vivavoce.config import load_profile

Bench = Callable[..., Result]


@pytest.mark.engine
def test_a_run_is_judged_and_compared_with_offline(bench: Bench, tmp_path: Path) -> None:
    arguments = ("--quick", "--without", "ladder", "--curve", "--save", "r.json")
    shown = bench("stream", *arguments, "--plot", "p.svg")
    assert shown.exit_code == 0, shown.output
    (result,) = results.load(tmp_path / "r.json")
    found = {figure.name: figure for figure in result.figures}
    latency = [found[f"word end → {kind}"].value for kind in ("first shown", "stable", "final")]
    assert latency == sorted(latency)
    # No word is known long before it is over, nor later than its final, which must be seen
    # within a few seconds even on a busy machine.
    assert -0.5 < latency[0] <= latency[2] < 30
    assert found["WER of finals"].value <= 20
    assert found["words that differ from the whole file"].value <= 20
    assert found["finals that end inside a sentence"].samples == 1
    assert found["stable words changed by a later partial"].value == 0
    assert found["CPU with start-up"].value > found["CPU"].value > 0
    assert found["CPU of the whole file"].value > 0
    ratio = found["CPU"].value / found["CPU of the whole file"].value
    assert found["CPU, against the whole file"].value == pytest.approx(ratio)
    alike = found["CPU, against the whole file with our allocator settings and one decoder thread"]
    assert alike.value > 0
    assert alike.budget is None
    assert any("cost of streaming alone" in note for note in result.notes)
    assert found["main process, peak memory"].value > 20
    assert found["engine process, peak memory"].value > 50
    kinds, curve = result.tables
    assert [row[0] for row in kinds.rows] == ["utterance, finals", "utterance, whole file"]
    assert [row[0] for row in curve.rows] == ["0", "0.7"]
    assert any("without ladder" in note for note in result.notes)
    assert ElementTree.parse(tmp_path / "p.svg").getroot().tag.endswith("svg")


@pytest.mark.engine
def test_a_set_is_simulated_and_judged_by_kind(bench: Bench, tmp_path: Path) -> None:
    shown = bench("stream", "--simulated", "--speech", str(a_set(tmp_path)), "--kinds", "all",
                  "--sweep", "vad.pause_ms=300,500", "--save", "r.json")  # fmt: skip
    assert shown.exit_code == 0, shown.output
    (result,) = results.load(tmp_path / "r.json")
    found = {figure.name: figure for figure in result.figures}
    assert found["WER of finals"].samples == 5
    assert found["recordings without speech that gave a caption"].samples == 1
    assert 0 < found["word end → first shown"].value < 30
    assert found["CPU"].value > 0
    assert "real-time factor" not in found, "nothing is real about it"
    kinds, swept = result.tables
    assert [row[0] for row in kinds.rows[::2]] == ["talk, finals", "nonspeech, finals"]
    assert (swept.columns[0], [row[0] for row in swept.rows]) == ("vad.pause_ms", ["300", "500"])


def a_set(folder: Path) -> Path:
    """An utterance of the tests as a talk, and a second of silence."""
    items = json.loads((SPEECH / "refs.json").read_text())["items"]
    spoken = next(item for item in items if item["file"] == "utt-002-awb.wav")
    shutil.copy(SPEECH / "utt-002-awb.wav", folder)
    write(folder / "silence.wav", bytes(32_000))
    silence = {"file": "silence.wav", "kind": "nonspeech", "language": "", "seconds": 1.0,
               "sentences": [], "words": []}  # fmt: skip
    talk = {**spoken, "kind": "talk", "language": "en", "seconds": spoken["duration"]}
    (folder / "refs.json").write_text(json.dumps({"items": [talk, silence]}))
    return folder


@pytest.mark.engine
def test_the_baseline_reads_each_piece(tmp_path: Path) -> None:
    talk = SPEECH / "utt-002-awb.wav"
    found = offline.transcribe(talk, [(0.0, 2.0), (0.0, 0.2)], str(MODEL), "en")
    assert found.texts[0] == "It is the only way."
    assert len(found.texts) == 2
    assert found.cpu_s > 0


@pytest.mark.engine
def test_the_baseline_runs_plain_or_as_our_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    real, runs = subprocess.run, []

    def watched(*arguments, **more):
        runs.append((json.loads(more["input"])["cpu_threads"], more["env"]))
        return real(*arguments, **more)

    monkeypatch.setattr(offline.subprocess, "run", watched)
    monkeypatch.delenv("MALLOC_MMAP_MAX_", raising=False)
    monkeypatch.setenv("MALLOC_ARENA_MAX", "3")
    talk = SPEECH / "utt-002-awb.wav"
    texts = [
        offline.transcribe(talk, [(0.0, 2.0)], str(MODEL), "en", as_our_engine=alike).texts
        for alike in (False, True)
    ]
    assert texts[0] == texts[1] == ("It is the only way.",)
    (plain, plain_environ), (alike, alike_environ) = runs
    assert (plain, alike) == (0, 1)
    assert "MALLOC_MMAP_MAX_" not in plain_environ
    assert alike_environ["MALLOC_MMAP_MAX_"] == "0"
    # What the user's environment says goes before, as it does for the engine.
    assert alike_environ["MALLOC_ARENA_MAX"] == plain_environ["MALLOC_ARENA_MAX"] == "3"


def test_start_up_is_the_least_of_two_runs(tmp_path: Path, monkeypatch) -> None:
    cpu_s = iter([3.0, 2.0, 1.0])
    monkeypatch.setattr(
        stream, "stream", lambda *_: Streamed((), next(cpu_s), 0.0, 0.0, end_s=4.0, wall_s=4.0)
    )
    talk = Talk(tmp_path / "t.wav", tmp_path / "l.wav", "talk", "en", ())
    bench = stream._Bench(DeveloperOptions(), talk, WholeFile(Baseline((), 1.0), (), False))
    bench.calibrate()
    assert bench.start_up_cpu_s == 2.0


@pytest.mark.process
def test_a_baseline_that_fails_is_one_line() -> None:
    with pytest.raises(offline.BaselineFailed, match=r"ended with 1: .*no model directory"):
        offline.transcribe(SPEECH / "utt-002-awb.wav", [(0.0, 1.0)], "./absent", "en")


@pytest.mark.parametrize("setting", RULES.values())
def test_every_rule_is_switched_off_by_a_setting_that_is_on(setting: str) -> None:
    plain = load_profile("captions", environ={}, overrides=[])
    off = load_profile("captions", environ={}, overrides=[setting])
    assert off != plain


@pytest.mark.parametrize("rule", ["trimming", "full-finals", "temperature-fallback", "margin"])
def test_rules_of_decoding_reach_the_engine(rule: str) -> None:
    plain, off = (
        session_options(load_profile("captions", environ={}, overrides=changes).transcription)
        for changes in ([], [RULES[rule]])
    )
    assert off != plain


@pytest.mark.parametrize(
    ("recording", "refs", "expected"),
    [
        ("talk.wav", None, "refs.json, where its words and word times belong, cannot be read"),
        ("talk.wav", "no json", "is no list of words and word times"),
        ("talk.wav", "[]", "is no list of words and word times"),
        ("talk.wav", '{"items":[]}', "has no words and word times for it"),
        ("talk.wav", '{"items":[{"file":"talk.wav"}]}', "is no list of words and word times"),
        (
            "talk.wav",
            '{"items":[{"file":"talk.wav","text":"","words":[]}]}',
            "has no words and word times for it",
        ),
        (
            "talk.wav",
            '{"items":[{"file":"talk.wav","text":"x","words":[{"word":"x","end":"?"}]}]}',
            "is no list of words and word times",
        ),
        ("noise.wav", "noise.wav", "it is no sound file that can be decoded"),
        ("fast.wav", "fast.wav", "it has 44100 Hz and 1 channels"),
        ("absent.wav", "absent.wav", "there is no such file"),
    ],
)
def test_a_recording_that_cannot_be_measured_is_one_line(
    bench: Bench, tmp_path: Path, recording: str, refs: str | None, expected: str
) -> None:
    shutil.copy(SPEECH / "utt-002-awb.wav", tmp_path / "talk.wav")
    (tmp_path / "noise.wav").write_bytes(b"noise")
    with wave.open(str(tmp_path / "fast.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(44_100)
    if refs == recording:
        words = [{"word": "x", "end": 1.0}]
        refs = json.dumps({"items": [{"file": recording, "text": "x", "words": words}]})
    if refs is not None:
        (tmp_path / "refs.json").write_text(refs)
    shown = bench("stream", "--recording", recording)
    assert shown.exit_code == 2
    assert shown.stdout == ""
    *_, line = shown.stderr.splitlines()
    assert line.startswith(f"vivavoce bench: cannot measure {recording}: ")
    assert expected in line


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--without", "trimmings"], "'trimmings' is not one of 'trimming', 'prefix'"),
        (["--plot", "no/such/plot.svg"], "there is no folder"),
        (["--sweep", "window_ms"], "'window_ms' is not section.key=VALUE,VALUE"),
        (["--sweep", "vad.pause_ms="], "is not section.key=VALUE,VALUE"),
        (["--speech", "."], "no set of recordings in .: refs.json cannot be read"),
        (["--speech", ".", "--unbroken", "5"], "--unbroken and --recording name one recording"),
    ],
)
def test_wrong_options_are_told_before_anything_runs(
    bench: Bench, arguments: list[str], expected: str
) -> None:
    shown = bench("stream", *arguments)
    assert shown.exit_code == 2
    assert expected in shown.stderr
    assert "…" not in shown.stderr


def test_events_of_other_kinds_are_left_out() -> None:
    partial = {
        "type": "partial",
        "t": 1.0,
        "utterance": 1,
        "start": 0.5,
        "stable": "a",
        "tail": "b",
    }
    final = {
        "type": "final",
        "t": 2.0,
        "utterance": 1,
        "text": "a b",
        "start": 0.5,
        "end": 1.5,
        "latency": {"endpoint": 0.4},
    }
    events = [partial, {"type": "gap", "t": 1.5}, final, {"type": "end", "t": 3.0}]
    assert list(stream_run.events_of(events)) == [
        PartialEvent(1.0, 1, "a", "b", 0.5),
        FinalEvent(2.0, 1, "a b", 0.5, 1.5, 0.4),
    ]
