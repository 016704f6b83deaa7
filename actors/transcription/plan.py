"""Where a recording that is read ahead is divided into parts that are decoded side by side. Pure.

Inside a part, one window follows the other where a sentence ends; so a part is decoded like the
whole recording would be. It is divided by its pauses alone, long before anything is decoded: the
same recording has the same parts on every machine.
"""

from __future__ import annotations

from vivavoce.actors.transcription.settle import longest_pause
from vivavoce.actors.transcription.window import Window
from vivavoce.pipeline.messages import SAMPLE_RATE

SHORTEST_PART = 52 * SAMPLE_RATE
LONGEST_PART = 108 * SAMPLE_RATE
"""Two to four windows: longer ones leave cores idle at the end, shorter ones end in short windows,
each of which costs nearly as much as a full one."""

KNOWN = LONGEST_PART + 30 * SAMPLE_RATE
"""So much must have been read: what is left for the last part is a window at least."""


def part_ends(window: Window) -> int | None:
    """Where a stretch that is being read is divided: its longest pause, once it is long enough.

    None: it is not, or it has no pause there. A stretch without pauses goes on.
    """
    begin = window.stretch_start
    if window.heard - begin < KNOWN:
        return None
    return longest_pause(window.pauses, begin + SHORTEST_PART, begin + LONGEST_PART)
