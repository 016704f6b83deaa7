"""Tools for tests of your own actors: virtual time, a scripted engine, and some human speech.

Nothing here opens a microphone, starts a process or loads a model, and time costs nothing: a whole
pipeline hears a minute of speech in a fraction of a second, the same way each time.
"""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec
import numpy as np

from vivavoce.actors.transcription.engines.base import (
    EngineDied,
    EngineError,
    EngineInfo,
    Hypothesis,
    HypothesisWord,
    SessionOptions,
)
from vivavoce.config.schema import SupervisorSettings
from vivavoce.pipeline.actor import Actor
from vivavoce.pipeline.clock import run_virtual
from vivavoce.pipeline.mailbox import Mailbox
from vivavoce.pipeline.messages import SAMPLE_RATE, Pcm, Word
from vivavoce.pipeline.supervisor import Supervisor

In = TypeVar("In")
Out = TypeVar("Out")

Hearing: TypeAlias = Callable[[Pcm], Sequence[Word]]
"""What an engine makes of the audio: words with their samples, counted from its beginning."""

Call: TypeAlias = Literal["partial", "exact"]
"""What an engine is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A recording, and what is said in it.

    Attributes:
        samples: the audio: mono 16 kHz int16, shape ``(samples,)``, not to be written to.
        text: what is said, with capitals and punctuation.
        words: the same, with samples counted from the beginning of the clip.
    """

    samples: Pcm
    text: str
    words: tuple[Word, ...]

    def words_in(self, audio: Pcm) -> tuple[Word, ...]:
        """The words of the clip that ``audio`` holds whole, however often: for a scripted engine.

        Only the very samples of the clip are found, wherever they stand: push them as they are,
        not resampled or mixed.

        >>> clip = speech()
        >>> [word.text for word in clip.words_in(clip.samples[:28_000])]
        ['I', 'believe', 'that', 'this']
        """
        heard = audio.tobytes()
        found = [
            Word(text=word.text, start=at, end=at + word.end - word.start, probability=0.9)
            for word in self.words
            for at in _places(self.samples[word.start : word.end].tobytes(), heard)
        ]
        return tuple(sorted(found, key=lambda word: word.start))


