"""The figures, table and notes of ``wake``."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.trials import Difference, Trial, difference, lost_words
from vivavoce.bench.child import engine_title
from vivavoce.bench.measure import quantile
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Table
from vivavoce.config.schema import VadSettings
from vivavoce.pipeline.messages import SAMPLE_RATE, PowerMode

PRE_ROLL_S = VadSettings().pre_roll_ms / 1000
_LATENCY_NOISE_S = 0.02


@dataclass(frozen=True, slots=True)
class Heard:
    """A run whose silence was spent in ``mode``.

    Attributes:
        engines: how many engine processes were seen.
        altered: samples of utterances that were not captured as they were played; None where
            nothing was played.
    """

    source: str
    mode: PowerMode
    trials: list[Trial]
    ledger: dict[str, int]
    engines: int
    altered: int | None = None


@dataclass(frozen=True, slots=True)
class Reopened:
    """Utterances after a time in which the microphone was released.

    Attributes:
        expected: what the same program understood of each when it was awake.
        texts: what it understood.
        latencies: seconds from being woken to the first sample.
        told_s: the gaps that it told, together, and ``gaps`` their number.
        altered: as of :class:`Heard`.
    """

    expected: list[str]
    texts: list[str]
    latencies: list[float]
    told_s: float
    gaps: int
    ledger: dict[str, int]
    altered: int


def figures(heard: Sequence[Heard], reopened: Sequence[Reopened]) -> list[Figure]:
    """What was lost (nothing may be), and the latencies beside those of the undisturbed run."""
    found: list[Figure] = []
    for one in heard:
        undisturbed = _undisturbed(heard, one)
        title = f"{one.source}, {one.mode}"
        if one.mode is PowerMode.ACTIVE or undisturbed is None:
            continue
        apart = difference(undisturbed.trials, one.trials)
        found += _losses(title, one, apart, exact=one.source == "recording")
        found += _latencies(title, one, apart)
    for run in reopened:
        found += _of_closed(run)
    return found


def _undisturbed(heard: Sequence[Heard], one: Heard) -> Heard | None:
    return next(
        (other for other in heard if other.source == one.source and other.mode == "active"), None
    )


def _losses(title: str, one: Heard, apart: Difference, *, exact: bool) -> list[Figure]:
    count = len(one.trials)
    asleep = sum(trial.mode == one.mode for trial in one.trials)
    return [
        Figure(
            name=f"{title}: utterances that woke it from there",
            value=asleep,
            unit="utterances",
            better="higher",
            budget=count,
            samples=count,
        ),
        *_altered(title, one.altered, count),
        Figure(
            name=f"{title}: words lost",
            value=apart.lost,
            unit="words",
            budget=0 if exact else None,
            samples=count,
        ),
        Figure(
            name=f"{title}: finals unlike the undisturbed",
            value=apart.unlike,
            unit="finals",
            budget=0 if exact else None,
            samples=count,
        ),
        Figure(
            name=f"{title}: samples dropped",
            value=one.ledger.get("dropped", 0),
            unit="samples",
            budget=0,
        ),
        Figure(
            name=f"{title}: samples not accounted for",
            value=unaccounted(one.ledger),
            unit="samples",
            budget=0,
        ),
    ]


def _altered(title: str, altered: int | None, count: int) -> list[Figure]:
    if altered is None:
        return []
    return [
        Figure(
            name=f"{title}: samples of speech not captured as played",
            value=altered,
            unit="samples",
            budget=0,
            samples=count,
        )
    ]


def unaccounted(ledger: dict[str, int]) -> int:
    """Captured samples of which nobody knows what became of them."""
    parts = ("transcribed", "silence", "dropped")
    return ledger.get("captured", 0) - sum(ledger.get(part, 0) for part in parts)


def _latencies(title: str, one: Heard, apart: Difference) -> list[Figure]:
    kinds: dict[str, list[float | None]] = {
        "begin of speech → active": [trial.active for trial in one.trials],
        "begin of speech → first partial": [trial.partial for trial in one.trials],
        "end of speech → final": [trial.final for trial in one.trials],
        "final later than undisturbed": list(apart.later),
    }
    found = []
    for kind, values in kinds.items():
        known = [value for value in values if value is not None]
        if known:
            found.append(_spread(f"{title}: {kind}", known))
    return found


def _spread(title: str, values: Sequence[float]) -> Figure:
    return Figure(
        name=title,
        value=statistics.median(values),
        unit="s",
        noise=_LATENCY_NOISE_S,
        samples=len(values),
        p50=quantile(values, 0.5),
        p99=quantile(values, 0.99),
    )


def _of_closed(run: Reopened) -> list[Figure]:
    title, count = "microphone, closed", len(run.texts)
    # A gap is told to the millisecond.
    rounding = 2 * run.gaps * SAMPLE_RATE // 1000
    untold = abs(run.ledger.get("dropped", 0) - round(run.told_s * SAMPLE_RATE))
    pairs = list(zip(run.expected, run.texts, strict=True))
    return [
        *_altered(title, run.altered, count),
        Figure(
            name=f"{title}: words lost",
            value=sum(lost_words(expected, text) for expected, text in pairs),
            unit="words",
            samples=count,
        ),
        Figure(
            name=f"{title}: finals unlike the undisturbed",
            value=sum(expected != text for expected, text in pairs),
            unit="finals",
            samples=count,
        ),
        Figure(
            name=f"{title}: samples dropped and not told as a gap",
            value=0 if untold <= rounding else untold,
            unit="samples",
            budget=0,
        ),
        Figure(
            name=f"{title}: samples not accounted for",
            value=unaccounted(run.ledger),
            unit="samples",
            budget=0,
        ),
        _spread(f"{title}: woken → first sample", run.latencies),
    ]


def tables(heard: Sequence[Heard]) -> list[Table]:
    """The modes beside each other; latencies as median and worst."""
    columns = [
        *("", "utterances", "woken from there", "engines", "altered", "words lost", "unlike"),
        *("active s", "worst", "partial s", "worst", "final s", "worst"),
    ]
    rows: list[list[str | float]] = []
    for one in heard:
        undisturbed = _undisturbed(heard, one)
        apart = difference(undisturbed.trials if undisturbed else one.trials, one.trials)
        row: list[str | float] = [
            f"{one.source}, {one.mode}",
            len(one.trials),
            sum(trial.mode == one.mode for trial in one.trials),
            one.engines,
            "–" if one.altered is None else one.altered,
            apart.lost,
            apart.unlike,
        ]
        for values in (
            [trial.active for trial in one.trials],
            [trial.partial for trial in one.trials],
            [trial.final for trial in one.trials],
        ):
            known = [value for value in values if value is not None]
            row += [_milli(statistics.median(known)), _milli(max(known))] if known else ["–", "–"]
        rows.append(row)
    return [Table(title="modes beside each other", columns=columns, rows=rows)]


def _milli(value: float) -> float:
    return round(value, 3)


def notes(heard: Sequence[Heard], reopened: Sequence[Reopened], options: Options) -> list[str]:
    """How it was measured."""
    lines = [
        f"{engine_title(options)}; utterances in turn, silences of varying length between them, "
        "each spent in the mode (`power.mode`); the undisturbed run of the same audio is `active` "
        "all the time",
        "recording: at the pace of speech; finals must be the same to the letter. microphone: a "
        "PortAudio stream on a PulseAudio null sink; what was captured must be what was played, "
        "sample by sample. Where speech begins in an audio block differs from run to run, and a "
        "model may read that differently: there words are only told",
        "begin and end of speech are those of the first and last word in the recordings; on a "
        f"microphone, the begin is {PRE_ROLL_S:g} s after what the VAD took as the beginning",
    ]
    if reopened:
        run = reopened[0]
        lines.append(
            f"closed: released, woken by `Pipeline.wake()`, and spoken to after about 1.5 s; "
            f"{run.gaps} gaps told, {run.told_s:.1f} s together; the undisturbed run is the same "
            "utterances before, awake"
        )
    lines.append("from process start to the first sample: see `startup`")
    if options.quick:
        lines.append("quick: all runs at once, so no latency here means anything")
    return lines
