"""The state of the machine: battery, pressure on the processor, heat; and what follows from it.

:func:`read_conditions` asks the platform; :class:`ConditionPolicy` is pure and decides, so that a
reading that flutters about a threshold does not change the profile with every look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from typing import Final as Constant

import msgspec

from vivavoce.config.power import PowerSettings

T = TypeVar("T")

_PRESSURE: Constant = Path("/proc/pressure/cpu")
_ON_AFTER_S: Constant = 30.0
_OFF_AFTER_S: Constant = 60.0
_CHARGED_BY: Constant = 3.0
"""Percentage points above the threshold at which a low battery is low no more."""
_LEAST_MARK: Constant = 40.0
"""°C. Marks below it are what some sensors report that have none."""


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform tells; None where it does not."""

    on_battery: bool | None = None
    battery_percent: float | None = None
    pressure_percent: float | None = None
    """Share of the last minute in which something waited for a processor (PSI `some avg60`)."""
    too_hot: bool | None = None
    """A sensor is at or above the mark that it calls high or critical."""


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """The conditions of a profile's ``power`` section that are met.

    The names are those of :func:`vivavoce.config.conditions.with_conditions`.
    """

    on_battery: bool = False
    low_battery: bool = False
    under_pressure: bool = False


class ConditionPolicy:
    """Which conditions are met, with hysteresis. Pure: readings and the time come in.

    The battery counts at once: ``on_battery`` with the plug, ``low_battery`` below
    ``low_battery_percent`` until 3 points above it, or until power is at hand again. Pressure and
    heat count together, when they have lasted for 30 s, and are over when there was neither for
    60 s. What is not told is not met.

    Args:
        settings: the profile's ``power`` section, as it is then.
    """

    def __init__(self, settings: Callable[[], PowerSettings]) -> None:
        self._settings = settings
        self._now = Conditions()
        self._differs_since: float | None = None

    def update(self, readings: Readings, now: float) -> Conditions:
        """The conditions after ``readings`` at ``now`` (seconds, never backwards)."""
        on_battery = readings.on_battery is True
        self._now = Conditions(
            on_battery=on_battery,
            low_battery=on_battery and self._low(readings.battery_percent),
            under_pressure=self._pressed(readings, now),
        )
        return self._now

    def _low(self, percent: float | None) -> bool:
        if percent is None:
            return False
        margin = _CHARGED_BY if self._now.low_battery else 0.0
        return percent < self._settings().low_battery_percent + margin

    def _pressed(self, readings: Readings, now: float) -> bool:
        met = self._now.under_pressure
        pressure = readings.pressure_percent
        seen = readings.too_hot is True or (
            pressure is not None and pressure >= self._settings().pressure_percent
        )
        if seen is met:
            self._differs_since = None
            return met
        if self._differs_since is None:
            self._differs_since = now
        lasting = now - self._differs_since
        if lasting < (_OFF_AFTER_S if met else _ON_AFTER_S):
            return met
        self._differs_since = None
        return seen


def read_conditions(pressure: Path = _PRESSURE) -> Readings:
    """What the platform tells now. May wait some milliseconds for slow sensors: use a thread.

    Args:
        pressure: the file in which Linux tells the pressure on processors.
    """
    import psutil

    battery = _told(getattr(psutil, "sensors_battery", None))
    temperatures = _told(getattr(psutil, "sensors_temperatures", None))
    plugged = None if battery is None else battery.power_plugged
    return Readings(
        on_battery=None if plugged is None else not plugged,
        battery_percent=None if battery is None else float(battery.percent),
        pressure_percent=(_told(lambda: read_pressure(pressure, "avg60")) or {}).get("some"),
        too_hot=too_hot(temperatures) if temperatures else None,
    )


def too_hot(temperatures: Mapping[str, Iterable[Any]]) -> bool | None:
    """Whether a sensor is at or above one of its marks; None where no sensor has any. Pure.

    Args:
        temperatures: as ``psutil.sensors_temperatures()`` gives them, in °C.
    """
    hot: bool | None = None
    for sensors in temperatures.values():
        for sensor in sensors:
            for mark in (sensor.high, sensor.critical):
                if mark is not None and mark >= _LEAST_MARK and sensor.current is not None:
                    hot = bool(hot) or sensor.current >= mark
    return hot


def _told(ask: Callable[[], T] | None) -> T | None:
    """What the platform answers; a sensor that fails says nothing."""
    if ask is None:
        return None
    try:
        return ask()
    except (OSError, ValueError, ArithmeticError, LookupError, RuntimeError):
        return None  # what psutil's readers raise for a file in /sys that went away or is odd


def read_pressure(file: Path, window: str) -> dict[str, float]:
    """Pressure on a resource (https://docs.kernel.org/accounting/psi.html): percent of the time in
    which ``some`` and in which ``full`` work waited; empty where the platform does not tell.

    Args:
        file: such as ``/proc/pressure/cpu``.
        window: ``avg10``, ``avg60`` or ``avg300``.

    Raises:
        OSError, ValueError: the file is there and cannot be read or understood.
    """
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return {}
    found = {}
    for line in filter(None, lines):  # some avg10=0.00 avg60=1.32 avg300=0.98 total=123456
        kind, *figures = line.split()
        told = {name: value for name, _, value in (figure.partition("=") for figure in figures)}
        if window not in told:
            raise ValueError(f"{file}: no {window} in {line!r}")
        found[kind] = float(told[window])
    return found
