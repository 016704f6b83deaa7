"""Listens for commands, carries them out, and tells those who follow the status.

Nothing that a client does holds the program up: connections are few and of limited duration, what
they send is short, and who does not read what was asked for is dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import time
from collections.abc import AsyncIterator

import anyio
from msgspec.structs import replace

from vivavoce.config.errors import VivavoceError
from vivavoce.control import protocol, transport
from vivavoce.control.claim import InstanceClaim
from vivavoce.control.instance import Instance
from vivavoce.control.limits import LINE_BYTES
from vivavoce.control.order import CommandOrder
from vivavoce.control.protocol import Reply, RequestError, failure, success
from vivavoce.pipeline.failures import first_failure
from vivavoce.pipeline.log import get_logger

MOST_CLIENTS = 16
"""Connections that are served at once; others wait in the queue of the socket."""

MOST_FOLLOWERS = 16
"""Of `status --follow`; others are refused."""

PATIENCE_S = 15.0
"""A command that takes longer is cancelled."""

_TALK_S = 2.0
"""For a request to arrive, and for an answer to be taken."""

_PAUSE_S = 1.0
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

log = get_logger("control")


@contextlib.asynccontextmanager
async def serve(instance: Instance, claim: InstanceClaim) -> AsyncIterator[None]:
    """Let ``instance`` be controlled while the body runs; it listens when the body begins.

    Where the body ends by itself, followers are told so. Failures come out unwrapped.

    Raises:
        VivavoceError: the socket cannot be made.
    """
    server = ControlServer(instance, claim)
    claim.listen()
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(server.run, name="control")
            yield
            server.finish()
    except BaseExceptionGroup as failures:
        first = first_failure(failures)
        raise first from first.__cause__


class ControlServer:
    """Serves the socket of ``claim``.

    Args:
        instance: the program.
        claim: held until after :meth:`run` has returned.
    """

    def __init__(self, instance: Instance, claim: InstanceClaim) -> None:
        self._instance = instance
        self._claim = claim
        self._slots = asyncio.Semaphore(MOST_CLIENTS)
        self._recording_turn = asyncio.Lock()
        self._other_turn = asyncio.Lock()
        self._order = CommandOrder()
        self._clients: dict[asyncio.Task[None], _Client] = {}
        self._followers: set[_Client] = set()
        self._finished = asyncio.Event()

    def finish(self) -> None:
        """The program ends as it was told to: tell the followers, and let :meth:`run` return."""
        self._finished.set()

    async def run(self) -> None:
        """Serve until :meth:`finish`, or until cancelled: then nobody is told that it is the end.

        Raises:
            VivavoceError: the socket cannot be made.
        """
        listener = self._claim.listen()
        accepting = asyncio.create_task(self._accept(listener), name="control: accept")
        finished = asyncio.create_task(self._finished.wait())
        try:
            await asyncio.wait((accepting, finished), return_when=asyncio.FIRST_COMPLETED)
            if accepting.done():
                accepting.result()  # it ends only with a failure
        finally:
            accepting.cancel()
            finished.cancel()
            self._hang_up()
        if self._clients:
            await asyncio.wait(self._clients, timeout=_TALK_S)

    def _hang_up(self) -> None:
        """End all conversations; each connection is closed when its task has let go of it."""
        if self._finished.is_set():
            for client in self._followers:
                client.send_now(success(ended=True))
        for task in self._clients:
            task.cancel()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._slots.acquire()
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError as error:
                self._slots.release()
                if error.errno not in _NO_ROOM:
                    raise
                log.warning("nobody can connect", reason=error.strerror)
                await asyncio.sleep(_PAUSE_S)
                continue
            except asyncio.CancelledError:
                self._slots.release()
                raise
            client = _Client(connection, self._slots)
            task = loop.create_task(self._serve(client), name="control: client")
            self._clients[task] = client
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        client = self._clients.pop(task)
        client.close()
        if not task.cancelled() and (error := task.exception()) is not None:
            # A mistake in the program, not in what was asked: told in full, and dictation goes on.
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a command failed", "exception": error, "task": task}
            )

    async def _serve(self, client: _Client) -> None:
        if not self._may_ask(client):
            await client.send(failure("refused: another user's program", 1))
            return
        try:
            line = await client.read_line()
            if line is None:
                return
            request = protocol.parse_request(line)
        except RequestError as error:
            log.debug("not understood", reason=str(error))
            await client.send(failure(str(error), error.exit_code))
            return
        match request:
            case protocol.GetStatus(follow=True):
                await self._follow(client)
            case protocol.Quit():
                self._instance.quit()
                await client.send(success(status=self._instance.status()))
                self._claim.keep(client.give_away())
            case _:
                await self._answer(client, request)

    def _may_ask(self, client: _Client) -> bool:
        try:
            user = transport.peer_user(client.connection)
        except OSError:
            return False
        if not transport.trusted(user):
            log.warning("another user tried to control this instance", uid=user)
            return False
        return True

    async def _answer(self, client: _Client, request: protocol.AnyRequest) -> None:
        command = type(request).__name__.lower()
        try:
            async with asyncio.timeout(PATIENCE_S):
                reply = await self._obey(request)
        except VivavoceError as error:
            reply = failure(str(error), error.exit_code)
        except TimeoutError:
            log.warning("a command was given up", command=command)
            reply = failure(f"not done within {PATIENCE_S:g} s", 1)
        except Exception as error:
            log.error("a command failed", command=command, reason=repr(error))  # noqa: TRY400 - told in full below
            await client.send(failure(f"{command} failed inside: {type(error).__name__}", 1))
            raise
        await client.send(reply)

    async def _obey(self, request: protocol.AnyRequest) -> Reply:
        instance = self._instance
        match request:
            case protocol.Start() | protocol.Stop() | protocol.Toggle() | protocol.Cancel():
                await self._record(request)
            case protocol.SetMode(mode=mode):
                async with self._other_turn:
                    await instance.set_mode(mode)
            case protocol.SetPower(mode=power):
                async with self._other_turn:
                    await instance.set_power(power)
            case protocol.UseProfile(name=name):
                async with self._other_turn:
                    await instance.use_profile(name)
            case _:
                pass  # the status, which every answer holds
        return success(status=instance.status())

    async def _record(self, request: protocol.AnyRequest) -> None:
        instance = self._instance
        async with self._recording_turn:
            if isinstance(request, protocol.Toggle):  # two of them lead back, in any order
                await instance.toggle()
            elif self._order.is_outdated(request.began, now()):
                log.debug("overtaken by a later command", command=type(request).__name__.lower())
            elif isinstance(request, protocol.Start):
                await instance.start()
            elif isinstance(request, protocol.Stop):
                await instance.stop()
            else:
                await instance.cancel()

    async def _follow(self, client: _Client) -> None:
        if len(self._followers) >= MOST_FOLLOWERS:
            await client.send(failure(f"{MOST_FOLLOWERS} programs follow the status already", 1))
            return
        client.leave_slot()
        self._followers.add(client)
        shown: protocol.Status | None = None
        with self._instance.changes.watch() as changed:
            gone = asyncio.create_task(client.wait_until_gone())
            gone.add_done_callback(lambda _: changed.set())
            try:
                while not gone.done():
                    changed.clear()
                    status = self._instance.status()
                    if shown is None or not _same(status, shown):
                        if not await client.send(success(status=status)):
                            break
                        shown = status
                    await changed.wait()
            finally:
                gone.cancel()
                self._followers.discard(client)


class _Client:
    """A connection: read and written with a time limit, closed once."""

    def __init__(self, connection: socket.socket, slots: asyncio.Semaphore) -> None:
        connection.setblocking(False)
        self.connection = connection
        self._slots: asyncio.Semaphore | None = slots
        self._open = True
        self._sending = False

    def leave_slot(self) -> None:
        """Let another one be served beside this one. Idempotent."""
        if self._slots is not None:
            self._slots.release()
            self._slots = None

    async def read_line(self) -> bytes | None:
        """The line that is sent; None: the connection was lost.

        Raises:
            RequestError: no whole line comes in time, or it is too long.
        """
        loop = asyncio.get_running_loop()
        line = bytearray()
        try:
            async with asyncio.timeout(_TALK_S):
                while b"\n" not in line:
                    if len(line) >= LINE_BYTES:
                        raise RequestError(f"not a request: longer than {LINE_BYTES} bytes")
                    some = await loop.sock_recv(self.connection, LINE_BYTES - len(line))
                    if not some and not line:
                        return None
                    if not some:
                        raise RequestError("not a request: it breaks off")
                    line += some
        except TimeoutError:
            raise RequestError(f"no whole request came within {_TALK_S:g} s") from None
        except OSError:
            return None
        return bytes(line.partition(b"\n")[0])

    async def send(self, reply: Reply) -> bool:
        """Send ``reply``; whether all of it was taken in time."""
        self._sending = True
        line = protocol.render(reply)
        try:
            async with asyncio.timeout(_TALK_S):
                await asyncio.get_running_loop().sock_sendall(self.connection, line)
        except TimeoutError:
            log.info("a client was dropped", reason="it does not read")
            return False
        except OSError:
            return False
        self._sending = False
        return True

    def send_now(self, reply: Reply) -> None:
        """Send ``reply`` where that takes no time, and is not in the middle of another."""
        if not self._sending:
            with contextlib.suppress(OSError):
                self.connection.send(protocol.render(reply))

    async def wait_until_gone(self) -> None:
        """Return when the other end is closed; what it says meanwhile is not heard."""
        with contextlib.suppress(OSError):
            while await asyncio.get_running_loop().sock_recv(self.connection, 4096):
                pass

    def give_away(self) -> socket.socket:
        """The connection, which somebody else closes."""
        self._open = False
        return self.connection

    def close(self) -> None:
        """Hang up. Idempotent."""
        self.leave_slot()
        if self._open:
            self._open = False
            self.connection.close()


def now() -> float:
    """Seconds since the boot of the machine, of the clock that processes' starts are told in."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def _same(one: protocol.Status, other: protocol.Status) -> bool:
    """Whether they differ in nothing but what always moves."""
    return replace(one, uptime_s=0.0, pending_s=0.0) == replace(other, uptime_s=0.0, pending_s=0.0)
