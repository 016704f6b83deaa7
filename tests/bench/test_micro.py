"""Every optimisation is measured on and off, and gets a verdict."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from bench import micro
from vivavoce.actors.cleanup import Cleaner
from vivavoce.bench import results
from vivavoce.config.schema import CleanupSettings

pytestmark = pytest.mark.pace

Bench = Callable[..., Result]


def test_every_optimisation_gets_its_cost_its_gain_and_a_verdict(
    bench: Bench, tmp_path: Path
) -> None:
    assert bench("micro", "--quick", "--save", "r.json").exit_code == 0
    (result,) = results.load(tmp_path / "r.json")
    costs, gains = result.figures[::2], result.figures[1::2]
    assert [f"{cost.name}: gain" for cost in costs] == [gain.name for gain in gains]
    assert {"recycled blocks", "mix-down in buffers", "deferred logging"} <= {
        cost.name for cost in costs
    }
    for gain in gains:
        assert gain.ratio_to
        pays = "pays" if gain.value >= 1.1 else "does not pay"
        assert gain.verdict in (f"{pays}, used", f"{pays}, not used")


def test_both_sides_of_the_cleanup_comparison_give_the_same_text() -> None:
    text = micro._SENTENCES
    assert micro.substituted(text) == Cleaner(CleanupSettings()).text(text) != text
