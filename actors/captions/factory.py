"""From a profile's ``captions`` section to its writer."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import BinaryIO

from vivavoce.actors.captions.jsonl import JsonlWriter
from vivavoce.actors.captions.plain import PlainWriter
from vivavoce.actors.captions.revisions import PatientWriter
from vivavoce.actors.captions.subtitles import SubtitleWriter
from vivavoce.actors.captions.terminal import TerminalWriter
from vivavoce.actors.captions.writer import CaptionWriter
from vivavoce.config.schema import CaptionSettings


def make_writer(
    settings: CaptionSettings,
    *,
    stream: BinaryIO,
    environ: Mapping[str, str],
    size: Callable[[], tuple[int, int]] | None = None,
    revisions_follow: bool = False,
) -> CaptionWriter:
    """The writer for ``stream``.

    Args:
        settings: format and colour.
        stream: where it will be written; a terminal gets the live view.
        environ: ``NO_COLOR`` and ``TERM``.
        size: columns and rows of the terminal; asked of the system when not given.
        revisions_follow: finals get a revision later. Where nothing can be rewritten (plain lines,
            also on a terminal that can do nothing else, and subtitles) a final waits for it.
    """
    if settings.format == "jsonl":
        return JsonlWriter()
    if settings.format in ("srt", "vtt"):
        subtitles = SubtitleWriter("srt" if settings.format == "srt" else "vtt", settings.subtitles)
        return PatientWriter(subtitles) if revisions_follow else subtitles
    if not stream.isatty() or (environ.get("TERM") or "dumb") == "dumb":
        return PatientWriter(PlainWriter()) if revisions_follow else PlainWriter()
    colour = wants_colour(settings, environ)
    return TerminalWriter(size or (lambda: _terminal_size(stream)), colour=colour)


def wants_colour(settings: CaptionSettings, environ: Mapping[str, str]) -> bool:
    """Whether the live view is coloured."""
    return settings.colour == "always" or (
        settings.colour == "auto" and not environ.get("NO_COLOR")
    )


def _terminal_size(stream: BinaryIO) -> tuple[int, int]:
    try:
        columns, rows = os.get_terminal_size(stream.fileno())
    except OSError:
        return 80, 24
    return columns or 80, rows or 24
