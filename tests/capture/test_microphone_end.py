"""A microphone is stopped at any moment of its life, or opened again: all of it is delivered."""

import pytest
from support.fake_portaudio import FakeStream
from support.microphone_life import Life, live

from vivavoce.pipeline.messages import AudioBlock, Gap, GapReason, PowerMode

REOPENED = 'vivavoce_capture_device_reopened_total{reason="%s"}'


# -- the end, at any moment


async def lost(life: Life) -> None:
    life.portaudio.plugged.clear()
    life.stream.pull_out()
    await life.pass_by(0.1)


async def retrying(life: Life) -> None:
    await lost(life)
    await life.pass_by(7)


async def released(life: Life) -> None:
    await life.power(PowerMode.CLOSED, 512, "closed")
    await life.pass_by(3)


async def settling(life: Life) -> None:
    await life.power(PowerMode.IDLE, 512)
    await life.pass_by(0.1)


async def handing_over(life: Life) -> None:
    await life.power(PowerMode.IDLE, 512)
    await life.pass_by(0.4)
    assert len(life.portaudio.open_streams) == 2


async def silent(life: Life) -> None:
    life.deaf = True
    await life.pass_by(0.5)


@pytest.mark.parametrize("moment", [lost, retrying, released, settling, handing_over, silent])
def test_it_ends_at_any_moment_with_everything_delivered(monkeypatch, moment) -> None:
    first: list[FakeStream] = []

    async def story(life: Life) -> None:
        await life.pass_by(1)
        first.append(life.stream)
        await moment(life)

    life = live(monkeypatch, story)
    heard = sum(len(item.pcm) for item in life.items if not isinstance(item, Gap))
    assert heard == first[0].delivered
    life.assert_true_to_time()


def test_opened_again_after_a_failure_it_stays_true_to_time(monkeypatch) -> None:
    async def story(life: Life) -> None:
        await life.pass_by(1)
        life.listening.cancel()
        await life.source.close()
        end = life.items[-1].end
        before, life.items = life.items, []
        await life.pass_by(0.5)
        life.portaudio.plugged.clear()  # and then it is not even there
        await life.begin()
        await life.pass_by(0.5)
        life.portaudio.plugged.append("Mic")
        await life.pass_by(2)
        assert life.items[0].start == 0
        assert life.gaps[0].reason is GapReason.ACTOR_RESTARTED
        shifted = [
            Gap(start=item.start + end, end=item.end + end, reason=item.reason)
            if isinstance(item, Gap)
            else AudioBlock(start=item.start + end, pcm=item.pcm)
            for item in life.items
        ]
        life.items = before + shifted
        life.assert_true_to_time()
        life.items = []

    live(monkeypatch, story)
