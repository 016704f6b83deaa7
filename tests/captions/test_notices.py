"""Log lines on the terminal of the live view, and what else changes while captions are shown."""

import asyncio
import io
import os
import pty
import sys
import threading
import tty
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

import pytest
from support.screen import Screen
from support.waiting import until

from vivavoce.actors.captions import CaptionActor
from vivavoce.actors.captions.plain import PlainWriter
from vivavoce.actors.captions.revisions import PatientWriter
from vivavoce.actors.captions.terminal import TerminalWriter
from vivavoce.actors.captions.writer import same_terminal
from vivavoce.config.schema import CaptionSettings, LogSettings, Profile, TranscriptionSettings
from vivavoce.pipeline.log import LogSink, get_logger, use_sink
from vivavoce.pipeline.messages import Caption, Final, Partial, Revision

COLUMNS, ROWS = 60, 8


def partial(tail: str, utterance: int = 1) -> Partial:
    return Partial(utterance=utterance, revision=1, start=0, end=1, stable="so", tail=tail)


def final(text: str, utterance: int = 1) -> Final:
    return Final(utterance=utterance, start=0, end=1, text=text)


def terminal(*, colour: bool = False) -> TerminalWriter:
    return TerminalWriter(lambda: (COLUMNS, ROWS), colour=colour)


def test_a_notice_stands_above_what_is_being_said() -> None:
    screen, writer = Screen(COLUMNS, ROWS), terminal(colour=True)
    for data in (
        writer.render(final("First."), 0.0),
        writer.render(partial("it was said that it would be, and that it was a long line", 2), 0.0),
        writer.notice("one \x1b[2J line\nanother\n"),
        writer.render(partial("it is", 2), 0.0),
        writer.render(Revision(utterance=1, text="The first."), 0.0),
        writer.render(final("So it is.", 2), 0.0),
    ):
        screen.feed(data)
    assert screen.lines[0] == "The first."
    assert screen.lines[2:] == ["another", "So it is.", ""]
    assert "\x1b" not in screen.lines[1]


@pytest.fixture
def device() -> Iterator[tuple[int, BinaryIO]]:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    with os.fdopen(theirs, "r+b", buffering=0) as stream:
        yield ours, stream
    os.close(ours)


class Live:
    """A captions actor on a terminal, with the log on the same or on another."""

    def __init__(self, device: tuple[int, BinaryIO]) -> None:
        self.ours, stream = device
        self.sink = LogSink(LogSettings)
        use_sink(self.sink)
        self.actor = CaptionActor(terminal(), stream)
        self.screen = Screen(COLUMNS, ROWS)

    async def show(self, *messages: Caption) -> None:
        for message in messages:
            await self.actor.on_message(message)

    async def until(self, *lines: str) -> None:
        os.set_blocking(self.ours, False)

        def shown() -> bool:
            with suppress(BlockingIOError):
                self.screen.feed(os.read(self.ours, 65_536))
            return [line.rstrip() for line in self.screen.lines] == list(lines)

        await until(shown, lambda: str(self.screen.lines))


async def test_a_log_line_on_the_same_terminal_does_not_tear_the_live_view(
    device: tuple[int, BinaryIO], monkeypatch
) -> None:
    with os.fdopen(os.dup(device[1].fileno()), "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        live = Live(device)
        draining = asyncio.create_task(live.sink.drain())
        await live.actor.on_start()
        await live.show(partial("it was"))
        get_logger("test").warning("the device is lost")
        told = "vivavoce: warning: test: the device is lost"
        await live.until(told, "so it was")
        await live.show(final("So it was."))
        await live.until(told, "So it was.", "")
        await live.actor.on_stop()
        get_logger("test").warning("the end")
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)
        after = os.read(live.ours, 4_096)
        assert after == b"vivavoce: warning: test: the end\n"


async def test_a_log_that_goes_elsewhere_is_left_alone(
    device: tuple[int, BinaryIO], monkeypatch
) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    live = Live(device)
    await live.actor.on_start()
    get_logger("test").warning("elsewhere")
    assert stderr.getvalue() == "vivavoce: warning: test: elsewhere\n"
    await live.actor.on_stop()


async def test_many_lines_for_a_terminal_that_is_stuck_are_bounded(
    device: tuple[int, BinaryIO],
) -> None:
    live = Live(device)
    live.actor._loop = asyncio.get_running_loop()
    live.actor._output.stalled = True
    taken = []
    thread = threading.Thread(
        target=lambda: taken.extend(live.actor._take_notice("x\n") for _ in range(100))
    )
    thread.start()
    thread.join()
    assert taken == [True] * 64 + [False] * 36  # those find their own way, and are counted there
    await asyncio.sleep(0)
    live.actor._output.stalled = False
    await live.show(partial("it was"))
    await live.until(*["x"] * 64, "so it was")


def test_which_streams_are_the_same_terminal(device: tuple[int, BinaryIO], tmp_path) -> None:
    _ours, stream = device
    other_ours, other = pty.openpty()
    with os.fdopen(other, "w") as another, os.fdopen(os.dup(stream.fileno()), "w") as same:
        assert same_terminal(stream, same)
        assert not same_terminal(stream, another)
        assert not same_terminal(stream, None)
        assert not same_terminal(io.BytesIO(), same)
        with (tmp_path / "log").open("w") as file:
            assert not same_terminal(stream, file)
    os.close(other_ours)


# -- another profile


def profile(**settings: object) -> Profile:
    return Profile(
        captions=CaptionSettings(colour=settings.get("colour", "auto")),  # type: ignore[arg-type]
        transcription=TranscriptionSettings(draft=settings.get("draft")),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("colour", "environ", "coloured"),
    [
        ("always", {"NO_COLOR": "1"}, True),
        ("auto", {"NO_COLOR": "1"}, False),
        ("auto", {}, True),
        ("never", {}, False),
    ],
)
async def test_the_colour_changes_with_the_next_drawing(colour, environ, coloured) -> None:
    stream = io.BytesIO()
    actor = CaptionActor(terminal(colour=not coloured), stream, environ)
    await actor.on_message(partial("it was"))
    before = stream.tell()
    await actor.on_profile(profile(colour=colour))
    await actor.on_message(partial("it was so"))
    data = stream.getvalue()
    assert (b"\x1b[2m" in data[before:]) is coloured
    assert (b"\x1b[2m" in data[:before]) is not coloured


async def test_finals_wait_for_no_revision_when_the_better_model_is_given_up() -> None:
    stream = io.BytesIO()
    actor = CaptionActor(PatientWriter(PlainWriter()), stream)
    await actor.on_message(final("Draft one.", 1))
    assert stream.getvalue() == b""
    await actor.on_profile(profile(draft=None))
    await actor.on_message(final("Two.", 2))
    await actor.on_message(Revision(utterance=1, text="One."))
    assert stream.getvalue() == b"Draft one.\nTwo.\n"
    await actor.on_profile(profile(draft="tiny.en"))
    await actor.on_message(final("Draft three.", 3))
    await actor.on_message(Revision(utterance=3, text="Three."))
    assert stream.getvalue() == b"Draft one.\nTwo.\nThree.\n"
