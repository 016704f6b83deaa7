"""The command: listing, tables, JSON, saved files, and the exit code of a comparison."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from vivavoce.bench import registry, results
from vivavoce.bench.command import command_of

ROOT = Path(__file__).parents[2]

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
    for name in registry.PACKAGES:
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


def documented() -> list[str]:
    """Every command line of the pages that runs benchmarks."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    text = "\n".join(page.read_text() for page in pages)
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    lines = re.findall(r"^vivavoce bench[^\n]*", blocks, re.MULTILINE)
    lines += re.findall(r"`(vivavoce bench [^`]*)`", text)
    return sorted({re.split(r"  +|  #", line)[0] for line in lines})


@pytest.mark.parametrize("line", documented())
def test_the_pages_name_benchmarks_and_options_that_there_are(line: str) -> None:
    arguments = shlex.split(line)[2:]
    with command_of(registry.suite()).make_context("bench", arguments) as context:
        names = context.params["names"]
    assert set(names) <= {*registry.PACKAGES, "all"}


def test_the_pages_have_such_lines() -> None:
    assert len(documented()) > 20


@pytest.mark.process
def test_python_m_bench_works_from_the_source_tree() -> None:
    listing = subprocess.run(
        [sys.executable, "-m", "bench"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(registry.PACKAGES) <= set(listing.stdout.split())


@pytest.mark.process
def test_a_checkout_has_the_developers_benchmarks_wherever_it_is_started(tmp_path: Path) -> None:
    listing = subprocess.run(
        [sys.executable, "-P", "-m", "vivavoce", "bench"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(registry.PACKAGES) <= set(listing.stdout.split())


@pytest.mark.process
def test_finding_them_makes_nothing_else_of_the_checkout_importable(tmp_path: Path) -> None:
    probe = (
        "import importlib.util, vivavoce.bench.registry as registry; registry.suite();"
        "print([name for name in ('bench', 'config', 'actors', 'docs', 'tests')"
        " if getattr(importlib.util.find_spec(name), 'submodule_search_locations', None)"
        f" and any(place.startswith({str(ROOT)!r}) for place in"
        " importlib.util.find_spec(name).submodule_search_locations)])"
    )
    found = subprocess.run(
        [sys.executable, "-P", "-c", probe],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "['bench']"


class TestInstalled:
    """What the command is where the package is no part of a checkout."""

    @staticmethod
    def bench(*arguments: str) -> Result:
        return CliRunner().invoke(command_of(registry.INSTALLED), list(arguments))

    def test_only_what_works_there_is_listed(self) -> None:
        listing = self.bench()
        names = [line.split()[0] for line in listing.stdout.splitlines()[1:]]
        assert names == ["channel", "ring", "loop", "startup", "idle"]

    def test_only_its_options_are_offered(self) -> None:
        told = self.bench("--help").stdout
        assert "--seconds" in told
        for name in ("soak", "stream", "wake", "memory"):
            assert name not in told
        assert self.bench("channel", "--hours", "3").exit_code == 2

    @pytest.mark.parametrize(
        "name", [name for name in registry.PACKAGES if name not in registry.INSTALLED.names]
    )
    def test_another_gets_one_line_that_says_where_it_is(self, name: str) -> None:
        shown = self.bench("channel", name, "--quick")
        assert (shown.exit_code, shown.stdout) == (2, "")
        (line,) = shown.stderr.splitlines()
        assert line == (
            f"vivavoce bench: {name!r} is a developers' benchmark, which an installed package does "
            f"not have: run `vivavoce bench {name}` in a checkout of the source (after `make "
            "install`); here there are: channel, ring, loop, startup, idle, all"
        )

    def test_a_misspelt_one_is_not_said_to_be_anywhere(self) -> None:
        (line,) = self.bench("soac").stderr.splitlines()
        assert line.startswith("vivavoce bench: no benchmark is called 'soac'; there are: channel,")
