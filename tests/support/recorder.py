"""A program that records from the real microphone and does what the lines on its input say.

Run as ``python -P recorder.py OUT``; it prints a line for each event and, at the end, one object
with all that came. ``OUT`` gets the samples, with zeros where there are gaps.
"""

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path

import numpy as np

from vivavoce.actors.capture.microphone import MicrophoneSource
from vivavoce.config.power import ModeSettings
from vivavoce.config.schema import CaptureSettings
from vivavoce.pipeline.messages import Gap, PowerMode
from vivavoce.pipeline.metrics import Metrics
from vivavoce.pipeline.power import Power


def say(**event: object) -> None:
    print(json.dumps(event), flush=True)


class Recorder:
    def __init__(self, out: str, device) -> None:
        self.out = Path(out)
        self.metrics = Metrics()
        self.source = MicrophoneSource(device, block_ms=32, ring_s=30)
        self.source.measure(self.metrics)

    async def obey(self, line: str) -> None:
        command, *rest = line.split()
        if command == "power":
            mode, block_ms, microphone = rest
            settings = ModeSettings(block_ms=int(block_ms), microphone=microphone)
            await self.source.set_power(Power(mode=PowerMode(mode), settings=settings))
        elif command == "device":
            await self.source.set_capture(CaptureSettings(device=json.loads(" ".join(rest))))
        elif command == "cost":
            usage = time.process_time()
            say(event="cost", cpu=usage, at=time.monotonic(), wakeups=wakeups())
        elif command == "gauges":
            say(event="gauges", **self.metrics.gauges())
        elif command == "threads":
            say(event="threads", count=len(list(Path("/proc/self/task").iterdir())))
        else:
            self.source.stop()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str] = asyncio.Queue()
        loop.add_reader(0, lambda: [queue.put_nowait(line) for line in lines_or_stop()])
        began = time.perf_counter()
        await self.source.open()
        say(event="open", took=time.perf_counter() - began)
        obeying = asyncio.create_task(self.listen(queue))
        pieces, items, expected = [], [], 0
        async for item in self.source.blocks():
            assert item.start == expected, (item.start, expected)
            if not expected:
                say(event="first", at=time.perf_counter() - began)
            expected = item.end
            if isinstance(item, Gap):
                items.append([item.start, item.end, item.reason.value])
                pieces.append(np.zeros(item.end - item.start, np.int16))
                say(event="gap", start=item.start, end=item.end, reason=item.reason.value)
            else:
                pieces.append(item.pcm)
        obeying.cancel()
        closing = time.perf_counter()
        await self.source.close()
        np.concatenate(pieces).tofile(self.out)
        handovers = self.metrics.histogram("vivavoce_capture_handover_seconds").summary()
        say(
            event="end",
            samples=expected,
            gaps=items,
            counters=dict(self.metrics.counters()),
            gauges=dict(self.metrics.gauges()),
            handover_s=[handovers.p50, handovers.maximum],
            closing=time.perf_counter() - closing,
            threads=[thread.name for thread in threading.enumerate()],
        )

    async def listen(self, queue: asyncio.Queue[str]) -> None:
        while True:
            await self.obey(await queue.get())


def lines_or_stop() -> list[str]:
    return os.read(0, 4_096).decode().splitlines() or ["stop"]


def wakeups() -> dict[str, int]:
    """Voluntary context switches of each thread so far."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                found[task.name] = int(line.split()[1])
    return found


if __name__ == "__main__":
    chosen = json.loads(sys.argv[2]) if len(sys.argv) > 2 else None
    asyncio.run(Recorder(sys.argv[1], chosen).run())
