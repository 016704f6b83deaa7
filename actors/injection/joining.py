"""How a text goes on from what was typed before it: the space between them, and its first letter.

Pure. Recognisers begin every utterance as if it were a new text.
"""

from __future__ import annotations

import re
from collections.abc import Collection

MOST_TAIL = 256
"""Characters of what was typed that are worth remembering."""

_SPACELESS = re.compile(  # scripts that are written without spaces between words
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
    "\U00020000-\U0003ffff]"
)
_NO_SPACE_BEFORE = frozenset(",.;:!?…)]}”’»%›")
_NO_SPACE_AFTER = frozenset("([{“‘„«‹¿¡/@#$£€\\")
_CLITIC = re.compile(r"['’](?:s|t|d|m|ll|re|ve)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"""[.!?…。！？][)\]}”’»"']*\s*\Z""")
_WORD = re.compile(r"[\W_]*([^\W\d_][\w'’-]*)")
_NOUNS_IN_CAPITALS = frozenset({"de", "lb", "lu"})
_ALWAYS_CAPITAL = frozenset(
    {"i", "i'm", "i'd", "i'll", "i've"}
    | {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
    | {"january", "february", "april", "june", "july", "august"}
    | {"september", "october", "november", "december", "english"}
)


def joined(
    tail: str,
    text: str,
    *,
    capitals: bool = True,
    language: str = "",
    vocabulary: Collection[str] = (),
) -> str:
    """``text`` as it is typed behind ``tail``.

    Args:
        tail: the end of what this program typed there; empty: nothing is known.
        text: cleaned, without white space of its own to join it.
        capitals: the first letter follows the sentence; else only the space is seen to.
        language: of ``text``; where nouns are in capitals, none is taken from a first word.
        vocabulary: words as they are always written.
    """
    if not text or not tail:
        return text
    text = text.lstrip(" ")
    if not text:
        return ""
    if capitals:
        text = _first_letter(tail, text, language, vocabulary)
    return f" {text}" if _needs_space(tail, text) else text


def _needs_space(tail: str, text: str) -> bool:
    last, first = tail[-1], text[0]
    if last.isspace() or first.isspace() or last in _NO_SPACE_AFTER or _CLITIC.match(text):
        return False
    if first in _NO_SPACE_BEFORE:
        # ".5" and ".NET" are words; a sign alone, or before a space, ends what is before it.
        return len(text) > 1 and first == "." and text[1].isalnum()
    if first == '"' or last == '"':
        # A straight quote that is still open closes now, or has just been opened.
        is_open = tail.rpartition("\n")[2].count('"') % 2 == 1
        return not is_open
    if last == "-" and len(tail) > 1 and not tail[-2].isspace() and tail[-2] != "-":
        return False
    return not (_SPACELESS.match(last) and _SPACELESS.match(first))


def _first_letter(tail: str, text: str, language: str, vocabulary: Collection[str]) -> str:
    found = _WORD.match(text)
    if found is None or found[1][1:] != found[1][1:].lower():
        return text  # inner capitals: the word is written so
    word, at = found[1], found.start(1)
    if any(word == known or known.startswith(f"{word} ") for known in vocabulary):
        return text
    letter = word[0]
    if _begins_sentence(tail):
        letter = letter.upper()
    elif _goes_on(tail) and not _keeps_capital(word, text[found.end(1) :], language):
        letter = letter.lower()
    return text[:at] + letter + text[at + 1 :]


def _keeps_capital(word: str, rest: str, language: str) -> bool:
    if language[:2] in _NOUNS_IN_CAPITALS or word.replace("’", "'").lower() in _ALWAYS_CAPITAL:
        return True
    return len(word) == 1 and word != "A" and rest[:1] in (".", "")  # an initial


def _begins_sentence(tail: str) -> bool:
    return "\n" in tail[len(tail.rstrip()) :] or (
        _SENTENCE_END.search(tail) is not None and not tail.rstrip().endswith(("...", "…"))
    )


def _goes_on(tail: str) -> bool:
    """Whether the sentence of ``tail`` is surely not over: it ends in a word or a comma."""
    ending = tail.rstrip()
    return bool(ending) and (ending[-1].isalnum() or ending[-1] in ",;-–—(/")
