"""Which gaps people read of."""

import pytest

from vivavoce.actors.captions.plain import PlainWriter
from vivavoce.actors.captions.terminal import TerminalWriter
from vivavoce.pipeline.messages import Gap, GapReason


@pytest.mark.parametrize("reason", list(GapReason))
def test_every_gap_is_told_but_that_of_a_released_microphone(reason: GapReason) -> None:
    gap = Gap(start=0, end=160_000, reason=reason)
    terminal = TerminalWriter(lambda: (80, 24), colour=False)
    for written in (PlainWriter().render(gap, 1.0), terminal.render(gap, 1.0)):
        told = b"10.0 s of audio lost" in written
        assert told == (reason is not GapReason.CLOSED)
        assert told or not written.strip()
