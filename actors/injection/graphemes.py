"""What a reader sees as one character, and what a Backspace surely removes. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_LONGEST = 64
_JOINER = "\u200d"


def clusters(text: str) -> Iterator[str]:
    """The text in pieces that must not be torn apart.

    A simple form of the extended grapheme clusters of Unicode's UAX 29: marks, joiners, selectors,
    skin tones, tags and the second half of a flag stay with what is before them, and so do the
    vowels and finals of decomposed Hangul.
    """
    begin = 0
    flags = 0  # regional indicators that end here in a row
    for at in range(1, len(text)):
        flags = flags + 1 if _is_flag(text[at - 1]) else 0
        joined = _extends(text[at]) or text[at - 1] == _JOINER or text[at - 1 : at + 1] == "\r\n"
        if not joined and not (flags % 2 and _is_flag(text[at])):
            yield text[begin:at]
            begin = at
    if text:
        yield text[begin:]


def first_piece(text: str, size: int) -> str:
    """The beginning of the text as :func:`split` would have it."""
    # A cluster that is longer than this is no text that anybody says.
    return split(text[: size + _LONGEST], size)[0]


def split(text: str, size: int) -> list[str]:
    """The text in pieces of at most ``size`` characters, no cluster torn.

    A cluster that is longer than ``size`` is a piece of its own.
    """
    pieces: list[str] = []
    piece = ""
    for cluster in clusters(text):
        if piece and len(piece) + len(cluster) > size:
            pieces.append(piece)
            piece = ""
        piece += cluster
    return [*pieces, piece] if piece else pieces


def backspaces(text: str) -> int | None:
    """How many times Backspace removes exactly ``text``, in any application.

    None: nobody knows. Applications disagree about characters that are made of several, and what
    an Enter set off is not undone by erasing it.
    """
    if any(len(cluster) > 1 for cluster in clusters(text)):
        return None
    if any(unicodedata.category(character) == "Cc" for character in text):
        return None
    return len(text)


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _extends(character: str) -> bool:
    if character < "\u0300":
        return False
    return (
        character == _JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags
        or "\u1160" <= character <= "\u11ff"  # Hangul vowels and finals
        or unicodedata.category(character) in ("Mn", "Mc", "Me")
    )
