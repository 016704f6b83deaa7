"""The command: listing, tables, JSON, saved files, and the exit code of a comparison."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import Result

from vivavoce.bench import registry, results

Bench = Callable[..., Result]


def planted(path: Path, factor: float) -> None:
    """Make every figure of a saved file better by ``factor``, so that the next run looks worse."""
    changed = []
    for result in results.load(path):
        figures = [
            msgspec.structs.replace(
                figure,
                value=figure.value / factor if figure.better == "lower" else figure.value * factor,
            )
            for figure in result.figures
        ]
        changed.append(msgspec.structs.replace(result, figures=figures))
    results.save(changed, path)


def test_without_a_name_the_benchmarks_are_listed(bench: Bench) -> None:
    listing = bench()
    assert listing.exit_code == 0
    for name in registry.NAMES:
        assert f"  {name} " in listing.stdout
        assert registry.find(name).description in listing.stdout


def test_the_help_says_which_benchmarks_take_speech_without_pauses(bench: Bench) -> None:
    assert "For `stream` and `throughput`: take the pauses" in " ".join(
        bench("--help").stdout.split()
    )


@pytest.mark.pace
def test_the_table_shows_budgets_and_the_machine(bench: Bench) -> None:
    shown = bench("channel", "--quick")
    assert shown.exit_code == 0
    assert "channel (quick)" in shown.stdout
    assert "≥ 5" in shown.stdout
    assert "cores, CPython" in shown.stdout
    assert not any(line.startswith("  …") for line in shown.stdout.splitlines())


@pytest.mark.pace
def test_json_on_stdout_is_the_saved_file(bench: Bench, tmp_path: Path) -> None:
    shown = bench("channel", "--quick", "--json", "--save", "r.json")
    assert json.loads(shown.stdout) == json.loads((tmp_path / "r.json").read_text())
    assert [result.name for result in results.load(tmp_path / "r.json")] == ["channel"]


@pytest.mark.pace
def test_against_exits_1_on_a_regression_and_0_otherwise(bench: Bench, tmp_path: Path) -> None:
    assert bench("channel", "--quick", "--save", "r.json").exit_code == 0
    same = bench("channel", "--quick", "--against", "r.json", "--factor", "1000")
    assert same.exit_code == 0
    assert "0 of 13 judged figures" in same.stdout
    planted(tmp_path / "r.json", 1e6)
    worse = bench("channel", "--quick", "--against", "r.json", "--factor", "1000")
    assert worse.exit_code == 1
    assert "13 of 13 judged figures" in worse.stdout
    assert "REGRESSED" in worse.stdout


@pytest.mark.pace
def test_missing_figures_are_told_and_fail_nothing(bench: Bench, tmp_path: Path) -> None:
    bench("channel", "--quick", "--save", "r.json")
    (saved,) = results.load(tmp_path / "r.json")
    results.save([msgspec.structs.replace(saved, figures=saved.figures[1:])], tmp_path / "r.json")
    shown = bench("channel", "--quick", "--against", "r.json", "--factor", "1000")
    assert shown.exit_code == 0
    assert f"missing: channel: {saved.figures[0].name}: only in the new run" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["channel", "--against", "absent.json"], "cannot read results from absent.json"),
        (["channel", "--against", "text.json"], "text.json is no file of benchmark results"),
        (["channel", "--save", "no/such/folder.json"], "there is no folder"),
        (["channel", "--save", "."], "it is a folder"),
        (["chanel"], "no benchmark is called 'chanel'; there are: channel, "),
    ],
)
def test_mistakes_get_one_line_and_exit_2_before_anything_runs(
    bench: Bench, tmp_path: Path, arguments: list[str], expected: str
) -> None:
    (tmp_path / "text.json").write_text("hello")
    shown = bench(*arguments)
    assert shown.exit_code == 2
    assert shown.stdout == ""
    (line,) = shown.stderr.splitlines()
    assert line.startswith("vivavoce bench: ")
    assert expected in line


@pytest.mark.process
def test_python_m_bench_works_from_the_source_tree() -> None:
    root = registry.checkout()
    if root is None:
        pytest.skip("the package is not part of a source tree")
    listing = subprocess.run(
        [sys.executable, "-m", "bench"], cwd=root, capture_output=True, text=True, check=True
    )
    assert "channel" in listing.stdout
