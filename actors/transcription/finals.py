"""From a hypothesis to the messages of a final."""

from __future__ import annotations

from vivavoce.actors.transcription.agreement import corrected
from vivavoce.actors.transcription.engines.base import EngineInfo, Hypothesis
from vivavoce.actors.transcription.utterance import Utterance
from vivavoce.pipeline.messages import Final, Latency, Revision, SpeechEnded, Word


def final_message(
    utterance: Utterance,
    ended: SpeechEnded,
    hypothesis: Hypothesis,
    info: EngineInfo | None,
    latency: Latency,
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
        corrected=corrected(utterance.agreement.stable, hypothesis.text.split()),
        engine=info.engine if info else "",
        model=info.model if info else "",
        language=hypothesis.language,
        latency=latency,
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
        engine=info.engine if info else "",
        model=info.model if info else "",
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
