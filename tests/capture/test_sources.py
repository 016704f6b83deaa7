"""Recordings, standard input, pushed arrays: exact samples, paces, and bad input."""

import asyncio
import itertools
import os
import wave
from pathlib import Path

import numpy as np
import pytest
from support.program import SPEECH
from support.waiting import moment

from vivavoce.actors.capture import CaptureActor, PushSource, make_source
from vivavoce.actors.capture.devices import InputDevice, ranked
from vivavoce.actors.capture.recording import RecordingSource
from vivavoce.actors.capture.resample import Doorway, MixDown, Resampler
from vivavoce.actors.capture.source import SourceError
from vivavoce.actors.capture.stdin import StdinSource
from vivavoce.config.schema import CaptureSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.channel import Channel, ChannelClosed, WouldBlock
from vivavoce.pipeline.clock import LoopClock, run_virtual
from vivavoce.pipeline.messages import EndOfStream, GapReason

GOOD = SPEECH / "utt-002-awb.wav"


def pcm_of(path: Path) -> np.ndarray:
    with wave.open(str(path)) as source:
        return np.frombuffer(source.readframes(source.getnframes()), dtype=np.int16)


def recording(path: Path, pace: str = "max") -> RecordingSource:
    return RecordingSource(path, pace=pace, block_ms=32, clock=LoopClock())


async def everything(source) -> np.ndarray:
    await source.open()
    blocks = [block async for block in source.blocks()]
    await source.close()
    for before, after in itertools.pairwise(blocks):
        assert after.start == before.end
        assert len(before.pcm) == 512
    return np.concatenate([block.pcm for block in blocks])


async def test_a_16_khz_mono_wave_file_is_delivered_bit_for_bit() -> None:
    np.testing.assert_array_equal(await everything(recording(GOOD)), pcm_of(GOOD))


