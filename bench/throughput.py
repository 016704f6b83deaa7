"""Recordings at maximum pace, against faster-whisper as it is, and in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench import batched, offline
from bench.batched import Batched
from bench.judging import WholeFile, difference, judged, rated, texts_of
from bench.options import DeveloperOptions
from bench.scoring import Caption, Score, score, total
from bench.stream import model_of
from bench.stream_report import scores_by_kind
from bench.stream_run import Streamed, stream
from bench.talks import Talk, prepared
from vivavoce.bench.child import engine_title
from vivavoce.bench.results import Figure, Result, Table

name = "throughput"
description = "Recordings at maximum pace, against faster-whisper as it is, and in batches"

BATCH_SIZES = (1, 4, 8, 16)
PROFILES = ("recordings", "captions")
"""At maximum pace they differ in nothing."""

_THEIRS = "BatchedInferencePipeline"
_SECONDS = 400.0
_ROUNDS = 3
_CPU_AGAINST_WHOLE = 1.1
_ADDED_WER_POINTS = 0.3
_INSIDE_PERCENT = 5.0
_F1_BELOW_WHOLE = 0.05


@dataclass(frozen=True, slots=True)
class Way:
    """A way to transcribe the recordings: medians of its rounds, its texts and what they are worth.

    Times are without imports and loading. ``peak_mb`` is 0 where it was not measured.
    """

    name: str
    wall_s: float
    cpu_s: float
    peak_mb: float
    texts: tuple[str, ...]
    scores: tuple[Score, ...]

    @property
    def score(self) -> Score:
        """Of all recordings."""
        return total(self.scores)


@dataclass(frozen=True, slots=True)
class Ways:
    """All ways, and how much audio each had."""

    seconds: float
    whole: tuple[Way, ...]
    batches: tuple[Way, ...]
    ours: tuple[Way, ...]

    @property
    def better(self) -> Way:
        """Of the whole file with and without the text before, the one with fewer errors."""
        return min(self.whole, key=lambda way: way.score.word_error_rate)

    @property
    def fastest(self) -> Way:
        """The size of batches to compare with."""
        return min(self.batches, key=lambda way: way.wall_s)


def run(options: DeveloperOptions) -> Result:
    """Transcribe recordings in every way, in turns, and compare the medians of the rounds.

    A single recording is played so many times in a row that it is long; a set is played once. All
    decode with beam 5, word times, int8 weights, on the CPU. Theirs runs with several sizes of
    batches, and the fastest is what ours is compared with.

    Raises:
        RecordingError: a recording or its words cannot be used, or there is no model.
        SpeechSetError: there is no set of recordings, or nothing of it is wanted.
        RunFailed: ``vivavoce run`` failed.
        BaselineFailed: the other one failed.
    """
    model = model_of(options)
    with prepared(options, at_least_s=0 if options.quick else _SECONDS) as talk:
        rounds = [
            _round(talk, model, options, number)
            for number in range(1, 2 if options.quick or options.takes_a_set else _ROUNDS + 1)
        ]
        ways = Ways(
            seconds=talk.duration_s,
            whole=_medians([one.whole for one in rounds]),
            batches=_medians([one.batches for one in rounds]),
            ours=_medians([one.ours for one in rounds]),
        )
    return result(options, talk, ways, len(rounds))


def _round(talk: Talk, model: str, options: DeveloperOptions, number: int) -> Ways:
    options.say(f"round {number}: {talk.title}")
    return Ways(
        seconds=talk.duration_s,
        whole=tuple(_whole(talk, model, conditioned=one) for one in (False, True)),
        batches=tuple(
            _batches(talk, one)
            for one in batched.transcribe(talk.path, model, talk.language, BATCH_SIZES)
        ),
        ours=tuple(_ours(talk, options, profile) for profile in PROFILES),
    )


def _whole(talk: Talk, model: str, *, conditioned: bool) -> Way:
    spans = [(piece.start, piece.end) for piece in talk.pieces]
    found: WholeFile = rated(
        talk,
        offline.transcribe(talk.path, spans, model, talk.language, conditioned=conditioned),
        conditioned=conditioned,
    )
    return Way(
        name=f"whole file, {'with' if conditioned else 'without'} the text before",
        wall_s=found.baseline.wall_s,
        cpu_s=found.baseline.cpu_s,
        peak_mb=0.0,
        texts=found.baseline.texts,
        scores=found.scores,
    )


def _batches(talk: Talk, found: Batched) -> Way:
    captions: list[list[Caption]] = [[] for _ in talk.pieces]
    for start, end, text in found.segments:
        captions[talk.number_at((start + end) / 2)].append(Caption(start, end, text))
    return Way(
        name=f"{_THEIRS}, {found.batch_size}",
        wall_s=found.wall_s,
        cpu_s=found.cpu_s,
        peak_mb=found.peak_mb,
        texts=tuple(texts_of(captions)),
        scores=tuple(
            score(of_piece, piece.reference)
            for piece, of_piece in zip(talk.pieces, captions, strict=True)
        ),
    )


def _ours(talk: Talk, options: DeveloperOptions, profile: str) -> Way:
    """A run over the recordings, without what the cheaper of two runs over silence takes.

    The least is subtracted: what disturbs one only makes it longer, and that must not be to our
    advantage.
    """
    silent, found, again = (
        stream(source, options, profile=profile, pace="max")
        for source in (talk.lead_in, talk.path, talk.lead_in)
    )
    return without_start_up(talk, profile, found, (silent, again))


def without_start_up(
    talk: Talk, profile: str, found: Streamed, start_ups: Sequence[Streamed]
) -> Way:
    """A run of ours, less the cheapest start-up."""
    rating = judged(talk, found.events)
    return Way(
        name=profile,
        wall_s=max(1e-3, found.wall_s - min(one.wall_s for one in start_ups)),
        cpu_s=max(0.0, found.cpu_s - min(one.cpu_s for one in start_ups)),
        peak_mb=found.engine_mb + found.main_mb,
        texts=rating.texts,
        scores=rating.scores,
    )


def _medians(rounds: Sequence[Sequence[Way]]) -> tuple[Way, ...]:
    """Times of the middle round; texts are those of the first."""
    return tuple(
        Way(
            name=same[0].name,
            wall_s=_median([one.wall_s for one in same]),
            cpu_s=_median([one.cpu_s for one in same]),
            peak_mb=max(one.peak_mb for one in same),
            texts=same[0].texts,
            scores=same[0].scores,
        )
        for same in zip(*rounds, strict=True)
    )


def result(options: DeveloperOptions, talk: Talk, ways: Ways, rounds: int) -> Result:
    """Figures, tables and notes of all ways."""
    best, whole = ways.fastest, ways.better
    figures = [
        *_figures(_THEIRS, best, ways.seconds),
        *_figures("whole file", whole, ways.seconds),
    ]
    for way in ways.ours:
        figures += [*_figures(way.name, way, ways.seconds), *_against(way, best, whole)]
    exact, other = ways.ours[1], ways.ours[0]
    figures.append(
        Figure(
            name=f"{other.name}: words that differ from {exact.name}",
            value=100 * difference(talk.language, other.texts, exact.texts),
            unit="%",
            samples=exact.score.words,
        )
    )
    notes = [
        f"{talk.title}: {ways.seconds:.0f} s of recordings, {engine_title(options)}, int8 on the "
        "CPU, beam 5, word times; "
        + ("one round" if rounds == 1 else f"medians of {rounds} rounds in turns"),
        "throughput: seconds of audio per second, without imports and loading the model (for ours: "
        "without the least of several runs over silence)",
        f"compared with the fastest size of batches, {best.name}; num_workers and cpu_threads are "
        "its defaults",
        f"whole file: faster-whisper on each recording by itself; compared with the better, "
        f"{whole.name}; inside: as if each of its full stops ended a final",
    ]
    if len(talk.pieces) > 1:
        notes.append(
            f"{_THEIRS} and ours have all recordings in one file, with silence between; a short "
            "recording by itself is padded to a window of its own"
        )
    everything = {way.name: way for way in (*ways.whole, *ways.batches, *ways.ours)}
    return Result(
        name=name,
        figures=figures,
        tables=[
            _beside(everything, ways.seconds),
            scores_by_kind(
                talk,
                {way.name: way.scores for way in (whole, best, *ways.ours)},
            ),
        ],
        notes=notes,
        quick=options.quick,
    )


def _beside(ways: Mapping[str, Way], seconds: float) -> Table:
    columns = ["× real time", "CPU s/s", "MB", "WER %", "inside %", "F1 ends", "F1 commas"]
    return Table(
        title="all ways",
        columns=["way", *columns, "unheard", "invented"],
        rows=[
            [
                title,
                round(seconds / way.wall_s, 2),
                round(way.cpu_s / seconds, 4),
                round(way.peak_mb) or "",
                round(100 * way.score.word_error_rate, 2),
                # Segments of batches are no sentences, and do not mean to be.
                "" if title.startswith(_THEIRS) else round(100 * way.score.fragmentation, 1),
                round(way.score.sentence_ends.f1, 3),
                round(way.score.commas.f1, 3),
                len(way.score.unheard),
                way.score.invented if way.score.nonspeech else "",
            ]
            for title, way in ways.items()
        ],
    )


def _figures(title: str, way: Way, seconds: float) -> list[Figure]:
    figures = [
        Figure(
            name=f"{title}: throughput",
            value=seconds / way.wall_s,
            unit="× real time",
            better="higher",
        ),
        Figure(name=f"{title}: CPU", value=way.cpu_s / seconds, unit="CPU s per audio second"),
        Figure(
            name=f"{title}: WER",
            value=100 * way.score.word_error_rate,
            unit="%",
            noise=0.5,
            samples=way.score.words,
        ),
    ]
    if way.peak_mb:
        figures.append(Figure(name=f"{title}: peak memory", value=way.peak_mb, unit="MB"))
    return figures


def _against(way: Way, best: Way, whole: Way) -> list[Figure]:
    ours, theirs = way.score, whole.score
    figures = [
        Figure(
            name=f"{way.name}: throughput against it",
            value=best.wall_s / way.wall_s,
            unit="×",
            better="higher",
            budget=1.0,
            ratio_to=_THEIRS,
        ),
        Figure(
            name=f"{way.name}: peak memory against it",
            value=way.peak_mb / best.peak_mb,
            unit="×",
            ratio_to=_THEIRS,
        ),
        Figure(
            name=f"{way.name}: CPU against the whole file",
            value=way.cpu_s / whole.cpu_s,
            unit="×",
            budget=_CPU_AGAINST_WHOLE,
            ratio_to="whole-file faster-whisper",
        ),
        Figure(
            name=f"{way.name}: WER − WER of the whole file",
            value=100 * (ours.word_error_rate - theirs.word_error_rate),
            unit="points",
            budget=_ADDED_WER_POINTS,
            noise=0.5,
            samples=ours.words,
        ),
        *_sentences(way, whole),
    ]
    if ours.nonspeech:
        figures.append(
            Figure(
                name=f"{way.name}: recordings without speech that gave a caption",
                value=ours.invented,
                unit="recordings",
                budget=0,
                samples=ours.nonspeech,
            )
        )
    return figures


def _sentences(way: Way, whole: Way) -> list[Figure]:
    ours, theirs = way.score, whole.score
    return [
        Figure(
            name=f"{way.name}: finals that end inside a sentence",
            value=100 * ours.fragmentation,
            unit="%",
            budget=_INSIDE_PERCENT,
            noise=1.0,
            samples=ours.finals,
        ),
        Figure(
            name=f"{way.name}: F1 of sentence ends − that of the whole file",
            value=ours.sentence_ends.f1 - theirs.sentence_ends.f1,
            unit="points of 1",
            better="higher",
            budget=-_F1_BELOW_WHOLE,
            noise=0.01,
            samples=ours.sentence_ends.expected,
        ),
        Figure(
            name=f"{way.name}: speech of more than 2 s without a word",
            value=len(ours.unheard),
            unit="stretches",
            samples=ours.words,
        ),
    ]


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
