"""The engine as the room sees it: sessions, replay, deaths, replacement, wanted or not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import numpy as np
import pytest

from vivavoce.actors.transcription.company import Company
from vivavoce.actors.transcription.engine import RecognitionEngine
from vivavoce.actors.transcription.engines.base import EngineDied, EngineError, Hypothesis
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.clock import run_virtual
from vivavoce.testing import ScriptedEngine

RATE = 16_000
T = TypeVar("T")


class Window:
    """Audio in which each sample tells its half second; begins at ``start``."""

    def __init__(self, key: int = 1, start: int = 5 * RATE, seconds: float = 4.0) -> None:
        self.key = key
        self.start = start
        self._first = start
        self.end = start + round(seconds * RATE)
        self._audio = (np.arange(start, self.end) // (RATE // 2)).astype(np.int16)
        self.read: list[tuple[int, int]] = []

    def audio(self, begin: int, end: int) -> bytes:
        self.read.append((begin, min(end, self.end)))
        return self._audio[begin - self._first : end - self._first].tobytes()


class Room:
    """A ``RecognitionEngine`` over scripted ones."""

    def __init__(self, scripted: ScriptedEngine, **settings: Any) -> None:
        self.scripted = scripted
        self.context = ActorContext()
        self.news = 0
        self.settings = TranscriptionSettings(**settings)
        self.engine = RecognitionEngine(
            self.starter(scripted), self.settings, self.context, on_news=self._tell
        )

    def _tell(self) -> None:
        self.news += 1

    @staticmethod
    def starter(scripted: ScriptedEngine) -> Callable[[], Awaitable[ScriptedEngine]]:
        async def start() -> ScriptedEngine:
            await scripted.start()
            return scripted

        return start


def play(scene: Callable[[], Awaitable[T]]) -> T:
    async def limited() -> T:
        async with asyncio.timeout(1_000):
            return await scene()

    return run_virtual(limited)


def texts(found: Hypothesis | None) -> list[str]:
    assert found is not None
    return found.text.split()


# -- what a session hears


def test_a_session_hears_each_sample_once_and_answers_in_samples_of_the_capture() -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine()), Window()
        partial = await room.engine.partial(window, window.start + RATE)
        assert texts(partial) == ["w10", "w11"]
        assert partial.words[0].start == window.start
        exact = await room.engine.exact(window, window.start + 2 * RATE, cheap=True)
        assert texts(exact) == ["w10", "w11", "w12", "w13"]
        assert exact.samples == window.start + 2 * RATE
        assert texts(await room.engine.partial(window, window.start + RATE)) == ["w10", "w11"]
        first = window.start
        assert window.read == [(first, first + RATE), (first + RATE, first + 2 * RATE)]
        assert room.scripted.exacts == [(first, first + 2 * RATE, True)]
        assert room.scripted.starts == 1, "the first who asked started it"
        await room.engine.close(window)
        assert room.scripted.sessions == {}
        await room.engine.stop()

    play(scene)


def test_a_window_that_moves_on_is_forgotten_up_to_its_start() -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine()), Window()
        await room.engine.exact(window, window.start + 2 * RATE)
        window.start += RATE
        assert texts(await room.engine.exact(window, window.end))[0] == "w12"
        assert room.scripted.starts_of == {1: window.start}
        # It moves on beyond what was heard: nothing but what is left is sent.
        window.start = window.end - RATE // 2
        other = Window(key=2)
        await room.engine.partial(other, other.start + RATE)
        other.start += 2 * RATE
        window.read.clear()
        assert texts(await room.engine.partial(other, other.end)) == ["w14", "w15", "w16", "w17"]
        assert room.scripted.starts_of[2] == other.start
        await room.engine.stop()

    play(scene)


def test_partials_and_exact_ones_side_by_side_feed_nothing_twice() -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine(exact_s=1.0)), Window()
        await room.engine.ready()
        found = await asyncio.gather(
            room.engine.exact(window, window.end),
            room.engine.partial(window, window.start + RATE),
        )
        assert [len(texts(one)) for one in found] == [8, 2]
        assert window.read == [(window.start, window.end)]
        await room.engine.stop()

    play(scene)


def test_a_language_that_is_asked_for_reaches_the_engine() -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine()), Window()
        for ask in (room.engine.partial, room.engine.exact):
            found = await ask(window, window.end, language="de")
            assert found is not None
            assert found.language == "de"
        await room.engine.stop()

    play(scene)


# -- deaths


@pytest.mark.parametrize("deaths", [1, 2])
def test_an_engine_that_dies_hears_the_window_from_its_start(deaths: int) -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine()), Window()
        await room.engine.exact(window, window.start + RATE)
        window.start += RATE // 2
        room.scripted.dies_at += ["exact"] * deaths
        assert texts(await room.engine.exact(window, window.end))[0] == "w11"
        assert window.read[-1] == (window.start, window.end)
        assert room.engine.restarts == deaths
        assert room.engine.generation == 1 + deaths
        restarts = room.context.metrics.counter("vivavoce_engine_restarts_total")
        assert restarts.value == deaths
        await room.engine.stop()

    play(scene)


def test_a_window_that_kills_the_engine_three_times_is_set_aside() -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine(), max_engine_restarts=9), Window()
        room.scripted.dies_at += ["exact"] * 3
        assert await room.engine.exact(window, window.end) is None
        assert texts(await room.engine.exact(Window(key=2), window.end))
        await room.engine.stop()

    play(scene)


def test_a_window_that_fails_three_times_is_set_aside_and_heard_anew_each_time() -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine()), Window()
        room.scripted.errors_at += ["exact"] * 2
        assert texts(await room.engine.exact(window, window.end))
        assert window.read == [(window.start, window.end)] * 3
        room.scripted.errors_at += ["exact"] * 3
        assert await room.engine.exact(window, window.end) is None
        assert room.engine.restarts == 0
        await room.engine.stop()

    play(scene)


def test_a_partial_is_tried_once() -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine()), Window()
        room.scripted.dies_at.append("partial")
        assert await room.engine.partial(window, window.end) is None
        room.scripted.errors_at.append("partial")
        assert await room.engine.partial(window, window.end) is None
        assert texts(await room.engine.partial(window, window.end))
        assert room.engine.restarts == 1
        await room.engine.stop()

    play(scene)


def test_an_engine_that_dies_too_often_is_given_up_until_it_is_replaced() -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine(), max_engine_restarts=1), Window()
        room.scripted.dies_at += ["exact"] * 2
        with pytest.raises(EngineDied, match="too often within a minute"):
            await room.engine.exact(window, window.end)
        with pytest.raises(EngineDied, match="too often"):
            await room.engine.ready()
        assert isinstance(room.engine.failure, EngineDied)
        other = ScriptedEngine()
        await room.engine.replace(room.starter(other), room.settings)
        assert room.engine.failure is None
        assert texts(await room.engine.exact(window, window.end))
        await room.engine.stop()

    play(scene)


def test_several_who_see_the_same_death_count_it_once() -> None:
    async def scene() -> None:
        scripted = ScriptedEngine(exact_s=2.0, partial_s=2.0, side_by_side=3)
        room = Room(scripted)
        windows = [Window(key) for key in range(3)]
        asked = [asyncio.ensure_future(room.engine.exact(one, one.end)) for one in windows]
        asked.append(asyncio.ensure_future(room.engine.partial(windows[0], windows[0].end)))
        await asyncio.sleep(1.5)
        scripted.die()
        found = await asyncio.gather(*asked)
        assert [one is not None for one in found] == [True, True, True, False]
        assert room.engine.restarts == 1
        await room.engine.stop()

    play(scene)


class Fatal(ScriptedEngine):
    """Dies of the audio of one window, each time, while it decodes others."""

    async def exact(self, session, end, *, cheap=False, language=None):
        if session == 1:
            await asyncio.sleep(self.exact_s / 2)
            self.die()
        return await super().exact(session, end, cheap=cheap, language=language)


def test_a_window_that_kills_the_engine_costs_those_beside_it_a_delay_only() -> None:
    async def scene() -> None:
        room = Room(Fatal(exact_s=2.0, side_by_side=8), max_engine_restarts=9)
        windows = [Window(key) for key in range(8)]
        found = await asyncio.gather(*(room.engine.exact(one, one.end) for one in windows))
        assert [one is None for one in found] == [key == 1 for key in range(8)]
        assert room.engine.restarts == 3
        await room.engine.stop()

    play(scene)


def test_who_stops_waiting_to_be_alone_holds_nobody_up() -> None:
    async def scene() -> None:
        company = Company()
        async with company.together():
            waits = asyncio.ensure_future(company.alone().__aenter__())
            await asyncio.sleep(1)
            follows = asyncio.ensure_future(company.together().__aenter__())
            await asyncio.sleep(1)
            assert not waits.done()
            assert not follows.done(), "who wants to be alone goes first"
            waits.cancel()
            await asyncio.sleep(1)
            assert follows.done()

    play(scene)


# -- wanted or not


def test_it_is_there_while_it_is_wanted_also_after_a_death_in_silence() -> None:
    async def scene() -> None:
        room = Room(ScriptedEngine())
        assert not room.engine.running
        room.engine.want(True)
        await asyncio.sleep(1)
        assert room.engine.running
        news = room.news
        room.scripted.die()
        assert not room.engine.running
        assert room.news > news
        await asyncio.sleep(5)
        assert room.engine.running
        assert room.scripted.starts == 2
        room.engine.want(False)
        await asyncio.sleep(1)
        assert not room.scripted.running_now
        assert not room.engine.running
        room.engine.want(True)
        await asyncio.sleep(1)
        assert room.engine.running
        await room.engine.stop()

    play(scene)


def test_what_is_not_wanted_ends_when_the_last_window_is_closed() -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine()), Window()
        room.engine.want(False)
        await room.engine.partial(window, window.end)
        await asyncio.sleep(10)
        assert room.engine.running, "a window is open"
        asking = asyncio.ensure_future(room.engine.exact(Window(key=2), window.end))
        await room.engine.close(window)
        assert texts(await asking)
        await room.engine.close(Window(key=2))
        await asyncio.sleep(1)
        assert not room.engine.running
        assert room.scripted.starts == 1
        assert room.scripted.left_open == []
        await room.engine.stop()

    play(scene)


@pytest.mark.parametrize("pause", [0.0, 0.1, 0.5, 0.7])
def test_who_asks_while_it_ends_is_answered(pause: float) -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine()), Window()
        room.engine.want(True)
        await asyncio.sleep(pause)
        room.engine.want(False)
        asking = asyncio.ensure_future(room.engine.exact(window, window.end))
        await asyncio.sleep(pause)
        room.engine.want(True)
        assert texts(await asking)
        await asyncio.sleep(5)
        assert room.engine.running
        await room.engine.stop()
        assert not room.scripted.running_now

    play(scene)


def test_a_load_that_fails_is_told_and_tried_again_by_the_next_who_asks() -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine()), Window()
        room.scripted.cannot_load = EngineError("there is no such model", "model_not_found")
        room.engine.want(True)
        await asyncio.sleep(1)
        assert room.news == 1
        assert room.engine.failure is room.scripted.cannot_load
        with pytest.raises(EngineError, match="no such model"):
            await room.engine.exact(window, window.end)
        room.scripted.cannot_load = None
        assert texts(await room.engine.exact(window, window.end))
        assert room.engine.failure is None
        await room.engine.stop()

    play(scene)


def test_who_stops_waiting_does_not_stop_the_start() -> None:
    async def scene() -> None:
        room = Room(ScriptedEngine(load_s=2.0))
        waiting = [asyncio.ensure_future(room.engine.ready()) for _ in range(2)]
        await asyncio.sleep(1)
        waiting[0].cancel()
        await waiting[1]
        assert room.scripted.starts == 1
        await room.engine.stop()

    play(scene)


# -- another engine


def test_another_engine_takes_over_and_answers_what_the_old_one_was_asked() -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine(exact_s=3.0)), Window()
        other = ScriptedEngine(lambda _: (), load_s=2.0, model="other")
        asking = asyncio.ensure_future(room.engine.exact(window, window.end))
        await asyncio.sleep(1)
        await room.engine.replace(room.starter(other), room.settings)
        assert not room.scripted.running_now
        found = await asking
        assert found is not None
        assert found.text == ""
        assert room.engine.info.model == "other"
        assert room.engine.restarts == 0
        await room.engine.stop()
        assert not other.running_now

    play(scene)


def test_an_engine_that_cannot_be_loaded_replaces_nothing() -> None:
    async def scene() -> None:
        room, window = Room(ScriptedEngine()), Window()
        await room.engine.ready()
        other = ScriptedEngine()
        other.cannot_load = EngineError("no such model")
        with pytest.raises(EngineError, match="no such model"):
            await room.engine.replace(room.starter(other), room.settings)
        assert texts(await room.engine.exact(window, window.end))
        assert room.scripted.starts == 1
        await room.engine.stop()

    play(scene)
