from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("support")  # what does not hold is told there, too

from support.pulse import PulseMicrophone, missing  # noqa: E402 - behind what rewrites it

pytest_plugins = ["support.tiers"]


@pytest.fixture
def pulse_microphone(tmp_path: Path) -> Iterator[PulseMicrophone]:
    """A private PulseAudio microphone; the test is skipped only where it cannot be had."""
    reason = missing()
    if reason:
        pytest.skip(f"no microphone can be made here: {reason}")
    folder = tmp_path / "pulse"
    folder.mkdir()
    microphone = PulseMicrophone(folder)
    yield microphone
    microphone.close()
