"""The transcription actor: speech in; partials, and sentences as finals, out, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec

from vivavoce.actors.transcription.backlog import Backlog
from vivavoce.actors.transcription.engine import RecognitionEngine
from vivavoce.actors.transcription.engines.base import EngineDied, EngineError, Hypothesis
from vivavoce.actors.transcription.exact_decoding import decode
from vivavoce.actors.transcription.finals import final_message
from vivavoce.actors.transcription.focus_notes import FocusNotes
from vivavoce.actors.transcription.hold_back import certain_words
from vivavoce.actors.transcription.language import ENOUGH_S, LanguagePolicy
from vivavoce.actors.transcription.overload import LagWatch, Rung
from vivavoce.actors.transcription.partial_policy import PartialPolicy, level_db
from vivavoce.actors.transcription.plan import KNOWN, part_ends
from vivavoce.actors.transcription.reviser import Reviser, WindowAudio
from vivavoce.actors.transcription.schedule import Exact, ExactSpacing, Why, may, must
from vivavoce.actors.transcription.selection import ChooseEngines, Starters, engine_settings
from vivavoce.actors.transcription.settle import settle, settle_full
from vivavoce.actors.transcription.shown import Shown
from vivavoce.actors.transcription.window import Decoded, Ready, Window
from vivavoce.config.schema import Profile, TranscriptionSettings
from vivavoce.pipeline.actor import Actor, ActorContext
from vivavoce.pipeline.channel import ChannelClosed
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.mailbox import Urgent
from vivavoce.pipeline.messages import (
    SAMPLE_RATE,
    Caption,
    EndOfStream,
    Final,
    Gap,
    GapReason,
    Partial,
    RecordingEnded,
    Speech,
    SpeechAudio,
    SpeechEnded,
    SpeechFocused,
    SpeechResumed,
    SpeechStarted,
    seconds,
)
from vivavoce.pipeline.power import Power, PowerEvent
from vivavoce.pipeline.tasks import in_background

_MAX_REVISIONS = 16
"""Windows that may wait for the better model; each keeps its audio, at most half a minute."""

log = get_logger("transcription")


class _News(Urgent):
    """An engine has answered, was loaded, or has died."""

    replaces_earlier = True


@dataclass(slots=True)
class _Attempt:
    """An exact decoding in work."""

    exact: Exact
    task: asyncio.Task[Decoded | None]
    began: float


@dataclass(slots=True)
class _Glance:
    """A partial in work, of audio up to ``heard``."""

    window: Window
    heard: int
    task: asyncio.Task[Hypothesis | None]
    began: float


class TranscriptionActor(Actor[Speech, Caption]):
    """One loop over one mailbox: speech, answers of the engine, power, profile, questions.

    Whatever comes, it does next what the pure parts say: a window that was decoded moves on behind
    the sentences that are settled, these are emitted in the order of the stream, and the engine is
    asked for what is due. The state survives a restart of the actor, so that no speech is lost
    with it.

    Args:
        settings: the profile's ``transcription`` section.
        choose_engines: what makes and starts the engines of given settings; they are started in the
            background while audio is taken in already.
        side_by_side: how many exact decodings the engine may be asked for at once.
        ahead: a recording is read as fast as it is decoded: its parts are decoded side by side.
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
        *,
        ahead: bool = False,
    ) -> None:
        super().__init__(context=context)
        self._settings = settings
        self._choose_engines = choose_engines
        self._slots = side_by_side
        self._ahead = ahead
        self._keys = 0
        self._last_number = 0
        self._last_end = 0  # of speech
        self._backlog = Backlog(self._new_key, part_ends if ahead else None)
        self._focus = FocusNotes()
        self._spacing = ExactSpacing(settings.final_cpu_share)
        self._policy = PartialPolicy(
            settings.partial_interval_ms / 1_000, settings.partial_cpu_share
        )
        self._held_back = False
        self._language = self._language_policy()
        self._attempts: dict[int, _Attempt] = {}
        self._glance: _Glance | None = None
        # What the better model is to hear: of each window what its last sentences come from, and
        # those of the one that is being emitted.
        self._heard: dict[int, WindowAudio] = {}
        self._drafts: list[Final] = []
        self._cancelled_from: int | None = None
        self._working = False
        self._running = False
        self._closed = False
        self._begun = False
        self._wanted = True
        self._make_engines(choose_engines(settings))
        self._engine_settings = settings
        self._replacing: asyncio.Task[None] | None = None
        self._lag = LagWatch(settings, self.context)
        self._started = asyncio.Event()
        self._loads: set[asyncio.Future[None]] = set()  # for those who wait in load()

    def _make_engines(self, starters: Starters) -> None:
        def engine(start: Any) -> RecognitionEngine:
            return RecognitionEngine(start, self._settings, self.context, on_news=self._nudge)

        self._engine = engine(starters.engine)
        self._reviser: Reviser | None = None
        if starters.reviser is not None:
            better = engine(starters.reviser)
            self._reviser = Reviser(better, self.context, self.emit, _MAX_REVISIONS, self._nudge)

    # -- its life

    async def on_start(self) -> None:
        """The engine may be loaded."""
        self._started.set()

    async def run(self) -> None:
        """Work until the inbox is closed and all that was said is final."""
        self._tell_work()  # a run that failed may not have come to it
        self._running = True
        beside: list[asyncio.Task[None]] = [self._in_work(self._begin_when_captured())]
        if self._reviser is not None:
            beside.append(self._in_work(self._reviser.run()))
        try:
            await self.redeliver()
            while not await self._is_done(beside):
                await self._take_next(self._start_what_is_due())
        finally:
            self._running = False
            for task in beside:
                task.cancel()
            for window in self._backlog.windows():
                self._abandon(window)
            self._end_glance()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _is_done(self, beside: list[asyncio.Task[None]]) -> bool:
        """Emit what is ready; whether that was the last."""
        for task in beside:
            if task.done() and not task.cancelled():
                task.result()
        self._look_after_engines()
        self._settle_what_was_decoded()
        await self._emit_what_is_ready()
        lag = self._backlog.lag(self.context.clock.now())
        self._lag.note(lag, self._engine, self._spacing.usual)
        return self._closed and self._backlog.head is None

    async def _take_next(self, wait: float | None) -> None:
        """Handle one thing from the mailbox; return after ``wait`` seconds at the latest."""
        full = self._backlog.waiting > max(self._settings.max_pending, self._slots)
        only_urgent = full or self._closed
        try:
            async with asyncio.timeout(wait):
                message = await (
                    self.inbox.receive_urgent() if only_urgent else self.inbox.receive()
                )
        except TimeoutError:
            return
        except ChannelClosed:
            self._closed = True
            return
        await self.deliver(message)

    async def _begin_when_captured(self) -> None:
        """Nothing heavy is loaded before the first sample."""
        await self.context.stream.begun()
        self._begun = True
        self._want()

    async def on_stop(self) -> None:
        """End the engine process; its memory goes back to the system."""
        self._started.clear()
        for loading in self._loads:
            loading.cancel()  # else it would start the engine anew, and nobody would end that
        if self._replacing is not None:
            self._replacing.cancel()
            await asyncio.wait([self._replacing])
        await self._engine.stop()
        if self._reviser is not None:
            await self._reviser.engine.stop()

    async def on_ask(self, question: Any) -> Any:
        """Answer questions about the engine.

        ``"engine"``: what runs, its process id, its restarts, the rung of the overload ladder.
        """
        if question == "engine":
            running = self._engine.running
            return {
                "info": self._engine.info if running else None,
                "pid": self._engine.pid if running else None,
                "restarts": self._engine.restarts,
                "rung": str(self._lag.rung),
            }
        return await super().on_ask(question)

    @property
    def engine_ready(self) -> bool:
        """Whether the engine is loaded."""
        return self._engine.running

    async def load(self) -> None:
        """Return when the engine is loaded; started now if it is not. In any task of the loop.

        While the actor is restarted this waits; once it has ended, for ever.

        Raises:
            EngineError: it cannot be loaded.
            EngineDied: it died too often while it loaded.
        """
        while True:
            await self._started.wait()
            loading = asyncio.ensure_future(self._engine.ready())
            self._loads.add(loading)
            try:
                await asyncio.wait([loading])
            finally:
                self._loads.discard(loading)
                loading.cancel()
            if not loading.cancelled():
                loading.result()
                return

    # -- what it is told

    async def on_power(self, power: Power) -> None:
        """Start the engine, or end it when all that was said is final."""
        interval_ms = power.settings.partial_interval_ms or self._settings.partial_interval_ms
        self._policy.shortest_s = interval_ms / 1_000
        self._wanted = power.engine
        self._want()

    async def on_profile(self, profile: Profile) -> None:
        """Take other settings over at once, or with the next stretch."""
        before, settings = self._settings, profile.transcription
        self._settings = settings
        self._policy.cpu_share = settings.partial_cpu_share
        self._spacing.cpu_share = settings.final_cpu_share
        self._lag.take_settings(settings)
        if (before.language, before.languages) != (settings.language, settings.languages):
            self._language = self._language_policy()
            for window in self._backlog.windows():
                window.language = None
        if engine_settings(self._engine_settings) != engine_settings(settings):
            self._engine_settings = settings
            if self._replacing is None or self._replacing.done():
                self._replacing = in_background(self._replace(), "another engine", log)
        else:
            self._engine.take_settings(settings)
        await self.on_power(self.context.power.power)

    async def on_message(self, message: Speech) -> None:
        """Take a message of the VAD in."""
        if isinstance(message, SpeechFocused):
            self._focus.note(message.start, message.focus)
            return
        now = self.context.clock.now()
        if isinstance(message, SpeechStarted):
            self._language.silence(seconds(message.start - self._last_end))
            self._focus.note(message.start, None)  # not where the one before it began
            self._policy.begin_utterance(now)
        if isinstance(message, SpeechResumed):  # where it was before, unless the desktop says else
            self._focus.note(message.at, self._focus.before(message.at))
        self._backlog.take(message, now)
        if isinstance(message, SpeechAudio):
            if self._settings.partials:
                self._policy.hear(level_db(message.pcm))
        elif isinstance(message, SpeechStarted | SpeechEnded):
            self._tell_work()
        if isinstance(message, SpeechEnded):
            self._last_end = message.end

    async def obey(self, urgent: Urgent) -> None:
        """See :class:`Actor`."""
        if not isinstance(urgent, _News):
            await super().obey(urgent)

    def _nudge(self, *_: Any) -> None:
        if self._running and not self.inbox.ended:
            self.inbox.put_first(_News())

    # -- the engines

    def _want(self) -> None:
        if self._begun:
            self._engine.want(self._wanted)
            if self._reviser is not None:
                self._reviser.want(self._wanted)

    def _look_after_engines(self) -> None:
        """Raise what keeps the engine from running."""
        if self._engine.failure is not None:
            raise self._engine.failure
        if self._reviser is not None:
            failure = self._reviser.engine.failure
            if isinstance(failure, EngineDied):
                self._reviser.give_up(failure)
            elif failure is not None:
                raise failure

    async def _replace(self) -> None:
        """Load the engine of the profile beside the one that runs, and let it take over."""
        settings = None
        while settings is not self._engine_settings:
            settings = self._engine_settings
            chosen = settings
            if settings.draft is not None and self._reviser is None:
                log.warning("transcription.draft takes effect at the next start")
                chosen = msgspec.structs.replace(settings, draft=None)
            starters = self._choose_engines(chosen)
            try:
                await self._engine.replace(starters.engine, chosen)
                if self._reviser is not None:
                    await self._reviser.replace(starters.reviser, chosen)
            except (EngineError, EngineDied) as failure:
                log.warning(f"the engine stays as it is: {failure}")

    def _new_key(self) -> int:
        self._keys += 1
        return self._keys

    # -- asking the engine

    def _start_what_is_due(self) -> float | None:
        """Start the decodings that are due, stop those that nobody wants any more.

        Returns:
            Seconds until another will be due, if nothing happens until then.
        """
        now = self.context.clock.now()
        waits = [self._start_exact(window, now) for window in self._backlog.windows()]
        waits.append(self._start_glance(now))
        return min((wait for wait in waits if wait is not None), default=None)

    def _start_exact(self, window: Window, now: float) -> float | None:
        """Start the window's exact decoding if one is due; seconds until then, where it will be."""
        wanted, wait = self._wanted_exact(window, now)
        attempt = self._attempts.get(window.key)
        if attempt is not None and self._is_void(window, attempt, wanted):
            self._spacing.cost(now - attempt.began)
            discarded = self.context.metrics.counter("vivavoce_speculative_discarded_total")
            discarded.add(attempt.exact.why is Why.PAUSED)
            self._abandon(window)
            attempt = None
        if attempt is not None or wanted is None or len(self._attempts) >= self._slots:
            return wait
        cheap = self._lag.rung >= Rung.CHEAPER_FINALS
        language = self._language_of(window)
        if language is None:
            return None
        work = decode(
            self._engine, window, wanted, self._new_key(), now, cheap=cheap, language=language
        )
        self._spacing.started(now)
        self._attempts[window.key] = _Attempt(wanted, self._in_work(work), now)
        return None

    def _language_policy(self) -> LanguagePolicy:
        return LanguagePolicy(self._settings.language, self._settings.languages)

    def _language_of(self, window: Window) -> LanguagePolicy | None:
        """What is known of its language; None: that of the speech before it must be known first.

        Who is decoded first must make no difference. So each part of a recording finds out for
        itself; but what is too short for that is taken to be in the language of the part before.
        """
        if not self._ahead:
            return self._language
        if window.language is None:
            if not self._is_too_short_to_tell(window):
                window.language = self._language_policy()
            elif self._backlog.head is window:
                window.language = self._language
        return window.language

    def _is_too_short_to_tell(self, window: Window) -> bool:
        info = self._engine.info
        finds_out = not self._language.given and (info is None or info.multilingual)
        if window.ended is None or not finds_out:
            return False
        speech = window.speech_until(window.ended.end)
        return sum(span.end - span.start for span in speech) < ENOUGH_S * SAMPLE_RATE

    def _wanted_exact(self, window: Window, now: float) -> tuple[Exact | None, float | None]:
        """What is to be decoded now, and in how many seconds something will be."""
        if window.cancelled or window.all_settled:
            return None, None
        if self._ahead and not self._part_is_known(window):
            return None, None
        owed = must(window, self._settings)
        if owed is not None or self._ahead:
            return owed, None
        longer = self._lag.rung >= Rung.LONGER_WINDOWS
        worth = may(window, self._settings, self._spacing.due_at(longer_windows=longer))
        if worth is None:
            return None, None
        exact, due = worth
        return (exact, None) if due <= now else (None, due - now)

    def _part_is_known(self, window: Window) -> bool:
        """Whether what is read of a recording later can no more change where it is divided."""
        return window.ended is not None or window.heard - window.stretch_start >= KNOWN

    def _is_void(self, window: Window, attempt: _Attempt, wanted: Exact | None) -> bool:
        """Whether nobody wants what is being decoded any more."""
        if window.cancelled:
            return True
        if window.ended is not None and wanted is not None:
            full = attempt.exact.why is Why.FULL and attempt.exact.end <= window.ended.end
            return attempt.exact.end != wanted.end and not full
        return attempt.exact.why is Why.PAUSED and window.quiet_from is None

    def _abandon(self, window: Window) -> None:
        attempt = self._attempts.pop(window.key, None)
        if attempt is not None:
            attempt.task.cancel()

    def _in_work(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._nudge)
        return task

    # -- what was decoded exactly

    def _settle_what_was_decoded(self) -> None:
        for window in self._backlog.windows():
            attempt = self._attempts.get(window.key)
            if attempt is not None and attempt.task.done():
                del self._attempts[window.key]
                if not window.cancelled:
                    self._settle(window, attempt.exact, attempt.task.result())
            if window.ended is None or window.all_settled or window.cancelled:
                continue
            known = window.decoded
            if known is not None and known.end >= window.ended.end:
                self._move_on(window, known, closing=True)  # its pause became the end
            elif window.failed >= window.ended.end:
                self._set_aside(window, window.ended.end)

    def _settle(self, window: Window, exact: Exact, decoded: Decoded | None) -> None:
        """An exact decoding was made of the window, or could not be made."""
        window.tried = max(window.tried, exact.end)
        if decoded is None:
            window.failed = exact.end
            if exact.why in (Why.ENDED, Why.FULL):
                self._set_aside(window, exact.end)
            return
        self._spacing.cost(decoded.hypothesis.decode_s)
        window.decoded = decoded = window.whole(decoded)
        closing = window.ended is not None and exact.end >= window.ended.end
        self._move_on(window, decoded, closing=closing, full=exact.why is Why.FULL)

    def _set_aside(self, window: Window, end: int) -> None:
        """The engine failed too often at what was heard before ``end``."""
        log.error(
            f"{seconds(end - window.start):.1f} s of speech are set aside: the engine failed at "
            "them again and again"
        )
        window.lose(end, GapReason.ENGINE_FAILED)
        self._end_glance_of(window)

    def _move_on(
        self, window: Window, decoded: Decoded, *, closing: bool, full: bool = False
    ) -> None:
        """Let the window go on behind the sentences that are settled."""
        end = decoded.end
        pcm, pauses = window.pcm(window.start, end), window.pauses_within(end)
        settled = settle(decoded.words, window.begin, pcm, window.start, pauses, closing=closing)
        if full:
            settled = settle_full(settled, pcm, window.start, pauses, carry=self._ahead)
        if settled.decode_from == window.start and settled.rest_from == window.begin:
            return
        since = window.ended_at if closing else decoded.began
        before = window.start
        heard = window.audio(before, end) if self._reviser is not None else b""
        window.move_on(decoded, settled, since)
        if self._reviser is not None:
            self._heard[window.key] = WindowAudio(self._new_key(), before, end, heard)
        self._end_glance_of(window)

    # -- emitting

    async def _emit_what_is_ready(self) -> None:
        while (head := self._backlog.head) is not None:
            if not isinstance(head, Window):
                if isinstance(head, EndOfStream) and self._reviser and self._reviser.busy:
                    return
                await self.emit(self._as_told(head))
                self._backlog.pop()
                if isinstance(head, RecordingEnded):
                    self._cancelled_from = None
            elif head.cancelled:
                await self._take_back(head)
            elif head.ready:
                await self._emit_next(head)
            elif head.all_out:
                await self._done_with(head)
            else:
                if self._closed and head.ended is None:
                    raise RuntimeError(f"the stream ended inside speech at {head.start}")
                await self._show_rest(head)
                return

    async def _emit_next(self, window: Window) -> None:
        """Emit a sentence. Only then is it settled: an actor that fails while it emits does so
        again when it is restarted."""
        ready = window.ready[0]
        if isinstance(ready, Gap):
            await self.emit(ready)
            self.context.ledger.drop(ready.start, ready.end)
            window.ready.popleft()
            return
        sentence = ready.sentence
        at = sentence.words[0].end if sentence.words else sentence.end
        ended = window.ended if ready.last else None
        final = final_message(
            self._last_number + 1,
            ready,
            self._engine.info,
            endpoint=seconds(ended.at - ended.end) if ended is not None else 0.0,
            now=self.context.stream.elapsed(),
            focus=self._focus.before(at),
            with_words=self._settings.word_times,
        )
        await self.emit(final)
        self._last_number += 1
        window.ready.popleft()
        self.context.ledger.transcribe(sentence.start, sentence.end)
        self._count(ready, final)
        if self._reviser is not None:
            self._drafts.append(final)
            if not window.ready:
                drafts, self._drafts = self._drafts, []
                heard = self._heard.pop(window.key)
                self._reviser.add(heard, drafts, hurry=self._lag.rung > 0)

    def _count(self, ready: Ready, final: Final) -> None:
        metrics = self.context.metrics
        metrics.counter("vivavoce_finals_total").add()
        metrics.counter("vivavoce_finals_speculative_total").add(ready.decoded.speculative)
        metrics.counter("vivavoce_finals_invented_total").add(ready.decoded.hypothesis.invented)
        metrics.counter("vivavoce_corrected_words_total").add(final.corrected)
        metrics.counter("vivavoce_stable_words_total").add(len(ready.stable))
        metrics.counter("vivavoce_wordless_samples_total").add(final.dropped)
        metrics.histogram("vivavoce_endpoint_to_final_seconds").observe(
            max(0.0, self.context.clock.now() - ready.since)
        )

    async def _take_back(self, window: Window) -> None:
        """The speaker took back what has no final yet."""
        assert window.ended is not None
        start = window.ready[0].start if window.ready else window.begin
        self._cancelled_from = start
        if window.ended.end > start:
            await self.emit(Gap(start=start, end=window.ended.end, reason=GapReason.CANCELLED))
            self.context.ledger.drop(start, window.ended.end)
        await self._done_with(window)

    def _as_told(self, message: Caption) -> Caption:
        """What was final before it was cancelled stays: hours of text are not taken back."""
        if not isinstance(message, RecordingEnded):
            return message
        start = self._cancelled_from
        if start is None or not (message.always and message.cancelled):
            return message
        return msgspec.structs.replace(message, start=max(message.start, start))

    async def _done_with(self, window: Window) -> None:
        self._abandon(window)
        self._heard.pop(window.key, None)
        self._backlog.pop()
        if window.language is not None:
            self._language = window.language
        await self._engine.close(window)
        self._tell_work()

    def _tell_work(self) -> None:
        """Say whether finals are owed, where that changed."""
        working = next(self._backlog.windows(), None) is not None
        if working is not self._working:
            self._working = working
            self.context.power.tell(PowerEvent.WORK_STARTED if working else PowerEvent.WORK_ENDED)

    # -- partials: one in work, always over the newest audio

    def _start_glance(self, now: float) -> float | None:
        """Start the next partial if it is due; seconds until it will be."""
        head = self._backlog.head
        glance = self._glance
        if glance is not None and (glance.window is not head or glance.window.ended is not None):
            # It took this long at least; where all are abandoned, nothing else would tell.
            self._policy.cost_at_least(now - glance.began)
            self._end_glance()
        if self._glance is not None or not isinstance(head, Window) or not self._may_show(head):
            return None
        if not self._engine.running:
            self._load_now()
            return None
        due = self._policy.due_at(head.heard, thinned=self._lag.rung >= Rung.FEWER_PARTIALS)
        if due is None or due > now:
            return None if due is None else due - now
        self._policy.started(now, head.heard)
        prefix = head.shown.stable if self._settings.forced_prefix else ()
        language = self._language.for_partial()
        work = self._engine.partial(head, head.heard, prefix, language=language)
        self._glance = _Glance(head, head.heard, self._in_work(work), now)
        return None

    def _may_show(self, window: Window) -> bool:
        """Whether there may be more to show: in a pause, only if the last partial missed the end of
        a word, or was unsure of one."""
        if not self._settings.partials or self._lag.rung >= Rung.NO_PARTIALS or window.ended:
            return False
        if window.quiet_from is None:
            return True
        covered = self._policy.covered
        return covered < window.quiet_from or (self._held_back and covered < window.heard)

    def _load_now(self) -> None:
        """Somebody speaks: the engine is needed."""
        if not self._loads:
            loading = asyncio.ensure_future(self._engine.ready())
            self._loads.add(loading)
            loading.add_done_callback(self._loaded)

    def _loaded(self, loading: asyncio.Future[None]) -> None:
        self._loads.discard(loading)
        if not loading.cancelled():
            loading.exception()  # found in the engine's ``failure``

    def _end_glance_of(self, window: Window) -> None:
        if self._glance is not None and self._glance.window is window:
            self._policy.not_shown(window.tried)
            self._end_glance()

    def _end_glance(self) -> None:
        if self._glance is not None:
            self._glance.task.cancel()
            self._glance = None

    async def _show_rest(self, window: Window) -> None:
        """Show what is new of the window that is open: a partial that was made, or what an exact
        decoding left."""
        glance = self._glance
        if glance is not None and glance.task.done():
            self._glance = None
            hypothesis = glance.task.result()
            if hypothesis is not None:
                self._policy.cost(hypothesis.decode_s)
                taken = self.context.clock.now() - glance.began
                self.context.metrics.histogram("vivavoce_partial_seconds").observe(taken)
                certain = self._certain(hypothesis, window.shown)
                self._held_back = certain is not None and certain < len(hypothesis.probabilities)
                window.shown.take(hypothesis.text, hypothesis.stable_words, certain, glance.heard)
        shown = window.shown.news()
        if shown is None or window.ended is not None or not self._settings.partials:
            return
        self.context.metrics.counter("vivavoce_partials_total").add()
        await self.emit(
            Partial(
                utterance=self._last_number + 1,
                revision=window.shown.revision,
                start=window.start,
                end=glance.heard if glance is not None else window.tried,
                stable=shown[0],
                tail=shown[1],
                focus=self._focus.before(window.heard),
            )
        )

    def _certain(self, hypothesis: Hypothesis, shown: Shown) -> int | None:
        if not self._settings.hold_back_words or not hypothesis.probabilities:
            return None
        return max(
            hypothesis.stable_words,
            certain_words(
                hypothesis.probabilities,
                self._settings.hold_back_words,
                self._settings.hold_back_probability,
                stable=len(shown.stable),
                agreed=shown.agreed(hypothesis.text),
                patience=self._policy.patience,
            ),
        )
