"""Finals that wait for their revision: order, no loss, no double, a bound."""

import re
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.captions.plain import PlainWriter
from vivavoce.actors.captions.revisions import MOST_WAITING, PatientWriter, RevisionQueue, revised
from vivavoce.actors.captions.subtitles import SubtitleWriter
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import (
    Caption,
    Final,
    Gap,
    GapReason,
    Partial,
    PowerChanged,
    PowerMode,
    Revision,
    Word,
)

NOTHING = LedgerSummary(captured=0, transcribed=0, silence=0, dropped=0, pending=0)


def final(utterance: int, text: str = "") -> Final:
    start = utterance * 16_000
    return Final(
        utterance=utterance, start=start, end=start + 8_000, text=text or f"Draft {utterance}."
    )


def revision(utterance: int, text: str = "") -> Revision:
    return Revision(utterance=utterance, text=text or f"Exact {utterance}.")


def gap(at: int) -> Gap:
    return Gap(start=at, end=at + 16_000, reason=GapReason.OVERRUN)


def plain(*events: Caption) -> list[str]:
    """The lines written until now."""
    writer = PatientWriter(PlainWriter())
    return b"".join(writer.render(event, 0.0) for event in events).decode().splitlines()


def test_a_final_is_written_when_its_revision_came() -> None:
    assert plain(final(1)) == []
    assert plain(final(1), revision(1)) == ["Exact 1."]


def test_the_order_is_that_of_the_speech() -> None:
    out_of_order = [final(1), final(2), final(3), revision(3), revision(2)]
    assert plain(*out_of_order) == []
    assert plain(*out_of_order, revision(1)) == ["Exact 1.", "Exact 2.", "Exact 3."]


def test_a_gap_keeps_its_place() -> None:
    line = "[1.0 s of audio lost: overrun]"
    assert plain(gap(0)) == [line]
    assert plain(final(1), gap(0), final(2)) == []
    assert plain(final(1), gap(0), final(2), revision(1)) == ["Exact 1.", line]


def test_an_empty_final_can_get_words_and_a_final_can_lose_them() -> None:
    silent = Final(utterance=1, start=0, end=1, text="")
    nothing = Revision(utterance=2, text="")
    assert plain(silent, final(2), final(3), revision(1), nothing, revision(3)) == [
        "Exact 1.",
        "Exact 3.",
    ]


def test_a_revision_without_a_final_that_waits_writes_nothing() -> None:
    assert plain(revision(1)) == []
    assert plain(final(1), revision(1), revision(1, "Again.")) == ["Exact 1."]


def test_the_last_of_several_revisions_counts_while_it_can() -> None:
    events = [final(1), final(2), revision(2), revision(2, "Better."), revision(1)]
    assert plain(*events) == ["Exact 1.", "Better."]


def test_64_finals_wait_and_then_the_oldest_is_written_as_it_is() -> None:
    waiting = [final(number) for number in range(1, MOST_WAITING + 1)]
    assert MOST_WAITING == 64
    assert plain(*waiting) == []
    assert plain(*waiting, final(65)) == ["Draft 1."]
    assert plain(*waiting, final(65), revision(1), revision(2)) == ["Draft 1.", "Exact 2."]


@pytest.mark.parametrize("end", ["finish", "abandon"])
def test_at_the_end_what_waits_is_written_once(end: str) -> None:
    writer = PatientWriter(PlainWriter())
    for event in (final(1), final(2), final(3), revision(2)):
        assert writer.render(event, 0.0) == b""
    written = writer.abandon() if end == "abandon" else writer.finish(NOTHING, 1.0)
    assert written.decode().splitlines() == ["Draft 1.", "Exact 2.", "Draft 3."]
    assert writer.abandon() == b""


def test_what_has_no_place_in_the_order_is_not_held_up() -> None:
    others: list[Caption] = [
        Partial(utterance=2, revision=1, start=0, end=1, stable="a", tail="b"),
        PowerChanged(mode=PowerMode.IDLE),
    ]
    queue = RevisionQueue()
    assert not list(queue.take(final(1)))
    assert [ready for event in others for ready in queue.take(event)] == others


WORDS = (
    Word(text="Exact", start=17_000, end=18_000, probability=0.9),
    Word(text="one.", start=18_000, end=20_000, probability=0.8),
)


