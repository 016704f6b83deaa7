"""Where the messages of a pipeline go in the program of somebody else."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from support.program import isolated

import vivavoce
from vivavoce.config.components import COMPONENTS
from vivavoce.pipeline.clock import run_virtual
from vivavoce.testing import ScriptedEngine, speech

AGAIN = "the scripted engine was killed; it is started again and hears once more what is in work"


async def heard(**settings: object) -> list[str]:
    """What is said in a clip, heard by an engine that dies once."""
    engine = ScriptedEngine(speech().words_in)
    engine.dies_at.append("exact")
    source = vivavoce.PushSource()
    async with vivavoce.Pipeline(source=source, engine=engine, environ={}, **settings) as pipeline:
        await pipeline.feed(speech().samples)
        pipeline.end()
        finals = [one.text async for one in pipeline.events() if isinstance(one, vivavoce.Final)]
        pipeline.say_report()
    return finals


HOST = f"""
import logging
import sys

sys.path.insert(0, {str(Path(__file__).parents[1])!r})
{{configured}}
from end_to_end.test_host_logging import heard, run_virtual

assert run_virtual(lambda: heard(overrides={{overrides}}))
assert "structlog" not in sys.modules
"""


def standard_error(home: Path, configured: str, *overrides: str) -> list[str]:
    """What a program with that line of configuration writes there."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", HOST.format(configured=configured, overrides=overrides)],
        env=isolated(home),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return done.stderr.splitlines()


@pytest.mark.process
def test_a_host_that_shows_info_gets_each_line_once(tmp_path: Path) -> None:
    lines = standard_error(tmp_path, "logging.basicConfig(level=logging.INFO)")
    assert lines.count(f"WARNING:vivavoce.transcription:{AGAIN}") == 1
    assert sum(AGAIN in line for line in lines) == 1
    told = [line for line in lines if line.startswith("INFO:vivavoce.")]
    assert len(told) > 0
    assert any(line.startswith("INFO:vivavoce:") for line in lines), "the report was asked for"
    assert not any(line.startswith("vivavoce: ") for line in lines), "that is the command line's"


@pytest.mark.process
def test_a_host_without_logging_sees_warnings(tmp_path: Path) -> None:
    assert standard_error(tmp_path, "") == [AGAIN]


@pytest.mark.process
def test_the_level_of_the_profile_holds_whatever_the_host_shows(tmp_path: Path) -> None:
    shown = standard_error(tmp_path, "logging.basicConfig(level=10)", "log.level=error")
    assert not any("vivavoce.transcription" in line for line in shown)


def test_a_test_of_the_host_reads_them_with_caplog(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vivavoce")
    run_virtual(heard)
    ours = [record for record in caplog.records if record.name.startswith("vivavoce.")]
    assert AGAIN in [record.message for record in ours]
    assert {record.name.split(".")[1] for record in ours} <= set(COMPONENTS)


def test_what_was_said_is_in_no_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    finals = run_virtual(heard)
    assert len(finals) > 0
    for final in finals:
        assert not any(final in str(vars(record)) for record in caplog.records)
