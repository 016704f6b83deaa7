"""When each piece of a final's text is said: what lines and cues are made of. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import msgspec

from vivavoce.actors.captions.layout import broken, clusters, width
from vivavoce.actors.captions.openers import Opener, opener
from vivavoce.pipeline.messages import SAMPLE_RATE, Final, Word
from vivavoce.pipeline.safety import neutralise

_FASTEST = 50
"""Characters a second. Nobody speaks so fast: where words are closer, their times are wrong."""

# What may not begin a line in Chinese and Japanese, besides punctuation.
_CLINGS = frozenset("ーぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ々〜")


class Piece(msgspec.Struct, frozen=True):
    """What stays in one line: a word, or a character of a script without spaces.

    ``start`` and ``end`` are samples; ``columns`` its width; ``spaced``: a space stands before it;
    ``opens``: what it begins.
    """

    text: str
    start: int
    end: int
    columns: int
    spaced: bool
    opens: Opener = Opener.NOTHING


class _Span(msgspec.Struct, frozen=True):
    key: str
    start: float
    end: float


def timed_pieces(final: Final, columns: int) -> list[Piece]:
    """The text of ``final`` in pieces of at most ``columns``, in order, none outside of it.

    Each piece has the times of its recognised word. What the words do not have (the text was
    cleaned, or there are no times of words) shares the time between its neighbours by characters.
    A character and what is joined to it stay together, however wide.
    """
    shown = list(_split(neutralise(final.text), columns))
    if not shown:
        return []
    spans = _aligned([text for text, _ in shown], _said(final.words, columns), final)
    starts, ends = _in_order(spans, [len(text) for text, _ in shown], final.start, final.end)
    return [
        Piece(text, start, end, width(text), spaced, opener(text, final.language))
        for (text, spaced), start, end in zip(shown, starts, ends, strict=True)
    ]


def _split(text: str, columns: int) -> Iterator[tuple[str, bool]]:
    """Pieces of a text, and whether a space stands before each."""
    for word in text.split():
        spaced = True
        for part in _apart(word):
            for piece in broken(part, columns) if width(part) > columns else (part,):
                yield piece, spaced
                spaced = False


def _apart(word: str) -> Iterator[str]:
    """A word where lines may be broken in it: between ideographs, but before no punctuation."""
    if word.isascii():
        yield word
        return
    piece = ""
    for cluster in clusters(word):
        breakable = piece and (_is_ideograph(piece[-1]) or _is_ideograph(cluster[0]))
        if breakable and not _clings(cluster[0]) and not _opens(piece[-1]):
            yield piece
            piece = ""
        piece += cluster
    yield piece


def _is_ideograph(character: str) -> bool:
    """Whether lines are broken beside it: wide letters and signs; but Korean has spaces."""
    if unicodedata.east_asian_width(character) not in "WF" or "\uac00" <= character <= "\ud7a3":
        return False
    return unicodedata.category(character) in ("Lo", "Lm", "Po", "Pe", "Ps", "Nd")


def _clings(character: str) -> bool:
    return character in _CLINGS or unicodedata.category(character) in ("Po", "Pe", "Pf", "Pd")


def _opens(character: str) -> bool:
    return unicodedata.category(character) in ("Ps", "Pi")


def _said(words: Sequence[Word], columns: int) -> list[_Span]:
    """The recognised words in the same pieces; a word's time is shared out by characters."""
    found: list[_Span] = []
    for word in words:
        parts = [text for text, _ in _split(neutralise(word.text), columns)]
        found += _shared_out(parts, word.start, word.end)
    return found


def _shared_out(parts: Sequence[str], start: float, end: float) -> list[_Span]:
    letter = max(0.0, end - start) / max(1, sum(map(len, parts)))
    found: list[_Span] = []
    for part in parts:
        found.append(_Span(_key(part), start, start + letter * len(part)))
        start += letter * len(part)
    return found


def _key(text: str) -> str:
    """What is compared: neither case nor punctuation."""
    return "".join(filter(str.isalnum, text.casefold())) or text


def _aligned(shown: Sequence[str], said: Sequence[_Span], final: Final) -> list[_Span]:
    """The time of each piece that is shown."""
    keys, words = [_key(text) for text in shown], [span.key for span in said]
    if keys == words:
        return list(said)
    found: list[_Span] = []
    for kind, at, to, first, last in SequenceMatcher(None, keys, words, False).get_opcodes():
        if kind == "equal":
            found += said[first:last]
        elif kind == "replace":
            found += _shared_out(shown[at:to], said[first].start, said[last - 1].end)
        else:  # no word for it; nothing where words are not shown
            start = said[first - 1].end if first else final.start
            end = said[first].start if first < len(said) else final.end
            found += _shared_out(shown[at:to], start, end)
    return found


def _in_order(
    spans: Sequence[_Span], lengths: Sequence[int], start: int, end: int
) -> tuple[list[int], list[int]]:
    """Starts and ends within ``[start, end]``, one behind the other, none impossibly short.

    Times of words come from a model: they may run backwards, stand still, or lie elsewhere.
    """
    letter = min(SAMPLE_RATE / _FASTEST, max(0, end - start) / sum(lengths))
    starts: list[float] = []
    earliest = float(start)
    for span, length in zip(spans, lengths, strict=True):
        starts.append(max(earliest, span.start))
        earliest = starts[-1] + letter * length
    latest = float(end)
    for at in reversed(range(len(starts))):
        starts[at] = min(starts[at], latest - letter * lengths[at])
        latest = starts[at]
    nexts = [*starts[1:], float(end)]
    ends = [
        min(following, max(span.end, begin + letter * length))
        for span, begin, length, following in zip(spans, starts, lengths, nexts, strict=True)
    ]
    return [max(start, int(at)) for at in starts], [max(start, int(at)) for at in ends]
