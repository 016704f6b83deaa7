"""Conditions of the machine: scripted readings for the rules, the platform for the rest."""

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.config.power import PowerSettings
from vivavoce.pipeline.sensors import (
    ConditionPolicy,
    Conditions,
    Readings,
    read_conditions,
    too_hot,
)


def policy(**settings: int) -> ConditionPolicy:
    return ConditionPolicy(lambda: PowerSettings(**settings))


def battery(percent: float | None, *, plugged: bool = False) -> Readings:
    return Readings(on_battery=not plugged, battery_percent=percent)


def pressed(conditions: ConditionPolicy, *script: tuple[float, float | None]) -> list[bool]:
    return [
        conditions.update(Readings(pressure_percent=percent), at).under_pressure
        for at, percent in script
    ]


def test_the_battery_counts_at_once() -> None:
    conditions = policy()
    assert conditions.update(battery(80), 0.0) == Conditions(on_battery=True)
    assert conditions.update(battery(80, plugged=True), 0.1) == Conditions()


def test_a_low_battery_is_low_until_it_is_clearly_fuller_or_plugged_in() -> None:
    conditions = policy(low_battery_percent=20)
    script = [(20, False), (19.9, True), (20, True), (22.9, True), (23, False), (22, False)]
    for at, (percent, low) in enumerate(script):
        assert conditions.update(battery(percent), at).low_battery is low
    assert conditions.update(battery(5), 7.0).low_battery
    assert not conditions.update(battery(5, plugged=True), 8.0).low_battery
    assert not conditions.update(battery(21), 9.0).low_battery


def test_a_battery_that_tells_no_level_is_not_low() -> None:
    assert policy().update(battery(None), 0.0) == Conditions(on_battery=True)


def test_pressure_counts_when_it_lasts_and_is_over_when_that_lasts() -> None:
    script = [(0, 60), (29, 99), (30, 61), (31, 0), (60, 59), (90, 10), (91, 10)]
    assert pressed(policy(), *script) == [False, False, True, True, True, True, False]


def test_a_moment_of_pressure_or_of_rest_begins_the_wait_anew() -> None:
    flutter = [(0, 80), (20, 10), (25, 80), (50, 80), (55, 80), (60, 0), (100, 80), (119, 0)]
    assert pressed(policy(), *flutter) == [False] * 4 + [True] * 4
    assert pressed(policy(), (0, 80), (60, 80), (120, 0), (180, 0)) == [False, True, True, False]


def test_heat_counts_like_pressure() -> None:
    conditions = policy()
    hot = Readings(too_hot=True, pressure_percent=0.0)
    assert [conditions.update(hot, at).under_pressure for at in (0, 30)] == [False, True]


def test_what_is_not_told_is_not_met() -> None:
    conditions = policy()
    assert {conditions.update(Readings(), at) for at in range(0, 500, 50)} == {Conditions()}


def test_another_profile_moves_the_thresholds() -> None:
    settings = PowerSettings(low_battery_percent=20)
    conditions = ConditionPolicy(lambda: settings)
    assert not conditions.update(battery(30), 0.0).low_battery
    settings = PowerSettings(low_battery_percent=40)
    assert conditions.update(battery(30), 1.0).low_battery


@given(st.lists(st.tuples(st.floats(0.1, 200), st.floats(0, 100)), min_size=1, max_size=40))
def test_pressure_changes_at_most_twice_in_ninety_seconds(script) -> None:
    conditions, now, changes, before = policy(), 0.0, [], False
    for wait, percent in script:
        now += wait
        (met,) = pressed(conditions, (now, percent))
        if met is not before:
            changes.append(now)
        before = met
    for first, third in zip(changes, changes[2:], strict=False):
        assert third - first >= 90


def sensor(current, high=None, critical=None):
    return SimpleNamespace(label="", current=current, high=high, critical=critical)


@pytest.mark.parametrize(
    ("sensors", "hot"),
    [
        ([], None),
        ([sensor(99.0)], None),
        ([sensor(79.9, 80.0, 100.0)], False),
        ([sensor(80.0, 80.0, 100.0)], True),
        ([sensor(30.0, 80.0), sensor(101.0, None, 100.0)], True),
        ([sensor(101.0, None, 100.0), sensor(30.0, 80.0)], True),
        ([sensor(35.0, 0.0, -273.15)], None),
        ([sensor(None, 80.0)], None),
    ],
)
def test_heat_is_a_sensor_at_its_mark(sensors, hot) -> None:
    assert too_hot({"chip": sensors}) is hot


def test_the_platform_answers_or_says_nothing(tmp_path: Path, monkeypatch) -> None:
    assert isinstance(read_conditions(), Readings)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: None, raising=False)
    monkeypatch.delattr(psutil, "sensors_temperatures", raising=False)
    assert read_conditions(tmp_path / "none") == Readings()

    def broken():
        raise FileNotFoundError("/sys/class/power_supply/BAT0")

    monkeypatch.setattr(psutil, "sensors_battery", broken, raising=False)
    assert read_conditions(tmp_path / "none") == Readings()


def test_battery_and_pressure_are_read(tmp_path: Path, monkeypatch) -> None:
    told = SimpleNamespace(percent=41, secsleft=-1, power_plugged=False)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: told, raising=False)
    file = tmp_path / "cpu"
    file.write_text(
        "some avg10=9.00 avg60=12.50 avg300=1.00 total=5\n"
        "full avg10=0.00 avg60=3.00 avg300=0.00 total=0\n"
    )
    readings = read_conditions(file)
    assert (readings.on_battery, readings.battery_percent) == (True, 41.0)
    assert readings.pressure_percent == 12.5
    file.write_text("some avg60=?\n")
    assert read_conditions(file).pressure_percent is None
    told.power_plugged = None
    assert read_conditions(file).on_battery is None
