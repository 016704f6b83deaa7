"""What became of a text: typed, copied, held back, and why."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """What became of the text of a final."""

    TYPED = "typed"
    """A back end has typed (or written, or pasted) all of it."""
    COPIED = "copied"
    """It could not be typed, or was not to be: all of it is in the clipboard."""
    PARTLY = "partly"
    """Its beginning was typed; where possible, the rest is in the clipboard."""
    HELD = "held"
    """Another window has the focus: it waits until its own has it again."""
    FAILED = "failed"
    """It could neither be typed nor copied."""
    DISCARDED = "discarded"
    """The speaker cancelled before it was typed."""
    RETRACTED = "retracted"
    """It was typed, and taken back by the speaker."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the final of an utterance; a later one replaces an earlier.

    ``back_end`` is empty where none was tried; ``reason`` is one line, empty where all went well.
    """

    utterance: int
    outcome: Outcome
    back_end: str = ""
    application: str = ""
    reason: str = ""
