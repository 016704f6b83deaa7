"""Recordings and streams of any format, decoded piece by piece.

Everything here blocks: it runs in a worker thread. What a user should know is told to ``warn``,
because the log belongs to the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO, Protocol, TypeAlias

import numpy as np

from vivavoce.actors.capture.source import SourceError
from vivavoce.pipeline.messages import SAMPLE_RATE, Pcm

Warn: TypeAlias = Callable[[str], None]

_READ = 65_536
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 768_000
SNIFF = 16
"""Bytes by which a format is recognised."""


class ByteInput(Protocol):
    """What raw audio and containers are read from."""

    def read(self, count: int = -1, /) -> bytes:
        """Up to ``count`` bytes; empty at the end."""
        ...


def decode_container(source: str | BinaryIO | ByteInput, name: str, warn: Warn) -> Iterator[Pcm]:
    """Yield the first audio stream of a recording as mono 16 kHz int16, in its own pieces.

    A recording that breaks off gives what could be decoded, one that is damaged what is whole,
    both with a warning.

    Args:
        source: an URL as FFmpeg takes them (``file:PATH``), or an open binary file.
        name: what messages call it.
        warn: told, in one line, of what could not be decoded.

    Raises:
        SourceError: it cannot be read, is no recording, or holds no audio.
    """
    import av
    import av.error

    try:
        # Only files: a playlist that is fed to the program must not make it fetch anything.
        container = av.open(
            source, mode="r", metadata_errors="replace", options={"protocol_whitelist": "file"}
        )
    except (av.error.FFmpegError, OSError, EOFError, ValueError) as error:
        raise SourceError(
            f"{name} is not a recording that can be decoded ({_reason(error)}): give a file with "
            "sound in it, such as WAV, MP3, FLAC, Ogg or MP4"
        ) from error
    with container:
        if not container.streams.audio:
            raise SourceError(f"{name} contains no audio stream")
        delivered = 0
        problems: list[str] = []
        for pcm in _decoded(container, problems):
            delivered += len(pcm)
            yield pcm
    if delivered:
        for problem in problems:
            warn(f"{name} {problem}")
    elif problems:
        raise SourceError(f"{name} contains no audio that can be decoded: it {problems[0]}")
    else:
        raise SourceError(f"{name} contains no audio: it is zero seconds long")


def _decoded(container: Any, problems: list[str]) -> Iterator[Pcm]:
    import av
    import av.error

    converter = _Converter()
    damaged = 0
    sound = False
    # RuntimeError and ValueError: PyAV's own words for a codec or a layout that it does not know.
    undecodable = (av.error.FFmpegError, OSError, ValueError, RuntimeError)
    try:
        for packet in container.demux(container.streams.audio[0]):
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                if not (sound or isinstance(error, av.error.InvalidDataError)):
                    raise  # no decoder for it: so it will be for every packet
                damaged += 1
                continue
            for frame in frames:
                sound = True
                yield from converter.convert(frame)
    except undecodable as error:
        problems.append(f"breaks off ({_reason(error)}): what came before it is used")
    with suppress(*undecodable):  # nothing is left in a resampler that refused what it was given
        yield from converter.flush()
    if damaged:
        problems.append(f"is damaged: what could not be decoded was skipped ({damaged} times)")


class _Converter:
    """To mono 16 kHz int16 by FFmpeg's resampler; the format may change in the middle."""

    def __init__(self) -> None:
        self._format: tuple[str, str, int] | None = None
        self._resampler: Any = None

    def convert(self, frame: Any) -> Iterator[Pcm]:
        import av

        now = (frame.format.name, frame.layout.name, frame.sample_rate)
        if now != self._format:
            yield from self.flush()
            if not _LOWEST_RATE <= frame.sample_rate <= _HIGHEST_RATE:
                # A wrong header: a file of a second would become hours.
                raise ValueError(f"{frame.sample_rate} samples per second are not sound")
            self._format = now
            self._resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        frame.pts = None  # broken time stamps must not make the resampler invent or drop audio
        for out in self._resampler.resample(frame):
            yield out.to_ndarray()[0]

    def flush(self) -> Iterator[Pcm]:
        """What the resampler still holds."""
        resampler, self._resampler = self._resampler, None
        if resampler is not None:
            for out in resampler.resample(None):
                yield out.to_ndarray()[0]


def decode_raw(source: ByteInput, name: str, warn: Warn, begin: bytes = b"") -> Iterator[Pcm]:
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
        try:
            data = source.read(_READ)
        except OSError as error:
            warn(f"{name} breaks off ({_reason(error)}): what came before it is used")
            break
    if odd:
        warn(f"{name} ended inside a sample: its last byte is ignored")
    if not delivered:
        raise SourceError(f"{name} contains no audio: nothing was sent")


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split())


_MAGIC = (
    (0, b"RIFF"), (0, b"RF64"), (0, b"FORM"), (0, b"OggS"), (0, b"fLaC"), (0, b"ID3"),
    (4, b"ftyp"), (0, b"\x1aE\xdf\xa3"), (0, b"caff"), (0, b".snd"), (0, b"wvpk"), (0, b"#!AMR"),
    (0, b"\x30\x26\xb2\x75"), (0, b"FLV"), (0, b"MAC "), (0, b"TTA1"),
)  # fmt: skip


def looks_like_container(begin: bytes) -> bool:
    """Whether the first bytes are those of a known format rather than raw samples."""
    known = any(begin[at : at + len(mark)] == mark for at, mark in _MAGIC)
    return known or _looks_like_frame(begin)


def _looks_like_frame(begin: bytes) -> bool:
    """Whether this is the header of an MPEG audio frame (ISO/IEC 11172-3, 2.4.2.3) or of ADTS."""
    if len(begin) < 4 or begin[0] != 0xFF or begin[1] & 0xE0 != 0xE0:
        return False
    if begin[1] & 0xF6 == 0xF0:  # ADTS: layer 0, then a sampling frequency index below 13
        return begin[2] >> 2 & 0xF < 13
    version, layer = begin[1] >> 3 & 3, begin[1] >> 1 & 3
    bit_rate, sample_rate = begin[2] >> 4, begin[2] >> 2 & 3
    return version != 1 and layer != 0 and 0 < bit_rate < 15 and sample_rate != 3


def looks_like_text(begin: bytes) -> bool:
    """Whether the first bytes are printable: no 8 samples of sound are."""
    return len(begin) >= SNIFF and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in begin)
