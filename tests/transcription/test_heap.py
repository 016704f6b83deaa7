"""What a decoding freed goes back to the system, though the C library was told to keep it."""

import os
import subprocess
import sys
import textwrap

import pytest

from vivavoce.actors.transcription.engine_process import _ENVIRON
from vivavoce.actors.transcription.engines.heap import _malloc_trim

SCRIPT = """
    import numpy as np, psutil
    from vivavoce.actors.transcription.engines.heap import give_back

    arrays = [np.ones(200_000) for _ in range(100)]  # 160 MB
    kept = np.ones(1_000)  # above them
    del arrays
    before = psutil.Process().memory_info().rss
    give_back()
    print(before - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(_malloc_trim() is None, reason="the C library is not glibc")
def test_freed_memory_is_kept_until_it_is_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(SCRIPT)],
        env={**os.environ, **_ENVIRON},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert int(done.stdout) > 120_000_000
