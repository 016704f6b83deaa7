"""The plainest recordings, mono 16 kHz 16-bit WAV files, read without FFmpeg.

They are what the pipeline works with already, so there is nothing to decode; and PyAV weighs 16 MB.
Whatever is the least bit unusual about a file is left to FFmpeg.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vivavoce.pipeline.messages import SAMPLE_RATE, Pcm

_READ = 65_536
_HEADERS = 64
"""Chunks that may lie before the samples."""
_PCM = 1
_PLAIN = struct.pack("<HHIIHH", _PCM, 1, SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16)
"""Format, channels, samples and bytes per second, bytes per frame, bits per sample."""


def plain_wav(path: Path) -> Iterator[Pcm] | None:
    """The samples of a plain WAV file, piece by piece; None when it is anything else.

    The chunks of a RIFF file are described in "Multimedia Programming Interface and Data
    Specifications 1.0" (IBM and Microsoft, 1991).

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        found = _samples(file)
    return None if found is None else _pieces(path, *found)


def _samples(file: BinaryIO) -> tuple[int, int] | None:
    """Where the samples begin and how many bytes they are; None when the file is not plain."""
    size = file.seek(0, 2)
    file.seek(0)
    riff = file.read(12)
    if riff[:4] != b"RIFF" or riff[8:] != b"WAVE":
        return None
    plain = False
    for _ in range(_HEADERS):
        header = file.read(8)
        if len(header) < 8:
            return None
        name, length = header[:4], struct.unpack_from("<I", header, 4)[0]
        at = file.tell()
        if name == b"data":
            # Streams do not know their length, and damaged files say a wrong one.
            whole = length > 0 and length % 2 == 0 and at + length <= size
            return (at, length) if plain and whole else None
        if name == b"fmt ":
            plain = length >= len(_PLAIN) and file.read(len(_PLAIN)) == _PLAIN
        file.seek(at + length + length % 2)
    return None


def _pieces(path: Path, begin: int, length: int) -> Iterator[Pcm]:
    with path.open("rb") as file:
        file.seek(begin)
        while length and (data := file.read(min(_READ, length))):
            length -= len(data)
            # A file that is cut while it is read may end inside a sample.
            yield np.frombuffer(data, dtype="<i2", count=len(data) // 2).astype(
                np.int16, copy=False
            )
