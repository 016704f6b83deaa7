"""The report for a person: what is wrong first, then everything else, in sections. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

import msgspec

from vivavoce.actors.monitor.advice import Recommendation
from vivavoce.actors.monitor.sensors import (
    BatteryReading,
    EngineReading,
    MemoryReading,
    ProcessReading,
)
from vivavoce.actors.monitor.targets import Facts, Finding
from vivavoce.actors.monitor.windows import ModeUse
from vivavoce.actors.monitor.words import Section, label_of, section_of
from vivavoce.pipeline.channel import ChannelStatistics
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import PowerMode, seconds
from vivavoce.pipeline.metrics import HistogramSummary

Row: TypeAlias = Sequence[str]


class Recent(msgspec.Struct, frozen=True, kw_only=True):
    """A latency in the last minutes, in seconds."""

    count: int
    p50: float
    p95: float
    p999: float


class MonitorSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What the monitor knows: a snapshot.

    ``recent`` are the latencies of the last minutes by the instruments' full names; readings are
    None where they cannot be read, and ``unreadable`` says what could not be, and why.
    """

    facts: Facts
    findings: tuple[Finding, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    modes: Mapping[PowerMode, ModeUse] = {}
    recent: Mapping[str, Recent] = {}
    process: ProcessReading | None = None
    engines: EngineReading | None = None
    memory: MemoryReading | None = None
    cpu_pressure_percent: float | None = None
    battery: BatteryReading | None = None
    temperature: float | None = None
    unreadable: Mapping[str, str] = {}


class Figures(Protocol):
    """What the report needs of a run's statistics."""

    @property
    def ledger(self) -> LedgerSummary:
        """The account of the samples."""
        ...

    @property
    def elapsed_s(self) -> float:
        """Since capture began."""
        ...

    @property
    def cpu_s(self) -> float:
        """Of the main process."""
        ...

    @property
    def rss_bytes(self) -> int:
        """Of the main process."""
        ...

    @property
    def first_sample_s(self) -> float:
        """Process start → first sample."""
        ...

    @property
    def counters(self) -> Mapping[str, float]:
        """By full name."""
        ...

    @property
    def gauges(self) -> Mapping[str, float]:
        """By full name."""
        ...

    @property
    def histograms(self) -> Mapping[str, HistogramSummary]:
        """By full name."""
        ...

    @property
    def channels(self) -> Mapping[str, ChannelStatistics]:
        """By name."""
        ...

    @property
    def overload(self) -> str:
        """The rung of the overload ladder in words; empty: not known."""
        ...


def render(figures: Figures | None, monitor: MonitorSummary | None = None) -> str:
    """The report, several lines without a newline at the end."""
    lines = _findings(monitor) if monitor is not None else []
    if figures is not None:
        lines += _run(figures)
        lines += _section("latency", _latencies(figures, monitor))
    if monitor is not None:
        lines += _section(f"power: {monitor.facts.mode}", _modes(monitor.modes))
        lines += _section("machine", _machine(monitor))
    if figures is not None:
        lines += _section("queues", _queues(figures.channels))
        lines += _section("measured by actors, and own figures", _own(figures))
    return "\n".join(lines)


def _run(figures: Figures) -> list[str]:
    """What became of the audio."""
    return [
        f"startup: first sample after {figures.first_sample_s:.3f} s",
        f"ledger: {figures.ledger}",
        f"audio: {seconds(figures.ledger.captured):.1f} s captured in {figures.elapsed_s:.1f} s; "
        f"main process {figures.cpu_s:.2f} s CPU, {figures.rss_bytes / 1e6:.1f} MB resident",
        *_table(_counted(figures, "audio")),
        f"engine: {figures.overload}" if figures.overload else "engine:",
        *_table(_counted(figures, "recognition")),
        *_section("faults", _counted(figures, "faults") or [("none",)]),
    ]


def _findings(monitor: MonitorSummary) -> list[str]:
    if not monitor.findings:
        return ["findings: none, every target is met"]
    rows = [
        (
            one.what,
            f"{_number(one.measured)} {one.unit}",
            f"target {_number(one.target)}" if one.target else "should not happen",
            f"since {_clock(one.since)}",
        )
        for one in monitor.findings
    ]
    lines = [f"findings: {len(rows)}", *_table(rows)]
    if monitor.recommendations:
        lines += ["advice:", *(f"  {one.text}" for one in monitor.recommendations)]
    return lines


# -- rows


_NAME = re.compile(r"^(?P<name>[^{]*)(?:\{(?P<labels>.*)\})?$", re.DOTALL)
_LABEL = re.compile(r'([^=,{}"]+)="([^"]*)"')


def _parsed(full: str) -> tuple[str, dict[str, str]]:
    match = _NAME.match(full)
    assert match is not None
    return match["name"], dict(_LABEL.findall(match["labels"] or ""))


def _safe(text: str) -> str:
    """Labels are what others wrote: nothing in them may steer a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


_SHOWN_ELSEWHERE = {"vivavoce_overload_rung", "vivavoce_overload_rung_highest"}


def _counted(figures: Figures, section: Section) -> list[Row]:
    """Counters of a section that are not 0, and the gauges of audio."""
    found: list[Row] = []
    for full, value in figures.counters.items():
        name, labels = _parsed(full)
        if section_of(name) == section and value:
            found.append((_safe(label_of(name, labels)), _number(value)))
    if section == "audio":  # what is set and what was reached, beside what was counted
        found += [
            (label_of(name, {}), _number(value))
            for name, value in figures.gauges.items()
            if section_of(name) == "audio"
        ]
    return found


def _own(figures: Figures) -> list[Row]:
    rows: list[Row] = list(_counted(figures, "own"))
    for full, value in figures.gauges.items():
        name, labels = _parsed(full)
        if section_of(name) == "own":
            rows.append((_safe(label_of(name, labels)), _number(value)))
    for full, summary in figures.histograms.items():
        name, labels = _parsed(full)
        if section_of(name) == "own" and summary.count:
            rows.append((_safe(label_of(name, labels)), *_quantiles(summary)))
    return rows


def _latencies(figures: Figures, monitor: MonitorSummary | None) -> list[Row]:
    rows: list[Row] = []
    for full, summary in sorted(figures.histograms.items(), key=lambda one: _rank(one[0])):
        name, labels = _parsed(full)
        if section_of(name) != "latency" or not summary.count:
            continue
        recent = monitor.recent.get(full) if monitor is not None else None
        last: Row = ()
        if recent is not None and name == "vivavoce_loop_lag_seconds":
            last = (f"lately p99.9 {_time(recent.p999)}",)
        elif recent is not None and 0 < recent.count < summary.count:  # else it is all there was
            last = (f"lately p95 {_time(recent.p95)}",)
        rows.append((_safe(label_of(name, labels)), *_quantiles(summary), *last))
    lag = figures.gauges.get("vivavoce_lag_seconds")
    if lag is not None:
        rows.append(("lag now", _time(lag)))
    return rows


_FIRST = (
    "vivavoce_partial_shown_seconds",
    "vivavoce_speech_to_final_seconds",
    "vivavoce_stage_seconds",
)


def _rank(full: str) -> tuple[int, str]:
    """What a person waits for comes first."""
    name, _ = _parsed(full)
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), full)


def _quantiles(summary: HistogramSummary) -> tuple[str, ...]:
    return (
        f"p50 {_time(summary.p50)}",
        f"p95 {_time(summary.p95)}",
        f"max {_time(summary.maximum)}",
        f"{summary.count}×",
    )


def _modes(modes: Mapping[PowerMode, ModeUse]) -> list[Row]:
    return [
        (
            str(mode),
            f"{_clock(use.seconds)}",
            f"{use.cpu_percent:.2f} % CPU",
            f"{use.wakeups_per_s:.1f} wake-ups/s",
            f"{use.preemptions / use.seconds if use.seconds else 0:.1f} preemptions/s",
        )
        for mode, use in modes.items()
    ]


def _machine(monitor: MonitorSummary) -> list[Row]:
    rows: list[Row] = []
    if monitor.process is not None:
        process = monitor.process
        rows.append(
            (
                "main process",
                f"{process.resident_bytes / 1e6:.1f} MB, {process.threads} threads, "
                f"{process.open_files} open files, {process.blocks:,} memory blocks, "
                f"{process.collections} garbage collections",
            )
        )
    if monitor.engines is not None:
        engines = monitor.engines
        text = f"{engines.resident_bytes / 1e6:.1f} MB, {engines.cpu_s:.1f} s CPU"
        rows.append(
            ("engine", f"{engines.processes} × {text}" if engines.processes else "no process")
        )
    if monitor.memory is not None:
        memory = monitor.memory
        free = f"{memory.available_bytes / 1e9:.1f} of {memory.total_bytes / 1e9:.1f} GB available"
        stalled = "" if memory.some_percent is None else f", {memory.some_percent:.1f} % stalled"
        rows.append(("memory", free + stalled))
    if monitor.cpu_pressure_percent is not None:
        rows.append(("processors", f"{monitor.cpu_pressure_percent:.1f} % of the time too few"))
    if monitor.battery is not None:
        drain = monitor.facts.drain_percent_per_hour
        state = "on mains" if monitor.battery.plugged else "on battery"
        fall = f", {drain:.1f} % per hour" if drain is not None else ""
        rows.append(("battery", f"{monitor.battery.percent:.0f} %, {state}{fall}"))
    if monitor.temperature is not None:
        rows.append(("temperature", f"{monitor.temperature:.0f} °C"))
    rows += [(f"{name}: not readable", reason) for name, reason in monitor.unreadable.items()]
    return rows


def _queues(channels: Mapping[str, ChannelStatistics]) -> list[Row]:
    return [
        (
            _safe(name),
            f"{one.sent} sent",
            f"{one.dropped} dropped",
            f"{one.depth} waiting",
            f"at most {one.high_water} of {one.capacity}",
            f"held up {_time(one.blocked_s + one.waiting_s)}",
        )
        for name, one in channels.items()
    ]


# -- layout


def _section(title: str, rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    return [title if ":" in title else f"{title}:", *_table(rows)]


def _table(rows: Iterable[Row]) -> list[str]:
    """Indented rows, columns aligned."""
    rows = list(rows)
    columns = max((len(row) for row in rows), default=0)
    widths = [
        max((len(row[column]) for row in rows if len(row) > column), default=0)
        for column in range(columns)
    ]
    return [
        "  " + "  ".join(cell.ljust(widths[at]) for at, cell in enumerate(row)).rstrip()
        for row in rows
    ]


def _number(value: float) -> str:
    if float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.3g}"


def _time(value: float) -> str:
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def _clock(value: float) -> str:
    minutes, rest = divmod(int(value), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
