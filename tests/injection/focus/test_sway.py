"""The focus of a real sway."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.waiting import given_up
from support.wayland import SwaySession, missing

from vivavoce.actors.injection.focus import SwayFocus, make_probe
from vivavoce.pipeline.messages import Focus

pytestmark = [pytest.mark.desktop, pytest.mark.patient]


@pytest.fixture
def sway(tmp_path: Path) -> Iterator[SwaySession]:
    reason = missing()
    if reason:
        pytest.skip(f"no Wayland session can be made here: {reason}")
    session = SwaySession(tmp_path)
    yield session
    session.close()


@pytest.mark.smoke
async def test_it_tells_the_window_that_has_the_focus(sway: SwaySession) -> None:
    probe = make_probe(sway.environ)
    assert isinstance(probe, SwayFocus)
    assert await probe.focus() == Focus()  # an empty workspace: nobody has it

    editor, chat = sway.terminal("editor"), sway.terminal("chat")
    assert await probe.focus() == Focus(window=chat.window, application="chat")
    editor.focus()
    assert await probe.focus() == Focus(window=editor.window, application="editor")
    sway.swaymsg("floating enable")
    assert await probe.focus() == Focus(window=editor.window, application="editor")
    sway.swaymsg("workspace 9")
    assert await probe.focus() == Focus()


async def test_a_compositor_that_hangs_or_is_gone_is_no_news(sway: SwaySession) -> None:
    probe = make_probe(sway.environ)
    sway.hang()
    assert await given_up(probe.focus()) is None
    sway.go_on()
    sway.close()
    assert await probe.focus() is None
