"""Recordings and streams of any format, decoded piece by piece.

Everything here blocks: it runs in a worker thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Protocol

import numpy as np

from vivavoce.actors.capture.source import SourceError
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import SAMPLE_RATE, Pcm

log = get_logger("capture")


class ByteInput(Protocol):
    """What raw audio and containers are read from."""

    def read(self, count: int = -1, /) -> bytes:
        """Up to ``count`` bytes; empty at the end."""
        ...


def decode_container(source: str | BinaryIO | ByteInput, name: str) -> Iterator[Pcm]:
    """Yield the first audio stream of a recording as mono 16 kHz int16, in its own pieces.

    A recording that breaks off gives what could be decoded, with a warning.

    Raises:
        SourceError: it cannot be read, is no recording, or holds no audio.
    """
    import av

    try:
        container = av.open(source, mode="r", metadata_errors="replace")
    except (av.error.FFmpegError, OSError, EOFError) as error:
        raise SourceError(
            f"{name} is not a recording that can be decoded ({_reason(error)}): give a file with "
            "sound in it, such as WAV, MP3, FLAC, Ogg or MP4"
        ) from error
    with container:
        if not container.streams.audio:
            raise SourceError(f"{name} contains no audio stream")
        delivered = 0
        for pcm in _decoded(container, name):
            delivered += len(pcm)
            yield pcm
    if not delivered:
        raise SourceError(f"{name} contains no audio: it is zero seconds long")


def _decoded(container: Any, name: str) -> Iterator[Pcm]:
    import av

    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    try:
        for frame in container.decode(container.streams.audio[0]):
            frame.pts = None  # broken time stamps must not make the resampler invent or drop audio
            for out in resampler.resample(frame):
                yield out.to_ndarray()[0]
    except (av.error.FFmpegError, OSError) as error:
        log.warning(f"{name} breaks off ({_reason(error)}): what came before it is used")
    try:
        for out in resampler.resample(None):
            yield out.to_ndarray()[0]
    except (av.error.FFmpegError, ValueError):
        return  # nothing was decoded, so nothing is left in it


def decode_raw(source: ByteInput, name: str, begin: bytes = b"") -> Iterator[Pcm]:
    """Yield raw s16le 16 kHz mono audio as it comes; ``begin`` was read already.

    Raises:
        SourceError: there is none.
    """
    odd = b""
    data = begin
    delivered = 0
    while data:
        data = odd + data
        whole = len(data) - len(data) % 2
        odd = data[whole:]
        if whole:
            delivered += whole
            yield np.frombuffer(data[:whole], dtype="<i2").astype(np.int16, copy=False)
        data = source.read(65_536)
    if odd:
        log.warning(f"{name} ended inside a sample: its last byte is ignored")
    if not delivered:
        raise SourceError(f"{name} contains no audio: nothing was sent")


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(text.split())


_MAGIC = (
    (0, b"RIFF"), (0, b"RF64"), (0, b"FORM"), (0, b"OggS"), (0, b"fLaC"), (0, b"ID3"),
    (4, b"ftyp"), (0, b"\x1aE\xdf\xa3"), (0, b"caff"), (0, b".snd"), (0, b"wvpk"), (0, b"#!AMR"),
    (0, b"\x30\x26\xb2\x75"), (0, b"FLV"), (0, b"\xff\xfb"), (0, b"\xff\xf3"), (0, b"\xff\xf1"),
)  # fmt: skip


def looks_like_container(begin: bytes) -> bool:
    """Whether the first bytes are those of a known format rather than raw samples."""
    return any(begin[at : at + len(mark)] == mark for at, mark in _MAGIC)