async def test_other_rates_and_channels_are_converted(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    t = np.arange(44_100) / 44_100
    tone = (8_000 * np.sin(2 * np.pi * 440 * t)).astype(np.int16)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(44_100)
        out.writeframes(np.stack([tone, tone], axis=1).tobytes())
    pcm = await everything(recording(path))
    assert abs(len(pcm) - 16_000) <= 32
    spectrum = np.abs(np.fft.rfft(pcm[:16_000].astype(float)))
    assert abs(int(np.argmax(spectrum)) - 440) <= 1


def test_real_time_pace_delivers_each_block_when_it_has_been_spoken() -> None:
    async def main() -> list[tuple[float, int]]:
        source = recording(GOOD, "realtime")
        await source.open()
        clock = LoopClock()
        began = clock.now()
        return [(clock.now() - began, block.end) async for block in source.blocks()]

    times = run_virtual(main)
    # Real threads decode while virtual time stands; each block comes exactly at its end.
    assert all(t == pytest.approx(end / 16_000, abs=1e-6) for t, end in times)
    assert times[-1][1] == len(pcm_of(GOOD))


async def test_stopping_ends_after_the_block_at_hand() -> None:
    source = recording(GOOD)
    await source.open()
    count = 0
    async for _ in source.blocks():
        count += 1
        if count == 3:
            source.stop()
    assert count == 3


def broken(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.wav"
    good = GOOD.read_bytes()
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "garbage":
        path.write_bytes(os.urandom(5_000))
    elif kind == "header-only":
        path.write_bytes(good[:44])
    elif kind == "directory":
        path.mkdir()
    return path


@pytest.mark.parametrize("kind", ["missing", "empty", "garbage", "header-only", "directory"])
async def test_what_is_no_recording_is_one_line(tmp_path: Path, kind: str) -> None:
    path = broken(tmp_path, kind)
    with pytest.raises(SourceError) as refused:
        await recording(path).open()
    assert kind in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_a_truncated_recording_gives_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "truncated.wav"
    path.write_bytes(GOOD.read_bytes()[:-10_001])
    pcm = await everything(recording(path))
    whole = pcm_of(GOOD)
    assert len(whole) - 5_100 <= len(pcm) < len(whole)
    np.testing.assert_array_equal(pcm, whole[: len(pcm)])


# -- standard input


async def from_pipe(data: bytes) -> np.ndarray:
    read, write = os.pipe()
    source = StdinSource(pace="max", block_ms=32, clock=LoopClock(), fd=read)

    def feed() -> None:
        with os.fdopen(write, "wb") as pipe:
            pipe.write(data)

    feeding = asyncio.create_task(asyncio.to_thread(feed))
    try:
        return await everything(source)
    finally:
        await feeding
        os.close(read)


@pytest.mark.parametrize("skip", [0, 44])
async def test_standard_input_takes_containers_and_raw_samples(skip: int) -> None:
    data = GOOD.read_bytes()
    np.testing.assert_array_equal(await from_pipe(data[skip:]), pcm_of(GOOD))


async def test_an_odd_last_byte_is_ignored() -> None:
    raw = pcm_of(GOOD).tobytes()
    assert len(await from_pipe(raw + b"\1")) == len(raw) // 2


async def test_nothing_on_standard_input_is_one_line() -> None:
    with pytest.raises(SourceError, match="no audio"):
        await from_pipe(b"")


async def test_a_pipe_that_never_sends_can_be_stopped() -> None:
    read, write = os.pipe()
    source = StdinSource(pace="max", block_ms=32, clock=LoopClock(), fd=read)
    opening = asyncio.create_task(source.open())
    await moment()
    source.stop()
    async with asyncio.timeout(60):
        await opening
        assert [block async for block in source.blocks()] == []
        await source.close()
    os.close(read)
    os.close(write)


async def test_a_terminal_is_refused() -> None:
    leader, follower = os.openpty()
    source = StdinSource(pace="max", block_ms=32, clock=LoopClock(), fd=follower)
    with pytest.raises(SourceError, match="terminal"):
        await source.open()
    os.close(leader)
    os.close(follower)


# -- pushed arrays


async def pushed(*arrays: np.ndarray, **options) -> np.ndarray:
    source = PushSource(**options)

    async def feed() -> None:
        for array in arrays:
            await source.push(array)
        source.end()

    feeding = asyncio.create_task(feed())
    blocks = [block async for block in source.blocks()]
    await feeding
    return np.concatenate([block.pcm for block in blocks]) if blocks else np.zeros(0, np.int16)


async def test_int16_passes_as_it_is_and_floats_are_scaled() -> None:
    pcm = pcm_of(GOOD)
    np.testing.assert_array_equal(await pushed(pcm), pcm)
    np.testing.assert_array_equal(await pushed(pcm.astype(np.float32) / 32_768), pcm)
    np.testing.assert_array_equal(await pushed(pcm.astype(np.float64) / 32_768), pcm)


async def test_clipped_floats_are_clipped_and_counted() -> None:
    source = PushSource()
    await source.push(np.array([2.0, -2.0, 0.5], dtype=np.float32))
    source.end()
    (block,) = [block async for block in source.blocks()]
    assert block.pcm.tolist() == [32_767, -32_768, 16_384]
    assert source.clipped == 2


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (np.array([np.nan], np.float32), ValueError, "NaN"),
        (np.array([np.inf], np.float64), ValueError, "infinite"),
        (np.zeros((3, 2), np.int16), ValueError, r"\(n,\)"),
        (np.zeros((1, 1, 1), np.int16), ValueError, "shape"),
        (np.zeros(4, np.int32), TypeError, "int32"),
        ([0.0, 0.1], TypeError, "list"),
    ],
)
async def test_bad_arrays_are_refused_whole(bad, error, words) -> None:
    source = PushSource()
    with pytest.raises(error, match=words):
        await source.push(bad)
    source.end()
    assert [block async for block in source.blocks()] == []


async def test_stereo_is_mixed_and_other_rates_are_resampled() -> None:
    stereo = np.stack([np.full(100, 1000), np.full(100, 3000)], axis=1).astype(np.int16)
    np.testing.assert_array_equal(await pushed(stereo, channels=2), np.full(100, 2000))
    tone = (8_000 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)).astype(np.int16)
    pcm = await pushed(*np.array_split(tone, 7), rate=48_000)
    assert abs(len(pcm) - 16_000) <= 4


async def test_pushing_waits_when_nobody_takes() -> None:
    source = PushSource()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await source.push(np.zeros(16_000 * 60, np.int16))


async def test_many_small_arrays_wait_as_long_as_a_few_large_ones() -> None:
    source = PushSource()
    for at in range(400):  # 4 s of 10 ms
        source.push_nowait(np.full(160, at, np.int16))
    with pytest.raises(WouldBlock, match=r"4\.0 s"):
        source.push_nowait(np.zeros(1, np.int16))
    pushing = asyncio.create_task(source.push(np.full(160, 400, np.int16)))
    await asyncio.sleep(0)
    blocks = source.blocks()
    assert (await anext(blocks)).pcm[0] == 0
    await pushing
    source.end()
    assert [block.pcm[0] async for block in blocks] == list(range(1, 401))


async def test_pushing_to_a_source_that_ended_is_refused() -> None:
    source = PushSource()
    waiting = asyncio.create_task(source.push(np.zeros(16_000 * 9, np.int16)))
    await asyncio.sleep(0)
    source.stop()
    with pytest.raises(ChannelClosed):
        await waiting
    with pytest.raises(ChannelClosed):
        source.push_nowait(np.zeros(3, np.int16))
    assert sum([len(block.pcm) async for block in source.blocks()]) == 64_000


