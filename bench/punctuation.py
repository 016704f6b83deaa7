"""Marks behind words as they are written: what ends a sentence, and what is a comma. Pure."""

from __future__ import annotations

import re

_TRAILING = "\"'”’»)]}"
_LEADING = "\"'“‘«([{¿¡"
_ENDS = re.compile(r"[.?!…。？！]+$")
_COMMA = re.compile(r"[,，、]$")
_ABBREVIATIONS = frozenset(
    {
        "mr", "mrs", "ms", "dr", "st", "prof", "sr", "jr", "gen", "col", "lt", "capt", "sgt", "rev",
        "vs", "e.g", "i.e", "etc", "a.m", "p.m", "u.s", "u.k", "u.n", "d.c",
        "bzw", "z.b", "nr", "hr", "fr", "mme", "mlle", "sra", "srta",
    }
)  # fmt: skip


def marks_end(written: str) -> bool:
    """Whether a word has a full stop, question mark or exclamation mark behind it."""
    return bool(_ENDS.search(written.rstrip(_TRAILING)))


def ends_sentence(written: str) -> bool:
    """The same, but abbreviations and initials ("Dr.", "J.") end no sentence."""
    if not marks_end(written):
        return False
    bare = written.rstrip(_TRAILING)
    word = bare.rstrip(".").lstrip(_LEADING).casefold()
    initial = len(word) == 1 and word.isalpha() and word != "i"
    return not (initial or word in _ABBREVIATIONS)


def has_comma(written: str) -> bool:
    """Whether a comma stands behind a word."""
    return bool(_COMMA.search(written.rstrip(_TRAILING)))
