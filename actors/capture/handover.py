"""From one open stream to the next, without losing or doubling a sample."""

from __future__ import annotations

from collections import deque

import numpy as np

from vivavoce.actors.capture.alignment import find_offset
from vivavoce.actors.capture.device_stream import DeviceStream
from vivavoce.pipeline.messages import Pcm

_HISTORY_S = 0.5
_OVERLAP_S = 0.15
_SURE_S = 0.75
"""How much the new stream has heard when both surely have enough in common; till then only equal
samples count."""
_GIVES_UP_S = 1.5
"""How much the new stream has heard when there is no more hope that it hears what the old does."""


class Handover:
    """What two streams hear at the same time, until the second can continue the first.

    Both record the same sound, so that is where they are laid above each other. Where that shows
    nothing (silence, another device) it is the time at which each sample was captured.

    Args:
        old: the stream that is read; :meth:`heard` is told what.
        new: the one that is to go on. Its ring is read here until it does.
        history: what was read from ``old`` last, without a hole, up to its position.
    """

    def __init__(self, old: DeviceStream, new: DeviceStream, history: History) -> None:
        self._old = old
        self._new = new
        self._history = history
        self._ahead: Pcm = np.zeros(0, dtype=np.int16)
        self._same = old.device == new.device and old.rate == new.rate

    def attempt(self) -> bool:
        """Let ``new`` go on exactly behind what was read from ``old``, if that can be told by now.

        Call after something has come from either.
        """
        self._gather()
        new, old = self._new, self._old
        if new.latest is None or old.latest is None:
            return False
        read = new.ring.position
        first = read - len(self._ahead)
        expected = round((new.time_of(0) - old.time_of(0)) * -new.rate)
        offset = self._offset(expected, first) if self._same else expected
        if offset is None:
            return False
        at = round(old.position * new.rate / old.rate) + offset
        if at < first:  # the new one began later than what was read: read on
            return False
        new.go_on_at(at, self._ahead)
        return True

    def _gather(self) -> None:
        ring = self._new.ring
        pieces = [self._ahead]
        while True:
            if ring.take_hole() is not None:
                pieces.clear()
            pcm = ring.read(self._new.block)
            if pcm is None:
                break
            pieces.append(pcm)
        self._ahead = np.concatenate(pieces) if pieces else self._ahead[:0]

    def _offset(self, expected: int, first: int) -> int | None:
        """What to add to an index of the old stream for that of the same sample in the new one."""
        history = self._history.pcm()
        begin = self._old.position - len(history)
        overlap = round(_OVERLAP_S * self._new.rate)
        if len(history) >= overlap and len(self._ahead) >= overlap:
            found = find_offset(
                history,
                self._ahead,
                expected=begin + expected - first,
                overlap=overlap,
                exact=len(self._ahead) < _SURE_S * self._new.rate,
            )
            if found is not None:
                return found + first - begin
            silent = not (history.any() or self._ahead.any())
            if silent or len(self._ahead) >= _GIVES_UP_S * self._new.rate:
                return expected
        return None


class History:
    """The newest half second of what was read from a stream.

    Args:
        rate: samples per second; positive.
    """

    def __init__(self, rate: int) -> None:
        self._most = round(_HISTORY_S * rate)
        self._pieces: deque[Pcm] = deque()
        self._length = 0

    def heard(self, pcm: Pcm) -> None:
        """These samples were read next, shape ``(n,)``."""
        self._pieces.append(pcm)
        self._length += len(pcm)
        while self._length - len(self._pieces[0]) >= self._most:
            self._length -= len(self._pieces.popleft())

    def hole(self) -> None:
        """Samples are missing: what came before lies elsewhere."""
        self._pieces.clear()
        self._length = 0

    def pcm(self) -> Pcm:
        """All of it, shape ``(n,)``."""
        return np.concatenate([*self._pieces, np.zeros(0, dtype=np.int16)])
