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
from collections import deque

import msgspec

from vivavoce.actors.desktop.delivery import Outcome
from vivavoce.actors.injection.back_end import (
    DONE,
    PRESSED,
    BackEnd,
    Content,
    FocusProbe,
    Manner,
    Report,
    Rests,
    Result,
    is_blind,
)
from vivavoce.actors.injection.graphemes import first_piece
from vivavoce.actors.injection.hands import Hands
from vivavoce.actors.injection.outfit import Attempt, Outfit
from vivavoce.actors.injection.pacing import piece_size
from vivavoce.actors.injection.sanitise import Keys, parts
from vivavoce.config.injection import InjectionSettings
from vivavoce.pipeline.clock import Clock
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import Focus

log = get_logger("injection")

_PATIENCE_S = 2.0
"""How much longer than its time-out a back end may take to notice that."""
PROBE_S = 2.0
"""How long the focus, a back end and a third of a clipboard are asked."""
_MOST_COPIED = 100_000
_NO_TEXT = (
    "the clipboard holds something that is no text, and is left alone: the history has the text "
    "(vivavoce history copy last)"
)
_KEYS_PER_S = 10_000.0
"""A back end that claims to be faster does not press keys."""
_WATCHED_KEYS = 12
"""Keys pressed without a look at the modifiers, where a person may well press one."""
_ASKED_KEYS = 20
"""Keys pressed without a look at the focus, where a text is for one window only."""
_MOST_PAUSES = 100


