"""Live captions judged: latency of each word, stability, errors, and CPU against offline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import offline, simulation, stream_report
from bench.judging import Judged, WholeFile, difference, judged, whole_file
from bench.options import RULES, DeveloperOptions
from bench.scoring import Score
from bench.stream_metrics import StreamMetrics
from bench.stream_run import Streamed, stream
from bench.talks import LEAD_IN_S, Talk, prepared
from vivavoce.bench.child import engine_arguments, engine_title
from vivavoce.bench.results import Result, Table

name = "stream"
description = (
    "Live captions of recordings: delays, stability, WER, sentences, CPU against whole files"
)

HOLD_BACKS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_QUICK_HOLD_BACKS = (0.0, 0.7)
_START_UPS = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of the recordings and everything it is compared with.

    Attributes:
        cpu_s: CPU seconds of the run beyond those of a run over the lead-in alone, so without
            starting Python, loading and warming up the model, and ending.
        whole: what whole-file decoding gives: the better of with and without the text before.
        alike_cpu_s: CPU seconds of whole-file decoding in the environment of our engine and with
            one thread; None where it was not asked for.
    """

    talk: Talk
    streamed: Streamed
    judged: Judged
    whole: WholeFile
    cpu_s: float
    alike_cpu_s: float | None = None

    @property
    def metrics(self) -> StreamMetrics:
        """Delays and stability."""
        return self.judged.metrics

    @property
    def score(self) -> Score:
        """What the finals are worth."""
        return self.judged.score

    @property
    def cpu_ratio(self) -> float:
        """CPU without start-up over the CPU of whole-file decoding."""
        offline_s = self.whole.baseline.cpu_s
        return self.cpu_s / offline_s if offline_s > 0 else 0.0

    @property
    def alike_cpu_ratio(self) -> float | None:
        """The same over ``alike_cpu_s``."""
        return self.cpu_s / self.alike_cpu_s if self.alike_cpu_s else None

    @property
    def added_errors(self) -> float:
        """WER of the finals minus WER of the whole file, in percentage points."""
        return 100 * (self.score.word_error_rate - self.whole.score.word_error_rate)

    @property
    def difference(self) -> float:
        """The words that differ from those of the whole file, per word of that."""
        texts, others = self.judged.texts, self.whole.baseline.texts
        return difference(self.talk.language, texts, others)


@dataclass(slots=True)
class _Bench:
    """The runs over the same recordings, and what they share."""

    options: DeveloperOptions
    talk: Talk
    whole: WholeFile
    start_up_cpu_s: float = 0.0

    def calibrate(self) -> None:
        """Note what start-up takes: the least, because what disturbs a run only adds to it."""
        if self.options.simulated:
            return  # only decodings and what is done with them are counted
        self.options.say(f"start-up alone: {LEAD_IN_S:g} s of silence, {_START_UPS} times")
        self.start_up_cpu_s = min(
            stream(self.talk.lead_in, self.options).cpu_s for _ in range(_START_UPS)
        )

    def measured(self, title: str, settings: Sequence[str]) -> Measured:
        talk = self.talk
        pace = "simulated" if self.options.simulated else f"{talk.length_s:.0f} s as spoken"
        self.options.say(f"{talk.title}, {pace}: {title}")
        if self.options.simulated:
            streamed = simulation.stream(talk.path, self.options, settings)
        else:
            streamed = stream(talk.path, self.options, settings)
        return Measured(
            talk=talk,
            streamed=streamed,
            judged=judged(talk, streamed.events),
            whole=self.whole,
            cpu_s=max(0.0, streamed.cpu_s - self.start_up_cpu_s),
        )

    def with_alike(self, found: Measured, model: str) -> Measured:
        """The same with whole-file decoding as our engine decodes."""
        if self.options.simulated:
            return found
        self.options.say("offline faster-whisper again, with our allocator settings and one thread")
        spans = [(piece.start, piece.end) for piece in self.talk.pieces]
        alike = offline.transcribe(
            self.talk.path, spans, model, self.talk.language, as_our_engine=True
        )
        return replace(found, alike_cpu_s=alike.cpu_s)


