"""Live captions on a virtual clock: minutes of speech in the time that the decodings take.

The pipeline is the real one and so is the engine's process; only waiting takes no time. Each
decoding is done while virtual time stands still, and then takes its own time on the virtual clock.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from bench.options import DeveloperOptions
from bench.stream_run import Streamed, events_of, settings_of
from vivavoce.actors.captions.jsonl import JsonlWriter
from vivavoce.actors.capture import PushSource
from vivavoce.actors.transcription.engine_process import EngineProcess
from vivavoce.actors.transcription.engines.base import EngineInfo, EngineSpec, Hypothesis
from vivavoce.assembly import Pipeline
from vivavoce.bench import proc, sound
from vivavoce.bench.child import engine_arguments
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.messages import SAMPLE_RATE, Pcm
from vivavoce.pipeline.metrics import Metrics

T = TypeVar("T")

_BLOCK = 512
_SAY_BLOCKS = 60 * SAMPLE_RATE // _BLOCK
"""It is told each minute how far the simulation is: it may take longer than the speech."""


class SimulatedEngine:
    """A real engine process, for a pipeline on a virtual clock.

    The process belongs to an event loop in another thread, where time is real. Whatever is asked of
    it is passed on as it is, so it follows the interface of engines by itself. Decodings are done
    one at a time and take, on the virtual clock, what each took alone: two that overlap there are
    as on two cores. That time is its own or its CPU time, whichever is less, so that other programs
    on the machine do not make it longer.

    Args:
        process: not started yet.
        elsewhere: the loop that it belongs to.
        speed: how many times faster a decoding is on the virtual clock: a busy machine computes
            slower, too.

    Attributes:
        cpu_s: CPU seconds of all decodings. Of one that nobody waited for to its end, the share
            that had passed on the virtual clock.
    """

    def __init__(
        self, process: EngineProcess, elsewhere: asyncio.AbstractEventLoop, speed: float
    ) -> None:
        self.on_death: Callable[[Any], None] | None = None
        self.cpu_s = 0.0
        self._process = process
        self._elsewhere = elsewhere
        self._speed = speed
        self._decoding = asyncio.Lock()

    @property
    def info(self) -> EngineInfo | None:
        """What was loaded."""
        return self._process.info

    @property
    def pid(self) -> int | None:
        """Of the process."""
        return self._process.pid

    async def start(self) -> EngineInfo:
        """Load; takes as long as loading and warming up did."""
        info = await self._there(self._process.start())
        await asyncio.sleep(info.load_s + info.warm_up_s)
        return info

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        asked = getattr(self._process, name)

        async def passed_on(*arguments: Any, **more: Any) -> Any:
            return await self._timed(asked(*arguments, **more))

        return passed_on

    async def _timed(self, request: Coroutine[Any, Any, Any]) -> Any:
        async with self._decoding:
            before = self._seen()
            answer = await self._there(request)
            after = self._seen()
        if not isinstance(answer, Hypothesis):
            return answer
        cpu_s = _cpu_s(before, after) or answer.decode_s
        takes_s = min(answer.decode_s, cpu_s) / self._speed
        began = asyncio.get_running_loop().time()
        try:
            await asyncio.sleep(takes_s)
        finally:
            passed_s = asyncio.get_running_loop().time() - began
            self.cpu_s += cpu_s * (min(1.0, passed_s / takes_s) if takes_s > 0 else 1.0)
        return msgspec.structs.replace(answer, decode_s=takes_s)

    def _seen(self) -> proc.Snapshot | None:
        pid = self._process.pid
        return proc.snapshot(pid) if pid is not None else None

    async def _there(self, request: Coroutine[Any, Any, T]) -> T:
        """Have it done on the loop of the process; virtual time stands still meanwhile."""
        future = asyncio.run_coroutine_threadsafe(request, self._elsewhere)
        try:
            return await asyncio.get_running_loop().run_in_executor(None, future.result)
        except asyncio.CancelledError:
            future.cancel()
            raise


def _cpu_s(before: proc.Snapshot | None, after: proc.Snapshot | None) -> float:
    """CPU seconds between two snapshots of a process; 0 where it cannot be looked at."""
    if before is None or after is None or after.at <= before.at:
        return 0.0
    window = proc.window(before, after)
    return window.cpu_percent / 100 * window.seconds


def stream(path: Path, options: DeveloperOptions, settings: Sequence[str] = ()) -> Streamed:
    """Caption a mono 16 kHz int16 WAV file as if it were spoken now.

    CPU seconds are those of the decodings, and of this process meanwhile.

    Raises:
        EngineError: the model cannot be loaded.
        ProfileError: a setting is wrong.
    """
    _, name, *model = engine_arguments(options)
    spec = EngineSpec(
        engine=name,
        model=model[1] if model else "",
        language=options.language,
        device="cpu",
        compute_type="int8",
        offline=True,
    )
    samples = sound.read(path)
    before, began = time.process_time(), time.monotonic()
    with _real_loop() as elsewhere:
        process = EngineProcess(spec, metrics=Metrics())
        try:
            events, end_s, decoding_s = run_virtual(
                lambda: _captioned(
                    samples,
                    options.say,
                    SimulatedEngine(process, elsewhere, options.speed),
                    settings_of(options, settings),
                )
            )
        finally:
            asyncio.run_coroutine_threadsafe(process.stop(), elsewhere).result()
    return Streamed(
        events=tuple(events_of(events)),
        cpu_s=time.process_time() - before + decoding_s,
        main_mb=0.0,
        engine_mb=0.0,
        end_s=end_s,
        wall_s=time.monotonic() - began,
    )


async def _captioned(
    samples: Pcm, say: Callable[[str], None], engine: SimulatedEngine, settings: Sequence[str]
) -> tuple[list[dict[str, Any]], float, float]:
    pipeline = Pipeline(
        "captions",
        source=PushSource(),
        overrides=settings,
        environ={"PATH": os.environ.get("PATH", "")},
        engine=cast(Any, engine),
    )
    writer, stream = JsonlWriter(), pipeline.context.stream
    async with pipeline:
        speaking = asyncio.create_task(_speak(pipeline, samples, say))
        lines = [writer.render(one, stream.elapsed()) async for one in pipeline.events()]
        await speaking
        end_s = stream.elapsed()
    events = [json.loads(line) for line in lines if line]
    return events, end_s, engine.cpu_s


async def _speak(pipeline: Pipeline, samples: Pcm, say: Callable[[str], None]) -> None:
    """Push each block when its last sample would have been spoken."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for end in range(_BLOCK, len(samples) + _BLOCK, _BLOCK):
        await asyncio.sleep(began + end / SAMPLE_RATE - loop.time())
        await pipeline.feed(samples[end - _BLOCK : end])
        if end % (_BLOCK * _SAY_BLOCKS) == 0:
            say(f"{end / SAMPLE_RATE:.0f} of {len(samples) / SAMPLE_RATE:.0f} s")
    pipeline.end()


@contextmanager
def _real_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="engine loop")
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
