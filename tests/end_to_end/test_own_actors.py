"""Own actors that lose audio, fail at it, or send nonsense: every sample is accounted for.

A scripted engine, virtual time; real speech and the real speech detector.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.program import SPEECH, read_wave

import vivavoce
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import (
    AudioBlock,
    EndOfStream,
    Final,
    Gap,
    GapReason,
    Partial,
    RecordingEnded,
    RecordingStarted,
    Revision,
    SpeechAudio,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)
from vivavoce.testing import ScriptedEngine

pytestmark = pytest.mark.thorough

SECOND = 16_000
STEP = SECOND // 10


def spoken(name: str) -> np.ndarray:
    return np.frombuffer(read_wave(SPEECH / name), dtype=np.int16)


ONE, TWO = spoken("utt-025-rms.wav"), spoken("utt-007-kal16.wav")
QUIET = np.zeros(2 * SECOND, np.int16)
AUDIO = np.concatenate([QUIET, ONE, QUIET, TWO, QUIET])
IN_ONE = len(QUIET) + len(ONE) // 2
IN_PAUSE = len(QUIET) + len(ONE) + SECOND
IN_TWO = len(QUIET) + len(ONE) + len(QUIET) + len(TWO) // 2
PLACES = {
    "capture": {"after": "capture"},
    "trigger": {"after": "trigger"},
    "vad": {"after": "vad"},
}
Does = Callable[["Tampering", Any], Awaitable[None]]


class Tampering(vivavoce.Actor[Any, Any]):
    """Does with each message what the test says."""

    name = "tampering"

    def __init__(self, does: Does) -> None:
        super().__init__()
        self.does = does
        self.kept: list[Any] = []

    async def on_message(self, message: Any) -> None:
        await self.does(self, message)


@dataclass
class Run:
    """What came of a run."""

    events: list[Any]
    ledger: LedgerSummary
    counters: dict[str, float]

    @property
    def finals(self) -> list[Final]:
        return [event for event in self.events if isinstance(event, Final)]

    @property
    def gaps(self) -> list[Gap]:
        return [event for event in self.events if isinstance(event, Gap)]

    @property
    def times(self) -> list[tuple[int, int]]:
        return [(final.start, final.end) for final in self.finals]

    @property
    def missing(self) -> set[tuple[int, int]]:
        return {(gap.start, gap.end) for gap in self.gaps}

    def check(self) -> "Run":
        """What holds whatever an actor does."""
        ledger = self.ledger
        assert ledger.captured == len(AUDIO)
        assert ledger.captured == ledger.transcribed + ledger.silence + ledger.dropped, ledger
        assert ledger.pending == 0
        assert sum(gap.end - gap.start for gap in self.gaps) == ledger.dropped
        assert sum(end - start for start, end in self.times) == ledger.transcribed
        told = sorted([*self.times, *((gap.start, gap.end) for gap in self.gaps)])
        assert all(one[1] <= two[0] for one, two in pairwise(told)), told
        assert told == [
            (event.start, event.end) for event in self.events if isinstance(event, Final | Gap)
        ]
        assert [e for e in self.events if isinstance(e, EndOfStream)] == [self.events[-1]]
        assert self.events[-1].end == len(AUDIO)
        return self


def run(
    actor: vivavoce.Actor[Any, Any] | None = None,
    place: str = "capture",
    *,
    also: Iterable[tuple[vivavoce.Actor[Any, Any], str]] = (),
    mode: str = "voice",
    keys: Iterable[tuple[float, str]] = (),
) -> Run:
    """Speak :data:`AUDIO` at the pace of sound; ``keys``: when the trigger is told what."""

    async def scene() -> Run:
        pipeline = vivavoce.Pipeline(
            "captions",
            source=vivavoce.PushSource(),
            engine=ScriptedEngine(),
            environ={},
            overrides=[f"trigger.mode={mode}"],
        )
        for one, where in [*([(actor, place)] if actor else []), *also]:
            pipeline.insert(one, after=where)
        async with pipeline:

            async def speak() -> None:
                due = sorted(keys)
                for at in range(0, len(AUDIO), STEP):
                    while due and due[0][0] * SECOND <= at:
                        getattr(pipeline.trigger, due.pop(0)[1])()
                    await pipeline.feed(AUDIO[at : at + STEP])
                    await asyncio.sleep(STEP / SECOND)
                pipeline.end()

            speaking = asyncio.create_task(speak())
            events = [event async for event in pipeline.events()]
            await speaking
        statistics = pipeline.statistics()
        return Run(events, statistics.ledger, dict(statistics.counters))

    return run_virtual(scene)


@pytest.fixture(scope="module")
def undisturbed() -> Run:
    return run().check()


@pytest.fixture(scope="module")
def blocks() -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    run(Tampering(watch(seen)))
    return seen


def watch(seen: list[tuple[int, int]]) -> Does:
    async def does(actor: Tampering, message: Any) -> None:
        if isinstance(message, AudioBlock | SpeechAudio):
            seen.append((message.start, message.end))
        await actor.emit(message)

    return does


def drops(*lost: tuple[int, int], seen: list[tuple[int, int]] | None = None) -> Does:
    """Loses what begins in one of these intervals."""

    async def does(actor: Tampering, message: Any) -> None:
        audio = isinstance(message, AudioBlock | SpeechAudio)
        if audio and any(start <= message.start < end for start, end in lost):
            if seen is not None:
                seen.append((message.start, message.end))
        else:
            await actor.emit(message)

    return does


def fails_at(wanted: Callable[[Any], bool], *, passes_on_first: bool = False) -> Does:
    async def does(actor: Tampering, message: Any) -> None:
        hit = wanted(message)
        if not hit or passes_on_first:
            await actor.emit(message)
        if hit:
            raise ValueError("no good")

    return does


def close(one: list[tuple[int, int]], two: list[tuple[int, int]], within: int) -> bool:
    return len(one) == len(two) and bool(np.all(np.abs(np.array(one) - np.array(two)) <= within))


def merged(intervals: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    found: list[list[int]] = []
    for start, end in sorted(intervals):
        if found and found[-1][1] == start:
            found[-1][1] = end
        else:
            found.append([start, end])
    return {(start, end) for start, end in found}


# -- audio that is not passed on


@pytest.mark.parametrize("place", ["capture", "trigger"])
@pytest.mark.parametrize(
    "lost",
    [
        (0, SECOND),
        (IN_PAUSE, IN_PAUSE + SECOND // 2),
        (IN_ONE, IN_ONE + SECOND // 4),
        (len(AUDIO) - SECOND, len(AUDIO)),
    ],
    ids=["at the beginning", "in a pause", "inside speech", "at the end"],
)
def test_blocks_that_are_dropped_are_one_gap_where_they_were(place, lost, undisturbed) -> None:
    seen: list[tuple[int, int]] = []
    found = run(Tampering(drops(lost, seen=seen)), place).check()
    assert found.missing == merged(seen)
    assert all(gap.reason is GapReason.ACTOR_LOST for gap in found.gaps)
    if lost[0] == IN_ONE:
        assert len(found.finals) == 3
        assert found.finals[0].end == seen[0][0]
        assert close(found.times[-1:], undisturbed.times[-1:], SECOND // 10)
    else:
        assert close(found.times, undisturbed.times, SECOND // 10)


@pytest.mark.parametrize("place", PLACES)
def test_an_actor_that_drops_all_audio_leaves_one_gap_each(place, undisturbed) -> None:
    found = run(Tampering(drops((0, len(AUDIO)))), place).check()
    assert found.finals == []
    assert found.missing == (set(undisturbed.times) if place == "vad" else {(0, len(AUDIO))})


@pytest.mark.parametrize("place", PLACES)
def test_an_actor_that_passes_nothing_on_at_all(place, undisturbed) -> None:
    async def nothing(actor: Tampering, message: Any) -> None: ...

    found = run(Tampering(nothing), place).check()
    assert found.missing == (set(undisturbed.times) if place == "vad" else {(0, len(AUDIO))})


def test_a_hole_in_an_utterance_ends_it_and_begins_the_next(undisturbed) -> None:
    seen: list[tuple[int, int]] = []
    found = run(Tampering(drops((IN_ONE, IN_ONE + 4_000), seen=seen)), "vad").check()
    first, second = undisturbed.times
    ((start, end),) = merged(seen)
    assert found.times == [(first[0], start), (end, first[1]), second]
    assert found.missing == {(start, end)}
    assert [final.utterance for final in found.finals] == [1, 2, 3]


@pytest.mark.parametrize("kind", [SpeechStarted, SpeechEnded, SpeechPaused, SpeechResumed])
def test_what_marks_an_utterance_is_made_up_for(kind, undisturbed) -> None:
    async def does(actor: Tampering, message: Any) -> None:
        if not isinstance(message, kind):
            await actor.emit(message)

    found = run(Tampering(does), "vad").check()
    assert found.times == undisturbed.times
    assert found.gaps == []


def test_an_utterance_of_which_only_the_audio_is_left(undisturbed) -> None:
    async def does(actor: Tampering, message: Any) -> None:
        if isinstance(message, SpeechAudio | EndOfStream):
            await actor.emit(message)

    found = run(Tampering(does), "vad").check()
    assert found.times == undisturbed.times


def test_a_whole_utterance_that_is_dropped_is_a_gap(undisturbed) -> None:
    async def does(actor: Tampering, message: Any) -> None:
        if getattr(message, "utterance", 0) != 1:
            await actor.emit(message)

    found = run(Tampering(does), "vad").check()
    assert found.missing == {undisturbed.times[0]}
    assert found.times == undisturbed.times[1:]


# -- what an actor fails at


@pytest.mark.parametrize("passes_on_first", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("place", PLACES)
def test_audio_that_fails_twice_is_set_aside_and_told(place, passes_on_first, undisturbed) -> None:
    failed: list[tuple[int, int]] = []

    def wanted(message: Any) -> bool:
        if isinstance(message, AudioBlock | SpeechAudio) and message.start <= IN_ONE < message.end:
            failed.append((message.start, message.end))
            return True
        return False

    found = run(Tampering(fails_at(wanted, passes_on_first=passes_on_first)), place).check()
    assert len(failed) == 2
    assert found.missing == (set() if passes_on_first else {failed[0]})
    assert close(found.times[-1:], undisturbed.times[-1:], 0 if place == "vad" else SECOND // 10)


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (EndOfStream, "capture"),
        (EndOfStream, "trigger"),
        (EndOfStream, "vad"),
        (EndOfStream, "transcription"),
        (EndOfStream, "cleanup"),
        (SpeechStarted, "vad"),
        (SpeechEnded, "vad"),
        (SpeechPaused, "vad"),
    ],
)
def test_a_message_without_audio_that_fails_twice_is_passed_on(kind, place, undisturbed) -> None:
    def first(message: Any) -> bool:
        return isinstance(message, kind) and getattr(message, "utterance", 1) == 1

    found = run(Tampering(fails_at(first)), place).check()
    assert found.times == undisturbed.times
    assert found.gaps == []
    assert found.counters['vivavoce_set_aside_total{actor="tampering"}'] == 1


def test_a_final_that_fails_twice_is_named_and_its_samples_are_settled(undisturbed, caplog) -> None:
    numbers: list[int] = []

    def first(message: Any) -> bool:
        if isinstance(message, Final):
            numbers.append(message.utterance)
        return isinstance(message, Final) and message.utterance == 1

    found = run(Tampering(fails_at(first)), "cleanup")
    assert found.times == undisturbed.times[1:]
    assert found.ledger == undisturbed.ledger
    assert numbers == [1, 1, 2]
    assert found.counters['vivavoce_set_aside_total{actor="tampering"}'] == 1
    assert "tampering failed twice at the same message" in caplog.text
    assert "message='Final'" in caplog.text


# -- gaps, recordings, the end


@pytest.mark.parametrize("place", PLACES)
def test_a_gap_that_is_dropped_is_told_all_the_same(place, undisturbed) -> None:
    class Hole(Tampering):
        name = "hole"

    async def loses(actor: Tampering, message: Any) -> None:
        if isinstance(message, AudioBlock) and IN_PAUSE <= message.start < IN_PAUSE + 8_000:
            gap = Gap(start=message.start, end=message.end, reason=GapReason.INVALID_INPUT)
            await actor.emit(gap)
        else:
            await actor.emit(message)

    async def hides(actor: Tampering, message: Any) -> None:
        if not isinstance(message, Gap):
            await actor.emit(message)

    also = [(Tampering(hides), "hole" if place == "capture" else place)]
    found = run(Hole(loses), "capture", also=also).check()
    assert found.gaps
    assert {gap.reason for gap in found.gaps} == {GapReason.INVALID_INPUT}
    assert close(found.times, undisturbed.times, SECOND // 10)


@pytest.mark.parametrize("place", [*PLACES, "transcription", "cleanup"])
def test_an_end_of_the_stream_that_is_dropped_comes_all_the_same(place, undisturbed) -> None:
    async def does(actor: Tampering, message: Any) -> None:
        if not isinstance(message, EndOfStream):
            await actor.emit(message)

    found = run(Tampering(does), place).check()
    assert found.times == undisturbed.times


def test_an_end_of_the_stream_before_the_end_is_none(undisturbed) -> None:
    async def does(actor: Tampering, message: Any) -> None:
        await actor.emit(message)
        if isinstance(message, AudioBlock) and message.start == IN_PAUSE // 512 * 512:
            await actor.emit(EndOfStream(end=message.end))

    assert run(Tampering(does)).check().times == undisturbed.times


HOLD = [(1.5, "start"), (4.0, "stop"), (6.5, "start"), (9.5, "stop")]


def only(*kinds: type) -> Callable[[Run], list[Any]]:
    return lambda found: [event for event in found.events if isinstance(event, kinds)]


@pytest.mark.parametrize("mode", ["hold", "toggle"])
@pytest.mark.parametrize("place", PLACES)
def test_nobodys_audio_stays_silence_beside_a_hole(mode, place) -> None:
    plain = run(mode=mode, keys=HOLD).check()
    assert plain.gaps == []
    seen: list[tuple[int, int]] = []
    lost = (3 * SECOND, 3 * SECOND + 4_000)
    found = run(Tampering(drops(lost, seen=seen)), place, mode=mode, keys=HOLD).check()
    assert found.missing == merged(seen)
    assert seen
    recordings = only(RecordingStarted, RecordingEnded)
    assert recordings(found) == recordings(plain)
    assert close(found.times[-1:], plain.times[-1:], 0)


@pytest.mark.parametrize("kind", [RecordingStarted, RecordingEnded])
@pytest.mark.parametrize("place", ["trigger", "vad"])
def test_a_recording_that_is_not_told_is_told_all_the_same(kind, place) -> None:
    async def does(actor: Tampering, message: Any) -> None:
        if not isinstance(message, kind):
            await actor.emit(message)

    plain = run(mode="hold", keys=HOLD).check()
    found = run(Tampering(does), place, mode="hold", keys=HOLD).check()
    recordings = only(RecordingStarted, RecordingEnded)
    assert len(recordings(plain)) == 4
    assert recordings(found) == recordings(plain)
    assert found.times == plain.times


def test_a_cancelled_recording_stays_cancelled_though_its_end_is_lost() -> None:
    keys = [(1.5, "start"), (4.0, "cancel"), (6.5, "start"), (9.5, "stop")]

    async def does(actor: Tampering, message: Any) -> None:
        if not isinstance(message, RecordingEnded | SpeechEnded):
            await actor.emit(message)

    plain = run(mode="hold", keys=keys).check()
    found = run(Tampering(does), "vad", mode="hold", keys=keys).check()
    assert {gap.reason for gap in plain.gaps} == {GapReason.CANCELLED}
    assert (found.times, found.gaps) == (plain.times, plain.gaps)


# -- what makes no sense


@pytest.mark.parametrize("place", PLACES)
def test_what_is_sent_twice_counts_once(place, undisturbed) -> None:
    async def does(actor: Tampering, message: Any) -> None:
        await actor.emit(message)
        await actor.emit(message)

    found = run(Tampering(does), place).check()
    assert found.times == undisturbed.times
    assert found.gaps == []


@pytest.mark.parametrize("place", PLACES)
def test_what_comes_too_late_is_lost_and_told(place, undisturbed) -> None:
    async def does(actor: Tampering, message: Any) -> None:
        held, actor.kept = actor.kept, []
        if isinstance(message, AudioBlock | SpeechAudio) and message.start <= IN_ONE < message.end:
            actor.kept = [message]
            return
        await actor.emit(message)
        for late in held:
            await actor.emit(late)

    found = run(Tampering(does), place).check()
    assert len(found.gaps) == 1
    assert found.gaps[0].start <= IN_ONE < found.gaps[0].end
    assert close(found.times[-1:], undisturbed.times[-1:], 0 if place == "vad" else SECOND // 10)


@pytest.mark.parametrize("by", [-100, 100])
@pytest.mark.parametrize("place", PLACES)
def test_a_block_of_another_length_shifts_nothing(place, by, undisturbed) -> None:
    async def does(actor: Tampering, message: Any) -> None:
        if isinstance(message, AudioBlock | SpeechAudio) and message.start <= IN_ONE < message.end:
            pcm = message.pcm[:by] if by < 0 else np.append(message.pcm, np.ones(by, np.int16))
            message = msgspec.structs.replace(message, pcm=pcm)
        await actor.emit(message)

    found = run(Tampering(does), place).check()
    assert found.ledger.dropped == max(0, -by)
    if by > 0:
        assert found.times == undisturbed.times
    assert close(found.times[-1:], undisturbed.times[-1:], 0 if place == "vad" else SECOND // 10)


def test_an_actor_that_tells_its_own_gaps_and_silence_is_believed(undisturbed) -> None:
    async def does(actor: Tampering, message: Any) -> None:
        if isinstance(message, AudioBlock) and message.start < SECOND:
            actor.context.ledger.silence(message.start, message.end)
        elif isinstance(message, AudioBlock) and IN_PAUSE <= message.start < IN_PAUSE + 4_000:
            gap = Gap(start=message.start, end=message.end, reason=GapReason.INVALID_INPUT)
            await actor.emit(gap)
        else:
            await actor.emit(message)

    for place in ("capture", "trigger"):
        found = run(Tampering(does), place).check()
        assert {gap.reason for gap in found.gaps} == {GapReason.INVALID_INPUT}
        assert close(found.times, undisturbed.times, SECOND // 10)


def test_a_gap_that_is_filled_stays_a_gap(undisturbed) -> None:
    class Fills(Tampering):
        name = "fills"

    async def fills(actor: Tampering, message: Any) -> None:
        if isinstance(message, Gap):
            filled = np.zeros(message.end - message.start, np.int16)
            message = AudioBlock(start=message.start, pcm=filled)
        await actor.emit(message)

    lost = (IN_PAUSE, IN_PAUSE + 4_000)
    also = [(Fills(fills), "tampering")]
    found = run(Tampering(drops(lost)), "capture", also=also).check()
    assert len(found.gaps) == 1


def test_an_actor_that_delays_audio_loses_none(undisturbed) -> None:
    async def does(actor: Tampering, message: Any) -> None:
        """A block late, as those that look ahead."""
        actor.kept.append(message)
        while len(actor.kept) > (isinstance(message, AudioBlock)):
            await actor.emit(actor.kept.pop(0))

    found = run(Tampering(does)).check()
    assert found.gaps == []
    assert found.times == undisturbed.times


def test_who_gives_up_waiting_for_room_loses_only_that(undisturbed) -> None:
    async def slow(actor: Tampering, message: Any) -> None:
        if isinstance(message, AudioBlock) and message.start == 0:
            await asyncio.sleep(9)
        await actor.emit(message)

    async def impatient(actor: Tampering, message: Any) -> None:
        try:
            await asyncio.wait_for(actor.emit(message), 0.01)
        except TimeoutError:
            actor.kept.append(message)

    class Slow(Tampering):
        name = "slow"

    first = Tampering(impatient)
    found = run(first, "capture", also=[(Slow(slow), "tampering")]).check()
    assert first.kept
    assert found.missing == merged((block.start, block.end) for block in first.kept)


# -- whatever it does


@st.composite
def mischief(draw: Any) -> Does:
    """What is done to which messages, by their number."""
    faults = draw(
        st.dictionaries(
            st.integers(0, 160),
            st.sampled_from(["drop", "twice", "late", "fail", "short", "long", "gap"]),
            max_size=12,
        )
    )
    often = draw(st.sampled_from([None, "drop", "twice", "late"]))
    every = draw(st.integers(2, 60))
    numbers: dict[int, int] = {}
    failures = 0

    async def does(actor: Tampering, message: Any) -> None:
        nonlocal failures
        number = numbers.setdefault(id(message), len(numbers))
        actor.alive.append(message)  # type: ignore[attr-defined]  # so that no id comes again
        fault = faults.get(number) or (often if number % every == 0 else None)
        late, actor.kept = actor.kept, []
        if isinstance(message, Final | Partial | Revision):
            fault = None
        audio = isinstance(message, AudioBlock | SpeechAudio)
        if fault == "fail" and failures < 2:
            failures += 1
            actor.kept = late
            raise ValueError("no good")
        if fault == "late":
            actor.kept = [message]
        elif fault in ("short", "long") and audio:
            much = np.zeros(37, np.int16)
            pcm = message.pcm[37:] if fault == "short" else np.append(message.pcm, much)
            await actor.emit(msgspec.structs.replace(message, pcm=pcm))
        elif fault == "gap" and audio:
            gap = Gap(start=message.start, end=message.end, reason=GapReason.INVALID_INPUT)
            await actor.emit(gap)
        elif fault != "drop":
            await actor.emit(message)
            if fault == "twice":
                await actor.emit(message)
        for one in late:
            await actor.emit(one)

    return does


@cache
def undisturbed_in(mode: str) -> Run:
    return run(mode=mode, keys=[] if mode == "voice" else HOLD).check()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(sorted(PLACES)),
    mischief(),
    st.sampled_from(["voice", "hold", "toggle"]),
)
def test_whatever_an_actor_does_every_sample_is_accounted_for(place, does, mode) -> None:
    actor = Tampering(does)
    actor.alive = []  # type: ignore[attr-defined]
    plain = undisturbed_in(mode)
    found = run(actor, place, mode=mode, keys=[] if mode == "voice" else HOLD).check()
    # Who was not near a hole is heard where it was.
    holes = [(gap.start - 2 * SECOND, gap.end + 2 * SECOND) for gap in found.gaps]
    for start, end in plain.times:
        if not any(a < end and start < b for a, b in holes):
            near = [t for t in found.times if abs(t[0] - start) <= SECOND // 5]
            assert near, (start, end, found.times, found.gaps)
