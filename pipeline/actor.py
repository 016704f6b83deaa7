"""The base of all actors: a mailbox, an outlet, and hooks.

The life of an actor:

1. It is made, and complete: it has its mailbox, and whoever knows it may tell and ask it. What it
   emits goes nowhere until somebody says where (:meth:`Actor.send_to`).
2. The supervisor awaits :meth:`Actor.on_start`. State is built here, so that it can be built anew.
3. :meth:`Actor.run` takes one thing after the other from the mailbox: first what is urgent (the
   power mode, a changed profile, questions), then messages, for each of which it awaits
   :meth:`Actor.on_message`. Nothing else runs inside the actor meanwhile.
4. When the mailbox is closed and empty, :meth:`Actor.on_stop` is awaited and the outlet is closed:
   the end travels down the pipeline behind the last message.
5. When a hook raises, the supervisor awaits :meth:`Actor.on_restart` (by default: stop, then start)
   and runs it again. The mailbox survives; the message being handled is delivered once more, and
   when it fails again it is set aside, accounted for and reported.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from vivavoce.config.cell import ProfileCell
from vivavoce.config.schema import Profile
from vivavoce.pipeline.channel import ChannelClosed, Overload
from vivavoce.pipeline.clock import Clock, LoopClock, StreamClock
from vivavoce.pipeline.ledger import Ledger
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.mailbox import Mailbox, PowerNews, ProfileNews, Request, Urgent
from vivavoce.pipeline.metrics import Measurement, Metrics
from vivavoce.pipeline.power import Power, PowerPort
from vivavoce.pipeline.tasks import is_cancelled, stray

log = get_logger("supervisor")

BETWEEN_ACTORS = 64
"""Messages that wait between two actors: 2 s of audio blocks."""

TO_SINKS = 256
"""Captions that wait for a sink: half a minute of fast partials."""

In = TypeVar("In")
Out = TypeVar("Out")
Out_contra = TypeVar("Out_contra", contravariant=True)


class Outlet(Protocol[Out_contra]):
    """Where an actor's messages go: a channel, or a fan-out to several."""

    async def send(self, item: Out_contra) -> None:
        """Deliver ``item``, waiting where the overload policy is to block."""
        ...

    def close(self) -> None:
        """Nothing more will be sent."""
        ...


@runtime_checkable
class AccountingOutlet(Outlet[Out_contra], Protocol[Out_contra]):
    """An outlet that accounts for what the actor was given and did not send: see
    :mod:`vivavoce.pipeline.continuity`."""

    async def give_up(self, message: Any) -> None:
        """The actor will never handle ``message``."""
        ...

    async def finish(self) -> None:
        """The actor has come to its end."""
        ...


@dataclass(frozen=True, slots=True)
class ActorContext:
    """What every actor of one pipeline shares: time, the sample ledger, metrics, the settings that
    hold now, and where it tells what may change the power mode."""

    clock: Clock = field(default_factory=LoopClock)
    stream: StreamClock = field(default_factory=lambda: StreamClock(LoopClock()))
    ledger: Ledger = field(default_factory=Ledger)
    metrics: Metrics = field(default_factory=Metrics)
    power: PowerPort = field(default_factory=PowerPort)
    settings: ProfileCell = field(default_factory=ProfileCell)


