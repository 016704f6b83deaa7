"""The benchmarks that run the real pipeline or a real engine, as quickly as they go."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from bench import memory
from bench.options import DeveloperOptions
from vivavoce.bench import child, results, startup

pytestmark = pytest.mark.engine

Bench = Callable[..., Result]


def figures(path: Path) -> dict[str, results.Figure]:
    (result,) = results.load(path)
    assert result.quick
    return {figure.name: figure for figure in result.figures}


def test_pipeline_splits_the_cpu_by_actor(bench: Bench, tmp_path: Path) -> None:
    shown = bench("pipeline", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    found = figures(tmp_path / "r.json")
    assert list(found)[:4] == [
        "capture",
        "capture + vad",
        "everything",
        "everything, at real-time pace with partials",
    ]
    assert all(found[stage].value > 0 for stage in list(found)[:4])
    alone = found["capture + vad"].value - found["capture"].value
    assert found["vad alone"].value == pytest.approx(alone)


def test_ring_measures_with_and_without_a_decoding_engine(bench: Bench, tmp_path: Path) -> None:
    shown = bench("ring", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    found = figures(tmp_path / "r.json")
    for cadence in ("32 ms", "2 ms"):
        callback = found[f"{cadence}, engine decoding: callback, p99"]
        assert callback.budget == 50.0
        assert callback.samples >= 16
        assert found[f"{cadence}, engine decoding: overruns"].value == 0
        assert f"{cadence}, quiet: callback, p99" in found


def test_loop_measures_beside_an_empty_one(bench: Bench, tmp_path: Path) -> None:
    shown = bench("loop", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    found = figures(tmp_path / "r.json")
    lag = found["captioning: lag, p99.9"]
    assert lag.budget == 20.0
    assert lag.samples > 100
    assert 0 < lag.value <= found["captioning: lag, longest"].value
    assert found["empty loop in another process: lag, p99.9"].samples > 100


def test_startup_knows_the_first_sample_memory_and_imports(bench: Bench, tmp_path: Path) -> None:
    shown = bench("startup", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    found = figures(tmp_path / "r.json")
    assert found["recording: first sample"].value > 0.05  # Python alone takes longer
    assert found["recording: resident memory, peak"].value > 20
    assert found["imports of a run"].value > 10
    assert "numpy" in results.load(tmp_path / "r.json")[0].notes[-1]


@pytest.mark.smoke
def test_the_first_sample_is_dated_by_the_earliest_bound() -> None:
    run = child.Run()
    events = [b'{"type":"partial","t":0.5}\n', b'{"type":"end","t":50.0,"ledger":{}}\n']
    read_at = iter([2.0, 51.25])
    child.read_events(io.BytesIO(b"".join(events)), run, now=lambda: next(read_at))
    assert run.first_sample_s == 1.25  # the first event was read late


def test_memory_accounts_for_every_sample_and_fits_a_slope(bench: Bench, tmp_path: Path) -> None:
    shown = bench("memory", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    found = figures(tmp_path / "r.json")
    assert found["samples not accounted for"].value == 0
    assert found["slope of resident memory"].samples > 2
    assert f"captured {int(memory._QUICK_HOURS * 3600 * 16_000)}" in shown.stdout


def test_a_child_that_fails_is_one_clear_line(bench: Bench) -> None:
    shown = bench("startup", "--quick", "--model", "/nowhere/at/all")
    assert shown.exit_code == 1
    assert shown.stderr.splitlines()[-1].startswith("vivavoce bench: vivavoce run ended with")


def test_the_costliest_imports_come_first() -> None:
    source = str(child.recording(long=False))
    arguments = [
        "run",
        "--source",
        source,
        "--pace",
        "max",
        *child.engine_arguments(DeveloperOptions()),
    ]
    total, top = startup._imports(arguments)
    costs = [milliseconds for _, milliseconds in top]
    assert costs == sorted(costs, reverse=True)
    assert len(top) == 10
    assert sum(costs) <= total
