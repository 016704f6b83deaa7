"""An engine that is too slow: what is given up and in which order, and that nothing is lost."""

import asyncio
import itertools
import statistics

import pytest
from support.scene import Scene, expected_text, finals, only, play
from support.talk import Listener, talk, words

from vivavoce.actors.transcription.overload import LagWatch, Rung
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import EndOfStream, Final, Partial
from vivavoce.testing import ScriptedEngine

TURNS = 30
SLOW_S, CHEAP_S, FAST_S = 4.0, 1.0, 0.1


class Overloaded(Scene):
    """Sentences of two seconds, half a second between them; the engine becomes fast later."""

    def __init__(self, **settings: object) -> None:
        super().__init__(ScriptedEngine(exact_s=SLOW_S, cheap_s=CHEAP_S), **settings)
        self.rungs: list[tuple[float, Rung]] = []
        self.lags: list[float] = []
        self.ended: dict[int, float] = {}
        self.answers: list[str] = []

    async def script(self, _: Scene) -> None:
        watching = asyncio.create_task(self.watch())
        asking = asyncio.create_task(self.keep_asking())
        await self.silence(1.0)
        for _ in range(TURNS):
            await self.turn()
        self.fast_from = asyncio.get_running_loop().time()
        self.engine.exact_s = FAST_S
        for _ in range(TURNS):
            await self.turn()
        watching.cancel()
        asking.cancel()

    async def turn(self) -> None:
        await self.utterance(2.0)
        self.ended[self.number] = asyncio.get_running_loop().time()
        await self.silence(0.5)

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            gauges = self.context.metrics.gauges()
            rung = Rung(int(gauges["vivavoce_overload_rung"]))
            if not self.rungs or self.rungs[-1][1] is not rung:
                self.rungs.append((asyncio.get_running_loop().time(), rung))
            self.lags.append(gauges["vivavoce_lag_seconds"])

    async def keep_asking(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            try:
                answer = await self.ask("engine")
            except TimeoutError:
                continue
            self.answers.append(answer["rung"])


@pytest.fixture(scope="module")
def overloaded() -> Overloaded:
    scene = Overloaded()
    play(scene, scene.script)
    return scene


def test_it_climbs_rung_by_rung_and_comes_down_again(overloaded: Overloaded) -> None:
    rungs = [rung for _, rung in overloaded.rungs]
    assert rungs[: Rung.CHEAPER_FINALS + 1] == list(Rung)
    assert rungs[-1] is Rung.KEEPING_UP
    # Down one at a time, each after ten calm seconds.
    for (_, before), (_, after) in itertools.pairwise(overloaded.rungs):
        assert after >= before - 1
    down = [at for at, rung in overloaded.rungs if at > overloaded.fast_from]
    assert all(later - earlier >= 9.9 for earlier, later in itertools.pairwise(down))


def test_who_asks_is_told_the_rung(overloaded: Overloaded) -> None:
    assert overloaded.answers[0] == "keeping up"
    assert {"fewer partials", "no partials", "cheaper finals"} <= set(overloaded.answers)
    assert overloaded.answers[-1] == "keeping up"


def test_every_utterance_has_its_final_in_order(overloaded: Overloaded) -> None:
    said = finals(event for _, event in overloaded.events)
    assert [final.utterance for final in said] == list(range(1, 2 * TURNS + 1))
    for final in said:
        assert final.text == expected_text(final.start, final.end)
    summary = overloaded.context.ledger.summary()
    assert (summary.dropped, summary.pending) == (0, 0)
    assert summary.balanced
    assert isinstance(overloaded.events[-1][1], EndOfStream)


def test_lag_is_bounded_and_gone_in_the_end(overloaded: Overloaded) -> None:
    """Without the ladder a quarter of an hour of speech would be behind by minutes."""
    waits = [
        at - overloaded.ended[event.utterance]
        for at, event in overloaded.events
        if event in finals([event])
    ]
    assert max(waits) < 20
    assert max(overloaded.lags) < 12
    assert max(waits[-5:]) < 0.2
    assert overloaded.lags[-1] < 0.5


def test_finals_become_cheap_only_on_the_last_rung(overloaded: Overloaded) -> None:
    cheap = [cheap for _, _, cheap in overloaded.engine.exacts]
    for at, is_cheap in zip(overloaded.engine.exacts_at, cheap, strict=True):
        near = {rung for since, rung in overloaded.rungs if abs(since - at) < 0.2}
        now = [rung for since, rung in overloaded.rungs if since <= at][-1:]
        assert is_cheap in {rung is Rung.CHEAPER_FINALS for rung in (*near, *now)}
    assert not any(cheap[-5:]), "and exact again when there is time"
    assert 5 < sum(cheap) < 2 * TURNS


def test_partials_thin_out_then_stop_then_come_back(overloaded: Overloaded) -> None:
    spans = [
        (rung, at, until)
        for (at, rung), (until, _) in zip(
            overloaded.rungs, [*overloaded.rungs[1:], (overloaded.events[-1][0], None)], strict=True
        )
    ]
    shown = overloaded.shown_at(Partial)
    rates: dict[Rung, list[int]] = {rung: [0, 0] for rung in Rung}
    for rung, at, until in spans:
        inside = sum(at + 0.2 < one < until - 0.2 for one in shown)
        rates[rung][0] += inside
        rates[rung][1] += until - at
    rate = {rung: count / max(time, 1e-9) for rung, (count, time) in rates.items()}
    assert rate[Rung.NO_PARTIALS] == rate[Rung.CHEAPER_FINALS] == 0
    assert 0 < rate[Rung.FEWER_PARTIALS] < 0.7 * rate[Rung.KEEPING_UP]
    last = [event for _, event in overloaded.events if isinstance(event, Partial)][-1]
    assert last.utterance == 2 * TURNS


def finals_of(scene: Scene) -> list:
    return finals(event for _, event in scene.events)


def test_with_the_ladder_off_every_final_is_exact() -> None:
    scene = Overloaded(overload_ladder=False)
    play(scene, scene.script)
    assert not any(cheap for _, _, cheap in scene.engine.exacts)
    assert scene.rungs == [(scene.rungs[0][0], Rung.KEEPING_UP)]
    assert len(finals_of(scene)) == 2 * TURNS


def test_unbroken_speech_that_the_engine_cannot_follow_climbs_too() -> None:
    """Speech that waits behind a full window is behind as much as speech that has ended."""

    async def script(scene: Scene) -> None:
        await scene.silence(3.5)
        await scene.begin()
        for _ in range(280):
            await scene.say(1.0)
            rungs.append(int(scene.gauge("overload_rung")))
        await scene.end()

    rungs: list[int] = []
    scene = Scene(Listener(exact_s=40.0, cheap_s=2.0), sound=talk, partials=False)
    events = play(scene, script)
    said = finals(events)
    assert " ".join(final.text for final in said) == words(7, 567)
    assert sorted(set(rungs)) == list(Rung), "one after the other"
    assert any(cheap for _, _, cheap in scene.engine.exacts)
    behind = [at - final.end / RATE for at, final in scene.events if isinstance(final, Final)]
    assert max(behind) < 28 + 2 * 40 + 5
    assert statistics.median(behind[len(behind) // 2 :]) < 28 + 15


@pytest.mark.parametrize("ahead", [True, False])
def test_speech_without_an_end_that_is_not_decoded_holds_the_sender_up(ahead: bool) -> None:
    """Memory is bounded: what waits in the open window counts as well."""

    async def script(scene: Scene) -> None:
        await scene.begin()
        for _ in range(400):
            await scene.say(1.0)
            window = next(scene.actor._backlog.windows())
            kept.append((window.heard - window.start) / RATE)
        await scene.end()

    kept: list[float] = []
    engine = Listener(exact_s=150.0)
    settings = {"partials": False, "overload_ladder": False, "max_pending": 2}
    scene = Scene(engine, sound=talk, ahead=ahead, **settings)
    said = finals(play(scene, script))
    assert " ".join(final.text for final in said) == words(0, 800)
    assert max(kept) < 108 + 4 * 28
    assert scene.inbox.statistics().blocked_s > 60


def test_a_slow_engine_of_partials_only_is_no_overload() -> None:
    async def script(scene: Scene) -> None:
        for _ in range(10):
            await scene.utterance(3.0)
            await scene.silence(1.0)

    scene = Scene(ScriptedEngine(partial_s=1.0, exact_s=0.1))
    events = play(scene, script)
    assert scene.gauge("overload_rung") == 0
    assert len(finals(events)) == 10
    assert only(events, Partial)


class _Running:
    running, generation = True, 1


def test_who_waits_for_one_decoding_keeps_up_however_slow_it_is() -> None:
    async def scene() -> None:
        context = ActorContext()
        watch = LagWatch(TranscriptionSettings(max_lag_ms=6_000), context)
        watch.note(0.0, _Running())  # the engine is known, and has caught up
        watch.note(3.5, _Running(), decoding_s=3.0)
        assert watch.rung is Rung.KEEPING_UP
        assert context.metrics.gauges()["vivavoce_lag_seconds"] == 3.5
        watch.note(5.1, _Running(), decoding_s=3.0)
        assert watch.rung is Rung.FEWER_PARTIALS
        watch.note(9.1, _Running(), decoding_s=3.0)
        assert watch.rung is Rung.CHEAPER_FINALS

    run_virtual(scene)
