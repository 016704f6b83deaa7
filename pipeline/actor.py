"""The base of all actors: an inbox, an outbox, and four hooks.

The life of an actor:

1. It is made and joined to its neighbours with :meth:`Actor.attach`.
2. The supervisor awaits :meth:`Actor.on_start`. State is built here, so that it can be built anew.
3. :meth:`Actor.run` takes messages from the inbox and awaits :meth:`Actor.on_message` for each.
4. When the inbox is closed and empty, :meth:`Actor.on_stop` is awaited and the outbox is closed:
   the end travels down the pipeline behind the last message.
5. When a hook raises, the supervisor awaits :meth:`Actor.on_restart` (by default: stop, then start)
   and runs it again. The inbox survives; the message being handled is delivered once more, and when
   it fails again it is set aside and reported.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from vivavoce.config.schema import Profile
from vivavoce.pipeline.channel import Channel, ChannelClosed
from vivavoce.pipeline.clock import Clock, LoopClock, StreamClock
from vivavoce.pipeline.desktop import FocusNotes, HeldKeys
from vivavoce.pipeline.ledger import Ledger
from vivavoce.pipeline.metrics import Measurement, Metrics
from vivavoce.pipeline.power import Power, PowerPort

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


@dataclass(frozen=True, slots=True)
class ActorContext:
    """What every actor of one pipeline shares: time, the sample ledger, metrics, where it tells
    what may change the power mode, and what is known of the desktop."""

    clock: Clock = field(default_factory=LoopClock)
    stream: StreamClock = field(default_factory=lambda: StreamClock(LoopClock()))
    ledger: Ledger = field(default_factory=Ledger)
    metrics: Metrics = field(default_factory=Metrics)
    power: PowerPort = field(default_factory=PowerPort)
    focus: FocusNotes = field(default_factory=FocusNotes)
    keys: HeldKeys = field(default_factory=HeldKeys)


@dataclass(frozen=True, slots=True)
class Request:
    """A question put to an actor with ``ask``; :meth:`Actor.on_ask` answers it."""

    question: Any
    reply: asyncio.Future[Any]


class Actor(Generic[In, Out]):
    """Base class. Override :meth:`on_message`; override :meth:`run` only for an own loop.

    Attributes:
        name: what the supervisor, logs and metrics call it.
        context: clock, ledger and metrics of the pipeline.
    """

    name: str = ""

    def __init__(self, name: str | None = None) -> None:
        self.name = name or self.name or type(self).__name__.lower()
        self.context = ActorContext()
        self._inbox: Channel[Any] | None = None
        self._outbox: Outlet[Out] | None = None
        self._undelivered: Any = None
        self._deliveries = 0

    # -- what the pipeline does with it

    def attach(
        self, inbox: Channel[Any] | None, outbox: Outlet[Out] | None, context: ActorContext
    ) -> None:
        """Join the actor to its neighbours. A source has no inbox, a sink no outbox."""
        self._inbox = inbox
        self._outbox = outbox
        self.context = context

    @property
    def inbox(self) -> Channel[Any]:
        """The channel that messages for this actor arrive on."""
        if self._inbox is None:
            raise RuntimeError(f"actor {self.name!r} has no inbox: attach() it first")
        return self._inbox

    async def emit(self, message: Out) -> None:
        """Send ``message`` to the next actor (a sink's goes nowhere)."""
        if self._outbox is not None:
            await self._outbox.send(message)

    def measure(self, what: str) -> Measurement:
        """Measure a part of the actor's own work: ``with self.measure("translate"): ...``.

        It becomes a line of the report, and the histogram ``vivavoce_actor_seconds`` with the
        labels ``actor`` and ``part``. :func:`vivavoce.pipeline.metrics.measured` decorates a
        method with the same.
        """
        return self.context.metrics.measure("vivavoce_actor_seconds", actor=self.name, part=what)

    def close_outbox(self) -> None:
        """Tell the next actor that nothing more will come."""
        if self._outbox is not None:
            self._outbox.close()

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

        Called between messages or while one is handled: change what the next one will meet, and
        return soon.
        """

    async def on_profile(self, profile: Profile) -> None:
        """The profile changed while the pipeline runs.

        Take over at once what can change at once, and the rest where nothing is lost by it (at the
        next silence, with the next utterance). Called between messages or while one is handled.
        """

    async def on_stop(self) -> None:
        """Release resources; what was promised downstream is sent here."""

    async def on_restart(self, cause: BaseException) -> None:
        """Recover from ``cause``; account for whatever state is given up."""
        await self.on_stop()
        await self.on_start()

    async def on_set_aside(self, message: Any) -> None:
        """``message`` failed twice and is given up: account for what it carried."""

    # -- the loop

    async def run(self) -> None:
        """Handle messages until the inbox is closed and empty."""
        if self._deliveries:
            await self.deliver(self._undelivered)
        while True:
            try:
                message = await self.inbox.receive()
            except ChannelClosed:
                return
            await self.deliver(message)

    async def deliver(self, message: Any) -> None:
        """Handle one message so that a failure leaves it to be delivered once more.

        An actor with its own :meth:`run` passes each message through here to get redelivery.
        """
        if type(message) is Request:
            await self._answer(message)
            return
        self._undelivered = message
        self._deliveries += 1
        await self.on_message(message)
        self._deliveries = 0
        self._undelivered = None

    def set_aside(self) -> Any:
        """Give up on the undelivered message and return it (``None`` when there is none)."""
        message, self._undelivered, self._deliveries = self._undelivered, None, 0
        return message

    @property
    def deliveries(self) -> int:
        """How often the undelivered message has been tried (0: none is waiting)."""
        return self._deliveries

    async def _answer(self, request: Request) -> None:
        try:
            answer = await self.on_ask(request.question)
        except Exception as error:  # noqa: BLE001 - the failure belongs to the asker, who gets it
            if not request.reply.done():
                request.reply.set_exception(error)
        else:
            if not request.reply.done():
                request.reply.set_result(answer)


class ActorHandle(Generic[In]):
    """How others speak to a running actor."""

    def __init__(self, actor: Actor[In, Any]) -> None:
        self._actor = actor

    @property
    def name(self) -> str:
        """The actor's name."""
        return self._actor.name

    async def tell(self, message: In) -> None:
        """Put ``message`` into the inbox, under its overload policy.

        Raises:
            ChannelClosed: the actor takes no more messages.
        """
        await self._actor.inbox.send(message)

    async def ask(self, question: Any, *, timeout: float = 5.0) -> Any:
        """Put a question and wait for the answer.

        Raises:
            TimeoutError: no answer within ``timeout`` seconds.
            ChannelClosed: the actor takes no more messages.
            Exception: whatever the actor's ``on_ask`` raised.
        """
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(timeout):
            await self._actor.inbox.send(Request(question, reply))
            return await reply
