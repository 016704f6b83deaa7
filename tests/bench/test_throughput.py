"""Throughput against BatchedInferencePipeline: both really run."""

import subprocess
from pathlib import Path

import pytest
from support.program import MODEL, SPEECH

from bench import batched, throughput
from bench.batched import Batched
from bench.options import DeveloperOptions
from bench.stream_metrics import FinalEvent
from bench.stream_run import Streamed
from vivavoce.bench import results


@pytest.mark.engine
def test_both_transcribe_the_recording(bench, tmp_path: Path) -> None:
    shown = bench("throughput", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    (result,) = results.load(tmp_path / "r.json")
    found = {figure.name: figure for figure in result.figures}
    for name in ("BatchedInferencePipeline", "recordings", "captions"):
        assert found[f"{name}: WER"].value < 30
        assert found[f"{name}: CPU"].value > 0
        assert any(figure.startswith(f"{name}: peak memory") for figure in found)
    for profile in ("recordings", "captions"):
        judged = found[f"{profile}: throughput against it"]
        assert (judged.budget, judged.better) == (1.0, "higher")
        ours = found[f"{profile}: peak memory, engine and main process"].value
        ratio = ours / found["BatchedInferencePipeline: peak memory"].value
        assert found[f"{profile}: peak memory against it"].value == pytest.approx(ratio)
    assert found["recordings: words that differ from captions"].samples == 5
    sizes = next(note for note in result.notes if "by size of batches" in note)
    assert all(f" {size}: " in sizes for size in throughput.BATCH_SIZES)
    assert any("final_context: auto" in note and "30 s" in note for note in result.notes)


def result_of(walls: dict[int, list[float]], trimmed: str, exact: str) -> results.Result:
    """100 s of audio in such times by size of batches; ours took 10 s for ``exact``, and 5 s."""

    def ours(text: str, wall_s: float) -> throughput._Ours:
        final = FinalEvent(1.0, 1, text, 0.0, 1.0)
        runs = [
            Streamed((final,), 2 * seconds, 50.0, 250.0, end_s=1.0, wall_s=seconds)
            for seconds in (wall_s + 1, 1.0, 3.0)
        ]
        return throughput._Ours((runs[0],), tuple(runs[1:]))

    theirs = [
        throughput._Theirs(tuple(Batched(size, "a b c d", wall, 1.0, 200.0) for wall in rounds))
        for size, rounds in walls.items()
    ]
    both = {"recordings": ours(trimmed, 5.0), "captions": ours(exact, 10.0)}
    return throughput._result(DeveloperOptions(), "talk", 100.0, "a b c d", theirs, both)


def test_ours_is_compared_with_the_fastest_of_theirs_by_medians() -> None:
    walls = {1: [9.0, 9.0, 9.0], 4: [8.0, 8.0, 99.0], 8: [1.0, 9.5, 9.5]}
    result = result_of(walls, "a b c d", "a b c d")
    found = {figure.name: figure for figure in result.figures}
    assert found["BatchedInferencePipeline: throughput"].value == pytest.approx(100 / 8)
    assert found["recordings: throughput against it"].value == pytest.approx(8 / 5)
    assert found["recordings: CPU"].value == pytest.approx(2 * 5 / 100)
    captions = found["captions: throughput against it"]
    assert captions.value == pytest.approx(0.8)
    assert captions.met is False
    assert found["captions: peak memory against it"].value == pytest.approx(1.5)
    assert any("compared with its best, 4;" in note for note in result.notes)


@pytest.mark.parametrize(
    ("trimmed", "exact", "percent"),
    [("A b, c d.", "a b c d", 0), ("a x c d e", "a b c d", 50), ("", "a b", 100), ("", "", 0)],
)
def test_words_that_differ_are_edits_per_word_of_the_exact_text(trimmed, exact, percent) -> None:
    result = result_of({1: [1.0]}, trimmed, exact)
    assert result.figures[-1].name == "recordings: words that differ from captions"
    assert result.figures[-1].value == pytest.approx(percent)


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
