"""One microphone through everything that happens in a long life, in virtual time."""

import asyncio

import numpy as np
import pytest
from support.microphone_life import NOISE, Life, live

from vivavoce.actors.capture.actor import CaptureActor
from vivavoce.config.schema import CaptureSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.channel import Channel
from vivavoce.pipeline.clock import LoopClock, StreamClock
from vivavoce.pipeline.messages import Gap, GapReason, PowerMode, seconds

REOPENED = 'vivavoce_capture_device_reopened_total{reason="%s"}'


def only_gap(life: Life, reason: GapReason, lasting: float) -> Gap:
    (gap,) = life.gaps
    assert gap.reason is reason
    assert seconds(gap.end - gap.start) == pytest.approx(lasting, abs=0.1)
    life.assert_true_to_time()
    return gap


# -- device loss


def test_a_lost_device_is_opened_again_and_the_time_between_is_one_gap(monkeypatch) -> None:
    async def story(life: Life) -> None:
        await life.pass_by(1)
        life.portaudio.plugged.remove("Mic")
        life.stream.pull_out()
        await life.pass_by(0.7)
        life.portaudio.plugged.append("Mic")
        await life.pass_by(3)

    life = live(monkeypatch, story)
    only_gap(life, GapReason.DEVICE_LOST, 1.0)  # tried after 0.25, 0.5 and 1 s
    assert life.count(REOPENED % "device_lost") == 1
    assert life.portaudio.started_anew >= 3


def test_a_device_that_stays_away_is_told_soon_and_tried_for_ever_at_a_modest_rate(
    monkeypatch,
) -> None:
    async def story(life: Life) -> None:
        await life.pass_by(1)
        life.portaudio.plugged.remove("Mic")
        life.stream.pull_out()
        await life.pass_by(2.5)
        assert [gap.reason for gap in life.gaps] == [GapReason.DEVICE_LOST]  # no need to wait
        await life.pass_by(100)
        life.portaudio.plugged.append("Mic")
        await life.pass_by(6)

    life = live(monkeypatch, story)
    first, second = life.gaps
    assert first.end == second.start
    assert seconds(second.end - first.start) == pytest.approx(102.5, abs=5.1)
    life.assert_true_to_time()
    assert 20 < life.portaudio.started_anew < 30


def test_a_device_that_stops_calling_back_is_lost(monkeypatch) -> None:
    async def story(life: Life) -> None:
        await life.pass_by(1)
        life.deaf = True
        await life.pass_by(0.9)
        assert len(life.portaudio.streams) == 1
        await life.pass_by(0.3)
        life.deaf = False
        await life.pass_by(2)

    life = live(monkeypatch, story)
    only_gap(life, GapReason.DEVICE_LOST, 1.25)
    assert len(life.portaudio.streams) == 2


def test_what_was_heard_before_the_loss_is_delivered_at_once(monkeypatch) -> None:
    async def story(life: Life) -> None:
        await life.pass_by(1)
        life.stream.pull_out()
        await asyncio.sleep(0.01)
        assert life.items[-1].end == 30 * 512

    live(monkeypatch, story)


# -- power modes


def test_block_lengths_follow_the_mode_without_a_sample_lost_or_doubled(monkeypatch) -> None:
    async def story(life: Life) -> None:
        await life.pass_by(1)
        for block_ms in (512, 32, 128, 64, 512, 256, 32):
            await life.power(PowerMode.LISTENING, block_ms)
            await life.pass_by(2)
            assert life.stream.options["blocksize"] == 16 * block_ms
            assert life.metrics.gauges()["vivavoce_capture_block_seconds"] == block_ms / 1_000

    life = live(monkeypatch, story)
    assert life.gaps == []
    life.assert_true_to_time(tolerance=0)
    assert life.items[-1].end > 14.4 * 16_000
    assert life.count("vivavoce_capture_handovers_total") == 7


def test_modes_in_quick_succession_are_one_handover(monkeypatch) -> None:
    async def story(life: Life) -> None:
        await life.power(PowerMode.IDLE, 512)
        await life.pass_by(2)
        await life.power(PowerMode.LISTENING, 128)
        await life.pass_by(0.2)
        await life.power(PowerMode.ACTIVE, 32)
        await life.pass_by(2)

    life = live(monkeypatch, story)
    assert [stream.options["blocksize"] for stream in life.portaudio.streams] == [512, 8_192, 512]
    life.assert_true_to_time(tolerance=0)


def test_blocks_are_never_shorter_than_the_profile_says(monkeypatch) -> None:
    async def story(life: Life) -> None:
        await life.source.set_capture(CaptureSettings(block_ms=128))
        await life.power(PowerMode.ACTIVE, 32)
        await life.pass_by(2)
        assert life.stream.options["blocksize"] == 128 * 16

    live(monkeypatch, story)


