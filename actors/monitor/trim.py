"""Memory back to the operating system."""

from __future__ import annotations

import gc
import sys


def give_memory_back() -> None:
    """Collect garbage, and let the allocator return what is free (glibc's ``malloc_trim``).

    It takes milliseconds: call it in a thread.
    """
    gc.collect()
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
    if trim is not None:
        trim(0)
