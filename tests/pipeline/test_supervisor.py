"""Actors under supervision: real failures, virtual time."""

import asyncio
from typing import Any

import pytest

from vivavoce.config.errors import VivavoceError
from vivavoce.config.schema import Profile, SupervisorSettings
from vivavoce.pipeline.actor import Actor, ActorContext, ActorHandle
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.messages import PowerMode
from vivavoce.pipeline.power import Power
from vivavoce.pipeline.supervisor import ActorFailed, RestartIntensity, SetAside, Supervisor


class Doubler(Actor[int, int]):
    """Doubles numbers; fails at those in ``poison`` as many times as told."""

    name = "doubler"

    def __init__(self, poison: dict[int, int] | None = None) -> None:
        super().__init__()
        self.poison = dict(poison or {})
        self.starts = 0
        self.stops = 0
        self.given_up: list[int] = []
        self.modes: list[PowerMode] = []

    async def on_start(self) -> None:
        self.starts += 1

    async def on_stop(self) -> None:
        self.stops += 1

    async def on_message(self, message: int) -> None:
        if self.poison.get(message, 0):
            self.poison[message] -= 1
            raise ValueError(f"cannot double {message}")
        await self.emit(2 * message)

    async def on_ask(self, question: Any) -> Any:
        if question == "fail":
            raise KeyError(question)
        return f"{question}!"

    async def on_set_aside(self, message: Any) -> None:
        self.given_up.append(message)

    async def on_power(self, power: Power) -> None:
        self.modes.append(power.mode)


class Run:
    def __init__(self, actor: Actor[Any, Any], settings: SupervisorSettings | None = None) -> None:
        self.actor = actor
        self.inbox = actor.inbox
        self.outbox: Channel[Any] = Channel(100)
        self.context = ActorContext()
        self.set_aside: list[SetAside] = []
        actor.context = self.context
        actor.send_to(self.outbox)
        self.supervisor = Supervisor(
            settings or SupervisorSettings(), self.context, self.set_aside.append
        )
        self.supervisor.add(actor)

    async def through(self, *items: int) -> list[int]:
        for item in items:
            await self.inbox.send(item)
        self.inbox.close()
        await self.supervisor.run()
        return [item async for item in self.outbox]


def test_messages_flow_and_the_end_travels_behind_them() -> None:
    run = Run(Doubler())
    assert run_virtual(lambda: run.through(1, 2, 3)) == [2, 4, 6]
    assert run.outbox.closed
    assert (run.actor.starts, run.actor.stops) == (1, 1)


def test_a_message_that_fails_once_is_delivered_again_after_a_restart() -> None:
    run = Run(Doubler({2: 1}))
    assert run_virtual(lambda: run.through(1, 2, 3)) == [2, 4, 6]
    assert run.actor.starts == 2
    assert run.set_aside == []
    assert run.context.metrics.counters()['vivavoce_actor_restarts_total{actor="doubler"}'] == 1


def test_a_message_that_fails_twice_is_set_aside_and_reported() -> None:
    run = Run(Doubler({2: 99}))
    assert run_virtual(lambda: run.through(1, 2, 3)) == [2, 6]
    assert [(item.actor, item.message) for item in run.set_aside] == [("doubler", 2)]
    assert "cannot double 2" in str(run.set_aside[0].cause)
    assert run.actor.given_up == [2]


def test_restart_intensity_escalates_with_the_cause() -> None:
    run = Run(Doubler({1: 9, 2: 9, 3: 9}), SupervisorSettings(max_restarts=2))
    with pytest.raises(ActorFailed, match="doubler failed 3 times") as failed:
        run_virtual(lambda: run.through(1, 2, 3))
    assert isinstance(failed.value.__cause__, ValueError)
    assert run.actor.stops >= 1
    assert run.outbox.closed


