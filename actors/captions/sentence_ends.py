"""Which words end a sentence, a clause or a phrase, by their punctuation. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from enum import Enum


class Ending(Enum):
    """What ends behind a word."""

    SENTENCE = "sentence"
    CLAUSE = "clause"
    """At a semicolon, a colon or a dash."""
    PHRASE = "phrase"
    """At a comma."""
    NONE = "none"


_SENTENCE, _CLAUSE, _PHRASE = frozenset(".!?…。！？｡"), frozenset(";:–—-；："), frozenset(",，、､،")
_QUOTES = frozenset("\"'”’»«“")
# Of the languages that Whisper is mostly used for; a wrong guess costs a cut in a worse place.
_ABBREVIATIONS = frozenset(
    re.findall(
        r"\w+",
        "mr mrs ms dr prof st sr jr vs gen col sen rep gov capt lt sgt rev hon mt messrs "
        "nr bzw ca evtl ggf inkl vgl sog mme mlle sra srta dra ud uds avda núm",
    )
)


def endings(words: Sequence[str], spaced: Sequence[bool]) -> list[Ending]:
    """What ends behind each word; ``spaced`` tells which have a space before them."""
    following = [*zip(words[1:], spaced[1:], strict=True), ("", True)][: len(words)]
    return [_ending(word, *after) for word, after in zip(words, following, strict=True)]


def _ending(word: str, following: str, spaced: bool) -> Ending:
    core = word
    while core and (core[-1] in _QUOTES or unicodedata.category(core[-1]) in ("Pe", "Pf")):
        core = core[:-1]
    sign = core[-1:]
    if sign in _PHRASE:
        return Ending.PHRASE
    if sign in _CLAUSE:
        return Ending.CLAUSE if spaced else Ending.NONE
    if sign not in _SENTENCE:
        return Ending.NONE
    begins = following.lstrip("\"'“‘«([¿¡-–—")[:1]
    if begins.islower():
        return Ending.PHRASE if sign != "." or core.endswith("..") else Ending.NONE
    return Ending.NONE if sign == "." and _is_abbreviation(core) else Ending.SENTENCE


def _is_abbreviation(word: str) -> bool:
    """As "Dr.", "J." and "U.S."; the end of a sentence can look the same, but seldom does."""
    stem = word[:-1].strip("\"'“‘«(").casefold()
    return stem in _ABBREVIATIONS or all(
        len(part) == 1 and part.isalpha() for part in stem.split(".")
    )
