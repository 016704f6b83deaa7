from collections.abc import Iterator
from pathlib import Path

import pytest
from support.wayland import SwaySession, missing

from vivavoce.actors.injection.tool import ToolRunner


@pytest.fixture
def sway(tmp_path: Path) -> Iterator[SwaySession]:
    """A headless session; the test is skipped only where it cannot be had."""
    reason = missing()
    if reason:
        pytest.skip(f"no Wayland session can be made here: {reason}")
    session = SwaySession(tmp_path)
    yield session
    session.close()


@pytest.fixture
def tools(sway: SwaySession) -> ToolRunner:
    """Runs tools inside the session."""
    return ToolRunner(sway.environ)
