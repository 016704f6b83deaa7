import math
from pathlib import Path

import pytest

from vivavoce.bench.results import (
    Figure,
    Machine,
    Result,
    ResultFileError,
    compare,
    load,
    save,
    times_worse,
)

HERE = Machine(cores=2, python="CPython 3.11.7", platform="Linux x86_64")
ELSEWHERE = Machine(cores=64, python="CPython 3.13.0", platform="Linux aarch64")


def result(*figures: Figure, machine: Machine = HERE, quick: bool = False) -> Result:
    return Result(name="x", figures=list(figures), machine=machine, quick=quick)


def test_a_result_survives_its_file(tmp_path: Path) -> None:
    written = result(Figure(name="f", value=1.5, unit="ms", budget=2.0, p50=1.0, p99=3.0))
    save([written], tmp_path / "r.json")
    assert load(tmp_path / "r.json") == [written]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"v":2,"results":[]}', b'{"v":1}'])
def test_a_file_of_something_else_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(ResultFileError, match=r"bad\.json is no file of benchmark results"):
        load(path)


def test_budgets_know_which_way_is_better() -> None:
    assert Figure(name="f", value=2, unit="ms", budget=2).met
    assert not Figure(name="f", value=2.1, unit="ms", budget=2).met
    assert Figure(name="f", value=6, unit="×", better="higher", budget=5).met
    assert not Figure(name="f", value=4, unit="×", better="higher", budget=5).met
    assert Figure(name="f", value=4, unit="×").met is None


@pytest.mark.parametrize(
    ("better", "before", "now", "noise", "worse"),
    [
        ("lower", 2.0, 3.0, 0.0, 1.5),
        ("higher", 3.0, 2.0, 0.0, 1.5),
        ("lower", 0.0, 0.0, 0.0, 1.0),
        ("lower", 0.0, 1.0, 0.0, math.inf),
        ("lower", -0.1, 0.4, 0.5, 1.0),
        ("lower", -0.1, 1.0, 0.5, 2.0),
        ("higher", 3.0, 0.0, 0.0, math.inf),
    ],
)
def test_how_much_worse(better: str, before: float, now: float, noise: float, worse: float) -> None:
    old = Figure(name="f", value=before, unit="", better=better, noise=noise)  # type: ignore[arg-type]
    new = Figure(name="f", value=now, unit="", better=better, noise=noise)  # type: ignore[arg-type]
    assert times_worse(old, new) == pytest.approx(worse)


def test_absolute_figures_of_another_machine_are_told_but_not_judged() -> None:
    def at(value: float, machine: Machine) -> Result:
        return result(
            Figure(name="absolute", value=value, unit="ms"),
            Figure(name="ratio", value=value, unit="×", ratio_to="anyio"),
            machine=machine,
        )

    same, _ = compare([at(1, HERE)], [at(9, HERE)], factor=1.5)
    assert [item.regressed for item in same] == [True, True]
    other, _ = compare([at(1, ELSEWHERE)], [at(9, HERE)], factor=1.5)
    assert [(item.judged, item.regressed) for item in other] == [(False, False), (True, True)]


def test_a_quick_run_is_not_judged_by_a_complete_one() -> None:
    figure = Figure(name="f", value=1, unit="×", ratio_to="anyio")
    found, _ = compare([result(figure)], [result(figure, quick=True)], factor=1.5)
    assert [item.judged for item in found] == [False]


def test_what_is_missing_on_either_side_is_told() -> None:
    old = result(Figure(name="gone", value=1, unit="ms"), Figure(name="both", value=1, unit="ms"))
    new = result(Figure(name="both", value=1, unit="ms"), Figure(name="new", value=1, unit="ms"))
    found, missing = compare([old], [new, Result(name="y", figures=[])], factor=1.5)
    assert [item.figure for item in found] == ["both"]
    assert missing == [
        "x: gone: only in the earlier run",
        "x: new: only in the new run",
        "y: the earlier run does not have this benchmark",
    ]