def test_a_revised_final_has_the_text_of_its_revision_and_the_audio_of_the_final() -> None:
    better = Revision(
        utterance=1, text="Exact one.", words=WORDS, confidence=0.9, engine="e", model="m"
    )
    one = revised(final(1), better)
    assert (one.start, one.end) == (16_000, 24_000)
    for name in ("utterance", "text", "words", "confidence", "engine", "model"):
        assert getattr(one, name) == getattr(better, name)


def test_subtitles_are_timed_by_the_words_of_the_revision() -> None:
    text = " ".join(f"word{n:02}" for n in range(20))
    words = tuple(
        Word(text=word, start=16_000 + 300 * n * n, end=16_000 + 300 * n * n, probability=1)
        for n, word in enumerate(text.split())
    )
    long = Final(utterance=1, start=16_000, end=160_000, text="Draft.")
    better = Revision(utterance=1, text=text, words=words)
    directly, waiting = SubtitleWriter("srt"), PatientWriter(SubtitleWriter("srt"))
    assert waiting.render(long, 0.0) == b""
    written = waiting.render(better, 0.0)
    assert written == directly.render(revised(long, better), 0.0)
    assert re.findall(rb"[:\d,]+ --> [:\d,]+\n\w+", written) == [
        b"00:00:01,000 --> 00:00:04,200\nword00",
        b"00:00:04,200 --> 00:00:07,888\nword12",  # said at 3.7 s; the first cue was too fast
    ]


def test_vtt_has_one_header_wherever_its_cues_come_from() -> None:
    writer = PatientWriter(SubtitleWriter("vtt"))
    written = writer.render(final(1), 0.0) + writer.render(final(2), 0.0)
    written += writer.render(revision(1), 0.0) + writer.finish(NOTHING, 0.0)
    assert written.decode() == (
        "WEBVTT\n\n"
        "00:00:01.000 --> 00:00:02.000\nExact 1.\n\n"
        "00:00:02.000 --> 00:00:03.000\nDraft 2.\n\n"
    )
    assert PatientWriter(SubtitleWriter("vtt")).finish(NOTHING, 0.0) == b"WEBVTT\n\n"


# Each number is a final (0), a gap (1), or the revision of one of the finals until then.
STEPS = st.lists(st.one_of(st.just(0), st.just(0), st.just(1), st.integers(2, 60)), max_size=80)


@given(STEPS, st.integers(1, 8))
def test_whatever_the_order_each_final_and_gap_leaves_once_in_order_as_soon_as_it_may(
    steps: list[int], limit: int
) -> None:
    queue = RevisionQueue(limit)
    arrived: list[Final | Gap] = []
    left: list[Caption] = []
    texts: dict[int, str] = {}  # the text that each final must leave with, known until it leaves
    revisions = count()
    for step in steps:
        finals = [event for event in arrived if isinstance(event, Final)]
        event: Final | Gap | Revision
        if step == 0:
            event = final(len(finals) + 1)
            arrived.append(event)
        elif step == 1:
            event = gap(len(arrived))
            arrived.append(event)
        elif finals:
            chosen = finals[step % len(finals)]
            event = revision(chosen.utterance, f"Exact {chosen.utterance}, {next(revisions)}.")
            if arrived.index(chosen) >= len(left):
                texts[chosen.utterance] = event.text
        else:
            continue
        left += queue.take(event)
        # As soon as it may, and no sooner.
        assert len(arrived) - len(left) <= limit
        if len(arrived) > len(left):
            first = arrived[len(left)]
            assert isinstance(first, Final)
            assert first.utterance not in texts
        forced = len(arrived) - limit
        for place, gone in enumerate(arrived[: len(left)]):
            assert isinstance(gone, Gap) or gone.utterance in texts or place < forced
    left += queue.flush()
    assert not list(queue.flush())
    assert len(left) == len(arrived)
    for came, went in zip(arrived, left, strict=True):
        if isinstance(came, Final):
            assert isinstance(went, Final)
            assert went.utterance == came.utterance
            assert went.text == texts.get(came.utterance, came.text)
        else:
            assert went is came


@given(st.permutations(range(1, 20)), st.data())
def test_where_every_revision_comes_every_line_is_exact(
    order: list[int], data: st.DataObject
) -> None:
    events: list[Caption] = [final(number) for number in range(1, 20)]
    for number in order:
        begin = events.index(final(number)) + 1
        events.insert(data.draw(st.integers(begin, len(events))), revision(number))
    assert plain(*events) == [f"Exact {number}." for number in range(1, 20)]
