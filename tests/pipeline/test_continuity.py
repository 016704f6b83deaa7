"""The checks behind actors, alone: what comes out of them for what an actor makes of its stream."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.actors.transcription.backlog import Backlog
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.continuity import (
    AudioContinuity,
    CaptionContinuity,
    CheckedOutlet,
    Continuity,
    SpeechContinuity,
    tell_faults,
)
from vivavoce.pipeline.ledger import Ledger
from vivavoce.pipeline.messages import (
    AudioBlock,
    EndOfStream,
    EndReason,
    Final,
    Focus,
    Gap,
    GapReason,
    RecordingEnded,
    RecordingStarted,
    SpeechAudio,
    SpeechEnded,
    SpeechFocused,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)

Range = tuple[int, int]


def block(start: int, end: int) -> AudioBlock:
    return AudioBlock(start=start, pcm=np.arange(start, end, dtype=np.int16))


def lost(start: int, end: int) -> Gap:
    return Gap(start=start, end=end, reason=GapReason.ACTOR_LOST)


def device(start: int, end: int) -> Gap:
    return Gap(start=start, end=end, reason=GapReason.DEVICE_LOST)


def started(utterance: int, start: int) -> SpeechStarted:
    return SpeechStarted(utterance=utterance, start=start, at=start + 5)


def audio(utterance: int, start: int, end: int) -> SpeechAudio:
    pcm = np.arange(start, end, dtype=np.int16)
    return SpeechAudio(utterance=utterance, start=start, pcm=pcm)


def paused(utterance: int, end: int) -> SpeechPaused:
    return SpeechPaused(utterance=utterance, end=end, at=end + 3)


def resumed(utterance: int, at: int) -> SpeechResumed:
    return SpeechResumed(utterance=utterance, at=at)


def ended(
    utterance: int, start: int, end: int, reason: EndReason = EndReason.SILENCE
) -> SpeechEnded:
    return SpeechEnded(utterance=utterance, start=start, end=end, at=end + 8, reason=reason)


def plain(messages: Iterable[Any]) -> list[Any]:
    """Messages that can be compared: audio as its interval, which its samples must agree with."""
    found: list[Any] = []
    for message in messages:
        if isinstance(message, AudioBlock | SpeechAudio):
            assert message.pcm.tolist() == list(range(message.start, message.end))
            number = getattr(message, "utterance", None)
            found.append((number, message.start, message.end))
        elif isinstance(message, SpeechEnded):
            found.append((message.utterance, message.start, message.end, message.reason))
        elif isinstance(message, SpeechStarted):
            found.append((message.utterance, message.start))
        else:
            found.append(message)
    return found


def passed(check: Continuity, message: Any) -> Iterator[Any]:
    """What comes through, as an outlet asks for it."""
    end = check.follows(message)
    if end is None:
        yield from check.take(message)
    else:
        yield message
        check.passed(end)


class Bench:
    """A check behind an actor, and a ledger on which so many samples were captured."""

    def __init__(self, kind: type[Continuity], captured: int) -> None:
        self.ledger = Ledger()
        self.ledger.capture(captured)
        self.faults: list[tuple[str, int, int]] = []
        self.check = kind(self.ledger, lambda *fault: self.faults.append(fault))

    def through(self, given: Iterable[Any], sent: Iterable[Any]) -> list[Any]:
        for message in given:
            self.check.given(message)
        out = [one for message in sent for one in passed(self.check, message)]
        return plain([*out, *self.check.finish()])


END = EndOfStream(end=40)
FOUR = [block(0, 10), block(10, 20), block(20, 30), block(30, 40), END]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (FOUR, FOUR),
        (FOUR[1:], [lost(0, 10), *FOUR[1:]]),
        ([FOUR[0], *FOUR[3:]], [FOUR[0], lost(10, 30), *FOUR[3:]]),
        (FOUR[:3], [*FOUR[:3], lost(30, 40), END]),
        ([], [lost(0, 40), END]),
        ([END], [lost(0, 40), END]),
        ([one for one in FOUR for _ in "12"], FOUR),
        (
            [FOUR[0], FOUR[2], FOUR[1], FOUR[3], END],
            [FOUR[0], lost(10, 20), FOUR[2], FOUR[3], END],
        ),
        ([FOUR[0], block(10, 15), *FOUR[2:]], [FOUR[0], block(10, 15), lost(15, 20), *FOUR[2:]]),
        ([block(0, 25), *FOUR[1:]], [block(0, 25), block(25, 30), FOUR[3], END]),
        ([*FOUR[:3], block(30, 55), block(70, 80), END], FOUR),
        ([FOUR[0], EndOfStream(end=10), *FOUR[1:]], FOUR),
        ([*FOUR[:2], device(20, 30), *FOUR[3:]], [*FOUR[:2], device(20, 30), *FOUR[3:]]),
        ([*FOUR, block(0, 10), END], FOUR),
    ],
)
def test_audio_comes_once_at_its_own_time(sent, expected) -> None:
    bench = Bench(AudioContinuity, 40)
    assert bench.through(FOUR, sent) == plain(expected)
    dropped = sum(gap.end - gap.start for gap in expected if isinstance(gap, Gap))
    assert bench.ledger.summary().dropped == dropped


def test_what_an_actor_settles_is_no_hole() -> None:
    bench = Bench(AudioContinuity, 40)
    bench.ledger.silence(12, 18)
    assert bench.through(FOUR, FOUR[2:]) == plain([lost(0, 12), lost(18, 20), *FOUR[2:]])


def test_more_than_was_given_is_told() -> None:
    bench = Bench(AudioContinuity, 40)
    bench.through(FOUR[:3], [block(0, 35)])
    assert bench.faults == [("surplus", 30, 35)]


def test_who_stands_first_is_believed() -> None:
    ledger = Ledger()
    ledger.capture(40)
    check = AudioContinuity(ledger, lambda *_: None, first=True)
    sent = [FOUR[0], *FOUR[2:]]
    assert plain(one for message in sent for one in passed(check, message)) == plain(
        [FOUR[0], lost(10, 20), *FOUR[2:]]
    )


RECORDED = [
    RecordingStarted(start=10),
    block(10, 20),
    RecordingEnded(start=10, end=20, cancelled=True),
    RecordingStarted(start=30),
    block(30, 40),
    RecordingEnded(start=30, end=40),
    END,
]


@pytest.mark.parametrize("left_out", [{0}, {2}, {3}, {2, 3}, {5, 6}, {0, 2, 3, 5, 6}])
def test_recordings_are_owed(left_out: set[int]) -> None:
    bench = Bench(AudioContinuity, 40)
    bench.ledger.silence(0, 10)
    bench.ledger.silence(20, 30)
    sent = [message for at, message in enumerate(RECORDED) if at not in left_out]
    assert bench.through(RECORDED, sent) == plain(RECORDED)


def test_recordings_that_are_told_too_late_are_none_of_their_own() -> None:
    empty = [RecordingStarted(start=10), RecordingEnded(start=10, end=10)]
    given_ = [*empty, RecordingStarted(start=10), block(10, 20), RecordingEnded(start=10, end=20)]
    sent = [given_[1], given_[0], *given_[2:4], given_[1], given_[0], given_[4], given_[0]]
    bench = Bench(AudioContinuity, 20)
    bench.ledger.silence(0, 10)
    assert bench.through(given_, sent) == plain(given_)


def test_a_gap_is_owed_with_its_reason() -> None:
    given_ = [block(0, 10), device(10, 20), block(20, 30), EndOfStream(end=30)]
    bench = Bench(AudioContinuity, 30)
    bench.ledger.drop(10, 20)
    assert bench.through(given_, [given_[0], *given_[2:]]) == plain(given_)


def test_a_gap_that_is_filled_with_sound_stays_one() -> None:
    given_ = [block(0, 10), device(10, 20), block(20, 30), EndOfStream(end=30)]
    bench = Bench(AudioContinuity, 30)
    bench.ledger.drop(10, 20)
    sent = [block(0, 10), block(10, 20), *given_[2:]]
    assert bench.through(given_, sent) == plain(given_)


# -- speech


SPOKEN = [
    started(1, 0),
    audio(1, 0, 10),
    audio(1, 10, 20),
    paused(1, 20),
    resumed(1, 25),
    audio(1, 20, 30),
    ended(1, 0, 30),
    started(2, 40),
    audio(2, 40, 50),
    ended(2, 40, 50),
    EndOfStream(end=50),
]


def spoken(captured: int = 50) -> Bench:
    bench = Bench(SpeechContinuity, captured)
    bench.ledger.silence(30, 40)
    return bench


@pytest.mark.parametrize("left_out", [{0}, {7}, {0, 7}, {0, 4, 7}, {4}])
def test_a_beginning_and_a_resumption_are_made_up_for(left_out: set[int]) -> None:
    sent = [message for at, message in enumerate(SPOKEN) if at not in left_out]
    found = spoken().through(SPOKEN, sent)
    assert [m for m in found if not isinstance(m, SpeechResumed)] == plain(
        m for m in SPOKEN if not isinstance(m, SpeechResumed)
    )
    assert sum(isinstance(m, SpeechResumed) for m in found) == 1


@pytest.mark.parametrize("without", [False, True])
def test_the_tail_of_a_pause_is_no_resumption(without: bool) -> None:
    tail = SpeechPaused(utterance=1, end=18, at=21, tail_end=26)
    given_ = [started(1, 0), audio(1, 0, 20), tail, audio(1, 20, 24), audio(1, 24, 26)]
    given_ += [resumed(1, 35), audio(1, 26, 35), ended(1, 0, 35), EndOfStream(end=35)]
    sent = [one for one in given_ if not (without and isinstance(one, SpeechResumed))]
    found = Bench(SpeechContinuity, 35).through(given_, sent)
    assert found == plain(given_), "made up for where audio goes on behind the tail"


@pytest.mark.parametrize(
    ("left_out", "reason"), [({6}, EndReason.GAP), ({9}, EndReason.END_OF_STREAM)]
)
def test_an_end_is_made_up_for(left_out: set[int], reason: EndReason) -> None:
    sent = [message for at, message in enumerate(SPOKEN) if at not in left_out]
    (at,) = left_out
    expected = plain(SPOKEN)
    expected[at] = (*expected[at][:3], reason)
    assert spoken().through(SPOKEN, sent) == expected


def test_a_hole_ends_an_utterance_and_the_rest_is_another() -> None:
    sent = [message for at, message in enumerate(SPOKEN) if at != 2]
    bench = spoken()
    assert bench.through(SPOKEN, sent) == plain(
        [
            started(1, 0),
            audio(1, 0, 10),
            ended(1, 0, 10, EndReason.GAP),
            lost(10, 20),
            started(2, 20),
            audio(2, 20, 30),
            ended(2, 20, 30),
            started(3, 40),
            audio(3, 40, 50),
            ended(3, 40, 50),
            EndOfStream(end=50),
        ]
    )
    assert bench.faults == [("lost", 10, 20)]


def test_the_rest_behind_a_hole_goes_to_the_same_window() -> None:
    focus = SpeechFocused(start=0, focus=Focus(window="7"))
    given_ = [SPOKEN[0], audio(1, 0, 10), focus, audio(1, 10, 20), audio(1, 20, 30), SPOKEN[6]]
    sent = [message for at, message in enumerate(given_) if at != 3]
    found = spoken().through(given_, sent)
    again = SpeechFocused(start=20, focus=Focus(window="7"))
    assert found[found.index((2, 20)) + 1] == again
    assert [message for message in found if isinstance(message, SpeechFocused)] == [focus, again]


@pytest.mark.parametrize(
    "left_out", [{1, 2, 5}, {0, 1, 2, 5}, {0, 1, 2, 3, 4, 5, 6}, {0, 1, 2, 5, 6}]
)
def test_an_utterance_without_audio_is_none(left_out: set[int]) -> None:
    sent = [message for at, message in enumerate(SPOKEN) if at not in left_out]
    assert spoken().through(SPOKEN, sent) == [lost(0, 30), *plain(SPOKEN[7:])]


CUT = [
    started(1, 0),
    audio(1, 0, 20),
    audio(1, 20, 30),
    ended(1, 0, 22, EndReason.MAX_LENGTH),
    started(2, 22),
    audio(2, 22, 30),
    audio(2, 30, 40),
    ended(2, 22, 40),
    EndOfStream(end=40),
]


@pytest.mark.parametrize("left_out", [set(), {4}, {3}, {3, 4}])
def test_audio_behind_a_cut_comes_again(left_out: set[int]) -> None:
    sent = [message for at, message in enumerate(CUT) if at not in left_out]
    found = Bench(SpeechContinuity, 40).through(CUT, sent)
    assert found == plain(CUT)


def test_a_cut_before_a_hole_is_void() -> None:
    sent = [CUT[0], audio(1, 0, 18), audio(1, 24, 30), *CUT[3:]]
    found = Bench(SpeechContinuity, 40).through(CUT, sent)
    assert found == plain(
        [
            started(1, 0),
            audio(1, 0, 18),
            ended(1, 0, 18, EndReason.GAP),
            lost(18, 24),
            started(2, 24),
            audio(2, 24, 30),
            audio(2, 30, 40),
            ended(2, 24, 40),
            EndOfStream(end=40),
        ]
    )


@pytest.mark.parametrize(("begin", "reason"), [(18, "cancelled"), (16, "max_length")])
def test_audio_behind_a_cut_of_which_an_actor_before_says_that_it_is_lost(
    begin: int, reason: str
) -> None:
    given_ = [CUT[0], audio(1, 0, 14), audio(1, begin, 30), ended(1, 0, 16, EndReason.MAX_LENGTH)]
    given_ += [lost(18, 30), started(2, 30), audio(2, 30, 40), ended(2, 30, 40), CUT[-1]]
    bench = Bench(SpeechContinuity, 40)
    bench.ledger.drop(18, 30)
    bench.ledger.silence(16, 18)
    found = []
    for message in given_:
        bench.check.given(message)
        found += bench.check.take(message)
    assert plain(found) == plain(
        [
            started(1, 0),
            audio(1, 0, 14),
            ended(1, 0, 14, EndReason.GAP),
            lost(14, 16),
            started(2, begin),
            audio(2, begin, 30),
            ended(2, begin, 18, EndReason(reason)),
            lost(18, 30),
            started(3, 30),
            audio(3, 30, 40),
            ended(3, 30, 40),
            EndOfStream(end=40),
        ]
    )


def test_what_was_cancelled_stays_cancelled() -> None:
    stop = RecordingEnded(start=0, end=30, cancelled=True)
    given_ = [RecordingStarted(start=0), *SPOKEN[:6], ended(1, 0, 30, EndReason.CANCELLED), stop]
    given_ += [RecordingStarted(start=40), *SPOKEN[7:10], RecordingEnded(start=40, end=50)]
    given_ += [EndOfStream(end=50)]
    sent = [message for at, message in enumerate(given_) if at not in (7, 8, 9)]
    assert spoken().through(given_, sent) == plain(given_)


# -- whatever comes


class Listener:
    """What stands behind the check: refuses a sequence that transcription does not know."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.backlog = Backlog(itertools.count().__next__)
        self.open: SpeechStarted | None = None
        self.heard = 0
        self.number = 0
        self.said: list[Range] = []
        self.gaps: list[Range] = []
        self.ended = False
        self.recording = False

    def take(self, message: Any) -> None:
        assert not self.ended
        self.backlog.take(message, 0.0)
        match message:
            case SpeechStarted():
                assert self.open is None
                assert message.utterance > self.number
                assert message.start >= self.heard
                self.open, self.number, self.heard = message, message.utterance, message.start
            case SpeechAudio():
                assert self.open is not None
                assert (message.utterance, message.start) == (self.number, self.heard)
                assert len(message.pcm)
                assert message.pcm.tolist() == list(range(message.start, message.end))
                self.heard = message.end
            case SpeechPaused() | SpeechResumed():
                assert self.open is not None
                assert message.utterance == self.number
                assert getattr(message, "end", 0) <= self.heard
            case SpeechEnded():
                assert self.open is not None
                assert (message.utterance, message.start) == (self.number, self.open.start)
                assert message.start <= message.end <= self.heard
                empty = message.start == message.end
                assert not empty or message.reason is EndReason.CANCELLED
                self.said.append((message.start, message.end))
                self.ledger.transcribe(message.start, message.end)
                self.open, self.heard = None, message.end
            case Gap():
                assert self.open is None
                assert message.start >= self.heard
                self.gaps.append((message.start, message.end))
                self.heard = message.end
            case RecordingStarted() | RecordingEnded():
                assert self.open is None
                assert self.recording is isinstance(message, RecordingEnded)
                self.recording = not self.recording
            case EndOfStream():
                assert self.open is None
                self.ended = True


