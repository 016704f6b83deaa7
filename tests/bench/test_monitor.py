"""The benchmark of the monitor's own cost."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from vivavoce.bench import results

pytestmark = pytest.mark.pace

Bench = Callable[..., Result]


def test_the_monitor_is_weighed_by_mode_and_by_part(bench: Bench, tmp_path: Path) -> None:
    shown = bench("monitor", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    (result,) = results.load(tmp_path / "r.json")
    found = {figure.name: figure for figure in result.figures}
    for mode in ("while somebody speaks", "listening", "idle"):
        assert found[f"CPU, {mode}"].budget == 0.1
        assert found[f"CPU, {mode}"].value > 0
    assert 1 < found["a tick"].value < found["a judgement"].value
