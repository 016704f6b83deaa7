"""Numbers in digits, by the library text2num; which of those that it finds are meant as digits is
decided here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import accumulate
from typing import Any, Protocol, TypeAlias

from vivavoce.actors.cleanup.explanation import Note, changes
from vivavoce.actors.cleanup.phrases import BEHIND, GAP, either
from vivavoce.actors.cleanup.rule_file import base_language
from vivavoce.pipeline.log import get_logger

log = get_logger("cleanup")

NUMBER_LANGUAGES = frozenset({"en", "fr", "es", "pt", "de", "it", "nl"})
"""What text2num knows."""

MULTIPLIERS = {
    "en": "hundred thousand million millions billion billions trillion trillions",
    "de": "hundert tausend million millionen milliarde milliarden billion billionen",
    "fr": "cent cents mille million millions milliard milliards billion billions",
    "es": "cien ciento mil millón millones billón billones",
    "pt": "cem cento mil milhão milhões bilhão bilhões bilião biliões",
    "it": "cento mille mila milione milioni miliardo miliardi",
    "nl": "honderd duizend miljoen miljoenen miljard miljarden",
}
"""Behind digits these stay words ("2.5 million"); alone, too, where no unit follows."""

# Where the library would take the "hundred" of "per hundred" for the beginning of a number.
_PER_HUNDRED = {
    ("fr", "pour", "cent"),
    ("es", "por", "ciento"),
    ("pt", "por", "cento"),
    ("it", "per", "cento"),
}

_LONE = 10
_LONGEST_WORD = 64
_TOKENS = re.compile(r"[^\W_]+|[\W_]+").findall
_CLOCK = re.compile(r"\s+[ap]\.?m\b", re.IGNORECASE).match

Edit: TypeAlias = tuple[int, int, str]
"""The tokens from the first to before the second are written as the text."""


class Found(Protocol):
    """A number that the library found: the tokens from ``start`` to before ``end``."""

    start: int
    end: int
    text: str
    value: float
    is_ordinal: bool


class _Token:
    """A word, as the library wants it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def text(self) -> str:
        return self._text

    def nt_separated(self, previous: object) -> bool:
        return False

    def not_a_number_part(self) -> bool:
        return False


_SPACE, _HYPHEN, _BREAK = _Token(" "), _Token("-"), _Token(",")


@cache
def _library() -> Callable[[list[_Token], str, float], list[Any]] | None:
    """``find_numbers`` of text2num; None, with one warning, where it is not installed."""
    try:
        from text_to_num import find_numbers
    except ImportError:
        log.warning(
            "numbers stay words: text2num is not installed; "
            "pip install 'vivavoce[dictation]' installs it"
        )
        return None
    found: Callable[[list[_Token], str, float], list[Any]] = find_numbers
    return found


class Numbers:
    """Number words become digits.

    What stays as it was said: a number below ten alone ("one of them"), unless a unit follows; a
    round one alone ("a hundred times"); what multiplies digits ("5 million"); a fraction ("two
    thirds"); in English, a pair that is neither a year nor a time ("five thirty").

    Args:
        language: code; of one that the library does not know, all stays.
        units: phrases that are units behind a number.
    """

    def __init__(self, language: str, units: Iterable[str] = ()) -> None:
        code = base_language(language)
        self._code = code
        self._find = _library() if code in NUMBER_LANGUAGES else None
        self._multipliers = frozenset(MULTIPLIERS.get(code, "").split())
        unit = rf"(?:\s*|-)(?:{either(units, GAP)}){BEHIND}"
        self._unit = re.compile(unit, re.IGNORECASE).match

    def __bool__(self) -> bool:
        return self._find is not None

    def run(self, text: str, note: Note | None = None) -> str:
        """The text with digits."""
        if self._find is None or not text:
            return text
        tokens = _TOKENS(text)
        found = self._find(self._shown(tokens), self._code, 0.0)
        if not found:
            return text
        kept, at = [], 0
        for start, end, written in _Decision(self, text, tokens, found).edits():
            kept += tokens[at:start]
            kept.append(written)
            at = end
        done = "".join(kept + tokens[at:])
        if note is not None:
            for step in changes("numbers", text, done):
                note(step)
        return done

    def _shown(self, tokens: list[str]) -> list[_Token]:
        """What the library is shown: words, spaces, hyphens, and a comma for all else."""
        shown = [_shown_as(token) for token in tokens]
        for code, before, word in _PER_HUNDRED:
            if code == self._code:
                for at in range(2, len(tokens)):
                    if tokens[at].lower() == word and tokens[at - 2].lower() == before:
                        shown[at] = _BREAK
        return shown


