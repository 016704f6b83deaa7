"""The whole room in random scenes: what always holds.

Random speech, pauses, ends, cancels, gaps, power modes and deaths of the engine, on the virtual
clock, played to the actor as the VAD would.
"""

import asyncio
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from support.scene import Scene, finals, play
from support.talk import Listener, talk

from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import (
    EndOfStream,
    EndReason,
    Final,
    Gap,
    GapReason,
    Partial,
    PowerMode,
    Revision,
    SpeechPaused,
)
from vivavoce.pipeline.power import Power

pytestmark = pytest.mark.thorough

ENDS = [EndReason.SILENCE, EndReason.RELEASED, EndReason.GAP, EndReason.END_OF_STREAM]

INSIDE = st.one_of(
    st.tuples(st.just("say"), st.floats(0.1, 9.0)),
    st.tuples(st.just("say"), st.floats(9.0, 35.0)),
    st.tuples(st.just("hesitate"), st.floats(0.2, 1.4)),
    st.tuples(st.just("dies"), st.sampled_from(["partial", "exact", "now"])),
    st.tuples(st.just("errors"), st.sampled_from(["partial", "exact"])),
    st.tuples(st.just("errors again"), st.integers(2, 4)),
    st.tuples(st.just("power"), st.booleans()),
    st.tuples(st.just("outlet"), st.none()),
)
BETWEEN = st.one_of(
    st.tuples(st.just("silence"), st.floats(0.1, 8.0)),
    st.tuples(st.just("gap"), st.integers(1, 3 * RATE)),
    st.tuples(st.just("dies"), st.just("now")),
    st.tuples(st.just("power"), st.booleans()),
)
STRETCH = st.tuples(
    st.lists(BETWEEN, max_size=2),
    st.lists(INSIDE, min_size=1, max_size=4),
    st.sampled_from([*ENDS, EndReason.SILENCE, EndReason.CANCELLED]),
    st.sampled_from([0.0, 0.3, 1.5]),  # the pause at its end
)


class FlakyOutlet:
    """What the actor emits to; refuses one message when it is told to."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.refuses = False

    async def send(self, message: Any) -> None:
        if self.refuses:
            self.refuses = False
            raise RuntimeError("once")
        await self.inner.send(message)

    def close(self) -> None:
        self.inner.close()


class Anything(Scene):
    """Notes which samples are nobody's, and where stretches ended."""

    def __init__(self, engine: Listener, **settings: Any) -> None:
        super().__init__(engine, sound=talk, max_engine_restarts=100, **settings)
        self.flaky = FlakyOutlet(self.out)
        self.actor.send_to(self.flaky)
        self.failures = 0
        self.nobodys: list[tuple[int, int]] = []
        self.stretches: list[tuple[int, int, EndReason]] = []

    async def perform(self, stretches: list[Any]) -> None:
        for between, inside, reason, pause_s in stretches:
            for what, how in between:
                await self.act(what, how)
            await self.begin()
            for what, how in inside:
                await self.act(what, how)
            if self.at > self.start and pause_s:
                await self.fall_silent(pause_s)
            await self.end(reason)
            self.stretches.append((self.start, self.at, reason))

    async def fall_silent(self, seconds: float) -> None:
        await self.inbox.send(SpeechPaused(utterance=self.number, end=self.at, at=self.at + 4_096))
        await asyncio.sleep(seconds)

    async def act(self, what: str, how: Any) -> None:
        match what:
            case "say":
                await self.say(how)
            case "hesitate":
                await self.hesitate(how)
            case "silence":
                at = self.at
                await self.silence(how)
                self.nobodys.append((at, self.at))
            case "gap":
                self.context.ledger.capture(self.at + how)
                self.context.ledger.drop(self.at, self.at + how)
                gap = Gap(start=self.at, end=self.at + how, reason=GapReason.OVERRUN)
                self.at += how
                await self.inbox.send(gap)
            case "dies" if how == "now":
                if self.engine.running_now:
                    self.engine.die()
            case "dies":
                self.engine.dies_at.append(how)
            case "errors":
                self.engine.errors_at.append(how)
            case "errors again":
                self.engine.errors_at += ["exact"] * how
            case "power":
                mode = PowerMode.LISTENING if how else PowerMode.PARKED
                await self.actor.on_power(Power(mode=mode, engine=how))
            case "outlet" if self.failures < 2:  # the supervisor restarts it three times a minute
                self.failures += 1
                self.flaky.refuses = True


