"""What all probes share: a time limit, and silence about a desktop that is broken."""

from __future__ import annotations

import asyncio

import msgspec

from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import Focus

log = get_logger("focus")

PATIENCE_S = 0.2
"""How long a desktop may take to say which window has the focus."""


class Probe:
    """Base of the probes: :meth:`ask` may fail and may hang, :meth:`focus` does neither."""

    def __init__(self) -> None:
        self._told = False

    async def focus(self) -> Focus | None:
        """The window that has the focus; None: that cannot be found out within 200 ms."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                focus = await self.ask()
        except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
            if not self._told:  # once, until it works again
                self._told = True
                log.debug("focus_unknown", probe=type(self).__name__, error=repr(error))
            return None
        self._told = False
        return focus

    async def ask(self) -> Focus | None:
        """Ask the desktop.

        Raises:
            OSError: it does not answer (TimeoutError among them).
            EOFError: it hung up.
            ValueError: its answer makes no sense; msgspec.MsgspecError as well.
        """
        return None


class UnknownFocus(Probe):
    """A desktop that tells nobody: GNOME and KDE on Wayland, a console, another system."""
