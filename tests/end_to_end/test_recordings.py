"""The judged behaviour on recordings: exact finals, a balanced ledger, partials, crashes."""

import itertools
import json
import re
import signal
import subprocess
import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import psutil
import pytest
from support.fed import fed
from support.program import (
    MODEL,
    SPEECH,
    WHISPER,
    Outcome,
    command,
    isolated,
    join_waves,
    read_wave,
    run,
)
from support.waiting import PATIENCE_S, wait_until

import vivavoce
from vivavoce.actors.transcription.engine_process import EngineProcess
from vivavoce.actors.transcription.engines.base import EngineSpec, SessionOptions
from vivavoce.pipeline.messages import Final
from vivavoce.pipeline.metrics import Metrics

pytestmark = pytest.mark.engine

TALK = SPEECH / "talk-2-rms.wav"
BOYS = SPEECH / "utt-025-rms.wav"
SAID = "The boys examined three of them with no result."


@pytest.fixture(scope="module")
def talk(tmp_path_factory) -> Outcome:
    home = tmp_path_factory.mktemp("talk")
    return run(home, "--source", str(TALK), "--pace", "max", "--format", "jsonl", *WHISPER)


async def offline(path: Path, windows: Iterable[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """What the engine gives for each window by itself."""
    with wave.open(str(path)) as source:
        pcm = np.frombuffer(source.readframes(source.getnframes()), dtype="<i2")
    spec = EngineSpec(engine="faster-whisper", model=str(MODEL), device="cpu")
    engine = EngineProcess(spec, metrics=Metrics())
    await engine.start()
    found = {}
    for number, (start, end) in enumerate(windows):
        await engine.open(number, SessionOptions(), start)
        await engine.feed(number, pcm[start:end].tobytes())
        decoded = await engine.exact(number, end)
        found[start, end] = " ".join(word.text for word in decoded.words)
    await engine.stop()
    return found


async def test_finals_are_what_the_engine_gives_offline_for_their_windows() -> None:
    overrides = [
        f"capture.source={TALK}",
        "capture.pace=max",
        "transcription.engine=faster-whisper",
        f"transcription.model={MODEL}",
        "transcription.device=cpu",
    ]
    async with vivavoce.Pipeline("captions", overrides=overrides, environ={}) as pipeline:
        said = [event async for event in pipeline.events() if isinstance(event, Final)]
    assert len(said) >= 5
    assert all(final.window is not None for final in said)
    found = await offline(TALK, {final.window for final in said if final.window})
    for final in said:
        assert final.window[0] <= final.start < final.end <= final.window[1]
        heard = " ".join(word.text for word in final.words)
        assert f" {heard} " in f" {found[final.window]} "


def test_the_ledger_balances_to_the_sample(talk: Outcome) -> None:
    ledger = talk.assert_balanced()
    with wave.open(str(TALK)) as source:
        assert ledger["captured"] == source.getnframes()
    assert ledger["dropped"] == 0
    covered = sum(round((f["end"] - f["start"]) * 16_000) for f in talk.finals)
    assert abs(covered - ledger["transcribed"]) <= 16 * len(talk.finals)


def test_the_words_are_right_and_timed(talk: Outcome) -> None:
    import jiwer

    items = {item["file"]: item for item in json.loads((SPEECH / "refs.json").read_text())["items"]}
    reference = plain_words(items[TALK.name]["text"])
    assert jiwer.wer(reference, plain_words(" ".join(talk.texts))) < 0.25
    for final in talk.finals:
        times = [(word["start"], word["end"]) for word in final["words"]]
        assert times == sorted(times)
        assert all(final["start"] - 0.01 <= s <= e <= final["end"] + 0.01 for s, e in times)


def plain_words(text: str) -> str:
    return " ".join("".join(c for c in text.lower() if c.isalpha() or c in " '").split())


@pytest.fixture(scope="module")
def short(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("short")
    return join_waves(
        folder / "short.wav", "utt-007-kal16.wav", "utt-025-rms.wav", "utt-010-slt.wav"
    )


@pytest.mark.smoke
def test_partials_come_while_it_is_spoken_and_the_finals_stay_the_same(tmp_path: Path) -> None:
    spoken = run(tmp_path, "--source", str(BOYS), "--pace", "max", "--format", "jsonl", *WHISPER)
    pcm = read_wave(BOYS)
    half = len(pcm) // 4 * 2
    with fed(tmp_path, *WHISPER) as program:
        program.say(pcm[:half])
        program.wait_for_event("partial")
        assert program.of_type("final") == []
        program.say(pcm[half:])
        live = program.end()
    assert live.code == 0, live.err
    assert live.texts == spoken.texts
    live.assert_balanced()
    partials = live.of_type("partial")
    assert {p["utterance"] for p in partials} == {live.finals[0]["utterance"]}
    for before, after in itertools.pairwise(partials):
        assert after["stable"].startswith(before["stable"])
        assert after["revision"] > before["revision"]
    assert live.events[-1]["type"] == "end"


@pytest.mark.pace
def test_real_time_is_as_long_as_the_recording_and_hears_the_same(
    short: Path, tmp_path: Path
) -> None:
    import jiwer

    common = ["--source", str(short), "--format", "jsonl", *WHISPER]
    fast = run(tmp_path, *common, "--pace", "max")
    live = run(tmp_path, *common, "--pace", "realtime")
    # Its windows end elsewhere, so this toy model reads its doubtful words differently.
    before, after = (plain_words(" ".join(told.texts)) for told in (fast, live))
    assert jiwer.wer(before, after) < 0.5
    for heard in (before, after):
        assert "the boys examined three of them with no result" in heard
    live.assert_balanced()
    assert live.events[-1]["t"] >= 5.0


@pytest.mark.smoke
def test_a_killed_engine_costs_a_delay_and_nothing_else(tmp_path: Path) -> None:
    pcm = read_wave(BOYS)
    half = len(pcm) // 4 * 2
    with fed(tmp_path, *WHISPER) as program:
        for number in (1, 2):  # kill it in the middle of each utterance
            program.say(pcm[:half])
            program.wait_for_event("partial" if number == 1 else "final", 1)
            program.wait_for(lambda: program.engines, "no engine runs")
            for engine in program.engines:
                engine.kill()
            program.say(pcm[half:] + bytes(32_000))
        outcome = program.end()
    assert outcome.code == 0, outcome.err
    assert outcome.texts == [SAID, SAID]
    outcome.assert_balanced()
    assert "killed by SIGKILL" in outcome.err
    assert "Traceback" not in outcome.err


def start(home: Path, *arguments: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        command(*arguments),
        env=isolated(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_sentence_and_exits_0(tmp_path: Path, number: signal.Signals) -> None:
    with fed(tmp_path, *WHISPER) as program:
        program.say(read_wave(BOYS))
        program.wait_for_event("partial")
        assert program.of_type("final") == []
        program.process.send_signal(number)
        outcome = program.outcome()
    assert outcome.code == 0, outcome.err
    assert outcome.texts == [SAID]
    outcome.assert_balanced()
    assert outcome.err == ""


@pytest.mark.smoke
def test_a_signal_before_the_engine_is_ready_ends_in_order(short: Path, tmp_path: Path) -> None:
    for loading in (False, True):
        program = start(tmp_path, "--source", str(short), "--format", "jsonl", *WHISPER)
        if loading:
            process = psutil.Process(program.pid)
            wait_until(process.children, "no engine is started")
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=PATIENCE_S)
        if loading:  # before, a signal may come to Python itself
            assert program.returncode == 0, err.decode()
            assert b"Traceback" not in err, err.decode()
        if out:
            Outcome(0, out.decode(), "").assert_balanced()


def test_a_second_signal_exits_at_once_and_leaves_no_process(short: Path, tmp_path: Path) -> None:
    program = start(tmp_path, "--source", str(short), "--format", "jsonl", *WHISPER)
    program.stdout.readline()
    children = psutil.Process(program.pid).children(recursive=True)
    assert children
    program.send_signal(signal.SIGINT)
    program.send_signal(signal.SIGINT)
    program.communicate(timeout=PATIENCE_S)
    assert program.returncode in (0, 1)  # 0: it had finished before the second one arrived
    _gone, alive = psutil.wait_procs(children, timeout=PATIENCE_S)
    assert not alive


def test_a_closed_stdout_ends_quietly(short: Path, tmp_path: Path) -> None:
    program = start(tmp_path, "--source", str(short), "--format", "jsonl", *WHISPER)
    children = []
    program.stdout.readline()
    children = psutil.Process(program.pid).children(recursive=True)
    program.stdout.close()
    assert program.wait(timeout=PATIENCE_S) == 0
    assert program.stderr.read() == b""
    assert not psutil.wait_procs(children, timeout=PATIENCE_S)[1]


def test_standard_input_raw_and_container(short: Path, tmp_path: Path) -> None:
    container = short.read_bytes()
    from_file = run(
        tmp_path, "--source", str(short), "--pace", "max", "--format", "jsonl", *WHISPER
    )
    for data in (container, container[44:]):
        piped = run(
            tmp_path, "--source", "-", "--pace", "max", "--format", "jsonl", *WHISPER, stdin=data
        )
        assert piped.code == 0, piped.err
        assert piped.texts == from_file.texts
        assert piped.assert_balanced() == from_file.assert_balanced()


@pytest.mark.parametrize(("format_", "mark"), [("srt", "-->"), ("vtt", "WEBVTT"), ("text", "")])
def test_the_other_formats_hold_the_same_text(
    short: Path, tmp_path: Path, format_: str, mark: str
) -> None:
    out = run(tmp_path, "--source", str(short), "--pace", "max", "--format", format_, *WHISPER)
    assert out.code == 0, out.err
    assert mark in out.out
    assert "three of them with no result" in " ".join(out.out.split())


def test_stats_print_the_account(short: Path, tmp_path: Path) -> None:
    out = run(tmp_path, "--source", str(short), "--pace", "max", "--stats", *WHISPER)
    frames = (short.stat().st_size - 44) // 2
    assert f"captured {frames} = transcribed" in out.err
    assert "pending 0" in out.err
    assert re.search(r"startup: first sample after \d+\.\d", out.err)