class Actor(Generic[In, Out]):
    """Base class. Override :meth:`on_message`; override :meth:`run` only for an own loop.

    Args:
        name: what the supervisor, logs and metrics call it; the class's ``name`` by default.
        context: clock, ledger, metrics, settings and power of the pipeline. One that is made before
            its pipeline gets that pipeline's with :meth:`Pipeline.insert` or ``add_sink``.
        capacity: messages that wait in its mailbox at most.
        overload: what happens to one message more.

    Attributes:
        name: as above.
        context: as above.
        inbox: its mailbox.
        closing_grace_s: seconds that handling one thing may take once the pipeline is left, before
            the actor is taken to be stuck and cancelled; None: as long as it takes.
    """

    name: str = ""
    closing_grace_s: float | None = 8.0

    def __init__(
        self,
        name: str | None = None,
        *,
        context: ActorContext | None = None,
        capacity: int = BETWEEN_ACTORS,
        overload: Overload = Overload.BLOCK,
    ) -> None:
        self.name = name or self.name or type(self).__name__.lower()
        self.context = context or ActorContext()
        self.inbox: Mailbox[Any] = Mailbox(capacity, overload, name=self.name)
        self._outlet: Outlet[Out] | None = None
        self._undelivered: Any = None
        self._deliveries = 0
        self._busy_since: float | None = None
        self._emitting = False

    # -- what it tells others

    def send_to(self, outlet: Outlet[Out]) -> None:
        """Send what :meth:`emit` is given there from now on."""
        self._outlet = outlet

    @property
    def is_sink(self) -> bool:
        """Whether nobody receives what it emits."""
        return self._outlet is None

    async def emit(self, message: Out) -> None:
        """Send ``message`` to the next actor (a sink's goes nowhere)."""
        if self._outlet is not None:
            self._emitting = True
            try:
                await self._outlet.send(message)
            finally:
                self._emitting = False

    def measure(self, what: str) -> Measurement:
        """Measure a part of the actor's own work: ``with self.measure("translate"): ...``.

        It becomes a line of the report, and the histogram ``vivavoce_actor_seconds`` with the
        labels ``actor`` and ``part``. :func:`vivavoce.pipeline.metrics.measured` decorates a
        method with the same.
        """
        return self.context.metrics.measure("vivavoce_actor_seconds", actor=self.name, part=what)

    async def account_for(self, message: Any) -> None:
        """Let its outlet account for ``message``, which it failed at twice."""
        if isinstance(self._outlet, AccountingOutlet):
            await self._outlet.give_up(message)

    async def finish_outlet(self) -> None:
        """Let its outlet send what it still owes; the actor has come to its end."""
        if isinstance(self._outlet, AccountingOutlet):
            await self._outlet.finish()

    def close_outlet(self) -> None:
        """Tell the next actor that nothing more will come."""
        if self._outlet is not None:
            self._outlet.close()

    # -- hooks

    async def on_start(self) -> None:
        """Build state and acquire resources."""

    async def on_message(self, message: In) -> None:
        """Handle one message."""

    async def on_ask(self, question: Any) -> Any:
        """Answer a question put with ``ask``.

        Raises:
            NotImplementedError: by default; the asker receives it.
        """
        raise NotImplementedError(f"actor {self.name!r} answers no questions")

    async def on_power(self, power: Power) -> None:
        """The pipeline entered another power mode; also told after each (re)start.

        Awaited between messages, never while one is handled. One that raises is told in the log,
        and the actor goes on as it was.
        """

    async def on_profile(self, profile: Profile) -> None:
        """The profile changed while the pipeline runs, and is ``context.settings.profile`` already.

        Do what must happen because of it, at once or where nothing is lost by it (at the next
        silence, with the next utterance). What is only read belongs into no copy: read it in
        ``context.settings`` when it is needed. Awaited as :meth:`on_power` is.
        """

    async def on_stop(self) -> None:
        """Release resources; what was promised downstream is sent here."""

    async def on_restart(self, cause: BaseException) -> None:
        """Recover from ``cause``; account for whatever state is given up."""
        await self.on_stop()
        await self.on_start()

    async def on_set_aside(self, message: Any) -> None:
        """``message`` failed twice and is given up: account for what only this actor knows of.

        By default nothing need be done. In the chain, audio that does not come out of an actor is
        dropped on the ledger and told as a gap in its place, by the check that stands behind each
        actor (:mod:`vivavoce.pipeline.continuity`); what carries neither audio nor text is passed
        on. The samples of a final are settled when it is made: one that is set aside is counted
        (``vivavoce_set_aside_total``) and logged. Nobody stands behind a sink, so it owes nothing.
        """

    # -- the loop

    async def run(self) -> None:
        """Handle one thing after the other until the mailbox is closed and empty."""
        await self.redeliver()
        while True:
            try:
                message = await self.inbox.receive()
            except ChannelClosed:
                return
            await self.deliver(message)

    async def redeliver(self) -> None:
        """What comes first after a restart: what is urgent, then the message that failed."""
        while (urgent := self.inbox.urgent_nowait()) is not None:
            await self.deliver(urgent)
        if self._deliveries:
            await self.deliver(self._undelivered)

    async def deliver(self, message: Any) -> None:
        """Handle one thing from the mailbox: a message, or what is urgent.

        A failure leaves a message to be delivered once more; what is urgent is not. An actor with
        its own :meth:`run` passes each thing that it receives through here: among its messages
        are those that only the base class knows, such as the power mode.
        """
        self._busy_since = asyncio.get_running_loop().time()
        try:
            if isinstance(message, Urgent):
                try:
                    await self.obey(message)
                finally:
                    message.settle()
                return
            self._undelivered = message
            self._deliveries += 1
            await self.on_message(message)
            self._deliveries = 0
            self._undelivered = None
        finally:
            self._busy_since = None

    async def obey(self, urgent: Urgent) -> None:
        """Handle what came through the lane in front.

        Override it for an actor whose own tasks tell it something, and pass on what is not known.
        """
        if isinstance(urgent, PowerNews):
            await self._told("the power mode", self.on_power(urgent.power))
        elif isinstance(urgent, ProfileNews):
            profile = self.context.settings.profile
            await self._told("the changed profile", self.on_profile(profile))
        elif isinstance(urgent, Request):
            await self._answer(urgent)
        else:
            raise TypeError(f"actor {self.name!r} does not know {type(urgent).__name__}")

    async def _told(self, what: str, telling: Awaitable[None]) -> None:
        try:
            await telling
        except Exception as cause:  # noqa: BLE001 - news are no reason to lose messages: see on_power
            kind = type(cause).__name__
            log.warning(f"{self.name} could not take over {what}", error=f"{kind}: {cause}")
            self.context.metrics.counter("vivavoce_not_told_total", actor=self.name).add()

    def set_aside(self) -> Any:
        """Give up on the undelivered message and return it (``None`` when there is none)."""
        message, self._undelivered, self._deliveries = self._undelivered, None, 0
        return message

    @property
    def deliveries(self) -> int:
        """How often the undelivered message has been tried (0: none is waiting)."""
        return self._deliveries

    @property
    def emitting(self) -> bool:
        """Whether it waits for the next actor to take something."""
        return self._emitting

    @property
    def stuck_since(self) -> float | None:
        """Since when (seconds of the loop's time) it handles one thing without waiting for the next
        actor; None: it does not."""
        return None if self._emitting else self._busy_since

    async def _answer(self, request: Request) -> None:
        try:
            answer = await self.on_ask(request.question)
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise
            _refuse(request, stray(error))
        except Exception as error:  # noqa: BLE001 - the failure belongs to the asker, who gets it
            _refuse(request, error)
        else:
            if not request.reply.done():
                request.reply.set_result(answer)


def _refuse(request: Request, error: Exception) -> None:
    if not request.reply.done():
        request.reply.set_exception(error)


class ActorHandle(Generic[In]):
    """How others speak to an actor, whether it has started or not."""

    def __init__(self, actor: Actor[In, Any]) -> None:
        self._actor = actor

    @property
    def name(self) -> str:
        """The actor's name."""
        return self._actor.name

    async def tell(self, message: In) -> None:
        """Put ``message`` into the mailbox, under its overload policy.

        Raises:
            ChannelClosed: the actor takes no more messages.
        """
        await self._actor.inbox.send(message)

    async def ask(self, question: Any, *, timeout: float = 5.0) -> Any:
        """Put a question, which does not wait behind messages, and wait for the answer.

        One that is cancelled, or has timed out, may still be answered; nobody hears it.

        Raises:
            TimeoutError: no answer within ``timeout`` seconds.
            ChannelClosed: the actor has ended.
            WouldBlock: hundreds of questions wait for it already.
            Exception: whatever the actor's ``on_ask`` raised.
        """
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        request = Request(question, reply)
        self._actor.inbox.put_first(request)
        try:
            async with asyncio.timeout(timeout):
                return await reply
        finally:
            self._actor.inbox.take_back(request)
