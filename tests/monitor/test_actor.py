"""The monitor on a virtual clock, with scripted sensors."""

import asyncio
import dataclasses
import threading
from typing import Any

import msgspec
import pytest
from support.monitored import Scripted, Stage

from vivavoce.actors.monitor.sensors import (
    BatteryReading,
    EngineReading,
)
from vivavoce.config import load_profile
from vivavoce.config.power import ModeSettings
from vivavoce.pipeline.channel import Channel, Overload
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.messages import EndOfStream, Final, Gap, Latency, Partial, PowerMode
from vivavoce.pipeline.power import Power, PowerEvent

GB = 10**9
GAP = Gap(start=0, end=16_000, reason="overrun")


def names(findings: Any) -> list[str]:
    return [finding.name for finding in findings]


def test_it_ends_with_the_pipeline_and_emits_nothing() -> None:
    async def main() -> None:
        async with Stage() as stage:
            await stage.inbox.send(EndOfStream(end=16_000))
            await asyncio.sleep(1)
        assert stage.task.done()
        assert stage.monitor.check() == ()
        assert "main process" in stage.monitor.report(), "what was found can be asked for later"

    run_virtual(main)


def test_samples_come_as_often_as_the_profile_says() -> None:
    async def main() -> list[float]:
        async with Stage("metrics.interval_s=5", "metrics.quiet_interval_s=60") as stage:
            await asyncio.sleep(60)
            await stage.mode(PowerMode.IDLE, block_ms=512)
            await asyncio.sleep(600)
            return stage.sensors.asked

    asked = run_virtual(main)
    assert asked[0] == pytest.approx(1.1, abs=0.2)
    busy = [at for at in asked if at < 60]
    idle = [at for at in asked if at > 66]
    assert len(busy) == 12
    assert len(idle) in (9, 10)


def test_idle_costs_at_most_one_wakeup_a_second() -> None:
    async def main() -> dict[PowerMode, int]:
        found: dict[PowerMode, int] = {}
        async with Stage() as stage:
            ticks = stage.context.metrics.histogram("vivavoce_loop_lag_seconds")
            for mode in PowerMode:
                await stage.mode(mode)
                before = ticks.count
                await asyncio.sleep(100)
                found[mode] = ticks.count - before
        return found

    ticks = run_virtual(main)
    assert ticks[PowerMode.ACTIVE] == pytest.approx(200, abs=1)
    assert ticks[PowerMode.LISTENING] == pytest.approx(100, abs=1)
    for mode in (PowerMode.IDLE, PowerMode.PARKED, PowerMode.CLOSED):
        assert ticks[mode] <= 20


def test_a_change_of_mode_is_felt_at_once() -> None:
    async def main() -> None:
        async with Stage() as stage:
            ticks = stage.context.metrics.histogram("vivavoce_loop_lag_seconds")
            await stage.mode(PowerMode.IDLE)
            await asyncio.sleep(7.5)
            before = ticks.count
            await stage.mode(PowerMode.ACTIVE)
            await asyncio.sleep(2.05)
            assert ticks.count - before == 4
        assert ticks.maximum == pytest.approx(0.0, abs=1e-9), "a tick cut short is not late"

    run_virtual(main)


def test_each_mode_is_charged_with_its_own_time_and_cpu() -> None:
    async def main() -> None:
        async with Stage() as stage:
            await stage.mode(PowerMode.LISTENING)
            stage.sensors.cpu_per_s = 0.0
            await asyncio.sleep(100)
            await stage.mode(PowerMode.IDLE)
            await asyncio.sleep(50)
            modes = (await stage.ask("statistics")).modes
            counters = stage.context.metrics.counters()
        assert modes[PowerMode.LISTENING].seconds == pytest.approx(100, abs=0.1)
        assert modes[PowerMode.IDLE].seconds == pytest.approx(50, abs=0.1)
        assert modes[PowerMode.IDLE].wakeups_per_s == pytest.approx(10, rel=0.05)
        seconds = counters['vivavoce_mode_seconds_total{mode="listening"}']
        assert seconds == pytest.approx(100, abs=0.1)

    run_virtual(main)


def test_cpu_while_listening_is_judged_and_advised_upon() -> None:
    async def main() -> None:
        async with Stage() as stage:
            stage.sensors.cpu_per_s = 0.02
            await stage.mode(PowerMode.LISTENING)
            await asyncio.sleep(50)
            assert await stage.ask("check") == (), "too early to judge"
            await asyncio.sleep(50)
            (finding,) = await stage.ask("check")
            assert finding.name == "listening_cpu_percent"
            assert finding.measured == pytest.approx(2.0, rel=0.05)
            advice = await stage.ask("recommendations")
            assert "power.listening.block_ms" in [one.setting for one in advice]
            assert "power.listening.block_ms: 256" in await stage.ask("report")

    run_virtual(main)


