"""The two file formats, as programs that others wrote read them, and when a cue is written."""

import re
from collections.abc import Iterable
from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.subtitle_files import read

from vivavoce.actors.captions.layout import width
from vivavoce.actors.captions.subtitles import SubtitleWriter
from vivavoce.config.schema import SubtitleSettings
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import (
    Caption,
    Final,
    Gap,
    GapReason,
    Partial,
    PowerChanged,
    PowerMode,
    Word,
)

NOTHING = LedgerSummary(captured=0, transcribed=0, silence=0, dropped=0, pending=0)


def final(text: str, start: float = 0.0, end: float = 10.0, utterance: int = 1) -> Final:
    return Final(utterance=utterance, start=int(start * 16_000), end=int(end * 16_000), text=text)


def partial(utterance: int, start: float) -> Partial:
    return Partial(
        utterance=utterance, revision=1, start=int(start * 16_000), end=0, stable="a", tail="b"
    )


def gap(start: float) -> Gap:
    at = int(start * 16_000)
    return Gap(start=at, end=at + 1, reason=GapReason.OVERRUN)


def written(
    events: Iterable[Caption], kind: str = "srt", settings: SubtitleSettings | None = None
) -> bytes:
    writer = SubtitleWriter("srt" if kind == "srt" else "vtt", settings)
    shown = b"".join(writer.render(event, 0.0) for event in events)
    return shown + writer.finish(NOTHING, 0.0)


def test_srt() -> None:
    writer = SubtitleWriter("srt")
    data = writer.render(final("One --> two <b>.", 1.2345, 3.5), 0.0)
    data += writer.render(final("1 < 2", 3661.0, 3662.5, 2), 0.0)
    assert data.decode() == (
        "1\n00:00:01,234 --> 00:00:03,500\nOne → two ‹b>.\n\n"
        "2\n01:01:01,000 --> 01:01:02,500\n1 < 2\n\n"
    )
    assert writer.finish(NOTHING, 0.0) == b""


def test_vtt() -> None:
    writer = SubtitleWriter("vtt")
    data = writer.render(final("a & b <i> --> c", 0.0, 1.0), 0.0)
    data += writer.render(final("d", 1.0, 2.0, 2), 0.0)
    assert data.decode() == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:01.000\na &amp; b &lt;i&gt; --&gt; c\n\n"
        "00:00:01.000 --> 00:00:02.000\nd\n\n"
    )
    assert writer.finish(NOTHING, 0.0) == b""


def test_a_vtt_file_without_cues_is_still_one() -> None:
    assert SubtitleWriter("vtt").finish(NOTHING, 0.0) == b"WEBVTT\n\n"
    assert SubtitleWriter("srt").finish(NOTHING, 0.0) == b""


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_no_text_makes_a_cue_that_is_none(kind: str) -> None:
    data = written([final("one\n\n00:00:00,000 --> 00:00:09,000\ntwo", 1.0, 4.0)], kind)
    assert len(re.findall(r"-->", data.decode())) == 1


# -- when a cue is written


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_a_cue_that_needs_no_more_time_is_written_at_once(kind: str) -> None:
    writer = SubtitleWriter("srt" if kind == "srt" else "vtt")
    assert writer.render(final("A short one.", 1.5, 3.0), 0.0).count(b"A short one.") == 1
    assert b"A short one." not in writer.finish(NOTHING, 0.0)


SHORT = final("Yes.", 1.0, 1.4)
HELD = b"1\n00:00:01,000 --> 00:00:02,000\nYes.\n\n"


@pytest.mark.parametrize(
    "decides",
    [
        final("And then we went home.", 3.0, 5.0, 2),
        final("And then we went home.", 2.0, 4.0, 2),
        final("", 2.0, 2.2, 2),
        final("", 1.4, 2.2, 2),
        partial(2, 2.0),
        gap(2.5),
        PowerChanged(mode=PowerMode.LISTENING),
    ],
)
def test_a_short_cue_is_held_and_written_when_it_is_known_that_there_is_room(
    decides: Caption,
) -> None:
    writer = SubtitleWriter("srt")
    assert writer.render(SHORT, 0.0) == b""
    assert writer.render(decides, 0.0).startswith(HELD)