async def test_pushes_of_several_tasks_do_not_mix() -> None:
    source = PushSource()
    arrays = [np.full(16_000 * 3, number, np.int16) for number in range(4)]
    pushing = [asyncio.create_task(source.push(array)) for array in arrays]
    heard = []
    async for block in source.blocks():
        heard.append(block.pcm)
        if sum(map(len, heard)) == 16_000 * 12:
            source.end()
    await asyncio.gather(*pushing)
    np.testing.assert_array_equal(np.concatenate(heard), np.concatenate(arrays))


async def test_another_thread_can_push() -> None:
    source = PushSource()
    with pytest.raises(RuntimeError, match="runs"):
        source.push_threadsafe(np.zeros(3, np.int16))
    await source.open()
    with pytest.raises(RuntimeError, match="await push"):
        source.push_threadsafe(np.zeros(3, np.int16))
    pcm = pcm_of(GOOD)

    def feed() -> None:
        for part in np.array_split(pcm, 20):
            source.push_threadsafe(part)
        with pytest.raises(ValueError, match="NaN"):
            source.push_threadsafe(np.array([np.nan], np.float32))
        with pytest.raises(TimeoutError):
            source.push_threadsafe(np.zeros(16_000 * 60, np.int16), timeout=0.05)

    await asyncio.to_thread(feed)
    source.end()
    heard = np.concatenate([block.pcm async for block in source.blocks()])
    np.testing.assert_array_equal(heard[: len(pcm)], pcm)


def test_the_mix_does_not_overflow() -> None:
    loud = np.full((4, 3), 32_767, np.int16)
    assert MixDown(3, 4).mix(loud).tolist() == [32_767] * 4
    assert MixDown(2, 4).mix(np.full((4, 2), -32_768, np.int16)).tolist() == [-32_768] * 4


def test_holes_do_not_make_positions_drift() -> None:
    door = Doorway(44_100)
    device = at = 0
    for number in range(300):
        for item in door.audio(np.zeros(1_411, np.int16)):
            assert item.start == at
            at = item.end
        device += 1_411 + number % 7
        for item in door.hole(number % 7, GapReason.OVERRUN):
            assert item.start == at
            at = item.end
    assert abs(at - device * 16_000 / 44_100) <= 1


def test_16_khz_is_not_touched() -> None:
    pcm = np.arange(10, dtype=np.int16)
    assert Resampler(16_000).convert(pcm) is pcm


# -- the actor, and the choice of a device


async def test_the_actor_puts_every_sample_on_the_ledger() -> None:
    context, out = ActorContext(), Channel(10_000)
    settings = CaptureSettings(source=str(GOOD), pace="max")
    actor = CaptureActor(make_source(settings, LoopClock()), context)
    actor.send_to(out)
    await actor.on_start()
    await actor.run()
    await actor.on_stop()
    messages = [out.receive_nowait() for _ in range(len(out))]
    count = len(pcm_of(GOOD))
    assert messages[-1] == EndOfStream(end=count)
    assert context.ledger.summary().captured == count
    assert context.stream.started


MICROPHONES = [
    InputDevice(index=0, name="HDA Intel", channels=2, default_rate=44_100, is_default=False),
    InputDevice(index=3, name="USB Headset", channels=1, default_rate=48_000, is_default=True),
    InputDevice(index=4, name="USB Camera", channels=2, default_rate=48_000, is_default=False),
]


@pytest.mark.parametrize(
    ("choice", "indices"),
    [
        (None, [3]),
        (4, [4]),
        ("headset", [3]),
        ("HDA Intel", [0]),
        (["Studio", "camera", 0], [4, 0]),
    ],
)
def test_devices_are_chosen_by_name_index_and_rank(choice, indices) -> None:
    assert [device.index for device in ranked(MICROPHONES, choice)] == indices


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("USB", "ambiguous.*Headset.*Camera"),
        ("USB Headst", "did you mean 'USB Headset'"),
        ("Mars", "There are 'HDA Intel', 'USB Headset', 'USB Camera'"),
        (9, "number 9"),
        (["no", "none"], "no microphone 'no'"),
    ],
)
def test_a_device_that_is_not_there_is_one_line(choice, words) -> None:
    with pytest.raises(SourceError, match=words):
        ranked(MICROPHONES, choice)


def test_no_device_at_all_names_the_way_out() -> None:
    with pytest.raises(SourceError, match="--source FILE"):
        ranked([], None)
