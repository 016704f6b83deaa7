"""Which back ends are passed over for a while after they failed. Pure."""

from __future__ import annotations

_FIRST_S = 1.0
_LONGEST_S = 60.0
_SLOW_S = 0.5


class BackOff:
    """Failures of one back end: others go before it for 1, 2, 4 … 60 seconds.

    Attributes:
        reason: of its last failure.
        slow: that took long: while it rests it is not asked at all, or each text would wait for
            it. One that fails at once may still be asked when all others could not.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0
        self.reason = ""
        self.slow = False

    def failed(self, reason: str, began: float, now: float) -> None:
        """It failed at ``now`` (seconds) at what was begun at ``began``."""
        self.slow = now - began >= _SLOW_S
        self._until = now + min(_LONGEST_S, _FIRST_S * 2.0 ** min(self._failures, 10))
        self._failures += 1
        self.reason = reason

    def succeeded(self) -> None:
        """It works."""
        self._failures = 0
        self._until = 0.0
        self.reason = ""

    @property
    def suspect(self) -> bool:
        """Whether it has failed since it last worked."""
        return self._failures > 0

    def resting(self, now: float) -> bool:
        """Whether it is passed over at ``now``."""
        return self._failures > 0 and now < self._until
