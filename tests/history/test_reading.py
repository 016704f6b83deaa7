"""Pages and searches: right, complete, and by the plan that makes them fast."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vivavoce.actors.history.errors import HistoryError
from vivavoce.actors.history.query import match_expression
from vivavoce.actors.history.reading import Filter, Reader, page_query, search_query
from vivavoce.actors.history.store import Store

BEGAN = 1_777_000_000_000
MINUTE = 60_000


def found(path: Path, text: str, **more) -> list[str]:
    with Reader(path) as reader:
        return [hit.entry.text for hit in reader.search(match_expression(text), 50, **more)]


def test_pages_show_each_row_once_while_rows_are_added(fill, path: Path, row) -> None:
    fill(*(f"text {number}" for number in range(95)))
    store = Store(path, "run2")
    seen: list[int] = []
    before = None
    with Reader(path) as reader:
        while page := reader.page(10, before=before):
            seen += [entry.id for entry in page]
            before = page[-1].id
            with store.transaction():  # while somebody pages, somebody speaks
                store.add(row(len(seen), "new"))
                store.retract(3, 1)
    store.close()
    assert seen == list(range(95, 0, -1))


def test_rows_that_were_removed_do_not_disturb_the_paging(fill, path: Path) -> None:
    fill(*(f"text {number}" for number in range(20)))
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM finals WHERE id IN (11, 12, 20)")
    connection.commit()
    connection.close()
    with Reader(path) as reader:
        assert [entry.id for entry in reader.page(3, before=12)] == [10, 9, 8]
    fill("again", run="run2")
    with Reader(path) as reader:
        assert reader.page(1)[0].id == 21  # not 20: that was another text


def test_periods_are_exact_also_where_the_clock_was_set_back(fill, path: Path, row) -> None:
    store = Store(path, "run1")
    with store.transaction():
        for number in range(3_000):
            store.add(row(number, str(number)))
        store.add(row(5_000, "from the past", began=BEGAN + 2 * MINUTE + 1))
    store.close()
    wanted = Filter(since=BEGAN + 2 * MINUTE, until=BEGAN + 5 * MINUTE)
    with Reader(path) as reader:
        assert [e.text for e in reader.page(10, wanted=wanted)] == ["from the past", "4", "3", "2"]
        assert [e.text for e in reader.every(wanted)] == ["2", "3", "4", "from the past"]
        assert reader.page(5, wanted=Filter(since=BEGAN + 10**10)) == []
        assert len(list(reader.every())) == 3_001
        hits = reader.search('"4"', 10, wanted=wanted)
        assert [hit.entry.text for hit in hits] == ["4"]


def test_applications_in_any_case_and_exactly(fill, path: Path) -> None:
    fill("one two", application="org.gnome.TextEditor")
    fill("two three", run="run2", application="org.gnome.TextEditor.Devel")
    fill("two firefox", run="run3", application="-")
    editor = Filter(application="ORG.gnome.texteditor")
    assert found(path, "two", wanted=editor) == ["one two"]
    assert found(path, "two", wanted=Filter(application="-")) == ["two firefox"]
    assert found(path, "gnome") == []  # what was said, not where
    with Reader(path) as reader:
        assert [e.text for e in reader.page(5, wanted=editor)] == ["one two"]


def test_runs_by_the_beginning_of_their_name(fill, path: Path) -> None:
    fill("one", run="abc1")
    fill("two", run="abd2")
    with Reader(path) as reader:
        assert [e.text for e in reader.every(Filter(session="abd"))] == ["two"]
        assert [e.text for e in reader.every(Filter(session="*"))] == ["one", "two"]


def test_searches_find_words_accents_phrases_and_beginnings(fill, path: Path) -> None:
    fill("The Café in Zürich", "New York, new friends", "York is new", "don't stop", "日本語 text")
    assert found(path, "cafe zurich") == ["The Café in Zürich"]
    assert found(path, "new york") == ["York is new", "New York, new friends"]
    assert found(path, '"new york"') == ["New York, new friends"]
    assert found(path, "frie") == ["New York, new friends"]
    assert found(path, '"frie"') == []
    assert found(path, "fri* new") == ["New York, new friends"]
    assert found(path, "fri new") == []
    assert found(path, "don't") == ["don't stop"]
    assert found(path, "NOT new") == []
    assert found(path, "日本語") == ["日本語 text"]


@given(text=st.text(max_size=60) | st.text(alphabet='"*()^:-+{} ANDORT\x00a', max_size=30))
@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_no_text_is_a_wrong_query(fill, path: Path, text: str) -> None:
    if not path.exists():
        fill("some text to look in")
    with Reader(path) as reader:
        for wanted in (Filter(), Filter(application=text)):
            for hit in reader.search(match_expression(text), 5, wanted=wanted):
                assert hit.marked.replace("\x02", "").replace("\x03", "") == hit.entry.text


@given(
    words=st.lists(st.from_regex(r"[a-zà-öø-ÿ0-9]{1,8}", fullmatch=True), min_size=1, max_size=6)
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_text_is_found_by_its_own_words(tmp_path: Path, row, words: list[str]) -> None:
    connection_path = tmp_path / "own.sqlite3"
    store = Store(connection_path, "run1")
    with store.transaction():
        store.connection.execute("DELETE FROM finals")
        store.add(row(1, " ".join(words)))
    store.close()
    assert found(connection_path, " ".join(reversed(words))) == [" ".join(words)]


def test_a_query_of_ones_own_that_is_wrong_is_one_line(fill, path: Path) -> None:
    fill("text")
    with Reader(path) as reader:
        assert len(reader.search("text NOT other", 5)) == 1
        for wrong in ('"', "a AND", ") (", "nocolumn: x"):
            with pytest.raises(HistoryError, match="--fts") as failed:
                reader.search(wrong, 5)
            assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(),
        Filter(since=BEGAN, until=BEGAN + MINUTE),
        Filter(application="xterm"),
        Filter(session="run"),
    ],
)
def test_no_page_is_sorted_and_no_table_is_scanned(fill, path: Path, wanted: Filter) -> None:
    fill(*(f"text {number}" for number in range(50)), application="xterm")
    with Reader(path) as reader:
        statements = [
            page_query(reader.connection, 20, 40, wanted),
            search_query(reader.connection, "text", 20, 40, wanted),
        ]
        for statement, values in statements:
            plan = [
                row[3]
                for row in reader.connection.execute("EXPLAIN QUERY PLAN " + statement, values)
            ]
            outer = [step for step in plan if "sessions" not in step]
            assert not any("TEMP B-TREE" in step for step in plan), plan
            assert not any(step.startswith("SCAN finals") for step in outer), plan
            scans = [step for step in outer if step.startswith("SCAN")]
            # FTS5 calls every use of its index a scan; it is told to read it backwards (">" "<").
            assert scans in ([], [s for s in scans if s.startswith("SCAN words VIRTUAL TABLE")])


@pytest.mark.thorough
def test_a_search_reads_the_index_only_as_far_as_the_page_goes(fill, path: Path) -> None:
    """Counted in steps of SQLite's machine, so that no slow machine can disturb it."""
    steps: dict[int, int] = {}
    for rows in (2_000, 8_000):
        fill(*("common text" for _ in range(rows)), run=f"r{rows}")
        with Reader(path) as reader:
            count = 0

            def step() -> int:
                nonlocal count
                count += 1
                return 0

            reader.connection.set_progress_handler(step, 10)
            assert len(reader.search("common", 20)) == 20
            assert len(reader.page(20, before=rows // 2)) == 20
            steps[rows] = count
    assert steps[8_000] < 1.5 * steps[2_000]
