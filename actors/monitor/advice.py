"""From findings to advice that names a setting. Pure, and a table: one rule after the other.

For each kind of finding there are rules, the most promising first; a rule that does not apply to
the profile as it is says nothing. The first two that do are given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath
from typing import TypeAlias

import msgspec

from vivavoce.actors.monitor.targets import Facts, Finding
from vivavoce.config.schema import Profile

_MOST = 2
_SIZES = ("tiny", "base", "small", "medium", "large")
_OWN_EVENTS = "events"
"""The name of the channel behind ``Pipeline.events()``."""
_SLOW = 0.5
"""Decoding that takes so much of the speech's own time has no reserve: partials come on top."""


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """What to try, and why. ``setting`` and ``value`` fit ``--set setting=value``; both are empty
    where no setting helps."""

    finding: str
    text: str
    setting: str = ""
    value: str = ""


_Try: TypeAlias = tuple[str, str, str] | None
"""Setting, value, and what it does; None: it does not apply."""

_Rule: TypeAlias = Callable[[Finding, Facts, Profile], _Try]


def recommend(
    findings: Iterable[Finding], facts: Facts, profile: Profile
) -> tuple[Recommendation, ...]:
    """Advice for each finding, in their order; no setting is named twice."""
    given: list[Recommendation] = []
    for finding in findings:
        tries = [rule(finding, facts, profile) for rule in _RULES.get(finding.name, ())]
        named = {one.setting for one in given if one.setting}
        useful = [one for one in tries if one is not None and (not one[0] or one[0] not in named)]
        reason = _reason(finding, facts)
        given += [
            Recommendation(
                finding=finding.name,
                text=f"{reason}: {_instruction(setting, value, effect)}",
                setting=setting,
                value=value,
            )
            for setting, value, effect in useful[:_MOST]
        ]
    return tuple(given)


def _instruction(setting: str, value: str, effect: str) -> str:
    return f"try {setting}: {value} ({effect})" if setting else effect


def _reason(finding: Finding, facts: Facts) -> str:
    """What was measured, in words, with the cause where it is known."""
    figure = f"{finding.measured:.3g} {finding.unit}"
    if finding.name == "lag_s":
        text = f"lag {figure} in the last minute"
        if facts.real_time_factor is not None and facts.model:
            name = PurePath(facts.model).name
            text += f": model {name} decodes at {facts.real_time_factor:.2g}× real time here"
        return text
    if finding.name in ("memory_slope_mb_per_hour", "growing_objects"):
        growth = facts.leak if finding.name == "memory_slope_mb_per_hour" else facts.objects
        hours = growth.hours if growth else 0.0
        return f"{finding.what} {figure} over the last {hours:.1f} h"
    if finding.name in ("memory_short", "stalled_subscriber"):
        return f"{finding.what} (for {finding.measured:.0f} s)"
    return f"{finding.what} {figure}"


def smaller_model(model: str) -> str | None:
    """The next smaller Whisper model of the same language; None: none, or not known."""
    size, dot, language = model.partition(".")
    base = size.partition("-")[0]
    if base not in _SIZES or _SIZES.index(base) == 0:
        return None
    return _SIZES[_SIZES.index(base) - 1] + dot + language


# -- rules


