"""The injection actor: finals in, texts in windows.

One text at a time, in the order of speech. Whatever happens to a text is reported, and no text is
typed twice: not when a back end fails, and not when this actor itself fails over it.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from vivavoce.actors.desktop.delivery import Delivery, Outcome
from vivavoce.actors.desktop.held_keys import HeldKeys
from vivavoce.actors.injection.back_end import FocusProbe
from vivavoce.actors.injection.last_texts import LastText, copy_last
from vivavoce.actors.injection.live_typing import LiveTyping
from vivavoce.actors.injection.typist import MakeOutfit, Typist
from vivavoce.actors.injection.waiting import Ordered, Waiting
from vivavoce.pipeline.actor import TO_SINKS, Actor, ActorContext
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import (
    Caption,
    EndOfStream,
    Final,
    Partial,
    RecordingEnded,
    RecordingStarted,
)
from vivavoce.pipeline.tasks import in_background

log = get_logger("injection")

_LOOK_S = 0.5
_LAST_TEXT_S = 1.5
"""How long a held text that is being typed when the run ends may take to be whole."""
_LAST_COPY_S = 2.5
"""How long the copy of all that still waits may take."""
_STOP_S = 4.6
"""How long the end may take in all, so that the supervisor's grace (5 s) cuts nothing off."""
_CANCELLED_S = 0.2
MOST_UNTIL_RELEASE = 256
"""Texts that wait for the end of a recording at most: of a longer one, the first are typed before,
and a cancel does not discard them."""
_CUT_OFF = "the run ended before it was typed; part of it may be typed"
_NOT_TYPED = "the run ended before it was typed"
_NOT_IN_ITS_WINDOW = "the run ended before its window had the focus again"


