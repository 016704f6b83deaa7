"""Cues: their text, their times, and the two file formats."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.captions.layout import width
from vivavoce.actors.captions.subtitles import SubtitleWriter, cues
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import Final, Gap, GapReason, Word

NOTHING = LedgerSummary(captured=0, transcribed=0, silence=0, dropped=0, pending=0)


def final(text: str, start: float = 0.0, end: float = 10.0, *, timed: bool = False) -> Final:
    """With ``timed``, each word takes a second."""
    words = tuple(
        Word(text=word, start=16_000 * n, end=16_000 * (n + 1), probability=1.0)
        for n, word in enumerate(text.split() if timed else ())
    )
    return Final(
        utterance=1, start=int(start * 16_000), end=int(end * 16_000), text=text, words=words
    )


TALK = " ".join(f"word{n:02}" for n in range(30))  # 6 words a line of 41 columns


def test_a_short_final_is_one_cue_over_its_whole_time() -> None:
    (cue,) = cues(final("A short one.", 1.5, 3.0))
    assert (cue.start, cue.end, cue.text) == (24_000, 48_000, "A short one.")


def test_long_finals_are_cut_by_the_times_of_words() -> None:
    found = cues(final(TALK, end=30.0, timed=True))
    assert [(cue.start // 16_000, cue.end // 16_000) for cue in found] == [
        (0, 12),
        (12, 24),
        (24, 30),
    ]
    assert found[0].text == f"{TALK[:41]}\n{TALK[42:83]}"


def test_no_cue_is_left_with_one_lonely_word() -> None:
    text = "Reduced the block books which were the immediate predecessors of the printed book"
    assert [cue.text for cue in cues(final(f"{text} indeed"))] == [
        "Reduced the block books which\nwere the immediate predecessors",
        "of the printed book indeed",
    ]


def test_without_word_times_time_is_shared_out_by_length() -> None:
    found = cues(final(TALK, end=30.0))
    assert [round(cue.start / 16_000) for cue in found] == [0, 12, 24]


def test_word_times_that_run_backwards_or_out_do_not() -> None:
    message = final(TALK, end=20.0, timed=True)
    broken = tuple(reversed(message.words))
    message = Final(utterance=1, start=0, end=message.end, text=TALK, words=broken)
    found = cues(message)
    assert all(cue.start < cue.end for cue in found)
    assert [cue.start for cue in found] == sorted(cue.start for cue in found)


@given(
    st.lists(st.text(st.sampled_from("ab漢é<&-"), min_size=1, max_size=50), max_size=40),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.lists(st.integers(-100, 10**6), max_size=40),
)
def test_cues_hold_the_text_in_order_and_in_shape(
    words: list[str], start: int, length: int, times: list[int]
) -> None:
    timed = tuple(Word(text="", start=t, end=t, probability=1.0) for t in times)
    message = Final(utterance=1, start=start, end=start + length, text=" ".join(words), words=timed)
    found = cues(message)
    assert "".join("".join(cue.text.split()) for cue in found) == "".join(words)
    previous = start
    for cue in found:
        rows = cue.text.split("\n")
        assert 1 <= len(rows) <= 2
        assert all(0 < width(row) <= 42 for row in rows)
        assert previous <= cue.start <= cue.end - 16
        previous = cue.end


def test_srt() -> None:
    writer = SubtitleWriter("srt")
    written = writer.render(final("One --> two <b>.", 1.2345, 3661.5), 0.0)
    written += writer.render(Gap(start=0, end=1, reason=GapReason.OVERRUN), 0.0)
    written += writer.render(final("1 < 2", 3662.0, 3663.0), 0.0)
    assert written.decode() == (
        "1\n00:00:01,234 --> 01:01:01,500\nOne → two ‹b>.\n\n"
        "2\n01:01:02,000 --> 01:01:03,000\n1 < 2\n\n"
    )
    assert writer.finish(NOTHING, 0.0) == b""


def test_vtt() -> None:
    writer = SubtitleWriter("vtt")
    written = writer.render(final("a & b <i> --> c", 0.0, 1.0), 0.0)
    written += writer.render(final("d", 1.0, 2.0), 0.0)
    assert written.decode() == (
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
    writer = SubtitleWriter("srt" if kind == "srt" else "vtt")
    written = writer.render(final("one\n\n00:00:00,000 --> 00:00:09,000\ntwo", 1.0, 2.0), 0.0)
    assert len(re.findall(r"-->", written.decode())) == 1
