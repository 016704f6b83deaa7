"""What is written, and what changes it later."""

from pathlib import Path

import pytest

from vivavoce.actors.desktop.delivery import Delivery, Outcome
from vivavoce.actors.history.errors import HistoryError
from vivavoce.actors.history.reading import Reader
from vivavoce.actors.history.store import Store
from vivavoce.pipeline.messages import Revision


@pytest.fixture
def store(path: Path):
    opened = Store(path, "run1")
    yield opened
    opened.close()


def rows(path: Path):
    with Reader(path) as reader:
        return list(reader.every())


def test_a_row_comes_back_as_it_was(store, row, path: Path) -> None:
    given = row(
        3, "Grüße, 世界 👋🏽\nzweite Zeile\x00\x1b[31m", heard="grüße welt", engine="e", model="m",
        language="de", confidence=0.75, application="XTerm", wav=b"RIFF",
    )  # fmt: skip
    with store.transaction():
        store.add(given)
    (found,) = rows(path)
    for name in given.__struct_fields__:
        if name not in ("wav", "run_began"):
            assert getattr(found, name) == getattr(given, name), name
    assert (found.session, found.session_began, found.sound) == ("run1", given.run_began, True)


def test_deliveries_come_before_or_after_and_the_last_one_counts(store, row, path: Path) -> None:
    early = Delivery(utterance=1, outcome=Outcome.COPIED, back_end="clipboard", application="Foot")
    with store.transaction():
        store.deliver(early)
        store.deliver(Delivery(utterance=2, outcome=Outcome.HELD, reason="another window"))
        store.add(row(1, "one", application="XTerm"))
        store.add(row(2, "two", application="XTerm"))
    with store.transaction():
        store.deliver(Delivery(utterance=2, outcome=Outcome.TYPED, back_end="xdotool"))
    one, two = rows(path)
    assert (one.outcome, one.back_end, one.application) == ("copied", "clipboard", "Foot")
    assert (two.outcome, two.back_end, two.reason, two.application) == (
        "typed", "xdotool", "", "XTerm",
    )  # fmt: skip


def test_a_delivery_that_was_rolled_back_is_not_forgotten(store, row, path: Path) -> None:
    store.deliver(Delivery(utterance=1, outcome=Outcome.TYPED))

    def fails() -> None:
        with store.transaction():
            store.add(row(1, "one"))
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert rows(path) == []
    with store.transaction():
        store.add(row(1, "one"))
    assert rows(path)[0].outcome == "typed"


def test_the_same_utterance_again_is_one_row(store, row, path: Path, sound) -> None:
    for text in ("first", "second"):
        with store.transaction():
            store.add(row(1, text))
    (found,) = rows(path)
    assert found.text == "second"
    with Reader(path) as reader:
        assert not reader.search("first", 5)
        assert len(reader.search("second", 5)) == 1
    sound()


def test_a_revision_changes_the_text_and_its_index(store, row, path: Path, sound) -> None:
    with store.transaction():
        store.add(row(1, "raw draught", engine="e", language="en"))
        store.add(row(2, "noise"))
        store.revise(Revision(utterance=1, text="roared drafts", model="large", confidence=0.9))
        store.revise(Revision(utterance=2, text=" "))
    (found,) = rows(path)
    assert (found.text, found.engine, found.model, found.language, found.confidence) == (
        "roared drafts", "e", "large", "en", 0.9,
    )  # fmt: skip
    with Reader(path) as reader:
        assert not reader.search("draught", 5)
        assert [hit.marked for hit in reader.search("roar*", 5)] == ["\x02roared\x03 drafts"]
    sound()


def test_the_speaker_takes_back_the_last_ones_that_stand(store, row, path: Path) -> None:
    with store.transaction():
        for number in range(5):
            store.add(row(number, f"text {number}"))
        store.retract(4, 2)
        store.retract(4, 1)
    assert [entry.retracted for entry in rows(path)] == [False, True, True, True, False]


def test_a_retracted_delivery_marks_the_row(store, row, path: Path) -> None:
    with store.transaction():
        store.add(row(1, "one"))
        store.deliver(Delivery(utterance=1, outcome=Outcome.RETRACTED))
    assert rows(path)[0].retracted


def test_a_cancelled_recording_leaves_nothing_of_it(store, row, path: Path, sound) -> None:
    with store.transaction():
        for number in range(3):
            store.add(row(number, f"secret{number}", wav=b"sound"))
        # The pre-roll of the second begins before the recording; the third is of the next one.
        store.discard(960_000 + 3_000, 2 * 960_000 - 10)
    assert [entry.text for entry in rows(path)] == ["secret0", "secret2"]
    with Reader(path) as reader:
        assert not reader.search("secret1", 5)
        assert reader.wav(2) is None
    sound()


def test_what_a_cancel_comes_too_late_for_stays(store, row, path: Path) -> None:
    """It stands in a window, or in the clipboard; what was discarded before that goes."""
    with store.transaction():
        for number, outcome in enumerate(Outcome):
            if outcome is Outcome.DISCARDED:
                store.deliver(Delivery(utterance=number, outcome=outcome))  # before its row
            store.add(row(number, outcome.value))
            store.deliver(Delivery(utterance=number, outcome=outcome))
        store.add(row(99, "no outcome"))
        store.discard(0, 10**9)
    assert {entry.text for entry in rows(path)} == {"typed", "copied", "partly"}


def test_another_run_has_utterances_of_its_own(store, row, path: Path) -> None:
    other = Store(path, "run2")
    for one in (store, other):
        with one.transaction():
            one.add(row(1, "text"))
    with other.transaction():
        other.retract(2, 5)
        other.discard(0, 10**9)
    other.close()
    assert [(entry.session, entry.retracted) for entry in rows(path)] == [("run1", False)]


def test_lone_surrogates_are_no_failure(path: Path) -> None:
    from vivavoce.actors.history.actor import kept
    from vivavoce.pipeline.messages import Final

    store = Store(path, "run1")
    final = Final(utterance=1, start=0, end=160, text="a\ud800b", engine="\udfff")
    with store.transaction():
        store.add(kept(final, wall_start=1.0, application="\ud800"))
    store.close()
    assert rows(path)[0].text == "a\ufffdb"


def test_a_full_disk_is_one_clear_line_and_the_database_stays_whole(
    store, row, path: Path, sound
) -> None:
    with store.transaction():
        store.add(row(1, "before"))
    (pages,) = store.connection.execute("PRAGMA page_count").fetchone()
    store.connection.execute(f"PRAGMA max_page_count = {pages}")

    def too_much() -> None:
        with store.transaction():
            store.add(row(2, "big", wav=bytes(10**6)))

    with pytest.raises(HistoryError, match="the disk is full") as failed:
        too_much()
    assert failed.value.passing
    assert [entry.text for entry in rows(path)] == ["before"]
    sound()
