"""What the sensors said. They are read in a thread, for some take their time, and so that none can
hurt: what cannot be read is noted, once, and left out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

import msgspec

from vivavoce.actors.monitor.sensors import (
    BatteryReading,
    EngineReading,
    MemoryReading,
    ProcessReading,
    Sensors,
    Usage,
)
from vivavoce.actors.monitor.slopes import robust_slope
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.metrics import Metrics

T = TypeVar("T")

_RARELY_S = 60.0
"""Between readings that change slowly, or cost more: battery and temperature."""
_DRAIN_POINTS = 60
_DRAIN_LEAST_S = 600.0

log = get_logger("monitor")


class Sensor(StrEnum):
    """What can be read, by the name under which it is told that it cannot."""

    USAGE = "usage"
    MEMORY = "memory"
    ENGINES = "engines"
    PROCESS = "process"
    CPU_PRESSURE = "cpu pressure"
    BATTERY = "battery"
    TEMPERATURE = "temperature"


RARE = frozenset({Sensor.BATTERY, Sensor.TEMPERATURE})
OFTEN = frozenset(Sensor) - RARE


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What one look found: None where it was not ``asked`` for, or is ``unreadable`` (why)."""

    asked: frozenset[Sensor]
    unreadable: Mapping[Sensor, str]
    usage: Usage | None
    memory: MemoryReading | None
    engines: EngineReading | None
    process: ProcessReading | None
    cpu_pressure: float | None
    battery: BatteryReading | None
    temperature: float | None


def look(sensors: Sensors, asked: frozenset[Sensor]) -> Seen:
    """Read what is ``asked`` for. It may take its time: call it in a thread."""
    import psutil

    unreadable: dict[Sensor, str] = {}

    def read(sensor: Sensor, ask: Callable[[], T]) -> T | None:
        if sensor not in asked:
            return None
        try:
            return ask()
        except (OSError, ValueError, psutil.Error) as error:
            unreadable[sensor] = f"{type(error).__name__}: {error}"
            return None

    return Seen(
        asked=asked,
        engines=read(Sensor.ENGINES, sensors.engines),  # first: at the end of a run they go away
        usage=read(Sensor.USAGE, sensors.usage),
        memory=read(Sensor.MEMORY, sensors.memory),
        process=read(Sensor.PROCESS, sensors.process),
        cpu_pressure=read(Sensor.CPU_PRESSURE, sensors.cpu_pressure),
        battery=read(Sensor.BATTERY, sensors.battery),
        temperature=read(Sensor.TEMPERATURE, sensors.temperature),
        unreadable=unreadable,
    )


class Readings:
    """The last reading of each sensor; None: not read yet, or not readable.

    Args:
        metrics: where they are published as gauges.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._unreadable: dict[str, str] = {}
        self._rarely_at: float | None = None
        self._charge: deque[tuple[float, float]] = deque(maxlen=_DRAIN_POINTS)
        self.process: ProcessReading | None = None
        self.engines: EngineReading | None = None
        self.memory: MemoryReading | None = None
        self.cpu_pressure: float | None = None
        self.battery: BatteryReading | None = None
        self.temperature: float | None = None

    @property
    def unreadable(self) -> Mapping[str, str]:
        """What cannot be read, and why."""
        return dict(self._unreadable)

    def due(self, now: float) -> frozenset[Sensor]:
        """What a full look at second ``now`` is to read."""
        if self._rarely_at is not None and now - self._rarely_at < _RARELY_S:
            return OFTEN
        self._rarely_at = now
        return OFTEN | RARE

    def take(self, now: float, seen: Seen) -> None:
        """Keep and publish what was seen at second ``now``."""
        self._note_unreadable(seen)
        if Sensor.MEMORY in seen.asked:
            self.memory = seen.memory
            self._publish_memory(seen.memory)
        if Sensor.PROCESS in seen.asked:
            self.process = seen.process
            self._publish_process(seen.process)
        if Sensor.ENGINES in seen.asked:
            self.engines = seen.engines
            if seen.engines is not None:
                resident = seen.engines.resident_bytes
                self._gauge("vivavoce_resident_memory_bytes", resident, process="engine")
                self._gauge("vivavoce_engine_cpu_seconds", seen.engines.cpu_s)
        if Sensor.CPU_PRESSURE in seen.asked:
            self.cpu_pressure = seen.cpu_pressure
            if seen.cpu_pressure is not None:
                self._gauge("vivavoce_pressure_ratio", seen.cpu_pressure / 100, resource="cpu")
        if Sensor.BATTERY in seen.asked:
            self.battery = seen.battery
            self._note_charge(now, seen.battery)
        if Sensor.TEMPERATURE in seen.asked:
            self.temperature = seen.temperature
            if seen.temperature is not None:
                self._gauge("vivavoce_temperature_celsius", seen.temperature)

    def drain(self) -> float | None:
        """Percent of charge per hour; None on mains, without a battery, or too early to tell."""
        points = list(self._charge)
        if len(points) < 5 or points[-1][0] - points[0][0] < _DRAIN_LEAST_S:
            return None
        slope = robust_slope([at / 3_600 for at, _ in points], [charge for _, charge in points])
        return max(0.0, -slope.value)

    def _note_unreadable(self, seen: Seen) -> None:
        for sensor in seen.asked:
            reason = seen.unreadable.get(sensor)
            if reason is None:
                self._unreadable.pop(sensor, None)
            else:
                if sensor not in self._unreadable:
                    log.info(f"{sensor} cannot be read", error=reason)
                self._unreadable[str(sensor)] = reason

    def _publish_memory(self, memory: MemoryReading | None) -> None:
        if memory is None:
            return
        self._gauge("vivavoce_available_memory_bytes", memory.available_bytes)
        if memory.some_percent is not None:
            self._gauge("vivavoce_pressure_ratio", memory.some_percent / 100, resource="memory")

    def _publish_process(self, process: ProcessReading | None) -> None:
        if process is None:
            return
        self._gauge("vivavoce_resident_memory_bytes", process.resident_bytes, process="main")
        self._gauge("vivavoce_threads", process.threads)
        self._gauge("vivavoce_open_files", process.open_files)
        self._gauge("vivavoce_python_blocks", process.blocks)
        collections = self._metrics.counter("vivavoce_gc_collections_total")
        collections.add(max(0, process.collections - collections.value))

    def _note_charge(self, now: float, battery: BatteryReading | None) -> None:
        if battery is not None:
            self._gauge("vivavoce_battery_ratio", battery.percent / 100)
        if battery is None or battery.plugged:
            self._charge.clear()
        else:
            self._charge.append((now, battery.percent))

    def _gauge(self, name: str, value: float, **labels: str) -> None:
        self._metrics.gauge(name, **labels).set(value)
