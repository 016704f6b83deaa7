"""Subtitle files, as programs that others wrote read them."""

import html
import re

import pysubs2
import webvtt

from vivavoce.actors.captions.cues import Cue


def read(data: bytes, kind: str) -> list[Cue]:
    """The cues of a file, in samples, by a parser that others wrote; none may be lost in it."""
    text = data.decode()
    if kind == "vtt":
        assert text.startswith("WEBVTT\n\n")
        found = [
            Cue(_samples(cue.start), _samples(cue.end), html.unescape(cue.raw_text))
            for cue in webvtt.WebVTT.from_string(text)
        ]
    else:
        found = [
            Cue(cue.start * 16, cue.end * 16, cue.text.replace("\\N", "\n"))
            for cue in pysubs2.SSAFile.from_string(text, format_="srt")
        ]
        assert re.findall(r"^(\d+)\n\d\d:", text, re.MULTILINE) == [
            str(number) for number in range(1, len(found) + 1)
        ]
    assert len(found) == text.count("-->")
    return found


def _samples(stamp: str) -> int:
    hours, minutes, seconds = stamp.split(":")
    return (int(hours) * 3600 + int(minutes) * 60) * 16_000 + round(float(seconds) * 1000) * 16
