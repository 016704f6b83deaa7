"""The X server ends while there is something to type: nothing is lost, and nobody falls over."""

import asyncio
from pathlib import Path

import pytest
from support.injecting import Rig, final, profile
from support.waiting import advance, moment
from support.x11 import XDisplay, missing

from vivavoce.actors.injection.focus.x11 import X11Focus

pytestmark = [pytest.mark.desktop, pytest.mark.patient]


@pytest.mark.parametrize("back_end", ["xdotool", "pynput"])
async def test_what_comes_after_the_death_of_the_server_is_told(tmp_path: Path, back_end: str):
    if reason := missing():
        pytest.skip(f"no X server can be had here: {reason}")
    display = XDisplay(tmp_path)
    failures: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, told: failures.append(str(told)))
    try:
        terminal = display.terminal()
        rig = Rig(
            profile({"backend": [back_end]}),
            probe=X11Focus(display.environ),
            environ=display.environ,
        )
        await rig.say(final(1, "Grün €5 žluť."))
        assert rig.outcomes == ["typed"]
        display.kill()
        terminal.close()
        advance(3.5)  # lent keys were to be given back by now
        await moment()
        await rig.say(final(2, "Nobody is there."))
        assert rig.outcomes == ["typed", "failed"]
        assert rig.deliveries[-1].reason
        await rig.stop()
    finally:
        display.close()
    assert failures == []
