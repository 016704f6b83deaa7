"""Bytes out: full pipes, closed ones, full disks, and what is left on the screen."""

import asyncio
import errno
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from support.waiting import given_up, moment

from vivavoce.actors.captions import CaptionActor
from vivavoce.actors.captions.jsonl import JsonlWriter
from vivavoce.actors.captions.plain import PlainWriter
from vivavoce.actors.captions.revisions import PatientWriter
from vivavoce.actors.captions.terminal import TerminalWriter
from vivavoce.actors.captions.writer import CaptionWriter, Output, OutputClosed, OutputFailed
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.messages import (
    Caption,
    EndOfStream,
    Final,
    Gap,
    GapReason,
    Partial,
    Revision,
)


@pytest.fixture
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Reader and writer of a pipe."""
    reading, writing = os.pipe()
    with open(reading, "rb", buffering=0) as reader, open(writing, "wb") as writer:  # noqa: PTH123
        yield reader, writer


def fill(writer: BinaryIO) -> int:
    """Fill a pipe to the brim; how many bytes it took."""
    os.set_blocking(writer.fileno(), False)
    taken = 0
    try:
        while True:
            taken += os.write(writer.fileno(), b"." * 4096)
    except BlockingIOError:
        return taken
    finally:
        os.set_blocking(writer.fileno(), True)


def drain(reader: BinaryIO, wanted: int, result: list[bytes]) -> threading.Thread:
    def read() -> None:
        while sum(map(len, result)) < wanted:
            result.append(os.read(reader.fileno(), 65_536))

    thread = threading.Thread(target=read)
    thread.start()
    return thread


async def goes_round(work: "asyncio.Task[None]") -> None:
    """Return when the loop got round often, and ``work`` is not done: nobody lets it go on."""
    for _ in range(20):
        await moment(0.005)
        assert not work.done()


@pytest.mark.parametrize("blocking", [True, False])
@pytest.mark.parametrize("size", [10, 300_000])
async def test_a_full_pipe_does_not_hold_up_the_loop(
    pipe: tuple[BinaryIO, BinaryIO], size: int, blocking: bool
) -> None:
    reader, writer = pipe
    taken = fill(writer)
    os.set_blocking(writer.fileno(), blocking)
    output = Output(writer)
    task = asyncio.create_task(output.write(b"x" * size))
    await goes_round(task)
    assert output.stalled
    got: list[bytes] = []
    thread = drain(reader, taken + size, got)
    await task
    thread.join()
    assert b"".join(got) == b"." * taken + b"x" * size
    assert not output.stalled


async def test_more_than_a_pipe_holds_does_not_hold_up_the_loop(
    pipe: tuple[BinaryIO, BinaryIO],
) -> None:
    reader, writer = pipe
    task = asyncio.create_task(Output(writer).write(b"x" * 200_000))
    await goes_round(task)
    got: list[bytes] = []
    thread = drain(reader, 200_000, got)
    await task
    thread.join()


async def test_a_closed_pipe_is_output_closed(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    reader, writer = pipe
    output = Output(writer)
    reader.close()
    with pytest.raises(OutputClosed) as caught:
        await output.write(b"x")
    assert caught.value.exit_code == 0
    assert str(caught.value) == ""
    writer.close()  # raises where bytes were left in its buffer


async def test_a_pipe_closed_while_it_is_full_is_output_closed(
    pipe: tuple[BinaryIO, BinaryIO],
) -> None:
    reader, writer = pipe
    fill(writer)
    task = asyncio.create_task(Output(writer).write(b"x"))
    await moment()
    reader.close()
    with pytest.raises(OutputClosed):
        await task


async def test_a_closed_stream_is_output_closed() -> None:
    stream = io.BytesIO()
    stream.close()
    with pytest.raises(OutputClosed):
        await Output(stream).write(b"x")


async def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("wb") as stream:
        with pytest.raises(OutputFailed) as caught:
            await Output(stream).write(b"x")
    reason = os.strerror(errno.ENOSPC)
    assert str(caught.value) == f"the captions cannot be written: {reason}"
    assert caught.value.exit_code == 1


async def test_a_file_gets_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "captions"
    with path.open("wb") as stream:
        stream.write(b"before\n")
        output = Output(stream)
        for number in range(100):
            await output.write(b"%d" % number * 1000)
    expected = b"before\n" + b"".join(b"%d" % number * 1000 for number in range(100))
    assert path.read_bytes() == expected


# -- the actor

MESSAGES: list[Caption] = [
    Partial(utterance=1, revision=1, start=0, end=1, stable="so", tail="it"),
    Final(utterance=1, start=0, end=16_000, text="So it is: \ud800 é."),
    Gap(start=16_000, end=32_000, reason=GapReason.OVERRUN),
]


async def shown(writer: CaptionWriter, *messages: Caption) -> tuple[bytes, ActorContext]:
    stream, context = io.BytesIO(), ActorContext()
    context.ledger.capture(32_000)
    actor = CaptionActor(writer, stream, context=context)
    inbox = actor.inbox
    for message in messages:
        inbox.send_nowait(message)
    inbox.close()
    await actor.on_start()
    await actor.run()
    await actor.on_stop()
    return stream.getvalue(), context


async def test_the_actor_writes_what_its_writer_renders() -> None:
    written, context = await shown(PlainWriter(), *MESSAGES, EndOfStream(end=32_000))
    assert written.decode() == "So it is: \ufffd é.\n[1.0 s of audio lost: overrun]\n"
    counters = context.metrics.counters()
    assert counters['vivavoce_captions_total{type="final"}'] == 1
    assert counters['vivavoce_captions_total{type="endofstream"}'] == 1


async def test_the_end_of_the_stream_carries_the_ledger() -> None:
    written, context = await shown(JsonlWriter(), *MESSAGES, EndOfStream(end=32_000))
    assert written.decode().splitlines()[-1] == (
        '{"v":1,"type":"end","t":0.0,"ledger":{"captured":32000,"transcribed":0,"silence":0,'
        '"dropped":0,"pending":32000}}'
    )
    assert context.ledger.summary().captured == 32_000


async def test_a_run_that_fails_leaves_no_partial_on_the_screen_and_no_end_in_jsonl() -> None:
    terminal = TerminalWriter(lambda: (80, 24), colour=False)
    assert (await shown(terminal, MESSAGES[0]))[0] == b"so it\r\x1b[2K"
    assert b'"end"' not in (await shown(JsonlWriter(), MESSAGES[0]))[0].split(b'"tail"')[1]


@pytest.mark.parametrize("ended", [True, False])
async def test_finals_that_wait_for_a_revision_are_written_when_the_run_ends_or_fails(
    ended: bool,
) -> None:
    second = Final(utterance=2, start=16_000, end=32_000, text="Draft.")
    messages = [MESSAGES[1], second, Revision(utterance=2, text="Exact.")]
    if ended:
        messages.append(EndOfStream(end=32_000))
    written, _ = await shown(PatientWriter(PlainWriter()), *messages)
    assert written.decode() == "So it is: \ufffd é.\nExact.\n"


async def test_what_waits_does_not_keep_an_actor_from_stopping(
    pipe: tuple[BinaryIO, BinaryIO],
) -> None:
    _reader, writer = pipe
    actor = CaptionActor(PatientWriter(PlainWriter()), writer)
    for number in range(60):  # more than a pipe holds, and nobody reads it
        text = f"{number} " + "word " * 1_000
        await actor.on_message(Final(utterance=number, start=0, end=1, text=text))
    await given_up(actor.on_stop())


async def test_an_actor_whose_output_is_stuck_still_stops(
    pipe: tuple[BinaryIO, BinaryIO],
) -> None:
    reader, writer = pipe
    taken = fill(writer)
    actor = CaptionActor(TerminalWriter(lambda: (80, 24), colour=False), writer)
    task = asyncio.create_task(actor.on_message(MESSAGES[0]))
    await moment()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await given_up(actor.on_stop())
    got: list[bytes] = []
    drain(reader, taken + len("so it"), got).join()
    assert b"".join(got).endswith(b".so it")


async def test_an_actor_whose_reader_went_away_says_so_once(
    pipe: tuple[BinaryIO, BinaryIO],
) -> None:
    reader, writer = pipe
    reader.close()
    actor = CaptionActor(TerminalWriter(lambda: (80, 24), colour=False), writer)
    with pytest.raises(OutputClosed):
        await actor.on_message(MESSAGES[0])
    await actor.on_stop()