@pytest.mark.parametrize(
    "says_nothing",
    [
        partial(2, 1.9),  # the next words may begin before the cue would end
        partial(3, 5.0),  # there is a final between them that waits for its revision
        final("", 1.4, 1.6, 2),
        gap(1.5),
        PowerChanged(mode=PowerMode.ACTIVE),
    ],
)
def test_what_does_not_tell_of_room_leaves_the_cue_waiting(says_nothing: Caption) -> None:
    writer = SubtitleWriter("srt")
    assert writer.render(SHORT, 0.0) == b""
    assert writer.render(says_nothing, 0.0) == b""
    assert writer.finish(NOTHING, 0.0) == HELD


@pytest.mark.parametrize("end", ["finish", "abandon", "flush"])
def test_a_cue_that_waits_is_written_at_the_end_once(end: str) -> None:
    writer = SubtitleWriter("srt")
    writer.render(SHORT, 0.0)
    ends = {"finish": lambda: writer.finish(NOTHING, 0.0), "abandon": writer.abandon}
    assert ends.get(end, writer.flush)() == HELD
    assert writer.abandon() == b""


def test_without_room_a_short_cue_shares_one_with_what_follows() -> None:
    data = written([SHORT, final("And then we went home.", 1.5, 4.0, 2)])
    assert data == b"1\n00:00:01,000 --> 00:00:04,000\nYes. And then we went home.\n\n"


# -- whatever comes

TEXTS = st.text(st.sampled_from("ab漢é<&-., \n字"), max_size=200)
SPOKEN = st.lists(
    st.tuples(
        TEXTS,
        st.integers(0, 40_000),  # silence before it
        st.integers(0, 200_000),  # its length
        st.lists(st.tuples(st.integers(-100, 250_000), st.integers(-100, 9_000)), max_size=40),
        st.booleans(),  # whether it has as many words as its text
    ),
    max_size=6,
)
SETTINGS = st.builds(
    SubtitleSettings,
    line_characters=st.integers(10, 60),
    lines=st.integers(1, 3),
    shortest_ms=st.integers(0, 3_000),
    longest_ms=st.integers(3_000, 9_000),
    characters_per_second=st.floats(5, 50),
)


@given(SPOKEN, SETTINGS, st.sampled_from(["srt", "vtt"]))
def test_whatever_comes_is_shown_once_in_order_and_in_shape(
    spoken: list[tuple[str, int, int, list[tuple[int, int]], bool]],
    settings: SubtitleSettings,
    kind: str,
) -> None:
    finals: list[Final] = []
    at = 0
    for number, (text, silence, length, times, timed) in enumerate(spoken, 1):
        at += silence
        words = text.split() if timed else ["a"] * len(times)
        recognised = tuple(
            Word(text=word, start=at + start, end=at + start + length, probability=1.0)
            for word, (start, length) in zip(words, times, strict=False)
        )
        finals.append(
            Final(utterance=number, start=at, end=at + length, text=text, words=recognised)
        )
        at += length
    found = read(written(finals, kind, settings), kind)
    everything = "".join("".join(final.text.split()) for final in finals)
    if kind == "vtt":
        assert "".join("".join(cue.text.split()) for cue in found) == everything
    else:  # tags are made harmless
        shown = "".join("".join(cue.text.split()) for cue in found).replace("‹", "<")
        assert shown.replace("→", "-->") == everything
    previous = 0
    for cue, following in zip_longest(found, found[1:]):
        assert previous <= cue.start < cue.end
        previous = cue.end
        rows = cue.text.split("\n")
        assert len(rows) <= settings.lines
        assert all(row == row.strip() and row for row in rows)
        assert all(width(row) <= settings.line_characters for row in rows)
        shown_for = (cue.end - cue.start) / 16
        assert shown_for <= settings.longest_ms + 1
        # Where there is room, it stands long enough.
        columns = width(cue.text.replace("\n", " ")) - cue.text.count("\n")
        needed = max(settings.shortest_ms, 1000 * columns / settings.characters_per_second)
        room = (following.start - cue.start) / 16 if following else needed
        assert shown_for >= min(needed, room, settings.longest_ms) - 2
