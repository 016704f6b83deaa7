"""Ties the hotkeys of a profile to the trigger of a running pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import anyio

from vivavoce.actors.desktop.held_keys import HeldKeys
from vivavoce.actors.trigger import TriggerActor
from vivavoce.config.cell import ProfileCell
from vivavoce.config.trigger import TriggerSettings
from vivavoce.pipeline.clock import Clock
from vivavoce.pipeline.log import get_logger

if TYPE_CHECKING:
    from vivavoce.actors.trigger.keys import KeyEvent

_CLOSING_S = 5.0

log = get_logger("trigger")


class Hotkeys:
    """Hears the keys, and goes on with others when the profile changes.

    Args:
        settings: which keys; read when they change.
        trigger: is told of them.
        held: which modifiers a person holds.
        clock: the pipeline's.
        environ: of the session.

    Attributes:
        problem: why they are not heard, in a line; empty: they are, or there are none.
    """

    def __init__(
        self,
        settings: ProfileCell,
        trigger: TriggerActor,
        held: HeldKeys,
        clock: Clock,
        environ: Mapping[str, str],
    ) -> None:
        self._settings = settings.of(lambda profile: profile.trigger)
        self._trigger = trigger
        self._held = held
        self._clock = clock
        self._environ = environ
        self._hears = _keys(self._settings())
        self._others = asyncio.Event()
        self.problem = ""
        settings.when_changed(self._look)

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._others.clear()
            settings = self._settings()
            self._hears = _keys(settings)
            self.problem = ""
            if settings.hotkey or settings.cancel_hotkey:
                await self._hear(settings)
            await self._others.wait()

    async def _hear(self, settings: TriggerSettings) -> None:
        from vivavoce.actors.trigger.hotkeys import Impossible, choose_listener
        from vivavoce.actors.trigger.listener import HotkeysUnavailable

        listener = choose_listener(settings, self._environ)
        if listener is None:
            return
        if isinstance(listener, Impossible):
            self._tell(listener.reason)
            return
        try:
            await listener.start(self._on_key)
        except HotkeysUnavailable as error:
            self._tell(str(error))
            return
        self._held.heard = True
        try:
            await self._others.wait()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSING_S):
                await listener.stop()
            self._lost(self._clock.now())  # nobody would tell that they go up

    def _look(self) -> None:
        """Other settings hold: are these other keys?"""
        if _keys(self._settings()) != self._hears:
            self._others.set()

    def _on_key(self, event: KeyEvent) -> None:
        """In the event loop. What this program presses itself is no word of a person's."""
        trigger, held = self._trigger, self._held
        ours = held.is_ours(event.at)
        match event.kind:
            case "press" if not ours:
                trigger.press(event.at)
            case "release":
                trigger.release(event.at)
            case "cancel" if not ours:
                trigger.cancel()
            case "modifier_down" if not ours:
                held.press(event.modifier)
            case "modifier_up":
                held.release(event.modifier)
            case "typed" if not held.is_typing(event.at):
                held.typed()
            case "lost":
                self._lost(event.at)
                self._tell(event.reason)
            case _:
                pass

    def _lost(self, at: float) -> None:
        self._held.heard = False
        self._trigger.keys_lost(at)
        self._held.forget()

    def _tell(self, problem: str) -> None:
        self.problem = problem
        log.warning(problem)


def _keys(settings: TriggerSettings) -> tuple[str | None, str | None, str]:
    """What a listener is made for."""
    return settings.hotkey, settings.cancel_hotkey, settings.backend
