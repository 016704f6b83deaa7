"""Faults between a pipeline and its engine: abandoned, closed, corrupt, stopped."""

import asyncio
import io
import signal
import threading
from typing import Any

import psutil
import pytest
from support.program import MODEL, SPEECH, read_wave

from vivavoce.actors.transcription.engine_process import EngineProcess
from vivavoce.actors.transcription.engines import host as host_module
from vivavoce.actors.transcription.engines.base import (
    EngineDied,
    EngineError,
    EngineInfo,
    EngineSpec,
    Hypothesis,
    Request,
    SessionOptions,
)
from vivavoce.actors.transcription.engines.host import Host
from vivavoce.actors.transcription.engines.protocol import (
    PREFIX,
    Answer,
    Cancel,
    CloseSession,
    ExactRequest,
    Failed,
    Feed,
    Load,
    Open,
    PartialRequest,
    decode_reply,
    lengths,
)
from vivavoce.pipeline.metrics import Metrics

WHISPER = EngineSpec(engine="faster-whisper", model=str(MODEL), device="cpu")
ENGLISH = SessionOptions(language="en")
TALK = read_wave(SPEECH / "talk-2-rms.wav")[: 2 * 16_000 * 27]
BOYS = read_wave(SPEECH / "utt-025-rms.wav")
LIMIT_S = 20


# -- the host, with an engine whose steps the test controls


class SteppingSession:
    """A decoding that goes on, asking at each step whether it is wanted, until it is let go."""

    heard = 0

    def __init__(self, engine: "SteppingEngine") -> None:
        self._engine = engine

    def feed(self, pcm: bytes) -> None:
        if not pcm:
            raise EngineError("there is nothing in this audio")

    def partial(self, request: Request, prefix: Any) -> Hypothesis:
        return self._work("partial", request)

    def exact(self, request: Request, *, cheap: bool) -> Hypothesis:
        return self._work("exact", request)

    def _work(self, kind: str, request: Request) -> Hypothesis:
        self._engine.began[kind].set()
        while not self._engine.let_go[kind].wait(0.005):
            request.check()
        return Hypothesis(text=kind)

    def advance(self, to_sample: int) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        self._engine.closed.set()


class SteppingEngine:
    concurrent = True
    side_by_side = 1

    def __init__(self) -> None:
        self.began = {kind: threading.Event() for kind in ("partial", "exact")}
        self.let_go = {kind: threading.Event() for kind in ("partial", "exact")}
        self.closed = threading.Event()

    def load(self, progress: Any) -> EngineInfo:
        return EngineInfo(
            engine="stepping",
            model="",
            device="cpu",
            compute_type="",
            streams_natively=False,
            load_s=0.0,
            warm_up_s=0.0,
        )

    def open(self, options: SessionOptions, at: int) -> SteppingSession:
        return SteppingSession(self)


class Wire(io.BytesIO):
    """What the host writes; waits for an answer with a limit."""

    def __init__(self) -> None:
        super().__init__()
        self._flushed = threading.Condition()

    def flush(self) -> None:
        with self._flushed:
            self._flushed.notify_all()

    def replies(self) -> dict[int, Answer | Failed]:
        data, at, found = self.getvalue(), 0, {}
        while at < len(data):
            header, _ = lengths(data[at : at + PREFIX.size])
            at += PREFIX.size
            packet = decode_reply(data[at : at + header])
            at += header
            if isinstance(packet, Answer | Failed):
                found[packet.request] = packet
        return found

    def wait_for(self, request: int) -> Answer | Failed:
        with self._flushed:
            assert self._flushed.wait_for(lambda: request in self.replies(), LIMIT_S), "no answer"
        return self.replies()[request]


@pytest.fixture
def stepping(monkeypatch: pytest.MonkeyPatch) -> tuple[Host, SteppingEngine, Wire]:
    engine, wire = SteppingEngine(), Wire()
    monkeypatch.setattr(host_module, "make_engine", lambda spec: engine)
    host = Host(wire)
    host.handle(Load(request=1, spec=EngineSpec(engine="stepping")), b"")
    host.handle(Open(session=1, options=SessionOptions()), b"")
    return host, engine, wire


def test_an_abandoned_partial_frees_its_lane_while_it_decodes(stepping: Any) -> None:
    host, engine, wire = stepping
    host.handle(PartialRequest(request=2, session=1), b"")
    assert engine.began["partial"].wait(LIMIT_S)
    host.handle(PartialRequest(request=3, session=1), b"")
    host.handle(Cancel(request=2), b"")
    engine.began["partial"].clear()
    assert engine.began["partial"].wait(LIMIT_S), "the next partial must begin"
    engine.let_go["partial"].set()
    assert wire.wait_for(3).hypothesis.text == "partial"
    assert 2 not in wire.replies(), "nobody waits for it"


def test_what_was_abandoned_before_its_turn_is_never_begun(stepping: Any) -> None:
    host, engine, wire = stepping
    host.handle(ExactRequest(request=2, session=1), b"")
    assert engine.began["exact"].wait(LIMIT_S)
    engine.began["exact"].clear()
    host.handle(ExactRequest(request=3, session=1), b"")
    host.handle(Cancel(request=3), b"")
    engine.let_go["exact"].set()
    host.handle(ExactRequest(request=4, session=1), b"")
    assert wire.wait_for(4).hypothesis.text == "exact"
    assert sorted(wire.replies()) == [2, 4]


