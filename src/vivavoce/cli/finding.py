"""What a check of `vivavoce doctor` found."""

from __future__ import annotations

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One check: what was looked at, how it is, and what to do about it."""

    check: str
    state: Literal["ok", "warning", "problem"]
    text: str
    fix: str = ""
