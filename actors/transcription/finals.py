"""From a settled sentence to its final, and to the revision of that."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vivavoce.actors.transcription.agreement import corrected
from vivavoce.actors.transcription.engines.base import EngineInfo, Hypothesis, HypothesisWord
from vivavoce.actors.transcription.settle import join
from vivavoce.actors.transcription.window import Ready
from vivavoce.pipeline.messages import Final, Focus, Latency, Revision, Word, seconds

_LEAST = 1e-6


def final_message(
    number: int,
    ready: Ready,
    info: EngineInfo | None,
    *,
    endpoint: float,
    now: float,
    focus: Focus | None,
    with_words: bool,
) -> Final:
    """The final of a sentence.

    Args:
        number: its place among all sentences.
        ready: the sentence and what it was decoded in.
        info: of the engine that did.
        endpoint: seconds from the end of speech until the end was decided.
        now: seconds on the stream clock.
        focus: the window that had the focus when it began.
        with_words: tell the words with their times.
    """
    sentence, decoded = ready.sentence, ready.decoded
    hypothesis = decoded.hypothesis
    spoken = sentence.words[-1].end if sentence.words else sentence.end
    inside = [span for span in decoded.dropped if sentence.start <= span.start < sentence.end]
    return Final(
        utterance=number,
        start=sentence.start,
        end=sentence.end,
        text=sentence.text,
        words=_words(sentence.words, sentence.start, sentence.end) if with_words else (),
        confidence=_confidence(sentence.words, hypothesis),
        no_speech_probability=hypothesis.no_speech_probability,
        average_log_probability=hypothesis.average_log_probability,
        compression_ratio=hypothesis.compression_ratio,
        corrected=corrected(ready.stable, sentence.text.split()),
        engine=info.engine if info else "",
        model=info.model if info else "",
        language=hypothesis.language,
        latency=Latency(
            endpoint=endpoint,
            queued=max(0.0, decoded.began - ready.since),
            decode=hypothesis.decode_s,
            total=max(0.0, now - seconds(spoken)),
            speculative=decoded.speculative,
        ),
        focus=focus,
        window=(decoded.start, decoded.end),
        dropped=sum(span.end - span.start for span in inside),
        ends_stretch=ready.last,
    )


def revision_message(final: Final, hypothesis: Hypothesis, info: EngineInfo | None) -> Revision:
    """What replaces the text of ``final``: of the better hypothesis of its window, the words whose
    middles lie in its interval."""
    words = [
        word for word in hypothesis.words if final.start <= (word.start + word.end) // 2 < final.end
    ]
    return Revision(
        utterance=final.utterance,
        text=join(words),
        words=_words(words, final.start, final.end),
        confidence=_confidence(words, hypothesis),
        no_speech_probability=hypothesis.no_speech_probability,
        average_log_probability=hypothesis.average_log_probability,
        compression_ratio=hypothesis.compression_ratio,
        engine=info.engine if info else "",
        model=info.model if info else "",
        language=hypothesis.language,
    )


def final_again(final: Final) -> Revision:
    """A revision that changes nothing."""
    return Revision(
        utterance=final.utterance,
        text=final.text,
        words=final.words,
        confidence=final.confidence,
        no_speech_probability=final.no_speech_probability,
        average_log_probability=final.average_log_probability,
        compression_ratio=final.compression_ratio,
        engine=final.engine,
        model=final.model,
        language=final.language,
    )


def _words(words: Sequence[HypothesisWord], start: int, end: int) -> tuple[Word, ...]:
    """With times inside ``[start, end)``: those of a Whisper reach into the pauses beside them."""
    return tuple(
        Word(
            text=word.text,
            start=min(max(word.start, start), end),
            end=min(max(word.end, start), end),
            probability=word.probability,
        )
        for word in words
    )


def _confidence(words: Sequence[HypothesisWord], hypothesis: Hypothesis) -> float:
    """The geometric mean of the words' probabilities; the decoding's own where there are none."""
    if not words:
        return hypothesis.confidence
    logs = [math.log(max(_LEAST, word.probability)) for word in words]
    return min(1.0, math.exp(sum(logs) / len(logs)))
