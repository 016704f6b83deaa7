"""Subtitles of people who speak as people do, from references with the times of their words."""

import json
import re
from typing import Any, NamedTuple

import pytest
from support.shared import shared
from support.subtitle_files import read

from vivavoce.actors.captions.cues import Cue
from vivavoce.actors.captions.layout import width, wrap
from vivavoce.actors.captions.subtitles import SubtitleWriter
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import Final, Word

NOTHING = LedgerSummary(captured=0, transcribed=0, silence=0, dropped=0, pending=0)
SECOND = 16_000


def finals(recording: dict[str, Any]) -> list[Final]:
    """A final for each sentence."""
    words = [
        Word(
            text=word["word"],
            start=int(word["start"] * SECOND),
            end=int(word["end"] * SECOND),
            probability=1.0,
        )
        for word in recording["words"]
    ]
    found: list[Final] = []
    for number, sentence in enumerate(recording["sentences"], 1):
        count = len(sentence["text"].split())
        mine, words = tuple(words[:count]), words[count:]
        assert " ".join(word.text for word in mine) == sentence["text"]
        found.append(
            Final(
                utterance=number,
                start=mine[0].start,
                end=mine[-1].end,
                text=sentence["text"],
                words=mine,
                language=recording["language"],
            )
        )
    return found


class Subtitled(NamedTuple):
    finals: list[Final]
    cues: list[Cue]


@pytest.fixture(scope="module")
def recordings() -> list[Subtitled]:
    items = json.loads(shared("speech", "human", "refs.json").read_text())["items"]
    found: list[Subtitled] = []
    for item in items:
        if not item.get("sentences") or item["kind"] == "word":
            continue
        spoken, writer = finals(item), SubtitleWriter("srt")
        data = b"".join(writer.render(final, 0.0) for final in spoken)
        found.append(Subtitled(spoken, read(data + writer.finish(NOTHING, 0.0), "srt")))
    return found


def every_cue(recordings: list[Subtitled]) -> list[tuple[Cue, Cue | None]]:
    """Each with the one that follows it."""
    return [
        pair for one in recordings for pair in zip(one.cues, [*one.cues[1:], None], strict=True)
    ]


def test_each_word_is_shown_once_about_when_it_is_said(recordings: list[Subtitled]) -> None:
    for one in recordings:
        said = [word for final in one.finals for word in final.words]
        shown = [(word, cue) for cue in one.cues for word in cue.text.split()]
        assert [word for word, _ in shown] == [word.text for word in said]
        for word, (_, cue) in zip(said, shown, strict=True):
            assert cue.start <= word.start + SECOND // 2 + 16
            assert cue.end >= word.start


def test_cues_have_the_shape_and_the_time_that_people_need(recordings: list[Subtitled]) -> None:
    for cue, following in every_cue(recordings):
        rows = cue.text.split("\n")
        assert len(rows) <= 2
        assert all(width(row) <= 42 for row in rows)
        assert cue.end - cue.start <= 7 * SECOND + 16
        room = following.start - cue.start if following else SECOND
        assert cue.end - cue.start >= min(SECOND, room) - 16


def test_few_cues_are_faster_than_people_read(recordings: list[Subtitled]) -> None:
    pairs = every_cue(recordings)
    fast = [cue for cue, _ in pairs if 21 * (cue.end - cue.start) < len(cue.text) * SECOND]
    # Some speak faster than that, for whole sentences.
    assert len(fast) <= 0.02 * len(pairs), [cue.text for cue in fast]


def test_a_sentence_that_fits_is_not_taken_apart(recordings: list[Subtitled]) -> None:
    sentences, apart = 0, []
    for one in recordings:
        for final in one.finals:
            fits = len(wrap(final.text, 42)) <= 2 and final.end - final.start <= 7 * SECOND
            fast = width(final.text) * SECOND > 20 * (final.end - final.start)
            if not fits or fast:
                continue
            sentences += 1
            if not any(final.text in cue.text.replace("\n", " ") for cue in one.cues):
                apart.append(final.text)
    assert sentences > 100
    assert len(apart) <= 0.02 * sentences, apart


def test_cues_end_at_sentences_and_clauses(recordings: list[Subtitled]) -> None:
    pairs = every_cue(recordings)
    inside = [cue for cue, next_ in pairs if next_ and not re.search(r"\W$", cue.text.strip())]
    assert len(inside) <= 0.08 * len(pairs), [cue.text for cue in inside]
