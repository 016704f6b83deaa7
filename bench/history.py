"""A history of a million rows: pages of it, searches in it, and a row more."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from vivavoce.actors.history.entry import Kept
from vivavoce.actors.history.opening import open_for_writing, transaction
from vivavoce.actors.history.query import match_expression
from vivavoce.actors.history.reading import EVERYTHING, Filter, Reader
from vivavoce.actors.history.store import Store
from vivavoce.bench.measure import in_turns, paired_ratio, quantile
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result

name = "history"
description = "A history of 1,000,000 rows: pages, searches (against OFFSET and LIKE), a row more"

_BUDGET_MS = 50.0
_ROWS = 1_000_000
_QUICK_ROWS = 20_000
_PAGE = 20
_WORDS = 30_000
_LENGTH = 12
_LATE = 2_000
"""Rows added one by one, as in real life: the index then has the parts that it has there."""
_WORST = "search, commonest word six times side by side"
"""What the index is worst at: positions must be compared in two of three rows. Only reported."""
_BEGAN = 1_700_000_000_000
_APART_MS = 20_000
_APPLICATIONS = ("firefox", "XTerm", "org.gnome.TextEditor", "code", "Slack")


def run(options: Options) -> Result:
    """Build the database, then measure each query with a connection of its own."""
    rows = _QUICK_ROWS if options.quick else _ROWS
    rounds = 5 if options.quick else 60
    with tempfile.TemporaryDirectory(prefix="vivavoce-bench-") as folder:
        path = Path(folder) / "history.sqlite3"
        vocabulary = _vocabulary()
        options.say(f"a database of {rows:,} rows")
        began = time.perf_counter()
        _build(path, rows, vocabulary)
        built = time.perf_counter() - began
        figures: list[Figure] = []
        for title, query in _queries(rows, vocabulary).items():
            options.say(title)
            taken = [_timed(partial(_asked, path, query)) for _ in range(rounds)]
            figures.append(_in_ms(title, taken, None if title == _WORST else _BUDGET_MS))
        options.say("against OFFSET and LIKE")
        figures += _ratios(path, rows, vocabulary, 2 if options.quick else 7)
        options.say("adding rows")
        figures += _adding(path, vocabulary, 50 if options.quick else 500)
        options.say("the command")
        figures.append(_command(path, 3 if options.quick else 15))
        size = path.stat().st_size / 1e6
    return Result(
        name=name,
        figures=figures,
        quick=options.quick,
        notes=[
            f"{rows:,} rows of {_LENGTH} words out of {len(vocabulary):,} (by Zipf's law), "
            f"{size:.0f} MB, built in {built:.0f} s; pages of {_PAGE}",
            "each query opens the database anew; wall time; the file is in the page cache",
            "rows added by the hundred pay for the parts of the index that are merged meanwhile",
            "the budget holds for the slowest of all queries of a kind (value), not the median",
        ],
    )


def _vocabulary() -> list[str]:
    """Words of two to ten letters, the same ones each time; the commonest first."""
    random = np.random.default_rng(20_260_501)
    letters = np.array(list("etaoinshrdlucmfwypvbgk"))
    chances = 1 / np.arange(1, len(letters) + 1)
    chances /= chances.sum()
    words: dict[str, None] = {}
    while len(words) < _WORDS:
        length = int(random.integers(2, 11))
        words["".join(random.choice(letters, length, p=chances))] = None
    return list(words)


def _texts(vocabulary: list[str], seed: int = 1) -> Iterator[str]:
    """Texts without end, the same ones each time."""
    random = np.random.default_rng(seed)
    chances = 1 / np.arange(1, len(vocabulary) + 1)
    chances /= chances.sum()
    while True:
        for chosen in random.choice(len(vocabulary), (5_000, _LENGTH), p=chances).tolist():
            yield " ".join([vocabulary[word] for word in chosen])


def _build(path: Path, rows: int, vocabulary: list[str]) -> None:
    late = min(_LATE, rows // 10)
    texts = _texts(vocabulary)
    connection = open_for_writing(path)
    try:
        with transaction(connection):
            # Without the triggers, and the index at once: in a fifth of the time.
            triggers = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall()
            for trigger, _ in triggers:
                connection.execute(f"DROP TRIGGER {trigger}")
            connection.execute("INSERT INTO sessions VALUES(1, 'bench', ?)", (_BEGAN,))
            connection.executemany(
                'INSERT INTO finals(session, utterance, began, ended, start, "end", text, '
                "profile, engine, model, language, confidence, application, outcome, back_end) "
                "VALUES(1, ?, ?, ?, ?, ?, ?, 'dictation', 'faster-whisper', 'base.en', 'en', 0.9, "
                "?, 'typed', 'xdotool')",
                (
                    (
                        number,
                        _BEGAN + number * _APART_MS,
                        _BEGAN + number * _APART_MS + 4_000,
                        number * 16 * _APART_MS,
                        number * 16 * _APART_MS + 64_000,
                        text,
                        _APPLICATIONS[number % len(_APPLICATIONS)],
                    )
                    for number, text in zip(range(rows - late), texts, strict=False)
                ),
            )
            connection.execute("INSERT INTO words(words) VALUES('rebuild')")
            connection.execute(
                "INSERT INTO spans SELECT id >> 10, min(began), max(began) FROM finals GROUP BY 1"
            )
            for _, sql in triggers:
                connection.execute(sql)
    finally:
        connection.close()
    store = Store(path, "bench")
    for number in range(rows - late, rows):
        with store.transaction():
            store.add(_row(number, next(texts)))
    store.close()


def _row(number: int, text: str) -> Kept:
    began = _BEGAN + number * _APART_MS
    return Kept(
        utterance=number,
        run_began=_BEGAN,
        began=began,
        ended=began + 4_000,
        start=number * 16 * _APART_MS,
        end=number * 16 * _APART_MS + 64_000,
        text=text,
        profile="dictation",
        application=_APPLICATIONS[number % len(_APPLICATIONS)],
    )


def _queries(rows: int, vocabulary: list[str]) -> dict[str, Callable[[Reader], int]]:
    """Each kind of query; how many rows it found."""
    month = Filter(
        since=_BEGAN + rows // 3 * _APART_MS, until=_BEGAN + rows // 3 * _APART_MS + 30 * 86_400_000
    )
    common, often, rare = vocabulary[0], vocabulary[200], vocabulary[-1]

    def search(
        text: str, before: int | None = None, wanted: Filter = EVERYTHING
    ) -> Callable[[Reader], int]:
        expression = match_expression(text)
        return lambda reader: len(reader.search(expression, _PAGE, before=before, wanted=wanted))

    def page(before: int | None = None, wanted: Filter = EVERYTHING) -> Callable[[Reader], int]:
        return lambda reader: len(reader.page(_PAGE, before=before, wanted=wanted))

    return {
        "list, first page": page(),
        "list, page in the middle": page(before=rows // 2),
        "list, last page": page(before=_PAGE + 1),
        "list, a month two thirds back": page(wanted=month),
        "list, one application, in the middle": page(
            before=rows // 2, wanted=Filter(application="xterm")
        ),
        "list, an application that is not there": page(wanted=Filter(application="none")),
        "search, commonest word": search(f'"{common}"'),
        "search, commonest word, page in the middle": search(f'"{common}"', before=rows // 2),
        "search, commonest word, a month two thirds back": search(f'"{common}"', wanted=month),
        "search, commonest word, one application": search(
            f'"{common}"', wanted=Filter(application="XTerm")
        ),
        "search, commonest word, an application that is not there": search(
            f'"{common}"', wanted=Filter(application="none")
        ),
        "search, rare word": search(f'"{rare}"'),
        "search, no such word": search('"xxxxxxxxxxxx"'),
        "search, prefix of one letter": search("t"),
        "search, prefix of three letters": search("eta"),
        "search, prefix of four letters": search(f"{often[:1]}eta"),
        "search, two common words": search(f'"{common}" "{vocabulary[1]}"'),
        "search, commonest and rare word": search(f'{common} "{rare}"'),
        "search, two frequent words": search(f'"{often}" "{vocabulary[201]}"'),
        "search, phrase of common words": search(f'"{common} {vocabulary[1]}"'),
        _WORST: search('"' + " ".join([common] * 6) + '"'),
        "search, phrase that is not there": search(f'"{rare} {vocabulary[-2]}"'),
    }


def _asked(path: Path, query: Callable[[Reader], int]) -> int:
    with Reader(path) as reader:
        return query(reader)


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _in_ms(title: str, taken: list[float], budget: float | None = None) -> Figure:
    """Where there is a budget, the slowest has to meet it."""
    milliseconds = [seconds * 1e3 for seconds in taken]
    return Figure(
        name=title,
        value=max(milliseconds) if budget is not None else quantile(milliseconds, 0.5),
        unit="ms",
        budget=budget,
        noise=5.0,
        samples=len(taken),
        p50=quantile(milliseconds, 0.5),
        p99=quantile(milliseconds, 0.99),
    )


def _ratios(path: Path, rows: int, vocabulary: list[str], rounds: int) -> list[Figure]:
    """What is usual instead, in turns with ours: OFFSET for pages, LIKE for searches."""
    offset = "SELECT id, text FROM finals ORDER BY id DESC LIMIT ? OFFSET ?"
    like = "SELECT id, text FROM finals WHERE text LIKE ? ORDER BY id DESC LIMIT ?"
    rare = vocabulary[-1]

    def plain(statement: str, values: tuple[object, ...]) -> float:
        def ask() -> None:
            connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
            connection.execute(statement, values).fetchall()
            connection.close()

        return _timed(ask)

    queries = _queries(rows, vocabulary)
    compared = {
        "OFFSET, page in the middle": (
            "list, page in the middle",
            partial(plain, offset, (_PAGE, rows // 2)),
        ),
        "LIKE, rare word": ("search, rare word", partial(plain, like, (f"% {rare} %", _PAGE))),
    }
    figures = []
    for title, (ours, other) in compared.items():
        query = queries[ours]
        taken = in_turns(
            {"ours": lambda q=query: _timed(partial(_asked, path, q)), "other": other},  # type: ignore[misc]
            rounds,
        )
        figures.append(
            Figure(
                name=f"{title} ÷ ours",
                value=paired_ratio(taken["other"], taken["ours"]),
                unit="×",
                better="higher",
                budget=1.0,
                ratio_to=title.split(",", maxsplit=1)[0],
                samples=rounds,
            )
        )
    return figures


def _adding(path: Path, vocabulary: list[str], count: int) -> list[Figure]:
    """A final more, committed: as the history's thread does it, one by one, and many together."""
    texts = _texts(vocabulary, seed=2)
    store = Store(path, "more")
    numbers = itertools.count()

    def add(rows: int) -> None:
        with store.transaction():
            for _ in range(rows):
                store.add(_row(next(numbers), next(texts)))

    try:
        alone = [_timed(partial(add, 1)) for _ in range(count)]
        together = [_timed(partial(add, 100)) / 100 for _ in range(max(3, count // 50))]
    finally:
        store.close()
    return [
        _in_ms("adding a row, committed", alone),
        _in_ms("adding a row among a hundred", together),
    ]


def _command(path: Path, count: int) -> Figure:
    """The whole of ``vivavoce history list``: most of it is Python's own start."""
    arguments = [sys.executable, "-P", "-m", "vivavoce", "history", "--file", str(path), "list"]

    def call() -> None:
        subprocess.run(arguments, check=True, capture_output=True, timeout=60)

    return _in_ms("vivavoce history list, the process", [_timed(call) for _ in range(count)])
