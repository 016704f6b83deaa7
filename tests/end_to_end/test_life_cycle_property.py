"""Everything that can be done with a pipeline, in random order: what always holds.

A machine of hypothesis does one thing after the other with one pipeline (virtual time, a scripted
engine that may fail, an actor that may fail once), and ends it in one of the ways there are.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import vivavoce
from vivavoce import EngineDied, EngineError, Overload, PipelineStateError, VivavoceError
from vivavoce.pipeline.clock import VirtualLoop
from vivavoce.testing import ScriptedEngine, speech

pytestmark = pytest.mark.thorough

LONGEST_S = 120.0
"""Virtual seconds within which whatever was begun is over."""
GIVEN_UP = object()
TURNS = st.sampled_from([None, None, None, 1, 2, 3, 5, 10])
"""Of the loop, until a call is cancelled; None: it is waited for."""
SPEECH = speech().samples[: 5 * vivavoce.SAMPLE_RATE]
SILENCE = np.zeros(2 * vivavoce.SAMPLE_RATE, np.int16)
NAMES = ("capture", "trigger", "vad", "transcription", "cleanup", "fragile")


class Mine(Exception):  # noqa: N818 - what the body of a host raises
    """Raised by the body inside ``async with``."""


class Fragile(vivavoce.Actor[Any, Any]):
    """Passes everything on; fails once, at its message of that number."""

    name = "fragile"

    def __init__(self, fails_at: int) -> None:
        super().__init__()
        self.fails_at = fails_at
        self.messages = 0

    async def on_message(self, message: Any) -> None:
        self.messages += 1
        if self.messages == self.fails_at:
            raise RuntimeError("once")
        await self.emit(message)

    async def on_ask(self, question: Any) -> Any:
        return question


class LifeCycle(RuleBasedStateMachine):
    """One pipeline. ``aborted``: it was ended at once; ``failure``: why it ended by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=VirtualLoop)
        self.unseen: list[dict[str, Any]] = []  # failures that nobody looked at
        self.runner.get_loop().set_exception_handler(lambda _, seen: self.unseen.append(seen))
        self.events: list[Any] = []
        self.subscriptions: list[Any] = []
        self.closing: list[asyncio.Task[None]] = []
        self.host: asyncio.Task[None] | None = None
        self.started = self.left = self.aborted = False
        self.failure: VivavoceError | None = None

    @initialize(
        mode=st.sampled_from(["voice", "voice", "voice", "hold", "toggle", "manual"]),
        exact_s=st.sampled_from([0.2, 4.0]),
        dies_at=st.lists(st.sampled_from(["partial", "exact"]), max_size=3),
        errors_at=st.lists(st.sampled_from(["partial", "exact"]), max_size=2),
        cannot_load=st.sampled_from([None, None, None, "died", "error"]),
        fails_at=st.sampled_from([0, 0, 1, 5]),
        after=st.sampled_from(["capture", "trigger", "vad", "transcription", "cleanup"]),
        read=st.booleans(),
        begin=st.sampled_from(["start", "start", "start", "enter", "enter", "enter", "later"]),
        heard=st.sampled_from([0, 1, 1, 2]),
    )
    def make(
        self,
        mode: str,
        exact_s: float,
        dies_at: list[Any],
        errors_at: list[Any],
        cannot_load: str | None,
        fails_at: int,
        after: str,
        read: bool,
        begin: str,
        heard: int,
    ) -> None:
        self.engine = ScriptedEngine(speech().words_in, exact_s=exact_s)
        self.engine.dies_at += dies_at
        self.engine.errors_at += errors_at
        if cannot_load == "died":
            self.engine.cannot_load = EngineDied("it died while it loaded", -9)
        elif cannot_load == "error":
            self.engine.cannot_load = EngineError("no such model")

        async def make() -> None:
            self.pipeline = vivavoce.Pipeline(
                source=vivavoce.PushSource(),
                engine=self.engine,
                environ={},
                overrides=[f"trigger.mode={mode}"],
                buffer_events=read,
                follow_profile=True,
            )
            self.pipeline.insert(Fragile(fails_at), after=after)
            # One that always reads, and so sees everything.
            everything = self.pipeline.subscribe(64, Overload.BLOCK, name="everything")
            self.reading = asyncio.create_task(self.read(everything))

        self.do(make())
        if begin == "start":
            self.start(turns=None)
        elif begin == "enter":
            self.enter()
        if self.started and mode != "voice":
            self.trigger("start")
        for _ in range(heard if self.started else 0):
            self.say_something()

    # -- doing

    def do(self, step: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(step)

    def call(self, what: Callable[[], Any], *documented: type[Exception]) -> Any:
        """Call something that does not wait, in the loop."""

        async def step() -> Any:
            try:
                return what()
            except documented as error:
                return error

        return self.do(step())

    def wait_for(
        self,
        what: Callable[[], Awaitable[Any]],
        *documented: type[Exception],
        patience: float = LONGEST_S,
        turns: int | None = None,
    ) -> Any:
        """Await something; cancelled after ``patience`` seconds, or ``turns`` of the loop.

        What it returns or raises, :data:`GIVEN_UP` where it was cancelled. What takes
        :data:`LONGEST_S` hangs.
        """

        async def step() -> Any:
            task = asyncio.ensure_future(what())
            if turns is None:
                await asyncio.wait([task], timeout=patience)
                assert task.done() or patience < LONGEST_S, "it hangs"
            for _ in range(turns or 0):
                await asyncio.sleep(0)
            if not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=LONGEST_S)
                assert task.done(), "it cannot be cancelled"
            if task.cancelled():
                return GIVEN_UP
            try:
                return task.result()
            except documented as error:
                return error

        return self.do(step())

    async def read(self, subscription: Any) -> None:
        async for event in subscription:
            self.events.append(event)

    # -- its life

    @precondition(lambda self: not self.started)
    @rule(turns=TURNS)
    def start(self, turns: int | None) -> None:
        self.started = True
        outcome = self.wait_for(self.pipeline.start, VivavoceError, turns=turns)
        if outcome is GIVEN_UP:
            self.aborted = self.left = True
        elif outcome is not None:
            self.failure, self.left = outcome, True

    @precondition(lambda self: not self.started)
    @rule()
    def enter(self) -> None:
        self.started = True
        entered = asyncio.Event()

        async def host() -> None:
            async with self.pipeline:
                entered.set()
                if (leaving := await self.leaving) is not None:
                    raise leaving

        async def step() -> None:
            self.leaving: asyncio.Future[Mine | None] = asyncio.get_running_loop().create_future()
            self.host = asyncio.create_task(host())
            entering = asyncio.create_task(entered.wait())
            await asyncio.wait(
                [self.host, entering], timeout=LONGEST_S, return_when=asyncio.FIRST_COMPLETED
            )
            entering.cancel()
            assert entered.is_set() or self.host.done(), "entering hangs"

        self.do(step())

    @precondition(lambda self: self.host is not None and not self.left)
    @rule(how=st.sampled_from(["end", "raise", "cancel"]))
    def leave(self, how: str) -> None:
        self.left = True
        assert self.host is not None
        self.aborted = how != "end" and not self.host.done()
        if how == "cancel":
            self.host.cancel()
        elif not self.leaving.done():
            self.leaving.set_result(Mine() if how == "raise" else None)
        self.wait_for(lambda: asyncio.wait([self.host]))
        self.look_at_host()

    def look_at_host(self) -> None:
        assert self.host is not None
        assert self.host.done(), "leaving hangs"
        if self.host.cancelled():
            assert self.aborted
            return
        error = self.host.exception()
        assert error is None or isinstance(error, VivavoceError | Mine), repr(error)
        if isinstance(error, VivavoceError):
            self.failure = error

    @precondition(lambda self: self.started and self.host is None)
    @rule(several=st.integers(1, 3), cancelled=st.booleans())
    def aclose(self, several: int, cancelled: bool) -> None:
        self.left = True

        async def step() -> None:
            self.closing += [asyncio.create_task(self.pipeline.aclose()) for _ in range(several)]
            await asyncio.sleep(0)
            if cancelled and not self.closing[-1].done():
                self.closing[-1].cancel()
                self.aborted = True

        self.do(step())

    @precondition(lambda self: not self.started)
    @rule(after=st.sampled_from(["capture", "cleanup", "nobody"]))
    def insert(self, after: str) -> None:
        one = vivavoce.Actor[Any, Any](f"one more after {after}")
        one.on_message = one.emit  # type: ignore[method-assign]
        self.call(lambda: self.pipeline.insert(one, after=after), ValueError)

    @precondition(lambda self: self.started)
    @rule()
    def insert_too_late(self) -> None:
        late = vivavoce.Actor[Any, Any]("late")
        outcome = self.call(lambda: self.pipeline.insert(late, after="vad"), PipelineStateError)
        assert isinstance(outcome, PipelineStateError)
        outcome = self.wait_for(self.pipeline.start, PipelineStateError)
        assert isinstance(outcome, PipelineStateError)

    # -- sound

    @precondition(lambda self: self.started)
    @rule(sound=st.sampled_from([SPEECH, SPEECH, SILENCE]), patience=st.sampled_from([0.05, 20.0]))
    def feed(self, sound: Any, patience: float) -> None:
        self.wait_for(lambda: self.pipeline.feed(sound), vivavoce.ChannelClosed, patience=patience)

    @precondition(lambda self: self.started)
    @rule()
    def say_something(self) -> None:
        for sound in (SPEECH, SILENCE):
            self.feed(sound, 20.0)

    @rule()
    def end(self) -> None:
        self.call(self.pipeline.end)

    @rule()
    def stop(self) -> None:
        self.call(self.pipeline.stop)

    @rule(seconds=st.sampled_from([0.3, 3.0, 20.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.do(asyncio.sleep(seconds))

    # -- what it can be asked and told

    @rule(patience=st.sampled_from([0.1, LONGEST_S]))
    def ready(self, patience: float) -> None:
        outcome = self.wait_for(self.pipeline.ready, VivavoceError, patience=patience)
        assert self.engine.info is not None or outcome is not None

    @rule(
        name=st.sampled_from(["meeting", "captions", "battery", "nosuch"]),
        turns=TURNS,
    )
    def use_profile(self, name: str, turns: int | None) -> None:
        before = self.pipeline.profile_name
        outcome = self.wait_for(
            lambda: self.pipeline.use_profile(name),
            PipelineStateError,
            vivavoce.ProfileError,
            turns=turns,
        )
        if outcome is None:
            assert self.pipeline.profile_name == name
        elif outcome is not GIVEN_UP:
            assert self.pipeline.profile_name == before
            assert isinstance(outcome, PipelineStateError) or name == "nosuch"

    @rule(interval_ms=st.sampled_from([200, 900]), draft=st.sampled_from([None, "tiny.en"]))
    def reconfigure(self, interval_ms: int, draft: str | None) -> None:
        profile = vivavoce.load_profile(
            "captions",
            environ={},
            overrides=[f"transcription.partial_interval_ms={interval_ms}"]
            + ([f"transcription.draft={draft}"] if draft else []),
        )
        self.wait_for(lambda: self.pipeline.reconfigure(profile), VivavoceError)

    @rule(mode=st.sampled_from([None, "active", "listening", "idle", "parked", "closed", "nosuch"]))
    def force_power(self, mode: str | None) -> None:
        outcome = self.call(lambda: self.pipeline.force_power(mode), ValueError)
        assert isinstance(outcome, ValueError) == (mode == "nosuch")

    @rule()
    def wake(self) -> None:
        self.call(self.pipeline.wake)

    @rule(what=st.sampled_from(["start", "stop", "toggle", "cancel"]))
    def trigger(self, what: str) -> None:
        self.call(getattr(self.pipeline.trigger, what))

    @rule(mode=st.sampled_from([None, "voice", "hold", "manual"]))
    def force_mode(self, mode: Any) -> None:
        self.call(lambda: self.pipeline.trigger.force_mode(mode))

    @rule(name=st.sampled_from((*NAMES, "nosuch")), question=st.sampled_from(["engine", "what?"]))
    def ask(self, name: str, question: str) -> None:
        async def ask() -> Any:
            return await self.pipeline.actor(name).ask(question)

        outcome = self.wait_for(
            ask,
            KeyError,
            NotImplementedError,
            vivavoce.ChannelClosed,
            ValueError,
            TimeoutError,
        )
        assert isinstance(outcome, KeyError) == (name == "nosuch")

    @rule()
    def look(self) -> None:
        for what in ("check", "recommendations", "report", "say_report", "reload_profile"):
            self.call(getattr(self.pipeline, what))

    @rule(how=st.sampled_from(list(Overload)), capacity=st.sampled_from([1, 4]))
    def subscribe(self, how: Overload, capacity: int) -> None:
        self.subscriptions.append(self.call(lambda: self.pipeline.subscribe(capacity, how)))

    @precondition(lambda self: self.subscriptions)
    @rule(at=st.integers(0, 9), close=st.booleans())
    def use_subscription(self, at: int, close: bool) -> None:
        subscription = self.subscriptions[at % len(self.subscriptions)]
        if close:
            self.call(subscription.close)
        else:
            self.wait_for(subscription.receive, vivavoce.ChannelClosed, patience=1.0)

    @precondition(lambda self: self.started)
    @rule()
    def engine_dies(self) -> None:
        if self.engine.running_now:
            self.call(self.engine.die)

    @rule()
    def engine_can_load(self) -> None:
        self.engine.cannot_load = None

    # -- what holds

    @invariant()
    def the_ledger_balances(self) -> None:
        if hasattr(self, "pipeline"):
            ledger = self.call(self.pipeline.statistics).ledger
            assert ledger.balanced, str(ledger)

    def teardown(self) -> None:
        try:
            if hasattr(self, "pipeline"):
                self.come_to_the_end()
                self.look_at_the_end()
        finally:
            self.runner.close()

    def come_to_the_end(self) -> None:
        if self.host is not None:
            if not self.left:
                self.leave("end")
            return
        self.left = True
        outcome = self.wait_for(self.pipeline.aclose, VivavoceError)
        self.failure = self.failure or outcome
        if self.closing:
            self.wait_for(lambda: asyncio.wait(self.closing))
        for one in self.closing:
            assert one.cancelled() or isinstance(one.exception(), VivavoceError | None)

    def look_at_the_end(self) -> None:
        self.wait_for(lambda: asyncio.wait([self.reading]))

        async def others() -> set[asyncio.Task[Any]]:
            await asyncio.sleep(0)
            return asyncio.all_tasks() - {asyncio.current_task()}

        assert not self.do(others())
        assert not self.engine.running_now
        ledger = self.pipeline.statistics().ledger
        assert ledger.balanced, str(ledger)
        assert self.started or not self.events
        if self.started and not self.aborted and self.failure is None:
            assert ledger.pending == 0, str(ledger)
            assert isinstance(self.events[-1], vivavoce.EndOfStream), self.events[-3:]
            assert self.events[-1].end == ledger.captured
        hypothesis.event(self.how_it_went())
        self.look_at_stable_text()
        gc.collect()
        assert not self.unseen

    def how_it_went(self) -> str:
        if not self.started or self.aborted or self.failure is not None:
            return "aborted" if self.aborted else "failed" if self.started else "never started"
        finals = sum(isinstance(event, vivavoce.Final) for event in self.events)
        return f"ended with {min(finals, 3)} finals"

    def look_at_stable_text(self) -> None:
        stable: dict[int, str] = {}
        for event in self.events:
            if isinstance(event, vivavoce.Partial):
                assert event.stable.startswith(stable.get(event.utterance, ""))
                stable[event.utterance] = event.stable


LifeCycle.TestCase.settings = hypothesis.settings(
    max_examples=40,
    stateful_step_count=14,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)
test_whatever_is_done_with_it = LifeCycle.TestCase
