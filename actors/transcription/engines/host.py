"""The engine process: `python -m vivavoce.actors.transcription.engines.host`.

Requests come on standard input, answers go to what was standard output when it started; printing by
native libraries is turned to standard error, so that it cannot corrupt the wire. When standard
input ends, the parent is gone and so is this process, whatever it is doing.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from vivavoce.actors.transcription.engines.base import (
    Abandoned,
    Engine,
    EngineError,
    EngineSpec,
    Hypothesis,
    Session,
    SessionOptions,
)
from vivavoce.actors.transcription.engines.heap import give_back
from vivavoce.actors.transcription.engines.protocol import (
    HEARTBEAT_S,
    PREFIX,
    Advance,
    Answer,
    Cancel,
    CloseSession,
    ExactRequest,
    Failed,
    Feed,
    FromEngine,
    Heartbeat,
    Load,
    Loaded,
    Open,
    PartialRequest,
    Progress,
    ProtocolError,
    ToEngine,
    decode_request,
    encode,
    lengths,
)

_BACKGROUND = 10
"""Niceness of an engine whose answers nobody waits for."""


def make_engine(spec: EngineSpec) -> Engine:
    """The engine that ``spec`` names, not loaded yet.

    Raises:
        EngineError: there is no such engine, or its package is not installed.
    """
    if spec.engine == "faster-whisper":
        from vivavoce.actors.transcription.engines.faster_whisper import FasterWhisperEngine

        return FasterWhisperEngine(spec)
    if spec.engine == "pocketsphinx":
        from vivavoce.actors.transcription.engines.pocketsphinx import PocketSphinxEngine

        return PocketSphinxEngine(spec)
    raise EngineError(
        f"there is no engine {spec.engine!r}: choose faster-whisper or pocketsphinx", "bad_option"
    )


class Job:
    """A decoding that was asked for; the ``Request`` that a session sees."""

    def __init__(
        self, packet: PartialRequest | ExactRequest, session: Session, wanted: set[int]
    ) -> None:
        self.packet = packet
        self.end = packet.end
        self.language = packet.language
        self.session = session
        self._wanted = wanted

    def check(self) -> None:
        """Raise :class:`Abandoned` when the parent does not wait any more."""
        if self.packet.request not in self._wanted:
            raise Abandoned

    def decode(self) -> Hypothesis:
        """Do the work."""
        self.check()
        packet = self.packet
        if isinstance(packet, PartialRequest):
            return self.session.partial(self, packet.prefix)
        return self.session.exact(self, cheap=packet.cheap)


class Heart:
    """Beats each second while there is work, in a thread of its own; sleeps while there is none."""

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._works = 0
        self._counting = threading.Lock()
        self._working = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def begin(self) -> None:
        """There is a piece of work more."""
        with self._counting:
            self._works += 1
            self._working.set()

    def end(self) -> bool:
        """A piece of work is done; whether it was the last."""
        with self._counting:
            self._works -= 1
            if not self._works:
                self._working.clear()
            return not self._works

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Beat meanwhile."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def _run(self) -> None:
        while True:
            self._working.wait()
            time.sleep(HEARTBEAT_S)
            if self._working.is_set():
                self._beat()


class Host:
    """Carries out requests; one failed request does not end it.

    Decoding is done in lanes, one thread each, so that the newest words are shown while what was
    said is being decoded exactly. An engine that is not concurrent has a single lane.
    """

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._writing = threading.Lock()
        self._heart = Heart(lambda: self._send(Heartbeat()))
        self._engine: Engine | None = None
        self._sessions: dict[int, Session] = {}
        self._broken: dict[int, EngineError] = {}
        self._wanted: set[int] = set()
        self._partials: queue.SimpleQueue[Job | Session] = queue.SimpleQueue()
        self._exacts: queue.SimpleQueue[Job | Session] = queue.SimpleQueue()

    def handle(self, packet: ToEngine, payload: bytes) -> None:
        """Carry out one request, or hand it to its lane."""
        try:
            self._carry_out(packet, payload)
        except EngineError as error:
            self._report(packet, error)
        except Exception as error:  # noqa: BLE001 - told to the parent, whose supervisor decides
            self._report(packet, EngineError(f"{type(error).__name__}: {error}"))

    def _carry_out(self, packet: ToEngine, payload: bytes) -> None:
        match packet:
            case Load(request=request, spec=spec):
                if spec.background and hasattr(os, "nice"):
                    os.nice(_BACKGROUND)
                with self._heart.beating():
                    self._engine = make_engine(spec)
                    info = self._engine.load(self._progress)
                    give_back()
                self._open_lanes(self._engine)
                self._send(Loaded(request=request, info=info))
            case Open(session=number, options=options, at=at):
                self._open(number, options, at)
            case Feed(session=number):
                self._session(number).feed(payload)
            case PartialRequest() | ExactRequest():
                lane = self._partials if isinstance(packet, PartialRequest) else self._exacts
                job = Job(packet, self._session(packet.session), self._wanted)
                self._wanted.add(packet.request)
                self._heart.begin()
                lane.put(job)
            case Cancel(request=request):
                self._wanted.discard(request)
            case Advance(session=number, to_sample=to_sample):
                self._session(number).advance(to_sample)
            case CloseSession(session=number):
                self._broken.pop(number, None)
                closing = self._sessions.pop(number, None)
                if closing is not None:
                    self._partials.put(closing)  # behind what was asked of it before

    def _open_lanes(self, engine: Engine) -> None:
        lanes = [self._partials]
        if engine.concurrent:
            lanes += [self._exacts] * engine.side_by_side
        else:
            self._exacts = self._partials
        for jobs in lanes:
            threading.Thread(target=self._work, args=(jobs,), daemon=True).start()

    def _work(self, jobs: queue.SimpleQueue[Job | Session]) -> None:
        while True:
            job = jobs.get()
            if not isinstance(job, Job):
                job.close()
                continue
            try:
                hypothesis = job.decode()
            except Abandoned:
                continue
            except EngineError as error:
                self._report(job.packet, error)
            except Exception as error:  # noqa: BLE001 - told to the parent, whose supervisor decides
                self._report(job.packet, EngineError(f"{type(error).__name__}: {error}"))
            else:
                self._send(Answer(request=job.packet.request, hypothesis=hypothesis))
            finally:
                self._wanted.discard(job.packet.request)
                if self._heart.end() and isinstance(job.packet, ExactRequest):
                    give_back()

    def _open(self, number: int, options: SessionOptions, at: int) -> None:
        if self._engine is None:
            raise EngineError("a session was opened before the engine was loaded", "bad_option")
        replaced = self._sessions.pop(number, None)
        if replaced is not None:
            self._partials.put(replaced)
        self._broken.pop(number, None)
        self._sessions[number] = self._engine.open(options, at)

    def _session(self, number: int) -> Session:
        if number in self._broken:
            raise self._broken[number]
        if number not in self._sessions:
            raise EngineError(f"there is no session {number}", "bad_option")
        return self._sessions[number]

    def _report(self, packet: ToEngine, error: EngineError) -> None:
        if isinstance(packet, Load | PartialRequest | ExactRequest):
            self._send(Failed(request=packet.request, kind=error.kind, message=str(error)))
        elif not isinstance(packet, Cancel):
            self._broken.setdefault(packet.session, error)

    def _progress(self, what: str, done: int, total: int) -> None:
        self._send(Progress(what=what, done=done, total=total))

    def _send(self, packet: FromEngine) -> None:
        try:
            with self._writing:
                self._output.write(encode(packet))
                self._output.flush()
        except BrokenPipeError:
            os._exit(0)  # the parent is gone


def read_requests(source: BinaryIO, requests: queue.Queue[tuple[ToEngine, bytes]]) -> None:
    """Read until the parent is gone, then end the process at once, even in mid-decode."""
    try:
        while True:
            header_length, payload_length = lengths(_exactly(source, PREFIX.size))
            packet = decode_request(_exactly(source, header_length))
            requests.put((packet, _exactly(source, payload_length)))
    except EOFError:
        os._exit(0)
    except ProtocolError as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201 - standard error is the parent's log
        os._exit(70)


def _exactly(source: BinaryIO, count: int) -> bytes:
    data = source.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _end_process(failure: threading.ExceptHookArgs) -> None:
    """A thread that fails would leave requests unanswered: end, so that the parent starts anew."""
    print(f"{failure.exc_type.__name__}: {failure.exc_value}", file=sys.stderr, flush=True)  # noqa: T201 - the parent's log
    os._exit(70)


def main() -> None:
    """Serve the parent until it goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # The parent waits before it sends more than the pipe holds, so this queue stays small: it holds
    # what arrives during one decode, which is bounded by the length of an utterance.
    requests: queue.Queue[tuple[ToEngine, bytes]] = queue.Queue(maxsize=10_000)
    threading.Thread(target=read_requests, args=(sys.stdin.buffer, requests), daemon=True).start()
    threading.excepthook = _end_process
    host = Host(output)
    while True:
        host.handle(*requests.get())


if __name__ == "__main__":
    main()
