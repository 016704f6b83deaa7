"""The sensors, read so that none can hurt: what cannot be read is noted, once, and left out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TypeVar

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


class Readings:
    """The last reading of each sensor; None: not read yet, or not readable.

    Args:
        sensors: where they come from.
        metrics: where they are published as gauges.
    """

    def __init__(self, sensors: Sensors, metrics: Metrics) -> None:
        self._sensors = sensors
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

    def usage(self) -> Usage | None:
        """CPU time and context switches so far."""
        return self._read("usage", self._sensors.usage)

    def read_memory(self) -> MemoryReading | None:
        """The machine's memory alone."""
        self.memory = self._read("memory", self._sensors.memory)
        if self.memory is not None:
            self._gauge("vivavoce_available_memory_bytes", self.memory.available_bytes)
            if self.memory.some_percent is not None:
                self._gauge(
                    "vivavoce_pressure_ratio", self.memory.some_percent / 100, resource="memory"
                )
        return self.memory

    def read(self, now: float) -> None:
        """Everything that is due at second ``now``."""
        self.process = self._read("process", self._sensors.process)
        if self.process is not None:
            process = self.process
            self._gauge("vivavoce_resident_memory_bytes", process.resident_bytes, process="main")
            self._gauge("vivavoce_threads", process.threads)
            self._gauge("vivavoce_open_files", process.open_files)
            self._gauge("vivavoce_python_blocks", process.blocks)
            collections = self._metrics.counter("vivavoce_gc_collections_total")
            collections.add(max(0, process.collections - collections.value))
        self.engines = self._read("engines", self._sensors.engines)
        if self.engines is not None:
            self._gauge(
                "vivavoce_resident_memory_bytes", self.engines.resident_bytes, process="engine"
            )
            self._gauge("vivavoce_engine_cpu_seconds", self.engines.cpu_s)
        self.cpu_pressure = self._read("cpu pressure", self._sensors.cpu_pressure)
        if self.cpu_pressure is not None:
            self._gauge("vivavoce_pressure_ratio", self.cpu_pressure / 100, resource="cpu")
        if self._rarely_at is None or now - self._rarely_at >= _RARELY_S:
            self._rarely_at = now
            self._read_rarely(now)

    def drain(self) -> float | None:
        """Percent of charge per hour; None on mains, without a battery, or too early to tell."""
        points = list(self._charge)
        if len(points) < 5 or points[-1][0] - points[0][0] < _DRAIN_LEAST_S:
            return None
        slope = robust_slope([at / 3_600 for at, _ in points], [charge for _, charge in points])
        return max(0.0, -slope.value)

    def _read_rarely(self, now: float) -> None:
        self.battery = self._read("battery", self._sensors.battery)
        if self.battery is not None:
            self._gauge("vivavoce_battery_ratio", self.battery.percent / 100)
        if self.battery is None or self.battery.plugged:
            self._charge.clear()
        else:
            self._charge.append((now, self.battery.percent))
        self.temperature = self._read("temperature", self._sensors.temperature)
        if self.temperature is not None:
            self._gauge("vivavoce_temperature_celsius", self.temperature)

    def _gauge(self, name: str, value: float, **labels: str) -> None:
        self._metrics.gauge(name, **labels).set(value)

    def _read(self, name: str, read: Callable[[], T]) -> T | None:
        import psutil

        try:
            found = read()
        except (OSError, ValueError, psutil.Error) as error:
            if name not in self._unreadable:
                log.info(f"{name} cannot be read", error=f"{type(error).__name__}: {error}")
            self._unreadable[name] = f"{type(error).__name__}: {error}"
            return None
        self._unreadable.pop(name, None)
        return found
