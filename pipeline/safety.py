"""Recognised text is data: it must not steer a terminal, a subtitle player or a reader's eye."""

from __future__ import annotations

import re

# Control characters (C0, C1 and DEL), bidirectional embeddings, overrides and isolates, line and
# paragraph separators, and lone surrogates, which cannot be encoded. Direction marks (U+200E,
# U+200F, U+061C) are part of ordinary Arabic and Hebrew text and override nothing.
DANGEROUS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_SPACES = frozenset("\t\n\v\f\r\x85\u2028\u2029")
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def neutralise(text: str) -> str:
    """The text without anything that a terminal or a reader's eye obeys.

    White space of any kind becomes a space, bidirectional controls vanish, every other control
    character and lone surrogate becomes the replacement character: visible, and harmless.
    """
    return DANGEROUS.sub(_harmless, text)


def _harmless(match: re.Match[str]) -> str:
    if match[0] in _SPACES:
        return " "
    return "" if match[0] in _BIDIRECTIONAL else "\ufffd"
