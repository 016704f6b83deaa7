"""Whitespace, spacing around punctuation, sentence case: two compiled expressions, a pass each.

Letters and digits are never added, removed or reordered; only their case and the spaces between
them change. No rule looks beyond the white space that ends a word (or the run of marks behind it),
so what is tidied of a text that grows word by word is never changed by the words that follow.

Control characters are no business of this module: white space among them collapses, the rest is
neutralised where text leaves the program, which also sees texts that were never cleaned.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable

from vivavoce.config.cleanup import CleanupSettings

# A space (no line break) before a mark, or a run of marks, that stands alone; " ..." stays.
_BEFORE_MARK = r"(?<!\s)[^\S\n]++(?=(?:[{marks}]|\.(?!\.))[,.!?;:]*(?:\s|\Z))"
# A mark between two letters; not "." (example.com, e.g.) nor ":" (10:30, C:).
_AFTER_MARK = r"(?P<after>(?<=[^\W\d_][,;!?])(?=[^\W\d_]))"
_LONGEST_ADDRESS = 256
_INNER_DOT = re.compile(r"\w\.\w").search

# Behind these a full stop ends no sentence. Words that also end sentences ("no.") are not here.
ABBREVIATIONS = frozenset(
    {"al", "approx", "bzw", "cf", "dept", "dr", "etc", "fig", "ibid", "inc", "jr", "ltd", "mme"}
    | {"mr", "mrs", "ms", "mt", "nr", "prof", "rev", "sr", "sra", "st", "usw", "vgl", "viz", "vs"}
)
_OPENING = r"[\"'“”„‚‘’«»(\[¿¡]*"
_WORD = r"[^\W\d_](?:[^\W_]|['’](?=[^\W_]))*+"
# Not the beginning of an address or of something like "e.g." or "foo_bar".
_NO_NAME = r"(?!_|://|\.\w|[\w.+-]*@\w)"
_LONE_I = r"(?P<i>(?<![\w.'’@/\-])i(?=['’](?:m|d|ll|ve|s)\b|[\s,!?;:]|\.(?!\w)|\Z))"

TIDY = ("tidy.whitespace", "tidy.spacing", "tidy.sentence_case")
"""The rules of this module by their names."""

_DOTTED_I = ("tr", "az")
_SPACED_MARKS = ("fr",)


def make_tidy(settings: CleanupSettings, *, language: str = "") -> Callable[[str], str]:
    """A function that tidies a text under the rules that are on.

    Args:
        settings: ``whitespace``, ``punctuation`` and ``sentence_case`` count here.
        language: code of the language; empty is not known, and taken as English. A lone ``i`` is
            the pronoun in English only, French keeps its space before ``! ? ; :``, and Turkish has
            a capital of its own for ``i``.
    """
    steps = tidy_steps(settings, language=language)

    def tidy(text: str) -> str:
        for _, step in steps:
            text = step(text)
        return text

    return tidy


def tidy_steps(
    settings: CleanupSettings, *, language: str = "", lines: bool = False
) -> list[tuple[str, Callable[[str], str]]]:
    """The rules that are on, by their names and in their order.

    Args:
        settings: as for :func:`make_tidy`; ``without`` counts, too.
        language: as for :func:`make_tidy`.
        lines: line breaks are meant: ``whitespace`` leaves them.
    """
    steps: list[tuple[str, Callable[[str], str]]] = []
    if settings.whitespace:
        steps.append((TIDY[0], spaces_between_lines if lines else spaces))
    if settings.punctuation:
        steps.append((TIDY[1], _make_spacing("," if language in _SPACED_MARKS else ",!?;:")))
    if settings.sentence_case:
        english, dotted_i = language in ("", "en"), language in _DOTTED_I
        steps.append((TIDY[2], _make_case(english=english, dotted_i=dotted_i)))
    off = frozenset(settings.without)
    return [(name, step) for name, step in steps if not {name, "tidy"} & off]


def spaces(text: str) -> str:
    """One space between words, none around."""
    return " ".join(text.split())


def spaces_between_lines(text: str) -> str:
    """The same within each line; line breaks stay."""
    return "\n".join(map(spaces, text.split("\n"))) if "\n" in text else spaces(text)


def _make_spacing(marks: str) -> Callable[[str], str]:
    substitute = re.compile(f"{_BEFORE_MARK.format(marks=marks)}|{_AFTER_MARK}").sub

    def replace(match: re.Match[str]) -> str:
        if match["after"] is None:
            return ""
        return "" if _is_address(_token(match.string, match.start())) else " "

    return lambda text: substitute(replace, text)


def _make_case(*, english: bool, dotted_i: bool) -> Callable[[str], str]:
    # A sentence begins at the start, and behind ! or ? or a full stop that ends a word of two
    # letters or more: not behind "e.g.", "U.S.", "..." or an abbreviation.
    stop = r"(?<=[^\W_][^\W_]\.)" + _not_behind(ABBREVIATIONS)
    first = rf"(?P<lead>(?:\A\s*|(?:(?<=[!?])|{stop})\s+){_OPENING})(?P<first>{_WORD}){_NO_NAME}"
    substitute = re.compile(f"{first}|{_LONE_I}" if english else first).sub

    def replace(match: re.Match[str]) -> str:
        if match.lastgroup == "i":
            return "I"
        word = match["first"]
        return match["lead"] + (_capital(word[0], dotted_i) + word[1:] if word.islower() else word)

    return lambda text: substitute(replace, text)


def _capital(letter: str, dotted_i: bool) -> str:
    if dotted_i and letter == "i":
        return "İ"
    capital = letter.title()
    return capital if len(capital) == 1 else letter  # "ß" has none that is one letter


def _not_behind(abbreviations: Iterable[str]) -> str:
    """Look-behinds that refuse each abbreviation; those of one length share one."""
    by_length: defaultdict[int, list[str]] = defaultdict(list)
    for word in sorted(abbreviations):
        by_length[len(word)].append(word)
    return "".join(rf"(?<!\b(?i:{'|'.join(words)})\.)" for words in by_length.values())


def _is_address(token: str) -> bool:
    if "/" in token or "@" in token or "=" in token:
        return True
    return "." in token and _INNER_DOT(token) is not None


def _token(text: str, at: int) -> str:
    """The run of characters around ``at`` that holds no white space, as far as it matters."""
    before = text[max(0, at - _LONGEST_ADDRESS) : at].rsplit(None, 1)
    behind = text[at : at + _LONGEST_ADDRESS].split(None, 1)
    return (before[-1] if before else "") + (behind[0] if behind else "")
