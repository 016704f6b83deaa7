"""The report is for people: findings first, aligned, with units, without raw names."""

import pytest

from vivavoce.actors.monitor.advice import recommend
from vivavoce.actors.monitor.report import MonitorSummary, Recent, render
from vivavoce.actors.monitor.sensors import (
    BatteryReading,
    EngineReading,
    MemoryReading,
    ProcessReading,
)
from vivavoce.actors.monitor.targets import Facts, Judge
from vivavoce.actors.monitor.windows import ModeUse
from vivavoce.config.monitoring import TargetSettings
from vivavoce.config.schema import Profile
from vivavoce.pipeline.channel import ChannelStatistics
from vivavoce.pipeline.ledger import LedgerSummary
from vivavoce.pipeline.messages import PowerMode
from vivavoce.pipeline.metrics import Metrics
from vivavoce.statistics import PipelineStatistics


def statistics(metrics: Metrics, monitor: MonitorSummary | None = None) -> PipelineStatistics:
    return PipelineStatistics(
        ledger=LedgerSummary(
            captured=32_000, transcribed=16_000, silence=16_000, dropped=0, pending=0
        ),
        elapsed_s=2.0,
        cpu_s=0.5,
        rss_bytes=61_200_000,
        first_sample_s=0.231,
        counters=metrics.counters(),
        gauges=metrics.gauges(),
        histograms=metrics.histograms(),
        channels={
            "transcription": ChannelStatistics(
                capacity=64, depth=1, high_water=9, sent=120, received=119, dropped=0, blocked_s=0.2
            )
        },
        monitor=monitor,
    )


def full_metrics() -> Metrics:
    metrics = Metrics()
    metrics.counter("vivavoce_finals_total").add(1_234)
    metrics.counter("vivavoce_engine_restarts_total").add(2)
    metrics.counter("vivavoce_engine_hangs_total").add(1)
    metrics.counter("vivavoce_captions_total", type="final").add(7)
    metrics.counter("my_counter_total", kind="b\x1b[31m").add(3)
    metrics.counter("vivavoce_something_new_total").add(3)
    metrics.gauge("my_gauge").set(0.25)
    metrics.gauge("vivavoce_lag_seconds").set(1.5)
    metrics.histogram("vivavoce_final_seconds").observe(0.25)
    metrics.histogram("vivavoce_final_seconds").observe(0.3)
    metrics.histogram("vivavoce_loop_lag_seconds").observe(0.003)
    metrics.histogram("vivavoce_actor_seconds", actor="translator", part="look up").observe(2.0)
    return metrics


def test_all_information_is_there_without_raw_names() -> None:
    report = statistics(full_metrics()).report()
    for text in (
        "startup: first sample after 0.231 s",
        "captured 32000 = transcribed 16000",
        "main process 0.50 s CPU, 61.2 MB resident",
        "1,234",
        "hangs of the engine",
        "restarts of the engine",
        "events written (final)",
        "something new",
        "my counter",
        "my gauge",
        "translator: look up",
        "final decoded",
        "lag now",
        "1.50 s",
        "transcription",
        "at most 9 of 64",
    ):
        assert text in report, text
    assert "vivavoce_" not in report
    assert "_total" not in report
    assert "\x1b" not in report


def test_sections_are_aligned() -> None:
    metrics = Metrics()
    metrics.counter("vivavoce_finals_total").add(5)
    metrics.counter("vivavoce_partials_total").add(5)
    lines = statistics(metrics).report().splitlines()
    rows = [line for line in lines if line.strip().startswith(("finals ", "partials "))]
    assert len({row.index("5") for row in rows}) == 1


def summary(facts: Facts) -> MonitorSummary:
    findings = Judge().judge(facts, TargetSettings())
    return MonitorSummary(
        facts=facts,
        findings=findings,
        recommendations=recommend(findings, facts, Profile()),
        modes={
            PowerMode.ACTIVE: ModeUse(seconds=3_725, cpu_s=37.25, wakeups=111_750, preemptions=0)
        },
        recent={
            "vivavoce_final_seconds": Recent(count=1, p50=0.2, p95=0.3, p999=0.4),
            "vivavoce_loop_lag_seconds": Recent(count=1, p50=0.001, p95=0.002, p999=0.003),
        },
        process=ProcessReading(
            resident_bytes=61_200_000, threads=9, open_files=21, blocks=134_513, collections=3
        ),
        engines=EngineReading(processes=1, resident_bytes=412_000_000, cpu_s=12.5),
        memory=MemoryReading(
            total_bytes=8 * 10**9, available_bytes=3 * 10**9, some_percent=0.5, full_percent=0.0
        ),
        cpu_pressure_percent=12.0,
        battery=BatteryReading(percent=71, plugged=False),
        unreadable={"temperature": "OSError: no"},
    )


def test_findings_and_advice_come_first() -> None:
    facts = Facts(at=130.0, lag_s=4.2, model="small.en", real_time_factor=1.4, lost_samples=8_000)
    lines = statistics(full_metrics(), summary(facts)).report().splitlines()
    assert lines[0] == "findings: 2"
    assert lines[1].split("  ")[1] == "speech waiting for its final"
    assert "4.2 s" in lines[1]
    assert "target 3 s" in lines[1] or "target 3" in lines[1]
    assert lines[1].endswith("since 0:02:10")
    assert "should not happen" in lines[2]
    assert lines[3] == "advice:"
    assert "try transcription.model: base.en" in lines[4]


def test_machine_and_modes_have_units() -> None:
    report = statistics(full_metrics(), summary(Facts(drain_percent_per_hour=8.0))).report()
    for text in (
        "findings: none",
        "active  1:02:05  1.00 % CPU  30.0 wake-ups/s",
        "61.2 MB, 9 threads, 21 open files",
        "1 × 412.0 MB",
        "3.0 of 8.0 GB available, 0.5 % stalled",
        "12.0 % of the time too few",
        "71 %, on battery, 8.0 % per hour",
        "temperature: not readable  OSError: no",
        "2×  lately p95 300.0 ms",
        "1×  lately p99.9 3.0 ms",
    ):
        assert text in report, text


def test_without_statistics_the_monitor_still_reports() -> None:
    assert render(None, summary(Facts())).startswith("findings: none")


@pytest.mark.parametrize("name", ["vivavoce_overload_rung", "vivavoce_pressure_ratio"])
def test_gauges_that_are_told_elsewhere_are_not_repeated(name: str) -> None:
    metrics = Metrics()
    metrics.gauge(name).set(0.123)
    assert "0.123" not in statistics(metrics).report()
