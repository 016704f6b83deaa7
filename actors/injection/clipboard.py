"""Pastes: the text into the clipboard, a key chord, and the previous content back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vivavoce.actors.injection.back_end import (
    DONE,
    BackEnd,
    Clipboard,
    Content,
    LetsGo,
    Looks,
    Manner,
    Report,
    Result,
)
from vivavoce.config.injection import InjectionSettings
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.tasks import in_background

log = get_logger("injection")

_TAKEN_S = 1.0
"""A window that is alive has asked for what it was told to paste."""


class ClipboardPaste:
    """Types by pasting.

    The previous content comes back ``restore_clipboard_ms`` after the chord, if it was text, and if
    the clipboard then still holds what was pasted: another copy in between is the person's own and
    stays. Content that is no text (a picture, files) is never touched: then nothing is pasted.

    A paste that nobody took cannot be told from one that was: windows without a ``ctrl+v``
    (terminals) need other ``paste_keys``. So where it is only a fallback, what was pasted stays in
    the clipboard: the text is there if it did not arrive.

    Args:
        clipboard: of the session.
        keys: back ends that can press the chord, best first.
        settings: chord, and time to the restoration.
        restores: bring the previous content back.
    """

    name = "clipboard"
    piece = 50_000
    pace = 100_000.0
    has_keys = True
    looks = True

    def __init__(
        self,
        clipboard: Clipboard,
        keys: Sequence[BackEnd],
        settings: InjectionSettings,
        *,
        restores: bool = True,
    ) -> None:
        self._clipboard = clipboard
        self._keys = tuple(keys)
        self._settings = settings
        self._restores = restores
        self._presser: BackEnd | None = None
        self._previous = ""
        self._pasted = ""
        self._restoring: asyncio.Task[None] | None = None

    async def available(self) -> str | None:
        """Whether there is a clipboard, and something to press the chord with."""
        why = await self._clipboard.available()
        if why is not None:
            return why
        reasons = [f"nothing can press {self._settings.paste_keys}"]
        for back_end in self._keys:
            why = await back_end.available()
            if why is None:
                self._presser = back_end
                return None
            reasons.append(why)
        return "; ".join(reasons)

    async def type(self, text: str, manner: Manner) -> Report:
        """Paste ``text``."""
        if self._presser is None:
            return Report(Result.NOTHING, "nothing was found to press the chord with")
        await self.settled()
        before = await self._clipboard.get()
        if before is None or before.text is None:
            return Report(
                Result.NOTHING, "the clipboard holds something that is no text, and is left alone"
            )
        previous = self._give_up_restoring(before.text)
        report = await self._clipboard.set(text)
        if not report.done:
            return Report(Result.NOTHING, report.reason)
        self._previous, self._pasted = previous, text
        pressed = await self._paste(self._presser, manner)
        self._restoring = in_background(self._restore_later(), "restoring the clipboard", log)
        return pressed

    async def press(self, keys: str, manner: Manner, times: int = 1) -> Report:
        """Press keys with what presses the chord."""
        if self._presser is None and await self.available() is not None:
            return Report(Result.NOTHING, "nothing was found to press keys with")
        assert self._presser is not None
        await self.settled()  # a key that overtakes the paste would act on what is not there yet
        return await self._presser.press(keys, manner, times)

    async def held(self) -> bool:
        """See :class:`~vivavoce.actors.injection.back_end.Looks`."""
        presser: object = self._presser
        return isinstance(presser, Looks) and await presser.held()

    async def let_go(self, held: frozenset[str]) -> str:
        """See :class:`~vivavoce.actors.injection.back_end.LetsGo`."""
        return await self._presser.let_go(held) if isinstance(self._presser, LetsGo) else ""

    async def settled(self) -> None:
        """Return when the window has had its time to take what was pasted last."""
        if self._restoring is not None:
            await asyncio.wait([self._restoring], timeout=_TAKEN_S)

    async def close(self) -> None:
        """Bring the previous content back."""
        await self.settled()
        if self._restoring is not None and self._restoring.cancel():
            await asyncio.wait([self._restoring])
            await self._restore()

    async def _paste(self, presser: BackEnd, manner: Manner) -> Report:
        with manner.pressing(self._settings.paste_keys):
            pressed = await presser.press(self._settings.paste_keys, manner)
        if pressed.paused and not pressed.typed:
            return Report(Result.NOTHING, "a modifier key is held")
        return pressed if not pressed.done else DONE

    async def _restore_later(self) -> None:
        await asyncio.sleep(self._settings.restore_clipboard_ms / 1_000)
        await self._restore()

    async def _restore(self) -> None:
        if not self._restores:
            return
        now = await self._clipboard.get()
        if now is None or now.text != self._pasted:
            return  # somebody has copied something meanwhile
        report = await self._clipboard.set(self._previous)
        if not report.done:
            log.warning("clipboard_not_restored", reason=report.reason)

    def _give_up_restoring(self, now: str) -> str:
        """What is to be restored after the next paste, where the clipboard holds ``now``."""
        due = self._restoring is not None and self._restoring.cancel()
        return self._previous if due and now == self._pasted else now


class ClipboardAfterPaste:
    """The same clipboard for texts that could not be typed: not while a window is still pasting.

    Args:
        clipboard: of the session.
        paste: pastes with it.
    """

    def __init__(self, clipboard: Clipboard, paste: ClipboardPaste) -> None:
        self.name = clipboard.name
        self._clipboard = clipboard
        self._paste = paste

    async def available(self) -> str | None:
        """As the clipboard itself."""
        return await self._clipboard.available()

    async def get(self) -> Content | None:
        """As the clipboard itself."""
        return await self._clipboard.get()

    async def set(self, text: str) -> Report:
        """As the clipboard itself, when nothing is being pasted."""
        await self._paste.settled()
        return await self._clipboard.set(text)
