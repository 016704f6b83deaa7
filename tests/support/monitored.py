"""A monitor on a virtual clock, and sensors that read what a test says."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from vivavoce.actors.monitor import MonitorActor
from vivavoce.actors.monitor.sensors import (
    BatteryReading,
    EngineReading,
    MemoryReading,
    ProcessReading,
    Usage,
)
from vivavoce.config import load_profile
from vivavoce.config.cell import ProfileCell
from vivavoce.config.power import ModeSettings
from vivavoce.config.schema import SupervisorSettings
from vivavoce.pipeline.actor import ActorContext, ActorHandle
from vivavoce.pipeline.messages import PowerMode
from vivavoce.pipeline.power import Power, PowerEvent
from vivavoce.pipeline.supervisor import Supervisor

GB = 10**9


class Scripted:
    """Sensors that say what they are told, and note when and in which threads they are asked.

    Args:
        now: the time; they are asked in threads, which have no loop.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.threads: set[threading.Thread] = set()
        self.asked: list[float] = []
        self.cpu_s = 0.0
        self.cpu_per_s = 0.0
        self.resident: Callable[[float], float] = lambda _: 60e6
        self.free = 4 * GB
        self.charge: BatteryReading | None = None
        self.broken: Exception | None = None

    def note(self) -> None:
        self.threads.add(threading.current_thread())

    def usage(self) -> Usage:
        self.note()
        now = self.now()
        return Usage(cpu_s=now * self.cpu_per_s, wakeups=int(now * 10), preemptions=0)

    def process(self) -> ProcessReading:
        self.note()
        self.asked.append(self.now())
        if self.broken is not None:
            raise self.broken
        resident = int(self.resident(self.now() / 3_600))
        return ProcessReading(
            resident_bytes=resident, threads=4, open_files=9, blocks=100_000, collections=3
        )

    def engines(self) -> EngineReading:
        self.note()
        return EngineReading(processes=1, resident_bytes=300_000_000, cpu_s=1.0)

    def memory(self) -> MemoryReading:
        self.note()
        return MemoryReading(total_bytes=8 * GB, available_bytes=self.free, some_percent=0.0)

    def cpu_pressure(self) -> float | None:
        self.note()
        return 7.0

    def battery(self) -> BatteryReading | None:
        self.note()
        return self.charge

    def temperature(self) -> float | None:
        self.note()
        return None


class Stage:
    """A monitor under its supervisor, in virtual time."""

    def __init__(self, *overrides: str, **arguments: Any) -> None:
        self.sensors = Scripted(asyncio.get_running_loop().time)
        self.profile = load_profile("captions", environ={}, overrides=overrides)
        self.context = ActorContext(settings=ProfileCell(self.profile))
        self.monitor = MonitorActor(sensors=self.sensors, context=self.context, **arguments)
        self.inbox = self.monitor.inbox
        self.supervisor = Supervisor(SupervisorSettings(), self.context)
        self.supervisor.add(self.monitor)
        self.ask = ActorHandle(self.monitor).ask
        self.told: list[PowerEvent] = []
        self.context.power.listen(self.told.append)

    async def mode(self, mode: PowerMode, **settings: Any) -> None:
        await self.supervisor.tell_power(Power(mode=mode, settings=ModeSettings(**settings)))

    async def __aenter__(self) -> "Stage":
        self.task = asyncio.create_task(self.supervisor.run())
        self.context.stream.start()
        await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.inbox.close()
        await self.task
