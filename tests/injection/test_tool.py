"""Programs that end well, badly, late, or leave something behind."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from support.waiting import advance, given_up, moment, until

from vivavoce.actors.injection.back_end import DONE, Result, report_of
from vivavoce.actors.injection.tool import ToolRunner


async def run(script: str, stdin: bytes | None = None, timeout_s: float = 5.0):
    return await ToolRunner().run(["sh", "-c", script], stdin=stdin, timeout_s=timeout_s)


def _is_gone(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return status.split()[2] == "Z"


async def test_arguments_and_input_arrive_as_they_are(tmp_path: Path):
    text = "$(reboot) `id` 'q' \"d\" ñ 😀\n"
    done = await ToolRunner().run(["printf", "%s", text], timeout_s=5)
    assert done.ok
    assert done.output.decode() == text
    done = await ToolRunner().run(["cat"], stdin=text.encode(), timeout_s=5)
    assert done.output.decode() == text


async def test_large_input_and_output(tmp_path: Path):
    done = await ToolRunner().run(
        ["cat"], stdin=b"x" * 1_000_000, timeout_s=10, most_output=2_000_000
    )
    assert done.ok
    assert len(done.output) == 1_000_000


async def test_what_a_tool_says_is_bounded():
    done = await run("yes | head -c 5000000; yes >&2 | head -c 10; exit 3", timeout_s=0.5)
    assert len(done.output) <= 4_096
    assert done.timed_out


async def test_a_tool_that_took_nothing_typed_nothing():
    done = await run("echo 'no display' >&2; exit 1", stdin=b"text")
    assert done.unread
    report = report_of(done, "sh")
    assert report.result is Result.NOTHING
    assert "no display" in report.reason


async def test_a_tool_that_took_nothing_and_calls_that_a_success_typed_nothing():
    report = report_of(await run("exit 0", stdin=b"text"), "sh")
    assert report.result is Result.NOTHING
    assert report.reason == "sh did not take the text"
    assert report_of(await run("exit 0"), "sh") == DONE  # keys need no input


async def test_a_tool_that_took_its_text_and_failed_may_have_typed_it():
    done = await run("read -r line; exit 1", stdin=b"text\n")
    assert report_of(done, "sh").result is Result.UNCERTAIN


async def test_a_tool_that_hangs_is_killed_with_all_it_started(tmp_path: Path):
    children = tmp_path / "children"
    script = f"sleep 600 & echo $! > {children}; wait"
    running = asyncio.create_task(run(script, stdin=b"text", timeout_s=60))
    await until(lambda: children.exists() and children.read_text(), "it does not start")
    advance(60)
    done = await running
    assert done.timed_out
    assert report_of(done, "sh").result is Result.NOTHING
    child = int(children.read_text())
    # A killed process is gone when the kernel has come to it, not when the signal is sent.
    await until(lambda: _is_gone(child), "what the tool started runs on")


async def test_what_stays_in_the_background_is_not_waited_for(tmp_path: Path):
    done = await run("sleep 600 & echo started $!", timeout_s=60)
    assert done.ok
    word, left = done.output.split()
    assert word == b"started"
    os.kill(int(left), signal.SIGKILL)  # so it is still there


async def test_absent_and_broken_programs(tmp_path: Path):
    done = await ToolRunner().run(["no-such-program"], stdin=b"x", timeout_s=1)
    assert report_of(done, "it").result is Result.NOTHING
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF nonsense")
    broken.chmod(0o755)
    done = await ToolRunner().run([str(broken)], stdin=b"x", timeout_s=1)
    assert done.error
    assert report_of(done, "it").result is Result.NOTHING


async def test_no_descriptors_are_left_open():
    await run("true", stdin=b"x")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        await run("exit 1", stdin=b"x")
        await run("sleep 9", stdin=b"x", timeout_s=0.02)
        await ToolRunner().run(["no-such-program"], stdin=b"x", timeout_s=1)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


async def _lines(*lines: str) -> AsyncIterator[bytes]:
    for line in lines:
        await asyncio.sleep(0)
        yield f"{line}\n".encode()


async def _endless() -> AsyncIterator[bytes]:
    while True:
        await moment()
        yield b"word\n"


async def test_input_arrives_as_it_comes(tmp_path: Path):
    heard = tmp_path / "heard"

    def has_heard(lines: int) -> bool:
        return heard.exists() and heard.read_text().count("\n") == lines

    async def when_the_last_is_heard() -> AsyncIterator[bytes]:
        for number, word in enumerate(("one", "two", "three"), 1):
            yield f"{word}\n".encode()
            await until(partial(has_heard, number), "not heard")

    script = f'while read word; do echo "$word" >> {heard}; done'
    done = await ToolRunner().run(
        ["sh", "-c", script], stdin=when_the_last_is_heard(), timeout_s=300
    )
    assert done.ok
    assert heard.read_text().split() == ["one", "two", "three"]


async def test_a_tool_that_takes_nothing_of_what_comes():
    done = await given_up(
        ToolRunner().run(["sleep", "600"], stdin=_lines("one", "two"), timeout_s=3)
    )
    assert done.timed_out
    assert done.unread
    assert report_of(done, "sleep").result is Result.NOTHING


async def test_a_tool_that_ends_before_its_input():
    done = await ToolRunner().run(
        ["sh", "-c", "read word; exit 3"], stdin=_lines(*["word"] * 500), timeout_s=5
    )
    assert done.code == 3
    assert not done.unread
    assert report_of(done, "sh").result is Result.UNCERTAIN


async def test_a_tool_whose_input_does_not_end_in_time(tmp_path: Path):
    heard = tmp_path / "heard"
    script = f"while read word; do touch {heard}; done"
    running = asyncio.create_task(
        ToolRunner().run(["sh", "-c", script], stdin=_endless(), timeout_s=60)
    )
    await until(heard.exists, "nothing is heard")
    advance(60)
    done = await running
    assert done.timed_out
    assert report_of(done, "sh").result is Result.UNCERTAIN


async def test_a_tool_does_not_outlive_who_feeds_it(tmp_path: Path):
    marker = tmp_path / "marker"
    script = f"while read word; do :; done; touch {marker}"
    feeding = asyncio.create_task(
        ToolRunner().run(["sh", "-c", script], stdin=_endless(), timeout_s=60)
    )
    await moment()
    feeding.cancel()
    await asyncio.wait([feeding])
    await moment()
    assert not marker.exists()