class Deliverer:
    """Types and copies texts, one at a time.

    Args:
        probe: tells which window has the focus.
        clock: for resting back ends.
        hands: of the person, on the same keyboard.
    """

    def __init__(self, probe: FocusProbe, clock: Clock, hands: Hands) -> None:
        self.hands = hands
        self._probe = probe
        self._clock = clock
        self._copied = ""
        self._typed_last: BackEnd | None = None

    def now(self) -> float:
        """Seconds on the clock."""
        return self._clock.now()

    async def focus(self, within_s: float = PROBE_S) -> Focus | None:
        """The window that has the focus now; None: not known ``within_s`` seconds."""
        try:
            async with asyncio.timeout(within_s):
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
    ) -> Attempt:
        """Type a cleaned text; what cannot be typed is copied.

        Args:
            text: from :func:`~vivavoce.actors.injection.sanitise.clean`.
            outfit: what to type it with.
            settings: of the window that it goes to.
            focus: the window that has the focus, as far as it is known.
        """
        attempt = await self.only_type(text, outfit, settings, focus=focus)
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
    ) -> Attempt:
        """As :meth:`type`, but what cannot be typed is nowhere.

        The outcome is then ``FAILED`` where no back end could, ``PARTLY`` where one broke off.
        """
        done = 0
        reasons = [outfit.reason] if outfit.reason else []
        waiting = deque(outfit.in_order(self._clock.now()))
        failed: BackEnd | None = None
        asked_again = False
        while waiting:
            if failed is not None and not asked_again and outfit.only_falls_back_on(waiting[0]):
                waiting.appendleft(failed)  # before anything is pasted
                asked_again = True
            back_end = waiting.popleft()
            why = await self._why_not(back_end, outfit)
            if why is None:
                work = _Work(self, back_end, outfit, settings, focus)
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
                if failed is None and back_end.has_keys:
                    failed = back_end
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
        together = text
        try:
            async with asyncio.timeout(3 * PROBE_S):
                content = await clipboard.get()
                if content is not None and content.text is None:
                    return Attempt(outcome=Outcome.FAILED, reason=_and(reason, _NO_TEXT))
                together = self._with_earlier(text, content)
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
        done = pauses = 0
        while done < times and pauses < _MOST_PAUSES:
            if why := await self.hands.off(back_end, settings):
                return Report(Result.UNCERTAIN if done else Result.NOTHING, why)
            step = times - done
            if self.hands.watched and is_blind(back_end):
                step = min(step, _WATCHED_KEYS)
            report = await self._press(keys, step, back_end, settings)
            pressed = step if report.typed is None else report.typed
            if not report.done:
                sure = report.result is Result.NOTHING and not done and not report.typed
                return Report(Result.NOTHING if sure else Result.UNCERTAIN, report.reason)
            done += pressed
            pauses = 0 if pressed else pauses + 1
        return DONE if done == times else Report(Result.UNCERTAIN, PRESSED)

    async def _press(
        self, keys: str, times: int, back_end: BackEnd, settings: InjectionSettings
    ) -> Report:
        manner = self.manner(settings.timeout_ms / 1_000, back_end.pace)
        mark = self.hands.mark()
        try:
            async with asyncio.timeout(manner.timeout_s + _PATIENCE_S):
                with self.hands.pressing(keys):
                    report = await back_end.press(keys, manner, times)
        except TimeoutError:
            return Report(Result.UNCERTAIN, f"{back_end.name} does not answer")
        return self.judged(report, mark, back_end)

    def manner(self, timeout_s: float, rate: float) -> Manner:
        """How keys are pressed now."""
        return Manner(
            characters_per_s=rate,
            timeout_s=timeout_s,
            watched=self.hands.watched,
            pressing=self.hands.pressing,
        )

    def judged(self, report: Report, mark: int, back_end: BackEnd) -> Report:
        """What a back end that does not look itself says of keys, where a modifier came between."""
        if report.done and is_blind(back_end) and self.hands.pressed_since(mark):
            return Report(Result.UNCERTAIN, PRESSED)
        return report

    async def only_one_types(self, back_end: BackEnd) -> None:
        """Have what typed before leave the keyboard as it was, where that was another back end."""
        before: object = self._typed_last
        self._typed_last = back_end
        if before is not back_end and isinstance(before, Rests):
            await before.rest()

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
            async with asyncio.timeout(PROBE_S):
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

    def _with_earlier(self, text: str, content: Content | None) -> str:
        earlier = self._copied
        if not earlier or len(earlier) + len(text) > _MOST_COPIED:
            return text
        if content is None or content.text != earlier:
            return text
        return joined_copies(earlier, text)


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
        self._deliverer = deliverer
        self._hands = deliverer.hands
        self._back_end = back_end
        self._outfit = outfit
        self._settings = settings
        self._focus = focus

    async def type(self, text: str) -> tuple[Result, int, str]:
        """How it ended, the characters surely typed, and why it ended so."""
        back_end, state = self._back_end, self._outfit.state(self._back_end)
        await self._deliverer.only_one_types(back_end)
        timeout_s = self._settings.timeout_ms / 1_000
        done = pauses = 0
        for part, stands_for in parts(text, self._settings, has_keys=back_end.has_keys):
            left = stands_for
            while left:
                if why := await self._hands.off(back_end, self._settings):
                    return Result.NOTHING, done, why
                if (done or pauses) and (why := await self._elsewhere()):
                    return Result.UNCERTAIN, done, why
                piece = self._first_piece(part, left, timeout_s)
                began = self._deliverer.now()
                report = await self._one(piece, timeout_s)
                all_of_it = stands_for if isinstance(piece, Keys) else len(piece)
                unsaid = all_of_it if report.done else 0
                typed = unsaid if report.typed is None else report.typed
                done += typed
                left -= typed
                if not report.done:
                    if report.reason != PRESSED:  # which is no fault of the back end
                        state.pace.failed()
                        self._deliverer.failed(back_end, self._outfit, report.reason, began)
                    return report.result, done, report.reason
                pauses += report.paused
                if pauses > _MOST_PAUSES:
                    return Result.UNCERTAIN, done, PRESSED
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
        size = piece_size(self._back_end.piece, self._rate(), timeout_s)
        if is_blind(self._back_end) and self._hands.watched:
            size = min(size, _WATCHED_KEYS)
        if self._settings.focus_moved != "type" and self._back_end.pace <= _KEYS_PER_S:
            size = min(size, _ASKED_KEYS)
        return first_piece(rest, size)

    async def _one(self, piece: str | Keys, timeout_s: float) -> Report:
        manner = self._deliverer.manner(timeout_s, self._rate())
        mark = self._hands.mark()
        try:
            async with asyncio.timeout(timeout_s + _PATIENCE_S):
                if isinstance(piece, Keys):
                    with self._hands.pressing(piece.keys):
                        report = await self._back_end.press(piece.keys, manner)
                else:
                    with self._hands.typing():
                        report = await self._back_end.type(piece, manner)
        except TimeoutError:
            return Report(Result.UNCERTAIN, f"{self._back_end.name} does not answer")
        return self._deliverer.judged(report, mark, self._back_end)

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


def joined_copies(earlier: str, text: str) -> str:
    """Two texts in the clipboard, one behind the other."""
    apart = not earlier or not text or earlier[-1].isspace() or text[0].isspace()
    return earlier + ("" if apart else " ") + text


def _and(*reasons: str) -> str:
    return "; ".join(reason for reason in dict.fromkeys(reasons) if reason)
