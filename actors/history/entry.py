"""What is kept of a final, as plain data."""

from __future__ import annotations

import re

import msgspec

_SURROGATE = re.compile("[\ud800-\udfff]")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A final as it is handed over to be kept.

    Attributes:
        run_began: wall-clock time of the first sample of the run, in ms of UTC since 1970.
        began: the same of the first sample of the final; ``ended``: of its last.
        start: samples since capture start, and ``end``.
        heard: the engine's words before cleanup, where they read differently; else empty.
        wav: the sound as a WAV file; None: it is not kept.
    """

    utterance: int
    run_began: int
    began: int
    ended: int
    start: int
    end: int
    text: str
    heard: str = ""
    profile: str = ""
    engine: str = ""
    model: str = ""
    language: str = ""
    confidence: float = 0.0
    application: str = ""
    wav: bytes | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the history, as it is read; the fields of :class:`Kept`, and what came later.

    Attributes:
        id: rises with time, and is never given twice.
        session: tells the run of the program; ``session_began`` is when that began to capture.
        outcome: one of :class:`~vivavoce.actors.desktop.delivery.Outcome`; empty: nothing was
            injected.
        retracted: the speaker took it back.
        sound: whether the sound is kept.
    """

    id: int
    session: str
    session_began: int
    utterance: int
    began: int
    ended: int
    start: int
    end: int
    text: str
    heard: str
    profile: str
    engine: str
    model: str
    language: str
    confidence: float
    application: str
    outcome: str
    back_end: str
    reason: str
    retracted: bool
    sound: bool


def storable(text: str) -> str:
    """The text without lone surrogates, which UTF-8 cannot hold: each is U+FFFD then."""
    return _SURROGATE.sub("\ufffd", text)
