"""A stream that goes on in the middle, and times of samples: without a device."""

from types import SimpleNamespace

import numpy as np
import pytest

from vivavoce.actors.capture.device_stream import DeviceStream
from vivavoce.actors.capture.devices import InputDevice
from vivavoce.pipeline.ring import Hole

DEVICE = InputDevice(index=0, name="Mic", channels=1, default_rate=16_000, is_default=True)
SOUND = np.arange(1, 20_001, dtype=np.int16)


class Player:
    """Delivers :data:`SOUND` to a stream as PortAudio would, a block of 512 a time."""

    def __init__(self) -> None:
        self.now, self.adc, self.at = 1_000.0, 50.0, 0
        self.stream = DeviceStream(
            DEVICE, rate=16_000, channels=1, block_ms=32, ring_s=1,
            wake=lambda: None, now=lambda: self.now,
        )  # fmt: skip

    def deliver(self, *, lost: int = 0, age: float = 0.032) -> None:
        self.at += lost
        self.adc += lost / 16_000
        block = SOUND[self.at : self.at + 512].reshape(-1, 1)
        times = SimpleNamespace(inputBufferAdcTime=self.adc, currentTime=self.adc + age)
        self.stream._callback(block, 512, times, SimpleNamespace(input_overflow=lost > 0))
        self.at += 512
        self.adc += 0.032

    def taken(self) -> list[np.ndarray | Hole]:
        pieces = []
        while (piece := self.stream.take()) is not None:
            pieces.append(piece)
        return pieces


def samples(pieces: list[np.ndarray | Hole]) -> list[int]:
    return [int(n) for piece in pieces if not isinstance(piece, Hole) for n in piece]


@pytest.mark.parametrize("begin", [0, 300, 1_024, 1_500, 2_000])
def test_it_goes_on_at_any_sample_past_or_future(begin: int) -> None:
    player = Player()
    player.deliver()
    player.deliver()
    ahead = np.concatenate([player.stream.ring.read(512), player.stream.ring.read(512)])
    player.stream.go_on_at(begin, ahead)
    assert player.stream.position == begin
    heard = samples(player.taken())
    for _ in range(3):
        player.deliver()
        heard += samples(player.taken())
    assert heard == list(SOUND[begin : 5 * 512])
    assert player.stream.position == 5 * 512


@pytest.mark.parametrize("begin", [600, 1_000, 1_200])
def test_a_hole_where_it_is_to_go_on_is_told_from_there(begin: int) -> None:
    player = Player()
    player.deliver()
    player.stream.go_on_at(begin, player.stream.ring.read(512))
    player.deliver(lost=488)  # [512, 1000)
    pieces = player.taken()
    holes = [piece for piece in pieces if isinstance(piece, Hole)]
    assert holes == ([Hole(600, 1_000, False)] if begin == 600 else [])
    assert samples(pieces) == list(SOUND[max(begin, 1_000) : 1_512])
    assert player.stream.position == 1_512


def test_a_sample_has_the_time_at_which_it_sounded() -> None:
    player = Player()
    assert player.stream.time_of(160) == pytest.approx(0.01)  # of the opening: never opened
    player.deliver(age=0.5)
    assert player.stream.time_of(0) == pytest.approx(999.5)
    player.now += 0.032
    player.deliver(age=0.5)
    assert player.stream.time_of(0) == pytest.approx(999.5)
    assert player.stream.time_of(1_024) == pytest.approx(999.564)


@pytest.mark.parametrize("age", [-1.0, 5_000.0])
def test_a_driver_that_does_not_tell_the_time_has_just_heard(age: float) -> None:
    player = Player()
    player.deliver(age=age)
    assert player.stream.time_of(512) == pytest.approx(1_000.0)