def _shown_as(piece: str) -> _Token:
    if piece.isalnum():
        return _Token(piece) if len(piece) <= _LONGEST_WORD else _BREAK
    if piece.isspace():
        return _SPACE
    return _HYPHEN if piece == "-" else _BREAK


class _Decision:
    """Which of the numbers that were found in one text become digits."""

    def __init__(self, numbers: Numbers, text: str, tokens: list[str], found: list[Found]) -> None:
        self._english = numbers._code == "en"
        self._multipliers = numbers._multipliers
        self._unit = numbers._unit
        self._text = text
        self._tokens = tokens
        self._found = found
        self._offsets = [0, *accumulate(map(len, tokens))]

    def edits(self) -> Iterator[Edit]:
        """In the order of the text."""
        runs = list(self._runs())
        at = 0
        while at < len(runs):
            run = runs[at]
            after = runs[at + 1] if at + 1 < len(runs) else []
            with_zero = self._with_zero(run, after)
            if with_zero:
                yield with_zero
                at += 2
                continue
            at += 1
            if len(run) == 1:
                yield from self._alone(run[0])
            elif len(run) == 2 and self._english:
                yield from self._pair(*run)
            else:
                yield from map(_digits, run)

    def _runs(self) -> Iterator[list[Found]]:
        """Numbers directly behind each other, without those that are as they were said."""
        run: list[Found] = []
        before: Found | None = None
        for each in self._found:
            follows = before is not None and self._adjoins(before.end, each.start)
            if each.is_ordinal:
                # Behind a number it is a fraction, or the time that is a second.
                stays = follows or each.value < _LONE or (self._english and each.text[-1] == "s")
                if run:
                    yield run
                run = []
                if not stays:
                    yield [each]
            elif self._multiplies(each) and (follows or self._behind_digits(each.start)):
                if run:
                    yield run
                run = []
            elif follows and run:
                run.append(each)
            else:
                if run:
                    yield run
                run = [each]
            before = each
        if run:
            yield run

    def _alone(self, number: Found) -> Iterator[Edit]:
        if number.is_ordinal or "." in number.text or "," in number.text:
            yield _digits(number)
            return
        article = self._english and self._word(number.start - 2) == "a"
        if self._multiplies(number):
            if number.end - number.start > 1:
                yield number.start - 2 * article, number.end, number.text
            elif self._unit_behind(number) and not article:
                yield _digits(number)
        elif number.value == 1 and not self._english:
            return  # an article, as in "ein Kilo"
        elif number.value >= _LONE or self._unit_behind(number) or self._clock_behind(number):
            yield _digits(number)

    def _pair(self, one: Found, two: Found) -> Iterator[Edit]:
        """Of two numbers in English: a year, a time, digits, or what was said."""
        first, second = one.value, two.value
        if second < _LONE or first >= 100 or second >= 100:
            yield _digits(one)
            yield _digits(two)
        elif first <= 12 and second < 60 and self._clock_behind(two):
            yield one.start, two.end, f"{one.text}:{two.text}"
        elif first in (19, 20) and not self._unit_behind(two):
            yield one.start, two.end, one.text + two.text

    def _with_zero(self, one: list[Found], two: list[Found]) -> Edit | None:
        """ "nineteen oh five", "five oh five pm"."""
        if not (self._english and len(one) == len(two) == 1):
            return None
        first, second = one[0], two[0]
        between = "".join(self._tokens[first.end : second.start]).lower().split()
        if between not in (["oh"], ["o"]) or not 0 < second.value < _LONE:
            return None
        if first.value in (19, 20):
            return first.start, second.end, f"{first.text}0{second.text}"
        if first.value <= 12 and self._clock_behind(second):
            return first.start, second.end, f"{first.text}:0{second.text}"
        return None

    def _word(self, at: int) -> str:
        return self._tokens[at].lower() if at >= 0 else ""

    def _adjoins(self, end: int, start: int) -> bool:
        """Whether nothing but white space or a hyphen is between two tokens."""
        return start - end == 1 and (self._tokens[end].isspace() or self._tokens[end] == "-")

    def _behind_digits(self, start: int) -> bool:
        return self._word(start - 2)[-1:].isdigit() and self._adjoins(start - 1, start)

    def _multiplies(self, number: Found) -> bool:
        return self._word(number.start) in self._multipliers

    def _unit_behind(self, number: Found) -> bool:
        return self._unit(self._text, self._offsets[number.end]) is not None

    def _clock_behind(self, number: Found) -> bool:
        return self._english and _CLOCK(self._text, self._offsets[number.end]) is not None


def _digits(number: Found) -> Edit:
    return number.start, number.end, number.text
