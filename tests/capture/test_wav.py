"""Plain WAV files are read as PyAV reads them, and everything else is left to it."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.program import SPEECH

from vivavoce.actors.capture.decoding import decode_container
from vivavoce.actors.capture.source import SourceError
from vivavoce.actors.capture.wav import plain_wav

TONE = (8_000 * np.sin(np.arange(40_001) / 7)).astype("<i2")
PLAIN = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)


def chunk(name: bytes, content: bytes, length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    return name + struct.pack("<I", size) + content + b"\0" * (len(content) % 2)


def wav(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def by_pyav(path: Path) -> np.ndarray:
    return np.concatenate(list(decode_container(f"file:{path}", "it", lambda text: None)))


def by_us(path: Path) -> np.ndarray | None:
    pieces = plain_wav(path)
    return None if pieces is None else np.concatenate(list(pieces))


@pytest.mark.parametrize("path", sorted(SPEECH.glob("*.wav")), ids=lambda path: path.name)
def test_recordings_give_the_very_samples_that_pyav_gives(path: Path) -> None:
    ours = by_us(path)
    assert ours is not None
    np.testing.assert_array_equal(ours, by_pyav(path))


@pytest.mark.parametrize(
    "content",
    [
        wav(chunk(b"fmt ", PLAIN), chunk(b"data", TONE.tobytes())),
        wav(chunk(b"fmt ", PLAIN), chunk(b"data", TONE[:3].tobytes())),
        wav(chunk(b"fmt ", PLAIN + b"\0\0"), chunk(b"data", TONE.tobytes())),
        wav(chunk(b"junk", b"odd"), chunk(b"fmt ", PLAIN), chunk(b"data", TONE.tobytes())),
        wav(chunk(b"fmt ", PLAIN), chunk(b"data", TONE.tobytes()), chunk(b"LIST", b"INFO")),
    ],
    ids=["plain", "tiny", "long format", "odd chunk before", "list behind"],
)
def test_plain_files_are_read_as_pyav_reads_them(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "it.wav"
    path.write_bytes(content)
    ours = by_us(path)
    assert ours is not None
    assert ours.dtype == np.int16
    np.testing.assert_array_equal(ours, by_pyav(path))


def _format(**changed: int) -> bytes:
    values = {"tag": 1, "channels": 1, "rate": 16_000, "bytes": 32_000, "align": 2, "bits": 16}
    return chunk(b"fmt ", struct.pack("<HHIIHH", *(values | changed).values()))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        wav(),
        wav(chunk(b"data", TONE.tobytes())),
        wav(_format(rate=8_000, bytes=16_000), chunk(b"data", TONE.tobytes())),
        wav(_format(channels=2, bytes=64_000, align=4), chunk(b"data", TONE.tobytes())),
        wav(_format(bits=8, bytes=16_000, align=1), chunk(b"data", TONE.tobytes())),
        wav(_format(tag=7), chunk(b"data", TONE.tobytes())),
        wav(_format(tag=0xFFFE), chunk(b"data", TONE.tobytes())),
        wav(chunk(b"fmt ", PLAIN), chunk(b"data", b"")),
        wav(chunk(b"fmt ", PLAIN), chunk(b"data", TONE.tobytes(), 0)),
        wav(chunk(b"fmt ", PLAIN), chunk(b"data", TONE.tobytes(), 0xFFFFFFFF)),
        wav(chunk(b"fmt ", PLAIN), chunk(b"data", TONE.tobytes(), 2 * len(TONE) + 2)),
        wav(chunk(b"fmt ", PLAIN), chunk(b"data", TONE.tobytes()[:-1])),
        b"RF64" + wav(chunk(b"fmt ", PLAIN), chunk(b"data", TONE.tobytes()))[4:],
        wav(chunk(b"fmt ", PLAIN[:10], 10)),
    ],
)
def test_everything_else_is_left_to_pyav(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "it.wav"
    path.write_bytes(content)
    assert plain_wav(path) is None


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_damaged_files_are_read_as_pyav_reads_them(tmp_path_factory, data) -> None:
    content = bytearray(
        wav(chunk(b"fmt ", PLAIN), chunk(b"LIST", b"INFO"), chunk(b"data", TONE[:300].tobytes()))
    )
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, 55))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("wav") / "it.wav"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    ours = by_us(path)
    if ours is None:
        return
    try:
        theirs = by_pyav(path)
    except SourceError:
        return  # FFmpeg refuses files for what stands in a chunk that is of no use here
    np.testing.assert_array_equal(ours, theirs)


def test_pyav_is_not_imported_for_them() -> None:
    probe = f"""
import asyncio, sys
from pathlib import Path
from vivavoce.actors.capture.recording import RecordingSource
from vivavoce.pipeline.clock import LoopClock

async def main():
    path = Path({str(SPEECH / "utt-002-awb.wav")!r})
    source = RecordingSource(path, pace="max", block_ms=32, clock=LoopClock())
    await source.open()
    print(sum([len(block.pcm) async for block in source.blocks()]))
    await source.close()

asyncio.run(main())
print("av" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", probe], capture_output=True, text=True, timeout=60, check=True
    )
    count, imported = done.stdout.split()
    assert int(count) > 30_000
    assert imported == "False"