def test_lag_is_judged_by_the_worst_of_the_last_minute() -> None:
    async def main() -> None:
        async with Stage() as stage:
            lag = stage.context.metrics.gauge("vivavoce_lag_seconds")
            await asyncio.sleep(5)
            lag.set(4.2)
            await asyncio.sleep(1)
            lag.set(0.0)
            await asyncio.sleep(30)
            (finding,) = await stage.ask("check")
            assert (finding.name, finding.measured) == ("lag_s", 4.2)
            assert finding.since < 12, "seen by the sample after it happened"
            await asyncio.sleep(60)
            assert await stage.ask("check") == ()

    run_virtual(main)


def test_a_recording_that_is_read_ahead_has_no_lag() -> None:
    async def main() -> None:
        async with Stage(live=False) as stage:
            stage.context.metrics.gauge("vivavoce_lag_seconds").set(100.0)
            await asyncio.sleep(10)
            assert await stage.ask("check") == ()

    run_virtual(main)


def test_latencies_come_from_the_captions_themselves() -> None:
    async def main() -> None:
        async with Stage() as stage:
            await asyncio.sleep(9.99)  # second 10 of the stream
            latency = Latency(endpoint=0.64, queued=0.1, decode=0.5, total=1.5)
            partial = Partial(utterance=1, revision=1, start=0, end=152_000, stable="", tail="a")
            final = Final(
                utterance=1, start=0, end=128_000, text="a", model="base.en", latency=latency
            )
            await stage.inbox.send(partial)
            await stage.inbox.send(final)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            found = stage.context.metrics.histograms()
            assert found["vivavoce_partial_shown_seconds"].maximum == pytest.approx(0.5)
            assert found["vivavoce_speech_to_final_seconds"].maximum == pytest.approx(2.0)
            stages = {
                stage: found[f'vivavoce_stage_seconds{{stage="{stage}"}}'].maximum
                for stage in ("endpoint", "queue", "decode", "delivery")
            }
            assert stages == pytest.approx(
                {"endpoint": 0.64, "queue": 0.1, "decode": 0.5, "delivery": 0.5}
            )
            facts = (await stage.ask("statistics")).facts
            assert (facts.model, facts.real_time_factor) == ("base.en", 0.5 / 8)

    run_virtual(main)


def test_slow_finals_are_found() -> None:
    async def main() -> None:
        async with Stage() as stage:
            finals = stage.context.metrics.histogram("vivavoce_endpoint_to_final_seconds")
            finals.observe(9.0)
            await asyncio.sleep(5)
            assert await stage.ask("check") == (), "one is an accident"
            for _ in range(5):
                finals.observe(2.0)
            assert names(await stage.ask("check")) == ["final_ms"]
            await asyncio.sleep(400)
            assert await stage.ask("check") == (), "it was better lately"

    run_virtual(main)


def test_a_slow_loop_is_found() -> None:
    class Late:
        """A clock whose sleeps take 30 ms longer."""

        def now(self) -> float:
            return asyncio.get_running_loop().time()

        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(seconds + 0.03)

    async def main() -> None:
        stage = Stage()
        stage.monitor.context = dataclasses.replace(stage.context, clock=Late())
        async with stage:
            await asyncio.sleep(120)
            (finding,) = await stage.ask("check")
            assert finding.name == "loop_lag_ms"
            assert finding.measured == pytest.approx(30, rel=0.13)

    run_virtual(main)


@pytest.mark.parametrize("error", [PermissionError("no"), ValueError("odd"), "psutil"])
def test_a_sensor_that_fails_is_noted_and_left_out(error: Any) -> None:
    import psutil

    async def main() -> None:
        async with Stage() as stage:
            stage.sensors.broken = psutil.AccessDenied(1) if error == "psutil" else error
            await asyncio.sleep(20)
            summary = await stage.ask("statistics")
            assert list(summary.unreadable) == ["process"]
            assert summary.process is None
            assert summary.memory is not None
            assert "process: not readable" in await stage.ask("report")
            stage.sensors.broken = None
            assert (await stage.ask("statistics")).unreadable == {}

    run_virtual(main)


def test_a_bug_in_the_monitor_does_not_end_the_run() -> None:
    async def main() -> None:
        async with Stage() as stage:
            stage.sensors.broken = KeyError("bug")
            await asyncio.sleep(20)
            assert await stage.ask("check") == ()
            failures = stage.context.metrics.counters()
            assert failures['vivavoce_monitor_failures_total{kind="KeyError"}'] > 2
        assert stage.task.exception() is None

    run_virtual(main)


