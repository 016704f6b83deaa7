"""Keys by pynput: X11, macOS and Windows.

On X11 pynput listens through the RECORD extension. Three things are done otherwise than there: a
key is named by what it types without any modifier (pynput names `shift+1` `!`, so that its press
and its release may not match), a server that goes away is noticed, and its thread ends when it is
told to, not with the next key.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

from vivavoce.actors.trigger.key_names import BY_KEYSYM, BY_PYNPUT, BY_SIGN
from vivavoce.actors.trigger.keys import CombinationWatch
from vivavoce.actors.trigger.listener import Ear, HotkeysUnavailable, OnEvent
from vivavoce.config.hotkeys import KeyCombination
from vivavoce.pipeline.log import get_logger

_READY_WITHIN_S = 10.0
_ENDS_WITHIN_S = 2.0

log = get_logger("trigger")


class PynputKeys:
    """A :class:`~vivavoce.actors.trigger.listener.HotkeyListener` by pynput.

    Args:
        hotkey: tells press and release.
        cancel: tells cancel.
    """

    def __init__(
        self, hotkey: KeyCombination | None = None, cancel: KeyCombination | None = None
    ) -> None:
        self._hotkey = hotkey
        self._cancel = cancel
        self._ear: Ear | None = None
        self._listener: Any = None

    async def start(self, on_event: OnEvent) -> None:
        """See :class:`HotkeyListener`. Imports and connects in a thread."""
        ear = self._ear = Ear(CombinationWatch(self._hotkey, self._cancel), on_event)
        self._listener = await asyncio.to_thread(self._listen, ear)

    async def stop(self) -> None:
        """See :class:`HotkeyListener`."""
        if self._ear is not None:
            self._ear.close()
        listener, self._listener = self._listener, None
        if listener is not None:
            await asyncio.to_thread(_end, listener)

    def _listen(self, ear: Ear) -> Any:
        keyboard = _import_keyboard()
        name_of = _names(keyboard)
        for combination in (self._hotkey, self._cancel):
            _check_known(combination, keyboard)
        ready = threading.Event()
        failures: list[str] = []

        base: Any = _plain_keys(keyboard) if _on_x11(keyboard) else keyboard.Listener

        class Listener(base):  # type: ignore[misc]
            def run(self) -> None:
                try:
                    super().run()
                except Exception as error:  # noqa: BLE001 - told as the reason why keys are lost
                    failures.append(_line(error))
                was_ready, reason = ready.is_set(), failures[0] if failures else "it ended"
                ready.set()
                if was_ready:
                    ear.lost(f"hotkeys are no longer heard: {reason}")
                elif not failures:
                    failures.append(reason)

            def _mark_ready(self) -> None:
                super()._mark_ready()
                ready.set()

        listener: Any = Listener(
            on_press=lambda key: _hear(ear, name_of(key, listener), is_down=True),
            on_release=lambda key: _hear(ear, name_of(key, listener), is_down=False),
        )
        listener.start()
        # A version of pynput that tells readiness otherwise is believed after this time.
        ready.wait(_READY_WITHIN_S)
        if failures:
            raise HotkeysUnavailable(
                f"hotkeys cannot be heard: {failures[0]}; bind `vivavoce ctl toggle` to a key in "
                "your desktop"
            )
        return listener


def _plain_keys(keyboard: Any) -> Any:
    """pynput's listener for X11, telling the name of each key in place of what it types."""
    base: Any = keyboard.Listener

    class PlainKeys(base):  # type: ignore[misc]
        def _event_to_key(self, display: Any, event: Any) -> str | None:
            # A second layout is asked for keys that the first has no Latin letter on.
            for index in (0, 2):
                name = BY_KEYSYM.get(display.keycode_to_keysym(event.detail, index))
                if name is not None:
                    return name
            return None

        def _stop_platform(self) -> None:
            # By the connection on which nobody waits: the other is heard with the next key only.
            self._display_stop.record_disable_context(self._context)
            self._display_stop.flush()

    return PlainKeys


def _on_x11(keyboard: Any) -> bool:
    return str(keyboard.Listener.__module__).endswith("_xorg")


def _hear(ear: Ear, name: str | None, *, is_down: bool) -> None:
    if name is not None:
        ear.key(name, is_down=is_down)


def _import_keyboard() -> Any:
    """pynput's keyboard module, which connects to the X server as it is imported."""
    try:
        if sys.platform not in ("darwin", "win32"):
            import Xlib.xauth

            # It prints to standard output, where captions go.
            Xlib.xauth.print = lambda *_: None  # pyright: ignore[reportAttributeAccessIssue]
        from pynput import keyboard
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError):
            raise HotkeysUnavailable(MISSING.format(error.name)) from error
        raise HotkeysUnavailable(
            f"hotkeys cannot be heard: {_line(error)}; bind `vivavoce ctl toggle` to a key in your "
            "desktop"
        ) from error
    return keyboard


MISSING = "hotkeys need {}; install it with: pip install 'vivavoce[dictation]'"


def _names(keyboard: Any) -> Callable[[Any, Any], str | None]:
    """How keys of pynput are named here: the name; None for keys that no hotkey can have."""

    def name_of(key: Any, listener: Any) -> str | None:
        if key is None or isinstance(key, str):
            return key
        if isinstance(key, keyboard.Key):
            return BY_PYNPUT.get(key.name)
        sign = listener.canonical(key).char
        return BY_SIGN.get(sign.lower()) if sign else None

    return name_of


def _check_known(combination: KeyCombination | None, keyboard: Any) -> None:
    """On macOS and Windows pynput knows fewer keys.

    Raises:
        HotkeysUnavailable: one of these is unknown to it.
    """
    if combination is None or _on_x11(keyboard):
        return
    known = {BY_PYNPUT.get(key) for key in keyboard.Key.__members__} | set(BY_SIGN.values())
    if not {combination.key, f"left_{combination.key}"} & known:
        raise HotkeysUnavailable(
            f"the hotkey {combination} cannot be heard here: there is no key {combination.key}; "
            "choose another, as f9"
        )


def _end(listener: Any) -> None:
    try:
        listener.stop()
    except Exception as error:  # noqa: BLE001 - Xlib's or pynput's: it went first
        log.debug("the listener could not be ended", error=f"{type(error).__name__}: {error}")
        return
    threading.Thread.join(listener, _ENDS_WITHIN_S)


def _line(error: BaseException) -> str:
    """What went wrong, in a line."""
    text = str(error).strip().splitlines()
    if any("failed to acquire X" in line for line in text):
        return "the X server that DISPLAY names does not answer"  # pynput says it with a tuple
    return text[0] if text else type(error).__name__
