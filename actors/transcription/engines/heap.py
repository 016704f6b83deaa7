"""Freed memory goes back to the system.

The environment of an engine's process keeps the C library from doing so by itself: an encoder takes
and frees the same arrays many times in a decoding, and getting them anew page by page would cost
more than a tenth of it. So it is done once, when the decoding is over.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache


def give_back() -> None:
    """Return what is free to the system; nothing happens where the C library is not glibc."""
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return found
