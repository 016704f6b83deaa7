"""Types stable words as they come, and corrects them at the final."""

from __future__ import annotations

import msgspec

from vivavoce.actors.desktop.delivery import Outcome
from vivavoce.actors.injection.live import Live, correction, growth
from vivavoce.actors.injection.outfit import Attempt
from vivavoce.actors.injection.sanitise import clean
from vivavoce.actors.injection.typist import Place, Typist
from vivavoce.pipeline.messages import Final, Partial

_CUT_OFF = "typing was cut off"
_DISTURBED = "somebody else typed in between"


class LiveTyping:
    """The utterance that is being said. Only what was typed of it is ever corrected.

    Where the window with the focus is not known, or moved, nothing is typed before the final.

    Args:
        typist: types.
    """

    def __init__(self, typist: Typist) -> None:
        self._typist = typist
        self._live: Live | None = None

    async def partial(self, partial: Partial) -> None:
        """Type what is stable and was not yet."""
        if self._typist.modifiers_held:
            # Those of the hotkey, while it is held to talk. To release them would end the talking.
            return
        place = await self._typist.place()
        if not place.settings.live or place.settings.backend == "none":
            return
        live = self._live
        if live is None or live.utterance != partial.utterance:
            live = self._live = self._begin(partial, place)
        self._notice(live)
        if live.broken:
            return
        if place.window != live.window:
            live.broken = "the focus moved"
            return
        stable = clean(partial.stable, place.settings).strip(" ")
        new = growth(live.typed, self._typist.join(stable, live.tail, place, ""))
        if not new:
            return
        live.broken, live.uncertain = _CUT_OFF, True  # stands if this task dies while it types
        attempt = await self._typist.deliverer.only_type(
            new, place.outfit, place.settings, focus=place.focus
        )
        live.typed += new[: attempt.typed]
        live.back_end = attempt.back_end or live.back_end
        self._typist.memory.typed(live.window, new[: attempt.typed])
        live.uncertain = not attempt.certain
        live.broken = (attempt.reason or _CUT_OFF) if live.uncertain else ""
        self._notice(live)

    @property
    def is_open(self) -> bool:
        """Whether an utterance is being typed that is not over."""
        return self._live is not None and bool(self._live.typed)

    def typed_of(self, utterance: int) -> bool:
        """Whether anything of the utterance was typed already, or may have been."""
        live = self._live
        return (
            live is not None
            and live.utterance == utterance
            and (bool(live.typed) or live.uncertain)
        )

    async def final(self, final: Final) -> None:
        """Correct what was typed of it, and type the rest."""
        live, self._live = self._live, None
        assert live is not None
        self._notice(live)
        place = await self._typist.place()
        text = clean(final.text, place.settings).strip(" ")
        target = self._typist.join(text, live.tail, place, final.language)
        why = live.broken or ("" if place.window == live.window else "the focus moved")
        planned = correction(live.typed, target)
        if not why and planned is None:
            why = "applications disagree about how it is erased"
        if not why and planned is not None and planned[0]:
            erased = live.typed[len(live.typed) - planned[0] :]
            why = await self._typist.erase(erased, live.window, live.back_end) or ""
        if why or planned is None:
            await self._give_up(final, target, place, live, why)
            return
        await self._finish(final, target, place, live, planned[1])

    async def discard(self) -> bool:
        """Erase what was typed of the utterance; whether nothing of it is left.

        What is left stays as it is: its final is not typed once more.
        """
        live, self._live = self._live, None
        if live is None or not (live.typed or live.uncertain):
            return True
        self._notice(live)
        why = live.broken or await self._typist.erase(live.typed, live.window, live.back_end)
        if why:
            live.broken = why
            self._live = live
            self._typist.memory.forget(live.window)
            return False
        self._typist.memory.typed_anew(live.window, live.tail)
        return True

    def _notice(self, live: Live) -> None:
        """Where a person has typed, nothing that stands there may be corrected."""
        disturbed = self._typist.memory.disturbed
        if live.disturbed == disturbed:
            return
        live.disturbed = disturbed
        if not live.typed:
            live.tail = ""
        elif not live.broken:
            live.broken = _DISTURBED

    def _begin(self, partial: Partial, place: Place) -> Live:
        why = ""
        if not place.window:
            why = "it is not known which window has the focus"
        elif self._typist.moved_from(partial.focus, place):
            why = "the focus moved"
        return Live(
            utterance=partial.utterance,
            window=place.window,
            application=place.application,
            tail=self._typist.memory.tail(place.window),
            broken=why,
            disturbed=self._typist.memory.disturbed,
        )

    async def _finish(self, final: Final, target: str, place: Place, live: Live, rest: str) -> None:
        attempt = Attempt(outcome=Outcome.TYPED, back_end=live.back_end, typed=len(target))
        if rest:
            attempt = await self._typist.deliverer.type(
                rest, place.outfit, place.settings, focus=place.focus
            )
            before = len(target) - len(rest)
            attempt = msgspec.structs.replace(attempt, typed=before + attempt.typed)
            if attempt.outcome is not Outcome.TYPED and before:
                attempt = msgspec.structs.replace(attempt, outcome=Outcome.PARTLY)
        if self._typist.memory.disturbed != live.disturbed:
            attempt = msgspec.structs.replace(attempt, certain=False)
        self._typist.memory.typed_anew(live.window, live.tail)
        self._typist.remember(final.utterance, target, live.tail, attempt, place)
        self._typist.tell(final.utterance, attempt, place)

    async def _give_up(self, final: Final, target: str, place: Place, live: Live, why: str) -> None:
        """What was typed stays as it is; the rest, or where they differ all, is copied."""
        whole = target.startswith(live.typed) and not live.uncertain
        rest = target[len(live.typed) :] if whole else target
        attempt = Attempt(outcome=Outcome.TYPED, back_end=live.back_end)
        if rest:
            copied = await self._typist.deliverer.copy(
                rest.lstrip(" "), place.outfit, place.settings, why
            )
            attempt = Attempt(outcome=Outcome.PARTLY, back_end=live.back_end, reason=copied.reason)
        self._typist.memory.forget(live.window)
        attempt = msgspec.structs.replace(attempt, certain=False)
        self._typist.remember(final.utterance, "", "", attempt, place)
        self._typist.tell(final.utterance, attempt, place)
