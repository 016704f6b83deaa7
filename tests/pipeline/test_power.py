"""The transition table of power modes: pure, so time is only a number here."""

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivavoce.config.power import PowerSettings
from vivavoce.pipeline.messages import PowerMode
from vivavoce.pipeline.power import PowerEvent, PowerPolicy

ACTIVE, LISTENING, IDLE, PARKED, CLOSED = PowerMode
SETTINGS = PowerSettings(
    listening_after_s=10, idle_after_s=60, park_after_s=600, close_after_s=3_600, confirm_s=5
)


def quiet(now: float = 0.0, **changes) -> PowerPolicy:
    settings = msgspec.structs.replace(SETTINGS, **changes)
    return PowerPolicy(lambda: settings, now)


@pytest.mark.parametrize(
    ("after", "mode"),
    [
        (0, ACTIVE), (9.9, ACTIVE), (10, LISTENING), (59.9, LISTENING), (60, IDLE), (599.9, IDLE),
        (600, PARKED), (3_599, PARKED), (3_600, CLOSED), (1e6, CLOSED),
    ],
)  # fmt: skip
def test_silence_leads_down_step_by_step(after, mode) -> None:
    assert quiet(100.0).mode(100.0 + after) is mode


@pytest.mark.parametrize("after", [0, 30, 100, 1_000])
def test_speech_leads_to_active_and_starts_the_time_anew(after) -> None:
    policy = quiet()
    policy.handle(PowerEvent.SPEECH_STARTED, after)
    assert policy.mode(after) is ACTIVE
    assert policy.mode(after + 10_000) is ACTIVE, "as long as it goes on"
    assert policy.due(after) is None
    policy.handle(PowerEvent.SPEECH_ENDED, after + 20)
    assert policy.mode(after + 29.9) is ACTIVE
    assert policy.mode(after + 30) is LISTENING


def test_a_missing_final_keeps_the_pipeline_awake() -> None:
    policy = quiet()
    policy.handle(PowerEvent.WORK_STARTED, 5)
    policy.handle(PowerEvent.SPEECH_ENDED, 6)
    assert policy.mode(5_000) is ACTIVE
    policy.handle(PowerEvent.WORK_ENDED, 5_000)
    assert policy.mode(5_000) is CLOSED


@pytest.mark.parametrize(("after", "rest"), [(100, IDLE), (1_000, PARKED)])
def test_a_sound_wakes_and_without_speech_the_pipeline_goes_back_to_sleep(after, rest) -> None:
    policy = quiet()
    policy.handle(PowerEvent.ONSET, after)
    assert policy.mode(after) is LISTENING
    assert policy.power(after).engine, "loaded before it is known whether it is speech"
    assert policy.due(after) == after + 5
    assert policy.mode(after + 4.9) is LISTENING
    assert policy.mode(after + 5) is rest


def test_a_sound_means_nothing_where_the_detector_is_awake_or_the_microphone_closed() -> None:
    policy = quiet()
    policy.handle(PowerEvent.ONSET, 30)
    assert policy.mode(70) is IDLE
    policy.handle(PowerEvent.ONSET, 5_000)
    assert policy.mode(5_000) is CLOSED


def test_one_noise_after_another_does_not_load_the_engine_again_and_again() -> None:
    policy = quiet(close_after_s=None)
    loads = []
    for at in range(1_000, 2_000, 100):
        policy.handle(PowerEvent.ONSET, at)
        assert policy.mode(at) is LISTENING
        loads.append(policy.power(at).engine)
    assert loads == [True, True, True] + [False] * 7
    policy.handle(PowerEvent.SPEECH_STARTED, 2_000)
    assert policy.power(2_000).engine
    policy.handle(PowerEvent.SPEECH_ENDED, 2_001)
    policy.handle(PowerEvent.ONSET, 3_000)
    assert policy.power(3_000).engine, "speech forgives the noises before it"


