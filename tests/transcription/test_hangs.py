"""A hung engine is noticed wherever it stops; a slow one is not blamed, nor one that slept."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.program import MODEL, SPEECH, read_wave

from vivavoce.actors.transcription import engine_process
from vivavoce.actors.transcription.engine import RecognitionEngine
from vivavoce.actors.transcription.engine_process import EngineProcess
from vivavoce.actors.transcription.engines.base import EngineDied, EngineSpec, SessionOptions
from vivavoce.actors.transcription.python_process import GREETING
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.metrics import Metrics

pytestmark = pytest.mark.engine

RATE = 16_000
LIMIT_S = 60
HUNG = r"did not answer for \d+ s and was ended"

HOST = """
    import os, sys, time
    print({greeting!r}, flush=True)
    from vivavoce.actors.transcription.engines import host
    from vivavoce.actors.transcription.engines.base import EngineInfo, Hypothesis

    stuck_once, decodes_s = sys.argv[1], float(sys.argv[2])

    class Session:
        def __init__(self, at):
            self.first = self.heard = at
        def feed(self, pcm):
            self.heard += len(pcm) // 2
        def partial(self, request, prefix):
            return self.decode("partial", request)
        def exact(self, request, *, cheap):
            return self.decode("exact", request)
        def decode(self, kind, request):
            if stuck_once and not os.path.exists(stuck_once):
                open(stuck_once, "w").close()
                time.sleep(3600)
            time.sleep(decodes_s)
            end = min(self.heard, request.end)
            return Hypothesis(text=f"{{kind}} of {{self.first}} to {{end}}", samples=end)
        def advance(self, to_sample):
            self.first = to_sample
        def close(self):
            pass

    class Engine:
        concurrent, side_by_side = True, 1
        def load(self, progress):
            progress("scripted", 1, 2)
            time.sleep(0.1)
            return EngineInfo(engine="scripted", model="", device="cpu", compute_type="",
                              streams_natively=False, load_s=0.1, warm_up_s=0.0)
        def open(self, options, at):
            return Session(at)

    host.make_engine = lambda spec: Engine()
    host.main()
"""


def host_command(stuck_once: str = "", decodes_s: float = 0.0) -> list[str]:
    """A real engine process with an engine that sleeps where it would decode."""
    code = textwrap.dedent(HOST.format(greeting=GREETING))
    return [sys.executable, "-P", "-c", code, stuck_once, str(decodes_s)]


class Scripted:
    """What starts such processes instead of the product's, for one test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stuck_once = ""
        self.decodes_s = 0.0
        monkeypatch.setattr(engine_process, "start_python", self._start)

    async def _start(self, module: str, **options: Any) -> tuple[asyncio.subprocess.Process, str]:
        streams = {name: options[name] for name in ("stdin", "stdout", "stderr")}
        process = await asyncio.create_subprocess_exec(
            *host_command(self.stuck_once, self.decodes_s), **streams, start_new_session=True
        )
        return process, sys.executable


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    return Scripted(monkeypatch)


class Window:
    key = 1
    start = 3 * RATE

    def __init__(self, pcm: bytes = bytes(2 * 4 * RATE)) -> None:
        self._pcm = pcm
        self.end = self.start + len(pcm) // 2

    def audio(self, begin: int, end: int) -> bytes:
        return self._pcm[2 * (begin - self.start) : 2 * (end - self.start)]


class Room:
    """An engine as the room has it, over a real process."""

    def __init__(self, spec: EngineSpec | None = None) -> None:
        self.context = ActorContext()
        self.process = EngineProcess(
            spec or EngineSpec(engine="scripted"), metrics=self.context.metrics
        )
        self.engine = RecognitionEngine(
            self._start,
            TranscriptionSettings(language="en"),
            self.context,
            on_news=lambda: None,
        )

    async def _start(self) -> EngineProcess:
        await self.process.start()
        return self.process

    async def __aenter__(self) -> "Room":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.engine.stop()

    def count(self, name: str) -> float:
        return self.context.metrics.counter(f"vivavoce_engine_{name}_total").value


def freeze(engine: EngineProcess | RecognitionEngine) -> psutil.Process:
    process = psutil.Process(engine.pid)
    process.send_signal(signal.SIGSTOP)
    return process


# -- stopped at any point


async def test_stopped_while_it_loads(scripted: Scripted) -> None:
    frozen: list[psutil.Process] = []

    def stop_once(*_: object) -> None:
        if not frozen:
            frozen.append(freeze(engine))

    metrics = Metrics()
    engine = EngineProcess(EngineSpec(engine="scripted"), metrics=metrics, on_progress=stop_once)
    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(EngineDied, match=HUNG):
            await engine.start()
        assert not frozen[0].is_running()
        assert metrics.counter("vivavoce_engine_hangs_total").value == 1
        assert (await engine.start()).engine == "scripted"
        await engine.stop()


