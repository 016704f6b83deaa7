"""Throughput against BatchedInferencePipeline: both really run."""

from pathlib import Path

import pytest

from vivavoce.bench import results

pytestmark = pytest.mark.engine


def test_both_transcribe_the_recording(bench, tmp_path: Path) -> None:
    shown = bench("throughput", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    (result,) = results.load(tmp_path / "r.json")
    found = {figure.name: figure for figure in result.figures}
    for name in ("BatchedInferencePipeline", "recordings", "captions"):
        assert found[f"{name}: WER"].value < 30
        assert found[f"{name}: CPU"].value > 0
    judged = found["recordings: throughput against it"]
    assert judged.budget == 1.0
    assert judged.better == "higher"