def _smaller(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    model = smaller_model(facts.model or profile.transcription.model)
    return ("transcription.model", model, "the next smaller model") if model else None


def _smaller_when_slow(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    slow = facts.real_time_factor is None or facts.real_time_factor > _SLOW
    return _smaller(finding, facts, profile) if slow else None


def _no_partials(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    if not profile.transcription.partials:
        return None
    return "transcription.partials", "false", "the engine then decodes finals only"


def _ladder(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    if profile.transcription.overload_ladder:
        return None
    return "transcription.overload_ladder", "true", "gives up partials first when it cannot keep up"


def _greedy(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    if profile.transcription.beam_size == 1:
        return None
    return "transcription.beam_size", "1", f"greedy instead of {profile.transcription.beam_size}"


def _all_threads(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    threads, cores = profile.transcription.threads, os.cpu_count() or 1
    if threads == 0 or threads >= cores:
        return None
    return "transcription.threads", "0", f"one per core instead of {threads}"


def _trim_finals(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    if profile.transcription.final_context != "full":
        return None
    return "transcription.final_context", "auto", "encodes only the audio there is"


def _trim_partials(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    if profile.transcription.partial_context != "full":
        return None
    return "transcription.partial_context", "auto", "encodes only the audio there is"


def _draft(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    model = facts.model or profile.transcription.model
    if profile.transcription.draft is not None or smaller_model(model) is None:
        return None
    draft = "tiny.en" if model.endswith(".en") else "tiny"
    return "transcription.draft", draft, "a small model shows words first, the better one corrects"


def _sooner(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    interval = profile.transcription.partial_interval_ms
    if interval <= 250:
        return None
    return "transcription.partial_interval_ms", "250", f"partials more often than every {interval}"


def _shorter_ring(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    ring = profile.capture.ring_s
    if ring <= 60:
        return None
    return "capture.ring_s", "30", f"{ring * 0.032:.0f} MB are kept for audio that waits"


def _main_memory(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    return "", "", "what actors of your own keep is kept in this process, too"


def _eight_bits(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    if profile.transcription.compute_type in ("auto", "int8", "int8_float16", "int8_float32"):
        return None
    return "transcription.compute_type", "int8", "a quarter of the memory of float32"


def _park_sooner(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    after = profile.power.park_after_s
    if after is not None and after <= 120:
        return None
    return "power.park_after_s", "60", "the engine's memory is free when nobody speaks"


def _leave_a_core(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    cores = os.cpu_count() or 1
    if cores == 1 or 0 < profile.transcription.threads < cores:
        return None
    return "transcription.threads", str(cores - 1), "leaves a core to everything but the engine"


def _own_actors(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    return "", "", "an actor of your own that computes for long does it in asyncio.to_thread()"


def _longer_ring(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    ring = profile.capture.ring_s
    if ring >= 600:
        return None
    return (
        "capture.ring_s",
        str(min(600, max(60, 2 * ring))),
        f"audio may wait longer than {ring} s",
    )


def _slow_readers(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    if not facts.dropped:
        return None
    worst = max(facts.dropped, key=lambda name: facts.dropped[name])
    return (
        "",
        "",
        f"let {worst!r} read faster, give it a greater capacity, or close the subscription if "
        "nobody reads it",
    )


def _read_on(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    if not facts.stalled:
        return None
    worst = max(facts.stalled, key=lambda name: facts.stalled[name])
    if worst == _OWN_EVENTS:
        return (
            "",
            "",
            "iterate over pipeline.events(), or make the Pipeline with buffer_events=False",
        )
    return (
        "",
        "",
        f"read what {worst!r} is sent, or close it; with Overload.DROP_OLDEST it loses events "
        "instead of holding up all others",
    )


def _see_log(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    return "log.level", "info", "the log says why; `vivavoce doctor` checks the engine"


def _longer_listening_blocks(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    return _longer_blocks("listening", profile.power.listening.block_ms)


def _longer_idle_blocks(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    return _longer_blocks("idle", profile.power.idle.block_ms)


def _longer_blocks(mode: str, block_ms: int) -> _Try:
    if block_ms >= 512:
        return None
    longer = 256 if block_ms < 256 else 512
    return f"power.{mode}.block_ms", str(longer), f"each block wakes the program; now {block_ms}"


def _gate(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    if profile.vad.gate:
        return None
    return "vad.gate", "true", "the detector then sleeps while it is quiet"


def _detector_asleep(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    if not profile.power.idle.detector:
        return None
    return "power.idle.detector", "false", "an energy gate alone listens when idle"


def _idle_sooner(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    after = profile.power.idle_after_s
    if after <= 30:
        return None
    return "power.idle_after_s", "20", f"instead of {after:g}: the detector sleeps sooner"


def _slower_partials(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    settings = profile.transcription
    if not settings.partials or settings.partial_interval_ms >= 1_000:
        return None
    return "transcription.partial_interval_ms", "1000", "fewer partials"


def _types(finding: Finding, facts: Facts, profile: Profile) -> _Try:
    if not facts.growing_types:
        return (
            "",
            "",
            (
                "no type of Python object grows so far: buffers, or memory of a native library; "
                "leave actors of your own out one by one"
            ),
        )
    names = ", ".join(f"{one.name} (+{one.more:,})" for one in facts.growing_types)
    return "", "", f"what grows is {names}: who keeps them?"


_RULES: Mapping[str, tuple[_Rule, ...]] = {
    "lag_s": (_smaller_when_slow, _no_partials, _ladder, _greedy, _all_threads, _smaller),
    "partial_ms": (_trim_partials, _sooner, _draft, _smaller),
    "final_ms": (_all_threads, _greedy, _smaller, _trim_finals),
    "loop_lag_ms": (_leave_a_core, _own_actors),
    "main_memory_mb": (_shorter_ring, _main_memory),
    "engine_memory_mb": (_eight_bits, _smaller, _park_sooner),
    "listening_cpu_percent": (_gate, _longer_listening_blocks, _idle_sooner),
    "idle_cpu_percent": (_detector_asleep, _longer_idle_blocks, _own_actors),
    "memory_slope_mb_per_hour": (_types,),
    "battery_percent_per_hour": (_no_partials, _slower_partials, _park_sooner, _smaller),
    "lost_audio": (_longer_ring, _leave_a_core, _no_partials),
    "stalled_subscriber": (_read_on,),
    "dropped_events": (_slow_readers,),
    "engine_hangs": (_see_log,),
    "engine_restarts": (_see_log, _smaller),
    "actor_restarts": (_see_log,),
    "growing_objects": (_types,),
    "memory_short": (_park_sooner, _eight_bits, _smaller),
}
