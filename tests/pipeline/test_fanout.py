import asyncio

from vivavoce.pipeline.channel import Overload
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
    slow = fan.subscribe(1)
    quick = fan.subscribe(10)
    dropping = fan.subscribe(1, Overload.DROP_OLDEST)
    await fan.send(1)
    second = asyncio.create_task(fan.send(2))
    await asyncio.sleep(0)
    assert quick.statistics().depth == 2
    assert dropping.statistics().dropped == 1
    assert not second.done()
    assert await slow.receive() == 1
    await second
    assert await slow.receive() == 2


async def test_unsubscribing_releases_a_sender_that_waits() -> None:
    fan: FanOut[int] = FanOut()
    slow = fan.subscribe(1)
    await fan.send(1)
    waiting = asyncio.create_task(fan.send(2))
    await asyncio.sleep(0)
    fan.unsubscribe(slow)
    async with asyncio.timeout(1):
        await waiting
    assert fan.channels == ()


async def test_a_subscriber_that_comes_after_the_end_finds_a_closed_channel() -> None:
    fan: FanOut[int] = FanOut()
    fan.close()
    assert [i async for i in fan.subscribe()] == []
