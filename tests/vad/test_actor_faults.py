"""The VAD actor under a supervisor: faults anywhere, and still each sample goes exactly one way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.actors.vad import VadActor
from vivavoce.config.schema import SupervisorSettings, VadSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.clock import LoopClock, StreamClock, run_virtual
from vivavoce.pipeline.mailbox import Mailbox
from vivavoce.pipeline.messages import (
    AudioBlock,
    EndOfStream,
    Gap,
    GapReason,
    SpeechAudio,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)
from vivavoce.pipeline.supervisor import Supervisor

FRAME = 512
SETTINGS = VadSettings(gate=False, pause_ms=160, end_silence_ms=640)
HANGOVER = SETTINGS.hangover_ms * 16


class Detector:
    """Loud is speech; the calls whose numbers are in ``faults`` fail."""

    def __init__(self, calls: list[int], faults: frozenset[int]) -> None:
        self._calls, self._faults = calls, faults

    def probability(self, pcm: np.ndarray) -> float:
        self._calls[0] += 1
        if self._calls[0] in self._faults:
            raise RuntimeError(f"call {self._calls[0]}")
        return 0.9 if np.abs(pcm.astype(int)).mean() > 1_000 else 0.0

    def reset(self) -> None: ...


def sound(pattern: str, seed: int = 0) -> np.ndarray:
    """A frame for each mark: `s` is speech, `.` is quiet; no two frames are alike."""
    random = np.random.default_rng(seed)
    loudness = np.repeat([8_000 if mark == "s" else 20 for mark in pattern], FRAME)
    return (loudness * random.uniform(0.5, 1, len(loudness))).astype(np.int16)


def cut(pcm: np.ndarray, sizes: list[int], losses: frozenset[int]) -> list:
    """The stream as capture sends it: blocks of ``sizes``, those numbered in ``losses`` lost."""
    messages: list = []
    at = number = 0
    while at < len(pcm):
        end = min(len(pcm), at + sizes[number % len(sizes)])
        if number in losses:
            messages.append(Gap(start=at, end=end, reason=GapReason.OVERRUN))
        else:
            messages.append(AudioBlock(start=at, pcm=pcm[at:end]))
        at, number = end, number + 1
    return [*messages, EndOfStream(end=at)]


def hear(messages: list, faults: frozenset[int], vad: VadSettings) -> tuple[ActorContext, list]:
    """What the supervised actor makes of ``messages``."""

    async def main() -> tuple[ActorContext, list]:
        clock = LoopClock()
        context = ActorContext(clock=clock, stream=StreamClock(clock))
        out: Channel = Channel(100_000)
        calls = [0]
        actor = VadActor(vad, lambda: Detector(calls, faults), context=context)
        inbox = actor.inbox = Mailbox(10_000)
        actor.send_to(out)
        for message in messages:
            context.ledger.capture(message.end)
            if isinstance(message, Gap):
                context.ledger.drop(message.start, message.end)
            inbox.send_nowait(message)
        inbox.close()
        supervisor = Supervisor(SupervisorSettings(backoff_ms=0, max_restarts=20), context)
        supervisor.add(actor)
        await supervisor.run()
        return context, [out.receive_nowait() for _ in range(len(out))]

    return run_virtual(main)


def check(pcm: np.ndarray, context: ActorContext, messages: list) -> None:
    """Hold the messages to their contract, as transcription relies on it."""
    heard = settled = number = 0
    is_open = False
    paused: SpeechPaused | None = None
    for message in messages:
        if isinstance(message, SpeechStarted):
            assert not is_open
            assert message.utterance > number
            assert message.start >= settled
            is_open, number, heard, paused = True, message.utterance, message.start, None
        elif isinstance(message, Gap | EndOfStream):
            assert not is_open
            assert isinstance(message, EndOfStream) or message.start >= settled
            settled = message.end
        else:
            assert is_open
            assert message.utterance == number
            if isinstance(message, SpeechAudio):
                assert message.start == heard
                np.testing.assert_array_equal(message.pcm, pcm[message.start : message.end])
                heard = message.end
                assert paused is None or heard <= paused.end + HANGOVER
            elif isinstance(message, SpeechPaused):
                assert paused is None
                assert message.end <= heard <= message.end + HANGOVER
                paused = message
            elif isinstance(message, SpeechResumed):
                assert paused is not None
                paused = None
            elif isinstance(message, SpeechEnded):
                assert message.start < message.end <= heard
                assert paused is None or paused.end <= message.end
                context.ledger.transcribe(message.start, message.end)
                is_open, settled = False, message.end
    assert not is_open
    summary = context.ledger.summary()
    assert summary.balanced
    assert summary.pending == 0


patterns = st.lists(st.tuples(st.integers(1, 40), st.sampled_from("s.")), min_size=1, max_size=8)


@pytest.mark.thorough
@given(
    patterns,
    st.lists(st.sampled_from([37, 100, 511, 512, 513, 700, 1_024, 5_000]), min_size=1, max_size=4),
    st.frozensets(st.integers(0, 40), max_size=4),
    st.frozensets(st.integers(1, 60), max_size=6),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_each_sample_goes_one_way_whatever_fails(parts, sizes, losses, faults, gate) -> None:
    pcm = sound("".join(mark * count for count, mark in parts))[: 512 * 60]
    vad = VadSettings(gate=gate, pause_ms=160, end_silence_ms=640)
    messages = cut(pcm, sizes, losses)
    context, result = hear(messages, faults, vad)
    check(pcm, context, result)
    lost = [gap for gap in messages if isinstance(gap, Gap)]
    assert [gap for gap in result if isinstance(gap, Gap) and gap in lost] == lost
    if not faults:
        assert [gap for gap in result if isinstance(gap, Gap)] == lost


def gaps(messages: list) -> list[tuple[int, int]]:
    return [(message.start, message.end) for message in messages if isinstance(message, Gap)]


@pytest.mark.parametrize("size", [512, 700, 2_048])
def test_a_fault_in_silence_costs_no_more_than_what_was_held(size: int) -> None:
    pcm = sound("." * 40)
    context, messages = hear(cut(pcm, [size], frozenset()), frozenset({20}), SETTINGS)
    check(pcm, context, messages)
    ((start, end),) = gaps(messages)
    assert end <= 20 * FRAME
    assert end - start <= (SETTINGS.pre_roll_ms * 16) + FRAME


def test_a_block_that_fails_twice_is_a_gap_and_speech_goes_on() -> None:
    pcm = sound("." * 20 + "s" * 40 + "." * 40)
    context, messages = hear(cut(pcm, [512], frozenset()), frozenset({30, 31}), SETTINGS)
    check(pcm, context, messages)
    assert gaps(messages)[-1][1] == 30 * FRAME
    assert len([m for m in messages if isinstance(m, SpeechEnded)]) == 2
