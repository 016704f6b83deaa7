"""The trigger's state machine: what each input means in each mode and state."""

from __future__ import annotations

import msgspec
import pytest

from vivavoce.actors.trigger.machine import Cancel, Command, Resume, Start, Stop, TriggerMachine
from vivavoce.config.trigger import TriggerSettings

HOLD = TriggerSettings(mode="hold", hotkey="f9", debounce_ms=16, min_hold_ms=100)
TOGGLE = msgspec.structs.replace(HOLD, mode="toggle")
MANUAL = msgspec.structs.replace(HOLD, mode="manual")
VOICE = msgspec.structs.replace(HOLD, mode="voice")


def told(settings: TriggerSettings, script: str) -> list[object]:
    """Decisions on a script as `0 press, 0.2 cancel, 0.3 to:toggle` (the last: another mode)."""
    machine = TriggerMachine(lambda: settings, 0.0)
    found: list[object] = []
    for step in script.split(","):
        at, what = step.split()
        now = float(at)
        if what in ("press", "release", "keys_lost", "tick"):
            found += getattr(machine, what)(now)
        elif what.startswith("to:"):
            found += machine.enter(what.removeprefix("to:"), now)
        else:
            found += machine.command(Command(what), now)
    return found


CASES: dict[str, tuple[TriggerSettings, str, list[object]]] = {
    "hold: from press to release": (
        HOLD,
        "1 press, 2 release",
        [Start(1.0), Stop(2.0, 2.016)],
    ),
    "hold: twice": (
        HOLD,
        "1 press, 2 release, 3 press, 4 release",
        [Start(1.0), Stop(2.0, 2.016), Start(3.0), Stop(4.0, 4.016)],
    ),
    "hold: pressed anew right after the debounce": (
        HOLD,
        "1 press, 2 release, 2.016 press",
        [Start(1.0), Stop(2.0, 2.016), Start(2.016)],
    ),
    "hold: repeats as presses": (HOLD, "1 press, 1.5 press, 1.6 press", [Start(1.0)]),
    "hold: repeats as pairs": (
        HOLD,
        "1 press, 2 release, 2 press, 3 release, 3 press, 4 release",
        [
            Start(1.0), Stop(2.0, 2.016), Resume(2.0), Stop(3.0, 3.016), Resume(3.0),
            Stop(4.0, 4.016),
        ],
    ),
    "hold: a bounce at the release": (
        HOLD,
        "1 press, 2 release, 2.005 press, 2.008 release",
        [Start(1.0), Stop(2.0, 2.016), Resume(2.005), Stop(2.008, 2.024)],
    ),
    "hold: a bounce at the press": (
        HOLD,
        "1 press, 1.004 release, 1.008 press, 2 release",
        [Start(1.0), Stop(2.0, 2.016)],
    ),
    "hold: a slip is cancelled when it cannot be a bounce": (
        HOLD,
        "1 press, 1.05 release, 1.06 tick, 1.066 tick, 9 tick",
        [Start(1.0), Cancel(1.05)],
    ),
    "hold: a slip that nobody ticked": (
        HOLD,
        "1 press, 1.05 release, 3 press",
        [Start(1.0), Cancel(1.05), Start(3.0)],
    ),
    "hold: a slip, and the keys are lost": (
        HOLD,
        "1 press, 1.05 release, 1.06 keys_lost",
        [Start(1.0), Cancel(1.05)],
    ),
    "hold: held as long as is asked": (
        HOLD,
        "0 press, 0.1 release",
        [Start(0.0), Stop(0.1, 0.116)],
    ),
    "hold: cancelled while held": (
        HOLD,
        "1 press, 2 cancel, 3 release, 4 press",
        [Start(1.0), Cancel(2.0), Start(4.0)],
    ),
    "hold: cancelled while held, and the key repeats": (
        HOLD,
        "1 press, 2 cancel, 2.1 release, 2.1 press, 2.2 release, 2.2 press, 3 release",
        [Start(1.0), Cancel(2.0)],
    ),
    "hold: stopped while held": (
        HOLD,
        "1 press, 2 stop, 3 release",
        [Start(1.0), Stop(2.0, 2.0)],
    ),
    "hold: stopped by a command, a bounce resumes nothing": (
        HOLD,
        "1 press, 2 release, 2.002 stop, 2.004 press, 3 release",
        [Start(1.0), Stop(2.0, 2.016)],
    ),
    "hold: started right after the release": (
        HOLD,
        "1 press, 2 release, 2.002 start, 2.004 press, 3 stop",
        [Start(1.0), Stop(2.0, 2.016), Start(2.002), Stop(3.0, 3.0)],
    ),
    "hold: commanded, the key takes it over": (
        HOLD,
        "1 start, 2 press, 2.01 release",
        [Start(1.0), Stop(2.01, 2.026)],
    ),
    "hold: held, a command takes it over": (
        HOLD,
        "1 press, 2 start, 3 release, 4 stop",
        [Start(1.0), Stop(4.0, 4.0)],
    ),
    "hold: started again while the key is still held": (
        HOLD,
        "1 press, 2 cancel, 3 start, 4 release, 5 stop",
        [Start(1.0), Cancel(2.0), Start(3.0), Stop(5.0, 5.0)],
    ),
    "hold: a command saves a slip": (
        HOLD,
        "1 press, 1.05 release, 1.06 start, 2 tick, 3 stop",
        [Start(1.0), Stop(3.0, 3.0)],
    ),
    "hold: keys lost": (HOLD, "1 press, 2 keys_lost, 3 release", [Start(1.0), Stop(2.0, 2.0)]),
    "hold: keys lost in a commanded recording": (HOLD, "1 start, 2 keys_lost", [Start(1.0)]),
    "hold: too long": (
        HOLD,
        "1 press, 600 tick, 601.5 tick, 602 release",
        [Start(1.0), Stop(601.0, 601.0)],
    ),
    "hold: a release that nobody pressed": (HOLD, "1 release, 2 release", []),
    "toggle: press to press": (
        TOGGLE,
        "1 press, 1.05 release, 5 press, 5.3 release",
        [Start(1.0), Stop(5.0, 5.0)],
    ),
    "toggle: repeats and bounces": (
        TOGGLE,
        "1 press, 1.003 release, 1.006 press, 1.5 press, 1.6 release, 1.6 press, 2 release",
        [Start(1.0)],
    ),
    "toggle: keys lost": (
        TOGGLE,
        "1 press, 1.1 release, 2 keys_lost, 3 press",
        [Start(1.0), Stop(2.0, 2.0), Start(3.0)],
    ),
    "toggle: cancelled": (
        TOGGLE,
        "1 press, 1.1 release, 2 cancel, 2.5 cancel, 3 press",
        [Start(1.0), Cancel(2.0), Start(3.0)],
    ),
    "toggle: a press ends what a command began": (
        TOGGLE,
        "1 toggle, 2 press",
        [Start(1.0), Stop(2.0, 2.0)],
    ),
    "toggle: too long": (TOGGLE, "1 press, 700 tick", [Start(1.0), Stop(601.0, 601.0)]),
    "manual: keys do nothing": (MANUAL, "1 press, 2 release, 3 press, 4 release", []),
    "manual: commands": (
        MANUAL,
        "1 start, 1.5 start, 2 stop, 2.5 stop, 3 toggle, 4 toggle, 5 toggle, 6 cancel",
        [Start(1.0), Stop(2.0, 2.0), Start(3.0), Stop(4.0, 4.0), Start(5.0), Cancel(6.0)],
    ),
    "manual: too long": (MANUAL, "1 start, 700 tick", [Start(1.0), Stop(601.0, 601.0)]),
    "voice: keys do nothing, and it is never too long": (
        VOICE,
        "1 press, 2 release, 700 tick, 701 keys_lost",
        [],
    ),
    "voice: muted and back": (
        VOICE,
        "1 stop, 2 cancel, 3 start, 4 toggle, 900 toggle",
        [Stop(1.0, 1.0), Start(3.0), Stop(4.0, 4.0), Start(900.0)],
    ),
    "voice: cancel discards and goes on": (VOICE, "1 cancel", [Cancel(1.0), Start(1.0)]),
    "mode: a held recording ends with its mode": (
        HOLD,
        "1 press, 2 to:toggle",
        [Start(1.0), Stop(2.0, 2.0)],
    ),
    "mode: a commanded recording goes on": (HOLD, "1 start, 2 to:manual, 700 tick", [
        Start(1.0), Stop(601.0, 601.0),
    ]),
    "mode: to voice it goes on without limit": (HOLD, "1 press, 2 to:voice, 3 release, 700 tick", [
        Start(1.0),
    ]),
    "mode: to voice from silence": (HOLD, "2 to:voice", [Start(2.0)]),
    "mode: from voice it stops": (VOICE, "2 to:hold, 3 press", [Stop(2.0, 2.0), Start(3.0)]),
    "mode: from voice, muted": (VOICE, "1 stop, 2 to:hold", [Stop(1.0, 1.0)]),
    "mode: nothing is resumed in another": (
        HOLD,
        "1 press, 2 release, 2.005 to:manual, 2.007 press",
        [Start(1.0), Stop(2.0, 2.016)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_follows(case: str) -> None:
    settings, script, expected = CASES[case]
    assert told(settings, script) == expected


def test_what_it_says_of_itself() -> None:
    machine = TriggerMachine(lambda: HOLD, 0.0)
    assert (machine.recording, machine.held, machine.due(0.0)) == (False, False, None)
    machine.press(1.0)
    assert (machine.recording, machine.held, machine.due(1.0)) == (True, True, 601.0)
    machine.release(1.05)
    assert (machine.recording, machine.held, machine.due(1.05)) == (True, False, 1.05 + 0.016)
    assert machine.due(5.0) == 5.0  # at once: it is past
    machine.tick(1.07)
    assert (machine.recording, machine.held, machine.due(1.07)) == (False, False, None)
    voice = TriggerMachine(lambda: VOICE, 0.0)
    assert (voice.recording, voice.due(0.0)) == (True, None)


def test_a_lower_limit_stops_now_and_not_in_the_past() -> None:
    settings = HOLD
    machine = TriggerMachine(lambda: settings, 0.0)
    machine.press(0.0)
    settings = msgspec.structs.replace(HOLD, max_recording_s=10.0)
    assert machine.enter("hold", 300.0) == (Stop(300.0, 300.0),)


def test_without_a_limit_it_goes_on() -> None:
    endless = msgspec.structs.replace(HOLD, max_recording_s=None)
    machine = TriggerMachine(lambda: endless, 0.0)
    machine.press(0.0)
    assert machine.due(1.0) is None
    assert machine.tick(1e9) == ()


def test_without_debounce_only_pairs_at_the_same_time_are_repeats() -> None:
    steady = msgspec.structs.replace(HOLD, debounce_ms=0)
    machine = TriggerMachine(lambda: steady, 0.0)
    machine.press(0.0)
    assert machine.release(1.0) == (Stop(1.0, 1.0),)
    assert machine.press(1.0) == (Resume(1.0),)
    assert machine.release(2.0) == (Stop(2.0, 2.0),)
    assert machine.press(2.001) == (Start(2.001),)