async def test_stopped_before_python_ran_anything_when_it_is_started_again(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = EngineProcess(EngineSpec(engine="scripted"), metrics=Metrics())
    await engine.start()
    original = scripted._start

    async def start_frozen(*_: Any, **options: Any) -> Any:
        process, name = await original("", **options)
        os.kill(process.pid, signal.SIGSTOP)
        return process, name

    monkeypatch.setattr(engine_process, "start_python", start_frozen)
    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(EngineDied, match=HUNG):
            await engine.start()


@pytest.mark.smoke
@pytest.mark.parametrize("ask", ["partial", "exact"])
async def test_stopped_while_it_decodes(scripted: Scripted, ask: str) -> None:
    async with asyncio.timeout(LIMIT_S), Room() as room:
        window = Window()
        await room.engine.exact(window, window.end - RATE)
        scripted.decodes_s = 0.0
        process = freeze(room.engine)
        found = await getattr(room.engine, ask)(window, window.end)
        if ask == "exact":
            assert found.text == f"exact of {window.start} to {window.end}"
        else:
            assert found is None, "a partial is not asked for again"
            assert (await room.engine.partial(window, window.end)).samples == window.end
        assert not process.is_running()
        assert room.engine.restarts == room.count("hangs") == room.count("restarts") == 1


async def test_a_real_engine_stopped_in_the_middle_of_a_decoding() -> None:
    spec = EngineSpec(engine="faster-whisper", model=str(MODEL), device="cpu")
    talk = Window(read_wave(SPEECH / "talk-2-rms.wav")[: 2 * RATE * 20])
    async with asyncio.timeout(2 * LIMIT_S), Room(spec) as room:
        await room.engine.ready()
        asking = asyncio.ensure_future(room.engine.exact(talk, talk.end))
        await asyncio.sleep(0.1)
        freeze(room.engine)
        found = await asking
        assert found.text.startswith("Exactly")
        assert room.count("hangs") == 1


async def test_stopped_while_it_is_fed_more_than_a_pipe_holds(scripted: Scripted) -> None:
    engine = EngineProcess(EngineSpec(engine="scripted"), metrics=Metrics())
    await engine.start()
    await engine.open(1, SessionOptions())
    freeze(engine)
    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(EngineDied, match=HUNG):
            await engine.feed(1, bytes(2 * RATE * 60))
        with pytest.raises(EngineDied, match=HUNG):
            await engine.feed(1, b"")
        await engine.stop()


async def test_stopped_when_a_window_is_closed(scripted: Scripted) -> None:
    async with asyncio.timeout(LIMIT_S), Room() as room:
        window, other = Window(), Window()
        other.key = 2
        await room.engine.exact(window, window.end)
        freeze(room.engine)
        await room.engine.close(window)
        assert (await room.engine.exact(other, other.end)).samples == other.end
        assert room.count("hangs") == 1


@pytest.mark.parametrize("full_pipe", [False, True])
async def test_a_stopped_engine_can_be_ended(scripted: Scripted, *, full_pipe: bool) -> None:
    engine = EngineProcess(EngineSpec(engine="scripted"), metrics=Metrics())
    await engine.start()
    await engine.open(1, SessionOptions())
    process = freeze(engine)
    asking = [asyncio.ensure_future(engine.exact(1))]
    if full_pipe:
        asking.append(asyncio.ensure_future(engine.feed(1, bytes(2 * RATE * 60))))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(LIMIT_S):
        await engine.stop(grace_s=0.1)
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert not process.is_running()
    assert all(isinstance(outcome, EngineDied) for outcome in outcomes[:1])


# -- stuck, though its process lives and beats


async def test_stuck_in_a_driver(scripted: Scripted, tmp_path: Path) -> None:
    async with asyncio.timeout(LIMIT_S), Room() as room:
        window = Window()
        await room.engine.exact(window, window.end - RATE)  # what it costs is known
        scripted.stuck_once = str(tmp_path / "stuck")
        await room.process.stop()
        found = await room.engine.exact(window, window.end)
        assert found.text == f"exact of {window.start} to {window.end}"
        assert room.count("hangs") == 1


# -- not hung


async def test_a_slow_decoding_is_waited_for(scripted: Scripted) -> None:
    scripted.decodes_s = 8.0
    async with asyncio.timeout(LIMIT_S), Room() as room:
        window = Window()
        assert (await room.engine.exact(window, window.end)).samples == window.end
        assert room.count("hangs") == 0


async def test_an_idle_engine_and_its_watch_sleep(scripted: Scripted) -> None:
    async with asyncio.timeout(LIMIT_S), Room() as room:
        window = Window()
        await room.engine.exact(window, window.end)
        await asyncio.sleep(2.5)  # the last look at the clock, the last beat
        process = psutil.Process(room.engine.pid)
        before = process.num_ctx_switches().voluntary
        assert room.process._tick is None
        await asyncio.sleep(3.0)
        assert process.num_ctx_switches().voluntary - before <= 1


def test_a_program_that_was_stopped_does_not_blame_its_engine() -> None:
    code = textwrap.dedent(
        f"""
        import asyncio, os
        from vivavoce.actors.transcription import engine_process
        from vivavoce.actors.transcription.engines.base import EngineSpec, SessionOptions
        from vivavoce.pipeline.metrics import Metrics

        async def start(module, **options):
            streams = {{name: options[name] for name in ("stdin", "stdout", "stderr")}}
            process = await asyncio.create_subprocess_exec(
                *{host_command(decodes_s=3.0)!r}, **streams, start_new_session=True
            )
            return process, "python"

        async def main():
            engine_process.start_python = start
            engine = engine_process.EngineProcess(EngineSpec(engine="scripted"), metrics=Metrics())
            await engine.start()
            await engine.open(1, SessionOptions())
            asking = asyncio.ensure_future(engine.exact(1))
            await asyncio.sleep(0.5)
            print("asked", flush=True)
            print((await asking).text, flush=True)
            await engine.stop()

        asyncio.run(main())
        """
    )
    with subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE) as program:
        assert program.stdout.readline() == b"asked\n"
        program.send_signal(signal.SIGSTOP)
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(8)
        program.send_signal(signal.SIGCONT)
        assert program.stdout.readline() == b"exact of 0 to 0\n"
        assert program.wait(LIMIT_S) == 0
