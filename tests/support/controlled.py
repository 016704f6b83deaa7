"""A program that is controlled: the real claim, server and socket around a stand-in for the rest.

Run as a script it is a process that ends as the real one does: `quit` finishes what was said first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vivavoce.actors.desktop.delivery import Outcome
from vivavoce.config import ProfileError, VivavoceError
from vivavoce.control import client
from vivavoce.control.claim import InstanceClaim
from vivavoce.control.instance import Changes
from vivavoce.control.place import Place
from vivavoce.control.protocol import DeliveryStatus, EngineStatus, Status
from vivavoce.control.server import serve
from vivavoce.pipeline.messages import PowerMode


@dataclass
class StandIn:
    """Does what it is told to, and remembers it."""

    changes: Changes = field(default_factory=Changes)
    told: list[Any] = field(default_factory=list)
    recording: bool = False
    mode: Any = "hold"
    power: PowerMode = PowerMode.LISTENING
    profile: str = "dictation"
    problem: str = ""
    finals: int = 0
    uptime_s: float = 0.0
    pending_s: float = 0.0
    quitting: asyncio.Event = field(default_factory=asyncio.Event)
    say: Callable[[str], None] = lambda _: None

    def status(self) -> Status:
        self.uptime_s += 1.0
        return Status(
            pid=os.getpid(),
            version="0.1.0",
            profile=self.profile,
            mode=self.mode,
            recording=self.recording,
            power=self.power,
            engine=EngineStatus(name="faster-whisper", model="base.en", ready=True),
            microphone="USB \x1b[2J mic",
            uptime_s=self.uptime_s,
            pending_s=self.pending_s,
            finals=self.finals,
            delivery=DeliveryStatus(outcome=Outcome.TYPED, back_end="wtype", application="foot"),
            problem=self.problem,
        )

    async def start(self) -> None:
        self._set("start", True)

    async def stop(self) -> None:
        self._set("stop", False)

    async def toggle(self) -> None:
        self._set("toggle", not self.recording)

    async def cancel(self) -> None:
        self._set("cancel", False)

    def _set(self, what: str, recording: bool) -> None:
        self.told.append(what)
        self.recording = recording
        self.changes.tell()

    async def set_mode(self, mode: Any) -> None:
        self.told.append(("mode", mode))
        self.mode = mode or "hold"
        self.changes.tell()

    async def set_power(self, mode: str) -> None:
        self.told.append(("power", mode))
        if mode == "active":
            raise VivavoceError("power: not that one")
        self.power = PowerMode.LISTENING if mode == "auto" else PowerMode(mode)

    async def use_profile(self, name: str) -> None:
        self.told.append(("profile", name))
        if name == "hangs":
            self.say("hangs")
            await asyncio.get_running_loop().create_future()
        if name == "broken":
            raise KeyError("a mistake in the program")
        if name == "system":
            raise PermissionError("a mistake in the program")
        if name == "wrong":
            raise ProfileError("wrong.yaml:3: vad.pause: unknown setting")
        self.profile = name
        self.changes.tell()

    def quit(self) -> None:
        self.told.append("quit")
        self.say("quitting")
        self.quitting.set()


@dataclass
class Process:
    """The script below, running. One that ``waits`` ends only when it is let go."""

    child: subprocess.Popen[str]

    @classmethod
    def begin(cls, environ: dict[str, str], *, instance: str = "default", waits: bool = False):
        child = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__)), instance],
            env=environ,
            stdin=subprocess.PIPE if waits else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        process = cls(child)
        process.wait_for("ready")
        return process

    def wait_for(self, word: str) -> None:
        """Return when it says this next."""
        assert self.child.stdout is not None
        said = self.child.stdout.readline()
        assert said == f"{word}\n", (said, self.child.communicate()[1])

    def let_go(self) -> None:
        """What keeps it from its end is done."""
        assert self.child.stdin is not None
        self.child.stdin.close()

    def kill(self) -> None:
        self.child.kill()
        self.child.communicate()

    def end(self) -> None:
        if self.child.poll() is None:
            self.kill()


async def _run(instance: str) -> None:
    def say(word: str) -> None:
        print(word, flush=True)

    stand_in = StandIn(say=say)
    with InstanceClaim.acquire(Place(instance, os.environ)) as claim:
        async with serve(stand_in, claim):
            say("ready")
            await stand_in.quitting.wait()
            await asyncio.to_thread(sys.stdin.read)
            stand_in.finals += 1
        say("ended")


@contextlib.asynccontextmanager
async def served(home: Path) -> AsyncIterator[tuple[StandIn, Place]]:
    from support.program import isolated  # as a script, this file is alone

    place = Place("default", isolated(home))
    stand_in = StandIn()
    with InstanceClaim.acquire(place) as claim:
        async with serve(stand_in, claim):
            yield stand_in, place


async def ask(place: Place, command: str, **arguments: Any) -> dict[str, Any]:
    return await asyncio.to_thread(client.ask, place, command, **arguments)


async def raw(place: Place, data: bytes, *, end: bool = False) -> dict[str, Any]:
    """Send bytes and return the answer."""
    reader, writer = await asyncio.open_unix_connection(str(place.socket))
    try:
        writer.write(data)
        if end:
            writer.write_eof()
        return json.loads(await reader.readline())
    finally:
        writer.close()


async def listen_in(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(str(place.socket))
    writer.write(b'{"v":1,"do":"status","follow":true}\n')
    return reader, writer


async def next_status(reader: asyncio.StreamReader) -> dict[str, Any]:
    async with asyncio.timeout(60):
        return json.loads(await reader.readline())["status"]


async def assert_serves(place: Place) -> None:
    async with asyncio.timeout(60):
        assert (await ask(place, "status"))["status"]["pid"] == os.getpid()


if __name__ == "__main__":
    try:
        asyncio.run(_run(sys.argv[1]))
    except VivavoceError as error:
        sys.exit(f"vivavoce: error: {error}")
