"""Captions of a talk judged piece by piece, and beside them what whole-file decoding gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench import offline
from bench.alignment import align
from bench.normalise import normalised
from bench.offline import Baseline
from bench.punctuation import ends_sentence
from bench.scoring import Caption, Score, score, total
from bench.stream_metrics import (
    Event,
    FinalEvent,
    ReferenceWord,
    StreamMetrics,
    measure,
)
from bench.talks import Talk


@dataclass(frozen=True, slots=True)
class Judged:
    """What the captions of a talk are worth: the text of each piece, its score, and the delays."""

    texts: tuple[str, ...]
    scores: tuple[Score, ...]
    metrics: StreamMetrics

    @property
    def score(self) -> Score:
        """Of all pieces."""
        return total(self.scores)


@dataclass(frozen=True, slots=True)
class WholeFile:
    """What faster-whisper makes of each piece as a whole, beam 5; nothing of it is live."""

    baseline: Baseline
    scores: tuple[Score, ...]
    conditioned: bool

    @property
    def score(self) -> Score:
        """Of all pieces."""
        return total(self.scores)


def judged(talk: Talk, events: Iterable[Event]) -> Judged:
    """Judge each piece by the captions that came of its audio."""
    pieces: list[list[Event]] = [[] for _ in talk.pieces]
    for event in events:
        within = (event.start + event.end) / 2 if isinstance(event, FinalEvent) else event.start
        pieces[talk.number_at(within)].append(event)
    captions = [
        [
            Caption(event.start, event.end, event.text, event.t)
            for event in piece
            if isinstance(event, FinalEvent)
        ]
        for piece in pieces
    ]
    spoken = [
        (piece, found) for piece, found in zip(talk.pieces, pieces, strict=True) if piece.spoken
    ]
    return Judged(
        texts=tuple(texts_of(captions)),
        scores=tuple(
            score(found, piece.reference)
            for piece, found in zip(talk.pieces, captions, strict=True)
        ),
        metrics=sum(
            (
                measure(found, [ReferenceWord(w.text, w.end) for w in piece.reference.words])
                for piece, found in spoken
            ),
            StreamMetrics(),
        ),
    )


def texts_of(pieces: Iterable[Iterable[Caption]]) -> Iterable[str]:
    """The text of each piece."""
    return (" ".join(caption.text for caption in captions) for captions in pieces)


def whole_file(talk: Talk, model: str) -> tuple[WholeFile, WholeFile]:
    """faster-whisper on each piece by itself, with and without the text before; the better first.

    Raises:
        BaselineFailed: it failed.
    """
    spans = [(piece.start, piece.end) for piece in talk.pieces]
    found = [
        rated(
            talk,
            offline.transcribe(talk.path, spans, model, talk.language, conditioned=conditioned),
            conditioned=conditioned,
        )
        for conditioned in (False, True)
    ]
    better, other = sorted(found, key=lambda one: one.score.word_error_rate)
    return better, other


def rated(talk: Talk, baseline: Baseline, *, conditioned: bool) -> WholeFile:
    """The texts of the pieces with their scores, as if each of their full stops ended a final."""
    return WholeFile(
        baseline=baseline,
        scores=tuple(
            score(
                [Caption(piece.start, piece.end, one) for one in cut_at_full_stops(text)],
                piece.reference,
            )
            for piece, text in zip(talk.pieces, baseline.texts, strict=True)
        ),
        conditioned=conditioned,
    )


def cut_at_full_stops(text: str) -> list[str]:
    """The text in pieces, each of which ends as a sentence does; perhaps not the last."""
    pieces: list[list[str]] = [[]]
    for word in text.split():
        pieces[-1].append(word)
        if ends_sentence(word):
            pieces.append([])
    return [" ".join(piece) for piece in pieces if piece]


def difference(language: str, texts: Sequence[str], others: Sequence[str]) -> float:
    """The errors of texts against others, per word of these; both normalised."""
    errors = words = 0
    for text, other in zip(texts, others, strict=True):
        expected = normalised(other, language)
        errors += align(expected, normalised(text, language)).errors
        words += len(expected)
    return errors / max(1, words)