def _places(piece: bytes, heard: bytes) -> list[int]:
    """The samples at which ``piece`` begins in ``heard``."""
    places = []
    at = heard.find(piece)
    while at >= 0:
        if at % 2 == 0:
            places.append(at // 2)
        at = heard.find(piece, at + 1)
    return places


def speech() -> Clip:
    """A sentence of human speech, 12 seconds long, with pauses inside it. In the public domain.

    It is from John F. Kennedy's address to Congress of 25 May 1961.

    >>> print(speech().text)
    I believe that this nation should commit itself to achieving the goal, before this decade is \
out, of landing a man on the moon and returning him safely to the earth.
    """
    assets = files("vivavoce") / "assets"
    with (assets / "speech.wav").open("rb") as file, wave.open(file) as recording:
        frames = recording.readframes(recording.getnframes())
    said = json.loads((assets / "speech.json").read_text(encoding="utf-8"))
    return Clip(
        samples=np.frombuffer(frames, dtype="<i2").astype(np.int16, copy=False),
        text=said["text"],
        words=tuple(
            Word(text=text, start=start, end=end, probability=0.9)
            for text, start, end in said["words"]
        ),
    )


def half_seconds(audio: Pcm) -> tuple[Word, ...]:
    """One word for each half second, named by the sample at its beginning.

    >>> [word.text for word in half_seconds(np.full(16_000, 7, np.int16))]
    ['w7', 'w7']
    """
    period = SAMPLE_RATE // 2
    return tuple(
        Word(text=f"w{audio[at]}", start=at, end=at + period // 2, probability=0.9)
        for at in range(0, len(audio), period)
    )


class ScriptedEngine:
    """An engine that hears what it is told to, as fast as it is told to, and fails when told to.

    Give it to a pipeline with ``engine=``. It holds that pipeline to the rules of a real engine: no
    more calls at a time than it can do, no audio that it was not fed.

    >>> from vivavoce import Final, Pipeline, PushSource
    >>> async def scene() -> str:
    ...     clip = speech()
    ...     engine = ScriptedEngine(clip.words_in, exact_s=1.0)
    ...     engine.dies_at.append("exact")  # and is started again
    ...     async with Pipeline(source=PushSource(), engine=engine) as pipeline:
    ...         await pipeline.feed(clip.samples)
    ...         pipeline.end()
    ...         finals = [one.text async for one in pipeline.events() if isinstance(one, Final)]
    ...         return " ".join(finals)
    >>> run_virtual(scene).lower() == speech().text.lower()
    True

    Args:
        hears: what it makes of the audio; :meth:`Clip.words_in`, or a function of your own.
        model: the name of its model, as in each final.
        load_s: seconds that it takes to load. This and the other costs may be changed at any time.
        partial_s: seconds that a partial takes.
        exact_s: seconds that an exact decoding takes.
        cheap_s: the same for one of a pipeline that cannot keep up.
        costs_of: seconds that one of so many samples takes, whatever ``exact_s`` says.
        side_by_side: the most exact decodings that it can be asked for at a time.

    Attributes:
        dies_at: calls at whose end it dies, each once: "partial" or "exact".
        errors_at: calls that it answers with an :class:`EngineError`, each once.
        cannot_load: raised by each start while it is set.
        running_now: whether it is loaded.
        starts: how often it was started.
        calls: calls that began, with the end of the audio that each was to cover, in samples since
            capture began.
        done: those that were answered.
        cancelled: those that nobody waited for to the end.
        most_exacts: the most exact decodings that were in work at a time.
        exacts: the begin and end of the audio of each exact decoding that was asked for, and
            whether it was to be cheap.
        exacts_at: when each of them was asked for, in seconds of the loop's time.
        sessions: the audio of the windows that are open.
        starts_of: where that audio begins, in samples since capture began.
        left_open: those that were open still when it was stopped.
    """

    pid: int | None = None

    def __init__(
        self,
        hears: Hearing = half_seconds,
        *,
        model: str = "scripted",
        load_s: float = 0.5,
        partial_s: float = 0.05,
        exact_s: float = 0.2,
        cheap_s: float = 0.05,
        costs_of: Mapping[int, float] | None = None,
        side_by_side: int = 1,
    ) -> None:
        self.info: EngineInfo | None = None
        self.on_death: Callable[[EngineDied], None] | None = None
        self.model = model
        self.load_s, self.partial_s, self.exact_s, self.cheap_s = (
            load_s,
            partial_s,
            exact_s,
            cheap_s,
        )
        self.costs_of = dict(costs_of or {})
        self.dies_at: list[Call] = []
        self.errors_at: list[Call] = []
        self.cannot_load: Exception | None = None
        self.running_now = False
        self.starts = 0
        self.calls: list[tuple[Call, int]] = []
        self.done: list[tuple[Call, int]] = []
        self.cancelled: list[tuple[Call, int]] = []
        self.most_exacts = 0
        self.exacts: list[tuple[int, int, bool]] = []
        self.exacts_at: list[float] = []
        self.left_open: list[int] = []
        self._hears = hears
        self.sessions: dict[int, bytearray] = {}
        self.starts_of: dict[int, int] = {}
        self._most: dict[Call, int] = {"partial": 1, "exact": side_by_side}
        self._working: list[tuple[Call, asyncio.Future[EngineDied]]] = []

    def hear(self, audio: Pcm, cost: float) -> Hypothesis:
        """What it makes of ``audio``, which took it ``cost`` seconds; override it for more than
        words. Samples are counted from the beginning of ``audio``."""
        words = self._hears(audio)
        return Hypothesis(
            text=" ".join(word.text for word in words),
            words=tuple(
                HypothesisWord(
                    text=word.text, start=word.start, end=word.end, probability=word.probability
                )
                for word in words
            ),
            samples=len(audio),
            decode_s=cost,
        )

    def die(self) -> None:
        """End now, as a process that was killed; who waits for an answer is told."""
        death = EngineDied("the scripted engine was killed", -9)
        self._end(death)
        if self.on_death is not None:
            self.on_death(death)

    # -- what a pipeline asks of it

    async def start(self) -> EngineInfo:
        """Load. Raises what ``cannot_load`` says."""
        self.starts += 1
        self.on_death = None
        self.sessions = {}
        await asyncio.sleep(self.load_s)
        if self.cannot_load is not None:
            raise self.cannot_load
        self.running_now = True
        self.info = EngineInfo(
            engine="scripted",
            model=self.model,
            device="cpu",
            compute_type="int8",
            streams_natively=False,
            load_s=self.load_s,
            warm_up_s=0.0,
        )
        return self.info

    async def open(self, session: int, options: SessionOptions, at: int = 0) -> None:
        """Begin a window whose first audio is sample ``at``."""
        self._must_run()
        self.sessions[session] = bytearray()
        self.starts_of[session] = at

    async def feed(self, session: int, pcm: bytes) -> None:
        """Take the next audio of a window: mono 16 kHz int16."""
        self._must_run()
        self.sessions[session] += pcm

    async def partial(
        self, session: int, end: int, prefix: Sequence[str] = (), *, language: str | None = None
    ) -> Hypothesis:
        """What it makes of a window up to sample ``end``, early."""
        return await self._work("partial", session, end, self.partial_s, language)

    async def exact(
        self, session: int, end: int, *, cheap: bool = False, language: str | None = None
    ) -> Hypothesis:
        """What it makes of a window up to sample ``end``, for good."""
        start = self.starts_of.get(session, 0)
        self.exacts.append((start, end, cheap))
        self.exacts_at.append(asyncio.get_running_loop().time())
        cost = self.cheap_s if cheap else self.costs_of.get(end - start, self.exact_s)
        return await self._work("exact", session, end, cost, language)

    async def advance(self, session: int, to_sample: int) -> None:
        """Forget a window's audio before sample ``to_sample``."""
        self._must_run()
        gone = to_sample - self.starts_of[session]
        assert 0 <= 2 * gone <= len(self.sessions[session]), "told to forget what it was not fed"
        del self.sessions[session][: 2 * gone]
        self.starts_of[session] = to_sample

    async def close(self, session: int) -> None:
        """End a window."""
        self.sessions.pop(session, None)

    async def stop(self) -> None:
        """Unload."""
        self.left_open += self.sessions
        self._end(EngineDied("the engine was stopped", 0))

    # -- inside

    async def _work(
        self, kind: Call, session: int, end: int, cost: float, language: str | None
    ) -> Hypothesis:
        self._must_run()
        in_work = [working for working, _ in self._working].count(kind)
        assert in_work < self._most[kind], f"too many of {kind} at a time"
        start = self.starts_of[session]
        audio = bytes(self.sessions[session][: 2 * (end - start)])
        assert len(audio) == 2 * (end - start), "asked for more than it was fed"
        self.most_exacts = max(self.most_exacts, in_work + (kind == "exact"))
        self.calls.append((kind, end))
        ended: asyncio.Future[EngineDied] = asyncio.get_running_loop().create_future()
        self._working.append((kind, ended))
        try:
            await asyncio.wait([ended], timeout=cost)
            self._fail_as_told(kind)
            if ended.done():
                raise ended.result()
        except asyncio.CancelledError:
            self.cancelled.append((kind, end))
            raise
        finally:
            self._working.remove((kind, ended))
        self.done.append((kind, end))
        found = self.hear(np.frombuffer(audio, dtype=np.int16), cost)
        return _placed(found, start, language or found.language)

    def _fail_as_told(self, kind: Call) -> None:
        if kind in self.dies_at:
            self.dies_at.remove(kind)
            self.die()
        if kind in self.errors_at:
            self.errors_at.remove(kind)
            raise EngineError("the scripted engine cannot decode this")

    def _must_run(self) -> None:
        if not self.running_now:
            raise EngineDied("the scripted engine does not run", None)

    def _end(self, death: EngineDied) -> None:
        self.running_now = False
        self.sessions = {}
        for _, ended in self._working:
            if not ended.done():
                ended.set_result(death)


def _placed(found: Hypothesis, start: int, language: str) -> Hypothesis:
    """The same, where its audio begins at sample ``start`` of the capture."""
    return msgspec.structs.replace(
        found,
        words=tuple(
            msgspec.structs.replace(word, start=start + word.start, end=start + word.end)
            for word in found.words
        ),
        samples=start + found.samples,
        language=language,
    )


class _Collected:
    """An outlet that keeps everything."""

    def __init__(self) -> None:
        self.items: list[Any] = []

    async def send(self, item: Any) -> None:
        self.items.append(item)

    def close(self) -> None:
        """Nothing to close."""


async def run_actor(
    actor: Actor[In, Out], *messages: In, restarts: int = 0, timeout: float = 60.0
) -> list[Out]:
    """Run one actor alone from its start to its end, as a pipeline would; what it emitted.

    >>> from vivavoce import Actor
    >>> class Double(Actor[int, int]):
    ...     async def on_message(self, message: int) -> None:
    ...         await self.emit(2 * message)
    >>> async def scene() -> list[int]:
    ...     return await run_actor(Double(), 1, 2, 3)
    >>> run_virtual(scene)
    [2, 4, 6]

    Args:
        actor: a new one.
        messages: what comes to its mailbox, in this order; then that is closed.
        restarts: how often it may fail and is restarted; the message at which it fails is delivered
            once more.
        timeout: seconds until it is taken to hang; under :func:`run_virtual` they cost nothing.

    Raises:
        ActorFailed: it failed more often; the failure is the cause.
        VivavoceError: what it raised as a fault that no restart mends.
        TimeoutError: it has not come to its end.
    """
    collected = _Collected()
    actor.send_to(collected)
    supervisor = Supervisor(SupervisorSettings(max_restarts=restarts), actor.context)
    supervisor.add(actor)
    feeding = asyncio.create_task(_feed(actor.inbox, messages))
    try:
        async with asyncio.timeout(timeout):
            await supervisor.run()
    except TimeoutError:
        raise TimeoutError(f"{actor.name} did not come to its end in {timeout:g} s") from None
    finally:
        feeding.cancel()
        await asyncio.wait([feeding])
    return collected.items


async def _feed(inbox: Mailbox[Any], messages: Sequence[Any]) -> None:
    for message in messages:
        await inbox.send(message)
    inbox.close()


__all__ = [
    "Call",
    "Clip",
    "Hearing",
    "ScriptedEngine",
    "half_seconds",
    "run_actor",
    "run_virtual",
    "speech",
]