def test_a_device_that_cannot_be_shared_keeps_its_blocks_and_is_not_pestered(monkeypatch) -> None:
    async def story(life: Life) -> None:
        life.portaudio.exclusive = True
        await life.pass_by(1)
        for block_ms in (128, 32, 128, 32, 128):
            await life.power(PowerMode.LISTENING, block_ms)
            await life.pass_by(1)

    life = live(monkeypatch, story)
    assert life.portaudio.attempts == 2
    assert life.gaps == []
    life.assert_true_to_time(tolerance=0)


def test_in_digital_silence_the_time_decides(monkeypatch) -> None:
    silence = np.zeros_like(NOISE)

    async def story(life: Life) -> None:
        for block_ms in (512, 32, 512, 32):
            await life.power(PowerMode.LISTENING, block_ms)
            await life.pass_by(2)

    life = live(monkeypatch, story, sound=silence)
    assert life.count("vivavoce_capture_handovers_total") == 4
    assert seconds(life.items[-1].end) == pytest.approx(8, abs=0.1)


def test_a_released_microphone_is_opened_again_when_it_is_wanted(monkeypatch) -> None:
    async def story(life: Life) -> None:
        await life.pass_by(1)
        await life.power(PowerMode.CLOSED, 512, "closed")
        await life.pass_by(0.1)
        assert not life.portaudio.open_streams
        assert life.items[-1].end == 30 * 512
        await life.pass_by(50)
        assert len(life.portaudio.streams) == 1
        await life.power(PowerMode.ACTIVE, 32)
        await life.pass_by(1)

    life = live(monkeypatch, story)
    assert [gap.reason for gap in life.gaps] == [GapReason.CLOSED] * 2
    assert seconds(life.gaps[-1].end - life.gaps[0].start) == pytest.approx(50.1, abs=0.1)
    life.assert_true_to_time()
    assert life.portaudio.started_anew == 0
    assert life.count(REOPENED % "closed") == 1


def test_who_spoke_when_the_microphone_was_released_need_not_wait_until_it_is_back(
    monkeypatch,
) -> None:
    """Only a gap ends what was being said; without it the engine would stay for its final."""

    async def story(life: Life) -> None:
        await life.pass_by(1)
        await life.power(PowerMode.CLOSED, 512, "closed")
        await life.pass_by(3)
        assert [gap.reason for gap in life.gaps] == [GapReason.CLOSED]
        assert not life.portaudio.open_streams
        await life.pass_by(100)
        assert len(life.gaps) == 1, "one more when it is back, and no wake-up for any other"

    live(monkeypatch, story)


def test_a_released_microphone_that_is_gone_when_it_is_wanted_is_tried_on(monkeypatch) -> None:
    async def story(life: Life) -> None:
        await life.pass_by(1)
        await life.power(PowerMode.CLOSED, 512, "closed")
        await life.pass_by(5)
        life.portaudio.plugged.clear()
        await life.power(PowerMode.ACTIVE, 32)
        await life.pass_by(1)
        life.portaudio.plugged.append("Mic")
        await life.pass_by(2)

    life = live(monkeypatch, story)
    assert [gap.reason for gap in life.gaps] == [
        GapReason.CLOSED,
        GapReason.CLOSED,
        GapReason.DEVICE_LOST,
    ]
    life.assert_true_to_time()


# -- suspend and resume


def test_a_machine_that_slept_opens_its_device_anew_and_tells_how_long_it_slept(
    monkeypatch,
) -> None:
    async def story(life: Life) -> None:
        await life.pass_by(1)
        life.slept += 60
        life.lose(life.stream, 60)  # the driver goes on as if nothing had been
        await life.pass_by(3)
        assert len(life.portaudio.streams) == 2

    life = live(monkeypatch, story)
    gap = only_gap_of_sleep(life, 60)
    assert gap.reason is GapReason.SUSPENDED
    assert life.count(REOPENED % "suspended") == 1
    assert life.portaudio.started_anew == 0


def only_gap_of_sleep(life: Life, lasting: float) -> Gap:
    (gap,) = life.gaps
    assert seconds(gap.end - gap.start) == pytest.approx(lasting, abs=0.2)
    return gap


def test_a_device_that_does_not_survive_the_sleep_is_opened_anew(monkeypatch) -> None:
    async def story(life: Life) -> None:
        await life.pass_by(1)
        life.deaf = True
        life.slept += 60
        await life.pass_by(2.5)
        life.deaf = False
        await life.pass_by(3)

    life = live(monkeypatch, story)
    assert {gap.reason for gap in life.gaps} == {GapReason.SUSPENDED}
    life.assert_true_to_time()
    assert len(life.portaudio.streams) == 2