class InjectionActor(Actor[Caption, None]):
    """Types finals into the window with the focus.

    While the profile has a draft model each final gets a revision, which is waited for: the better
    text is typed, once.

    Args:
        make: the back ends for a set of settings, as
            :func:`~vivavoce.actors.injection.choose.make_outfit`.
        report: is told what became of each text; called in the event loop, must not block.
        probe: tells which window has the focus.
        keys: that a person holds.
        context: as for every actor.
    """

    name = "injection"
    closing_grace_s = None

    def __init__(
        self,
        make: MakeOutfit,
        *,
        report: Callable[[Delivery], None],
        probe: FocusProbe,
        keys: HeldKeys | None = None,
        context: ActorContext | None = None,
    ) -> None:
        super().__init__(context=context, capacity=TO_SINKS)
        self._report = report
        settings = self.context.settings
        follow = settings.of(lambda profile: profile.transcription.draft is not None)
        self._waiting = Waiting(revisions_follow=follow)
        self._taken: Caption | None = None
        self._in_hand: Final | None = None
        self._ready: deque[Final] = deque()
        self._recording = False
        self._is_held = False
        self._live_finals = 0
        self._until_release: list[Final] = []
        self._busy = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._last: Delivery | None = None
        self._counts: Counter[str] = Counter()
        keys = keys or HeldKeys()
        self._typist = Typist(make, probe=probe, report=self._tell, context=self.context, keys=keys)
        self._live = LiveTyping(self._typist)
        # Whatever stood before the cursor, in whichever window: that is not there any more.
        keys.when_typed(self._typist.memory.forget_all)

    # -- hooks

    async def on_message(self, message: Caption) -> None:
        """Take one message; type what is due with it."""
        if not isinstance(message, Partial) and message is not self._taken:
            self._taken = message  # else it is delivered once more, after a failure
            self._waiting.take(message)
        async with self._busy:
            await self._handle(message)
        self._see_to_held()

    async def _handle(self, message: Caption) -> None:
        if isinstance(message, Partial):
            if self._types_live():
                await self._live.partial(message)
            return
        await self._settle_unfinished()
        await self._type_ready()
        while (item := self._waiting.next()) is not None:
            await self._route(item)
            await self._type_ready()

    async def on_ask(self, question: Any) -> Any:
        """``"status"``: see :meth:`status`.

        Raises:
            NotImplementedError: any other question.
        """
        if question == "status":
            return self.status()
        return await super().on_ask(question)

    def status(self) -> dict[str, Any]:
        """What was typed last and by what, how many texts wait or are held back, and the counts of
        all outcomes so far. May be called at any time in the event loop, also while it types."""
        last = self._last
        return {
            "back_end": last.back_end if last is not None else "",
            "pending": len(self._waiting)
            + len(self._ready)
            + len(self._until_release)
            + (self._in_hand is not None),
            "held": len(self._typist.held),
            "last": msgspec.to_builtins(last),
            "counts": dict(self._counts),
        }

    async def on_set_aside(self, message: Any) -> None:
        """It can be neither typed nor copied."""
        if self._in_hand is not None:
            self._tell(
                Delivery(
                    utterance=self._in_hand.utterance,
                    outcome=Outcome.FAILED,
                    reason="typing and copying it failed; part of it may be typed",
                )
            )
            self._in_hand = None

    async def on_restart(self, cause: BaseException) -> None:
        """Nothing is given up: what waits goes on waiting."""

    async def on_stop(self) -> None:
        """What still waits is copied: nobody will type it any more. Each text is told in time,
        whatever hangs; a back end that does is left behind."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + _STOP_S
        await self._stop_watching()
        await copy_last(self._typist, self._all_that_waits(), self._tell, within_s=_LAST_COPY_S)
        closing = in_background(self._typist.close(), "closing the back ends", log)
        await asyncio.wait([closing], timeout=ends - loop.time())
        closing.cancel()

    def _all_that_waits(self) -> list[LastText]:
        """In the order of speech; nothing waits any longer."""
        while len(self.inbox):
            self._waiting.take(self.inbox.receive_nowait())
        cut_off = [self._in_hand, self._typist.returning]
        whole = [*self._ready, *self._until_release, *self._waiting.rest()]
        held = self._typist.held.give_up()
        self._in_hand = self._typist.returning = None
        self._ready.clear()
        self._until_release.clear()
        texts = [LastText(final, _CUT_OFF) for final in cut_off if final is not None]
        texts += [LastText(final, _NOT_TYPED) for final in whole]
        texts += [LastText(final, _NOT_IN_ITS_WINDOW) for final in held]
        return sorted(texts, key=lambda text: text.final.utterance)

    # -- the order of things

    async def _route(self, item: Ordered) -> None:
        match item:
            case RecordingStarted():
                self._recording, self._is_held = True, item.held
                self._live_finals = 0
                self._ready.extend(self._until_release)  # of one whose end was never told
                self._until_release.clear()
            case RecordingEnded():
                self._recording = False
                finals, self._until_release = self._until_release, []
                if item.cancelled:
                    await self._discard(finals)
                else:
                    self._ready.extend(finals)
            case EndOfStream():
                self._ready.extend(self._until_release)
                self._until_release.clear()
            case Final():
                is_typed = self._live.typed_of(item.utterance)
                if self._recording and self._waits_for_release() and not is_typed:
                    self._until_release.append(self._without_retracted(item))
                    if len(self._until_release) > MOST_UNTIL_RELEASE:
                        self._ready.append(self._until_release.pop(0))
                else:
                    self._ready.append(item)

    def _without_retracted(self, final: Final) -> Final:
        """Take back what was said in the same recording: it is not even typed."""
        retracts = final.retracts
        while retracts and self._until_release:
            retracted = self._until_release.pop()
            self._tell(Delivery(utterance=retracted.utterance, outcome=Outcome.RETRACTED))
            retracts -= 1
        return msgspec.structs.replace(final, retracts=retracts)

    async def _type_ready(self) -> None:
        """Each at most once: a final leaves its queue before the first key is pressed."""
        while self._ready:
            self._in_hand = self._ready.popleft()
            with self.context.metrics.measure("vivavoce_injection_seconds"):
                await self._type(self._in_hand)
            self._in_hand = None

    async def _type(self, final: Final) -> None:
        if self._live.typed_of(final.utterance):
            if not final.retracts:
                await self._live.final(final)
                self._live_finals += self._recording
                return
            await self._live.discard()
        if final.retracts:
            await self._typist.take_back(final.retracts)
        if self._live.typed_of(final.utterance):
            await self._live.final(final)
        else:
            await self._typist.put(final)

    async def _settle_unfinished(self) -> None:
        """A text over which this actor failed may be typed, in part: it is copied."""
        why = "typing it failed; part of it may be typed"
        if self._in_hand is not None:
            await self._copy(self._in_hand, why)
            self._in_hand = None
        if self._typist.returning is not None:
            await self._copy(self._typist.returning, why)
            self._typist.returning = None

    async def _discard(self, finals: list[Final]) -> None:
        erased = await self._live.discard()
        await self._typist.take_back(self._live_finals)
        self._live_finals = 0
        for final in finals:
            self._tell(Delivery(utterance=final.utterance, outcome=Outcome.DISCARDED))
        if not erased:
            log.warning("live_text_not_erased")

    async def _copy(self, final: Final, why: str) -> None:
        await self._typist.copy(final, await self._typist.here(), why)

    # -- texts that are held back

    def _see_to_held(self) -> None:
        """Watch the focus while texts wait for it.

        Raises:
            Exception: what the last watch failed over: it is a failure of this actor.
        """
        if self._watching is not None and self._watching.done():
            watched, self._watching = self._watching, None
            watched.result()
        if self._typist.held and self._watching is None:
            self._watching = in_background(self._watch_held(), "typing held texts", log)

    async def _stop_watching(self) -> None:
        watching, self._watching = self._watching, None
        if watching is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_TEXT_S), self._busy:  # what it types now is whole
                watching.cancel()
        watching.cancel()
        await asyncio.wait([watching], timeout=_CANCELLED_S)

    async def _watch_held(self) -> None:
        # No polling of an idle program: it ends with the last text that is held back, and that is
        # after ten minutes at most. Not every desktop tells of the focus without being asked.
        while self._typist.held:
            await self.context.clock.sleep(_LOOK_S)
            async with self._busy:
                if not (self._typist.modifiers_held or self._live.is_open):
                    await self._typist.look_after_held()

    # -- settings

    def _waits_for_release(self) -> bool:
        settings = self.context.settings.profile.injection
        if settings.deliver == "auto":
            return self._is_held
        return settings.deliver == "at_release"

    def _types_live(self) -> bool:
        """Whether words are typed live anywhere, and nothing must be typed before them."""
        profile = self.context.settings.profile
        if not profile.injection.live and not any(
            entry.settings.get("injection", {}).get("live") for entry in profile.applications
        ):
            return False
        return not (len(self._waiting) or self._ready or self._until_release)

    def _tell(self, delivery: Delivery) -> None:
        self._last = delivery
        self._counts[delivery.outcome.value] += 1
        self.context.metrics.counter(
            "vivavoce_injected_total",
            back_end=delivery.back_end or "none",
            outcome=delivery.outcome.value,
        ).add()
        self._report(delivery)
