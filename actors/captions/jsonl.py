"""JSON Lines: one event a line, stable fields. `docs/events.md` describes them all."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import (
    SAMPLE_RATE,
    Caption,
    Final,
    Gap,
    Latency,
    Partial,
    PowerChanged,
    RecordingEnded,
    RecordingStarted,
    Revision,
    Word,
)
from vivavoce.pipeline.safety import DANGEROUS

_encode = msgspec.json.Encoder().encode


class JsonlWriter:
    """Every event; times in seconds with 3 decimals on the stream's clock."""

    def render(self, event: Caption, t: float) -> bytes:
        """The event's line; the end comes with :meth:`finish`."""
        fields = _fields(event)
        if fields is None:
            return b""
        kind, rest = fields
        return _line({"v": 1, "type": kind, "t": round(t, 3), **rest})

    def finish(self, ledger: LedgerSummary, t: float) -> bytes:
        """The last line, with the ledger."""
        return _line({"v": 1, "type": "end", "t": round(t, 3), "ledger": ledger})

    def abandon(self) -> bytes:
        """Nothing: a run without an ``end`` did not come to its end."""
        return b""


def _line(fields: dict[str, Any]) -> bytes:
    try:
        line = _encode(fields)
    except UnicodeEncodeError:  # lone surrogates cannot be encoded
        line = _encode(_encodable(fields))
    if not line.isascii() or b"\x7f" in line:
        # JSON lets C1 controls, DEL and bidirectional overrides through as they are; a terminal
        # that shows the line obeys them. Escaped, they are the same data.
        line = DANGEROUS.sub(_escaped, line.decode()).encode()
    return line + b"\n"


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, dict):
        return {key: _encodable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    return value


def _seconds(sample: int) -> float:
    return round(sample / SAMPLE_RATE, 3)


def _fields(event: Caption) -> tuple[str, dict[str, Any]] | None:
    """Type and fields of an event, in the order of the contract."""
    found = _FIELDS.get(type(event))
    return None if found is None else (found[0], found[1](event))


def _partial(event: Partial) -> dict[str, Any]:
    return {
        "utterance": event.utterance,
        "revision": event.revision,
        "start": _seconds(event.start),
        "stable": event.stable,
        "tail": event.tail,
    }


def _final(event: Final) -> dict[str, Any]:
    return {
        "utterance": event.utterance,
        "start": _seconds(event.start),
        "end": _seconds(event.end),
        "text": event.text,
        **({"retracts": event.retracts} if event.retracts else {}),
        "words": _words(event.words),
        "confidence": round(event.confidence, 3),
        "engine": event.engine,
        "model": event.model,
        "language": event.language,
        "corrected": event.corrected,
        "latency": _latency(event.latency),
        **({"window": [_seconds(at) for at in event.window]} if event.window else {}),
        **({"dropped": _seconds(event.dropped)} if event.dropped else {}),
    }


def _words(words: tuple[Word, ...]) -> list[dict[str, Any]]:
    return [
        {
            "w": word.text,
            "start": _seconds(word.start),
            "end": _seconds(word.end),
            "p": round(word.probability, 3),
        }
        for word in words
    ]


def _latency(latency: Latency) -> dict[str, Any]:
    return {
        "endpoint": round(latency.endpoint, 3),
        "queued": round(latency.queued, 3),
        "decode": round(latency.decode, 3),
        "total": round(latency.total, 3),
        "speculative": latency.speculative,
    }


def _revision(event: Revision) -> dict[str, Any]:
    return {
        "utterance": event.utterance,
        "text": event.text,
        "words": _words(event.words),
        "confidence": round(event.confidence, 3),
        "engine": event.engine,
        "model": event.model,
    }


def _recording_started(event: RecordingStarted) -> dict[str, Any]:
    return {"state": "started", "start": _seconds(event.start)}


def _recording_ended(event: RecordingEnded) -> dict[str, Any]:
    return {
        "state": "cancelled" if event.cancelled else "ended",
        "start": _seconds(event.start),
        "end": _seconds(event.end),
    }


def _gap(event: Gap) -> dict[str, Any]:
    return {
        "start": _seconds(event.start),
        "end": _seconds(event.end),
        "reason": event.reason.value,
    }


def _power(event: PowerChanged) -> dict[str, Any]:
    return {"mode": event.mode.value}


_FIELDS: dict[type, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    Partial: ("partial", _partial),
    Final: ("final", _final),
    Revision: ("revision", _revision),
    RecordingStarted: ("recording", _recording_started),
    RecordingEnded: ("recording", _recording_ended),
    Gap: ("gap", _gap),
    PowerChanged: ("power", _power),
}
"""The end comes with :meth:`JsonlWriter.finish`."""