@pytest.mark.parametrize(("first", "second"), [("partial", "exact"), ("exact", "partial")])
def test_finals_and_partials_do_not_wait_for_each_other(
    stepping: Any, first: str, second: str
) -> None:
    host, engine, wire = stepping
    requests = {"partial": PartialRequest, "exact": ExactRequest}
    for number, kind in enumerate((first, second), start=2):
        host.handle(requests[kind](request=number, session=1), b"")
        assert engine.began[kind].wait(LIMIT_S)
    engine.let_go[second].set()
    assert wire.wait_for(3).hypothesis.text == second
    assert 2 not in wire.replies()
    engine.let_go[first].set()
    assert wire.wait_for(2).hypothesis.text == first


def test_a_failed_feed_shows_at_the_next_request_until_the_session_is_opened_anew(
    stepping: Any,
) -> None:
    host, engine, wire = stepping
    engine.let_go["exact"].set()
    host.handle(Feed(session=1), b"")
    host.handle(ExactRequest(request=2, session=1), b"")
    assert "nothing in this audio" in wire.wait_for(2).message
    host.handle(Open(session=1, options=SessionOptions()), b"")
    host.handle(ExactRequest(request=3, session=1), b"")
    assert wire.wait_for(3).hypothesis.text == "exact"


def test_a_session_is_closed_behind_the_partial_that_runs(stepping: Any) -> None:
    host, engine, wire = stepping
    host.handle(PartialRequest(request=2, session=1), b"")
    assert engine.began["partial"].wait(LIMIT_S)
    host.handle(CloseSession(session=1), b"")
    host.handle(ExactRequest(request=3, session=1), b"")
    assert "no session 1" in wire.wait_for(3).message
    assert not engine.closed.is_set()
    engine.let_go["partial"].set()
    assert engine.closed.wait(LIMIT_S)
    assert wire.wait_for(2).hypothesis.text == "partial"


# -- a real engine process


@pytest.fixture
async def engine() -> Any:
    process = EngineProcess(WHISPER, metrics=Metrics())
    await process.start()
    yield process
    await process.stop()


@pytest.mark.engine
async def test_partials_and_finals_of_one_session_side_by_side(engine: EngineProcess) -> None:
    await engine.open(1, ENGLISH)
    await engine.feed(1, BOYS)
    expected = (await engine.exact(1)).text
    async with asyncio.timeout(LIMIT_S):
        found = await asyncio.gather(
            engine.exact(1), *(engine.partial(1) for _ in range(5)), engine.exact(1)
        )
    assert {hypothesis.text for hypothesis in found} == {expected}
    # Whoever is cancelled at whatever moment, the others are answered.
    for delay_s in (0.0, 0.01, 0.05):
        asking = [asyncio.create_task(engine.partial(1)), asyncio.create_task(engine.exact(1))]
        kept = [asyncio.create_task(engine.partial(1)), asyncio.create_task(engine.exact(1))]
        await asyncio.sleep(delay_s)
        for task in asking:
            task.cancel()
        async with asyncio.timeout(LIMIT_S):
            assert {hypothesis.text for hypothesis in await asyncio.gather(*kept)} == {expected}
        await asyncio.gather(*asking, return_exceptions=True)
    # What is asked of a closed session is an error, and the engine lives on.
    await engine.close(1)
    for ask in (engine.partial, engine.exact):
        with pytest.raises(EngineError, match="no session 1"):
            await ask(1)
    await engine.feed(1, BOYS)
    await engine.advance(1, 100)
    await engine.close(1)
    await engine.open(1, ENGLISH)
    await engine.feed(1, BOYS)
    assert (await engine.exact(1)).text == expected


@pytest.mark.engine
async def test_a_final_that_is_overtaken_by_its_sessions_end_is_not_silently_empty(
    engine: EngineProcess,
) -> None:
    for number in (1, 2):
        await engine.open(number, ENGLISH)
        await engine.feed(number, TALK)
    first = asyncio.create_task(engine.exact(1))
    waiting = asyncio.create_task(engine.exact(2))
    await asyncio.sleep(0)
    await engine.close(2)
    assert (await first).text
    with pytest.raises(EngineError, match="closed"):
        await waiting


@pytest.mark.engine
async def test_a_corrupt_packet_ends_the_process_which_can_be_started_again(
    engine: EngineProcess,
) -> None:
    await engine.open(1, ENGLISH)
    await engine.feed(1, TALK)
    asking = asyncio.create_task(engine.exact(1))
    await asyncio.sleep(0.02)
    engine._process.stdin.write(b"\xff" * 64)
    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(EngineDied, match="corrupt") as died:
            await asking
    assert died.value.returncode == 70
    assert not engine.alive
    await engine.start()
    await engine.open(1, ENGLISH)
    await engine.feed(1, BOYS)
    assert (await engine.exact(1)).text.startswith("The boys")


@pytest.mark.smoke
@pytest.mark.engine
async def test_stop_in_mid_decode_fails_what_waits_and_leaves_no_process(
    engine: EngineProcess,
) -> None:
    await engine.open(1, ENGLISH)
    await engine.feed(1, TALK)
    asking = [
        asyncio.create_task(ask(1))
        for ask in (engine.partial, engine.exact, engine.exact, engine.partial)
    ]
    await asyncio.sleep(0.03)
    process = psutil.Process(engine.pid)
    async with asyncio.timeout(LIMIT_S):
        await engine.stop()
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert not process.is_running()
    assert all(isinstance(outcome, EngineDied | Hypothesis) for outcome in outcomes)
    assert any("was stopped" in str(outcome) for outcome in outcomes)
    with pytest.raises(EngineDied):
        await engine.partial(1)


@pytest.mark.engine
async def test_a_process_that_does_not_end_is_killed(engine: EngineProcess) -> None:
    process = psutil.Process(engine.pid)
    process.send_signal(signal.SIGSTOP)
    async with asyncio.timeout(LIMIT_S):
        await engine.stop(grace_s=0.1)
    assert not process.is_running()
