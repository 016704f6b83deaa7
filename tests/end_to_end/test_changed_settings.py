"""What a running pipeline does follows the profile that holds now, wherever it is read.

A row fails when somebody keeps a copy of a setting and is not told that it changed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest
from support.program import SPEECH, read_wave

import vivavoce
from vivavoce.actors.desktop.delivery import Delivery
from vivavoce.actors.history.reading import Reader
from vivavoce.config import load_profile
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.log import HostLog, use_sink
from vivavoce.testing import ScriptedEngine

pytestmark = pytest.mark.thorough

SAID = np.frombuffer(read_wave(SPEECH / "utt-025-rms.wav"), dtype=np.int16)
BLOCK = 1_600


class World:
    """A pipeline, and a microphone in virtual time.

    Args:
        folder: for what it writes; ``FOLDER`` in an override is replaced by it.
        overrides: the profile's.
    """

    def __init__(self, folder: Path, *overrides: str) -> None:
        self.folder = folder
        self.overrides = overrides
        self.pipeline = vivavoce.Pipeline(
            self.profile(), source=vivavoce.PushSource(), engine=ScriptedEngine(), environ={}
        )

    def profile(self, *changed: str) -> vivavoce.Profile:
        overrides = [one.replace("FOLDER", str(self.folder)) for one in self.overrides + changed]
        return load_profile("captions", environ={}, overrides=overrides)

    async def hear(self, seconds: float) -> None:
        """Silence."""
        await self._hear(np.zeros(round(16_000 * seconds), np.int16))

    async def say(self) -> list[Any]:
        """One utterance; all events until it is done with."""
        with self.pipeline.subscribe(1_000) as events:
            await self._hear(SAID)
            await self.hear(3.0)
            await asyncio.sleep(2.0)
            return [events.receive_nowait() for _ in range(len(events))]

    async def record(self, seconds: float) -> float:
        """A recording that ends by command; its length in seconds."""
        with self.pipeline.subscribe(1_000) as events:
            await self.hear(2.0)
            self.pipeline.trigger.start()
            await self.hear(seconds)
            self.pipeline.trigger.stop()
            await self.hear(2.0)
            all_of_it = [events.receive_nowait() for _ in range(len(events))]
        (ended,) = (one for one in all_of_it if isinstance(one, vivavoce.RecordingEnded))
        return (ended.end - ended.start) / 16_000

    async def _hear(self, samples: np.ndarray) -> None:
        for at in range(0, len(samples), BLOCK):
            await self.pipeline.feed(samples[at : at + BLOCK])
            await asyncio.sleep(len(samples[at : at + BLOCK]) / 16_000)


async def recorded(world: World) -> float:
    return round(await world.record(1.0), 1)


async def still_records(world: World) -> bool:
    world.pipeline.trigger.start()
    await world.hear(4.0)
    recording = world.pipeline.trigger.recording
    world.pipeline.trigger.cancel()
    return recording


async def mode_of_the_trigger(world: World) -> str:
    return world.pipeline.trigger.mode


async def hotkeys_are_missed(world: World) -> bool:
    await world.hear(1.0)
    return "hotkey" in world.pipeline.desktop.problem


async def power_mode(world: World) -> str:
    await world.hear(6.0)
    return str(world.pipeline.power_mode)


async def memory_is_too_much(world: World) -> bool:
    await world.hear(2.0)
    return "main_memory_mb" in [finding.name for finding in world.pipeline.check()]


async def something_is_typed(world: World) -> bool:
    """Or was tried: the writer is a thread, and may be late for a clock that jumps."""
    reported: list[Delivery] = []
    world.pipeline.desktop.on_delivery(reported.append)
    await world.say()
    await asyncio.sleep(60.0)
    return bool(reported)


async def partials_are_shown(world: World) -> bool:
    return any(isinstance(event, vivavoce.Partial) for event in await world.say())


async def text_is_in_capitals(world: World) -> bool:
    finals = [event.text for event in await world.say() if isinstance(event, vivavoce.Final)]
    return finals[0][0].isupper()


ROWS: dict[str, tuple[Callable[[World], Awaitable[Any]], list[str], Any, list[str], Any]] = {
    "trigger.tail_ms": (
        recorded,
        ["trigger.mode=manual", "trigger.pre_roll_ms=0", "trigger.tail_ms=0"], 1.0,
        ["trigger.tail_ms=500"], 1.5,
    ),
    "trigger.pre_roll_ms": (
        recorded,
        ["trigger.mode=manual", "trigger.pre_roll_ms=0", "trigger.tail_ms=0"], 1.0,
        ["trigger.pre_roll_ms=300"], 1.3,
    ),
    "trigger.max_recording_s": (
        still_records, ["trigger.mode=manual"], True, ["trigger.max_recording_s=2"], False
    ),
    "trigger.mode": (
        mode_of_the_trigger, ["trigger.mode=manual"], "manual", ["trigger.mode=toggle"], "toggle"
    ),
    "trigger.hotkey": (
        hotkeys_are_missed, ["trigger.mode=hold"], False, ["trigger.hotkey=f9"], True
    ),
    "power.idle_after_s": (
        power_mode,
        ["power.listening_after_s=1", "power.idle_after_s=500"], "listening",
        ["power.idle_after_s=2"], "idle",
    ),
    "power.mode": (
        power_mode, ["power.listening_after_s=1"], "listening", ["power.mode=parked"], "parked"
    ),
    "targets.main_memory_mb": (
        memory_is_too_much, ["targets.main_memory_mb=100000"], False,
        ["targets.main_memory_mb=1"], True,
    ),
    "injection.backend": (
        something_is_typed, ["injection.backend=file", "injection.file=FOLDER/file"], True,
        ["injection.backend=none"], False,
    ),
    "transcription.partials": (
        partials_are_shown, [], True, ["transcription.partials=false"], False
    ),
    "cleanup.sentence_case": (
        text_is_in_capitals, ["cleanup.sentence_case=true"], True,
        ["cleanup.sentence_case=false"], False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("setting", ROWS)
def test_what_holds_is_what_was_changed_to(setting: str, tmp_path: Path) -> None:
    seen, before, first, after, second = ROWS[setting]

    async def scene() -> None:
        world = World(tmp_path, *before)
        async with world.pipeline as pipeline:
            assert await seen(world) == first
            changed = world.profile(*after)
            await pipeline.reconfigure(changed)
            assert pipeline.profile == pipeline.context.settings.profile == changed
            assert await seen(world) == second
            await pipeline.reconfigure(world.profile())
            assert await seen(world) == first

    run_virtual(scene)


def test_what_a_condition_of_the_machine_changes_is_felt_by_those_who_are_no_actors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    battery = SimpleNamespace(power_plugged=True, percent=80.0, secsleft=3_600)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery)

    async def scene() -> None:
        mains = World(tmp_path, "power.on_battery.settings={trigger: {mode: hold, hotkey: f9}}")
        async with mains.pipeline as pipeline:
            assert not await hotkeys_are_missed(mains)
            battery.power_plugged = False
            await asyncio.sleep(130)
            assert await hotkeys_are_missed(mains)
            assert pipeline.trigger.mode == "hold"
            assert pipeline.profile.trigger.hotkey is None

    run_virtual(scene)


def test_what_is_logged_and_told_a_person_follows_the_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "vivavoce")
    monkeypatch.setenv("PATH", str(tmp_path))  # where no notify-send is

    async def scene() -> None:
        use_sink(HostLog())  # for what is logged here, outside of the pipeline's tasks
        world = World(tmp_path, "trigger.mode=manual", "log.level=error")
        async with world.pipeline as pipeline:
            await world.record(1.0)
            pipeline.force_power("parked")
            await world.hear(1.0)
            both = "log.levels={power: info}", "trigger.feedback.notifications=true"
            await pipeline.reconfigure(world.profile(*both))
            pipeline.force_power("idle")
            await world.hear(1.0)
            await world.record(1.0)

    run_virtual(scene)
    told = "\n".join(caplog.messages)
    assert "power mode idle" in told
    assert "power mode parked" not in told
    assert told.count("a notification could not be shown") == 1


def test_what_is_kept_follows_the_profile(tmp_path: Path) -> None:
    path = tmp_path / "history"

    async def scene() -> list[int]:
        kept: list[int] = []
        world = World(tmp_path, "history.enabled=true", f"history.path={path}")
        async with world.pipeline as pipeline:
            for enabled in ("true", "false", "true"):
                await pipeline.reconfigure(world.profile(f"history.enabled={enabled}"))
                finals = [one for one in await world.say() if isinstance(one, vivavoce.Final)]
                kept += [one.utterance for one in finals] if enabled == "true" else []
        return kept

    kept = run_virtual(scene)
    assert kept
    with Reader(path) as reader:
        assert [row.utterance for row in reader.every()] == kept
