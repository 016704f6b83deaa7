"""What an exact decoding has left out or invented, found by its word times and the VAD. Pure.

A Whisper jumps over speech (its segment times go on behind it), stops before the last words, and
now and then says a sentence twice: then many words have no length, because there is no sound that
they could be aligned with.
"""

from __future__ import annotations

from collections.abc import Sequence

from vivavoce.actors.transcription.agreement import bare, is_word
from vivavoce.actors.transcription.engines.base import HypothesisWord
from vivavoce.actors.transcription.settle import ends_sentence
from vivavoce.actors.transcription.window import Span
from vivavoce.pipeline.messages import SAMPLE_RATE

_NO_LENGTH = SAMPLE_RATE // 50
_RUN = 3
_SILENT = 2 * SAMPLE_RATE
_SILENT_TAIL = SAMPLE_RATE // 2
_WORD = SAMPLE_RATE * 6 // 10
"""A word that seems to last longer may have swallowed others: only its ends are its own."""

_AROUND = SAMPLE_RATE // 5
_EDGE = SAMPLE_RATE * 3 // 10
_DIVIDES = SAMPLE_RATE
_CONTEXT = 3 * SAMPLE_RATE
"""Before last words that are looked for: a word or two by themselves are hard to hear."""

_NEAR = SAMPLE_RATE // 2
_INSTEAD = SAMPLE_RATE * 3 // 2


def without_length(words: Sequence[HypothesisWord]) -> list[HypothesisWord]:
    """The words without runs of words that have no length: nobody can have said them."""
    kept: list[HypothesisWord] = []
    run: list[HypothesisWord] = []
    for word in words:
        if word.end - word.start <= _NO_LENGTH:
            run.append(word)
            continue
        kept += run if len(run) < _RUN else []
        run = []
        kept.append(word)
    return kept + (run if len(run) < _RUN else [])


def without_invented_end(words: Sequence[HypothesisWord], speech_end: int) -> list[HypothesisWord]:
    """The words without what a Whisper says into the silence behind the last of them ("I'll see you
    next time."): several have no length there. The sentence goes from its beginning, where that is
    near: it was said instead of what was not heard."""
    first = next((n for n, word in enumerate(words) if word.start >= speech_end), len(words))
    behind = [word for word in words[first:] if is_word(word.text)]
    if sum(word.end - word.start <= _NO_LENGTH for word in behind) < 2:
        return list(words)
    begin = first
    while begin and not ends_sentence(words[begin - 1].text):
        begin -= 1
    near = begin < first and speech_end - words[begin].start <= _INSTEAD
    return list(words[: begin if near else first])


def without_words(
    words: Sequence[HypothesisWord], speech: Sequence[Span], *, tail: bool
) -> list[Span]:
    """Stretches of speech that are too long to be without words.

    Args:
        words: in order, with times.
        speech: where the VAD heard speech.
        tail: also behind the last word: nothing more will come that could say it.
    """
    heard = [piece for word in words for piece in _own(word)]
    if tail and words and len(_own(words[-1])) > 1:
        heard.pop()  # what it has swallowed comes behind it
    found: list[Span] = []
    at = speech[0].start if speech else 0
    for piece in heard:
        found += _long(at, piece.start, speech, _SILENT)
        at = max(at, piece.end)
    if tail and speech:
        found += _long(at, speech[-1].end, speech, _SILENT_TAIL if words else _SILENT)
    return found


def around(span: Span, words: Sequence[HypothesisWord], start: int, end: int) -> Span:
    """The audio in which the words of ``span`` are looked for: a little more, but no other word."""
    before = max((word.end for word in words if word.end <= span.start), default=start)
    behind = min((word.start for word in words if word.start >= span.end), default=end)
    return Span(max(start, before, span.start - _AROUND), min(end, behind, span.end + _AROUND))


def with_context(span: Span, words: Sequence[HypothesisWord], start: int, end: int) -> Span | None:
    """The audio in which last words are looked for; None: there are words behind ``span``, or not
    enough before it."""
    if not words or words[-1].start >= span.start:
        return None
    begin = max(words[-1].start - _CONTEXT, (start + span.start) // 2)
    known = [word.start for word in words[:-1] if word.start >= begin]
    return Span(known[0], end) if known else None


def continued(
    words: Sequence[HypothesisWord], more: Sequence[HypothesisWord]
) -> list[HypothesisWord]:
    """The words, and those that ``more`` has behind the last of them; all of them where it has not
    more to say.

    ``more`` begins before. Where the last word is not there, the last but one may be.
    """
    for last in (1, 2):
        if last > len(words):
            break
        known, earliest = words[-last], words[-last - 1].start if last < len(words) else 0
        same = [
            number
            for number, word in enumerate(more)
            if bare(word.text) == bare(known.text)
            and abs(word.start - known.start) <= _NEAR
            and word.start >= earliest
        ]
        nearest = min(same, key=lambda n: abs(more[n].start - known.start), default=None)
        if nearest is not None and len(more) - nearest > last:
            return [*words[:-last], *more[nearest:]]
    return list(words)


def merged(
    words: Sequence[HypothesisWord], more: Sequence[HypothesisWord], span: Span
) -> list[HypothesisWord]:
    """The words with those that were found in ``span``, in order; none twice."""
    inside = [w for w in more if span.start <= (w.start + w.end) // 2 <= span.end]
    before = max((w for w in words if w.start < span.start), key=_starts, default=None)
    behind = min((w for w in words if w.start >= span.end), key=_starts, default=None)
    # At the edges the end of a word that is known can be heard as that word; and one that seemed to
    # last too long, as all of it.
    if inside and before is not None and _same(inside[0], before, span.start):
        inside = inside[1:]
    if inside and behind is not None and _same(inside[-1], behind, span.end):
        inside = inside[:-1]
    return sorted([*words, *inside], key=_starts)


def _starts(word: HypothesisWord) -> int:
    return word.start


def _same(found: HypothesisWord, known: HypothesisWord, edge: int) -> bool:
    near = min(abs(found.start - edge), abs(found.end - edge)) <= _EDGE
    near = near or known.start <= found.start < known.end
    return near and bare(found.text) == bare(known.text)


def _own(word: HypothesisWord) -> list[Span]:
    if word.end - word.start <= 2 * _WORD:
        return [Span(word.start, word.end)]
    return [Span(word.start, word.start + _WORD), Span(word.end - _WORD, word.end)]


def _long(start: int, end: int, speech: Sequence[Span], limit: int) -> list[Span]:
    """``[start, end)`` drawn in to its speech, if there is more than ``limit`` of that; in pieces
    where a long pause divides it."""
    inside = [
        Span(max(start, span.start), min(end, span.end))
        for span in speech
        if span.start < end and span.end > start
    ]
    if sum(span.end - span.start for span in inside) <= limit:
        return []
    pieces = inside[:1]
    for span in inside[1:]:
        if span.start - pieces[-1].end < _DIVIDES:
            pieces[-1] = Span(pieces[-1].start, span.end)
        else:
            pieces.append(span)
    return pieces