def test_noises_while_idle_never_stop_the_engine() -> None:
    policy = quiet(park_after_s=None)
    for at in range(100, 1_000, 50):
        policy.handle(PowerEvent.ONSET, at)
        assert policy.power(at).engine
        assert policy.power(at + 6).engine


@pytest.mark.parametrize("forced", [ACTIVE, LISTENING, IDLE, PARKED])
def test_a_forced_mode_is_where_silence_is_spent(forced) -> None:
    policy = quiet()
    policy.force(forced, 1)
    assert {policy.mode(now) for now in (1, 50, 1_000, 10_000)} == {forced}
    policy.handle(PowerEvent.SPEECH_STARTED, 10_000)
    assert policy.mode(10_000) is ACTIVE
    policy.handle(PowerEvent.SPEECH_ENDED, 10_001)
    assert policy.mode(10_001) is forced
    policy.force(None, 20_000)
    assert policy.mode(20_000) is ACTIVE
    assert policy.mode(20_060) is IDLE


def test_forced_closed_hears_nothing_more_and_still_finishes_what_was_said() -> None:
    policy = quiet()
    policy.handle(PowerEvent.SPEECH_STARTED, 1)
    policy.handle(PowerEvent.WORK_STARTED, 1)
    policy.force(CLOSED, 2)
    assert policy.mode(2) is CLOSED
    assert policy.power(2).settings.microphone == "closed"
    assert policy.power(2).engine
    policy.handle(PowerEvent.SPEECH_ENDED, 2.1)
    policy.handle(PowerEvent.WORK_ENDED, 3)
    assert not policy.power(3).engine
    policy.handle(PowerEvent.WAKE, 4)
    assert policy.mode(4) is ACTIVE


@pytest.mark.parametrize("mode", ["active", "listening", "idle", "parked", "closed"])
def test_the_profile_can_say_in_which_mode_it_begins_and_rests(mode) -> None:
    policy = quiet(mode=mode)
    assert policy.mode(0) == mode
    assert policy.mode(1e6) == mode


def test_woken_from_the_profiles_closed_it_goes_by_the_time() -> None:
    policy = quiet(mode="closed")
    policy.handle(PowerEvent.WAKE, 10)
    assert policy.mode(10) is ACTIVE
    assert policy.mode(25) is LISTENING


def test_a_mode_that_the_profile_is_edited_to_holds_though_somebody_woke_it_before() -> None:
    settings = PowerSettings(mode="closed")
    policy = PowerPolicy(lambda: settings, 0)
    policy.handle(PowerEvent.WAKE, 10)
    settings = PowerSettings(mode="closed", idle_after_s=99.0)
    policy.settings_changed()
    assert policy.mode(11) is ACTIVE, "another setting does not release the microphone again"
    settings = PowerSettings(mode="parked")
    policy.settings_changed()
    assert policy.mode(20) is PARKED
    settings = PowerSettings(mode="closed")
    policy.settings_changed()
    assert policy.mode(30) is CLOSED, "also where it is the one from which it was woken"


def test_woken_from_a_programs_closed_the_profiles_mode_holds() -> None:
    policy = quiet(mode="parked")
    policy.force(CLOSED, 1)
    policy.handle(PowerEvent.WAKE, 2)
    assert policy.mode(300) is PARKED


def test_a_timer_opens_the_microphone_again() -> None:
    policy = quiet(reopen_after_s=60.0)
    assert policy.due(3_600) == 3_660
    assert not policy.reopens(3_659)
    assert policy.reopens(3_660)
    policy.handle(PowerEvent.WAKE, 3_660)
    assert policy.mode(3_660) is ACTIVE