def test_a_fault_that_no_restart_mends_escalates_at_once_as_it_is() -> None:
    class Broken(Doubler):
        async def on_start(self) -> None:
            raise VivavoceError("no microphone")

    with pytest.raises(VivavoceError, match="no microphone"):
        run_virtual(lambda: Run(Broken()).through(1))


def test_a_failing_start_is_retried_too() -> None:
    class Late(Doubler):
        async def on_start(self) -> None:
            await super().on_start()
            if self.starts == 1:
                raise OSError("not yet")

    assert run_virtual(lambda: Run(Late()).through(4)) == [8]


def test_restart_intensity_doubles_the_wait_and_forgets_old_failures() -> None:
    settings = SupervisorSettings(max_restarts=3, within_s=10, backoff_ms=100, max_backoff_ms=300)
    intensity = RestartIntensity(settings)
    assert [intensity.failed(t) for t in (0.0, 1.0, 2.0, 3.0)] == [0.1, 0.2, 0.3, None]
    assert intensity.failed(11.5) == 0.2


async def test_ask_answers_or_raises_what_the_actor_raised() -> None:
    run = Run(Doubler())
    handle: ActorHandle[int] = ActorHandle(run.actor)
    running = asyncio.create_task(run.supervisor.run())
    assert await handle.ask("hello") == "hello!"
    with pytest.raises(KeyError):
        await handle.ask("fail")
    await handle.tell(4)
    assert await run.outbox.receive() == 8
    await run.supervisor.tell_power(Power(mode=PowerMode.IDLE))
    assert run.actor.modes == [PowerMode.IDLE]
    run.inbox.close()
    await running


async def test_cancelling_stops_the_actor() -> None:
    run = Run(Doubler())
    running = asyncio.create_task(run.supervisor.run())
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert run.actor.stops == 1


def test_power_and_profile_are_told_once_an_actor_is_up_and_again_after_each_restart() -> None:
    class Late(Doubler):
        async def on_start(self) -> None:
            self.up = False
            await asyncio.sleep(1)
            self.up = True
            await super().on_start()

        async def on_power(self, power: Power) -> None:
            assert self.up
            await super().on_power(power)

        async def on_profile(self, profile: Profile) -> None:
            self.profiles.append(profile)

    async def main() -> None:
        actor = Late({3: 1})
        actor.profiles = []
        run = Run(actor)
        running = asyncio.create_task(run.supervisor.run())
        await asyncio.sleep(0.5)
        await run.supervisor.tell_power(Power(mode=PowerMode.IDLE))
        assert actor.modes == [], "it has not started"
        await asyncio.sleep(1)
        assert actor.modes == [PowerMode.IDLE]
        profile = Profile(description="another")
        run.context.settings.put(profile)
        await run.supervisor.tell_profile()
        assert actor.profiles == [profile]
        await run.inbox.send(3)
        await asyncio.sleep(5)
        assert (actor.starts, actor.modes) == (2, [PowerMode.IDLE] * 2)
        assert actor.profiles == [profile] * 2
        run.inbox.close()
        await running
        await run.supervisor.tell_power(Power(mode=PowerMode.PARKED))
        assert len(actor.modes) == 2, "it has ended"

    run_virtual(main)


async def test_an_actor_that_cannot_take_it_over_keeps_nobody_from_hearing_of_it() -> None:
    class Deaf(Doubler):
        name = "deaf"

        async def on_power(self, power: Power) -> None:
            raise OSError("cannot")

    deaf, run = Run(Deaf()), Run(Doubler())
    deaf.actor.context = run.context
    run.supervisor.add(deaf.actor)
    running = asyncio.create_task(run.supervisor.run())
    await asyncio.sleep(0.01)
    await run.supervisor.tell_power(Power(mode=PowerMode.IDLE))
    assert run.actor.modes == [PowerMode.IDLE]
    told = run.context.metrics.counter("vivavoce_not_told_total", actor="deaf")
    assert told.value == 1
    for inbox in (run.inbox, deaf.inbox):
        inbox.close()
    await running
