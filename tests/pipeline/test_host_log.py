"""Lines of the library in Python's logging, as the program around it has configured that."""

import asyncio
import inspect
import logging
import logging.handlers
import queue
import threading
from collections.abc import Callable
from contextvars import copy_context

import pytest

from vivavoce.config.schema import LogSettings
from vivavoce.pipeline.log import HostLog, Logger, get_logger, use_sink

Write = Callable[[Logger], None]


def written(write: Write, settings: LogSettings | None = None, component: str = "capture") -> None:
    def inside() -> None:
        use_sink(HostLog(lambda: settings or LogSettings()))
        write(get_logger(component))

    copy_context().run(inside)


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_line_is_a_record_of_the_components_logger(caplog) -> None:
    written(lambda log: log.warning("device lost", name="USB mic", count=3))
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("vivavoce.capture", "WARNING")
    assert record.getMessage() == "device lost (name='USB mic' count=3)"
    assert record.vivavoce == {"event": "device lost", "name": "USB mic", "count": 3}


@pytest.mark.parametrize("level", ["warning", "error"])
def test_a_record_names_the_line_that_wrote_it(level: str, caplog) -> None:
    def write(log: Logger) -> None:
        getattr(log, level)("here")

    written(write)
    (record,) = caplog.records
    assert (record.pathname, record.funcName) == (__file__, "write")
    assert record.lineno == inspect.getsourcelines(write)[1] + 1


def test_outside_of_a_pipeline_lines_go_there_too(caplog) -> None:
    thread = threading.Thread(target=lambda: get_logger("trigger").warning("from a thread"))
    thread.start()
    thread.join(10)
    assert caplog.record_tuples == [("vivavoce.trigger", logging.WARNING, "from a thread")]


def test_names_that_records_use_themselves_may_be_values(caplog) -> None:
    written(lambda log: log.error("set aside", message="Final", args=(1,), name="x", msg="%s"))
    assert messages(caplog) == ["set aside (message='Final' args=(1,) name='x' msg='%s')"]


def test_a_message_is_no_format_and_steers_no_terminal(caplog) -> None:
    written(lambda log: log.warning("100 % of \x1b[2J\r\n%d"))
    assert messages(caplog) == ["100 % of \\x1b[2J\\r\\n%d"]


def every_level(log: Logger) -> None:
    for level in ("debug", "info", "warning", "error"):
        getattr(log, level)(level)


def test_where_the_profile_names_no_level_logging_decides(caplog) -> None:
    written(every_level)
    assert messages(caplog) == ["warning", "error"]
    caplog.clear()
    with caplog.at_level(logging.DEBUG, "vivavoce.capture"):
        written(every_level)
    assert messages(caplog) == ["debug", "info", "warning", "error"]
    caplog.clear()
    with caplog.at_level(logging.CRITICAL, "vivavoce"):
        written(every_level)
    assert messages(caplog) == []


def test_what_is_below_the_level_of_the_profile_never_gets_there(caplog) -> None:
    caplog.set_level(logging.DEBUG)
    settings = LogSettings(level="error", levels={"vad": "info"})
    written(every_level, settings)
    written(every_level, settings, "vad")
    assert messages(caplog) == ["error", "info", "warning", "error"]


def test_levels_change_while_it_runs(caplog) -> None:
    caplog.set_level(logging.DEBUG)
    holds = LogSettings(level="error")
    sink = HostLog(lambda: holds)

    def inside() -> None:
        nonlocal holds
        use_sink(sink)
        log = get_logger("capture")
        log.info("one")
        holds = LogSettings(level="info")
        log.info("two")
        holds = LogSettings()
        log.debug("three")

    copy_context().run(inside)
    assert messages(caplog) == ["two", "three"]


def test_captions_are_logged_only_where_the_profile_allows_it(caplog) -> None:
    def write(log: Logger) -> None:
        log.debug("final", caption_text="secret words")

    caplog.set_level(logging.DEBUG)
    written(write)
    written(write, LogSettings(captions=True, level="info"))
    assert not any("secret" in str(vars(record)) for record in caplog.records)
    written(write, LogSettings(captions=True))
    assert messages(caplog)[-1] == "final (caption_text='secret words')"


def test_a_report_is_one_record(caplog) -> None:
    caplog.set_level(logging.INFO)
    HostLog().say("report", "first line\nsecond line")
    assert caplog.record_tuples == [("vivavoce", logging.INFO, "first line\nsecond line")]


def test_a_slow_handler_behind_a_queue_holds_nobody_up() -> None:
    """Handlers are the host's: no line waits anywhere but where the host put a queue."""
    free, seen = threading.Event(), []

    class Slow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert free.wait(10)
            seen.append(record.getMessage())

    lines: queue.Queue[logging.LogRecord] = queue.Queue()
    behind = logging.handlers.QueueHandler(lines)
    listener = logging.handlers.QueueListener(lines, Slow())
    logger = logging.getLogger("vivavoce")

    async def scene() -> None:
        use_sink(HostLog())
        for number in range(100):
            get_logger("capture").warning(f"line {number}")

    logger.addHandler(behind)
    listener.start()
    try:
        asyncio.run(scene())  # it comes to its end though no line was handled yet
        assert seen == []
    finally:
        logger.removeHandler(behind)
        free.set()
        listener.stop()
    assert seen == [f"line {number}" for number in range(100)]
