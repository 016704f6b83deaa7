"""How fast to type. Pure."""

from __future__ import annotations

_SLOWEST = 20.0
_FASTER_BY = 0.1


class Pace:
    """Characters per second for one back end: halved by a failure, raised a little by a success.

    Additive increase, multiplicative decrease, as TCP finds the rate of a path (Chiu and Jain
    1989): a back end that loses text at a rate is soon below it, and comes back in small steps.

    Args:
        sure: the rate at which the back end is known to lose nothing; it is begun with.
    """

    def __init__(self, sure: float) -> None:
        self._sure = sure
        self._rate = sure

    def rate(self, limit: float | None) -> float:
        """Characters per second now, at most ``limit``."""
        return min(self._rate, limit) if limit is not None else self._rate

    def succeeded(self) -> None:
        """A piece was typed in full."""
        self._rate = min(self._sure, self._rate + _FASTER_BY * self._sure)

    def failed(self) -> None:
        """A piece was not."""
        self._rate = max(min(_SLOWEST, self._sure), self._rate / 2)


def piece_size(most: int, rate: float, timeout_s: float) -> int:
    """Characters to type in one call, so that half of its time is enough for them."""
    return max(1, min(most, int(rate * timeout_s / 2)))
