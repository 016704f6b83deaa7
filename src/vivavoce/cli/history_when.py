"""Times as people say them. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from vivavoce.config.errors import VivavoceError

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d|w|y)(?:\s+ago)?", re.IGNORECASE)
_UNITS = {
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3_600.0,
    "d": 86_400.0,
    "w": 7 * 86_400.0,
    "y": 365 * 86_400.0,
}


class WrongTime(VivavoceError):  # noqa: N818 - what a person wrote
    """A time that is not understood."""

    exit_code = 2


def milliseconds(text: str | None, *, end: bool = False, now: datetime | None = None) -> int | None:
    """``text`` as ms of UTC since 1970; None for None. See :func:`moment`."""
    if text is None:
        return None
    return round(moment(text, now or datetime.now().astimezone(), end=end).timestamp() * 1000)


def moment(text: str, now: datetime, *, end: bool = False) -> datetime:
    """The time that ``text`` names: ``2h`` (so long ago), ``now``, ``today``, ``yesterday``, a
    date, a date and time (ISO 8601), or a time of today, in the zone of ``now``.

    Args:
        end: a day is meant to its end, not from its begin.

    Raises:
        WrongTime: it names none.
    """
    word = text.strip().lower()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    day: datetime | None = {"today": today, "yesterday": _day(today, -1)}.get(word)
    try:
        if word == "now":
            return now
        if found := _AGO.fullmatch(word):
            return now - timedelta(seconds=float(found[1]) * _UNITS[found[2].lower()])
        if day is None and re.fullmatch(r"\d{1,2}:\d{2}", word):
            hour, minute = word.split(":")
            return today.replace(hour=int(hour), minute=int(minute))
        if day is None:
            read = datetime.fromisoformat(text.strip())
            zoned = read if read.tzinfo is not None else read.replace(tzinfo=None).astimezone()
            if not re.fullmatch(r"\d{4}-?\d{2}-?\d{2}|\d{4}-?W\d{2}(-?\d)?", word, re.IGNORECASE):
                return zoned
            day = zoned
    except (ValueError, OverflowError):
        raise WrongTime(
            f"{text!r} is no time: write 2h (so long ago), today, yesterday, 2026-05-01, "
            "'2026-05-01 14:30' or 14:30"
        ) from None
    return _day(day, 1) if end else day


def _day(midnight: datetime, days: int) -> datetime:
    # By the calendar, then in its zone anew: a day on which the clocks change has no 24 hours.
    return (midnight.replace(tzinfo=None) + timedelta(days=days)).astimezone()
