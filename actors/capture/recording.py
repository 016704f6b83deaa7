"""A recording: any file that PyAV decodes, in bounded memory; the plainest need no decoding."""

from __future__ import annotations

import stat
from collections.abc import Generator
from pathlib import Path
from typing import Literal

from vivavoce.actors.capture.decoding import decode_container
from vivavoce.actors.capture.paced import PacedSource
from vivavoce.actors.capture.source import SourceError
from vivavoce.actors.capture.wav import plain_wav
from vivavoce.pipeline.clock import Clock
from vivavoce.pipeline.messages import Pcm


class RecordingSource(PacedSource):
    """A recording, played at real-time pace or as fast as it is taken."""

    def __init__(
        self, path: Path, *, pace: Literal["realtime", "max"], block_ms: int, clock: Clock
    ) -> None:
        super().__init__(str(path), pace=pace, block_ms=block_ms, clock=clock)
        self._path = path

    def _decode(self) -> Generator[Pcm, None, None]:
        _check_file(self._path)
        samples = plain_wav(self._path)
        if samples is not None:
            yield from samples
            return
        # With the scheme: FFmpeg would take the name `10:30.wav` for something of scheme `10`.
        yield from decode_container(f"file:{self._path}", self.name, self._warn)


def _check_file(path: Path) -> None:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise SourceError(f"{path} is a directory: give a recording")
        if not found.st_size:
            raise SourceError(f"{path} is empty: it contains no audio")
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise SourceError(f"there is no file {path}: give a recording, `mic` or `-`") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{path} cannot be read: {reason}") from error
