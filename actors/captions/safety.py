"""Recognised text is data: it must not steer a terminal, a subtitle player or a reader's eye."""

from __future__ import annotations

import re

# Control characters (C0, C1 and DEL), bidirectional overrides and isolates, line and paragraph
# separators, and lone surrogates, which cannot be encoded.
_DANGEROUS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SPACES = frozenset("\t\n\v\f\r\x85\u2028\u2029")


def neutralise(text: str) -> str:
    """The text without anything that a terminal obeys.

    White space of any kind becomes a space, other control characters the replacement character.
    """
    return _DANGEROUS.sub(lambda match: " " if match[0] in _SPACES else "\ufffd", text)
