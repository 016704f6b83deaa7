"""The transcription actor: utterances in; partials and finals out, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, TypeAlias

import anyio

from vivavoce.actors.transcription.agreement import corrected
from vivavoce.actors.transcription.client import RevivedEngine, StartEngine
from vivavoce.actors.transcription.engines.base import (
    EngineDied,
    EngineError,
    Hypothesis,
    SessionOptions,
)
from vivavoce.actors.transcription.partial_policy import PartialPolicy
from vivavoce.actors.transcription.utterance import Utterance
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.actor import Actor, Request
from vivavoce.pipeline.channel import ChannelClosed
from vivavoce.pipeline.failures import first_failure
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import (
    Caption,
    EndOfStream,
    Final,
    Gap,
    GapReason,
    Latency,
    Partial,
    PowerChanged,
    Speech,
    SpeechAudio,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    Word,
    seconds,
)

_TRIES = 3
"""How often an utterance may kill the engine (or fail in it) before it is set aside."""

Item: TypeAlias = Utterance | Gap | PowerChanged | EndOfStream

log = get_logger("transcription")


class TranscriptionActor(Actor[Speech, Caption]):
    """Takes messages in and works through them, as two tasks.

    Everything is emitted in the order of the stream: what stands behind an utterance waits for its
    final. The state survives a restart of the actor, so that no utterance is lost with it.

    Args:
        settings: the profile's ``transcription`` section.
        start_engine: makes and starts the engine; it is called in the background while audio is
            taken in already.
    """

    name = "transcription"

    def __init__(self, settings: TranscriptionSettings, start_engine: StartEngine) -> None:
        super().__init__()
        self._settings = settings
        self._start_engine = start_engine
        self._engine: RevivedEngine | None = None
        self._items: deque[Item] = deque()
        self._open: Utterance | None = None
        self._policy = PartialPolicy(settings.partial_interval_ms / 1000)
        self._closed = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._options = SessionOptions(
            language=settings.language,
            beam_size=settings.beam_size,
            temperature_fallback=settings.temperature_fallback,
            word_times=settings.word_times,
            initial_prompt=settings.initial_prompt,
            hotwords=settings.hotwords,
        )

    async def run(self) -> None:
        """Work until the inbox is closed and every utterance has its final."""
        if self._engine is None:
            self._engine = RevivedEngine(
                self._start_engine, self._settings.max_engine_restarts, self.context.clock
            )
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._take_in, name="transcription intake")
                await self.context.stream.begun()
                await self._engine.ready()
                await self._work_through(self._engine)
                group.cancel_scope.cancel()
        except BaseExceptionGroup as failures:
            first = first_failure(failures)
            raise first from first.__cause__

    async def on_stop(self) -> None:
        """End the engine process; its memory goes back to the system."""
        if self._engine is not None:
            await self._engine.stop()
        for item in self._items:
            if isinstance(item, Utterance):
                item.forget_session()

    async def on_ask(self, question: Any) -> Any:
        """Answer ``"engine"``: what runs, its process id, and how often it was restarted."""
        if question != "engine":
            return await super().on_ask(question)
        client = self._engine.client if self._engine else None
        return {
            "info": client.info if client else None,
            "pid": client.pid if client else None,
            "restarts": self._engine.restarts if self._engine else 0,
        }

    # -- taking in

    async def _take_in(self) -> None:
        while True:
            try:
                message = await self.inbox.receive()
            except ChannelClosed:
                self._closed = True
                self._news.set()
                return
            if type(message) is Request:
                await self.deliver(message)
                continue
            self._take(message)
            self._news.set()
            while self._waiting() > self._settings.max_pending:
                self._room.clear()
                await self._room.wait()

    def _take(self, message: Speech) -> None:
        now = self.context.clock.now()
        utterance = self._open
        if isinstance(message, SpeechStarted):
            self._open = Utterance(message.utterance, message.start)
            self._items.append(self._open)
            self._policy.begin_utterance(now)
        elif isinstance(message, SpeechAudio | SpeechPaused | SpeechResumed | SpeechEnded):
            if utterance is None or utterance.number != message.utterance:
                raise ValueError(f"{type(message).__name__} of an utterance that is not open")
            if isinstance(message, SpeechAudio):
                utterance.append(message)
            elif isinstance(message, SpeechEnded):
                utterance.end(message, now)
                self._open = None
            else:
                utterance.paused = message if isinstance(message, SpeechPaused) else None
        else:
            self._items.append(message)

    def _waiting(self) -> int:
        return len(self._items) - (self._open is not None)

    # -- working through

    async def _work_through(self, engine: RevivedEngine) -> None:
        while True:
            self._news.clear()
            head = self._items[0] if self._items else None
            if head is None:
                if self._closed:
                    return
                await self._news.wait()
            elif not isinstance(head, Utterance):
                self._items.popleft()
                await self.emit(head)
            elif head.ended is not None:
                await self._finish(engine, head, head.ended)
                self._items.popleft()
                self._room.set()
            elif self._closed:
                raise RuntimeError(f"the stream ended inside utterance {head.number}")
            else:
                await self._follow(engine, head)
            self._note_lag()

    async def _follow(self, engine: RevivedEngine, utterance: Utterance) -> None:
        """One step of an utterance that is still open, or a wait for news."""
        paused = utterance.paused
        if paused is not None and self._settings.speculative_finals:
            if utterance.speculation is None or utterance.speculation[0] != paused.end:
                await self._speculate(engine, utterance, paused.end)
                return
        elif self._settings.partials:
            due = self._policy.due_at(utterance.heard)
            if due is not None:
                wait = due - self.context.clock.now()
                if wait <= 0:
                    await self._show(engine, utterance)
                    return
                await self._news_within(wait)
                return
        await self._news.wait()

    async def _news_within(self, wait: float) -> None:
        try:
            async with asyncio.timeout(wait):
                await self._news.wait()
        except TimeoutError:
            return

    async def _show(self, engine: RevivedEngine, utterance: Utterance) -> None:
        began = self.context.clock.now()
        heard = utterance.heard
        hypothesis = await self._ask(engine, utterance, heard, final=False)
        now = self.context.clock.now()
        self._policy.finished(began, now, heard)
        metrics = self.context.metrics
        metrics.histogram("vivavoce_partial_seconds").observe(now - began)
        if hypothesis is None or not hypothesis.text:
            return
        shown = utterance.agreement.update(hypothesis.text, hypothesis.stable_words)
        if shown == utterance.shown:
            return
        utterance.shown = shown
        utterance.revision += 1
        metrics.counter("vivavoce_partials_total").add()
        await self.emit(
            Partial(
                utterance=utterance.number,
                revision=utterance.revision,
                start=utterance.start,
                end=heard,
                stable=shown[0],
                tail=shown[1],
            )
        )

    async def _speculate(self, engine: RevivedEngine, utterance: Utterance, end: int) -> None:
        hypothesis = await self._ask(engine, utterance, end, final=True)
        if hypothesis is not None:
            utterance.speculation = (end, hypothesis)
        still = utterance.ended.end if utterance.ended else getattr(utterance.paused, "end", None)
        if still != end:
            self.context.metrics.counter("vivavoce_speculative_discarded_total").add()

    async def _finish(
        self, engine: RevivedEngine, utterance: Utterance, ended: SpeechEnded
    ) -> None:
        began = self.context.clock.now()
        speculation = utterance.speculation
        speculative = speculation is not None and speculation[0] == ended.end
        hypothesis = (
            speculation[1]
            if speculation is not None and speculative
            else await self._ask(engine, utterance, ended.end, final=True)
        )
        if hypothesis is None:
            log.error(
                f"utterance {utterance.number} is set aside: the engine failed {_TRIES} times at it"
            )
            self.context.ledger.drop(utterance.start, ended.end)
            await self.emit(
                Gap(start=utterance.start, end=ended.end, reason=GapReason.ENGINE_FAILED)
            )
        else:
            queued = 0.0 if speculative else began - utterance.ended_at
            final = self._final(engine, utterance, ended, hypothesis)
            self._count(final, utterance, speculative=speculative)
            latency = Latency(
                endpoint=seconds(ended.at - ended.end),
                queued=queued,
                decode=hypothesis.decode_s,
                total=max(0.0, self.context.stream.elapsed() - seconds(ended.end)),
                speculative=speculative,
            )
            self.context.ledger.transcribe(utterance.start, ended.end)
            await self.emit(_with_latency(final, latency))
        await self._close(engine, utterance)

    def _final(
        self,
        engine: RevivedEngine,
        utterance: Utterance,
        ended: SpeechEnded,
        hypothesis: Hypothesis,
    ) -> Final:
        info = engine.client.info if engine.client else None
        return Final(
            utterance=utterance.number,
            start=utterance.start,
            end=ended.end,
            text=hypothesis.text,
            words=tuple(
                Word(
                    text=word.text,
                    start=utterance.start + word.start,
                    end=utterance.start + word.end,
                    probability=word.probability,
                )
                for word in hypothesis.words
            ),
            confidence=hypothesis.confidence,
            no_speech_probability=hypothesis.no_speech_probability,
            average_log_probability=hypothesis.average_log_probability,
            compression_ratio=hypothesis.compression_ratio,
            corrected=corrected(utterance.agreement.stable, hypothesis.text.split()),
            engine=info.engine if info else "",
            model=info.model if info else "",
            language=hypothesis.language,
        )

    def _count(self, final: Final, utterance: Utterance, *, speculative: bool) -> None:
        metrics = self.context.metrics
        metrics.counter("vivavoce_finals_total").add()
        metrics.counter("vivavoce_finals_speculative_total").add(speculative)
        metrics.counter("vivavoce_corrected_words_total").add(final.corrected)
        metrics.counter("vivavoce_stable_words_total").add(len(utterance.agreement.stable))
        metrics.histogram("vivavoce_endpoint_to_final_seconds").observe(
            self.context.clock.now() - utterance.ended_at
        )

    def _note_lag(self) -> None:
        head = self._items[0] if self._items else None
        behind = 0.0
        if isinstance(head, Utterance) and head.ended is not None:
            behind = self.context.clock.now() - head.ended_at
        self.context.metrics.gauge("vivavoce_lag_seconds").set(behind)

    # -- the engine

    async def _ask(
        self, engine: RevivedEngine, utterance: Utterance, end: int, *, final: bool
    ) -> Hypothesis | None:
        """A hypothesis of the utterance up to sample ``end``; None when the engine fails at it.

        An engine that dies is started again and hears the utterance from its beginning.
        """
        failures = 0
        while True:
            client = await engine.ready()
            began = self.context.clock.now()
            try:
                await self._sync(engine, utterance, end)
                if not final:
                    return await client.partial(utterance.number)
                hypothesis = await client.final(utterance.number)
            except EngineDied as death:
                self.context.metrics.counter("vivavoce_engine_restarts_total").add()
                for item in self._items:
                    if isinstance(item, Utterance):
                        item.forget_session()
                failures += 1
                await engine.died(death)
                if failures >= _TRIES or not final:
                    return None
            except EngineError as error:
                failures += 1
                log.warning(f"the engine could not decode utterance {utterance.number}: {error}")
                if failures >= _TRIES or not final:
                    return None
            else:
                elapsed = self.context.clock.now() - began
                self.context.metrics.histogram("vivavoce_final_seconds").observe(elapsed)
                return hypothesis

    async def _sync(self, engine: RevivedEngine, utterance: Utterance, end: int) -> None:
        """Let the engine's session hear exactly the utterance up to ``end``."""
        client = await engine.ready()
        wanted = 2 * (end - utterance.start)
        if utterance.session_open and utterance.fed > wanted:
            await self._close(engine, utterance)
        if not utterance.session_open:
            await client.open(utterance.number, self._options)
            utterance.session_open = True
        fresh = utterance.audio(utterance.fed, end)
        if fresh:
            await client.feed(utterance.number, fresh)
            utterance.fed += len(fresh)

    async def _close(self, engine: RevivedEngine, utterance: Utterance) -> None:
        if utterance.session_open and engine.client is not None:
            utterance.forget_session()
            try:
                await engine.client.close(utterance.number)
            except EngineDied as death:
                await engine.died(death)


def _with_latency(final: Final, latency: Latency) -> Final:
    import msgspec

    return msgspec.structs.replace(final, latency=latency)
