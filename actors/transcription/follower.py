"""Follows the utterance that is being spoken: partials, and where to cut long speech."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from vivavoce.actors.transcription.agreement import LocalAgreement
from vivavoce.actors.transcription.desk import EngineDesk
from vivavoce.actors.transcription.engines.base import Hypothesis
from vivavoce.actors.transcription.focus_notes import FocusNotes
from vivavoce.actors.transcription.hold_back import certain_words
from vivavoce.actors.transcription.overload import Rung
from vivavoce.actors.transcription.partial_policy import PartialPolicy
from vivavoce.actors.transcription.utterance import Utterance
from vivavoce.actors.transcription.window import (
    LONGEST,
    quietest_near,
    quietest_of_the_end,
    word_boundary,
)
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.messages import SAMPLE_RATE, Partial, SpeechPaused
from vivavoce.pipeline.tasks import end_tasks

_AGAIN = SAMPLE_RATE  # new audio before a search for a cut is repeated

_SILENT_END = SAMPLE_RATE // 5  # an utterance keeps some silence behind its last word

T = TypeVar("T")


class Follower:
    """One partial in flight, always over the newest audio; abandoned when the utterance ends.

    Args:
        settings: the profile's ``transcription`` section.
        desk: the engine of partials.
        context: clock and metrics.
        emit: sends a partial on.
        focus: which window had the focus where an utterance began.
    """

    def __init__(
        self,
        settings: TranscriptionSettings,
        desk: EngineDesk,
        context: ActorContext,
        emit: Callable[[Partial], Awaitable[None]],
        focus: FocusNotes,
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._context = context
        self._emit = emit
        self._focus = focus
        self._window = settings.window_ms * SAMPLE_RATE // 1_000
        self._held_back = False
        self.policy = PartialPolicy(
            settings.partial_interval_ms / 1_000, settings.partial_cpu_share
        )

    def take_settings(self, settings: TranscriptionSettings) -> None:
        """Other settings hold from now on."""
        self._settings = settings
        self._window = settings.window_ms * SAMPLE_RATE // 1_000
        self.policy.shortest_s = settings.partial_interval_ms / 1_000
        self.policy.cpu_share = settings.partial_cpu_share

    def wants_cut(self, utterance: Utterance) -> bool:
        """Whether the utterance is too long for one window and has no cut yet."""
        end = utterance.heard if utterance.ended is None else utterance.ended.end
        length = end - utterance.start
        # In a pause the end is near, and a final of the whole may be ready when it comes.
        talking = utterance.ended is None and utterance.paused is None
        limit = self._window if talking else LONGEST
        if utterance.cancelled or utterance.cut is not None or length <= limit:
            return False
        return length > LONGEST or utterance.heard - utterance.cut_tried >= _AGAIN

    def due_in(self, utterance: Utterance, rung: Rung) -> float | None:
        """Seconds until the next partial may start; None: not before there is news."""
        if not self._settings.partials or rung >= Rung.NO_PARTIALS or utterance.ended is not None:
            return None
        if utterance.paused is not None and not self._may_show_more(utterance.paused):
            return None
        due = self.policy.due_at(utterance.heard, thinned=rung >= Rung.FEWER_PARTIALS)
        return None if due is None else due - self._context.clock.now()

    async def show(self, utterance: Utterance) -> None:
        """Decode what was heard so far and emit it, unless the utterance ends meanwhile."""
        began = self._context.clock.now()
        heard = utterance.heard
        self.policy.started(began, heard)
        hypothesis = await unless(
            utterance.over, self._desk.partial(utterance, heard, self._prefix(utterance))
        )
        if hypothesis is None or utterance.over.is_set():
            # It took this long at least; where all are abandoned, nothing else would tell.
            self.policy.cost_at_least(self._context.clock.now() - began)
            return
        self.policy.cost(hypothesis.decode_s)
        metrics = self._context.metrics
        metrics.histogram("vivavoce_partial_seconds").observe(self._context.clock.now() - began)
        await self._show(utterance, hypothesis, heard)

    async def show_carried(self, utterance: Utterance) -> None:
        """Show at once what was heard of an utterance before the one in front was cut off."""
        hypothesis, utterance.carried = utterance.carried, None
        if hypothesis is not None and self._settings.partials and not utterance.over.is_set():
            await self._show(utterance, hypothesis, utterance.start + hypothesis.samples)

    async def _show(self, utterance: Utterance, hypothesis: Hypothesis, heard: int) -> None:
        certain = self._certain(hypothesis, utterance.agreement)
        self._held_back = certain is not None and certain < len(hypothesis.probabilities)
        shown = utterance.agreement.update(hypothesis.text, hypothesis.stable_words, certain, heard)
        if shown == utterance.shown:
            return
        utterance.shown = shown
        utterance.revision += 1
        self._context.metrics.counter("vivavoce_partials_total").add()
        await self._emit(
            Partial(
                utterance=utterance.number,
                revision=utterance.revision,
                start=utterance.start,
                end=heard,
                stable=shown[0],
                tail=shown[1],
                focus=self._focus.before(heard),
            )
        )

    async def find_cut(self, utterance: Utterance) -> None:
        """Choose where a long utterance is cut: at a stable word, else in a quiet place.

        Nothing is chosen when it ends meanwhile: it may be short enough then, or end earlier.
        """
        end = min(utterance.heard, utterance.start + max(self._window, LONGEST - SAMPLE_RATE))
        length = end - utterance.start
        over = utterance.over.is_set()
        search = self._desk.partial(utterance, end, self._prefix(utterance), times=True)
        hypothesis = await (search if over else unless(utterance.over, search))
        if utterance.over.is_set() and not over:
            return
        pcm = utterance.pcm(end)
        cut = None
        if hypothesis is not None and hypothesis.words:
            behind_view = len(hypothesis.text.split()) - len(hypothesis.words)
            stable = len(utterance.agreement.stable) - behind_view
            if not utterance.agreement.stable:  # nothing was ever compared: there are no partials
                stable = len(hypothesis.words)
            cut = word_boundary(hypothesis.words, max(0, stable), length)
        utterance.cut_tried = utterance.heard
        if cut is not None:
            utterance.cut = utterance.start + quietest_near(pcm, cut)
        elif length >= LONGEST - SAMPLE_RATE:
            utterance.cut = utterance.start + quietest_of_the_end(pcm)
        if utterance.cut is not None:
            self._context.metrics.counter("vivavoce_window_cuts_total").add()
            if hypothesis is not None:
                utterance.behind_cut = words_behind(hypothesis, utterance.cut - utterance.start)

    def _may_show_more(self, pause: SpeechPaused) -> bool:
        """In a pause: whether the last partial missed the end of a word, or was unsure of one."""
        covered = self.policy.covered
        return covered < pause.end - _SILENT_END or (self._held_back and covered < pause.end)

    def _prefix(self, utterance: Utterance) -> tuple[str, ...]:
        return utterance.agreement.stable if self._settings.forced_prefix else ()

    def _certain(self, hypothesis: Hypothesis, agreement: LocalAgreement) -> int | None:
        if not self._settings.hold_back_words or not hypothesis.probabilities:
            return None
        return max(
            hypothesis.stable_words,
            certain_words(
                hypothesis.probabilities,
                self._settings.hold_back_words,
                self._settings.hold_back_probability,
                stable=len(agreement.stable),
                agreed=agreement.agreed(hypothesis.text),
            ),
        )


def words_behind(hypothesis: Hypothesis, cut: int) -> Hypothesis | None:
    """Those words of a hypothesis with times that come behind a cut (in samples)."""
    words = [word for word in hypothesis.words if (word.start + word.end) // 2 > cut]
    if not words:
        return None
    return Hypothesis(
        text=" ".join(word.text for word in words),
        probabilities=tuple(word.probability for word in words),
        samples=max(0, hypothesis.samples - cut),
    )


async def unless(over: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of ``work``; None, and the work cancelled, when ``over`` is set first.

    It returns when the work has ended, however it does. Whoever is cancelled meanwhile hears of
    that, whatever the work ends with.

    Raises:
        Exception: what the work raised, also while it was being cancelled.
    """
    task = asyncio.ensure_future(work)
    waiter = asyncio.ensure_future(over.wait())
    try:
        await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
        in_time = task.done()
    finally:
        await end_tasks(task, waiter)
        failed = not task.cancelled() and task.exception() is not None
    return task.result() if in_time or failed else None
