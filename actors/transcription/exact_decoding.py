"""An exact decoding of an open window, with what it left out looked for once more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from vivavoce.actors.transcription.agreement import is_word
from vivavoce.actors.transcription.engine import RecognitionEngine
from vivavoce.actors.transcription.engines.base import Hypothesis, HypothesisWord
from vivavoce.actors.transcription.language import LanguagePolicy
from vivavoce.actors.transcription.mend import (
    around,
    continued,
    merged,
    with_context,
    without_invented_end,
    without_length,
    without_words,
)
from vivavoce.actors.transcription.reviser import WindowAudio
from vivavoce.actors.transcription.schedule import Exact, Why
from vivavoce.actors.transcription.window import Decoded, Span, Window
from vivavoce.pipeline.messages import SAMPLE_RATE, seconds

_MOST_MENDED = 4
"""Places in one window that are decoded once more; there are rarely two."""

_BREATH = SAMPLE_RATE
"""Behind the last word, what the VAD takes for speech may be no more than that."""

_NEARLY_ALL = 0.8
"""Of a window: to decode that again would give the same."""


async def decode(
    engine: RecognitionEngine,
    window: Window,
    exact: Exact,
    spare_key: int,
    now: float,
    *,
    cheap: bool,
    language: LanguagePolicy,
) -> Decoded | None:
    """What the engine makes of the window up to ``exact.end``; None: it failed too often.

    Speech that is left without words is decoded again by itself; where that finds none either, it
    is told as dropped. Words that have no length are taken out first.

    Args:
        engine: that decodes.
        window: that is open; it does not move on meanwhile.
        exact: how far, and why.
        spare_key: names the session of what is decoded again.
        now: when it begins, in seconds.
        cheap: the engine cannot keep up.
        language: knows the language of the speech, or learns it from this.

    Raises:
        EngineError, EngineDied: see :class:`RecognitionEngine`.
    """
    start, end = window.start, exact.end
    speech = window.speech_until(end)

    async def ask(code: str | None) -> Hypothesis | None:
        found = await engine.exact(window, end, cheap=cheap, language=code)
        if found is not None:
            window.language_until = max(window.language_until, end)
        return found

    known = window.speech_until(min(end, window.language_until))
    heard = await _in_its_language(ask, language, _seconds(speech), _seconds(known))
    if heard is None:
        return None
    found, spoken = heard
    tail = exact.why in (Why.ENDED, Why.PAUSED)
    words = _said(found, speech[-1].end if tail and speech else None)
    cost = found.decode_s
    dropped: list[Span] = []
    for number, span in enumerate(without_words(_spoken(words), speech, tail=tail)):
        if number and not without_words(_spoken(words), [span], tail=tail):
            continue  # found with the one before
        context = with_context(span, words, start, end)
        wider = around(span, words, start, end) if context is None else context
        all_of_it = wider.end - wider.start > _NEARLY_ALL * (end - start)
        if cheap or found.invented or all_of_it or number >= _MOST_MENDED:
            dropped.append(span)
            continue
        there, taken = await _again(engine, window, wider, spare_key, spoken)
        words = merged(words, there, wider) if context is None else continued(words, there)
        cost += taken
        inside = [word for word in words if word.end > span.start and word.start < span.end]
        dropped += without_words(_spoken(inside), [span], tail=True)
    return Decoded(
        start=start,
        end=end,
        words=tuple(words),
        hypothesis=msgspec.structs.replace(found, decode_s=cost),
        began=now,
        speculative=exact.why is Why.PAUSED,
        dropped=tuple(span for span in dropped if span.end - span.start > _BREATH),
    )


async def _again(
    engine: RecognitionEngine, window: Window, span: Span, key: int, language: str | None
) -> tuple[list[HypothesisWord], float]:
    """The words of a piece of the window by itself, and the seconds that it took."""
    piece = WindowAudio(key, span.start, span.end, window.audio(span.start, span.end))
    try:
        found = await engine.exact(piece, span.end, language=language)
    finally:  # also where nobody wants the whole any more
        await engine.close(piece)
    if found is None:
        return [], 0.0
    return _spoken(without_length(found.words)), found.decode_s


def _said(found: Hypothesis, speech_end: int | None) -> list[HypothesisWord]:
    """Its words without what nobody can have said; ``speech_end``: nothing is said behind that.

    A mark by itself, behind the last word or instead of one, stands for what was not heard.
    """
    words = without_length(found.words)
    if speech_end is not None:
        words = without_invented_end(words, speech_end)
    while words and not is_word(words[-1].text):
        words.pop()
    return words


async def _in_its_language(
    ask: Callable[[str | None], Awaitable[Hypothesis | None]],
    language: LanguagePolicy,
    speech_s: float,
    again_s: float,
) -> tuple[Hypothesis, str | None] | None:
    """The decoding, and the language that is spoken: not that of the text, which is English where
    it is a translation."""
    asked = language.for_exact(speech_s)
    found = await ask(asked)
    if found is None:
        return None
    other = language.heard(found.heard, found.language_probability, speech_s, again_s=again_s)
    if other is None:
        return found, found.heard or asked
    again = await ask(other)
    if again is None:
        return None
    return msgspec.structs.replace(again, decode_s=found.decode_s + again.decode_s), other


def _spoken(words: Sequence[HypothesisWord]) -> list[HypothesisWord]:
    """Those that are more than a mark."""
    return [word for word in words if is_word(word.text)]


def _seconds(speech: Sequence[Span]) -> float:
    return seconds(sum(span.end - span.start for span in speech))
