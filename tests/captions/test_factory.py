"""Which writer a profile, a stream and an environment get."""

import io
import os
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import pytest

from vivavoce.actors.captions import make_writer
from vivavoce.actors.captions.jsonl import JsonlWriter
from vivavoce.actors.captions.plain import PlainWriter
from vivavoce.actors.captions.revisions import PatientWriter
from vivavoce.actors.captions.subtitles import SubtitleWriter
from vivavoce.actors.captions.terminal import TerminalWriter
from vivavoce.config.schema import CaptionSettings
from vivavoce.pipeline.messages import Final, Partial, Revision

XTERM = {"TERM": "xterm"}


@pytest.fixture
def terminal() -> Iterator[BinaryIO]:
    """The side of a pseudo-terminal that a program writes to."""
    master, slave = os.openpty()
    with open(slave, "wb", buffering=0) as stream:  # noqa: PTH123
        yield stream
    os.close(master)


@pytest.mark.parametrize(
    ("form", "kind"),
    [("jsonl", JsonlWriter), ("srt", SubtitleWriter), ("vtt", SubtitleWriter)],
)
def test_formats_for_programs_are_the_same_on_a_terminal(
    terminal: BinaryIO, form: str, kind: type
) -> None:
    settings = CaptionSettings(format=form)  # type: ignore[arg-type]
    assert type(make_writer(settings, stream=terminal, environ=XTERM)) is kind
    assert type(make_writer(settings, stream=io.BytesIO(), environ=XTERM)) is kind


def test_text_is_live_on_a_terminal_and_plain_elsewhere(terminal: BinaryIO) -> None:
    settings = CaptionSettings()
    assert type(make_writer(settings, stream=terminal, environ=XTERM)) is TerminalWriter
    assert type(make_writer(settings, stream=io.BytesIO(), environ=XTERM)) is PlainWriter


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"TERM": ""}, {}])
def test_a_terminal_that_can_do_nothing_gets_plain_lines(
    terminal: BinaryIO, environ: Mapping[str, str]
) -> None:
    writer = make_writer(CaptionSettings(colour="always"), stream=terminal, environ=environ)
    assert type(writer) is PlainWriter


@pytest.mark.parametrize(
    ("colour", "no_colour", "coloured"),
    [
        ("auto", "", True),
        ("auto", "1", False),
        ("always", "1", True),
        ("never", "", False),
    ],
)
def test_colour(terminal: BinaryIO, colour: str, no_colour: str, coloured: bool) -> None:
    settings = CaptionSettings(colour=colour)  # type: ignore[arg-type]
    environ = {**XTERM, "NO_COLOR": no_colour}
    writer = make_writer(settings, stream=terminal, environ=environ)
    partial = Partial(utterance=1, revision=1, start=0, end=1, stable="", tail="x")
    assert (b"\x1b[2m" in writer.render(partial, 0.0)) is coloured


def test_a_terminal_that_does_not_know_its_size_has_80_columns(terminal: BinaryIO) -> None:
    writer = make_writer(CaptionSettings(colour="never"), stream=terminal, environ=XTERM)
    partial = Partial(utterance=1, revision=1, start=0, end=1, stable="", tail="x " * 60)
    first, _second = writer.render(partial, 0.0).decode().split("\r\n")
    assert len(first) == 79


def test_a_terminal_that_can_do_nothing_has_lines_that_fit(terminal: BinaryIO) -> None:
    text = "one two three four five"
    spoken = Final(utterance=1, start=0, end=16_000, text=text)
    writer = make_writer(CaptionSettings(), stream=terminal, environ={}, size=lambda: (12, 24))
    assert writer.render(spoken, 0.0) == b"one two\nthree four\nfive\n"
    file = make_writer(CaptionSettings(), stream=io.BytesIO(), environ={}, size=lambda: (12, 24))
    assert file.render(spoken, 0.0) == f"{text}\n".encode()


@pytest.mark.parametrize("revisions_follow", [True, False])
@pytest.mark.parametrize("form", ["text", "srt", "vtt", "jsonl", "live", "dumb"])
def test_finals_wait_for_revisions_where_nothing_can_be_rewritten(
    terminal: BinaryIO, form: str, revisions_follow: bool
) -> None:
    settings = CaptionSettings(format=form if form in ("srt", "vtt", "jsonl") else "text")  # type: ignore[arg-type]
    writer = make_writer(
        settings,
        stream=terminal if form in ("live", "dumb") else io.BytesIO(),
        environ=XTERM if form == "live" else {"TERM": "dumb"},
        revisions_follow=revisions_follow,
    )
    waits = revisions_follow and form not in ("jsonl", "live")
    assert isinstance(writer, PatientWriter) is waits
    at_once = writer.render(Final(utterance=1, start=0, end=16_000, text="draft"), 0.0)
    assert (b"draft" in at_once) is not waits
    later = writer.render(Revision(utterance=1, text="exact"), 0.0)
    assert (b"exact" in later) is (waits or form in ("jsonl", "live"))
