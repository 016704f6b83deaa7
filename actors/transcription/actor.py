"""The transcription actor: utterances in; partials and finals out, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, TypeAlias

import anyio
import numpy as np

from vivavoce.actors.transcription.client import RevivedEngine, StartEngine
from vivavoce.actors.transcription.desk import TRIES, EngineDesk
from vivavoce.actors.transcription.engines.base import Hypothesis, SessionOptions
from vivavoce.actors.transcription.finals import final_message
from vivavoce.actors.transcription.follower import Follower
from vivavoce.actors.transcription.overload import OverloadLadder, Rung
from vivavoce.actors.transcription.previous_words import PreviousWords
from vivavoce.actors.transcription.utterance import Attempt, Utterance
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.actor import Actor, ActorContext, Request
from vivavoce.pipeline.channel import ChannelClosed
from vivavoce.pipeline.failures import first_failure
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import (
    SAMPLE_RATE,
    Caption,
    EndOfStream,
    Gap,
    GapReason,
    Latency,
    Pcm,
    PowerChanged,
    Speech,
    SpeechAudio,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    seconds,
)

Item: TypeAlias = Utterance | Gap | PowerChanged | EndOfStream

log = get_logger("transcription")


class TranscriptionActor(Actor[Speech, Caption]):
    """Takes messages in, follows what is being spoken and finishes what was, as three tasks.

    Everything is emitted in the order of the stream: what stands behind an utterance waits for its
    final. The state survives a restart of the actor, so that no utterance is lost with it.

    Args:
        settings: the profile's ``transcription`` section.
        start_engine: makes and starts the engine; it is called in the background while audio is
            taken in already.
        side_by_side: how many finals the engine may be asked for at once.
    """

    name = "transcription"

    def __init__(
        self, settings: TranscriptionSettings, start_engine: StartEngine, side_by_side: int = 1
    ) -> None:
        super().__init__()
        self._settings = settings
        self._start_engine = start_engine
        self._slots = side_by_side
        self._pending = max(settings.max_pending, side_by_side)
        self._engine: RevivedEngine | None = None
        self._items: deque[Item] = deque()
        self._open: Utterance | None = None
        self._open_number = 0  # the VAD's number of the open utterance
        self._last_number = 0
        self._last_key = 0
        self._closed = False
        self._news = asyncio.Event()
        self._news_of_speech = asyncio.Event()
        self._room = asyncio.Event()
        self._previous = PreviousWords(
            settings.previous_words, settings.previous_words_silence_ms * SAMPLE_RATE // 1_000
        )
        self._ladder = OverloadLadder(settings.max_lag_ms / 1_000, enabled=settings.overload_ladder)

    def attach(self, inbox: Any, outbox: Any, context: ActorContext) -> None:
        """Take the channels; see :class:`Actor`."""
        super().attach(inbox, outbox, context)
        self._engine = RevivedEngine(
            self._start_engine, self._settings.max_engine_restarts, context.clock
        )
        self._desk = EngineDesk(self._engine, session_options(self._settings), context)
        self._follower = Follower(self._settings, self._desk, context, self.emit)
        self._lag = context.metrics.gauge("vivavoce_lag_seconds")
        self._rung = context.metrics.gauge("vivavoce_overload_rung")

    async def run(self) -> None:
        """Work until the inbox is closed and every utterance has its final."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._take_in, name="transcription intake")
                await self.context.stream.begun()
                await self._desk.engine.ready()
                group.start_soon(self._follow, name="transcription follower")
                self._schedule()
                await self._work_through()
                group.cancel_scope.cancel()
        except BaseExceptionGroup as failures:
            first = first_failure(failures)
            raise first from first.__cause__
        finally:
            for item in self._items:
                if isinstance(item, Utterance):
                    item.abandon_attempt()

    async def on_stop(self) -> None:
        """End the engine process; its memory goes back to the system."""
        if self._engine is not None:
            await self._engine.stop()

    async def on_ask(self, question: Any) -> Any:
        """Answer ``"engine"``: what runs, its process id, how often it was restarted, the rung."""
        if question != "engine":
            return await super().on_ask(question)
        client = self._engine.client if self._engine else None
        return {
            "info": client.info if client else None,
            "pid": client.pid if client else None,
            "restarts": self._engine.restarts if self._engine else 0,
            "rung": str(self._ladder.rung),
        }

    # -- taking in

    async def _take_in(self) -> None:
        while True:
            try:
                message = await self.inbox.receive()
            except ChannelClosed:
                self._closed = True
                self._tell()
                return
            if type(message) is Request:
                await self.deliver(message)
                continue
            self._take(message)
            self._tell()
            while self._waiting() > self._pending:
                self._room.clear()
                await self._room.wait()

    def _take(self, message: Speech) -> None:
        now = self.context.clock.now()
        if isinstance(message, SpeechStarted):
            self._open = Utterance(self._new_key(), message.start)
            self._open_number = message.utterance
            self._items.append(self._open)
            self._follower.policy.begin_utterance(now)
        elif isinstance(message, SpeechAudio | SpeechPaused | SpeechResumed | SpeechEnded):
            utterance = self._open
            if utterance is None or self._open_number != message.utterance:
                raise ValueError(f"{type(message).__name__} of an utterance that is not open")
            if isinstance(message, SpeechAudio):
                utterance.append(message)
                if self._settings.partials:
                    self._follower.policy.hear(level_db(message.pcm))
                return
            if isinstance(message, SpeechEnded):
                utterance.end(message, now)
                self._open = None
            else:
                utterance.paused = message if isinstance(message, SpeechPaused) else None
            self._schedule()
        else:
            self._items.append(message)

    def _waiting(self) -> int:
        return len(self._items) - (self._open is not None)

    def _tell(self) -> None:
        self._news.set()
        self._news_of_speech.set()

    # -- decoding: what is wanted, and what is in flight

    def _schedule(self) -> None:
        """Start the decodings that are wanted, in order, and stop those that are not any more."""
        running = 0
        for item in self._items:
            if not isinstance(item, Utterance):
                continue
            wanted = self._wanted(item)
            if item.attempt is not None and item.attempt.end != wanted:
                item.abandon_attempt()
                self.context.metrics.counter("vivavoce_speculative_discarded_total").add()
            if item.attempt is None and wanted is not None and running < self._slots:
                self._start_attempt(item, wanted)
            running += item.attempt is not None and not item.attempt.task.done()

    def _wanted(self, utterance: Utterance) -> int | None:
        """Up to where a final is to be decoded now; None: it is too early, or first to be cut."""
        if self._follower.wants_cut(utterance):
            return None
        certain = utterance.cut is not None or utterance.ended is not None
        if certain or (self._settings.speculative_finals and not self._ladder.rung):
            return utterance.target
        return None

    def _start_attempt(self, utterance: Utterance, end: int) -> None:
        cheap = self._ladder.rung >= Rung.CHEAPER_FINALS
        work = self._desk.final(utterance, end, self._previous.before(utterance.start), cheap=cheap)
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._attempt_ended)
        speculative = utterance.ended is None and utterance.cut is None
        utterance.attempt = Attempt(end, task, self.context.clock.now(), speculative)

    def _attempt_ended(self, task: asyncio.Task[Hypothesis | None]) -> None:
        if not task.cancelled():
            self._news.set()
            if task.exception() is None:
                self._schedule()

    # -- following what is being spoken

    async def _follow(self) -> None:
        while True:
            self._news_of_speech.clear()
            head = self._head()
            wait: float | None = None
            if isinstance(head, Utterance):
                if self._follower.wants_cut(head):
                    await self._follower.find_cut(head)
                    self._schedule()
                    self._news.set()
                    continue
                wait = self._follower.due_in(head, self._ladder.rung)
                if wait is not None and wait <= 0:
                    await self._follower.show(head)
                    continue
            try:
                async with asyncio.timeout(wait):
                    await self._news_of_speech.wait()
            except TimeoutError:
                continue

    # -- working through

    async def _work_through(self) -> None:
        while True:
            self._news.clear()
            self._note_lag()
            head = self._head()
            if head is None:
                if self._closed:
                    return
                await self._news.wait()
            elif not isinstance(head, Utterance):
                self._items.popleft()
                await self.emit(head)
            elif head.cut is not None and self._has(head, head.cut):
                self._split(head)
            elif head.cut is None and head.ended is not None and self._has(head, head.ended.end):
                await self._finish(head, head.ended)
                self._items.popleft()
                self._room.set()
                self._schedule()
                self._news_of_speech.set()
            elif self._closed and head.ended is None:
                raise RuntimeError(f"the stream ended inside utterance {head.number}")
            else:
                await self._news.wait()

    def _has(self, utterance: Utterance, end: int) -> bool:
        """Whether the decoding up to ``end`` is done; raises what it raised."""
        attempt = utterance.attempt
        if attempt is None or attempt.end != end or not attempt.task.done():
            return False
        attempt.task.result()
        return True

    def _split(self, utterance: Utterance) -> None:
        """The first part of a long utterance is decoded: the rest becomes the next utterance."""
        was_open = utterance.ended is None
        rest = utterance.split(self._new_key(), self.context.clock.now())
        self._items.insert(1, rest)
        if was_open:
            self._open = rest
            self._follower.policy.begin_utterance(self.context.clock.now())

    def _new_key(self) -> int:
        self._last_key += 1
        return self._last_key

    def _head(self) -> Item | None:
        """What is next to be emitted; an utterance gets its number when its turn comes."""
        head = self._items[0] if self._items else None
        if isinstance(head, Utterance) and not head.number:
            self._last_number += 1
            head.number = self._last_number
        return head

    async def _finish(self, utterance: Utterance, ended: SpeechEnded) -> None:
        attempt = utterance.attempt
        assert attempt is not None
        hypothesis = attempt.task.result()
        if hypothesis is None:
            log.error(
                f"utterance {utterance.number} is set aside: the engine failed {TRIES} times at it"
            )
            self.context.ledger.drop(utterance.start, ended.end)
            await self.emit(
                Gap(start=utterance.start, end=ended.end, reason=GapReason.ENGINE_FAILED)
            )
        else:
            latency = Latency(
                endpoint=seconds(ended.at - ended.end),
                queued=max(0.0, attempt.began - utterance.ended_at),
                decode=hypothesis.decode_s,
                total=max(0.0, self.context.stream.elapsed() - seconds(ended.end)),
                speculative=attempt.speculative,
            )
            final = final_message(utterance, ended, hypothesis, self._desk.info, latency)
            self._count(utterance, final.corrected, speculative=attempt.speculative)
            self._previous.add(final.text, final.end, final.average_log_probability)
            self.context.ledger.transcribe(utterance.start, ended.end)
            await self.emit(final)
        await self._desk.close(utterance)

    def _count(self, utterance: Utterance, corrected: int, *, speculative: bool) -> None:
        metrics = self.context.metrics
        metrics.counter("vivavoce_finals_total").add()
        metrics.counter("vivavoce_finals_speculative_total").add(speculative)
        metrics.counter("vivavoce_corrected_words_total").add(corrected)
        metrics.counter("vivavoce_stable_words_total").add(len(utterance.agreement.stable))
        metrics.histogram("vivavoce_endpoint_to_final_seconds").observe(
            self.context.clock.now() - utterance.ended_at
        )

    def _note_lag(self) -> None:
        """Lag: speech that has ended and waits, and how long the engine is at what it has."""
        now = self.context.clock.now()
        lag = 0.0
        for item in self._items:
            if isinstance(item, Utterance) and item.ended is not None:
                if item.attempt is None:
                    lag += seconds(item.ended.end - item.start)
                elif not item.attempt.task.done():
                    lag += max(0.0, now - item.ended_at)
        self._lag.set(lag)
        before = self._ladder.rung
        rung = self._ladder.update(now, lag)
        self._rung.set(rung)
        if rung is not before:
            log.warning(
                f"the engine is {lag:.1f} s behind: {rung}"
                if rung > before
                else f"the engine catches up: {rung}"
            )


def session_options(settings: TranscriptionSettings) -> SessionOptions:
    """How the profile wants its utterances decoded."""
    return SessionOptions(
        language=settings.language,
        final_context=settings.final_context,
        partial_context=settings.partial_context,
        context_margin=settings.context_margin_ms * SAMPLE_RATE // 1_000,
        beam_size=settings.beam_size,
        temperature_fallback=settings.temperature_fallback,
        word_times=settings.word_times,
        initial_prompt=settings.initial_prompt,
        hotwords=settings.hotwords,
    )


def level_db(pcm: Pcm) -> float:
    """Loudness of a block in dB (of an arbitrary reference)."""
    samples = pcm.astype(np.float32)
    return 10.0 * float(np.log10(np.dot(samples, samples) / max(1, len(samples)) + 1.0))
