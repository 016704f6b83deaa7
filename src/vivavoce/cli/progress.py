"""Progress of a download or a measurement on standard error."""

from __future__ import annotations

from typing import TextIO


class DownloadProgress:
    """Rewrites one line on a terminal; elsewhere writes a line at each tenth."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._tenth = -1

    def __call__(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` bytes of ``what`` are here; ``total`` 0: not known."""
        share = f" of {total / 1e6:.0f} MB ({100 * done // total} %)" if total else " MB"
        line = f"vivavoce: fetching {what}: {done / 1e6:.0f}{share}"
        finished = bool(total) and done >= total
        if self._live:
            self._stream.write(f"\r\x1b[K{line}" + ("\n" if finished else ""))
            self._stream.flush()
            return
        tenth = 10 * done // total if total else 0
        if tenth != self._tenth:
            self._tenth = tenth
            self._stream.write(line + "\n")
            self._stream.flush()


class MeasurementProgress:
    """Rewrites one line on a terminal, and says nothing elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()

    def __call__(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` utterances of ``what`` are timed."""
        self._show(f"vivavoce: measuring {what}: {done} of {total}")

    def clear(self) -> None:
        """Leave the line empty for what comes after."""
        self._show("")

    def _show(self, line: str) -> None:
        if self._live:
            self._stream.write(f"\r\x1b[K{line}")
            self._stream.flush()
