import asyncio

import pytest

from vivavoce.pipeline.channel import Channel, Overload
from vivavoce.pipeline.fanout import FanOut


async def test_every_subscriber_gets_every_item() -> None:
    fan: FanOut[int] = FanOut()
    one, two = fan.subscribe(), fan.subscribe()
    for item in range(3):
        await fan.send(item)
    fan.close()
    assert [i async for i in one] == [i async for i in two] == [0, 1, 2]


async def test_a_slow_subscriber_delays_neither_delivery_to_others_nor_a_dropping_policy() -> None:
    fan: FanOut[int] = FanOut()
    slow = fan.subscribe(1, Overload.BLOCK)
    quick = fan.subscribe(10)
    dropping = fan.subscribe(1)
    await fan.send(1)
    second = asyncio.create_task(fan.send(2))
    await asyncio.sleep(0)
    assert quick.statistics().depth == 2
    assert dropping.lost == 1
    assert not second.done()
    assert await slow.receive() == 1
    await second
    assert await slow.receive() == 2


@pytest.mark.parametrize("how", ["close", "leave"])
async def test_ending_a_subscription_releases_a_sender_that_waits(how: str) -> None:
    fan: FanOut[int] = FanOut()
    with fan.subscribe(1, Overload.BLOCK) as slow:
        await fan.send(1)
        waiting = asyncio.create_task(fan.send(2))
        await asyncio.sleep(0)
        assert not waiting.done()
        if how == "close":
            slow.close()
            assert fan.channels == ()
    async with asyncio.timeout(1):
        await waiting
    assert fan.channels == ()
    assert [i async for i in slow] == [1], "what it was given before can still be received"


async def test_a_channel_that_is_removed_gets_nothing_more_and_stays_open() -> None:
    fan: FanOut[int] = FanOut()
    channel: Channel[int] = Channel(2)
    fan.add(channel)
    await fan.send(1)
    fan.remove(channel)
    fan.remove(channel)
    await fan.send(2)
    assert await channel.receive() == 1
    assert not len(channel)
    assert not channel.closed


async def test_a_subscriber_that_comes_after_the_end_finds_a_closed_channel() -> None:
    fan: FanOut[int] = FanOut()
    fan.close()
    assert [i async for i in fan.subscribe()] == []
