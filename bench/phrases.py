"""The phrase cache: what it finds again, what it confuses, what it costs, and what it saves."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence

import numpy as np

from bench import SPEECH
from bench.distortions import (
    Phrase,
    amplified,
    later,
    noisy,
    replaced,
    spoken_phrases,
    stretched,
    trailing,
)
from vivavoce.actors.transcription.phrase_cache import PhraseCache
from vivavoce.bench.child import engine_arguments, engine_title
from vivavoce.bench.measure import cpu_per_call, quantile
from vivavoce.bench.registry import Options
from vivavoce.bench.results import Figure, Result
from vivavoce.bench.sound import Samples
from vivavoce.config.schema import PhraseCacheSettings
from vivavoce.pipeline.messages import SAMPLE_RATE

name = "phrases"
description = "Phrase cache: hits, false hits, time of a lookup, and time saved against decoding"

_BUDGET_US = 10_000.0
_LOOKUP_S = 4.0
_STEP = 997
"""Samples from one unknown phrase to the next: no two are cut at the same place."""

_SETTINGS = PhraseCacheSettings(enabled=True, ttl_s=1e9)

_REPETITIONS: dict[str, Callable[[Samples], Samples]] = {
    "a third as loud": lambda pcm: amplified(pcm, 0.3),
    "noise, 30 dB SNR": lambda pcm: noisy(pcm, 30),
    "noise, 20 dB SNR": lambda pcm: noisy(pcm, 20),
    "5 ms later": lambda pcm: later(pcm, 5),
    "32 ms later": lambda pcm: later(pcm, 32),
    "80 ms later": lambda pcm: later(pcm, 80),
    "300 ms more silence": lambda pcm: trailing(pcm, 300),
    "47 ms later, softer, 26 dB SNR": lambda pcm: noisy(later(amplified(pcm, 0.6), 47), 26),
}


def run(options: Options) -> Result:
    """Hits over distortions, false hits over all pairs, times; then the engine for comparison."""
    phrases = spoken_phrases(SPEECH, _SETTINGS.max_phrase_ms / 1000)
    if options.quick:
        phrases = phrases[:6]
    options.say(f"{len(phrases)} phrases in {len(_REPETITIONS) + 1} conditions")
    figures = [*_hits(phrases), *_false_hits(phrases, options)]
    options.say(f"lookups of {_LOOKUP_S:g} s among {_SETTINGS.max_entries} phrases")
    figures += _times(phrases, 3 if options.quick else 40)
    options.say("decoding the same phrases")
    figures += asyncio.run(_saved(phrases[: 2 if options.quick else None], options))
    return Result(
        name=name,
        figures=figures,
        quick=options.quick,
        notes=[
            f"{len(phrases)} phrases of {min(map(_seconds, phrases)):.1f} to "
            f"{max(map(_seconds, phrases)):.1f} s, decoded by {engine_title(options)}",
            "a near match is not given below about 19 dB SNR: there noise makes words alike",
            "lookups and stores are CPU time of the thread, decoding is wall time",
        ],
    )


def _hits(phrases: list[Phrase]) -> list[Figure]:
    cache = _filled(phrases)
    figures = [_hit_rate("exact hits, the same audio", cache, phrases, lambda pcm: pcm, "exact")]
    for title, distort in _REPETITIONS.items():
        figures.append(_hit_rate(f"near hits, {title}", cache, phrases, distort, "near"))
    return figures


def _hit_rate(
    title: str,
    cache: PhraseCache[str],
    phrases: list[Phrase],
    distort: Callable[[Samples], Samples],
    kind: str,
) -> Figure:
    hits = [cache.lookup(distort(phrase.pcm), 0.0) for phrase in phrases]
    right = sum(
        hit is not None and hit.kind == kind and hit.value == phrase.name
        for hit, phrase in zip(hits, phrases, strict=True)
    )
    return Figure(
        name=title,
        value=100.0 * right / len(phrases),
        unit="%",
        better="higher",
        budget=100.0 if kind == "exact" else None,
        samples=len(phrases),
    )


def _false_hits(phrases: list[Phrase], options: Options) -> list[Figure]:
    """Every phrase, as it is and distorted, against each other one alone; then edited ones."""
    alone = [_filled([phrase]) for phrase in phrases]
    noises = list(_REPETITIONS.values())[1:3]
    tried = wrong = 0
    for phrase in phrases:
        for heard in (phrase.pcm, *(distort(phrase.pcm) for distort in noises)):
            for other, cache in zip(phrases, alone, strict=True):
                if other is not phrase:
                    tried += 1
                    wrong += cache.lookup(heard, 0.0) is not None
    pairs = Figure(name="false hits, all pairs", value=wrong, unit="hits", budget=0, samples=tried)
    cache = _filled(phrases)
    edited = list(itertools.islice(_edited(phrases), 20 if options.quick else None))
    wrong = sum(cache.lookup(pcm, 0.0) is not None for pcm in edited)
    paced = [stretched(phrase.pcm, f) for phrase in phrases for f in (0.95, 0.97, 1.03, 1.05)]
    drawn = sum(cache.lookup(pcm, 0.0) is not None for pcm in paced)
    return [
        pairs,
        Figure(
            name="false hits, one word replaced",
            value=wrong,
            unit="hits",
            budget=0,
            samples=len(edited),
        ),
        Figure(
            name="hits at another pace (3 to 5 %)", value=drawn, unit="hits", samples=len(paced)
        ),
    ]


def _edited(phrases: list[Phrase]) -> itertools.chain[Samples]:
    """Each word in turn replaced by a word of another phrase of the same voice, its length kept."""

    def of(phrase: Phrase) -> list[Samples]:
        donors = [
            donor.pcm[slice(*max(donor.words, key=lambda word: word[1] - word[0]))]
            for donor in phrases
            if donor.voice == phrase.voice and donor is not phrase and donor.words
        ]
        return [
            replaced(phrase.pcm, start, end, stretched(donor, (end - start) / len(donor)))
            for start, end in phrase.words
            for donor in donors[:3]
        ]

    return itertools.chain.from_iterable(map(of, phrases))


class _Crowd:
    """A cache with as many phrases of about 4 s as the default allows, and what is looked up in it.

    Args:
        phrases: of whose speech the known phrases are made.
        rounds: how many different sounds of each kind are asked for.
    """

    def __init__(self, phrases: Sequence[Phrase], rounds: int) -> None:
        self._length = round(_LOOKUP_S * SAMPLE_RATE)
        self._rounds = rounds
        speech = np.concatenate([phrase.pcm for phrase in phrases])
        repeated = max(1, -(-(self._length + rounds * _STEP) // len(speech))) + 1
        self._speech = np.tile(speech, repeated)
        # As long as the others, with a little silence around.
        spoken = self._speech[: self._length - SAMPLE_RATE // 4]
        self.known = trailing(later(spoken, 125), 125)
        self.cache = PhraseCache[str](_SETTINGS)
        for number in range(_SETTINGS.max_entries - 5):
            self.cache.store(self.piece(number), str(number), 0.0)
        for number in range(100, 104):
            self.cache.store(self.alike(number), "alike", 0.0)
        self.cache.store(self.known, "known", 0.0)

    def piece(self, number: int) -> Samples:
        """One of the phrases in the cache, sample by sample."""
        start = number * 4_001 % (len(self._speech) - self._length)
        piece = self._speech[start : start + self._length]
        return stretched(piece, 0.8 + 0.4 * (number % 29) / 29)[: self._length]

    def near(self, number: int) -> Samples:
        """The known phrase, a little later and in a little noise."""
        return noisy(later(self.known, 1 + number * 79 / self._rounds), 30, number)

    def unknown(self, number: int) -> Samples:
        """A phrase that is not in the cache."""
        start = number * _STEP
        return stretched(self._speech[start : start + self._length], 1.31)[: self._length]

    def alike(self, number: int) -> Samples:
        """The known phrase with another quarter of a second at its loudest place."""
        start = int(np.abs(self.known.astype(np.int32)).argmax()) - 2_000
        donor = self._speech[self._length + number * _STEP :][:4_000]
        return replaced(self.known, start, start + 4_000, donor)


def _times(phrases: list[Phrase], rounds: int) -> list[Figure]:
    """Lookups of 4 s among as many phrases as the default allows, all of about that length."""
    crowd = _Crowd(phrases, rounds)
    looked_up: dict[str, tuple[Callable[[int], Samples], str | None]] = {
        "lookup, exact hit": (crowd.piece, "exact"),
        "lookup, near hit": (crowd.near, "near"),
        "lookup, unknown phrase": (crowd.unknown, None),
        "lookup, unknown, five phrases alike": (crowd.alike, None),
    }
    figures = [
        _lookup(title, crowd.cache, [sound(number) for number in range(rounds)], kind)
        for title, (sound, kind) in looked_up.items()
    ]
    spare = PhraseCache[str](_SETTINGS)
    spare.lookup(crowd.known, 0.0)
    told = crowd.cache.statistics()
    return [
        *figures,
        Figure(
            name="store after a lookup",
            value=cpu_per_call(lambda: spare.store(crowd.known, "", 0.0), rounds) * 1e6,
            unit="µs",
            samples=rounds,
        ),
        Figure(name="memory of an entry", value=told.bytes / told.entries / 1e3, unit="kB"),
    ]


def _lookup(
    title: str, cache: PhraseCache[str], sounds: Sequence[Samples], kind: str | None
) -> Figure:
    taken = []
    for pcm in sounds:
        began = time.thread_time()
        hit = cache.lookup(pcm, 0.0)
        taken.append((time.thread_time() - began) * 1e6)
        found = hit.kind if hit else None
        assert found == kind, f"{title}: {found}"
    return Figure(
        name=title,
        value=quantile(taken, 0.5),
        unit="µs",
        budget=_BUDGET_US,
        samples=len(taken),
        p50=quantile(taken, 0.5),
        p99=quantile(taken, 0.99),
    )


async def _saved(phrases: list[Phrase], options: Options) -> list[Figure]:
    """Decode each phrase with a real engine, and look it up again in a little noise."""
    from vivavoce.actors.transcription.engine_process import EngineProcess
    from vivavoce.actors.transcription.engines.base import EngineSpec, SessionOptions
    from vivavoce.pipeline.metrics import Metrics

    _, engine_name, *model = engine_arguments(options)
    spec = EngineSpec(engine=engine_name, model=model[1] if model else "", device="cpu")
    engine = EngineProcess(spec, metrics=Metrics())
    decoding: list[float] = []
    looking: list[float] = []
    cache = PhraseCache[str](_SETTINGS)
    await engine.start()
    try:
        for number, phrase in enumerate(phrases):
            began = time.perf_counter()
            await engine.open(number, SessionOptions())
            await engine.feed(number, phrase.pcm.tobytes())
            text = (await engine.exact(number)).text
            await engine.close(number)
            decoding.append(time.perf_counter() - began)
            cache.store(phrase.pcm, text, 0.0)
            again = noisy(later(phrase.pcm, 23), 30)
            began = time.perf_counter()
            if cache.lookup(again, 0.0) is not None:
                looking.append(time.perf_counter() - began)
    finally:
        await engine.stop()
    figures = [
        Figure(
            name="decoding a phrase",
            value=quantile(decoding, 0.5) * 1e3,
            unit="ms",
            samples=len(decoding),
            p50=quantile(decoding, 0.5) * 1e3,
            p99=quantile(decoding, 0.99) * 1e3,
        )
    ]
    if looking:
        saved = quantile(decoding, 0.5) - quantile(looking, 0.5)
        ratio = quantile(looking, 0.5) / quantile(decoding, 0.5)
        figures += [
            Figure(name="saved by a near hit", value=saved * 1e3, unit="ms", better="higher"),
            Figure(
                name="near hit against decoding",
                value=ratio,
                unit="×",
                ratio_to="decoding",
                samples=len(looking),
            ),
        ]
    return figures


def _filled(phrases: list[Phrase]) -> PhraseCache[str]:
    cache = PhraseCache[str](_SETTINGS)
    for phrase in phrases:
        cache.store(phrase.pcm, phrase.name, 0.0)
    return cache


def _seconds(phrase: Phrase) -> float:
    return len(phrase.pcm) / SAMPLE_RATE
