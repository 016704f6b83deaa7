"""Live captions judged: latency of each word, stability, errors, and CPU against offline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import offline, stream_report
from bench.alignment import word_error_rate, words_of
from bench.offline import Baseline
from bench.options import RULES, DeveloperOptions
from bench.stream_metrics import StreamMetrics, measure
from bench.stream_run import (
    LANGUAGE,
    LEAD_IN_S,
    Streamed,
    Talk,
    prepared,
    stream,
)
from vivavoce.bench.child import engine_arguments, engine_title
from vivavoce.bench.results import Result

name = "stream"
description = "Live captions of a recording: word latency, stability, WER, CPU against offline"

HOLD_BACKS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_QUICK_HOLD_BACKS = (0.0, 0.7)
_START_UPS = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of the recording and everything it is compared with.

    Attributes:
        cpu_s: CPU seconds of the run beyond those of a run over the lead-in alone, so without
            starting Python, loading and warming up the model, and ending.
        offline_wer: of the baseline's texts for the same pieces of the recording.
        equal: how many finals have the words of the baseline's text for the same audio.
        alike_cpu_s: CPU seconds of the baseline in the environment of our engine and with one
            thread; None where it was not asked for.
    """

    talk: Talk
    streamed: Streamed
    metrics: StreamMetrics
    baseline: Baseline
    cpu_s: float
    offline_wer: float
    equal: int
    alike_cpu_s: float | None = None

    @property
    def cpu_ratio(self) -> float:
        """CPU without start-up over the CPU of the baseline."""
        return self.cpu_s / self.baseline.cpu_s if self.baseline.cpu_s > 0 else 0.0

    @property
    def alike_cpu_ratio(self) -> float | None:
        """The same over ``alike_cpu_s``."""
        return self.cpu_s / self.alike_cpu_s if self.alike_cpu_s else None

    @property
    def added_errors(self) -> float:
        """WER of the finals minus WER of the baseline, in percentage points."""
        return 100 * (self.metrics.word_error_rate - self.offline_wer)


@dataclass(slots=True)
class _Bench:
    """The runs over one recording, and what they share."""

    options: DeveloperOptions
    talk: Talk
    model: str
    start_up_cpu_s: float = 0.0
    baselines: dict[tuple[tuple[float, float], ...], Baseline] = field(default_factory=dict)

    def calibrate(self) -> None:
        """Note what start-up takes: the least, because what disturbs a run only adds to it."""
        self.options.say(f"start-up alone: {LEAD_IN_S:g} s of silence, {_START_UPS} times")
        self.start_up_cpu_s = min(
            stream(self.talk.lead_in, self.options).cpu_s for _ in range(_START_UPS)
        )

    def measured(self, title: str, settings: Sequence[str]) -> Measured:
        talk = self.talk
        self.options.say(f"{talk.title} as it was spoken, {talk.duration_s:.0f} s: {title}")
        streamed = stream(talk.path, self.options, settings)
        metrics = measure(streamed.events, talk.words)
        baseline = self._baseline(streamed)
        equal = sum(
            words_of(final.text) == words_of(text)
            for final, text in zip(streamed.finals, baseline.texts, strict=True)
        )
        return Measured(
            talk=talk,
            streamed=streamed,
            metrics=metrics,
            baseline=baseline,
            cpu_s=max(0.0, streamed.cpu_s - self.start_up_cpu_s),
            offline_wer=word_error_rate(talk.text, " ".join(baseline.texts)),
            equal=equal,
        )

    def with_alike(self, found: Measured) -> Measured:
        """The same with the baseline that decodes as our engine does."""
        pieces = _pieces(found.streamed)
        self.options.say("offline faster-whisper again, with our allocator settings and one thread")
        alike = offline.transcribe(self.talk.path, pieces, self.model, LANGUAGE, as_our_engine=True)
        return replace(found, alike_cpu_s=alike.cpu_s)

    def _baseline(self, streamed: Streamed) -> Baseline:
        pieces = _pieces(streamed)
        if pieces not in self.baselines:
            self.options.say(f"offline faster-whisper on the same {len(pieces)} pieces")
            self.baselines[pieces] = offline.transcribe(
                self.talk.path, pieces, self.model, LANGUAGE
            )
        return self.baselines[pieces]


def _pieces(streamed: Streamed) -> tuple[tuple[float, float], ...]:
    return tuple((final.start, final.end) for final in streamed.finals)


