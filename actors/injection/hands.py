"""A person's hands on the keyboard while this program types: nothing is typed into held modifiers.

While a key is held to talk, the text waits: to release the key would end the recording. Else held
modifiers are waited for, and then released, and never pressed again: a hotkey listener would take
that for the person's press.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager

from vivavoce.actors.desktop.held_keys import HeldKeys
from vivavoce.actors.injection.back_end import BackEnd, LetsGo, Looks
from vivavoce.config.hotkeys import MODIFIERS, KeyCombination, kind_of
from vivavoce.config.injection import InjectionSettings
from vivavoce.config.trigger import TriggerSettings

_LOOK_S = 0.02
"""How often held modifiers are looked for where nobody hears them go up: X11 tells of keys only who
listens to all of them."""
_LONGEST_S = 45.0
"""Who talks for longer than that finds the text of the recording before in the clipboard: what
waits for this program to go on, captions of what is being said among it, has room for about that.
"""
_OF_CAPITALS = ({"shift"}, {"left_shift"})


class Hands:
    """Knows when keys may be pressed.

    Args:
        keys: what a hotkey listener sees.
        settings: with the hotkeys, as they are then.
    """

    def __init__(self, keys: HeldKeys, settings: Callable[[], TriggerSettings]) -> None:
        self._keys = keys
        self._waited_for = -1
        self._settings = settings

    @property
    def _hotkeys(self) -> list[set[str]]:
        settings = self._settings()
        texts = [text for text in (settings.hotkey, settings.cancel_hotkey) if text is not None]
        return [set(KeyCombination.parse(text).names) for text in texts]

    @property
    def _heard(self) -> set[str]:
        return {kind_of(name) for names in self._hotkeys for name in names}

    @property
    def watched(self) -> bool:
        """Whether a person may well press a modifier while a text is typed."""
        return not self._heard.isdisjoint(MODIFIERS)

    @property
    def held(self) -> bool:
        """Whether a hotkey listener says that a modifier is held."""
        return bool(self._keys.held)

    def mark(self) -> int:
        """A moment, for :meth:`pressed_since`."""
        return self._keys.mark()

    def pressed_since(self, mark: int) -> bool:
        """Whether a modifier other than Shift went down since then."""
        return self._keys.pressed_since(mark)

    def pressing(self, keys: str) -> AbstractContextManager[None]:
        """What a combination of keys is pressed within.

        Only what could be taken for a hotkey hides hotkeys from the listener: it does not hear the
        person's in that time, either.
        """
        kinds = {kind_of(name) for name in keys.lower().split("+")}
        return self._keys.ours() if kinds & self._heard else self._keys.typing()

    def typing(self) -> AbstractContextManager[None]:
        """What a text is typed within: where the hotkey is made of keys that texts need."""
        # No other hotkey is made of keys that type.
        texts_press_it = any(names in _OF_CAPITALS for names in self._hotkeys)
        return self._keys.ours() if texts_press_it else self._keys.typing()

    async def wait(self, settings: InjectionSettings) -> None:
        """Wait until a hotkey listener says that none is held, as long as the settings want."""
        await self._released(settings, None)

    async def off(self, back_end: BackEnd, settings: InjectionSettings) -> str:
        """Wait until no modifier is held; release those that stay.

        Returns:
            Why they cannot be released; empty: none is held any more.
        """
        if not back_end.has_keys or not isinstance(back_end, LetsGo):
            return ""
        if await self._released(settings, back_end if isinstance(back_end, Looks) else None):
            return ""
        if self._keys.talking and self.held:
            return "the hotkey is held to talk"
        with self._keys.ours():
            return await back_end.let_go(self._keys.held)

    async def _released(self, settings: InjectionSettings, looks: Looks | None) -> bool:
        loop = asyncio.get_running_loop()
        # They are waited for once: not for each piece of a text, nor for each back end.
        waited = self.held and self._waited_for == self._keys.mark()
        patience_s = 0.0 if waited else settings.wait_for_modifiers_ms / 1_000
        ends = loop.time() + patience_s
        while True:
            if self._keys.talking and self.held:
                await self._keys.talked(0.0 if waited else _LONGEST_S)
                ends = loop.time() + patience_s
                if self._keys.talking and self.held:
                    self._waited_for = self._keys.mark()
                    return False
            if not await self._keys.released(max(0.0, ends - loop.time())):
                self._waited_for = self._keys.mark()
                return False
            if looks is None or not await looks.held():
                return True
            if loop.time() >= ends:
                return False
            await asyncio.sleep(_LOOK_S)
