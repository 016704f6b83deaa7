import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.pipeline.channel import Channel, ChannelClosed, Overload, WouldBlock


async def spin(times: int = 5) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def test_items_arrive_in_order() -> None:
    channel: Channel[int] = Channel(3)
    for item in (1, 2, 3):
        await channel.send(item)
    assert [await channel.receive() for _ in range(3)] == [1, 2, 3]


def test_capacity_must_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Channel(0)


async def test_a_full_blocking_channel_makes_the_sender_wait() -> None:
    channel: Channel[int] = Channel(1)
    await channel.send(1)
    with pytest.raises(WouldBlock):
        channel.send_nowait(2)
    sender = asyncio.create_task(channel.send(2))
    await spin()
    assert not sender.done()
    assert channel.receive_nowait() == 1
    await sender
    assert channel.receive_nowait() == 2
    assert channel.statistics().blocked_s > 0


async def test_waiting_senders_keep_their_order_and_none_overtakes() -> None:
    channel: Channel[int] = Channel(1)
    channel.send_nowait(0)
    senders = [asyncio.create_task(channel.send(item)) for item in (1, 2, 3)]
    await spin()
    assert channel.receive_nowait() == 0
    with pytest.raises(WouldBlock):  # the place that became free belongs to the one that waited
        channel.send_nowait(99)
    assert [channel.receive_nowait() for _ in range(3)] == [1, 2, 3]
    await asyncio.gather(*senders)


@pytest.mark.parametrize(
    ("overload", "kept"),
    [
        (Overload.DROP_OLDEST, [2, 3]),
        (Overload.DROP_NEWEST, [0, 1]),
        (Overload.LATEST, [3]),
    ],
)
async def test_overload_policies_drop_and_count(overload: Overload, kept: list[int]) -> None:
    channel: Channel[int] = Channel(2, overload)
    for item in range(4):
        await channel.send(item)
    assert channel.statistics().dropped == 4 - len(kept)
    channel.close()
    assert [item async for item in channel] == kept


async def test_a_cancelled_receive_loses_nothing() -> None:
    channel: Channel[int] = Channel(4)
    receiver = asyncio.create_task(channel.receive())
    await spin()
    channel.send_nowait(7)  # wakes the receiver ...
    receiver.cancel()  # ... which is cancelled before it runs
    with pytest.raises(asyncio.CancelledError):
        await receiver
    assert channel.receive_nowait() == 7


async def test_a_wake_up_that_is_cancelled_is_passed_on_to_the_next_receiver() -> None:
    channel: Channel[int] = Channel(4)
    first = asyncio.create_task(channel.receive())
    second = asyncio.create_task(channel.receive())
    await spin()
    channel.send_nowait(7)
    first.cancel()
    async with asyncio.timeout(1):
        assert await second == 7


async def test_a_cancelled_waiting_send_has_sent_nothing() -> None:
    channel: Channel[int] = Channel(1)
    channel.send_nowait(1)
    sender = asyncio.create_task(channel.send(2))
    await spin()
    sender.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sender
    assert channel.receive_nowait() == 1
    with pytest.raises(WouldBlock):
        channel.receive_nowait()


async def test_close_lets_the_rest_be_received_and_refuses_more() -> None:
    channel: Channel[int] = Channel(2)
    channel.send_nowait(1)
    channel.close()
    channel.close()
    with pytest.raises(ChannelClosed):
        await channel.send(2)
    assert await channel.receive() == 1
    with pytest.raises(ChannelClosed):
        await channel.receive()


async def test_close_wakes_everyone_who_waits() -> None:
    empty: Channel[int] = Channel(1)
    receivers = [asyncio.create_task(empty.receive()) for _ in range(3)]
    full: Channel[int] = Channel(1)
    full.send_nowait(1)
    sender = asyncio.create_task(full.send(2))
    await spin()
    empty.close()
    full.close()
    results = await asyncio.gather(*receivers, sender, return_exceptions=True)
    assert all(isinstance(result, ChannelClosed) for result in results)
    assert full.receive_nowait() == 1


async def test_counters_balance() -> None:
    channel: Channel[int] = Channel(2, Overload.DROP_OLDEST)
    for item in range(5):
        channel.send_nowait(item)
    channel.receive_nowait()
    counts = channel.statistics()
    assert (counts.sent, counts.received, counts.dropped, counts.depth) == (5, 1, 3, 1)
    assert counts.sent == counts.received + counts.dropped + counts.depth
    assert counts.high_water == 2


@given(
    st.lists(st.sampled_from(["send", "receive", "cancel_receive", "cancel_send"]), max_size=60),
    st.integers(1, 3),
)
@settings(max_examples=80, deadline=None)
def test_whatever_is_cancelled_every_accepted_item_arrives_once_in_order(
    steps: list[str], capacity: int
) -> None:
    async def scenario() -> None:
        channel: Channel[int] = Channel(capacity)
        senders: dict[int, asyncio.Task[None]] = {}
        receivers: list[asyncio.Task[int]] = []
        for number, step in enumerate(steps):
            if step == "send":
                senders[number] = asyncio.create_task(channel.send(number))
            elif step == "receive":
                receivers.append(asyncio.create_task(channel.receive()))
            elif step == "cancel_receive" and receivers:
                receivers[number % len(receivers)].cancel()
            elif step == "cancel_send" and senders:
                list(senders.values())[number % len(senders)].cancel()
            if number % 3:
                await asyncio.sleep(0)
        await spin(10)
        rest = []
        while True:
            try:
                rest.append(channel.receive_nowait())
            except WouldBlock:
                break
            await spin()
        channel.close()
        await asyncio.gather(*senders.values(), *receivers, return_exceptions=True)
        taken = [r.result() for r in receivers if not r.cancelled() and r.exception() is None]
        accepted = [n for n, s in senders.items() if not s.cancelled() and s.exception() is None]
        arrived = sorted(taken + rest)
        assert len(set(arrived)) == len(arrived)
        assert set(accepted) <= set(arrived)
        assert rest == sorted(rest)
        assert channel.statistics().high_water <= capacity

    asyncio.run(scenario())
