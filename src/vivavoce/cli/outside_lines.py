"""Lines that are logged outside of a pipeline, in the format of those that are logged inside."""

from __future__ import annotations

import logging
from typing import Any


class OutsideLines(logging.Handler):
    """Writes records of this library to standard error, as a pipeline's sink does."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        from vivavoce.pipeline.log import LogSink, level_of  # most commands log nothing

        values: dict[str, Any] = dict(getattr(record, "vivavoce", {}))
        event = values.pop("event", None) or record.getMessage()
        component = record.name.removeprefix("vivavoce.")
        LogSink().put(level_of(record.levelno), component, event, values)


def show_outside_lines() -> None:
    """Show what this process logs outside of a pipeline."""
    logging.getLogger("vivavoce").addHandler(OutsideLines())
