"""Whatever keys and commands come, in whatever order: nothing stays recording."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from vivavoce.actors.trigger.machine import (
    Command,
    Decisions,
    Resume,
    Start,
    Stop,
    TriggerMachine,
)
from vivavoce.config.trigger import TriggerSettings

MODES = st.sampled_from(["hold", "hold", "toggle", "manual", "voice"])
SHORT = st.sampled_from([0.0, 0.001, 0.01, 0.016, 0.02, 0.09, 0.1, 0.11])
LONG = st.sampled_from([0.2, 1.0, 4.9, 5.0, 5.1, 30.0])
SEQUENCES, STEPS = 1_000, 25
LONGEST_S = 5.0


class Keyboard(RuleBasedStateMachine):
    """A person, a keyboard that bounces and repeats, other programs, and a listener that dies.

    It knows what is down, who asked last for the recording, and what was decided so far.
    """

    @initialize(mode=MODES, debounce_ms=st.sampled_from([0, 16]), limited=st.booleans())
    def begin(self, mode: str, debounce_ms: int, limited: bool) -> None:
        self.settings = TriggerSettings(
            mode=mode,  # type: ignore[arg-type]
            debounce_ms=debounce_ms,
            max_recording_s=LONGEST_S if limited else None,
        )
        self.now = 100.0
        self.machine = TriggerMachine(lambda: self.settings, self.now)
        self.down, self.up_since = False, 0.0
        self.open = mode == "voice"
        self.last_stop: Stop | None = None  # what may be resumed
        self.commanded = False
        self.last_at = self.now

    def take(self, decisions: Decisions) -> None:
        """Decisions alternate, are in order of time, and only a Stop is ever resumed."""
        for decision in decisions:
            assert decision.at >= self.last_at
            assert decision.at <= self.now
            self.last_at = decision.at
            if isinstance(decision, Start):
                assert not self.open
                self.open, self.last_stop = True, None
            elif isinstance(decision, Resume):
                assert not self.open
                assert self.last_stop is not None
                assert decision.at <= self.last_stop.final_at
                self.open, self.last_stop = True, None
            else:
                assert self.open
                self.open = False
                self.last_stop = decision if isinstance(decision, Stop) else None
        if not self.open:
            self.commanded = False
        assert self.machine.recording == self.open
        assert self.machine.held == self.down

    @rule(seconds=SHORT | LONG, ticked=st.booleans())
    def wait(self, seconds: float, ticked: bool) -> None:
        self.now += seconds
        if ticked:
            self.take(self.machine.tick(self.now))
            due = self.machine.due(self.now)
            assert due is None or due > self.now

    @rule()
    def press(self) -> None:
        anew = not self.down and self.now >= self.up_since + self.settings.debounce_ms / 1000
        self.down = True
        self.take(self.machine.press(self.now))
        if anew and self.now > self.up_since and self.settings.mode == "hold":
            self.commanded = False  # it is the key's from now on

    @precondition(lambda self: self.down)
    @rule()
    def release(self) -> None:
        self.down, self.up_since = False, self.now
        self.take(self.machine.release(self.now))

    @precondition(lambda self: self.down)
    @rule(pairs=st.integers(1, 4), gap=st.sampled_from([0.0, 0.0, 0.002]))
    def repeat(self, pairs: int, gap: float) -> None:
        """X11's repeats, which begin after a while: nothing comes of them."""
        self.now += 0.25
        self.take(self.machine.tick(self.now))
        was, due = self.open, self.machine.due(self.now)
        for _ in range(pairs):
            self.release()
            self.now += gap if self.settings.debounce_ms else 0.0
            self.press()
        if due is None or self.now < due:
            assert self.open == was

    @rule(command=st.sampled_from(list(Command)))
    def say(self, command: Command) -> None:
        self.take(self.machine.tick(self.now))
        was = self.open
        self.take(self.machine.command(command, self.now))
        starts = command is Command.START or (command is Command.TOGGLE and not was)
        if starts:
            self.commanded = True
        goes_on = was and self.settings.mode == "voice" and command is Command.CANCEL
        assert self.open == (starts or goes_on)

    @rule()
    def lose(self) -> None:
        self.down, self.up_since = False, 0.0
        self.take(self.machine.keys_lost(self.now))
        assert self.commanded or self.settings.mode == "voice" or not self.open

    @rule(mode=MODES)
    def change_mode(self, mode: str) -> None:
        self.settings = msgspec.structs.replace(self.settings, mode=mode)  # type: ignore[arg-type]
        self.take(self.machine.enter(self.settings.mode, self.now))

    @invariant()
    def nobody_is_left_listening(self) -> None:
        if not hasattr(self, "machine"):
            return
        if self.settings.mode == "hold" and not self.down and not self.commanded:
            # What a slip leaves open is closed when its bounce time is over.
            due = self.machine.due(self.now)
            assert not self.open or (due is not None and due <= self.now + 0.0161)

    def teardown(self) -> None:
        """All keys go up and time passes: it does not record, unless somebody wants that."""
        if not hasattr(self, "machine"):
            return
        if self.down:
            self.release()
        self.now += 1.0
        self.take(self.machine.tick(self.now))
        if self.settings.mode == "hold" and not self.commanded:
            assert not self.open
        self.now += LONGEST_S
        self.take(self.machine.tick(self.now))
        if self.settings.mode != "voice" and self.settings.max_recording_s is not None:
            assert not self.open
        self.take(self.machine.command(Command.STOP, self.now))
        assert not self.open


@pytest.mark.thorough
def test_random_sequences_never_leave_it_recording() -> None:
    run_state_machine_as_test(
        Keyboard,
        settings=hypothesis_settings(
            max_examples=SEQUENCES, stateful_step_count=STEPS, deadline=None, database=None
        ),
    )
