"""Commands that overtook each other on their way here.

A desktop starts a process at the press of a key, and another at its release. Which of them connects
first is a matter of luck where the key was only tapped: a `start` that came behind its `stop` would
record until somebody noticed.
"""

from __future__ import annotations

_SAME_CLOCK_S = 10.0


class CommandOrder:
    """Remembers when the last command was given, to know one that was given before it.

    Pure: times are seconds of one clock.
    """

    def __init__(self) -> None:
        self._last = 0.0

    def is_outdated(self, began: float, now: float) -> bool:
        """Whether a later command has been obeyed already; otherwise this one is now the last.

        Args:
            began: when its process was started; 0: not known. A time that is not shortly before
                ``now`` is of another clock (a container's) and says nothing.
            now: the time.
        """
        if not 0.0 <= now - began <= _SAME_CLOCK_S:
            return False
        if began < self._last:
            return True
        self._last = began
        return False