def check_account(scene: Anything, events: list[Any]) -> None:
    """Each sample is in exactly one final, gap or silence; they come in order."""
    told = [(e.start, e.end) for e in events if isinstance(e, Final | Gap) and e.end > e.start]
    assert told == sorted(told)
    at = 0
    for start, end in sorted([*told, *scene.nobodys]):
        assert start == at
        at = end
    assert at == scene.at
    summary = scene.context.ledger.summary()
    assert summary.balanced
    assert summary.pending == 0
    assert summary.transcribed == sum(f.end - f.start for f in finals(events))


def check_finals(scene: Anything, events: list[Any], longest: int) -> None:
    said = finals(events)
    assert [final.utterance for final in said] == list(range(1, len(said) + 1))
    ends = {end for _, end, reason in scene.stretches if reason is not EndReason.CANCELLED}
    for final in said:
        assert final.window is not None
        begin, end = final.window
        assert begin <= final.start < final.end <= end <= begin + longest
        assert all(final.start <= w.start <= w.end <= final.end for w in final.words)
        assert final.ends_stretch == (final.end in ends)


def check_partials(events: list[Any]) -> None:
    """A partial has the number of the next final, and within it stable text only grows."""
    number, stable, revision = 1, "", 0
    for event in events:
        if isinstance(event, Final | Gap):
            number += isinstance(event, Final)
            stable, revision = "", 0
        elif isinstance(event, Partial):
            assert event.utterance == number
            assert event.revision == revision + 1
            assert event.stable.startswith(stable)
            stable, revision = event.stable, event.revision


def check_revisions(events: list[Any], *, drafted: bool) -> None:
    revised = [event.utterance for event in events if isinstance(event, Revision)]
    assert revised == ([final.utterance for final in finals(events)] if drafted else [])


COSTS = {"exact_s": [0.05, 0.5, 3.0, 12.0], "partial_s": [0.02, 0.3, 2.0], "load_s": [0.5, 5.0]}


@hypothesis.settings(
    max_examples=25, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
@hypothesis.given(
    stretches=st.lists(STRETCH, min_size=1, max_size=3),
    costs=st.fixed_dictionaries({name: st.sampled_from(of) for name, of in COSTS.items()}),
    ahead=st.booleans(),
    partials=st.booleans(),
    drafted=st.booleans(),
    longest_ms=st.sampled_from([28_000, 28_000, 5_000, 9_000]),
    pending=st.sampled_from([1, 4]),
)
def test_whatever_happens(
    stretches: list[Any],
    costs: dict[str, float],
    ahead: bool,
    partials: bool,
    drafted: bool,
    longest_ms: int,
    pending: int,
) -> None:
    together = 3 if ahead else 1
    engine = Listener(**costs, side_by_side=together)
    better = Listener(exact_s=0.4) if drafted else None
    scene = Anything(
        engine,
        reviser=better,
        ahead=ahead,
        side_by_side=together,
        partials=partials and not ahead,
        overload_ladder=not ahead,
        longest_window_ms=longest_ms,
        max_pending=pending,
    )
    events = play(scene, lambda _: scene.perform(stretches))
    assert isinstance(events[-1], EndOfStream)
    check_account(scene, events)
    check_finals(scene, events, longest_ms * RATE // 1_000)
    check_partials(events)
    check_revisions(events, drafted=drafted)
    for one in filter(None, (engine, better)):
        assert one.left_open == [] or scene.failures, "only a restart ends it in its work"
        assert not one.running_now