def test_short_memory_parks_at_once_unless_somebody_speaks() -> None:
    policy = quiet()
    policy.handle(PowerEvent.SLEEP, 1)
    assert policy.mode(1) is PARKED
    policy.handle(PowerEvent.SPEECH_STARTED, 2)
    assert policy.mode(2) is ACTIVE
    policy.handle(PowerEvent.SPEECH_ENDED, 3)
    assert policy.mode(3) is ACTIVE, "it was heard again: by the time from now on"
    policy.handle(PowerEvent.SLEEP, 4)
    policy.handle(PowerEvent.ONSET, 5)
    assert policy.mode(5) is LISTENING


@pytest.mark.parametrize("mode", [ACTIVE, LISTENING, IDLE, PARKED, CLOSED])
def test_each_mode_means_what_the_profile_says(mode) -> None:
    policy = quiet()
    policy.force(mode, 0)
    power = policy.power(1)
    assert power.mode is mode
    assert power.settings == getattr(SETTINGS, mode.value)
    assert power.engine == (mode in (ACTIVE, LISTENING, IDLE))


EVENTS = st.lists(
    st.tuples(st.floats(0.0, 2_000.0), st.sampled_from([*PowerEvent, None])), max_size=30
)


@given(EVENTS)
def test_between_two_moments_that_are_due_nothing_changes(steps) -> None:
    """A controller that sleeps until `due` sees every change."""
    policy = quiet(reopen_after_s=100.0)
    now = 0.0
    for wait, event in steps:
        until = now + wait
        while True:
            due = policy.due(now)
            assert due is None or due > now
            stop = until if due is None else min(due, until)
            seen = {policy.power(now + (stop - now) * part) for part in (0.0, 0.3, 0.6, 0.99)}
            assert len(seen) == 1 or stop - now < 1e-6, (now, stop)
            now = stop
            if now >= until:
                break
        if event is not None:
            policy.handle(event, now)


@given(EVENTS)
def test_the_deeper_the_mode_the_longer_the_silence(steps) -> None:
    """From silence alone the modes come in their order, whatever happened before."""
    policy = quiet()
    now = 0.0
    for wait, event in steps:
        now += wait
        if event is not None:
            policy.handle(event, now)
    policy.handle(PowerEvent.WORK_ENDED, now)
    policy.handle(PowerEvent.SPEECH_ENDED, now)
    policy.handle(PowerEvent.RECORDING_ENDED, now)
    order = list(PowerMode)
    seen = [order.index(policy.mode(now + after)) for after in range(0, 4_000, 7)]
    assert all(before <= after for before, after in itertools.pairwise(seen))
    assert seen[-1] == order.index(CLOSED)


@pytest.mark.parametrize("after", [0, 100, 1_000, 10_000])
def test_a_recording_is_heard_however_long_nobody_speaks_in_it(after) -> None:
    policy = quiet()
    policy.handle(PowerEvent.RECORDING_STARTED, after)
    assert policy.mode(after) is ACTIVE
    assert policy.mode(after + 20_000) is LISTENING
    assert policy.power(after + 20_000).engine
    policy.handle(PowerEvent.RECORDING_ENDED, after + 20_000)
    assert policy.mode(after + 20_000) is ACTIVE
    assert policy.mode(after + 24_000) is CLOSED


def test_a_microphone_that_is_closed_between_recordings() -> None:
    policy = quiet(mode="closed")
    assert policy.mode(0) is CLOSED
    policy.handle(PowerEvent.RECORDING_STARTED, 1)
    assert policy.mode(1) is LISTENING
    policy.handle(PowerEvent.SPEECH_STARTED, 2)
    assert policy.mode(2) is ACTIVE
    policy.handle(PowerEvent.WORK_STARTED, 2)
    policy.handle(PowerEvent.SPEECH_ENDED, 3)
    policy.handle(PowerEvent.RECORDING_ENDED, 3)
    assert policy.mode(3) is CLOSED
    assert policy.power(3).engine, "the final is still owed"
    policy.handle(PowerEvent.WORK_ENDED, 4)
    assert not policy.power(4).engine
