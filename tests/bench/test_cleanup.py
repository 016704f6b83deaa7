"""The benchmark of cleanup: every stage is measured, and has something to do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from bench import cleanup
from bench.dictated import SENTENCES
from vivavoce.actors.cleanup import Cleaner
from vivavoce.bench import results
from vivavoce.config.cleanup import CleanupSettings

Bench = Callable[..., Result]


@pytest.mark.pace
def test_all_stages_and_each_stage_have_their_figures(bench: Bench, tmp_path: Path) -> None:
    assert bench("cleanup", "--quick", "--save", "r.json").exit_code == 0
    (result,) = results.load(tmp_path / "r.json")
    figures = {figure.name: figure for figure in result.figures}
    final = figures["per final, all stages, p95"]
    assert final.budget == 0.3
    assert final.p50 is not None
    assert 0 < final.p50 <= final.value
    assert figures["all stages"].ratio_to == "tidying alone"
    assert figures["all stages"].value > 1
    assert {f"stage {stage}" for stage in cleanup.STAGES} <= set(figures)


@pytest.mark.parametrize("stage", cleanup.STAGES)
def test_every_stage_has_something_to_do_in_the_corpus(stage: str) -> None:
    if stage == "numbers":
        pytest.importorskip("text_to_num", reason="text2num is not installed")
    tidy, cleaner = Cleaner(CleanupSettings()), Cleaner(cleanup.STAGES[stage])
    texts = ["5 percent of it"] if stage == "units" else SENTENCES
    assert any(cleaner.text(text) != tidy.text(text) for text in texts)


def test_the_texts_are_as_long_as_what_people_dictate() -> None:
    lengths = [len(text.split()) for text in SENTENCES]
    assert sum(lengths) / len(lengths) >= 30
    assert min(lengths) >= 25
