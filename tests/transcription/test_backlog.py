"""The backlog: what was heard and is not emitted yet, in order, under any sequence of messages."""

import asyncio
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from vivavoce.actors.transcription.backlog import Backlog
from vivavoce.actors.transcription.utterance import Attempt, Utterance
from vivavoce.pipeline.messages import (
    EndOfStream,
    EndReason,
    Gap,
    GapReason,
    SpeechAudio,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)

RATE = 16_000
GAP = Gap(start=0, end=0, reason=GapReason.OVERRUN)


def sound(start: int, end: int) -> np.ndarray:
    """Each sample tells where it is."""
    return (np.arange(start, end, dtype=np.int64) % 30_011).astype(np.int16)


def started(number: int, start: int = 0) -> SpeechStarted:
    return SpeechStarted(utterance=number, start=start, at=start)


def heard(number: int, start: int, end: int) -> SpeechAudio:
    return SpeechAudio(utterance=number, start=start, pcm=sound(start, end))


def ended(number: int, start: int, end: int) -> SpeechEnded:
    return SpeechEnded(utterance=number, start=start, end=end, at=end, reason=EndReason.SILENCE)


def filled(*messages: Any, now: float = 0.0) -> Backlog:
    backlog = Backlog()
    for message in messages:
        backlog.take(message, now)
    return backlog


def head_of(backlog: Backlog) -> Utterance:
    head = backlog.head
    assert isinstance(head, Utterance)
    return head


def one(number: int, start: int, end: int) -> tuple[Any, ...]:
    return started(number, start), heard(number, start, end), ended(number, start, end)


def test_an_utterance_has_no_number_before_it_is_at_the_front() -> None:
    backlog = filled(*one(7, 0, 100), *one(9, 100, 200))
    first, second = backlog.utterances()
    assert (first.number, second.number) == (0, 0)
    assert head_of(backlog).number == 1
    assert head_of(backlog).number == 1, "looking at it again counts nothing"
    assert second.number == 0
    backlog.pop()
    assert head_of(backlog) is second
    assert second.number == 2


def test_parts_are_numbered_as_they_come_out() -> None:
    backlog = filled(started(1), heard(1, 0, 3_000), ended(1, 0, 3_000), *one(2, 3_000, 3_100))
    numbers = []
    for cut in (1_000, 2_000):
        head_of(backlog).cut = cut
        assert backlog.split(1.0) is False
        numbers.append((head_of(backlog).number, head_of(backlog).start))
        backlog.pop()
    numbers.append((head_of(backlog).number, head_of(backlog).start))
    backlog.pop()
    numbers.append((head_of(backlog).number, head_of(backlog).start))
    assert numbers == [(1, 0), (2, 1_000), (3, 2_000), (4, 3_000)]


def test_a_part_is_exactly_its_audio_and_the_rest_goes_on() -> None:
    backlog = filled(started(1), heard(1, 0, 2_000), SpeechPaused(utterance=1, end=2_000, at=2_100))
    head = head_of(backlog)
    head.cut = 1_200
    assert backlog.split(5.0) is True
    assert head.ended is not None
    assert (head.ended.end, head.ended.reason, head.ended_at) == (1_200, EndReason.MAX_LENGTH, 5.0)
    assert head.over.is_set()
    assert head.paused is None
    assert np.array_equal(head.pcm(1_200), sound(0, 1_200))
    rest = list(backlog.utterances())[1]
    assert rest.key != head.key
    assert not rest.over.is_set()
    assert rest.paused is not None
    assert rest.target == 2_000, "the pause is that of the rest"
    backlog.take(SpeechResumed(utterance=1, at=2_200), 6.0)
    backlog.take(heard(1, 2_000, 2_500), 6.0)
    backlog.take(ended(1, 0, 2_500), 7.0)
    assert np.array_equal(rest.pcm(2_500), sound(1_200, 2_500))
    assert rest.ended_at == 7.0
    assert backlog.waiting == 2


