"""When a microphone is tried again, and which one is better: pure."""

from vivavoce.actors.capture.devices import InputDevice
from vivavoce.actors.capture.reopening import (
    BackOff,
    BetterDevice,
    better_devices,
    is_best,
    sound_cards,
)


def device(index: int, name: str, *, default: bool = False) -> InputDevice:
    return InputDevice(index=index, name=name, channels=1, default_rate=16_000, is_default=default)


BUILT_IN, HEADSET, CAMERA = (
    device(0, "Built-in", default=True),
    device(1, "Headset"),
    device(2, "C"),
)
ALL = [BUILT_IN, HEADSET, CAMERA]


def test_the_waits_double_up_to_five_seconds() -> None:
    back_off = BackOff(100.0, gone=True)
    now, waits = 100.0, []
    for _ in range(8):
        waits.append(back_off.due - now)
        now = back_off.due
        back_off.failed(now)
    assert waits == [0.25, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_better_is_what_the_list_names_before() -> None:
    wishes = ["headset", "camera", "built-in"]
    assert better_devices(ALL, wishes, BUILT_IN) == [HEADSET]
    assert better_devices(ALL, wishes, HEADSET) == []
    assert better_devices(ALL, "headset", BUILT_IN) == [HEADSET]
    assert better_devices(ALL, None, BUILT_IN) == []
    assert better_devices([BUILT_IN], ["headset"], BUILT_IN) == []


def test_nothing_is_looked_for_where_nothing_better_can_come() -> None:
    assert is_best(ALL, None, BUILT_IN)
    assert is_best(ALL, ["headset", "built-in"], HEADSET)
    assert is_best(ALL, "headset", HEADSET)
    assert not is_best([BUILT_IN], ["headset", "built-in"], BUILT_IN)


def test_portaudio_is_started_anew_only_when_the_sound_cards_changed() -> None:
    better = BetterDevice(0.0, "0 [PCH]")
    assert better.due == 10.0
    assert not better.look(10.0, "0 [PCH]")
    assert better.due == 20.0
    assert not better.look(1_000.0, "0 [PCH]")
    assert better.look(1_010.0, "0 [PCH] 1 [USB]")


def test_where_the_system_does_not_tell_it_is_every_five_minutes() -> None:
    better = BetterDevice(0.0, None)
    assert not better.look(299.0, None)
    assert better.look(300.0, None)


def test_a_busy_device_is_tried_ever_more_seldom() -> None:
    better = BetterDevice(0.0, "same")
    tried = [now for now in range(0, 1_000, 10) if better.may_try(now)]
    assert tried == [10, 30, 70, 150, 310, 610, 910]


def test_asking_for_the_sound_cards_never_fails() -> None:
    assert sound_cards() is None or isinstance(sound_cards(), str)
