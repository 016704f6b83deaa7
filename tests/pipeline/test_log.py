import asyncio
import io
import json

from vivavoce.config.schema import LogSettings
from vivavoce.pipeline.log import LogSink, get_logger, use_sink


def logged(settings: LogSettings, write) -> str:
    stream = io.StringIO()

    async def main() -> None:
        use_sink(LogSink(settings, stream))
        write(get_logger("test"))

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


def test_caption_text_appears_only_where_the_profile_allows_it() -> None:
    def write(log):
        log.debug("final", caption_text="secret words")

    assert "secret" not in logged(LogSettings(level="debug"), write)
    assert "secret" in logged(LogSettings(level="debug", captions=True), write)


async def test_a_flood_is_bounded_and_the_loss_is_told() -> None:
    stream = io.StringIO()
    sink = LogSink(LogSettings(), stream)
    use_sink(sink)
    draining = asyncio.create_task(sink.drain())
    await asyncio.sleep(0)
    log = get_logger("flood")
    for number in range(1500):
        log.warning(f"line {number}")
    assert stream.getvalue() == ""  # deferred: nothing was rendered in the hot path
    draining.cancel()
    await asyncio.gather(draining, return_exceptions=True)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1001
    assert "500 log lines were dropped" in lines[-1]
    assert "line 1499" in lines[-2]
