"""Whether what an actor was given comes out of it again: audio that does not is told as a gap.

An actor of somebody's own may drop audio, fail at it, send it twice or too late. A check stands
behind each actor through which audio passes; it knows what the actor was given, what has come out,
and from the ledger what was settled in between. What comes out of the check is a stream that those
behind know how to handle, on which each sample comes once, at its own time.

- A hole: where the next message lies behind samples that nobody has settled, they are dropped on
  the ledger and told as a :class:`Gap` (``ACTOR_LOST``) in their place.
- A repeat: of audio that comes again, or too late, only what is new passes.
- A surplus: what lies beyond what the actor was given never was captured, and is cut off.
- Recordings, gaps and the end of the stream are owed: one that was given to the actor and not
  passed on comes in its place all the same. So a recording that was cancelled stays cancelled.

What is missing is noticed with the next message, or at the end: an actor may hold audio back as
long as it likes. The checks are pure; :class:`CheckedOutlet` puts one into the chain.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import Any, Literal, TypeAlias

import msgspec

from vivavoce.pipeline.actor import ActorContext, Outlet
from vivavoce.pipeline.ledger import Ledger
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import (
    AudioBlock,
    EndOfStream,
    EndReason,
    Final,
    Gap,
    GapReason,
    Partial,
    Recording,
    RecordingEnded,
    RecordingStarted,
    Revision,
    SpeechAudio,
    SpeechEnded,
    SpeechFocused,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    seconds,
)

log = get_logger("supervisor")

Owed: TypeAlias = RecordingStarted | RecordingEnded | Gap | EndOfStream
"""What an actor has no business to keep."""

Fault: TypeAlias = Literal["lost", "surplus"]
OnFault: TypeAlias = Callable[[Fault, int, int], None]
"""Told what is wrong with ``[start, end)``."""

_OWED = (RecordingStarted, RecordingEnded, Gap, EndOfStream)
_CARRIES = (AudioBlock, SpeechAudio, Partial, Final, Revision)
"""Audio and text: who failed at one may have had to change it, so nobody passes it on instead."""


class Continuity:
    """What all checks have in common: positions, and what is owed. Audio is for who inherits.

    Every method that yields is to be carried on only when what it yielded was sent: so a message
    whose sending was cancelled counts as not sent.

    Args:
        ledger: what was settled.
        on_fault: told of each fault.
        first: whether nothing stands before the actor: then all it sends is believed.
    """

    def __init__(self, ledger: Ledger, on_fault: OnFault, *, first: bool = False) -> None:
        self._ledger = ledger
        self._on_fault = on_fault
        self._next = 0  # what lies before is passed on, settled or told
        self._given = sys.maxsize if first else 0  # how far the actor has heard
        self._first = first
        self._owed: deque[Owed] = deque()
        self._recording: bool | None = None  # None: nothing was told yet
        self._recorded = -1  # where the last recording began
        self._ended = False

    def given(self, message: Any) -> None:
        """``message`` is being sent to the actor."""
        reach: int = getattr(message, "end", getattr(message, "start", 0))
        self._given = max(self._given, reach)
        if isinstance(message, _OWED):
            self._owed.append(message)

    def not_given(self, message: Any) -> None:
        """The sending of ``message``, told before, was cancelled."""
        if self._owed and self._owed[-1] is message:
            self._owed.pop()

    def given_up_to(self, end: int) -> None:
        """Audio up to ``end`` is being sent to the actor."""
        if end > self._given:
            self._given = end

    def follows(self, message: Any) -> int | None:
        """Where ``message`` ends, if it is the next audio and nothing else is to be done.

        Then :meth:`passed` says that it was sent, in place of :meth:`take`: a tenth of the cost.
        """
        return None

    def passed(self, end: int) -> None:
        """What :meth:`follows` was asked about was sent."""
        self._next = end

    def take(self, message: Any) -> Iterator[Any]:
        """The actor sends ``message``.

        Yields:
            What those behind it are to get.
        """
        if self._ended:
            return
        if isinstance(message, _OWED):
            yield from self._pay(message)
        else:
            yield from self._take(message)

    def finish(self) -> Iterator[Any]:
        """The actor sends nothing more.

        Yields:
            What is still owed.
        """
        while self._owed:
            yield from self._pay(self._owed[-1])

    # -- for who inherits

    def _take(self, message: Any) -> Iterator[Any]:
        yield message

    def _break_off(self, reason: EndReason) -> Iterator[Any]:
        """What is open ends here."""
        yield from ()

    def _within(self, sample: int) -> int:
        return min(max(sample, self._next), self._given)

    def _due(self, start: int, end: int) -> Iterator[Any]:
        """What was owed before audio of ``[start, end)``."""
        while self._owed and _stands_before(self._owed[0], start, end):
            yield from self._pass_on(self._owed[0])
            self._owed.popleft()

    def _hole(self, end: int) -> Iterator[Any]:
        """Nothing more comes of what lies before ``end``."""
        for start, stop in self._ledger.unsettled(self._next, end):
            yield Gap(start=start, end=stop, reason=GapReason.ACTOR_LOST)
            self._drop(start, stop)
            self._on_fault("lost", start, stop)
            self._next = stop
        self._next = max(self._next, end)

    def _drop(self, start: int, end: int) -> None:
        for interval in self._ledger.unsettled(start, end):
            self._ledger.drop(*interval)

    # -- what is owed

    def _pay(self, message: Owed) -> Iterator[Any]:
        """Pass on what was owed before ``message``, and that itself."""
        place = next((at for at, owed in enumerate(self._owed) if _same(owed, message)), None)
        if place is None:
            yield from self._due(_at(message), _at(message))
            again = isinstance(message, Recording) and _at(message) <= self._recorded
            if not again:
                yield from self._pass_on(message)
            return
        for owed in tuple(islice(self._owed, place)):
            yield from self._pass_on(owed)
            self._owed.popleft()
        yield from self._pass_on(message)
        self._owed.popleft()

    def _pass_on(self, message: Owed) -> Iterator[Any]:
        if isinstance(message, Gap):
            yield from self._pass_gap(message)
        elif isinstance(message, RecordingStarted):
            if self._recording is not True:  # else it comes again
                yield from self._break_off(EndReason.GAP)
                at = self._within(message.start)
                yield from self._hole(at)
                yield message if at == message.start else _moved(message, start=at)
                self._recording, self._recorded = True, at
        elif isinstance(message, RecordingEnded):
            if self._recording is not False:
                cancelled = message.cancelled
                yield from self._break_off(EndReason.CANCELLED if cancelled else EndReason.RELEASED)
                at = self._within(message.end)
                yield from self._hole(at)
                yield message if at == message.end else _moved(message, end=at)
                self._recording = False
        elif self._first or any(_same(owed, message) for owed in self._owed):  # else too early
            yield from self._break_off(EndReason.END_OF_STREAM)
            end = message.end if self._first else self._given
            yield from self._hole(end)
            yield message if end == message.end else EndOfStream(end=end)
            self._ended = True

    def _pass_gap(self, gap: Gap) -> Iterator[Any]:
        start, end = self._within(gap.start), self._within(gap.end)
        if start == end:
            return
        yield from self._break_off(EndReason.GAP)
        yield from self._hole(start)
        untouched = (start, end) == (gap.start, gap.end)
        yield gap if untouched else Gap(start=start, end=end, reason=gap.reason)
        self._drop(start, end)
        self._next = end


class AudioContinuity(Continuity):
    """Behind an actor that sends audio blocks: each begins where the one before has ended, or
    behind samples that are settled."""

    def follows(self, message: Any) -> int | None:
        """See :class:`Continuity`."""
        if type(message) is not AudioBlock or message.start != self._next or self._owed:
            return None
        end = message.end
        return end if self._next < end <= self._given and not self._ended else None

    def _take(self, message: Any) -> Iterator[Any]:
        if not isinstance(message, AudioBlock):
            yield message
            return
        fitted = yield from self._fitted(message)
        if fitted is not None:
            yield fitted
            self._next = fitted.end

    def _fitted(self, block: AudioBlock) -> Generator[Any, None, AudioBlock | None]:
        """Yields what comes before ``block``; returns what is new in it, or None."""
        if block.end > self._given:
            self._on_fault("surplus", max(block.start, self._given), block.end)
        end = self._within(block.end)
        if self._within(block.start) == end:
            return None
        yield from self._due(block.start, block.end)
        start = self._within(block.start)
        if start >= end:
            return None
        yield from self._hole(start)
        if (start, end) == (block.start, block.end):
            return block
        return AudioBlock(start=start, pcm=block.pcm[start - block.start : end - block.start])


class SpeechContinuity(Continuity):
    """Behind the VAD, and actors between it and transcription: utterances that follow each other.

    An utterance is always begun, has audio without a hole, and is ended. A hole in it ends it; what
    comes behind the hole is an utterance of its own. Numbers only rise; where nothing is missing,
    they are the VAD's::

                    SpeechStarted      SpeechAudio           SpeechEnded      all that is owed
        closed      is announced       begins one            a hole           a hole
        announced   is announced       begins this one       a hole           a hole
        open        ends it, and is    goes on with it, or   ends it          ends it; a hole
                    announced          ends it and begins
                                       one behind a hole

    The beginning is sent with the first audio, so that no utterance is empty.
    """

    def __init__(self, ledger: Ledger, on_fault: OnFault, *, first: bool = False) -> None:
        super().__init__(ledger, on_fault, first=first)
        self._announced: SpeechStarted | None = None
        self._open: SpeechStarted | None = None  # as it was passed on
        self._tail_end: int | None = None  # in a pause: audio behind it is speech again
        self._number = 0  # the last that was passed on
        self._source = -1  # the actor's number of the utterance that is open
        self._source_start = -1  # and where that began
        self._over = -1  # the actor's number of the last utterance that has ended
        self._focus: SpeechFocused | None = None

    def follows(self, message: Any) -> int | None:
        """See :class:`Continuity`."""
        if type(message) is not SpeechAudio or self._open is None or self._owed:
            return None
        end = message.end
        if self._tail_end is not None and end > self._tail_end:
            return None
        return (
            end
            if message.utterance == self._source == self._number
            and message.start == self._next < end <= self._given
            and not self._ended
            else None
        )

    def _take(self, message: Any) -> Iterator[Any]:
        if isinstance(message, SpeechAudio):
            yield from self._hear(message)
        elif isinstance(message, SpeechStarted):
            yield from self._announce(message)
        elif isinstance(message, SpeechPaused):
            yield from self._pause(message)
        elif isinstance(message, SpeechResumed):
            if self._open is not None and message.utterance == self._source:
                yield self._renumbered(message)
                self._tail_end = None
        elif isinstance(message, SpeechEnded):
            yield from self._end(message)
        elif isinstance(message, SpeechFocused):
            yield message
            self._focus = message
            if self._open is not None and self._open.start > message.start == self._source_start:
                yield SpeechFocused(start=self._open.start, focus=message.focus)
        else:
            yield message

    # -- what marks an utterance

    def _announce(self, message: SpeechStarted) -> Iterator[Any]:
        if self._open is not None and message.start <= self._open.start:
            self._source = message.utterance  # it came late, or the one before was cut in a hole
            return
        yield from self._due(message.start, message.start)
        yield from self._supersede(message.start)
        self._announced = message

    def _pause(self, message: SpeechPaused) -> Iterator[Any]:
        if self._open is None or message.utterance != self._source:
            return
        if message.end > self._next:
            yield from self._close(self._next, EndReason.GAP)
            yield from self._hole(self._within(message.end))
        elif message.end > self._open.start:
            yield self._renumbered(message)
            self._tail_end = max(message.end, message.tail_end)

    def _end(self, message: SpeechEnded) -> Iterator[Any]:
        if message.utterance == self._over:
            return
        opened = self._open
        if opened is None:
            yield from self._due(message.start, message.end)
        elif message.utterance != self._source:
            if message.start < self._next:
                return
            yield from self._due(message.start, message.end)
            yield from self._supersede(message.start)
        elif message.end <= opened.start:
            return  # cut before the hole behind which this began: it goes on under the next number
        elif message.end <= self._next:
            untouched = (opened.utterance, opened.start) == (message.utterance, message.start)
            yield (
                message
                if untouched
                else _moved(message, utterance=opened.utterance, start=opened.start)
            )
            self._next = message.end
            self._closed(over=message.utterance)
            return
        else:
            cancelled = message.reason is EndReason.CANCELLED
            yield from self._close(self._next, EndReason.CANCELLED if cancelled else EndReason.GAP)
        self._announced = None
        yield from self._hole(self._within(message.end))
        self._over = message.utterance

    def _break_off(self, reason: EndReason) -> Iterator[Any]:
        self._announced = None
        if self._open is not None:
            yield from self._close(self._next, reason)
            self._over = self._source

    def _pass_gap(self, gap: Gap) -> Iterator[Any]:
        opened = self._open
        if opened is not None and opened.start < gap.end and gap.start < self._next:
            # Passed on behind a cut, to be sent again; and what is told now is that it was lost.
            if gap.start > opened.start:
                yield from self._supersede(gap.start)
            else:
                yield from self._close(opened.start, EndReason.CANCELLED)
                self._next, self._over = opened.start, self._source
        yield from super()._pass_gap(gap)

    def _supersede(self, start: int) -> Iterator[Any]:
        """Another utterance begins at ``start``, so the open one has ended by then."""
        if self._open is None:
            return
        if start < self._next:
            yield from self._close(start, EndReason.MAX_LENGTH)
            self._next = start
        else:
            yield from self._close(self._next, EndReason.GAP)
        self._over = self._source

    def _close(self, end: int, reason: EndReason) -> Iterator[Any]:
        opened = self._open
        assert opened is not None
        yield SpeechEnded(
            utterance=opened.utterance, start=opened.start, end=end, at=self._next, reason=reason
        )
        self._closed()

    def _closed(self, over: int | None = None) -> None:
        self._open, self._tail_end = None, None
        self._over = self._over if over is None else over

    # -- audio

    def _hear(self, message: SpeechAudio) -> Iterator[Any]:
        message, end = yield from self._fitted(message)
        if end == message.start:
            return
        if self._tail_end is not None and end > self._tail_end:
            yield SpeechResumed(utterance=self._number, at=end)
            self._tail_end = None
        yield self._renumbered(message)
        self._next = end

    def _fitted(self, message: SpeechAudio) -> Generator[Any, None, tuple[SpeechAudio, int]]:
        """Yields what comes before ``message``; returns what is new in it, and where that ends."""
        nothing = message, message.start
        if message.end > self._given:
            self._on_fault("surplus", max(message.start, self._given), message.end)
        end = self._within(message.end)
        if message.utterance == self._over:
            return nothing
        if self._open is not None and message.utterance != self._source:
            if message.start <= self._open.start:
                return nothing
            yield from self._due(message.start, message.end)
            yield from self._supersede(message.start)
            end = self._within(message.end)
        if self._within(message.start) >= end:
            return nothing
        yield from self._due(message.start, message.end)
        start = self._within(message.start)
        if start >= end:
            return nothing
        if self._open is not None and start > self._next:
            yield from self._close(self._next, EndReason.GAP)
        yield from self._hole(start)
        if self._open is None:
            yield from self._begin(message, start, end)
        pcm = message.pcm[start - message.start : end - message.start]
        return SpeechAudio(utterance=message.utterance, start=start, pcm=pcm), end

    def _begin(self, first: SpeechAudio, start: int, end: int) -> Iterator[Any]:
        announced = self._announced
        at, origin = end, start
        if announced is not None and announced.utterance == first.utterance:
            at, origin = announced.at, announced.start
        elif first.utterance == self._source:  # the rest, behind a hole
            origin = self._source_start
        number = max(self._number + 1, first.utterance)
        started = SpeechStarted(utterance=number, start=start, at=at)
        yield started
        self._open, self._announced, self._number = started, None, number
        self._source, self._source_start = first.utterance, origin
        focus = self._focus
        if focus is not None and focus.start == self._source_start:
            yield SpeechFocused(start=start, focus=focus.focus)

    def _renumbered(self, message: Any) -> Any:
        same = message.utterance == self._number
        return message if same else _moved(message, utterance=self._number)


class CaptionContinuity(Continuity):
    """Behind actors that send captions. Their samples are settled, and who sends less than it got
    may mean to; only the end of the stream is owed."""

    def take(self, message: Any) -> Iterator[Any]:
        """See :class:`Continuity`."""
        if not self._ended:
            yield message
            self._ended = isinstance(message, EndOfStream)

    def finish(self) -> Iterator[Any]:
        """See :class:`Continuity`."""
        yield from self.take(EndOfStream(end=self._ledger.summary().captured))


class CheckedOutlet:
    """An actor's outlet with a check before it.

    Args:
        name: of the actor.
        outlet: where what passes is sent.
        check: of what the actor sends.
        behind: the check behind the next actor, which is told what that one is given.
    """

    def __init__(
        self, name: str, outlet: Outlet[Any], check: Continuity, behind: Continuity | None
    ) -> None:
        self._name = name
        self._outlet = outlet
        self._check = check
        self._behind = behind
        # An actor may send from several tasks: one at a time. An asyncio.Lock does the same, for
        # more than the sending costs.
        self._busy = False
        self._turns: deque[asyncio.Future[None]] = deque()

    async def send(self, message: Any) -> None:
        """Send on what the check makes of ``message``."""
        if self._busy or (end := self._check.follows(message)) is None:
            await self._send_all(lambda: self._check.take(message))
            return
        self._busy = True
        try:
            if self._behind is not None:
                self._behind.given_up_to(end)
            await self._outlet.send(message)
            self._check.passed(end)
        finally:
            self._end_turn()

    async def give_up(self, message: Any) -> None:
        """The actor will never handle ``message``: what carries neither audio nor text is passed on
        as it is. Missing audio is noticed with what comes next."""
        if not isinstance(message, _CARRIES):
            await self.send(message)

    async def finish(self) -> None:
        """The actor has come to its end: send what it owes."""
        await self._send_all(self._check.finish)

    def close(self) -> None:
        """Nothing more will be sent."""
        self._outlet.close()

    async def _send_all(self, messages: Callable[[], Iterator[Any]]) -> None:
        await self._begin_turn()
        try:
            for message in messages():
                await self._deliver(message)
        finally:
            self._end_turn()

    async def _begin_turn(self) -> None:
        if not self._busy:
            self._busy = True
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            await turn  # whoever ends its turn hands it over
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._end_turn()
            raise

    def _end_turn(self) -> None:
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._busy = False

    async def _deliver(self, message: Any) -> None:
        behind = self._behind
        if behind is None:
            await self._outlet.send(message)
            return
        # Told before: the next actor may have handled it when the sending is over.
        behind.given(message)
        try:
            await self._outlet.send(message)
        except BaseException:
            behind.not_given(message)
            raise


def tell_faults(name: str, context: ActorContext) -> OnFault:
    """Count what is wrong with what the actor ``name`` sends; the first time, log it."""
    told: set[Fault] = set()

    def tell(fault: Fault, start: int, end: int) -> None:
        counter = f"vivavoce_actor_{fault}_samples_total"
        context.metrics.counter(counter, actor=name).add(end - start)
        if fault not in told:
            told.add(fault)
            log.error(_WORDS[fault].format(name), at=round(seconds(start), 3))

    return tell


_WORDS: dict[Fault, str] = {
    "lost": "{} was given audio and did not pass it on: it is told as a gap",
    "surplus": "{} sent more audio than it was given: it is cut off",
}


def _at(owed: Owed) -> int:
    """Where in the stream it stands."""
    return owed.start if isinstance(owed, Gap | RecordingStarted) else owed.end


def _same(owed: Owed, message: Owed) -> bool:
    return type(owed) is type(message) and _at(owed) == _at(message)


def _stands_before(owed: Owed, start: int, end: int) -> bool:
    """Whether ``owed`` comes before audio of ``[start, end)``."""
    if isinstance(owed, Gap):
        return owed.start < end
    return not isinstance(owed, EndOfStream) and _at(owed) <= start


def _moved(message: Any, **changes: int) -> Any:
    return msgspec.structs.replace(message, **changes)
