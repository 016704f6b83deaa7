"""vivavoce: local, low-power, real-time speech-to-text.

The public names, in the order in which most programs need them:

- :class:`Pipeline` — the pipeline as an asynchronous context manager; iterate ``events()``.
- :func:`listen` — finals without asyncio.
- :class:`PushSource` — a source that your program feeds with arrays.
- :class:`Actor` — the base of your own actors, for :meth:`Pipeline.insert`.
- the messages (:class:`Partial`, :class:`Final`, :class:`Revision`, :class:`Gap`, …).
- :class:`VivavoceError` and :class:`ProfileError` — what can go wrong, in one line each.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vivavoce.actors.capture import PushSource
    from vivavoce.actors.capture.source import Source
    from vivavoce.assembly import Pipeline
    from vivavoce.config import Profile, ProfileError, VivavoceError, load_profile
    from vivavoce.listening import listen
    from vivavoce.pipeline.actor import Actor
    from vivavoce.pipeline.channel import Overload
    from vivavoce.pipeline.messages import (
        SAMPLE_RATE,
        Caption,
        EndOfStream,
        Final,
        Gap,
        Partial,
        PowerChanged,
        Revision,
        Word,
        seconds,
    )

__version__ = "0.1.0"

# Public names are found on first use, so that importing the package costs nothing: process start
# to first captured sample is a budget.
_HOMES = {
    "PushSource": "vivavoce.actors.capture",
    "Source": "vivavoce.actors.capture.source",
    "Pipeline": "vivavoce.assembly",
    "Profile": "vivavoce.config",
    "ProfileError": "vivavoce.config",
    "VivavoceError": "vivavoce.config",
    "load_profile": "vivavoce.config",
    "listen": "vivavoce.listening",
    "Actor": "vivavoce.pipeline.actor",
    "Overload": "vivavoce.pipeline.channel",
    "SAMPLE_RATE": "vivavoce.pipeline.messages",
    "Caption": "vivavoce.pipeline.messages",
    "EndOfStream": "vivavoce.pipeline.messages",
    "Final": "vivavoce.pipeline.messages",
    "Gap": "vivavoce.pipeline.messages",
    "Partial": "vivavoce.pipeline.messages",
    "PowerChanged": "vivavoce.pipeline.messages",
    "Revision": "vivavoce.pipeline.messages",
    "Word": "vivavoce.pipeline.messages",
    "seconds": "vivavoce.pipeline.messages",
}

__all__ = [
    "SAMPLE_RATE",
    "Actor",
    "Caption",
    "EndOfStream",
    "Final",
    "Gap",
    "Overload",
    "Partial",
    "Pipeline",
    "PowerChanged",
    "Profile",
    "ProfileError",
    "PushSource",
    "Revision",
    "Source",
    "VivavoceError",
    "Word",
    "listen",
    "load_profile",
    "seconds",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'vivavoce' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
