"""Those who follow the status, and what fails while it is served."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from support.controlled import StandIn, assert_serves, listen_in, next_status, raw, served
from support.program import isolated
from support.waiting import advance, advancing, moment, until

from vivavoce.control.claim import InstanceClaim
from vivavoce.control.instance import Changes
from vivavoce.control.place import Place
from vivavoce.control.server import MOST_FOLLOWERS, ControlServer


async def test_a_follower_sees_each_change_and_the_end(tmp_path: Path) -> None:
    async with served(tmp_path) as (stand_in, place):
        reader, writer = await listen_in(place)
        assert (await next_status(reader))["recording"] is False
        await stand_in.start()
        assert (await next_status(reader))["recording"] is True
        stand_in.pending_s += 0.7
        stand_in.changes.tell()  # only the time went on: that is nothing to tell
        await moment()
        await stand_in.stop()
        assert (await next_status(reader))["recording"] is False
        for count in range(100):  # between two looks: only how it is now matters
            stand_in.finals = count
            stand_in.changes.tell()
        assert (await next_status(reader))["finals"] == 99
    assert json.loads(await reader.readline()) == {"v": 1, "ok": True, "ended": True}
    assert await reader.read() == b""
    writer.close()


async def test_a_follower_is_not_told_of_an_end_that_was_none(tmp_path: Path) -> None:
    place = Place("default", isolated(tmp_path))
    with InstanceClaim.acquire(place) as claim:
        running = asyncio.create_task(ControlServer(StandIn(), claim).run())
        claim.listen()
        reader, writer = await listen_in(place)
        await next_status(reader)
        running.cancel()
        assert await reader.read() == b""
        writer.close()


async def test_a_follower_that_does_not_read_is_dropped_and_the_others_see_all(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as (stand_in, place):
        reader, writer = await listen_in(place)
        # A small limit of what is buffered: the stream stops to read from the socket.
        slow, slow_writer = await asyncio.open_unix_connection(str(place.socket), limit=16)
        slow_writer.write(b'{"v":1,"do":"status","follow":true}\n')
        await next_status(reader)
        assert len(_followers()) == 2
        for count in range(200):
            stand_in.finals, stand_in.problem = count + 1, "x" * 20_000
            stand_in.changes.tell()
            assert (await next_status(reader))["finals"] == count + 1
        advance(3.0)  # nobody may take so long to read a line
        await until(lambda: len(_followers()) < 2, "it is not dropped")
        stand_in.problem = ""
        await stand_in.start()
        assert (await next_status(reader))["recording"] is True
        await assert_serves(place)
        slow_writer.transport.abort()
        writer.close()
        del slow


def _followers() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "control: client"]


async def test_a_follower_that_left_is_forgotten_without_a_change(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, place):
        reader, writer = await listen_in(place)
        await next_status(reader)
        writer.transport.abort()
        await until(lambda: not _followers(), "it is not forgotten")


async def test_there_are_no_more_than_some_followers_and_commands_pass_them(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as (_, place):
        followers = [await listen_in(place) for _ in range(MOST_FOLLOWERS)]
        for reader, _ in followers:
            await next_status(reader)
        answer = await raw(place, b'{"v":1,"do":"status","follow":true}\n')
        assert "16 programs follow the status already" in answer["error"]
        await assert_serves(place)
        for _, writer in followers:
            writer.close()


async def test_changes_wake_only_those_who_watch() -> None:
    changes = Changes()
    changes.tell()
    with changes.watch() as event:
        assert not event.is_set()
        changes.tell()
        assert event.is_set()
        event.clear()
    changes.tell()
    assert not event.is_set()


# -- the body


async def test_what_fails_while_it_is_served_comes_out_unwrapped(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with served(tmp_path):
            raise ZeroDivisionError
    place = Place("default", isolated(tmp_path))
    assert not place.socket.exists()


async def test_idle_costs_nothing(tmp_path: Path) -> None:
    """No timer runs while nobody asks, also where somebody follows."""
    async with served(tmp_path) as (_, place):
        reader, writer = await listen_in(place)
        await next_status(reader)
        await asyncio.sleep(0)
        assert advancing().timers == 0
        writer.close()
