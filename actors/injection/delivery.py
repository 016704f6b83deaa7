"""Gets one text to where it belongs, by the first back end that can, and loses none.

What happens after a failure depends on what can have been typed:

- *Certainly nothing*: the next back end types it, and after the last one the clipboard takes it.
- *Perhaps a part*: nobody types it again. What is not surely typed goes to the clipboard, where the
  person sees what is missing and pastes it. A text typed twice is worse than one that must be
  pasted: nobody notices a doubled ``rm`` or a doubled amount before it has done its work.

What a tool reports is not believed blindly: the focus is asked before, between and after the pieces
of a text, for a tool types just as happily where nobody reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from vivavoce.actors.injection.back_end import (
    BackEnd,
    Clipboard,
    FocusProbe,
    Manner,
    Report,
    Result,
)
from vivavoce.actors.injection.back_off import BackOff
from vivavoce.actors.injection.graphemes import first_piece
from vivavoce.actors.injection.pacing import Pace, piece_size
from vivavoce.actors.injection.sanitise import Keys, parts
from vivavoce.config.injection import InjectionSettings
from vivavoce.pipeline.clock import Clock
from vivavoce.pipeline.delivery import Outcome
from vivavoce.pipeline.desktop import Focus
from vivavoce.pipeline.log import get_logger

log = get_logger("injection")

_PATIENCE_S = 2.0
"""How much longer than its time-out a back end may take to notice that."""
_PROBE_S = 2.0
_MOST_COPIED = 100_000
_KEYS_PER_S = 10_000.0
"""A back end that claims to be faster does not press keys."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a text.

    ``typed`` counts its characters that are surely typed; ``certain``: into this window, and no
    others of it.
    """

    outcome: Outcome
    back_end: str = ""
    reason: str = ""
    typed: int = 0
    certain: bool = True


@dataclass(slots=True)
class _State:
    pace: Pace
    back_off: BackOff
    asked: bool = False


class Outfit:
    """The back ends for one set of settings, in their order, and what is known of each.

    Args:
        back_ends: the first that can types.
        clipboard: for what could not be typed; None: there is none.
        reason: why there is nothing to type with, where there is not.
        close: releases what the back ends hold (clipboards to restore, keys lent).
    """

    def __init__(
        self,
        back_ends: Sequence[BackEnd],
        clipboard: Clipboard | None = None,
        *,
        reason: str = "",
        close: Sequence[Callable[[], object]] = (),
    ) -> None:
        self.back_ends = tuple(back_ends)
        self.clipboard = clipboard
        self.reason = reason
        self.close = tuple(close)
        self._states = {
            back_end.name: _State(Pace(back_end.pace), BackOff()) for back_end in back_ends
        }

    def state(self, back_end: BackEnd) -> _State:
        """Pace and failures of one of :attr:`back_ends`."""
        return self._states[back_end.name]

    def in_order(self, now: float) -> list[BackEnd]:
        """All back ends, those that failed lately behind the others."""
        return sorted(self.back_ends, key=lambda each: self.state(each).back_off.resting(now))

    def named(self, name: str) -> BackEnd | None:
        """The back end of that name."""
        return next((each for each in self.back_ends if each.name == name), None)


class Deliverer:
    """Types and copies texts, one at a time.

    Args:
        probe: tells which window has the focus.
        clock: for resting back ends.
    """

    def __init__(self, probe: FocusProbe, clock: Clock) -> None:
        self._probe = probe
        self._clock = clock
        self._copied = ""

    def now(self) -> float:
        """Seconds on the clock."""
        return self._clock.now()

    async def focus(self) -> Focus | None:
        """The window that has the focus now; None: not known."""
        try:
            async with asyncio.timeout(_PROBE_S):
                return await self._probe.focus()
        except TimeoutError:
            return None

    async def type(
        self,
        text: str,
        outfit: Outfit,
        settings: InjectionSettings,
        *,
        focus: Focus | None,
        clear_modifiers: bool = False,
    ) -> Attempt:
        """Type a cleaned text; what cannot be typed is copied.

        Args:
            text: from :func:`~vivavoce.actors.injection.sanitise.clean`.
            outfit: what to type it with.
            settings: of the window that it goes to.
            focus: the window that has the focus, as far as it is known.
            clear_modifiers: somebody still holds Ctrl, Alt …
        """
        attempt = await self.only_type(
            text, outfit, settings, focus=focus, clear_modifiers=clear_modifiers
        )
        if attempt.outcome is Outcome.TYPED:
            return attempt
        rest = text[attempt.typed :].lstrip(" ")
        copied = await self.copy(rest, outfit, settings, attempt.reason)
        if not attempt.typed:
            return msgspec.structs.replace(copied, certain=attempt.certain)
        where = "" if copied.outcome is Outcome.COPIED else "the rest could not be copied"
        return msgspec.structs.replace(
            attempt, outcome=Outcome.PARTLY, reason=_and(attempt.reason, where)
        )

    async def only_type(
        self,
        text: str,
        outfit: Outfit,
        settings: InjectionSettings,
        *,
        focus: Focus | None,
        clear_modifiers: bool = False,
    ) -> Attempt:
        """As :meth:`type`, but what cannot be typed is nowhere.

        The outcome is then ``FAILED`` where no back end could, ``PARTLY`` where one broke off.
        """
        done = 0
        reasons = [outfit.reason] if outfit.reason else []
        for back_end in outfit.in_order(self._clock.now()):
            why = await self._why_not(back_end, outfit)
            if why is None:
                work = _Work(self, back_end, outfit, settings, focus)
                work.clear_modifiers = clear_modifiers
                result, typed, why = await work.type(text[done:])
                done += typed
                if result is not Result.NOTHING:
                    if result is Result.DONE:
                        self._copied = ""
                    return Attempt(
                        outcome=Outcome.TYPED if result is Result.DONE else Outcome.PARTLY,
                        back_end=back_end.name,
                        reason=why,
                        typed=done,
                        certain=result is Result.DONE and not why,
                    )
            reasons.append(why)
        return Attempt(outcome=Outcome.FAILED, reason=_and(*reasons), typed=done)

    async def copy(
        self,
        text: str,
        outfit: Outfit,
        settings: InjectionSettings,
        reason: str,
        *,
        asked_for: bool = False,
    ) -> Attempt:
        """Put a text into the clipboard.

        Copies that follow one another directly add up there: the second does not take the place of
        a first that nobody has pasted yet.

        Args:
            text: cleaned.
            outfit: has the clipboard.
            settings: ``clipboard_fallback``.
            reason: why it is not typed.
            asked_for: the person wants it copied, with or without ``clipboard_fallback``.
        """
        clipboard = outfit.clipboard
        if clipboard is None or not (settings.clipboard_fallback or asked_for):
            return Attempt(outcome=Outcome.FAILED, reason=_and(reason, "there is no clipboard"))
        try:
            async with asyncio.timeout(3 * _PROBE_S):
                together = await self._with_earlier(text, clipboard)
                report = await clipboard.set(together)
        except TimeoutError:
            report = Report(Result.NOTHING, f"{clipboard.name} does not answer")
        if not report.done:
            return Attempt(outcome=Outcome.FAILED, reason=_and(reason, report.reason))
        self._copied = together
        return Attempt(outcome=Outcome.COPIED, back_end=clipboard.name, reason=reason)

    async def press(
        self, keys: str, times: int, back_end: BackEnd, settings: InjectionSettings
    ) -> Report:
        """Press keys with the back end that typed what they are meant for."""
        manner = Manner(timeout_s=settings.timeout_ms / 1_000, characters_per_s=back_end.pace)
        try:
            async with asyncio.timeout(manner.timeout_s + _PATIENCE_S):
                return await back_end.press(keys, manner, times)
        except TimeoutError:
            return Report(Result.UNCERTAIN, f"{back_end.name} does not answer")

    # -- parts of it

    async def _why_not(self, back_end: BackEnd, outfit: Outfit) -> str | None:
        """Why the back end is not used for the next text; None: it is."""
        state = outfit.state(back_end)
        began = self._clock.now()
        if state.back_off.resting(began) and state.back_off.slow:
            return state.back_off.reason
        if state.asked and not state.back_off.suspect:
            return None
        try:
            async with asyncio.timeout(_PROBE_S):
                why = await back_end.available()
        except TimeoutError:
            why = f"{back_end.name} does not answer"
        if why is not None:
            self.failed(back_end, outfit, why, began)
        state.asked = why is None
        return why

    def failed(self, back_end: BackEnd, outfit: Outfit, why: str, began: float) -> None:
        """Leave the back end alone for a while: it failed at what was begun at ``began``."""
        state = outfit.state(back_end)
        log.warning("back_end_failed", back_end=back_end.name, reason=why)
        state.back_off.failed(why, began, self._clock.now())

    async def _with_earlier(self, text: str, clipboard: Clipboard) -> str:
        earlier = self._copied
        if not earlier or len(earlier) + len(text) > _MOST_COPIED:
            return text
        content = await clipboard.get()
        if content is None or content.text != earlier:
            return text
        return earlier + ("" if earlier[-1].isspace() or text[:1].isspace() else " ") + text


class _Work:
    """One back end at one text."""

    def __init__(
        self,
        deliverer: Deliverer,
        back_end: BackEnd,
        outfit: Outfit,
        settings: InjectionSettings,
        focus: Focus | None,
    ) -> None:
        self.clear_modifiers = False
        self._deliverer = deliverer
        self._back_end = back_end
        self._outfit = outfit
        self._settings = settings
        self._focus = focus

    async def type(self, text: str) -> tuple[Result, int, str]:
        """How it ended, the characters surely typed, and why it ended so."""
        back_end, state = self._back_end, self._outfit.state(self._back_end)
        timeout_s = self._settings.timeout_ms / 1_000
        done = 0
        for part, stands_for in parts(text, self._settings, has_keys=back_end.has_keys):
            left = stands_for
            while left:
                if done and (why := await self._elsewhere()):
                    return Result.UNCERTAIN, done, why
                piece = self._first_piece(part, left, timeout_s)
                began = self._deliverer.now()
                report = await self._one(piece, timeout_s)
                all_of_it = stands_for if isinstance(piece, Keys) else len(piece)
                typed = (report.typed or all_of_it) if report.done else report.typed or 0
                done += typed
                left -= typed
                if not report.done:
                    state.pace.failed()
                    self._deliverer.failed(back_end, self._outfit, report.reason, began)
                    return report.result, done, report.reason
                state.pace.succeeded()
        state.back_off.succeeded()
        moved = await self._moved()
        return Result.DONE, done, "the focus moved while it was typed" if moved else ""

    def _first_piece(self, part: str | Keys, left: int, timeout_s: float) -> str | Keys:
        if isinstance(part, Keys):
            return part
        rest = part[len(part) - left :]
        if not self._back_end.has_keys:
            return rest
        return first_piece(rest, piece_size(self._back_end.piece, self._rate(), timeout_s))

    async def _one(self, piece: str | Keys, timeout_s: float) -> Report:
        manner = Manner(
            characters_per_s=self._rate(),
            timeout_s=timeout_s,
            clear_modifiers=self.clear_modifiers,
        )
        try:
            async with asyncio.timeout(timeout_s + _PATIENCE_S):
                if isinstance(piece, Keys):
                    return await self._back_end.press(piece.keys, manner)
                return await self._back_end.type(piece, manner)
        except TimeoutError:
            return Report(Result.UNCERTAIN, f"{self._back_end.name} does not answer")

    def _rate(self) -> float:
        # The person's limit is for keys; what pastes or writes does not press them one by one.
        limit = self._settings.characters_per_s if self._back_end.pace <= _KEYS_PER_S else None
        return self._outfit.state(self._back_end).pace.rate(limit)

    async def _elsewhere(self) -> str:
        """Why the next piece is not typed, where the focus has moved on."""
        now = await self._moved()
        if now is None:
            return ""
        if now.nobody:
            return "no window has the focus any more"
        return "" if self._settings.focus_moved == "type" else "the focus moved while it was typed"

    async def _moved(self) -> Focus | None:
        """The window that has the focus now, where that is another than before."""
        if self._focus is None or not self._back_end.has_keys:
            return None
        now = await self._deliverer.focus()
        return now if now is not None and now.window != self._focus.window else None


def _and(*reasons: str) -> str:
    return "; ".join(reason for reason in reasons if reason)
