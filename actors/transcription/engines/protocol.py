"""The wire between a pipeline and its engine process: length-prefixed msgpack and raw PCM.

A frame is an 8-byte prefix (two little-endian uint32: length of the header, length of the payload),
a msgpack header (one of the structs below) and a payload, which only :class:`Feed` uses: raw mono
16 kHz little-endian int16.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from vivavoce.actors.transcription.engines.base import (
    EVERYTHING,
    EngineInfo,
    EngineSpec,
    Hypothesis,
    SessionOptions,
)
from vivavoce.config.errors import VivavoceError

PREFIX = struct.Struct("<II")
MAX_HEADER = 4 * 1024 * 1024
MAX_PAYLOAD = 64 * 1024 * 1024
HEARTBEAT_S = 1.0
"""Between two signs of life of a process that works."""


class ProtocolError(VivavoceError):
    """What came is no frame of this protocol."""


class Packet(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of everything that is sent."""


class Load(Packet, frozen=True, kw_only=True):
    """Load the engine; answered by :class:`Progress` (any number) and :class:`Loaded`."""

    request: int
    spec: EngineSpec


class Open(Packet, frozen=True, kw_only=True):
    """Begin a session whose first sample is ``at``; not answered, a failure shows at its next
    request."""

    session: int
    options: SessionOptions
    at: int = 0


class Feed(Packet, frozen=True, kw_only=True):
    """The payload is the session's next audio; not answered."""

    session: int


class PartialRequest(Packet, frozen=True, kw_only=True):
    """Ask for a partial hypothesis of the audio up to ``end``; answered by :class:`Answer`."""

    request: int
    session: int
    end: int = EVERYTHING
    prefix: tuple[str, ...] = ()
    language: str | None = None


class ExactRequest(Packet, frozen=True, kw_only=True):
    """Ask for the exact hypothesis of the audio up to ``end``; answered by :class:`Answer`."""

    request: int
    session: int
    end: int = EVERYTHING
    cheap: bool = False
    language: str | None = None


class Cancel(Packet, frozen=True, kw_only=True):
    """Nobody waits for a request any more; not answered."""

    request: int


class Advance(Packet, frozen=True, kw_only=True):
    """Forget the session's audio before a sample; not answered."""

    session: int
    to_sample: int


class CloseSession(Packet, frozen=True, kw_only=True):
    """End a session; not answered."""

    session: int


class Loaded(Packet, frozen=True, kw_only=True):
    """The engine is ready."""

    request: int
    info: EngineInfo


class Progress(Packet, frozen=True, kw_only=True):
    """A download goes on: bytes done and in all (0: not known)."""

    what: str
    done: int
    total: int


class Heartbeat(Packet, frozen=True, kw_only=True):
    """The process lives and works: each second while it loads or something was asked of it."""


class Answer(Packet, frozen=True, kw_only=True):
    """The hypothesis that was asked for."""

    request: int
    hypothesis: Hypothesis


class Failed(Packet, frozen=True, kw_only=True):
    """The request failed; kind and message are those of an ``EngineError``."""

    request: int
    kind: str
    message: str


ToEngine: TypeAlias = (
    Load | Open | Feed | PartialRequest | ExactRequest | Cancel | Advance | CloseSession
)
FromEngine: TypeAlias = Loaded | Progress | Heartbeat | Answer | Failed

_encoder = msgspec.msgpack.Encoder()
_decode_request: Callable[[bytes], Any] = msgspec.msgpack.Decoder(ToEngine).decode
_decode_reply: Callable[[bytes], Any] = msgspec.msgpack.Decoder(FromEngine).decode


def encode(packet: ToEngine | FromEngine, payload: bytes | memoryview = b"") -> bytes:
    """The bytes of a frame."""
    header = _encoder.encode(packet)
    return b"".join((PREFIX.pack(len(header), memoryview(payload).nbytes), header, payload))


def lengths(prefix: bytes) -> tuple[int, int]:
    """The lengths of header and payload that a frame's first 8 bytes announce.

    Raises:
        ProtocolError: they are larger than any frame of ours.
    """
    header, payload = PREFIX.unpack(prefix)
    if not 0 < header <= MAX_HEADER or payload > MAX_PAYLOAD:
        raise ProtocolError(
            f"the engine's pipe is corrupt: a frame of {header} + {payload} bytes was announced"
        )
    return header, payload


def decode_request(header: bytes) -> ToEngine:
    """The packet in a header that the parent sent.

    Raises:
        ProtocolError: the header is none of ours.
    """
    return _decoded(_decode_request, header)  # type: ignore[no-any-return]  # msgspec checks it


def decode_reply(header: bytes) -> FromEngine:
    """The packet in a header that the engine sent.

    Raises:
        ProtocolError: the header is none of ours.
    """
    return _decoded(_decode_reply, header)  # type: ignore[no-any-return]  # msgspec checks it


def _decoded(decode: Callable[[bytes], Any], header: bytes) -> Any:
    try:
        return decode(header)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ProtocolError(f"the engine's pipe is corrupt: {error}") from error
