"""The transcription actor: utterances in; partials and finals out, in order."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio

from vivavoce.actors.transcription.backlog import Backlog
from vivavoce.actors.transcription.client import EngineClient
from vivavoce.actors.transcription.desk import TRIES
from vivavoce.actors.transcription.engines.base import Hypothesis
from vivavoce.actors.transcription.finals import final_message, latency_of, promised
from vivavoce.actors.transcription.focus_notes import FocusNotes
from vivavoce.actors.transcription.follower import Follower
from vivavoce.actors.transcription.keeper import ChooseEngines, EngineKeeper
from vivavoce.actors.transcription.lag import LagWatch
from vivavoce.actors.transcription.overload import Rung
from vivavoce.actors.transcription.partial_policy import level_db
from vivavoce.actors.transcription.phrase_cache import PhraseCache
from vivavoce.actors.transcription.previous_words import PreviousWords, limits
from vivavoce.actors.transcription.utterance import Attempt, Utterance
from vivavoce.config.schema import Profile, TranscriptionSettings
from vivavoce.pipeline.actor import Actor, ActorContext
from vivavoce.pipeline.channel import ChannelClosed
from vivavoce.pipeline.failures import first_failure
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.mailbox import Urgent
from vivavoce.pipeline.messages import (
    Caption,
    EndOfStream,
    Gap,
    GapReason,
    Speech,
    SpeechAudio,
    SpeechEnded,
    SpeechFocused,
    SpeechStarted,
)
from vivavoce.pipeline.power import Power, PowerEvent

log = get_logger("transcription")


class _Room(Urgent):
    """Something was emitted: more can be taken in."""

    replaces_earlier = True


class TranscriptionActor(Actor[Speech, Caption]):
    """Takes messages in, follows what is being spoken and finishes what was, as three tasks.

    Everything is emitted in the order of the stream: what stands behind an utterance waits for its
    final. The state survives a restart of the actor, so that no utterance is lost with it.

    Args:
        settings: the profile's ``transcription`` section.
        choose_engines: what makes and starts the engines of given settings; they are started in the
            background while audio is taken in already.
        side_by_side: how many finals the engine may be asked for at once.
        context: as for every actor.
    """

    name = "transcription"
    closing_grace_s = None

    def __init__(
        self,
        settings: TranscriptionSettings,
        choose_engines: ChooseEngines,
        side_by_side: int = 1,
        context: ActorContext | None = None,
    ) -> None:
        super().__init__(context=context)
        self._settings = settings
        self._choose_engines = choose_engines
        self._side_by_side = side_by_side
        # A final that is told the words before it waits for them.
        self._slots = 1 if settings.previous_words else side_by_side
        self._pending = max(settings.max_pending, side_by_side)
        self._focus = FocusNotes()
        self._backlog = Backlog()
        self._working = False
        self._running = False
        self._closed = False
        self._news = asyncio.Event()
        self._news_of_speech = asyncio.Event()
        self._previous = PreviousWords(*limits(settings))
        self._cache: PhraseCache[Hypothesis] | None = None
        if settings.phrase_cache.enabled:
            self._cache = PhraseCache(settings.phrase_cache)
        self._keeper = EngineKeeper(
            self._choose_engines,
            settings,
            self.context,
            emit=self.emit,
            cache=self._cache,
            busy=lambda: self._working,
        )
        self._desk = self._keeper.desk
        self._reviser = self._keeper.reviser
        self._follower = Follower(settings, self._desk, self.context, self.emit, self._focus)
        self._lag = LagWatch(settings, self._backlog, self.context)
        self._started = asyncio.Event()
        self._loads: set[asyncio.Future[EngineClient]] = set()  # for those who wait in load()

    async def on_start(self) -> None:
        """The engine may be loaded."""
        self._started.set()

    async def run(self) -> None:
        """Work until the inbox is closed and every utterance has its final."""
        self._tell_work()  # a run that failed may not have come to it
        try:
            async with anyio.create_task_group() as group:
                self._running = True
                group.start_soon(self._take_in, name="transcription intake")
                await self.context.stream.begun()
                group.start_soon(self._keeper.run, name="transcription engines")
                group.start_soon(self._follow, name="transcription follower")
                if self._reviser is not None:
                    group.start_soon(self._reviser.run, name="transcription reviser")
                self._schedule()
                await self._work_through()
                group.cancel_scope.cancel()
        except BaseExceptionGroup as failures:
            first = first_failure(failures)
            raise first from first.__cause__
        finally:
            self._running = False
            for utterance in self._backlog.utterances():
                utterance.abandon_attempt()

    async def on_stop(self) -> None:
        """End the engine process; its memory goes back to the system."""
        self._started.clear()
        for loading in self._loads:
            loading.cancel()  # else it would start the engine anew, and nobody would end that
        await self._keeper.stop()

    async def on_ask(self, question: Any) -> Any:
        """Answer questions about the engine and the phrase cache.

        ``"engine"``: what runs, its process id, its restarts, the rung of the overload ladder.
        ``"phrase_cache"``: its statistics and entries, or None where the profile has none.
        ``"clear_phrase_cache"``: forgets all phrases; how many there were.
        """
        if question == "engine":
            engine = self._desk.engine
            client = engine.client if engine.running else None
            return {
                "info": client.info if client else None,
                "pid": client.pid if client else None,
                "restarts": engine.restarts,
                "rung": str(self._lag.rung),
            }
        if question == "phrase_cache":
            if self._cache is None:
                return None
            return {"statistics": self._cache.statistics(), "entries": self._cache.entries()}
        if question == "clear_phrase_cache":
            return 0 if self._cache is None else self._cache.clear()
        return await super().on_ask(question)

    @property
    def engine_ready(self) -> bool:
        """Whether the engine is loaded."""
        return self._keeper.engine.running

    async def load(self) -> None:
        """Return when the engine is loaded; started now if it is not. In any task of the loop.

        While the actor is restarted this waits; once it has ended, for ever.

        Raises:
            EngineError: it cannot be loaded.
            EngineDied: it died too often while it loaded.
        """
        while True:
            await self._started.wait()
            loading = asyncio.ensure_future(self._keeper.engine.ready())
            self._loads.add(loading)
            try:
                await asyncio.wait([loading])
            finally:
                self._loads.discard(loading)
                loading.cancel()
            if not loading.cancelled():
                loading.result()
                return

    def trim(self) -> None:
        """Memory is short: forget what can be computed again."""
        if self._cache is not None:
            self._cache.clear()

    async def on_power(self, power: Power) -> None:
        """Start the engine, or end it when all that was said is final."""
        interval_ms = power.settings.partial_interval_ms or self._settings.partial_interval_ms
        self._follower.policy.shortest_s = interval_ms / 1_000
        self._keeper.want(power.engine)
        self._lag.note(self._desk.engine)  # in silence nothing else asks how far behind it is

    async def on_profile(self, profile: Profile) -> None:
        """Take other settings over at once, or with the next utterance."""
        settings = profile.transcription
        self._settings = settings
        self._follower.take_settings(settings)
        self._lag.take_settings(settings)
        self._previous.take_settings(*limits(settings))
        self._slots = 1 if settings.previous_words else self._side_by_side
        self._pending = max(settings.max_pending, self._side_by_side)
        self._keeper.take_settings(settings)
        await self.on_power(self.context.power.power)

    # -- taking in

    async def _take_in(self) -> None:
        await self.redeliver()
        while True:
            try:
                if self._backlog.waiting > self._pending:
                    message: Any = await self.inbox.receive_urgent()
                else:
                    message = await self.inbox.receive()
            except ChannelClosed:
                self._closed = True
                self._tell()
                break
            await self.deliver(message)
        while True:  # what still works can still be asked
            await self.deliver(await self.inbox.receive_urgent())

    async def on_message(self, message: Speech) -> None:
        """Take a message of the VAD in."""
        self._take(message)
        self._tell()

    async def obey(self, urgent: Urgent) -> None:
        """See :class:`Actor`."""
        if not isinstance(urgent, _Room):
            await super().obey(urgent)

    def _take(self, message: Speech) -> None:
        if isinstance(message, SpeechFocused):
            self._focus.note(message.start, message.focus)
            return
        now = self.context.clock.now()
        self._backlog.take(message, now)
        if isinstance(message, SpeechAudio):
            if self._settings.partials:
                self._follower.policy.hear(level_db(message.pcm))
            return
        if isinstance(message, SpeechStarted):
            self._focus.note(message.start, None)  # not where the one before it began
            self._follower.policy.begin_utterance(now)
            self._tell_work()
        self._schedule()

    def _tell_room(self) -> None:
        """The backlog has become shorter: the intake may wait for it."""
        if not self.inbox.ended:
            self.inbox.put_first(_Room())

    def _tell(self) -> None:
        self._news.set()
        self._news_of_speech.set()

    def _tell_work(self) -> None:
        """Say whether finals are owed, where that changed."""
        working = next(self._backlog.utterances(), None) is not None
        if working is not self._working:
            self._working = working
            self.context.power.tell(PowerEvent.WORK_STARTED if working else PowerEvent.WORK_ENDED)
            if not working:
                self._keeper.idle()

    # -- decoding: what is wanted, and what is in flight

    def _schedule(self) -> None:
        """Start the decodings that are wanted, in order, and stop those that are not any more."""
        if not self._running:
            return  # a decoding that ended while the actor stops must not start another
        running = 0
        for utterance in self._backlog.utterances():
            wanted = self._wanted(utterance)
            if utterance.attempt is not None and utterance.attempt.end != wanted:
                discarded = self.context.metrics.counter("vivavoce_speculative_discarded_total")
                discarded.add(utterance.attempt.speculative)
                utterance.abandon_attempt()
            if utterance.attempt is None and wanted is not None and running < self._slots:
                self._start_attempt(utterance, wanted)
            running += self._is_busy(utterance)

    def _is_busy(self, utterance: Utterance) -> bool:
        """Whether its decoding takes a place among those that run."""
        attempt = utterance.attempt
        return attempt is not None and (
            self._settings.previous_words > 0 or not attempt.task.done()
        )

    def _wanted(self, utterance: Utterance) -> int | None:
        """Up to where a final is to be decoded now; None: it is too early, or first to be cut."""
        if self._follower.wants_cut(utterance):
            return None
        certain = utterance.cut is not None or utterance.ended is not None
        if certain or (self._settings.speculative_finals and not self._lag.rung):
            return utterance.target
        return None

    def _start_attempt(self, utterance: Utterance, end: int) -> None:
        cheap = self._lag.rung >= Rung.CHEAPER_FINALS
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
            head = self._backlog.head
            wait: float | None = None
            if isinstance(head, Utterance):
                if not self._desk.engine.running:
                    await self._desk.engine.ready()
                    continue  # with what was said while it was loaded
                if self._follower.wants_cut(head):
                    await self._follower.find_cut(head)
                    self._schedule()
                    self._news.set()
                    continue
                if head.carried is not None:
                    await self._follower.show_carried(head)
                wait = self._follower.due_in(head, self._lag.rung)
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
            self._lag.note(self._desk.engine)
            head = self._backlog.head
            if head is None:
                if self._closed:
                    return
                await self._news.wait()
            elif not isinstance(head, Utterance):
                if self._reviser is not None and isinstance(head, EndOfStream):
                    await self._reviser.drain()
                self._backlog.pop()
                self._tell_room()
                await self.emit(head)
            elif head.cancelled and head.ended is not None:
                await self._give_up(head, head.ended.end, GapReason.CANCELLED)
            elif head.cut is not None and self._has(head, head.cut):
                self._split()
            elif head.cut is None and head.ended is not None and self._has(head, head.ended.end):
                await self._finish(head, head.ended)
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

    def _split(self) -> None:
        """The first part of a long utterance is decoded: the rest becomes the next utterance."""
        now = self.context.clock.now()
        if self._backlog.split(now):
            self._follower.policy.begin_utterance(now)
        self._schedule()

    async def _finish(self, utterance: Utterance, ended: SpeechEnded) -> None:
        """Emit what came of an utterance. Only then is it settled: an actor that fails while it
        emits decodes it again when it is restarted."""
        attempt = utterance.attempt
        assert attempt is not None
        hypothesis = attempt.task.result()
        if hypothesis is None:
            log.error(
                f"utterance {utterance.number} is set aside: the engine failed {TRIES} times at it"
            )
            await self._give_up(utterance, ended.end, GapReason.ENGINE_FAILED)
            return
        now = self.context.stream.elapsed()
        latency = latency_of(utterance, ended, attempt, hypothesis, now)
        focus = self._focus.before(ended.end)
        final = final_message(utterance, ended, hypothesis, self._desk.info, latency, focus=focus)
        await self.emit(final)
        self.context.ledger.transcribe(utterance.start, ended.end)
        stable = len(promised(utterance, ended, hypothesis))
        self._count(utterance, hypothesis, final.corrected, stable)
        self._previous.add(final.text, final.end, final.average_log_probability)
        if self._reviser is not None:
            self._reviser.add(utterance, final, hurry=self._lag.rung > 0)
        await self._done_with(utterance)

    async def _give_up(self, utterance: Utterance, end: int, reason: GapReason) -> None:
        """The utterance has no text: the speaker cancelled, or no engine could do it."""
        await self.emit(Gap(start=utterance.start, end=end, reason=reason))
        self.context.ledger.drop(utterance.start, end)
        await self._done_with(utterance)

    async def _done_with(self, utterance: Utterance) -> None:
        utterance.abandon_attempt()
        self._backlog.pop()
        self._tell_room()
        await self._desk.close(utterance)
        self._tell_work()
        self._schedule()
        self._news_of_speech.set()

    def _count(
        self, utterance: Utterance, hypothesis: Hypothesis, corrected: int, stable: int
    ) -> None:
        metrics = self.context.metrics
        attempt = utterance.attempt
        metrics.counter("vivavoce_finals_total").add()
        metrics.counter("vivavoce_finals_speculative_total").add(
            attempt is not None and attempt.speculative
        )
        metrics.counter("vivavoce_finals_invented_total").add(hypothesis.invented)
        metrics.counter("vivavoce_corrected_words_total").add(corrected)
        metrics.counter("vivavoce_stable_words_total").add(stable)
        metrics.histogram("vivavoce_endpoint_to_final_seconds").observe(
            self.context.clock.now() - utterance.ended_at
        )