def test_short_memory_trims_and_then_parks() -> None:
    trimmed: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with Stage(on_trim=lambda: trimmed.append(loop.time())) as stage:
            await asyncio.sleep(20)
            assert trimmed == []
            stage.sensors.free = GB // 10
            await asyncio.sleep(10)
            assert len(trimmed) == 1
            assert stage.told == []
            await asyncio.sleep(30)
            assert (len(trimmed), stage.told) == (1, [PowerEvent.SLEEP])
            assert names(await stage.ask("check")) == ["memory_short"]
            stage.sensors.free = 4 * GB
            await asyncio.sleep(100)
            assert await stage.ask("check") == ()

    run_virtual(main)


@pytest.mark.thorough
def test_a_leak_is_found_in_hours_and_the_growing_types_are_named() -> None:
    class Leaked:
        pass

    kept: list[Leaked] = []

    def resident(hour: float) -> float:
        kept.extend(Leaked() for _ in range(20))
        return 60e6 + 8e6 * hour

    async def main() -> None:
        async with Stage() as stage:
            await stage.mode(PowerMode.IDLE)
            stage.sensors.resident = resident
            await asyncio.sleep(4 * 3_600)
            findings = await stage.ask("check")
            assert names(findings) == ["memory_slope_mb_per_hour"]
            assert findings[0].measured == pytest.approx(8.0, rel=0.05)
            (advice,) = await stage.ask("recommendations")
            assert "Leaked" in advice.text

    run_virtual(main)


def test_the_drain_of_the_battery_is_a_slope() -> None:
    async def main() -> None:
        async with Stage("targets.battery_percent_per_hour=10") as stage:
            await stage.mode(PowerMode.IDLE)
            for minute in range(60):
                percent = 90 - minute / 3
                stage.sensors.charge = BatteryReading(percent=percent, plugged=False)
                await asyncio.sleep(60)
            (finding,) = await stage.ask("check")
            assert finding.name == "battery_percent_per_hour"
            assert finding.measured == pytest.approx(20, rel=0.05)
            stage.sensors.charge = BatteryReading(percent=70, plugged=True)
            await asyncio.sleep(130)
            assert await stage.ask("check") == ()

    run_virtual(main)


def test_targets_of_a_changed_profile_hold_at_once() -> None:
    async def main() -> None:
        async with Stage() as stage:
            await asyncio.sleep(5)
            assert await stage.ask("check") == ()
            changed = load_profile("captions", environ={}, overrides=["targets.main_memory_mb=50"])
            stage.context.settings.put(changed)
            assert names(await stage.ask("check")) == ["main_memory_mb"]

    run_virtual(main)


def test_what_it_does_not_know_it_says() -> None:
    async def main() -> None:
        async with Stage() as stage:
            with pytest.raises(NotImplementedError):
                await stage.ask("weather")

    run_virtual(main)


def test_health_follows_engine_audio_and_mode() -> None:
    ready = [False]

    async def main() -> None:
        async with Stage(engine_ready=lambda: ready[0]) as stage:
            before = await stage.ask("health")
            assert (before.live, before.ready, before.engine) == (True, False, "loading")
            ready[0] = True
            stage.context.ledger.capture(16_000)
            fine = await stage.ask("health")
            assert (fine.live, fine.ready, fine.captured_s) == (True, True, 1.0)
            assert fine.last_caption_age_s is None
            await asyncio.sleep(100)
            stalled = await stage.ask("health")
            assert (stalled.live, stalled.ready) == (False, False)
            assert stalled.audio_age_s == pytest.approx(100, abs=1)
            ready[0] = False
            parked = Power(
                mode=PowerMode.CLOSED,
                settings=ModeSettings(microphone="closed", engine="stopped"),
                engine=False,
            )
            await stage.supervisor.tell_power(parked)
            asleep = await stage.ask("health")
            assert (asleep.live, asleep.ready, asleep.engine) == (True, True, "parked")
            assert asleep.power_mode == "closed"
            assert msgspec.to_builtins(asleep)["power_mode"] == "closed"

    run_virtual(main)


def test_no_sensor_is_read_in_the_loop() -> None:
    async def main() -> None:
        async with Stage() as stage:
            await asyncio.sleep(70)
            await stage.mode(PowerMode.IDLE)
            await asyncio.sleep(70)
            for question in ("check", "recommendations", "report", "statistics"):
                await stage.ask(question)
            await stage.inbox.send(EndOfStream(end=16_000))
            await asyncio.sleep(1)
            assert len(stage.sensors.asked) >= 18
            assert threading.main_thread() not in stage.sensors.threads

    run_virtual(main)


