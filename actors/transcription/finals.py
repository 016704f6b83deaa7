"""From a hypothesis to the messages of a final."""

from __future__ import annotations

from vivavoce.actors.transcription.agreement import corrected
from vivavoce.actors.transcription.engines.base import EngineInfo, Hypothesis
from vivavoce.actors.transcription.utterance import Attempt, Utterance
from vivavoce.pipeline.messages import (
    EndReason,
    Final,
    Focus,
    Latency,
    Revision,
    SpeechEnded,
    Word,
    seconds,
)


def final_message(
    utterance: Utterance,
    ended: SpeechEnded,
    hypothesis: Hypothesis,
    info: EngineInfo | None,
    latency: Latency,
    *,
    focus: Focus | None = None,
) -> Final:
    """The final of an utterance; word times are counted from the start of capture."""
    return Final(
        utterance=utterance.number,
        start=utterance.start,
        end=ended.end,
        text=hypothesis.text,
        words=words_of(utterance, hypothesis),
        confidence=hypothesis.confidence,
        no_speech_probability=hypothesis.no_speech_probability,
        average_log_probability=hypothesis.average_log_probability,
        compression_ratio=hypothesis.compression_ratio,
        corrected=corrected(promised(utterance, ended, hypothesis), hypothesis.text.split()),
        engine=info.engine if info else "",
        model=info.model if info else "",
        language=hypothesis.language,
        latency=latency,
        focus=focus,
    )


def promised(utterance: Utterance, ended: SpeechEnded, hypothesis: Hypothesis) -> tuple[str, ...]:
    """The stable words that the final should hold; behind a cut they belong to the next one."""
    stable = utterance.agreement.stable
    cut = ended.reason is EndReason.MAX_LENGTH
    return stable[: len(hypothesis.text.split())] if cut else stable


def latency_of(
    utterance: Utterance, ended: SpeechEnded, attempt: Attempt, hypothesis: Hypothesis, now: float
) -> Latency:
    """Where the time of a final went.

    Args:
        utterance: that was decoded.
        ended: its end; where speech went on behind a cut, no endpoint was waited for.
        attempt: the decoding.
        hypothesis: what came of it.
        now: seconds on the stream clock.
    """
    cut = ended.reason is EndReason.MAX_LENGTH
    return Latency(
        endpoint=0.0 if cut else seconds(ended.at - ended.end),
        queued=max(0.0, attempt.began - utterance.ended_at),
        decode=hypothesis.decode_s,
        total=max(0.0, now - seconds(ended.end)),
        speculative=attempt.speculative,
    )


def revision_message(
    utterance: Utterance, hypothesis: Hypothesis, info: EngineInfo | None
) -> Revision:
    """What replaces the text of an utterance's final."""
    return Revision(
        utterance=utterance.number,
        text=hypothesis.text,
        words=words_of(utterance, hypothesis),
        confidence=hypothesis.confidence,
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


def words_of(utterance: Utterance, hypothesis: Hypothesis) -> tuple[Word, ...]:
    """The words with times counted from the start of capture."""
    return tuple(
        Word(
            text=word.text,
            start=utterance.start + word.start,
            end=utterance.start + word.end,
            probability=word.probability,
        )
        for word in hypothesis.words
    )