class Talk:
    """A stream as the VAD sends it, drawn piece by piece: `steps` settles silence in between."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        self.at = 0
        self.number = 0
        self.steps: list[Any] = []  # messages, and intervals of silence
        self.held_back: list[Range] = []

    def some(self) -> Range:
        start, self.at = self.at, self.at + self.draw(st.integers(1, 12))
        return start, self.at

    def quiet(self) -> None:
        self.steps.append(self.some())

    def gap(self) -> None:
        self.steps.append(Gap(start=self.at, end=self.some()[1], reason=GapReason.OVERRUN))

    def utterance(self) -> None:
        start = self.at
        self.number += 1
        self.steps.append(started(self.number, start))
        for _ in range(self.draw(st.integers(1, 4))):
            self.steps.append(audio(self.number, *self.some()))
            if self.draw(st.booleans()):
                self.steps += [paused(self.number, self.at), resumed(self.number, self.at)]
        cut = self.draw(st.integers(start, self.at))
        if cut in (start, self.at):
            self.steps.append(ended(self.number, start, self.at))
            return
        self.steps.append(ended(self.number, start, cut, EndReason.MAX_LENGTH))
        self.number += 1
        self.steps.append(started(self.number, cut))
        self.steps.append(audio(self.number, cut, self.at))
        self.steps.append(audio(self.number, *self.some()))
        self.steps.append(ended(self.number, cut, self.at))

    def recording(self) -> None:
        start = self.at
        self.steps.append(RecordingStarted(start=start))
        for _ in range(self.draw(st.integers(0, 2))):
            self.draw(st.sampled_from([self.quiet, self.utterance]))()
        cancelled = self.draw(st.booleans())
        self.steps.append(RecordingEnded(start=start, end=self.at, cancelled=cancelled))


@st.composite
def talks(draw: Any) -> tuple[list[Any], int]:
    talk = Talk(draw)
    pieces = draw(st.lists(st.sampled_from(["quiet", "gap", "utterance", "recording"]), max_size=6))
    for piece in pieces:
        getattr(talk, piece)()
    talk.steps.append(EndOfStream(end=talk.at))
    return talk.steps, talk.at


FAULTS = ["drop", "drop", "twice", "late", "later", "short", "head", "long", "gap"]


def tampered(message: Any, fault: str | None, late: list[Any]) -> Iterator[Any]:
    """What an actor sends for ``message``."""
    kept, late[:] = list(late), []
    is_audio = isinstance(message, AudioBlock | SpeechAudio)
    if fault in ("late", "later"):
        late.append(message)
    elif fault in ("short", "head", "long") and is_audio:
        start, end = message.start, message.end
        start += fault == "head"
        end += {"short": -1, "long": 3}.get(fault, 0)
        if isinstance(message, SpeechAudio):
            yield audio(message.utterance, start, end)
        else:
            yield block(start, end)
    elif fault == "gap" and is_audio:
        yield lost(message.start, message.end)
    elif fault != "drop":
        yield message
        if fault == "twice":
            yield message
    for one in kept:
        if fault == "later":
            late.append(one)
        else:
            yield one


def covered(ranges: Iterable[Range]) -> set[int]:
    return {sample for start, end in ranges for sample in range(start, end)}


@pytest.mark.thorough
@settings(max_examples=150, deadline=None)
@given(
    talks(),
    st.dictionaries(st.integers(0, 50), st.sampled_from(FAULTS), max_size=12),
    st.dictionaries(st.integers(0, 50), st.sampled_from(FAULTS), max_size=2),
)
def test_transcription_knows_every_sequence_and_every_sample_is_settled_once(
    talk: tuple[list[Any], int], faults: dict[int, str], more: dict[int, str]
) -> None:
    """Two actors in a row, each with a check behind it."""
    steps, captured = talk
    ledger = Ledger()
    ledger.capture(captured)
    told: list[tuple[str, int, int]] = []
    first, second = (SpeechContinuity(ledger, lambda *fault: told.append(fault)) for _ in "12")
    listener = Listener(ledger)
    late: tuple[list[Any], list[Any]] = ([], [])
    counts = [0, 0]

    def send(messages: Iterable[Any]) -> None:
        for message in messages:
            second.given(message)
            fault = more.get(counts[1])
            counts[1] += 1
            for sent in tampered(message, fault, late[1]):
                for one in passed(second, sent):
                    listener.take(one)

    for step in steps:
        if isinstance(step, tuple):
            ledger.silence(*step)
            continue
        if isinstance(step, Gap):
            ledger.drop(step.start, step.end)
        first.given(step)
        fault = faults.get(counts[0])
        counts[0] += 1
        for sent in tampered(step, fault, late[0]):
            send(passed(first, sent))
    send(first.finish())
    for one in second.finish():
        listener.take(one)
    summary = ledger.summary()
    assert listener.ended
    assert not listener.recording
    assert summary.pending == 0
    assert summary.balanced
    assert sum(end - start for start, end in listener.gaps) == summary.dropped
    if not faults and not more:
        assert told == []


@pytest.mark.thorough
@settings(max_examples=150, deadline=None)
@given(talks(), st.sets(st.integers(0, 40), max_size=10))
def test_a_gap_covers_what_was_lost_and_no_more(
    talk: tuple[list[Any], int], lose: set[int]
) -> None:
    steps, captured = talk
    ledger = Ledger()
    ledger.capture(captured)
    check = SpeechContinuity(ledger, lambda *_: None)
    listener = Listener(ledger)
    silent: list[Range] = []
    came: list[Range] = []
    gone: list[Range] = []
    for at, step in enumerate(steps):
        if isinstance(step, tuple):
            ledger.silence(*step)
            silent.append(step)
            continue
        if isinstance(step, Gap):
            ledger.drop(step.start, step.end)
            gone.append((step.start, step.end))
        check.given(step)
        if isinstance(step, SpeechAudio):
            (gone if at in lose else came).append((step.start, step.end))
        if at not in lose:
            for one in passed(check, step):
                listener.take(one)
    for one in check.finish():
        listener.take(one)
    missing = covered(listener.gaps)
    everything = set(range(captured)) - covered(silent)
    assert missing | covered(listener.said) == everything
    assert everything - covered(came) <= missing <= covered(gone)


@pytest.mark.thorough
@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["block", "gap", "silence"]), st.integers(1, 9)), max_size=15
    ),
    st.dictionaries(st.integers(0, 20), st.sampled_from(FAULTS), max_size=8),
)
def test_audio_has_no_hole_that_is_not_told(
    pieces: list[tuple[str, int]], faults: dict[int, str]
) -> None:
    ledger = Ledger()
    ledger.capture(sum(count for _, count in pieces))
    check = AudioContinuity(ledger, lambda *_: None)
    out: list[Any] = []
    silent: list[Range] = []
    late: list[Any] = []
    at = 0
    for number, (kind, count) in enumerate([*pieces, ("end", 0)]):
        start, at = at, at + count
        if kind == "silence":
            ledger.silence(start, at)
            silent.append((start, at))
            continue
        message: Any = block(start, at) if kind == "block" else device(start, at)
        if kind == "gap":
            ledger.drop(start, at)
        elif kind == "end":
            message = EndOfStream(end=at)
        check.given(message)
        for sent in tampered(message, faults.get(number), late):
            out += passed(check, sent)
    out += check.finish()
    plain(out)
    assert isinstance(out.pop(), EndOfStream)
    ranges = [(message.start, message.end) for message in out]
    assert ranges == sorted(ranges)
    assert sum(end - start for start, end in [*ranges, *silent]) == at
    assert covered([*ranges, *silent]) == set(range(at))
    for message in out:
        if isinstance(message, AudioBlock):
            ledger.transcribe(message.start, message.end)
    assert ledger.summary().pending == 0


# -- in the chain


def test_a_send_that_is_cancelled_has_sent_nothing() -> None:
    async def scene() -> list[Any]:
        context = ActorContext()
        context.ledger.capture(40)
        channel: Channel[Any] = Channel(1)
        check = AudioContinuity(context.ledger, tell_faults("hasty", context))
        behind = AudioContinuity(context.ledger, tell_faults("next", context))
        outlet = CheckedOutlet("hasty", channel, check, behind)
        for message in FOUR:
            check.given(message)
        await outlet.send(FOUR[0])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(outlet.send(FOUR[1]), 1)
        found = [await channel.receive()]
        rest = asyncio.create_task(outlet.send(FOUR[3]))
        found += [await channel.receive(), await channel.receive()]
        await rest
        ending = asyncio.create_task(outlet.finish())
        found.append(await channel.receive())
        await ending
        assert (
            context.metrics.counter("vivavoce_actor_lost_samples_total", actor="hasty").value == 20
        )
        return plain(found)

    assert run_virtual(scene) == plain([FOUR[0], lost(10, 30), FOUR[3], END])


def test_the_next_actor_does_not_owe_what_it_never_got() -> None:
    async def scene() -> None:
        ledger = Ledger()
        ledger.capture(40)
        channel: Channel[Any] = Channel(1)
        behind = AudioContinuity(ledger, lambda *_: None)
        outlet = CheckedOutlet(
            "a", channel, AudioContinuity(ledger, lambda *_: None, first=True), behind
        )
        await outlet.send(FOUR[0])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(outlet.send(device(10, 20)), 1)
        assert list(behind.finish()) == []

    run_virtual(scene)


def test_messages_of_several_tasks_keep_their_order() -> None:
    async def scene() -> list[Any]:
        ledger = Ledger()
        ledger.capture(40)
        channel: Channel[Any] = Channel(1)
        check = AudioContinuity(ledger, lambda *_: None)
        outlet = CheckedOutlet("a", channel, check, None)
        for message in FOUR:
            check.given(message)
        tasks = [asyncio.create_task(outlet.send(message)) for message in FOUR]
        found = [await channel.receive() for _ in FOUR]
        await asyncio.gather(*tasks)
        return plain(found)

    assert run_virtual(scene) == plain(FOUR)


@pytest.mark.parametrize("sends_end", [False, True])
def test_captions_pass_as_they_are_and_the_end_is_told_once(sends_end: bool) -> None:
    ledger = Ledger()
    ledger.capture(40)
    ledger.silence(0, 40)
    check = CaptionContinuity(ledger, lambda *_: None)
    final = Final(utterance=1, start=0, end=10, text="a")
    sent = [final, final, *([END, END, final] if sends_end else [])]
    out = [one for message in sent for one in passed(check, message)]
    assert [*out, *check.finish()] == [final, final, END]
