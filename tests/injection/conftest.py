from collections.abc import Iterator

import pytest
from support.x11 import Terminal, XDisplay, missing


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XDisplay]:
    """An X server; the tests are skipped only where it cannot be had."""
    reason = missing()
    if reason:
        pytest.skip(f"no X server can be had here: {reason}")
    made = XDisplay(tmp_path_factory.mktemp("x11"))
    yield made
    made.close()


@pytest.fixture
def editor(display: XDisplay) -> Iterator[Terminal]:
    """A terminal that has the keyboard."""
    terminal = display.terminal("editor")
    yield terminal
    terminal.close()
