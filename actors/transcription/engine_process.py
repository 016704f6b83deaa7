"""The parent's side of an engine: starts the process, asks, notices its end or hang, ends it."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from vivavoce.actors.transcription.deadlines import TICK_S, Kind, Patience
from vivavoce.actors.transcription.engines.base import (
    EVERYTHING,
    EngineDied,
    EngineError,
    EngineInfo,
    EngineSpec,
    Hypothesis,
    SessionOptions,
)
from vivavoce.actors.transcription.engines.protocol import (
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
    decode_reply,
    encode,
    lengths,
)
from vivavoce.actors.transcription.interpreter import CANNOT_IMPORT, InterpreterError
from vivavoce.actors.transcription.python_process import (
    GREETING,
    greeted,
    how_it_ended,
    kill_session,
    start_python,
)
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.metrics import Metrics

_HOST = "vivavoce.actors.transcription.engines.host"
_KEPT_LINES = 50
_COMPLAINT_S = 1.0
_GONE_S = 5.0  # that a killed process may take; one that waits for a device cannot be killed
_ENVIRON = {
    "TOKENIZERS_PARALLELISM": "false",
    # Threads that wait for each other sleep: between the decoder's small matrices they would spend
    # more time in a loop than on work, and a partial beside an exact decoding has threads, too.
    "OMP_WAIT_POLICY": "PASSIVE",
    # The encoder takes and frees arrays of up to 72 MB (base) many times in a decoding. glibc would
    # give each back to the system and get it again page by page: 10 to 20 % of a final's CPU time
    # with base's dimensions, 25 % with a fifth of them, for no less memory at the peak. It is given
    # back after the decoding, see `engines.heap`. (The arenas of threads do not hold such arrays,
    # so there is one arena.)
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(256 * 2**20),
}
"""Of an engine's process, where the user's environment does not say otherwise."""

R = TypeVar("R", Loaded, Answer)

log = get_logger("engine")


class EngineProcess:
    """One engine in a process of its own; may be started again after it died or was stopped.

    Requests wait for their answers and can be cancelled: a late answer is thrown away. When the
    process dies, every request in flight, and every later one, raises :class:`EngineDied`. So it
    does when the process hangs (see :class:`Patience`): it is killed then.

    Args:
        spec: which engine, and how.
        metrics: counts ``vivavoce_engine_starts_total`` and ``vivavoce_engine_hangs_total``.
        on_progress: told of a download: what, bytes done, bytes in all (0: not known).
        python: the interpreter that the user named; None: the one that this program runs in.
        greeting_s: how long a Python may take until it runs, before anything is imported.
    """

    def __init__(
        self,
        spec: EngineSpec,
        *,
        metrics: Metrics,
        on_progress: Callable[[str, int, int], None] | None = None,
        python: str | None = None,
        greeting_s: float = 8.0,
    ) -> None:
        self.spec = spec
        self._python = python
        self._greeting_s = greeting_s
        self.info: EngineInfo | None = None
        self._starts = metrics.counter("vivavoce_engine_starts_total")
        self._hangs = metrics.counter("vivavoce_engine_hangs_total")
        self._on_progress = on_progress
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._waiting: dict[int, asyncio.Future[FromEngine]] = {}
        self._last_number = 0
        self._patience = Patience()
        self._tick: asyncio.TimerHandle | None = None
        self._stderr: deque[str] = deque(maxlen=_KEPT_LINES)
        self._died: EngineDied | None = None
        self._ending: asyncio.Future[None] | None = None
        self.on_death: Callable[[EngineDied], None] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id; None when none was started."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.returncode is None and not self._died

    async def start(self) -> EngineInfo:
        """Start the process, load the engine and warm it up.

        Raises:
            EngineError: the engine cannot be loaded; the text says why and what to do.
            InterpreterError: there is no Python to run it.
            EngineDied: the process ended, or hung, while it loaded.
        """
        await self.stop(grace_s=0.0)
        self._died = None
        self.on_death = None
        self._stderr.clear()
        self._process, interpreter = await start_python(
            _HOST,
            python=self._python,
            environ={**_ENVIRON, **os.environ},
            greeting=GREETING,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        self._starts.add()
        # The readers live exactly as long as the process: stop() ends and awaits them.
        self._readers = [asyncio.create_task(self._read_stderr(self._process))]
        try:
            # One that did before is waited for longer: the machine may be very busy.
            limit_s = None if self.info else self._greeting_s
            with self._watched("load"):
                await greeted(self._process, interpreter, self._complaint, limit_s)
            self._readers.append(asyncio.create_task(self._read_answers(self._process)))
            loaded = await self._ask(Loaded, "load", lambda n: Load(request=n, spec=self.spec))
        except BaseException as failure:
            unfit = isinstance(failure, EngineDied) and failure.returncode == CANNOT_IMPORT
            said = await self._complaint() if unfit else ""
            await self.stop(grace_s=0.0)
            if unfit:
                why = f"{interpreter!r} cannot run the engine ({said})"
                raise InterpreterError(why) from failure
            if isinstance(failure, EngineDied):
                # Python that was ended in its hang says less than who ended it.
                raise self._cause_of(failure) from None
            raise
        self.info = loaded.info
        return loaded.info

    def _cause_of(self, failure: EngineDied) -> EngineDied:
        return self._died or failure

    async def open(self, session: int, options: SessionOptions, at: int = 0) -> None:
        """Begin a session whose first audio is sample ``at``. Raises :class:`EngineDied`."""
        await self._send(Open(session=session, options=options, at=at))

    async def feed(self, session: int, pcm: bytes | memoryview) -> None:
        """Append audio (mono 16 kHz int16) to a session; waits while the pipe is full.

        Raises:
            EngineDied: the process is gone.
        """
        await self._send(Feed(session=session), pcm)

    async def partial(
        self,
        session: int,
        end: int = EVERYTHING,
        prefix: Sequence[str] = (),
        *,
        language: str | None = None,
    ) -> Hypothesis:
        """A cheap hypothesis of a session's audio up to sample ``end``.

        Args:
            session: its number.
            end: the audio to cover, in samples since capture began.
            prefix: words agreed on already, the first of the window.
            language: of the speech; None: as the session's options say.

        Raises:
            EngineDied: the process is gone.
            EngineError: it could not decode this.
        """
        answer = await self._ask(
            Answer,
            "partial",
            lambda n: PartialRequest(
                request=n, session=session, end=end, prefix=tuple(prefix), language=language
            ),
        )
        return answer.hypothesis

    async def exact(
        self,
        session: int,
        end: int = EVERYTHING,
        *,
        cheap: bool = False,
        language: str | None = None,
    ) -> Hypothesis:
        """The exact hypothesis of a session's audio up to sample ``end``.

        Args:
            session: its number.
            end: the audio to cover, in samples since capture began.
            cheap: greedy and trimmed, for an engine that cannot keep up.
            language: of the speech; None: as the session's options say.

        Raises:
            EngineDied: the process is gone.
            EngineError: it could not decode this.
        """
        answer = await self._ask(
            Answer,
            "exact",
            lambda n: ExactRequest(
                request=n, session=session, end=end, cheap=cheap, language=language
            ),
        )
        return answer.hypothesis

    async def advance(self, session: int, to_sample: int) -> None:
        """Forget a session's audio before ``to_sample``. Raises :class:`EngineDied`."""
        await self._send(Advance(session=session, to_sample=to_sample))

    async def close(self, session: int) -> None:
        """End a session. Raises :class:`EngineDied`."""
        await self._send(CloseSession(session=session))

    async def stop(self, grace_s: float = 2.0) -> None:
        """End the process and wait until it is gone, its memory with it. Idempotent.

        It ends by itself when its input ends; after ``grace_s`` seconds it is killed.
        """
        process, self._process = self._process, None
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        if process is not None:
            self._fail_waiting(EngineDied("the engine was stopped", process.returncode))
            self._ending = asyncio.ensure_future(self._end(process, self._readers, grace_s))
            self._readers = []
        if self._ending is not None:
            await asyncio.shield(self._ending)  # who waits may be cancelled, the end is not
            self._ending = None

    async def _end(
        self,
        process: asyncio.subprocess.Process,
        readers: Sequence[asyncio.Task[None]],
        grace_s: float,
    ) -> None:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(grace_s):
                await process.wait()
        except TimeoutError:
            pass
        finally:
            if process.returncode is None:
                kill_session(process)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        # Its pipes are closed when their ends are seen: one that is full, and that nobody reads any
        # more, would never let wait() return; and the loop may be closed before that.
        process._transport.close()  # type: ignore[attr-defined]  # asyncio has no public way
        try:
            async with asyncio.timeout(_GONE_S):
                await process.wait()
        except TimeoutError:
            log.warning(f"process {process.pid} of the engine cannot be ended: a device holds it")
        await asyncio.sleep(0)

    # -- inside

    async def _complaint(self) -> str:
        """The first line on standard error of a process that has ended."""
        await asyncio.wait(self._readers[:1], timeout=_COMPLAINT_S)
        return next((line for line in self._stderr if line.strip()), "")

    async def _ask(self, answer: type[R], kind: Kind, request: Callable[[int], ToEngine]) -> R:
        with self._watched(kind) as number:
            waiting: asyncio.Future[FromEngine] = asyncio.get_running_loop().create_future()
            self._waiting[number] = waiting
            try:
                await self._send(request(number))
                reply = await waiting
            except asyncio.CancelledError:
                self._abandon(number)
                raise
            finally:
                self._waiting.pop(number, None)
                if waiting.done() and not waiting.cancelled():
                    waiting.exception()  # else, where sending failed first, asyncio complains
            if isinstance(reply, Failed):
                raise EngineError(reply.message, reply.kind)
            if not isinstance(reply, answer):
                what = f"{type(reply).__name__} to request {number}"
                raise ProtocolError(f"the engine answered {what}")
            return reply

    @contextmanager
    def _watched(self, kind: Kind) -> Iterator[int]:
        """End the process if this takes too long; the number of what is in flight."""
        loop = asyncio.get_running_loop()
        self._last_number += 1
        number = self._last_number
        self._patience.begin(number, kind, loop.time())
        if self._tick is None:
            self._tick = loop.call_later(TICK_S, self._look_at_clock)
        answered = False
        try:
            yield number
            answered = True
        finally:
            self._patience.end(number, loop.time(), answered=answered)

    def _look_at_clock(self) -> None:
        loop = asyncio.get_running_loop()
        unanswered_s = self._patience.tick(loop.time(), self._worked_s)
        self._tick = None
        if unanswered_s is not None:
            self._end_hung(unanswered_s)
        elif self._patience.waits:
            self._tick = loop.call_later(TICK_S, self._look_at_clock)

    def _worked_s(self) -> float:
        """Time on processors of the process and what it started: it may be a wrapper."""
        import psutil  # seldom needed

        if self._process is None:
            return 0.0
        total = 0.0
        with suppress(psutil.Error):
            leader = psutil.Process(self._process.pid)
            for process in (leader, *leader.children(recursive=True)):
                with suppress(psutil.Error):
                    times = process.cpu_times()
                    total += times.user + times.system
        return total

    def _end_hung(self, unanswered_s: float) -> None:
        """Kill a process that hangs, and tell all who wait for it at once: it may not die."""
        process = self._process
        if process is None or process.stdin is None or self._died is not None:
            return
        self._hangs.add()
        self._died = EngineDied(
            f"the engine did not answer for {unanswered_s:.0f} s and was ended", None
        )
        if process.returncode is None:
            kill_session(process)
        process.stdin.transport.abort()  # who waits until it takes more is told
        self._fail_waiting(self._died)
        if self.on_death is not None:
            self.on_death(self._died)

    def _abandon(self, request: int) -> None:
        """Tell the engine that nobody waits; it stops where it can."""
        process = self._process
        if process is not None and process.stdin is not None and self._died is None:
            with suppress(OSError, RuntimeError):  # it is going away: nothing is left to abandon
                process.stdin.write(encode(Cancel(request=request)))

    async def _send(self, packet: ToEngine, payload: bytes | memoryview = b"") -> None:
        process = self._process
        if self._died is not None:
            raise self._died
        if process is None or process.stdin is None:
            raise EngineDied("the engine is not running", None)
        try:
            process.stdin.write(encode(packet, payload))
            if process.stdin.transport.get_write_buffer_size():
                with self._watched("send"):
                    await process.stdin.drain()
            else:
                await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise await self._bury(process) from None
        if self._died is not None:
            raise self._died

    async def _read_answers(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            while True:
                header, payload = lengths(await process.stdout.readexactly(PREFIX.size))
                self._dispatch(decode_reply(await process.stdout.readexactly(header)))
                await process.stdout.readexactly(payload)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            await self._bury(process)
        except ProtocolError as error:
            log.error("the engine was killed", error=str(error))  # noqa: TRY400 - one line, no trace
            process.kill()
            await self._bury(process)

    def _dispatch(self, packet: FromEngine) -> None:
        self._patience.hear(asyncio.get_running_loop().time())
        if isinstance(packet, Heartbeat):
            return
        if isinstance(packet, Progress):
            if self._on_progress is not None:
                try:
                    self._on_progress(packet.what, packet.done, packet.total)
                except (OSError, ValueError):
                    self._on_progress = None  # nobody sees it: the terminal is gone
            return
        answer = self._waiting.get(packet.request)
        if answer is not None and not answer.done():
            answer.set_result(packet)

    async def _read_stderr(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while data := await process.stderr.read(4_096):
            for line in data.decode(errors="replace").splitlines():
                self._stderr.append(line)
                log.debug("engine says", line=line)

    async def _bury(self, process: asyncio.subprocess.Process) -> EngineDied:
        """Wait for the end of a process that closed its pipes; tell all who wait for it."""
        code = await process.wait()
        if process is not self._process:  # stopped, or replaced already
            return EngineDied("the engine was stopped", code)
        if self._died is None:
            last = next((line for line in reversed(self._stderr) if line.strip()), "")
            self._died = EngineDied(
                f"the engine process ended by itself ({how_it_ended(code)})"
                + (f": {last}" if last else ""),
                code,
            )
            if self.on_death is not None:
                self.on_death(self._died)
        self._fail_waiting(self._died)
        return self._died

    def _fail_waiting(self, died: EngineDied) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(died)
