"""How a text goes on from what was typed before it: the space between them, and its first letter.

Pure. Recognisers begin every utterance as if it were a new text.
"""

from __future__ import annotations

import re
from collections.abc import Collection

MOST_TAIL = 256
"""Characters of what was typed that are worth remembering."""

UNKNOWN = "…"
"""A tail where something stands that is not known: a space separates what follows from it."""

_SPACELESS = re.compile(  # scripts that are written without spaces between words
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
    "\U00020000-\U0003ffff]"
)
_NO_SPACE_BEFORE = frozenset(",.;:!?…)]}”’»%›")
_NO_SPACE_AFTER = frozenset("([{“‘„«‹¿¡/@#$£€\\")
_CLITIC = re.compile(r"['’](?:s|t|d|m|ll|re|ve)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"""[.!?…。！？][)\]}”’»"']*\s*\Z""")
_WORD = re.compile(r"[\W_]*([^\W\d_]\w*)")
_I = re.compile(r"I(?:['’]\w+)?\Z")
# Words that are small within a sentence, whatever a recogniser makes of them at its beginning. A
# first word that is not among them may be a name, and stays as it is: a wrong capital reads better
# than a wrong name.
_SMALL = {
    "en": (
        "the a an and or but so then because if when while that which this these those there "
        "to of in on at for from with by as than about into over after before is was are were "
        "be been has have had do does did can could would should not it he she we they you my "
        "your his her its our their what who how why where also just"
    ),
    "de": (
        "und oder aber dann denn weil dass wenn ob als wie so doch nur auch noch nicht der die "
        "das dem den des ein eine einen einem einer eines in im an am auf aus bei beim mit "
        "nach von vom vor zu zum zur für über um durch ohne gegen ist sind war waren hat haben "
        "hatte wird wurde kann ich du er es wir man mich mir uns was wer wo warum hier da dort"
    ),
    "fr": (
        "le la les un une des du de d l et ou mais donc car que qui quand si comme alors puis "
        "parce à au aux en dans sur sous pour par avec sans chez est sont était a ont ce cet "
        "cette ces ne pas je j tu il elle on nous vous ils elles mon ma mes son sa ses leur c "
        "qu n s y où"
    ),
    "es": (
        "el la los las un una unos unas y e o u pero que si cuando como porque entonces de del "
        "a al en con por para sin sobre es son era está están fue ha han no se lo le me te nos "
        "yo tú él ella su sus mi mis este esta esto ese esa eso muy más también donde"
    ),
}
_SMALL_OF = {language: frozenset(words.split()) for language, words in _SMALL.items()}
_ARTICLES = frozenset({"the", "a", "an", "le", "la", "les", "l", "el", "los", "las"})
"""With these begin names as The Hague, Le Havre, Los Angeles."""
_NEXT_WORD = re.compile(r"[ '’]+([^\W\d_][\w'’-]*)")
_FRENCH_SIGNS = frozenset("!?;:»")
_FRENCH_ELISION = re.compile(
    r"(?<!\w)(?:[cdjlmnst]|(?:jus|lors|puis|quoi)?qu)['’]\Z", re.IGNORECASE
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
        language: of ``text``, as ``en`` or ``de-CH``; empty counts as English. Only its articles,
            pronouns, conjunctions … lose the capital of a first word.
        vocabulary: words as they are always written.
    """
    if not text or not tail:
        return text
    text = text.lstrip(" ")
    if not text:
        return ""
    if capitals:
        text = _first_letter(tail, text, language, vocabulary)
    is_french = language[:2].lower() == "fr"
    return f" {text}" if _needs_space(tail, text, is_french=is_french) else text


def _needs_space(tail: str, text: str, *, is_french: bool) -> bool:
    last, first = tail[-1], text[0]
    if last.isspace() or first.isspace() or last in _NO_SPACE_AFTER or _CLITIC.match(text):
        return False
    if is_french and (first in _FRENCH_SIGNS or _FRENCH_ELISION.search(tail)):
        return first in _FRENCH_SIGNS
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
    if found is None or found[1][1:] != found[1][1:].lower() or _I.match(found[1]):
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
    """Whether a first word that follows a part of a sentence may be a name."""
    small = word.lower()
    if small not in _SMALL_OF.get(language[:2].lower() or "en", frozenset()):
        return True
    if len(word) == 1 and rest.startswith((".", "-")):
        return True  # an initial, or as in A-Team
    following = _NEXT_WORD.match(rest)
    named = following is not None and following[1][0].isupper() and not _I.match(following[1])
    return named and small in _ARTICLES


def _begins_sentence(tail: str) -> bool:
    return "\n" in tail[len(tail.rstrip()) :] or (
        _SENTENCE_END.search(tail) is not None and not tail.rstrip().endswith(("...", "…"))
    )


def _goes_on(tail: str) -> bool:
    """Whether the sentence of ``tail`` is surely not over: it ends in a word or a comma."""
    ending = tail.rstrip()
    return bool(ending) and (ending[-1].isalnum() or ending[-1] in ",;-–—(/")
