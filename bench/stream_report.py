"""Figures, tables and charts of the ``stream`` benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bench.plot import Mark, Series, chart
from bench.scoring import Score, total
from bench.talks import Talk
from vivavoce.bench.measure import quantile
from vivavoce.bench.results import Figure, Table

if TYPE_CHECKING:
    from bench.stream import Measured

_SHOWN_P50_S, _SHOWN_P95_S = 0.35, 0.9
_STABLE_P50_S = 0.7
_DECIDABLE_P50_S, _DECIDABLE_P95_S = 1.5, 4.0
_UNSTABLE = 0.15
_CORRECTED_PERCENT = 2.0
_ADDED_WER_POINTS = 0.3
_INSIDE_PERCENT = 10.0
_F1_BELOW_WHOLE = 0.05
_CPU_WITH_PARTIALS, _CPU_OF_TINY, _CPU_WITHOUT = 0.60, 0.40, 0.30
_NOISE_S = 0.01
_MINUTE_S = 60.0
_GROWTH_S = 0.1
_PER_SECOND = "CPU s per audio second"
_COLUMNS = [
    "shown p50",
    "shown p95",
    "stable p50",
    "sentence → final",
    "decidable → final p50",
    "p95",
    "unstable ratio",
    "twice %",
    "corrected %",
    "WER %",
    "Δ whole",
    "inside %",
    "F1 ends",
    "F1 commas",
    "CPU s/s",
    "× whole",
]

_SCORE_COLUMNS = [
    "words",
    "heard %",
    "WER %",
    "inside %",
    "F1 ends",
    "F1 commas",
    "unheard",
    "invented",
]


def figures(found: Measured, *, partials: bool, model: str = "") -> list[Figure]:
    """All figures of a run, with the budgets of the design.

    Without partials a word is first shown by its final, which no budget is meant for.
    """
    with_partials = _CPU_OF_TINY if "tiny" in model else _CPU_WITH_PARTIALS
    words, score = found.metrics.words, found.score
    shown = (_SHOWN_P50_S, _SHOWN_P95_S) if partials else (None, None)
    return [
        *_latency("word end → first shown", [word.first_shown for word in words], *shown),
        *_latency(
            "word end → stable",
            [word.stable for word in words],
            _STABLE_P50_S if partials else None,
        ),
        *_latency("word end → final", [word.final for word in words]),
        *_latency("sentence end → final", score.end_to_final),
        *_latency(
            "sentence decidable → final",
            score.decidable_to_final,
            _DECIDABLE_P50_S,
            _DECIDABLE_P95_S,
        ),
        *_latency("endpoint → final", found.metrics.endpoint_to_final),
        *_drift(found, partials=partials),
        *_stability(found),
        *_errors(found),
        *_sentences(found),
        *_silences(found),
        *_cost(found, with_partials if partials else _CPU_WITHOUT),
        *_process(found),
    ]


def _latency(
    name: str,
    values: Sequence[float],
    budget: float | None = None,
    budget_p95: float | None = None,
) -> list[Figure]:
    if not values:
        return []
    p50, p95, p99 = (quantile(values, fraction) for fraction in (0.5, 0.95, 0.99))
    return [
        Figure(
            name=name,
            value=p50,
            unit="s",
            p50=p50,
            p99=p99,
            samples=len(values),
            budget=budget,
            noise=_NOISE_S,
        ),
        Figure(
            name=f"{name}, p95",
            value=p95,
            unit="s",
            samples=len(values),
            budget=budget_p95,
            noise=_NOISE_S,
        ),
    ]


def _drift(found: Measured, *, partials: bool) -> list[Figure]:
    """Whether captions of a long recording fall behind: the last minute against the first."""
    words = found.metrics.words
    if not words or words[-1].spoken - words[0].spoken < 3 * _MINUTE_S:
        return []
    start, end = words[0].spoken + _MINUTE_S, words[-1].spoken - _MINUTE_S
    shown = (
        [word.first_shown for word in words if word.spoken < start],
        [word.first_shown for word in words if word.spoken > end],
    )
    finals = found.streamed.finals
    final = (
        [one.t - one.end for one in finals if one.end < start],
        [one.t - one.end for one in finals if one.end > end],
    )
    # Without partials a word waits for the end of its utterance: that is no lag.
    budget = _GROWTH_S if partials else None
    return [
        *_growth("first shown", *shown, 0.5, budget),
        *_growth("first shown, p95", *shown, 0.95, budget),
        *_growth("end of the audio → final", *final, 0.5, _GROWTH_S),
    ]


def _growth(
    name: str, first: Sequence[float], last: Sequence[float], fraction: float, budget: float | None
) -> list[Figure]:
    if not first or not last:
        return []
    return [
        Figure(
            name=f"{name}, last minute − first minute",
            value=quantile(last, fraction) - quantile(first, fraction),
            unit="s",
            samples=len(last),
            noise=_GROWTH_S,
            budget=budget,
        )
    ]


def _stability(found: Measured) -> list[Figure]:
    metrics = found.metrics
    return [
        Figure(
            name="unstable partial word ratio",
            value=metrics.unstable_partial_word_ratio,
            unit="changes per final word",
            budget=_UNSTABLE,
            noise=0.01,
            samples=metrics.final_words,
        ),
        Figure(
            name="normalised erasure",
            value=metrics.normalised_erasure,
            unit="erased per final word",
            noise=0.01,
            samples=metrics.final_words,
        ),
        Figure(
            name="words in partials that the final has not",
            value=100 * metrics.wrong_partial_word_share,
            unit="%",
            noise=1.0,
            samples=metrics.partial_words,
        ),
        Figure(
            name="stable words changed by a later partial",
            value=metrics.stable_changed,
            unit="words",
            budget=0,
            samples=metrics.stable_words,
        ),
        Figure(
            name="stable words corrected by the final",
            value=100 * metrics.stable_correction_rate,
            unit="%",
            budget=_CORRECTED_PERCENT,
            noise=1.0,
            samples=metrics.stable_words,
        ),
        Figure(
            name="stable words behind a final that were open again",
            value=metrics.stable_reopened,
            unit="words",
            samples=metrics.stable_words,
        ),
        Figure(
            name="partials that say a phrase twice",
            value=100 * metrics.doubling_share,
            unit="%",
            noise=0.5,
            samples=metrics.partials,
        ),
    ]


def _errors(found: Measured) -> list[Figure]:
    score, whole = found.score, found.whole.score
    return [
        Figure(
            name="WER of finals",
            value=100 * score.word_error_rate,
            unit="%",
            noise=0.5,
            samples=score.words,
        ),
        Figure(
            name="WER of the whole file",
            value=100 * whole.word_error_rate,
            unit="%",
            noise=0.5,
            samples=whole.words,
        ),
        Figure(
            name="WER of finals − WER of the whole file",
            value=found.added_errors,
            unit="points",
            budget=_ADDED_WER_POINTS,
            noise=0.5,
            samples=score.words,
        ),
        Figure(
            name="words that differ from the whole file",
            value=100 * found.difference,
            unit="%",
            noise=0.5,
            samples=score.words,
        ),
    ]


def _sentences(found: Measured) -> list[Figure]:
    score, whole = found.score, found.whole.score
    marks = [
        ("sentence ends", score.sentence_ends, whole.sentence_ends, -_F1_BELOW_WHOLE),
        ("commas", score.commas, whole.commas, None),
    ]
    figures = [
        Figure(
            name="finals that end inside a sentence",
            value=100 * score.fragmentation,
            unit="%",
            budget=_INSIDE_PERCENT,
            noise=1.0,
            samples=score.finals,
        )
    ]
    for name, ours, theirs, budget in marks:
        figures += [
            Figure(
                name=f"F1 of {name}",
                value=ours.f1,
                unit="0 to 1",
                better="higher",
                samples=ours.expected,
            ),
            Figure(
                name=f"F1 of {name} − that of the whole file",
                value=ours.f1 - theirs.f1,
                unit="points of 1",
                better="higher",
                budget=budget,
                noise=0.01,
                samples=ours.expected,
            ),
        ]
    return figures


def _silences(found: Measured) -> list[Figure]:
    score, whole = found.score, found.whole.score
    figures = [
        Figure(
            name="speech of more than 2 s without a word",
            value=len(score.unheard),
            unit="stretches",
            samples=score.words,
        ),
        Figure(
            name="the same of the whole file",
            value=len(whole.unheard),
            unit="stretches",
            samples=whole.words,
        ),
    ]
    if score.nonspeech:
        figures += [
            Figure(
                name="recordings without speech that gave a caption",
                value=score.invented,
                unit="recordings",
                budget=0,
                samples=score.nonspeech,
            ),
            Figure(
                name="those that the whole file gives a text",
                value=whole.invented,
                unit="recordings",
                samples=whole.nonspeech,
            ),
        ]
    return figures


def _cost(found: Measured, budget: float) -> list[Figure]:
    audio_s = found.talk.duration_s
    return [
        Figure(name="CPU", value=found.cpu_s / audio_s, unit=_PER_SECOND, budget=budget),
        Figure(
            name="CPU of the whole file",
            value=found.whole.baseline.cpu_s / audio_s,
            unit=_PER_SECOND,
        ),
        Figure(
            name="CPU, against the whole file",
            value=found.cpu_ratio,
            unit="×",
            ratio_to="whole-file faster-whisper",
        ),
        *_alike(found),
    ]


def _process(found: Measured) -> list[Figure]:
    """What only a real process tells."""
    streamed = found.streamed
    if not streamed.main_mb:
        return []
    with_start_up = streamed.cpu_s / found.talk.duration_s
    return [
        Figure(name="CPU with start-up", value=with_start_up, unit=_PER_SECOND),
        Figure(
            name="real-time factor",
            value=streamed.end_s / found.talk.length_s,
            unit="duration of the run / of the audio",
        ),
        Figure(name="main process, peak memory", value=streamed.main_mb, unit="MB"),
        Figure(name="engine process, peak memory", value=streamed.engine_mb, unit="MB"),
    ]


def _alike(found: Measured) -> list[Figure]:
    if found.alike_cpu_ratio is None:
        return []
    return [
        Figure(
            name="CPU, against the whole file with our allocator settings and one decoder thread",
            value=found.alike_cpu_ratio,
            unit="×",
            ratio_to="whole-file faster-whisper with our allocator settings and one decoder thread",
        )
    ]


def table(title: str, first: str, rows: Sequence[tuple[str, Measured]]) -> Table:
    """Runs beside each other, one row each; latencies in seconds."""
    return Table(
        title=title,
        columns=[first, *_COLUMNS],
        rows=[[name, *_cells(found)] for name, found in rows],
    )


def _cells(found: Measured) -> list[str | float]:
    metrics, score = found.metrics, found.score
    shown = [word.first_shown for word in metrics.words]
    return [
        _quantile(shown, 0.5),
        _quantile(shown, 0.95),
        _quantile([word.stable for word in metrics.words], 0.5),
        _quantile(score.end_to_final, 0.5),
        _quantile(score.decidable_to_final, 0.5),
        _quantile(score.decidable_to_final, 0.95),
        round(metrics.unstable_partial_word_ratio, 3),
        round(100 * metrics.doubling_share, 1),
        round(100 * metrics.stable_correction_rate, 2),
        round(100 * score.word_error_rate, 2),
        round(found.added_errors, 2),
        round(100 * score.fragmentation, 1),
        round(score.sentence_ends.f1, 3),
        round(score.commas.f1, 3),
        round(found.cpu_s / found.talk.duration_s, 3),
        round(found.cpu_ratio, 2),
    ]


def by_kind(found: Measured) -> Table:
    """The finals of each kind of recording beside those of the whole file."""
    scores, wholes = found.judged.scores, found.whole.scores
    return scores_by_kind(found.talk, {"finals": scores, "whole file": wholes})


def scores_by_kind(talk: Talk, runs: Mapping[str, Sequence[Score]]) -> Table:
    """A row for each kind of recording and each way to transcribe it."""
    kinds = dict.fromkeys(piece.kind for piece in talk.pieces)
    rows: list[list[str | float]] = []
    for kind in kinds:
        for name, scores in runs.items():
            score = total(
                one for one, piece in zip(scores, talk.pieces, strict=True) if piece.kind == kind
            )
            title = ", ".join(filter(None, [kind, name]))
            rows.append([title, *_score_cells(score)])
    return Table(title="by kind of recording", columns=["kind", *_SCORE_COLUMNS], rows=rows)


def _score_cells(score: Score) -> list[str | float]:
    if score.nonspeech and not score.words:
        return [*[""] * (len(_SCORE_COLUMNS) - 1), f"{score.invented} of {score.nonspeech}"]
    return [
        score.words,
        round(100 * score.share_heard, 1),
        round(100 * score.word_error_rate, 2),
        round(100 * score.fragmentation, 1),
        round(score.sentence_ends.f1, 3),
        round(score.commas.f1, 3),
        len(score.unheard),
        "",
    ]


def _quantile(values: Sequence[float], fraction: float) -> str | float:
    return round(quantile(values, fraction), 3) if values else ""


def latency_chart(found: Measured, subtitle: str) -> str:
    """The share of words that were seen within a time after they were spoken, as SVG."""
    words = found.metrics.words
    stable = [word.stable for word in words] or [0.0]
    return chart(
        title="How soon a word is seen after it was spoken",
        subtitle=subtitle,
        x_label="seconds after the end of the word",
        y_label="% of the recognised words",
        series=[
            Series("first shown", _shares([word.first_shown for word in words])),
            Series("stable", _shares([word.stable for word in words])),
            Series("final", _shares([word.final for word in words])),
        ],
        marks=[Mark("x", _SHOWN_P50_S, f"{1000 * _SHOWN_P50_S:.0f} ms")],
        # Finals come when the speaker pauses: to the end of theirs, partials would be a wall.
        x_range=(
            min([0.0, *(word.first_shown for word in words)]),
            max(3 * _SHOWN_P50_S, 1.5 * quantile(stable, 0.95)),
        ),
        y_range=(0.0, 100.0),
    )


def _shares(values: Sequence[float]) -> list[tuple[float, float]]:
    ordered = sorted(values)
    first = [(ordered[0], 0.0)] if ordered else []
    return first + [
        (value, 100 * (place + 1) / len(ordered)) for place, value in enumerate(ordered)
    ]


def curve_chart(runs: Sequence[tuple[float, Measured]], subtitle: str) -> str:
    """Latency against the unstable partial word ratio, a point for each hold-back, as SVG."""

    def series(name: str, fraction: float) -> Series:
        placed = [
            (
                quantile([word.first_shown for word in found.metrics.words], fraction),
                found.metrics.unstable_partial_word_ratio,
                f"{hold_back:g}",
            )
            for hold_back, found in runs
            if found.metrics.words
        ]
        return Series(name, [(x, y) for x, y, _ in placed], [label for _, _, label in placed])

    return chart(
        title="Latency against stability, by how long a word is held back",
        subtitle=subtitle,
        x_label="first shown, seconds after the end of the word",
        y_label="unstable partial word ratio",
        series=[series("p50", 0.5), series("p95", 0.95)],
        marks=[
            Mark("x", _SHOWN_P50_S, f"{1000 * _SHOWN_P50_S:.0f} ms"),
            Mark("y", _UNSTABLE, f"{_UNSTABLE:g}"),
        ],
        legend="top",
    )
