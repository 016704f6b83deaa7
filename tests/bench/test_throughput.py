"""Throughput against faster-whisper as it is, and in batches: all really run."""

import subprocess
from pathlib import Path

import pytest
from support.program import MODEL, SPEECH

from bench import batched, throughput
from bench.human_speech import Reference, SpokenWord, sentences_of
from bench.options import DeveloperOptions
from bench.scoring import Caption, score
from bench.stream_metrics import FinalEvent
from bench.stream_run import Streamed
from bench.talks import JoinedRecording, Talk
from bench.throughput import Way, Ways
from vivavoce.bench import results


@pytest.mark.engine
def test_every_way_transcribes_the_recording(bench, tmp_path: Path) -> None:
    shown = bench("throughput", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    (result,) = results.load(tmp_path / "r.json")
    found = {figure.name: figure for figure in result.figures}
    for name in ("BatchedInferencePipeline", "whole file", "recordings", "captions"):
        assert found[f"{name}: WER"].value < 30
        assert found[f"{name}: CPU"].value > 0
    for profile in ("recordings", "captions"):
        judged = found[f"{profile}: throughput against it"]
        assert (judged.budget, judged.better) == (1.0, "higher")
        ours = found[f"{profile}: peak memory"].value
        ratio = ours / found["BatchedInferencePipeline: peak memory"].value
        assert found[f"{profile}: peak memory against it"].value == pytest.approx(ratio)
    assert found["recordings: words that differ from captions"].samples == 5
    beside, by_kind = result.tables
    assert [row[0] for row in beside.rows] == [
        "whole file, without the text before",
        "whole file, with the text before",
        *(f"BatchedInferencePipeline, {size}" for size in throughput.BATCH_SIZES),
        "recordings",
        "captions",
    ]
    assert len(by_kind.rows) == 4


WORDS = tuple(SpokenWord(word, n, n + 0.5) for n, word in enumerate(["A", "b", "c", "d."]))
REFERENCE = Reference(WORDS, sentences_of(WORDS), "en", 100.0)
TALK = Talk(
    Path("t.wav"),
    Path("l.wav"),
    "talk",
    "en",
    (JoinedRecording("t.wav", "talk", 0.0, 100.0, REFERENCE),),
)


def way(name: str, wall_s: float, *texts: str, cpu_s: float = 1.0, mb: float = 200.0) -> Way:
    """100 s of audio in such a time."""
    captions = [Caption(n, n + 1, text) for n, text in enumerate(texts)]
    return Way(name, wall_s, cpu_s, mb, (" ".join(texts),), (score(captions, REFERENCE),))


def result_of(recordings: Way, captions: Way) -> dict[str, results.Figure]:
    ways = Ways(
        seconds=100.0,
        whole=(way("plain", 20.0, "A b c d.", cpu_s=10.0), way("worse", 1.0, "x", cpu_s=1.0)),
        batches=(way("batches, 1", 9.0, "A b c d."), way("batches, 4", 8.0, "A b c d")),
        ours=(recordings, captions),
    )
    found = throughput.result(DeveloperOptions(), TALK, ways, rounds=1)
    assert any("the fastest size of batches, batches, 4;" in note for note in found.notes)
    return {figure.name: figure for figure in found.figures}


def test_ours_is_compared_with_the_fastest_batches_and_the_better_whole_file() -> None:
    found = result_of(
        way("recordings", 5.0, "A b c d.", cpu_s=10.0),
        way("captions", 10.0, "A b.", "c d", cpu_s=12.0, mb=300.0),
    )
    assert found["BatchedInferencePipeline: throughput"].value == pytest.approx(100 / 8)
    assert found["recordings: throughput against it"].value == pytest.approx(8 / 5)
    assert found["recordings: CPU against the whole file"].value == pytest.approx(1.0)
    assert found["recordings: finals that end inside a sentence"].value == 0
    captions = found["captions: throughput against it"]
    assert captions.value == pytest.approx(0.8)
    assert captions.met is False
    assert found["captions: CPU against the whole file"].met is False
    assert found["captions: peak memory against it"].value == pytest.approx(1.5)
    assert found["captions: finals that end inside a sentence"].value == 50
    assert found["captions: F1 of sentence ends − that of the whole file"].value == -1
    assert found["captions: WER − WER of the whole file"].value == 0


@pytest.mark.parametrize(
    ("other", "exact", "percent"),
    [("A b, c d.", "a b c d", 0), ("a x c d e", "a b c d", 50), ("", "a b", 100), ("", "", 0)],
)
def test_words_that_differ_are_edits_per_word_of_the_exact_text(other, exact, percent) -> None:
    found = result_of(way("recordings", 5.0, other), way("captions", 5.0, exact))
    differ = found["recordings: words that differ from captions"]
    assert differ.value == pytest.approx(percent)


def test_what_the_cheapest_start_up_takes_is_not_counted() -> None:
    final = FinalEvent(1.0, 1, "A b c d.", 0.0, 1.0)
    runs = [
        Streamed(events, 2 * seconds, 50.0, 250.0, end_s=1.0, wall_s=seconds)
        for events, seconds in (((final,), 11.0), ((), 1.0), ((), 3.0))
    ]
    found = throughput.without_start_up(TALK, "captions", runs[0], runs[1:])
    assert (found.wall_s, found.cpu_s, found.peak_mb) == (10.0, 20.0, 300.0)
    assert found.texts == ("A b c d.",)


def test_of_several_rounds_the_medians_count() -> None:
    rounds = [[way("a", wall_s, "A b", mb=mb)] for wall_s, mb in ((9.0, 1), (1.0, 5), (8.0, 2))]
    (found,) = throughput._medians(rounds)
    assert (found.wall_s, found.peak_mb) == (8.0, 5)


@pytest.mark.engine
def test_each_size_of_batches_is_timed_in_one_process(monkeypatch) -> None:
    real, runs = subprocess.run, []

    def counted(*arguments, **more):
        runs.append(arguments)
        return real(*arguments, **more)

    monkeypatch.setattr(batched.subprocess, "run", counted)
    found = batched.transcribe(SPEECH / "utt-002-awb.wav", str(MODEL), "en", (1, 2))
    assert len(runs) == 1
    assert [one.batch_size for one in found] == [1, 2]
    assert {one.text for one in found} == {"It is the only way."}
    assert 0 < found[0].peak_mb <= found[1].peak_mb
    assert all(one.wall_s > 0 and one.cpu_s > 0 for one in found)
    ((start, end, _),) = found[0].segments
    assert 0 <= start < end <= 2.1