def run(options: DeveloperOptions) -> Result:
    """Stream the recordings, judge the captions, and transcribe each recording as a whole.

    CPU is that of the whole process tree (the main process and its engine), as the operating
    system accounts it to the finished child. The cheaper of two runs over the lead-in of silence
    alone is subtracted, because whole-file decoding, too, is measured without imports and loading.
    The lead-in is there so that the engine is ready when the first word is spoken.

    The baseline that is judged is plain faster-whisper. As our engine's process has settings of the
    memory allocator and decodes on one thread, both of which save CPU, the same recordings are
    transcribed once more with these: against that, only streaming itself differs.

    Raises:
        RecordingError: a recording or its words cannot be used, or there is no model.
        SpeechSetError: there is no set of recordings, or nothing of it is wanted.
        RunFailed: ``vivavoce run`` failed.
        BaselineFailed: offline transcription failed.
    """
    model = model_of(options)
    with prepared(options) as talk:
        options.say(f"{talk.title}: faster-whisper on each as a whole, twice")
        whole, other = whole_file(talk, model)
        bench = _Bench(options, talk, whole)
        bench.calibrate()
        settings = [RULES[rule] for rule in options.without]
        title = _without(options.without) or "all rules"
        main = bench.with_alike(bench.measured(title, settings), model)
        curve = _curve(bench, settings) if options.curve else []
        tables = [
            stream_report.by_kind(main),
            *_compared(bench, title, main, settings),
            *_swept(bench, settings),
        ]
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
        figures=stream_report.figures(
            main, partials="partials" not in options.without, model=Path(model).name
        ),
        tables=tables,
        notes=_notes(options, main, other),
        quick=options.quick,
    )


def _compared(
    bench: _Bench, title: str, main: Measured, settings: Sequence[str]
) -> Iterator[Table]:
    options = bench.options
    if options.ablation:
        rows = [(title, main)] + [
            (f"without {rule}", bench.measured(f"without {rule}", [*settings, RULES[rule]]))
            for rule in RULES
            if rule not in options.without
        ]
        yield stream_report.table("what each rule brings", "run", rows)


def _swept(bench: _Bench, settings: Sequence[str]) -> Iterator[Table]:
    for key, values in bench.options.swept.items():
        runs = [(value, f"{key}={value}") for value in values]
        rows = [(value, bench.measured(one, [*settings, one])) for value, one in runs]
        yield stream_report.table("by a setting", key, rows)


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


def _notes(options: DeveloperOptions, main: Measured, other: WholeFile) -> list[str]:
    metrics, whole = main.metrics, main.whole
    pace = "on a virtual clock" if options.simulated else "at 1×"
    changed = [*options.settings, *filter(None, [_without(options.without)])]
    notes = [
        f"{main.talk.title}: {main.talk.duration_s:.1f} s of recordings {pace} after "
        f"{LEAD_IN_S:g} s of silence, {engine_title(options)}, int8 on the CPU"
        + "".join(f", {change}" for change in changed),
        f"{len(metrics.words)} of {metrics.reference_words} words were recognised and count for "
        "the latencies: from the end of the word in the recording until it is seen",
        f"the whole file: faster-whisper, beam 5, {_conditioned(whole)} the text before, the "
        f"better of both; {_conditioned(other)} it has a WER of "
        f"{100 * other.score.word_error_rate:.2f} % in {other.baseline.cpu_s:.1f} CPU s",
    ]
    if options.simulated:
        notes.append(
            f"simulated: each decoding takes 1/{options.speed:g} of the time that it took alone, "
            "two at once take no longer; CPU is that of the engine's process and of the pipeline "
            "as measured, start-up aside"
        )
    else:
        notes.append(
            f"CPU: {main.streamed.cpu_s:.1f} s in all, {main.cpu_s:.1f} s without start-up; the "
            f"whole file {whole.baseline.cpu_s:.1f} s without imports and loading, with its "
            f"default threads in a plain environment, and {main.alike_cpu_s or 0.0:.1f} s with our "
            "allocator settings and one thread: against that, the cost of streaming alone is seen"
        )
    for piece, one in zip(main.talk.pieces, main.judged.scores, strict=True):
        for start, end in one.unheard:
            notes.append(
                f"no word of {start - piece.start:.1f} to {end - piece.start:.1f} s of {piece.name}"
            )
        if one.invented:
            text = main.judged.texts[main.talk.pieces.index(piece)]
            notes.append(f"a caption where nobody speaks: {text!r} in {piece.name}")
    if metrics.stable_changed:
        notes.append("a later partial changed stable words: that breaks the contract of events")
    return notes


def _conditioned(whole: WholeFile) -> str:
    return "with" if whole.conditioned else "without"
