import asyncio
import io
import json
import os
import subprocess
import sys
import threading
from functools import partial

import pytest
from support.waiting import moment, until

from vivavoce.config.schema import LogSettings
from vivavoce.pipeline.log import HostLog, LogSink, Sink, get_logger, use_sink


def logged(settings: LogSettings, write, component: str = "test") -> str:
    stream = io.StringIO()

    async def main() -> None:
        use_sink(LogSink(lambda: settings, stream))
        write(get_logger(component))

    asyncio.run(main())
    return stream.getvalue()


def test_below_the_level_nothing_is_written() -> None:
    assert logged(LogSettings(), lambda log: log.info("quiet")) == ""


def test_a_line_names_severity_component_and_details() -> None:
    line = logged(LogSettings(), lambda log: log.warning("device lost", name="USB mic"))
    assert line == "vivavoce: warning: test: device lost (name='USB mic')\n"


def test_json_lines_parse() -> None:
    line = logged(LogSettings(format="json"), lambda log: log.error("bad", count=3))
    assert json.loads(line)["count"] == 3


def test_no_line_steers_the_terminal() -> None:
    line = logged(LogSettings(), lambda log: log.warning("a \x1b[2J device\r\nis lost"))
    assert line == "vivavoce: warning: test: a \\x1b[2J device\\r\\nis lost\n"


def test_caption_text_appears_only_where_the_profile_allows_it() -> None:
    def write(log):
        log.debug("final", caption_text="secret words")

    assert "secret" not in logged(LogSettings(level="debug"), write)
    assert "secret" in logged(LogSettings(level="debug", captions=True), write)


@pytest.mark.parametrize(
    ("component", "shown"), [("capture", "debug info error"), ("vad", "error"), ("power", "")]
)
def test_a_component_can_have_its_own_level(component: str, shown: str) -> None:
    settings = LogSettings(level="error", levels={"capture": "debug", "power": "error"})

    def write(log):
        log.debug("debug")
        log.info("info")
        if component != "power":
            log.error("error")
        else:
            log.warning("warning")

    lines = logged(settings, write, component).splitlines()
    assert " ".join(line.rsplit(" ", 1)[1] for line in lines) == shown


def test_levels_and_captions_change_at_run_time_and_the_format_does_not() -> None:
    stream = io.StringIO()
    settings = LogSettings(format="json")
    sink = LogSink(lambda: settings, stream)

    async def main() -> None:
        nonlocal settings
        use_sink(sink)
        log = get_logger("capture")
        log.info("one", caption_text="x")
        settings = LogSettings(levels={"capture": "info"}, captions=True, format="console")
        log.info("two", caption_text="x")
        get_logger("vad").info("three")
        settings = LogSettings(level="info")
        log.info("four", caption_text="x")

    asyncio.run(main())
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], "caption_text" in line) for line in lines] == [
        ("two", True),
        ("four", False),
    ]


@pytest.mark.parametrize("kind", [LogSink, HostLog])
def test_a_call_below_the_level_renders_nothing(kind: type[Sink]) -> None:
    class Costly:
        def __repr__(self) -> str:
            raise AssertionError("it was rendered")

    async def main() -> str:
        stream = io.StringIO()
        settings = LogSettings(levels={"capture": "debug"})
        sink = LogSink(lambda: settings, stream) if kind is LogSink else kind(lambda: settings)
        use_sink(sink)
        get_logger("vad").debug("quiet", value=Costly())
        return stream.getvalue()

    assert asyncio.run(main()) == ""


async def stopped(draining: asyncio.Task[None]) -> None:
    draining.cancel()
    await asyncio.gather(draining, return_exceptions=True)


def contains(stream: io.StringIO, line: str) -> bool:
    return line in stream.getvalue()


async def test_lines_are_written_while_the_pipeline_runs_and_the_last_ones_at_its_end() -> None:
    stream = io.StringIO()
    sink = LogSink(LogSettings, stream)
    use_sink(sink)
    draining = asyncio.create_task(sink.drain())
    await asyncio.sleep(0)
    log = get_logger("test")
    for event in ("now", "and now"):
        log.warning(event)
        line = f": {event}\n"
        await until(partial(contains, stream, line), "it is not written")
    await asyncio.to_thread(log.warning, "from a thread")
    log.warning("last")
    await stopped(draining)
    events = [line.rsplit(": ", 1)[1] for line in stream.getvalue().splitlines()]
    assert events == ["now", "and now", "from a thread", "last"]
    log.warning("after the end")
    assert stream.getvalue().endswith("after the end\n")


async def test_a_stream_that_takes_nothing_stalls_nobody_and_the_loss_is_told() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb") as pipe:
        sink = LogSink(LogSettings, stream)
        use_sink(sink)
        draining = asyncio.create_task(sink.drain())
        await asyncio.sleep(0)
        log = get_logger("flood")
        for number in range(5_000):  # 64 KiB fill the pipe; 1,000 lines the buffer
            log.warning(f"line {number} {'x' * 100}")
            if number % 50 == 0:
                await moment(0.001)  # the thread is stuck for good: who waited would not end
        assert sink.dropped > 2_000
        taken = bytearray()
        taking = threading.Thread(target=lambda: taken.extend(pipe.read()))
        taking.start()
        await stopped(draining)
        stream.close()
        taking.join()
    lines = taken.decode().splitlines()
    (at,) = [index for index, line in enumerate(lines) if "log lines were dropped" in line]
    assert lines[at].startswith(f"vivavoce: warning: log: {sink.dropped} log lines")
    numbers = [int(line.split()[4]) for index, line in enumerate(lines) if index != at]
    assert numbers == [*range(at), *range(5_000 - (len(lines) - 1 - at), 5_000)]
    assert len(numbers) + sink.dropped == 5_000


STUCK = """
import asyncio
from vivavoce.pipeline.log import LogSink, get_logger, use_sink

async def main():
    sink = LogSink()
    use_sink(sink)
    async with asyncio.TaskGroup() as group:
        draining = group.create_task(sink.drain())
        await asyncio.sleep(0)
        for _ in range(3000):
            get_logger("test").warning("x" * 100)
        await asyncio.sleep(0.2)
        print(sink.dropped > 0, flush=True)
        draining.cancel()

asyncio.run(main())
print("the end", flush=True)
"""


def test_a_program_whose_standard_error_is_stuck_comes_to_its_end() -> None:
    with subprocess.Popen(
        [sys.executable, "-P", "-c", STUCK], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        try:
            assert program.wait(20) == 0
            assert program.stdout is not None
            assert program.stdout.read() == b"True\nthe end\n"
        finally:
            program.kill()


def test_a_closed_standard_error_is_no_failure(monkeypatch) -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        monkeypatch.setattr(sys, "stderr", stream)
        LogSink().put("error", "test", "nobody hears this", {})


OUTSIDE = """
import threading, vivavoce.cli
from vivavoce.pipeline.log import get_logger

def log_in_a_thread(arguments):
    write = lambda: get_logger("capture").warning("samples lost", name="mic", count=3)
    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    get_logger("capture").info("quiet")
    return 0

vivavoce.cli._run = log_in_a_thread
vivavoce.cli.main(["doctor"])
"""


@pytest.mark.process
def test_what_the_command_line_logs_outside_of_a_pipeline_looks_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", OUTSIDE],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == "vivavoce: warning: capture: samples lost (name='mic' count=3)\n"
    assert done.returncode == 0