def test_what_is_known_can_be_had_at_any_time_without_a_look() -> None:
    async def main() -> None:
        async with Stage() as stage:
            assert stage.monitor.check() == (), "before the first look"
            await asyncio.sleep(30)
            looks = len(stage.sensors.asked)
            stage.sensors.resident = lambda _: 500e6
            finals = stage.context.metrics.histogram("vivavoce_endpoint_to_final_seconds")
            for _ in range(5):
                finals.observe(2.0)
            assert names(stage.monitor.check()) == ["final_ms"], "instruments as of now"
            assert "500.0 MB" not in stage.monitor.report(), "sensors as of the last look"
            assert len(stage.sensors.asked) == looks
            assert names(await stage.ask("check")) == ["final_ms", "main_memory_mb"]
            assert "500.0 MB" in stage.monitor.report()

    run_virtual(main)


async def test_a_sensor_that_hangs_stops_neither_loop_nor_answers(monkeypatch: Any) -> None:
    monkeypatch.setattr("vivavoce.actors.monitor.actor._PATIENCE_S", 0.05)
    hanging = threading.Event()
    looks = 0

    class Hanging(Scripted):
        def engines(self) -> EngineReading:
            nonlocal looks
            looks += 1
            hanging.wait()
            return super().engines()

    stage = Stage()
    stage.monitor._sensors = Hanging(asyncio.get_running_loop().time)
    try:
        async with stage:
            finals = stage.context.metrics.histogram("vivavoce_endpoint_to_final_seconds")
            for _ in range(5):
                finals.observe(2.0)
            for _ in range(3):
                assert names(await stage.ask("check")) == ["final_ms"]
            ticks = stage.context.metrics.histogram("vivavoce_loop_lag_seconds")
            while not ticks.count:
                await asyncio.sleep(0.05)
            assert looks == 1, "one look at a time"
    finally:
        hanging.set()


def test_who_holds_up_the_pipeline_and_who_loses_events_is_named() -> None:
    async def main() -> None:
        deaf: Channel[int] = Channel(1, name="deaf")
        lossy: Channel[int] = Channel(1, Overload.DROP_OLDEST, name="lossy")
        vad: Channel[int] = Channel(1, name="vad")
        own: list[Channel[Any]] = []
        async with Stage(
            channels=lambda: {one.name: one.statistics() for one in (deaf, lossy, vad, *own)},
            readers=lambda: ["deaf", "lossy", "monitor"],
        ) as stage:
            own.append(stage.inbox)
            assert stage.monitor.check() == ()
            sending = [asyncio.create_task(one.send(n)) for one in (deaf, vad) for n in range(2)]
            for number in range(4):
                await lossy.send(number)
            for _ in range(1_000):  # more than its mailbox holds
                stage.inbox.send_nowait(GAP)
            await asyncio.sleep(4)
            (lost,) = stage.monitor.check()
            assert (lost.name, lost.measured) == ("dropped_events", 3)
            assert "'lossy' 3" in lost.what
            assert "monitor" not in lost.what
            await asyncio.sleep(2)
            stalled, _ = stage.monitor.check()
            assert stalled.name == "stalled_subscriber"
            assert stalled.what == "subscriber 'deaf' does not read and holds up the pipeline"
            assert stalled.measured == pytest.approx(6)
            assert "'deaf'" in stage.monitor.recommendations()[0].text
            await deaf.receive()
            assert names(stage.monitor.check()) == ["dropped_events"]
            await vad.receive()
            await asyncio.gather(*sending)

    run_virtual(main)


def test_another_subscriber_of_the_same_name_begins_at_nothing() -> None:
    async def main() -> None:
        lossy: list[Channel[int]] = [Channel(1, Overload.LATEST, name="lossy")]
        async with Stage(
            channels=lambda: {one.name: one.statistics() for one in lossy},
            readers=lambda: ["lossy"],
        ) as stage:
            for number in range(9):
                lossy[0].send_nowait(number)
            await asyncio.sleep(5)
            assert [one.measured for one in stage.monitor.check()] == [8]
            lossy[0] = Channel(1, Overload.LATEST, name="lossy")
            assert stage.monitor.check() == ()
            for number in range(3):
                lossy[0].send_nowait(number)
            assert [one.measured for one in stage.monitor.check()] == [2]

    run_virtual(main)


def test_two_runs_in_virtual_time_are_the_same() -> None:
    async def main() -> list[float]:
        async with Stage() as stage:
            await asyncio.sleep(33)
            await stage.mode(PowerMode.IDLE)
            await asyncio.sleep(333)
            return stage.sensors.asked

    assert run_virtual(main) == run_virtual(main)
