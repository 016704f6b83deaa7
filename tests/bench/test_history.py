"""The benchmark of the history, on a small one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from bench import history
from vivavoce.actors.history.reading import Filter, Reader
from vivavoce.bench import results

pytestmark = pytest.mark.pace

Bench = Callable[..., Result]


def test_every_kind_of_query_is_measured_against_its_budget(bench: Bench, tmp_path: Path) -> None:
    shown = bench("history", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    (result,) = results.load(tmp_path / "r.json")
    found = {figure.name: figure for figure in result.figures}
    asked = [figure for figure in result.figures if figure.budget == 50.0]
    assert len(asked) >= 20
    assert all(figure.met for figure in asked)
    assert found[history._WORST].budget is None
    assert found["LIKE, rare word ÷ ours"].value > 1
    assert 0 < found["adding a row, committed"].value < 50
    assert found["vivavoce history list, the process"].value > 0


def test_the_database_is_what_the_queries_are_about(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    vocabulary = history._vocabulary()
    history._build(path, 5_000, vocabulary)
    with Reader(path) as reader:
        assert reader.count() == 5_000
        assert [entry.id for entry in reader.every()] == list(range(1, 5_001))
        month = Filter(since=history._BEGAN, until=history._BEGAN + 60_000)
        assert len(reader.page(20, wanted=month)) == 3
        found = {
            title: query(reader) for title, query in history._queries(5_000, vocabulary).items()
        }
    assert found["list, first page"] == found["list, last page"] == 20
    assert found["list, one application, in the middle"] == 20
    assert found["search, commonest word"] == found["search, prefix of one letter"] == 20
    assert found["search, commonest word, one application"] == 20
    assert found["search, no such word"] == found["list, an application that is not there"] == 0
