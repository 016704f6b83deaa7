"""Keys by evdev: Linux consoles and Wayland, where /dev/input may be read.

Linux knows keys by their place, so that letters are those of an American keyboard. Keyboards that
are plugged in later are not heard until the next start. The virtual keyboards of ydotool and dotool
are left out: what this program types with them must not be heard as a hotkey.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from vivavoce.actors.trigger.key_names import BY_LINUX
from vivavoce.actors.trigger.keys import CombinationWatch
from vivavoce.actors.trigger.listener import Ear, HotkeysUnavailable, OnEvent
from vivavoce.config.hotkeys import KeyCombination

INPUT = Path("/dev/input")
_TYPING_TOOLS = ("ydotool", "dotool", "wtype")
_ENDS_WITHIN_S = 2.0
_KEY = 1
"""``EV_KEY`` of Linux's input-event-codes.h."""


class Event(Protocol):
    """An event of an input device; of keys, ``value`` is 0 (up), 1 (down) or 2 (repeat)."""

    type: int
    code: int
    value: int


class Device(Protocol):
    """A keyboard, as :class:`evdev.InputDevice` is one."""

    def fileno(self) -> int:
        """What can be waited on."""
        ...

    def read(self) -> Iterable[Event]:
        """The events that have come; :class:`OSError` where it was unplugged."""
        ...

    def close(self) -> None:
        """Release it."""
        ...


def readable(folder: Path = INPUT) -> bool:
    """Whether there are input devices here that this user may read."""
    return any(os.access(path, os.R_OK) for path in folder.glob("event*"))


def open_keyboards() -> list[Device]:
    """All keyboards that this user may read; imports evdev."""
    import evdev

    found: list[Device] = []
    for path in sorted(INPUT.glob("event*")):  # evdev's own list leaves out what is read-only
        with contextlib.suppress(OSError):  # unplugged meanwhile, or another user's
            device = evdev.InputDevice(path)
            can_ctrl = evdev.ecodes.KEY_LEFTCTRL in device.capabilities().get(_KEY, ())
            if can_ctrl and not is_of_a_typing_tool(device.name, device.phys):
                found.append(device)
            else:
                device.close()
    return found


def is_of_a_typing_tool(name: str | None, place: str | None) -> bool:
    """Whether a device is the virtual keyboard of a tool that types.

    Args:
        name: of the device, as ``ydotoold virtual device`` or ``dotool keyboard``.
        place: its ``phys``; tools that are made of others may be named there.
    """
    described = f"{name or ''} {place or ''}".lower()
    return any(tool in described for tool in _TYPING_TOOLS)


def names_by_code() -> dict[int, str]:
    """The names that hotkeys have here, by the codes of Linux; imports evdev."""
    from evdev import ecodes

    return {
        code: BY_LINUX[name]
        for code, names in ecodes.KEY.items()
        for name in ([names] if isinstance(names, str) else names)
        if name in BY_LINUX
    }


class EvdevKeys:
    """A :class:`~vivavoce.actors.trigger.listener.HotkeyListener` by evdev.

    Args:
        hotkey: tells press and release.
        cancel: tells cancel.
        open_devices: opens the keyboards; called in a thread.
    """

    def __init__(
        self,
        hotkey: KeyCombination | None = None,
        cancel: KeyCombination | None = None,
        open_devices: Callable[[], Sequence[Device]] = open_keyboards,
    ) -> None:
        self._hotkey = hotkey
        self._cancel = cancel
        self._open_devices = open_devices
        self._ear: Ear | None = None
        self._thread: threading.Thread | None = None
        self._bell = -1

    async def start(self, on_event: OnEvent) -> None:
        """See :class:`HotkeyListener`."""
        try:
            names = await asyncio.to_thread(names_by_code)
            devices = await asyncio.to_thread(self._open_devices)
        except ModuleNotFoundError as error:
            raise HotkeysUnavailable(
                "hotkeys need evdev; install it with: pip install 'vivavoce[dictation]'"
            ) from error
        if not devices:
            raise HotkeysUnavailable(
                f"hotkeys cannot be heard: no keyboard in {INPUT} can be read; join the group "
                "input, or bind `vivavoce ctl toggle` to a key in your desktop"
            )
        ear = self._ear = Ear(CombinationWatch(self._hotkey, self._cancel), on_event)
        bell, self._bell = os.pipe()
        self._thread = threading.Thread(
            target=_read, args=(devices, names, ear, bell), name="vivavoce keys", daemon=True
        )
        self._thread.start()

    async def stop(self) -> None:
        """See :class:`HotkeyListener`."""
        if self._ear is not None:
            self._ear.close()
        thread, self._thread = self._thread, None
        if thread is not None:
            bell, self._bell = self._bell, -1
            os.close(bell)
            await asyncio.to_thread(thread.join, _ENDS_WITHIN_S)


def _read(devices: Sequence[Device], names: dict[int, str], ear: Ear, bell: int) -> None:
    """Tell what the keyboards say, until the other end of ``bell`` is closed or all are gone."""
    down: dict[Device, set[str]] = {device: set() for device in devices}
    try:
        _read_on(down, names, ear, bell)
    except Exception as error:  # noqa: BLE001 - told as the reason why keys are lost
        ear.lost(f"hotkeys are no longer heard: {error or type(error).__name__}")
    finally:
        os.close(bell)
        for device in down:
            device.close()


def _read_on(down: dict[Device, set[str]], names: dict[int, str], ear: Ear, bell: int) -> None:
    with selectors.DefaultSelector() as selector:
        for device in down:
            selector.register(device, selectors.EVENT_READ, device)
        selector.register(bell, selectors.EVENT_READ)
        while down:
            ready = [key.data for key, _ in selector.select()]
            if None in ready:
                return
            for device in ready:
                try:
                    _hear(device, names, ear, down[device])
                except OSError:
                    selector.unregister(device)
                    device.close()
                    for name in down.pop(device):  # nobody will tell that these went up
                        ear.key(name, is_down=False)
    ear.lost("hotkeys are no longer heard: the keyboard was unplugged")


def _hear(device: Device, names: dict[int, str], ear: Ear, down: set[str]) -> None:
    for event in device.read():
        name = names.get(event.code) if event.type == _KEY else None
        if name is None or event.value not in (0, 1):
            continue
        if event.value:
            down.add(name)
        else:
            down.discard(name)
        ear.key(name, is_down=bool(event.value))
