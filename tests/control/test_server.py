"""Whatever clients do: commands are carried out, and the program goes on."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from support.controlled import ask, assert_serves, raw, served
from support.waiting import advance, moment, until

from vivavoce.control import server
from vivavoce.control.client import ControlFailed
from vivavoce.control.limits import LINE_BYTES
from vivavoce.control.server import MOST_CLIENTS, now

# -- commands


async def test_each_command_reaches_the_program_and_is_answered_with_the_status(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as (stand_in, place):
        assert (await ask(place, "start"))["status"]["recording"] is True
        assert (await ask(place, "stop"))["status"]["recording"] is False
        assert (await ask(place, "toggle"))["status"]["recording"] is True
        assert (await ask(place, "cancel"))["status"]["recording"] is False
        assert (await ask(place, "mode", mode="manual"))["status"]["mode"] == "manual"
        assert (await ask(place, "mode", mode=None))["status"]["mode"] == "hold"
        assert (await ask(place, "power", mode="parked"))["status"]["power"] == "parked"
        assert (await ask(place, "power", mode="auto"))["status"]["power"] == "listening"
        assert (await ask(place, "profile", name="meeting"))["status"]["profile"] == "meeting"
        assert stand_in.told == [
            "start",
            "stop",
            "toggle",
            "cancel",
            ("mode", "manual"),
            ("mode", None),
            ("power", "parked"),
            ("power", "auto"),
            ("profile", "meeting"),
        ]


async def test_what_the_program_refuses_is_told_with_its_exit_code(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, place):
        with pytest.raises(ControlFailed, match=r"wrong\.yaml:3: vad\.pause") as wrong:
            await ask(place, "profile", name="wrong")
        with pytest.raises(ControlFailed, match="not that one") as failed:
            await ask(place, "power", mode="active")
        assert (wrong.value.exit_code, failed.value.exit_code) == (2, 1)


@pytest.mark.parametrize("name", ["broken", "system"])
async def test_a_mistake_in_the_program_is_told_and_ends_nothing(tmp_path: Path, name: str) -> None:
    seen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
    async with served(tmp_path) as (_, place):
        with pytest.raises(ControlFailed, match=r"useprofile failed inside: \w+Error"):
            await ask(place, "profile", name=name)
        await assert_serves(place)
    assert [str(context["exception"]) for context in seen] in (
        ["'a mistake in the program'"],
        ["a mistake in the program"],
    )


async def test_a_command_that_hangs_is_given_up_and_holds_no_other_up(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as (stand_in, place):
        hanging = asyncio.create_task(ask(place, "profile", name="hangs"))
        await until(lambda: ("profile", "hangs") in stand_in.told, "it is not carried out")
        assert (await ask(place, "start"))["status"]["recording"] is True
        assert not hanging.done()
        advance(server.PATIENCE_S + 1)
        with pytest.raises(ControlFailed, match="not done within 15 s"):
            await hanging
        await ask(place, "profile", name="meeting")


async def test_a_stop_that_overtook_its_start_leaves_nothing_recording(tmp_path: Path) -> None:
    async with served(tmp_path) as (stand_in, place):
        pressed = now()
        await ask(place, "stop", began=pressed + 0.05 - 0.1)
        answer = await ask(place, "start", began=pressed - 0.1)
        assert answer["status"]["recording"] is False
        assert stand_in.told == ["stop"]


async def test_processes_tell_their_start_on_the_clock_of_the_server() -> None:
    tick = 1 / os.sysconf("SC_CLK_TCK")
    before = now()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-c",
        "from vivavoce.control.client import process_start; print(process_start())",
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate()
    if float(out) == 0.0:
        pytest.skip("this system does not tell when a process was started")
    assert before - tick <= float(out) <= now()


async def test_quit_is_answered_and_the_connection_lasts_until_the_end(tmp_path: Path) -> None:
    async with served(tmp_path) as (stand_in, place):
        reader, writer = await asyncio.open_unix_connection(str(place.socket))
        writer.write(b'{"v":1,"do":"quit"}\n')
        assert json.loads(await reader.readline())["ok"] is True
        assert stand_in.quitting.is_set()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.read(1)
        await assert_serves(place)
    assert await reader.read(1) == b""
    writer.close()


# -- who may ask


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_another_user_is_refused_even_where_the_files_let_him_in() -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        async with served(home) as (stand_in, place):
            for path in (place.socket, *place.socket.parents[:3]):
                path.chmod(0o777)
            asking = (
                "import os, socket, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534);"
                "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
                "print(s.recv(4096).decode())"  # before it has said anything
            )
            child = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-I", "-c", asking, str(place.socket)],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert "another user's program" in child.stdout, child.stderr
            assert stand_in.told == []


# -- bad clients

GARBAGE = [
    b"\n",
    b"hello\n",
    b"\xff\xfe\x00\n",
    b"[]\n",
    b"null\n",
    b'{"v":1}\n',
    b'{"v":"1","do":"stop"}\n',
    b'{"v":1,"do":"explode"}\n',
    b'{"v":1,"do":"mode","mode":"sometimes"}\n',
    b'{"v":1,"do":"profile","name":7}\n',
    b'{"v":9,"do":"stop"}\n',
    b"[" * 60_000 + b"\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
]


async def test_garbage_is_answered_with_an_error_and_changes_nothing(tmp_path: Path) -> None:
    async with served(tmp_path) as (stand_in, place):
        for data in GARBAGE:
            answer = await raw(place, data)
            assert answer["ok"] is False
            assert answer["exit_code"] == 2
            assert len(answer["error"].splitlines()) == 1
        assert stand_in.told == []
        await assert_serves(place)


@pytest.mark.parametrize("data", [b"x" * LINE_BYTES, b"x" * (LINE_BYTES + 200_000) + b"\n"])
async def test_a_line_that_is_too_long_is_refused_unread(tmp_path: Path, data: bytes) -> None:
    async with served(tmp_path) as (_, place):
        reader, writer = await asyncio.open_unix_connection(str(place.socket))
        writer.write(data)
        assert "longer than 65536 bytes" in json.loads(await reader.readline())["error"]
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        await assert_serves(place)


async def test_a_line_that_breaks_off_is_no_command(tmp_path: Path) -> None:
    async with served(tmp_path) as (stand_in, place):
        answer = await raw(place, b'{"v":1,"do":"start"}', end=True)
        assert "breaks off" in answer["error"]
        assert stand_in.told == []
        whole = await raw(place, b'{"v":1,"do":"start"}\n', end=True)  # as nc -N sends it
        assert whole["status"]["recording"] is True


async def test_those_who_say_nothing_or_half_a_line_hold_nobody_up_for_long(
    tmp_path: Path,
) -> None:
    async with served(tmp_path) as (_, place):
        stalling = [
            await asyncio.open_unix_connection(str(place.socket)) for _ in range(2 * MOST_CLIENTS)
        ]
        for _, writer in stalling[::2]:
            writer.write(b'{"v":1,"do":')
        await assert_serves(place)
        answers = asyncio.gather(*(reader.readline() for reader, _ in stalling))
        while not answers.done():
            advance(3.0)  # nobody may take so long to say what he wants
            await moment()
        for answer in await answers:
            assert "no whole request" in json.loads(answer)["error"]
        for _, writer in stalling:
            writer.close()


async def test_who_goes_away_at_once_leaves_nothing_behind(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, place):
        await assert_serves(place)
        before = len(list(Path("/dev/fd").iterdir()))
        for data in (b"", b'{"v":1,', b'{"v":1,"do":"toggle"}\n') * 30:
            _, writer = await asyncio.open_unix_connection(str(place.socket))
            writer.write(data)
            writer.transport.abort()
        await assert_serves(place)
        assert len(list(Path("/dev/fd").iterdir())) <= before + 1


async def test_a_crowd_is_served_completely(tmp_path: Path) -> None:
    async with served(tmp_path) as (stand_in, place):
        answers = await asyncio.gather(
            *(raw(place, b'{"v":1,"do":"toggle"}\n') for _ in range(200))
        )
        assert sum(answer["status"]["recording"] for answer in answers) == 100
        assert stand_in.told == ["toggle"] * 200


async def test_fifty_clients_at_once(tmp_path: Path) -> None:
    async with served(tmp_path) as (stand_in, place):
        async with asyncio.TaskGroup() as group:
            for _ in range(50):
                group.create_task(ask(place, "toggle"))
        assert len(stand_in.told) == 50
