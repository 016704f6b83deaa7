"""Checks of `vivavoce doctor` for dictation: hotkeys, typing, the clipboard.

Each yields findings and types nothing. A machine without a desktop needs none of it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping

from vivavoce.actors.injection.back_end import BackEnd
from vivavoce.cli.finding import Finding


def hotkeys(environ: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Can global hotkeys be heard?"""
    from vivavoce.actors.trigger.hotkeys import Impossible, choose_listener
    from vivavoce.config.trigger import TriggerSettings

    environ = os.environ if environ is None else environ
    found = choose_listener(TriggerSettings(hotkey="right_ctrl"), environ)
    if isinstance(found, Impossible):
        why, _, fix = found.reason.partition("; ")
        yield Finding("hotkeys", "ok", why, fix or "bind `vivavoce ctl toggle` to a key instead")
    else:
        yield Finding("hotkeys", "ok", "can be heard")


def typing(environ: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """What would type dictated text, and what catches it where that fails?"""
    from vivavoce.actors.injection.choose import make_outfit
    from vivavoce.config.injection import InjectionSettings

    environ = os.environ if environ is None else environ
    outfit = make_outfit(InjectionSettings(backend="auto"), environ)
    if not outfit.back_ends:
        yield Finding("typing", "ok", outfit.reason)
        return
    reasons = asyncio.run(_reasons(outfit.back_ends))
    usable = [name for name, why in reasons if why is None]
    if usable:
        yield Finding("typing", "ok", ", then ".join(usable))
    else:
        name, why = reasons[0]
        text, _, fix = (why or "").partition(": ")
        yield Finding("typing", "warning", f"nothing can type: {text}", fix or f"install {name}")
    if outfit.clipboard is not None:
        why = asyncio.run(outfit.clipboard.available())
        if why is None:
            yield Finding("clipboard", "ok", outfit.clipboard.name)
        else:
            text, _, fix = why.partition(": ")
            fix = fix or f"install {outfit.clipboard.name}"
            yield Finding("clipboard", "warning", text, fix)


async def _reasons(back_ends: tuple[BackEnd, ...]) -> list[tuple[str, str | None]]:
    return [(back_end.name, await back_end.available()) for back_end in back_ends]


CHECKS = (hotkeys, typing)
"""In the order in which they are shown."""
