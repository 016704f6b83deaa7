"""Standard input and pipes: at once, stoppable, and seekable where they can be."""

import asyncio
import fcntl
import os
import sys
import termios
from pathlib import Path

import av
import numpy as np
import pytest
from support.program import SPEECH, read_wave
from support.waiting import moment, until

from vivavoce.actors.capture import make_source
from vivavoce.actors.capture.source import SourceError
from vivavoce.actors.capture.stdin import PipeSource, StdinSource
from vivavoce.config.schema import CaptureSettings
from vivavoce.pipeline.clock import LoopClock

GOOD = SPEECH / "utt-002-awb.wav"
RAW = read_wave(GOOD)


def unread(pipe: int) -> int:
    """Bytes that lie in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def stdin(fd: int) -> StdinSource:
    return StdinSource(pace="max", block_ms=32, clock=LoopClock(), fd=fd)


async def test_live_sound_is_passed_on_at_once_and_stopping_keeps_what_was_read() -> None:
    read, write = os.pipe()
    source = stdin(read)
    os.write(write, RAW[:2_048])
    await source.open()
    blocks = source.blocks()
    async with asyncio.timeout(60):
        got = [await anext(blocks), await anext(blocks)]
        os.write(write, RAW[2_048:3_072])
        got.append(await anext(blocks))  # 32 ms, though a second is a chunk
        os.write(write, RAW[3_072:3_572])
        await until(lambda: unread(read) == 0, "it is not read")
        source.stop()
        got += [block async for block in blocks]
    await source.close()
    os.close(read)
    os.close(write)
    assert b"".join(block.pcm.tobytes() for block in got) == RAW[:3_572]


async def test_a_reading_that_is_cancelled_leaves_no_thread_behind() -> None:
    read, write = os.pipe()
    source = stdin(read)
    opening = asyncio.create_task(source.open())
    await moment()
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    async with asyncio.timeout(60):
        await source.close()
        await source.close()
    before = len(list(Path("/proc/self/fd").iterdir()))
    os.close(read)
    os.close(write)
    assert len(list(Path("/proc/self/fd").iterdir())) == before - 2


async def test_a_redirected_file_can_be_sought_in(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"  # its index comes last
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.frombuffer(RAW, dtype=np.int16)[None, :].copy(), "s16", "mono"
        )
        frame.sample_rate = 16_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with path.open("rb") as file:
        source = stdin(file.fileno())
        await source.open()
        count = sum([len(block.pcm) async for block in source.blocks()])
        await source.close()
    assert abs(count - len(RAW) // 2) < 4_000


async def test_a_redirected_recording_stops_at_once() -> None:
    with (SPEECH / "talk-2-rms.wav").open("rb") as file:
        source = stdin(file.fileno())
        await source.open()
        count = 0
        async for _ in source.blocks():
            count += 1
            source.stop()
        await source.close()
    assert count == 1


@pytest.mark.parametrize("what", ["text", "folder"])
async def test_what_is_no_sound_is_one_line(tmp_path: Path, what: str) -> None:
    path = tmp_path / "notes"
    path.write_text("Not a word of this is sound.\n" * 9)
    fd = os.open(path if what == "text" else tmp_path, os.O_RDONLY)
    source = stdin(fd)
    with pytest.raises(SourceError, match=r"text, not sound|cannot be read: Is a directory"):
        await source.open()
    await source.close()
    os.close(fd)


async def test_the_path_of_a_pipe_is_read_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    source = make_source(CaptureSettings(source=str(path), pace="max"), LoopClock())
    assert isinstance(source, PipeSource)
    opening = asyncio.create_task(source.open())
    await moment()
    assert not opening.done()  # nobody writes yet
    await asyncio.to_thread(path.write_bytes, RAW[:32_000])
    async with asyncio.timeout(60):
        await opening
        pcm = [block.pcm.tobytes() async for block in source.blocks()]
        await source.close()
    assert b"".join(pcm) == RAW[:32_000]


async def test_a_pipe_that_nobody_writes_to_can_be_stopped(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    source = make_source(CaptureSettings(source=str(path), pace="max"), LoopClock())
    opening = asyncio.create_task(source.open())
    await moment()
    source.stop()
    await opening
    assert [block async for block in source.blocks()] == []
    await source.close()