def test_the_rest_of_one_that_has_ended_is_over_too() -> None:
    backlog = filled(*one(1, 0, 2_000), now=3.0)
    head_of(backlog).cut = 500
    backlog.split(9.0)
    rest = list(backlog.utterances())[1]
    assert rest.over.is_set()
    assert rest.ended_at == 3.0, "it waits since then"
    assert rest.target == 2_000


def test_a_split_needs_a_cut() -> None:
    backlog = filled(*one(1, 0, 100))
    with pytest.raises(ValueError, match="no cut"):
        backlog.split(0.0)


@pytest.mark.parametrize(
    "message", [heard(2, 0, 10), SpeechPaused(utterance=2, end=0, at=0), ended(2, 0, 0)]
)
def test_what_belongs_to_no_open_utterance_is_refused(message: Any) -> None:
    for backlog in (filled(), filled(started(1)), filled(*one(2, 0, 100))):
        with pytest.raises(ValueError, match="not open"):
            backlog.take(message, 0.0)


def test_after_a_void_cut_a_valid_one_gives_its_audio_to_the_next() -> None:
    backlog = filled(started(1), heard(1, 0, 3 * RATE))
    head_of(backlog).cut = RATE
    backlog.split(0.0)
    for message in (
        ended(1, 0, RATE),  # void: it is cut there
        started(2, RATE),
        heard(2, RATE, 3 * RATE),
        ended(2, RATE, 2 * RATE),
        *one(3, 2 * RATE, 4 * RATE),
    ):
        backlog.take(message, 0.0)
    parts = list(backlog.utterances())
    assert [part.start // RATE for part in parts] == [0, 1, 2]
    assert all(np.array_equal(p.pcm(p.heard), sound(p.start, p.heard)) for p in parts)
    assert parts[-1].heard == 4 * RATE


@pytest.mark.parametrize("start", [50, 150])
def test_audio_that_does_not_follow_is_refused(start: int) -> None:
    backlog = filled(started(1), heard(1, 0, 100))
    with pytest.raises(ValueError, match="heard up to 100"):
        backlog.take(heard(1, start, 200), 0.0)


def test_how_many_wait() -> None:
    backlog = Backlog()
    told = []
    for message in (*one(1, 0, 100), GAP, started(2, 100), heard(2, 100, 200), EndOfStream(end=9)):
        backlog.take(message, 0.0)
        told.append(backlog.waiting)
    assert told == [0, 0, 1, 2, 2, 2, 3], "an open utterance does not wait yet"


async def test_lag_is_the_speech_that_waits_and_the_time_that_it_is_being_decoded() -> None:
    backlog = filled(*one(1, 0, 2 * RATE), *one(2, 2 * RATE, 5 * RATE), now=10.0)
    backlog.take(started(3, 5 * RATE), 10.0)
    backlog.take(heard(3, 5 * RATE, 9 * RATE), 10.0)
    assert backlog.lag(10.0) == 0.0, "nothing has waited yet"
    assert backlog.lag(12.5) == 4.5
    assert backlog.lag(20.0) == 5.0, "no longer than it is; what is being spoken is not late"
    first, second, open_one = backlog.utterances()
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    first.attempt = Attempt(2 * RATE, ready, 10.0, False)  # type: ignore[arg-type]
    assert backlog.lag(13.0) == 6.0
    assert backlog.lag(14.0) == 7.0
    ready.set_result(None)
    assert backlog.lag(14.0) == 3.0, "it is decoded"
    second.attempt = Attempt(5 * RATE, ready, 10.0, False)  # type: ignore[arg-type]
    assert backlog.lag(14.0) == 0.0
    # A cut was found when 4 s had been heard; since then, one second more.
    open_one.cut, open_one.cut_tried = 6 * RATE, open_one.heard
    assert backlog.lag(14.0) == 0.0
    backlog.take(heard(3, 9 * RATE, 10 * RATE), 15.0)
    assert backlog.lag(15.0) == 1.0


class RandomSpeech(RuleBasedStateMachine):
    """A random VAD in front, random cuts and pops behind: what comes out is what went in."""

    def __init__(self) -> None:
        super().__init__()
        self.backlog = Backlog()
        self.number = self.at = self.start = 0
        self.speaks = self.paused = False
        self.now = 0.0
        self.events: list[Gap] = []
        self.out: list[Any] = []

    def take(self, message: Any) -> None:
        self.now += 1.0
        self.backlog.take(message, self.now)

    @precondition(lambda self: not self.speaks)
    @rule(skipped=st.integers(1, 3))
    def begin(self, skipped: int) -> None:
        self.number += skipped
        self.start, self.speaks, self.paused = self.at, True, False
        self.take(started(self.number, self.at))

    @precondition(lambda self: self.speaks)
    @rule(count=st.integers(1, 400))
    def say(self, count: int) -> None:
        self.take(heard(self.number, self.at, self.at + count))
        self.at += count

    @precondition(lambda self: self.speaks)
    @rule()
    def pause_or_resume(self) -> None:
        self.paused = not self.paused
        if self.paused:
            self.take(SpeechPaused(utterance=self.number, end=self.at, at=self.at))
        else:
            self.take(SpeechResumed(utterance=self.number, at=self.at))

    @precondition(lambda self: self.speaks)
    @rule()
    def end(self) -> None:
        self.take(ended(self.number, self.start, self.at))
        self.speaks = False

    @precondition(lambda self: self.speaks)
    @rule(share=st.floats(0.0, 1.0), piece=st.integers(1, 300))
    def is_too_long(self, share: float, piece: int) -> None:
        """The VAD cuts anywhere in its utterance, and begins the next with what it sent beyond."""
        sent = self.at
        self.at = self.start + int(share * (sent - self.start))
        self.end()
        self.begin(1)
        while self.at < sent:
            self.say(piece)

    @rule()
    def lose_something(self) -> None:
        gap = Gap(start=self.at, end=self.at, reason=GapReason.OVERRUN)
        self.take(gap)
        self.events.append(gap)

    @rule(share=st.floats(0.0, 1.0))
    def cut(self, share: float) -> None:
        head = self.backlog.head
        if isinstance(head, Utterance) and head.heard - head.start > 2:
            head.cut = head.start + 1 + int(share * (head.heard - head.start - 2))
            is_open = self.speaks and len(list(self.backlog.utterances())) == 1
            assert self.backlog.split(self.now) is is_open

    @rule()
    def pop(self) -> None:
        head = self.backlog.head
        if head is not None and (not isinstance(head, Utterance) or head.ended is not None):
            self.out.append(head)
            self.backlog.pop()

    @invariant()
    def counts_are_counts(self) -> None:
        waiting = [item for item in self.backlog.utterances() if item.ended is not None]
        gaps = len(self.events) - sum(isinstance(item, Gap) for item in self.out)
        assert self.backlog.waiting == len(waiting) + gaps
        late = sum(min(self.now - w.ended_at, (w.heard - w.start) / RATE) for w in waiting)
        assert self.backlog.lag(self.now) == pytest.approx(late)

    def teardown(self) -> None:
        if self.speaks:
            self.end()
        while (before := self.backlog.head) is not None:
            self.pop()
            assert self.backlog.head is not before, "it never ended"
        assert self.backlog.waiting == 0
        parts = [item for item in self.out if isinstance(item, Utterance)]
        assert [item for item in self.out if item not in parts] == self.events
        assert [part.number for part in parts] == list(range(1, len(parts) + 1))
        assert len({part.key for part in parts}) == len(parts)
        pieces = [(part.start, part.heard) for part in parts]
        for part, (start, end) in zip(parts, pieces, strict=True):
            assert part.ended is not None
            assert part.ended.end == end
            assert np.array_equal(part.pcm(end), sound(start, end))
        assert [start for start, _ in pieces] == [0, *(end for _, end in pieces)][: len(pieces)]
        assert not pieces or pieces[-1][1] == self.at


RandomSpeech.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestNothingIsLostRepeatedOrOutOfOrder = RandomSpeech.TestCase
