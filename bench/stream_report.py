"""Figures, tables and charts of the ``stream`` benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.plot import Mark, Series, chart
from vivavoce.bench.measure import quantile
from vivavoce.bench.results import Figure, Table

if TYPE_CHECKING:
    from bench.stream import Measured

_SHOWN_P50_S, _SHOWN_P95_S = 0.35, 0.7
_ENDPOINT_TO_FINAL_S = 0.15
_UNSTABLE = 0.15
_ADDED_WER_POINTS = 0.5
_CPU_WITH_PARTIALS, _CPU_WITHOUT = 2.0, 1.1
_NOISE_S = 0.01
_MINUTE_S = 60.0
_GROWTH_S = 0.1
_PER_SECOND = "CPU s per audio second"
_COLUMNS = [
    "shown p50",
    "shown p95",
    "stable p50",
    "final p50",
    "endpoint → final",
    "unstable ratio",
    "erasure",
    "corrected %",
    "WER %",
    "Δ offline",
    "CPU s/s",
    "× offline",
]


def figures(found: Measured, *, partials: bool) -> list[Figure]:
    """All figures of a run, with the budgets of the design.

    Without partials a word is first shown by its final, which no budget is meant for.
    """
    words = found.metrics.words
    shown = (_SHOWN_P50_S, _SHOWN_P95_S) if partials else (None, None)
    return [
        *_latency("word end → first shown", [word.first_shown for word in words], *shown),
        *_latency("word end → stable", [word.stable for word in words]),
        *_latency("word end → final", [word.final for word in words]),
        *_latency("endpoint → final", found.metrics.endpoint_to_final, _ENDPOINT_TO_FINAL_S),
        *_drift(found, partials=partials),
        *_stability(found),
        *_errors(found),
        *_cost(found, _CPU_WITH_PARTIALS if partials else _CPU_WITHOUT),
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
            noise=1.0,
            samples=metrics.stable_words,
        ),
    ]


def _errors(found: Measured) -> list[Figure]:
    finals = found.streamed.finals
    return [
        Figure(
            name="WER of finals",
            value=100 * found.metrics.word_error_rate,
            unit="%",
            noise=0.5,
            samples=found.metrics.reference_words,
        ),
        Figure(
            name="WER of offline",
            value=100 * found.offline_wer,
            unit="%",
            noise=0.5,
            samples=found.metrics.reference_words,
        ),
        Figure(
            name="WER of finals − WER of offline",
            value=found.added_errors,
            unit="points",
            budget=_ADDED_WER_POINTS,
            noise=0.5,
            samples=found.metrics.reference_words,
        ),
        Figure(
            name="finals equal to offline, word for word",
            value=100 * found.equal / max(1, len(finals)),
            unit="%",
            better="higher",
            samples=len(finals),
        ),
    ]


def _cost(found: Measured, budget: float) -> list[Figure]:
    streamed, audio_s = found.streamed, found.talk.duration_s
    return [
        Figure(name="CPU", value=found.cpu_s / audio_s, unit=_PER_SECOND),
        Figure(name="CPU with start-up", value=streamed.cpu_s / audio_s, unit=_PER_SECOND),
        Figure(name="CPU of offline", value=found.baseline.cpu_s / audio_s, unit=_PER_SECOND),
        Figure(
            name="CPU, against offline",
            value=found.cpu_ratio,
            unit="×",
            ratio_to="offline faster-whisper",
            budget=budget,
        ),
        *_alike(found),
        Figure(
            name="real-time factor",
            value=streamed.end_s / (audio_s + found.talk.lead_in_s),
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
            name="CPU, against offline with our allocator settings and one decoder thread",
            value=found.alike_cpu_ratio,
            unit="×",
            ratio_to="offline faster-whisper with our allocator settings and one decoder thread",
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
    metrics = found.metrics
    shown = [word.first_shown for word in metrics.words]
    return [
        _quantile(shown, 0.5),
        _quantile(shown, 0.95),
        _quantile([word.stable for word in metrics.words], 0.5),
        _quantile([word.final for word in metrics.words], 0.5),
        _quantile(metrics.endpoint_to_final, 0.5),
        round(metrics.unstable_partial_word_ratio, 3),
        round(metrics.normalised_erasure, 3),
        round(100 * metrics.stable_correction_rate, 2),
        round(100 * metrics.word_error_rate, 2),
        round(found.added_errors, 2),
        round(found.cpu_s / found.talk.duration_s, 3),
        round(found.cpu_ratio, 2),
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
