"""Conditions of the machine change the profile that holds: scripted readings, virtual time."""

import asyncio

from vivavoce.config import Profile, load_profile
from vivavoce.config.cell import ProfileCell
from vivavoce.pipeline.actor import Actor, ActorContext
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.fanout import FanOut
from vivavoce.pipeline.log import LogSink
from vivavoce.pipeline.messages import Caption, PowerMode
from vivavoce.pipeline.sensors import Readings
from vivavoce.pipeline.supervisor import Supervisor
from vivavoce.upkeep import Outcome, Upkeep


class Told(Actor[None, None]):
    name = "told"

    def __init__(self) -> None:
        super().__init__()
        self.profiles: list[tuple[float, Profile]] = []

    async def on_profile(self, profile: Profile) -> None:
        self.profiles.append((asyncio.get_running_loop().time(), profile))


class Machine:
    """Upkeep on a machine whose battery and load are scripted; `reads` counts the looks at it."""

    def __init__(self, *overrides: str, **readings) -> None:
        profile = load_profile("captions", environ={}, overrides=overrides)
        self.context = ActorContext(settings=ProfileCell(profile))
        self.readings = Readings(**readings)
        self.reads = 0
        self.told, monitor = Told(), Told()
        for actor in (self.told, monitor):
            actor.context = self.context
        self.supervisor = Supervisor(profile.supervisor, self.context)
        self.supervisor.add(self.told)
        fan: FanOut[Caption] = FanOut()
        self.upkeep = Upkeep(
            profile,
            self.context,
            self.supervisor,
            Outcome(fan),
            ahead=False,
            make_monitor=lambda: monitor,
            follow=self._nothing,
            read=self._read,
        )

    async def _nothing(self) -> None:
        return

    def _read(self) -> Readings:
        self.reads += 1
        return self.readings


def play(machine_of, script) -> Machine:
    async def main() -> Machine:
        machine = machine_of()
        async with asyncio.TaskGroup() as group:
            running = [
                group.create_task(machine.supervisor.run()),
                group.create_task(machine.upkeep.run()),
            ]
            await asyncio.sleep(0)
            machine.context.stream.start()
            await script(machine)
            for task in running:
                task.cancel()
        return machine

    return run_virtual(main)


def test_on_battery_other_settings_hold_until_the_plug_is_back() -> None:
    async def script(machine: Machine) -> None:
        await asyncio.sleep(100)
        machine.readings = Readings(on_battery=True, battery_percent=80)
        await asyncio.sleep(200)
        assert machine.context.settings.profile.transcription.partial_interval_ms == 500
        machine.readings = Readings(on_battery=False, battery_percent=80)
        await asyncio.sleep(100)

    machine = play(lambda: Machine(on_battery=False), script)
    (on, battery), (off, mains) = machine.told.profiles
    assert (on, off) == (120, 300), "looked at once a minute"
    assert battery.transcription.partial_interval_ms == 500
    assert battery.power.park_after_s == 60
    assert mains == machine.context.settings.profile
    assert mains.transcription.partial_interval_ms == 250


def test_on_battery_the_engine_is_parked_sooner() -> None:
    def parked_at(**readings) -> float:
        async def script(machine: Machine) -> None:
            while machine.upkeep.mode != "parked":
                await asyncio.sleep(1)
            at.append(machine.context.stream.elapsed())

        at: list[float] = []
        play(lambda: Machine(**readings), script)
        return at[0]

    assert 599 <= parked_at(on_battery=False) <= 602
    assert 59 <= parked_at(on_battery=True) <= 62


def test_a_changed_profile_keeps_the_conditions_over_it() -> None:
    async def script(machine: Machine) -> None:
        await asyncio.sleep(1)
        changed = load_profile("captions", environ={}, overrides=["transcription.beam_size=2"])
        await machine.upkeep.take_profile(changed)

    machine = play(lambda: Machine(on_battery=True), script)
    last = machine.told.profiles[-1][1].transcription
    assert (last.beam_size, last.partial_interval_ms) == (2, 500)


def test_a_machine_without_a_battery_is_not_looked_at_again() -> None:
    async def script(machine: Machine) -> None:
        await asyncio.sleep(3_600)

    assert play(Machine, script).reads == 1


def test_pressure_is_looked_at_where_the_profile_minds_it() -> None:
    async def script(machine: Machine) -> None:
        await asyncio.sleep(100)
        assert machine.context.settings.profile.transcription.partials
        machine.readings = Readings(pressure_percent=90.0)
        await asyncio.sleep(190)
        assert not machine.context.settings.profile.transcription.partials

    minded = "power.under_pressure.settings={transcription: {partials: false}}"
    machine = play(lambda: Machine(minded), script)
    assert machine.reads == 5
    assert len(machine.told.profiles) == 1


def test_whoever_reads_a_setting_sees_what_a_condition_makes_of_it() -> None:
    async def script(machine: Machine) -> None:
        log = LogSink(machine.context.settings.of(lambda profile: profile.log))
        before = log.threshold("capture")
        await asyncio.sleep(100)
        machine.readings = Readings(on_battery=True, battery_percent=80)
        await asyncio.sleep(100)
        assert (before, log.threshold("capture")) == (30, 10)
        assert machine.upkeep.written.log.level is None, "nobody wrote it"

    chatty = "power.on_battery.settings={log: {level: debug}}"
    play(lambda: Machine(chatty, on_battery=False), script)


def test_the_first_mode_is_known_before_anything_starts() -> None:
    async def main() -> None:
        machine = Machine("power.mode=closed")
        assert machine.context.power.power.settings.microphone == "closed"
        machine.upkeep.force(PowerMode.PARKED)
        assert machine.context.power.power.mode is PowerMode.PARKED
        assert not machine.context.power.power.engine
        machine.upkeep.force(None)
        assert machine.context.power.power.mode is PowerMode.CLOSED

    run_virtual(main)