def run(options: DeveloperOptions) -> Result:
    """Stream the recording, judge the captions, and transcribe the same pieces offline.

    CPU is that of the whole process tree (the main process and its engine), as the operating
    system accounts it to the finished child. The cheaper of two runs over the lead-in of silence
    alone is subtracted, because the baseline, too, is measured without imports and loading. The
    lead-in is there so that the engine is ready when the first word is spoken.

    The baseline that is judged is plain faster-whisper. As our engine's process has settings of the
    memory allocator and decodes on one thread, both of which save CPU, the same pieces are
    transcribed once more with these: against that, only streaming itself differs.

    Raises:
        RecordingError: the recording or its words cannot be used, or there is no model.
        RunFailed: ``vivavoce run`` failed.
        BaselineFailed: offline transcription failed.
    """
    model = model_of(options)
    with prepared(options) as talk:
        bench = _Bench(options, talk, model)
        bench.calibrate()
        settings = [RULES[rule] for rule in options.without]
        title = _without(options.without) or "all rules"
        main = bench.with_alike(bench.measured(title, settings))
        tables = []
        if options.ablation:
            rows = [(title, main)] + [
                (f"without {rule}", bench.measured(f"without {rule}", [*settings, RULES[rule]]))
                for rule in RULES
                if rule not in options.without
            ]
            tables.append(stream_report.table("what each rule brings", "run", rows))
        curve = _curve(bench, settings) if options.curve else []
        if curve:
            rows = [(f"{hold_back:g}", found) for hold_back, found in curve]
            tables.append(
                stream_report.table(
                    "latency against stability", "transcription.hold_back_probability", rows
                )
            )
    if options.plot:
        _plot(options.plot, options, main, curve)
    return Result(
        name=name,
        figures=stream_report.figures(main, partials="partials" not in options.without),
        tables=tables,
        notes=_notes(options, main),
        quick=options.quick,
    )


def model_of(options: DeveloperOptions) -> str:
    """The Whisper model that the options name, or that of the tests."""
    return engine_arguments(options)[-1]


def _without(rules: Sequence[str]) -> str:
    return f"without {', '.join(rules)}" if rules else ""


def _curve(bench: _Bench, settings: Sequence[str]) -> list[tuple[float, Measured]]:
    return [
        (
            hold_back,
            bench.measured(
                f"hold-back {hold_back:g}",
                [*settings, f"transcription.hold_back_probability={hold_back}"],
            ),
        )
        for hold_back in (_QUICK_HOLD_BACKS if bench.options.quick else HOLD_BACKS)
    ]


def _plot(
    path: Path, options: DeveloperOptions, main: Measured, curve: Sequence[tuple[float, Measured]]
) -> None:
    subtitle = f"{main.talk.title}, {engine_title(options)}"
    if options.without:
        subtitle += f", {_without(options.without)}"
    drawn = (
        stream_report.curve_chart(curve, subtitle)
        if curve
        else stream_report.latency_chart(main, subtitle)
    )
    path.write_text(drawn, encoding="utf-8")
    options.say(f"plot in {path}")


def _notes(options: DeveloperOptions, main: Measured) -> list[str]:
    metrics = main.metrics
    notes = [
        f"{main.talk.title}, {main.talk.duration_s:.1f} s of speech at 1× after {LEAD_IN_S:g} s of "
        f"silence, {engine_title(options)}, int8 on the CPU"
        + (f", {_without(options.without)}" if options.without else ""),
        f"{len(metrics.words)} of {metrics.reference_words} words were recognised and count for "
        "the latencies: from the end of the word in the recording until it is seen",
        f"CPU: {main.streamed.cpu_s:.1f} s in all, {main.cpu_s:.1f} s without start-up; offline "
        f"{main.baseline.cpu_s:.1f} s without imports and loading, beam 5, its default threads and "
        "a plain environment: what a user of faster-whisper gets",
        "our engine's process has settings of the memory allocator and decodes on one thread (it "
        "encodes on all cores); with "
        f"these settings and one thread offline takes {main.alike_cpu_s or 0.0:.1f} s: against "
        "that, the cost of streaming alone is seen",
        f"{main.equal} of {len(main.streamed.finals)} finals read as offline word for word",
    ]
    if metrics.stable_changed:
        notes.append("a later partial changed stable words: that breaks the contract of events")
    return notes
