"""A small program around :class:`vivavoce.Pipeline` that does what it is told, line by line.

Run as a program, it writes events to standard output as ``vivavoce run --format jsonl`` does, and
reads commands, a JSON object each, from standard input:

- ``{"do": "force", "mode": "closed"}`` and ``{"do": "wake"}``: as the methods of the pipeline.
- ``{"do": "push", "path": FILE, "at": SAMPLE, "count": SAMPLES}``: audio from a file of raw
  samples, as fast as it is taken.

Each is told when it is done, as an event of type ``told`` with the command and the time.

The end of standard input ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench import program
from vivavoce import Actor, Caption, EndOfStream, Pipeline, PushSource
from vivavoce.actors.captions.jsonl import JsonlWriter
from vivavoce.pipeline.messages import AudioBlock

_PIECE = 8_000


class Tape(Actor[Any, Any]):
    """Keeps what was captured, each sample at its place, and passes it on.

    Args:
        path: raw samples; what was not captured is 0.
    """

    name = "tape"

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    async def on_start(self) -> None:
        """Open the file."""
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT)

    async def on_message(self, message: Any) -> None:
        """Write a block; pass everything on."""
        if isinstance(message, AudioBlock):
            os.pwrite(self._file, message.pcm.tobytes(), message.start * message.pcm.itemsize)
        await self.emit(message)

    async def on_stop(self) -> None:
        """Close the file."""
        os.close(self._file)


def line(*, settings: Sequence[str], pushed: bool = False, tape: Path | None = None) -> list[str]:
    """The command line of the program.

    Args:
        settings: overrides of the profile, as for ``--set``.
        pushed: listen to what is pushed, and not to the microphone.
        tape: where to keep what was captured, as raw samples.
    """
    arguments = program("puppet")
    arguments += ["--pushed"] if pushed else []
    arguments += ["--tape", str(tape)] if tape else []
    for setting in settings:
        arguments += ["--set", setting]
    return arguments


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--pushed", action="store_true")
    parser.add_argument("--tape")
    options = parser.parse_args()
    source = PushSource() if options.pushed else None
    asyncio.run(_run(Pipeline(source=source, overrides=options.settings), options.tape))


async def _run(pipeline: Pipeline, tape: str | None) -> None:
    if tape is not None:
        pipeline.insert(Tape(tape), after="capture")
    await _Puppet(pipeline).run()


class _Puppet:
    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._writer = JsonlWriter()

    async def run(self) -> None:
        commands = await _lines()
        async with self._pipeline as pipeline:
            obeying = asyncio.create_task(self._obey(commands))
            async for event in pipeline.events():
                self._tell(event)
            await obeying

    async def _obey(self, commands: asyncio.StreamReader) -> None:
        while command := await commands.readline():
            told = json.loads(command)
            what = told["do"]
            if what == "force":
                self._pipeline.force_power(told["mode"])
            elif what == "wake":
                self._pipeline.wake()
            elif what == "push":
                await self._push(told)
            _write(json.dumps({"v": 1, "type": "told", "t": self._now(), **told}).encode() + b"\n")
        self._pipeline.stop()

    async def _push(self, told: dict[str, Any]) -> None:
        sound = np.memmap(told["path"], dtype="<i2", mode="r")
        for at in range(told["at"], told["at"] + told["count"], _PIECE):
            end = min(at + _PIECE, told["at"] + told["count"])
            await self._pipeline.feed(np.array(sound[at:end], dtype=np.int16))

    def _now(self) -> float:
        return round(self._pipeline.context.stream.elapsed(), 3)

    def _tell(self, event: Caption) -> None:
        if isinstance(event, EndOfStream):
            summary = self._pipeline.context.ledger.summary()
            _write(self._writer.finish(summary, self._now()))
        else:
            _write(self._writer.render(event, self._now()))


async def _lines() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def _write(text: bytes) -> None:
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
