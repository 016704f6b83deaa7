"""Words as error rates count them: numbers, spellings and contractions in one form each."""

from __future__ import annotations

import re
from functools import cache
from typing import Protocol

_ONE_WAY = (
    # The normaliser takes the o of o'clock for a zero.
    (re.compile(r"\bo'clock\b", re.IGNORECASE), "oclock"),
    (re.compile(r"\bokay\b", re.IGNORECASE), "ok"),
)
_BETWEEN_DIGITS = re.compile(r"(?<=\d),(?=\d)")


class _Normaliser(Protocol):
    def __call__(self, text: str) -> str: ...


def normalised(text: str, language: str = "en") -> list[str]:
    """The words of a text, so that those that sound the same are the same.

    English: as OpenAI's normaliser of English has it (their paper of Whisper, appendix C): numbers
    as digits ("twenty thousand dollars" and "$20,000"), American spelling, contractions written
    out, "um" left out. Other languages: without case, punctuation and symbols.
    """
    plain = text.replace("’", "'")
    for pattern, form in _ONE_WAY:
        plain = pattern.sub(form, plain)
    return _normaliser(language == "en")(_BETWEEN_DIGITS.sub("", plain)).split()


@cache
def _normaliser(english: bool) -> _Normaliser:
    # Imported here: the package reads a table of 1,700 spellings.
    from whisper_normalizer.basic import BasicTextNormalizer
    from whisper_normalizer.english import EnglishTextNormalizer

    found: _Normaliser = EnglishTextNormalizer() if english else BasicTextNormalizer()
    return found
