"""Decides for one text where it goes: typed, held back or copied; and takes texts back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from inspect import isawaitable
from math import inf

import msgspec

from vivavoce.actors.desktop.delivery import Delivery, Outcome
from vivavoce.actors.desktop.held_keys import HeldKeys
from vivavoce.actors.injection.back_end import FocusProbe
from vivavoce.actors.injection.delivery import PROBE_S, Deliverer
from vivavoce.actors.injection.graphemes import backspaces
from vivavoce.actors.injection.hands import Hands
from vivavoce.actors.injection.held_back import LONGEST_S, MOST_HELD, HeldBack
from vivavoce.actors.injection.joining import joined
from vivavoce.actors.injection.memory import Memory, Placed
from vivavoce.actors.injection.outfit import Attempt, Outfit
from vivavoce.actors.injection.sanitise import clean
from vivavoce.config.for_application import ApplicationProfiles
from vivavoce.config.injection import InjectionSettings
from vivavoce.config.schema import Profile
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import Final, Focus
from vivavoce.pipeline.tasks import in_background

log = get_logger("injection")

_OUTFITS = 8
_UNHEARD_S = 60.0
"""How long nobody types anything himself, where no hotkey listener would hear it."""

Report = Callable[[Delivery], None]
MakeOutfit = Callable[[InjectionSettings], Outfit]


class Place(msgspec.Struct, frozen=True):
    """Where the next text would go, and how."""

    focus: Focus | None
    profile: Profile
    outfit: Outfit

    @property
    def settings(self) -> InjectionSettings:
        """The injection settings of the window."""
        return self.profile.injection

    @property
    def window(self) -> str:
        """The window with the focus; empty: not known."""
        return self.focus.window if self.focus is not None else ""

    @property
    def application(self) -> str:
        """Its application; empty: not known."""
        return self.focus.application if self.focus is not None else ""

    @property
    def needs_window(self) -> bool:
        """Whether text goes to whatever window has the focus."""
        return any(back_end.has_keys for back_end in self.outfit.back_ends)

    @property
    def lines(self) -> bool:
        """Whether each text is a line of its own."""
        return any(back_end.name in ("file", "stdout") for back_end in self.outfit.back_ends[:1])


class Typist:
    """One text after the other.

    Args:
        make: the back ends for a set of settings.
        probe: tells which window has the focus.
        report: is told what became of each text.
        context: of the actor, with the settings.
        keys: that a person holds.
    """

    def __init__(
        self,
        make: MakeOutfit,
        *,
        probe: FocusProbe,
        report: Report,
        context: ActorContext,
        keys: HeldKeys,
    ) -> None:
        settings = context.settings
        self._profiles = ApplicationProfiles(lambda: settings.profile)
        self._make = make
        self._report = report
        self._outfits: deque[tuple[InjectionSettings, Outfit]] = deque()
        self._keys = keys
        self._hands = Hands(keys, settings.of(lambda profile: profile.trigger))
        self.deliverer = Deliverer(probe, context.clock, self._hands)
        self.memory = Memory()
        self.held = HeldBack()
        self.returning: Final | None = None
        """The one of :attr:`held` that is being typed or copied; stays here when that fails."""

    async def place(self) -> Place:
        """Where text would go now, when the modifiers of the hotkey are released."""
        place = await self._place()
        if self._hands.held and place.needs_window:
            await self._hands.wait(place.settings)
            place = await self._place()  # it took a while
        return place

    async def here(self, focus_within_s: float = PROBE_S) -> Place:
        """Where text would go now, if no key is pressed for it.

        Args:
            focus_within_s: how long the focus is asked for; then it is not known.
        """
        return await self._place(focus_within_s)

    @property
    def modifiers_held(self) -> bool:
        """Whether a person holds Ctrl, Alt … now."""
        return self._hands.held

    async def put(self, final: Final) -> None:
        """Get the text of a final to where it belongs, and what was held back for there."""
        place = await self.place()
        if place.settings.backend == "none":
            return
        await self._put_held(place)
        text = clean(final.text, place.settings).strip(" ")
        if not text:
            return
        why = self._why_not_here(final, place)
        if why is None:
            await self._type(final, text, place)
        elif place.settings.focus_moved == "hold" and not (place.focus and place.focus.nobody):
            await self._hold(final, place, why)
        else:
            await self.copy(final, place, why)

    async def copy(self, final: Final, place: Place, why: str) -> None:
        """Put the text of a final into the clipboard."""
        text = clean(final.text, place.settings).strip(" ")
        if not text:
            return
        attempt = await self.deliverer.copy(
            text,
            place.outfit,
            place.settings,
            why,
            asked_for=place.settings.focus_moved == "copy",
        )
        self.memory.place(Placed(utterance=final.utterance, outcome=attempt.outcome))
        self.tell(final.utterance, attempt, place)

    async def take_back(self, count: int) -> None:
        """Undo the last ``count`` texts, as far as that is certain."""
        for _ in range(count):
            placed = self.memory.last()
            if placed is None:
                return
            if await self._was_not_typed(placed):
                continue
            why = await self._erase(placed)
            if why is not None:
                self._report(
                    Delivery(
                        utterance=placed.utterance,
                        outcome=placed.outcome,
                        back_end=placed.back_end.strip("?"),
                        application=placed.application,
                        reason=f"not taken back: {why}",
                    )
                )
                return
            self.memory.take_back()
            self._report(
                Delivery(
                    utterance=placed.utterance,
                    outcome=Outcome.RETRACTED,
                    back_end=placed.back_end,
                    application=placed.application,
                )
            )

    async def erase(self, text: str, window: str, back_end: str) -> str | None:
        """Erase what was typed last into a window; why it was not, where it was not."""
        place = await self.place()
        count = backspaces(text)
        tool = place.outfit.named(back_end)
        if count is None:
            return "applications disagree about how it is erased"
        if tool is None or not tool.has_keys:
            return "what typed it cannot erase"
        if not window or place.window != window:
            return "another window has the focus"
        if count == 0:
            return None
        report = await self.deliverer.press("backspace", count, tool, place.settings)
        if not report.done:
            self.memory.forget(window)
            return report.reason
        return None

    async def look_after_held(self) -> None:
        """Type what was held back for the window that has the focus now; copy what waits too
        long."""
        place = await self._place()
        await self._put_held(place)
        overdue = self.deliverer.now() - LONGEST_S
        await self._copy_held_before(overdue, place, "its window did not have the focus again")

    def join(self, text: str, tail: str, place: Place, language: str) -> str:
        """``text`` as it goes on from ``tail``."""
        if not place.settings.continuation or place.lines:
            return text
        cleanup = place.profile.cleanup
        return joined(
            tail,
            text,
            capitals=cleanup.sentence_case,
            language=language,
            vocabulary=cleanup.vocabulary,
        )

    def tell(self, utterance: int, attempt: Attempt, place: Place) -> None:
        """Report what became of a text."""
        self._report(
            Delivery(
                utterance=utterance,
                outcome=attempt.outcome,
                back_end=attempt.back_end,
                application=place.application,
                reason=attempt.reason,
            )
        )

    def moved_from(self, began: Focus | None, place: Place) -> bool:
        """Whether another window has the focus than the one that had it when the speech began."""
        return began is not None and place.focus is not None and began.window != place.window

    async def close(self) -> None:
        """Give back what the back ends hold; one that fails keeps no other from it."""
        outfits = [outfit for _, outfit in self._outfits]
        self._outfits.clear()
        await _close(*outfits)

    # -- parts of it

    async def _place(self, focus_within_s: float = PROBE_S) -> Place:
        focus = await self.deliverer.focus(focus_within_s)
        profile = self._profiles.of(focus.application if focus is not None else "")
        return Place(focus, profile, await self._outfit(profile.injection))

    async def _outfit(self, settings: InjectionSettings) -> Outfit:
        for known, outfit in self._outfits:
            if known == settings:
                return outfit
        if len(self._outfits) >= _OUTFITS:
            await _close(self._outfits.popleft()[1])
        outfit = self._make(settings)
        self._outfits.append((settings, outfit))
        return outfit

    def _why_not_here(self, final: Final, place: Place) -> str | None:
        if not place.needs_window or place.focus is None:
            return None
        if place.focus.nobody:
            return "no window has the focus"
        if place.settings.focus_moved != "type" and self.moved_from(final.focus, place):
            return "another window has the focus than when it was said"
        return None

    async def _type(self, final: Final, text: str, place: Place) -> None:
        tail = self.memory.tail(place.window)
        text = self.join(text, tail, place, final.language)
        disturbed = self.memory.disturbed
        attempt = await self.deliverer.type(text, place.outfit, place.settings, focus=place.focus)
        if self.memory.disturbed != disturbed:
            attempt = msgspec.structs.replace(attempt, certain=False)
        self.remember(final.utterance, text, tail, attempt, place)
        self.tell(final.utterance, attempt, place)

    def remember(
        self, utterance: int, text: str, tail: str, attempt: Attempt, place: Place
    ) -> None:
        """Note what now stands in the window."""
        if not attempt.certain:
            # Perhaps a part of it stands there, perhaps in two windows.
            self.memory.forget(place.window)
            self.memory.place(Placed(utterance=utterance, outcome=attempt.outcome, back_end="?"))
            return
        typed = text[: attempt.typed]
        self.memory.typed(place.window, typed)
        self.memory.place(
            Placed(
                utterance=utterance,
                outcome=attempt.outcome,
                window=place.window,
                application=place.application,
                typed=typed,
                tail=tail,
                back_end=attempt.back_end if typed else "",
                at=self.deliverer.now(),
            )
        )

    async def _hold(self, final: Final, place: Place, why: str) -> None:
        began = final.focus
        assert began is not None
        if len(self.held) >= MOST_HELD:
            why_copied = "too many texts wait for another window"
            await self._copy_held_before(inf, place, why_copied, most=1)
        self.held.add(final, began.window, self.deliverer.now())
        self.memory.place(Placed(utterance=final.utterance, outcome=Outcome.HELD))
        self.tell(final.utterance, Attempt(outcome=Outcome.HELD, reason=why), place)

    async def _put_held(self, place: Place) -> None:
        """Type what was held back for the window that has the focus now."""
        while place.window and (final := self.held.first_of(place.window)) is not None:
            self._take_held(final)
            await self._type(final, clean(final.text, place.settings).strip(" "), place)
            self.returning = None

    async def _copy_held_before(
        self, moment: float, place: Place, why: str, *, most: int = MOST_HELD
    ) -> None:
        while most and (final := self.held.first_before(moment)) is not None:
            self._take_held(final)
            await self.copy(final, place, why)
            self.returning = None
            most -= 1

    def _take_held(self, final: Final) -> None:
        self.returning = final
        self.held.remove(final.utterance)
        self.memory.unplace(final.utterance)

    async def _was_not_typed(self, placed: Placed) -> bool:
        """Whether there is nothing to erase of it; then it is settled."""
        if placed.typed or placed.back_end:
            return False
        self.memory.take_back()
        self.held.remove(placed.utterance)
        self._report(
            Delivery(
                utterance=placed.utterance,
                outcome=Outcome.RETRACTED,
                reason="it had not been typed",
            )
        )
        return True

    async def _erase(self, placed: Placed) -> str | None:
        if not placed.typed:
            return "it is not known what of it was typed"
        if not self.memory.tail(placed.window).endswith(placed.typed[-32:]):
            return "something else was typed there since"
        if not self._keys.heard and self.deliverer.now() - placed.at > _UNHEARD_S:
            return "it is not known what was typed since: nobody hears the keys"
        return await self.erase(placed.typed, placed.window, placed.back_end)


async def _close(*outfits: Outfit) -> None:
    closing = [
        in_background(_closed(close), "closing a back end", log)
        for outfit in outfits
        for close in outfit.close
    ]
    if closing:
        await asyncio.wait(closing)


async def _closed(close: Callable[[], object]) -> None:
    closing = close()
    if isawaitable(closing):
        await closing
