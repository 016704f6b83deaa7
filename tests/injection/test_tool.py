"""Programs that end well, badly, late, or leave something behind."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

from vivavoce.actors.injection.back_end import DONE, Result, report_of
from vivavoce.actors.injection.tool import ToolRunner


async def run(script: str, stdin: bytes | None = None, timeout_s: float = 5.0):
    return await ToolRunner().run(["sh", "-c", script], stdin=stdin, timeout_s=timeout_s)


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
    began = time.monotonic()
    done = await run(f"sleep 60 & echo $! > {children}; wait", stdin=b"text", timeout_s=0.3)
    assert time.monotonic() - began < 3
    assert done.timed_out
    assert report_of(done, "sh").result is Result.NOTHING
    child = int(children.read_text())
    status = Path(f"/proc/{child}/stat")
    assert not status.exists() or status.read_text().split()[2] == "Z"


async def test_what_stays_in_the_background_is_not_waited_for(tmp_path: Path):
    began = time.monotonic()
    done = await run("sleep 3 & echo started", timeout_s=5)
    assert done.ok
    assert done.output == b"started\n"
    assert time.monotonic() - began < 2


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


async def _lines(*lines: str, pause_s: float = 0.02) -> AsyncIterator[bytes]:
    for line in lines:
        await asyncio.sleep(pause_s)
        yield f"{line}\n".encode()


async def test_input_arrives_as_it_comes():
    script = 'while read word; do echo "$word $(date +%s%N)"; done'
    done = await ToolRunner().run(
        ["sh", "-c", script], stdin=_lines("one", "two", "three", pause_s=0.1), timeout_s=5
    )
    words, times = zip(*(line.split() for line in done.output.decode().splitlines()), strict=True)
    assert done.ok
    assert words == ("one", "two", "three")
    assert int(times[2]) - int(times[0]) > 0.15e9, "not all at once"


async def test_a_tool_that_takes_nothing_of_what_comes():
    done = await ToolRunner().run(["sleep", "60"], stdin=_lines("one", "two"), timeout_s=0.3)
    assert done.timed_out
    assert done.unread
    assert report_of(done, "sleep").result is Result.NOTHING


async def test_a_tool_that_ends_before_its_input():
    began = time.monotonic()
    done = await ToolRunner().run(
        ["sh", "-c", "read word; exit 3"], stdin=_lines(*["word"] * 500), timeout_s=5
    )
    assert done.code == 3
    assert not done.unread
    assert report_of(done, "sh").result is Result.UNCERTAIN
    assert time.monotonic() - began < 2


async def test_a_tool_whose_input_does_not_end_in_time(tmp_path: Path):
    done = await ToolRunner().run(
        ["sh", "-c", "while read word; do :; done"], stdin=_lines(*["word"] * 500), timeout_s=0.3
    )
    assert done.timed_out
    assert report_of(done, "sh").result is Result.UNCERTAIN


async def test_a_tool_does_not_outlive_who_feeds_it(tmp_path: Path):
    marker = tmp_path / "marker"
    script = f"while read word; do :; done; touch {marker}"
    feeding = asyncio.create_task(
        ToolRunner().run(["sh", "-c", script], stdin=_lines(*["word"] * 500), timeout_s=60)
    )
    await asyncio.sleep(0.1)
    feeding.cancel()
    await asyncio.wait([feeding])
    await asyncio.sleep(0.1)
    assert not marker.exists()