def test_a_sleep_in_which_the_sound_system_kept_everything_costs_nothing(monkeypatch) -> None:
    async def story(life: Life) -> None:
        await life.pass_by(1)
        life.slept += 20
        await life.pass_by(3)  # 20 s come in a burst

    life = live(monkeypatch, story)
    assert life.gaps == []
    assert len(life.portaudio.streams) == 1
    assert seconds(life.items[-1].end) == pytest.approx(24, abs=0.1)
    life.assert_true_to_time(tolerance=0)


def test_the_streams_clock_keeps_up_with_a_machine_that_slept(monkeypatch) -> None:
    async def story(life: Life) -> None:
        life.listening.cancel()
        clock = LoopClock()
        context, out = ActorContext(clock=clock, stream=StreamClock(clock)), Channel(10_000)
        actor = CaptureActor(life.source, context)
        actor.send_to(out)
        life.listening = asyncio.create_task(actor.run())
        await life.pass_by(1)
        life.slept += 3_600
        life.lose(life.stream, 3_600)
        life.sound = np.zeros(16_000 * 3_700, np.int16)
        await life.pass_by(3)
        assert context.stream.elapsed() >= seconds(actor._ended_at)
        assert context.stream.elapsed() == pytest.approx(3_604, abs=0.3)

    live(monkeypatch, story)


# -- better devices


@pytest.mark.thorough
def test_a_better_device_that_comes_back_is_taken_at_the_next_silence(monkeypatch) -> None:
    cards = ["0 [Built-in]"]
    monkeypatch.setattr("vivavoce.actors.capture.microphone.sound_cards", lambda: cards[0])

    async def story(life: Life) -> None:
        await life.power(PowerMode.ACTIVE, 32)
        await life.pass_by(1)
        life.portaudio.plugged.append("Headset")
        cards[0] += "1 [Headset]"
        await life.pass_by(30)
        assert life.stream.name == "Built-in"  # somebody speaks
        await life.power(PowerMode.LISTENING, 32)
        await life.pass_by(1)
        assert life.stream.name == "Headset"
        await life.pass_by(60)

    life = live(monkeypatch, story, "Built-in", choice=["Headset", "Built-in"])
    assert life.portaudio.started_anew == 1
    (gap,) = life.gaps
    assert seconds(gap.end - gap.start) < 0.5
    life.assert_true_to_time()


@pytest.mark.thorough
def test_a_better_device_that_was_busy_is_taken_without_a_gap(monkeypatch) -> None:
    monkeypatch.setattr("vivavoce.actors.capture.microphone.sound_cards", lambda: "the same")

    async def story(life: Life) -> None:
        life.portaudio.plugged.remove("Headset")
        life.portaudio.listed = ["Built-in", "Headset"]
        life.stream.pull_out()
        life.portaudio._initialize = lambda: None  # PortAudio goes on to list it
        await life.pass_by(2)
        assert life.stream.name == "Built-in"
        await life.power(PowerMode.LISTENING, 32)
        await life.pass_by(35)
        life.portaudio.plugged.append("Headset")
        await life.pass_by(60)
        assert life.stream.name == "Headset"

    life = live(monkeypatch, story, "Built-in", "Headset", choice=["Headset", "Built-in"])
    assert len(life.gaps) == 1  # of the loss
    assert life.portaudio.attempts < 10
    life.assert_true_to_time()


def test_another_device_in_the_profile_is_taken_over_while_it_runs(monkeypatch) -> None:
    async def story(life: Life) -> None:
        await life.pass_by(1)
        await life.source.set_capture(CaptureSettings(device="second"))
        await life.pass_by(1)
        assert life.stream.name == "Second"
        assert life.source.name == "Second"
        await life.source.set_capture(CaptureSettings(device="nonsense"))
        await life.pass_by(1)
        assert life.stream.name == "Second"
        for block_ms in (512, 32):  # what could not be opened was not a block length
            await life.power(PowerMode.LISTENING, block_ms)
            await life.pass_by(2)
            assert life.stream.options["blocksize"] == 16 * block_ms

    life = live(monkeypatch, story, "First", "Second")
    assert life.gaps == []
    life.assert_true_to_time()


def test_a_device_that_the_profile_likes_better_now_is_taken_when_it_comes(monkeypatch) -> None:
    cards = ["0 [Built-in]"]
    monkeypatch.setattr("vivavoce.actors.capture.microphone.sound_cards", lambda: cards[0])

    async def story(life: Life) -> None:
        await life.power(PowerMode.LISTENING, 32)
        await life.pass_by(1)
        await life.source.set_capture(CaptureSettings(device=["Headset", "Built-in"]))
        await life.pass_by(15)
        assert life.stream.name == "Built-in"
        life.portaudio.plugged.append("Headset")
        cards[0] += "1 [Headset]"
        await life.pass_by(12)
        assert life.stream.name == "Headset"

    live(monkeypatch, story, "Built-in", choice="Built-in")
