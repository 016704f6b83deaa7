"""What is measured against what is wanted. Pure.

A finding is a target of the profile that is missed, or a fault: something that should not happen
at all. Everything is judged over the last minutes, so that a bad start is forgiven and a good one
does not hide what is bad now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from vivavoce.actors.monitor.leaks import Growth, TypeGrowth
from vivavoce.config.monitoring import TargetSettings
from vivavoce.pipeline.messages import PowerMode


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known at one moment; None: not known, or too little was seen to judge.

    Latencies are quantiles of the last minutes in seconds, counts are those of the last minutes,
    ``lag_s`` is the worst of the last minute. ``dropped`` is how many events who lost, ``stalled``
    for how many seconds who has let the pipeline wait for room now. ``real_time_factor`` is the
    engine's decoding time of finals ÷ the length of their speech, ``memory_short_s`` how long
    memory has been short.
    """

    at: float = 0.0
    mode: PowerMode = PowerMode.ACTIVE
    partial_p95_s: float | None = None
    final_p95_s: float | None = None
    lag_s: float | None = None
    loop_lag_p999_s: float | None = None
    main_bytes: int | None = None
    engine_bytes: int | None = None
    listening_cpu_percent: float | None = None
    idle_cpu_percent: float | None = None
    leak: Growth | None = None
    objects: Growth | None = None
    growing_types: tuple[TypeGrowth, ...] = ()
    drain_percent_per_hour: float | None = None
    lost_samples: int = 0
    dropped: Mapping[str, int] = {}
    stalled: Mapping[str, float] = {}
    engine_hangs: int = 0
    engine_restarts: int = 0
    actor_restarts: int = 0
    memory_short_s: float | None = None
    model: str = ""
    real_time_factor: float | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A target that is missed, or a fault (then ``target`` is 0).

    ``name`` is that of the setting in ``targets``, or of the fault; ``what`` is for people
    and names who is to blame, where that is known;
    ``since`` is the second of the stream at which it was first seen.
    """

    name: str
    what: str
    measured: float
    target: float
    unit: str
    since: float


@dataclass(frozen=True, slots=True)
class _Criterion:
    what: str | Callable[[Facts], str]
    unit: str
    measured: Callable[[Facts], float | None]

    def said(self, facts: Facts) -> str:
        """What it is, with the names of those who are to blame."""
        return self.what if isinstance(self.what, str) else self.what(facts)


def _losers(facts: Facts) -> str:
    lost = sorted(facts.dropped.items(), key=lambda one: -one[1])
    return f"events lost by slow readers ({', '.join(f'{name!r} {n:,}' for name, n in lost)})"


def _culprits(facts: Facts) -> str:
    names = ", ".join(repr(name) for name in facts.stalled)
    if len(facts.stalled) == 1:
        return f"subscriber {names} does not read and holds up the pipeline"
    return f"subscribers {names} do not read and hold up the pipeline"


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


TARGETS: Mapping[str, _Criterion] = {
    "lag_s": _Criterion("speech waiting for its final", "s", lambda f: f.lag_s),
    "partial_ms": _Criterion(
        "speech heard → partial shown (p95)", "ms", lambda f: _scaled(f.partial_p95_s, 1_000)
    ),
    "final_ms": _Criterion("endpoint → final (p95)", "ms", lambda f: _scaled(f.final_p95_s, 1_000)),
    "loop_lag_ms": _Criterion(
        "event-loop lag (p99.9)", "ms", lambda f: _scaled(f.loop_lag_p999_s, 1_000)
    ),
    "main_memory_mb": _Criterion(
        "memory of the main process", "MB", lambda f: _scaled(f.main_bytes, 1e-6)
    ),
    "engine_memory_mb": _Criterion(
        "memory of the engine", "MB", lambda f: _scaled(f.engine_bytes, 1e-6)
    ),
    "listening_cpu_percent": _Criterion(
        "CPU while listening", "% of a core", lambda f: f.listening_cpu_percent
    ),
    "idle_cpu_percent": _Criterion("CPU while idle", "% of a core", lambda f: f.idle_cpu_percent),
    "memory_slope_mb_per_hour": _Criterion(
        "growth of memory", "MB/h", lambda f: f.leak.slope.value if f.leak else None
    ),
    "battery_percent_per_hour": _Criterion(
        "battery drain", "%/h", lambda f: f.drain_percent_per_hour
    ),
}
"""By the names of the settings in ``targets``."""

FAULTS: Mapping[str, _Criterion] = {
    "lost_audio": _Criterion(
        "audio lost before it was handled", "s", lambda f: f.lost_samples / 16_000
    ),
    "stalled_subscriber": _Criterion(
        _culprits, "s", lambda f: max(f.stalled.values(), default=None)
    ),
    "dropped_events": _Criterion(_losers, "events", lambda f: float(sum(f.dropped.values()))),
    "engine_hangs": _Criterion(
        "the engine did not answer and was ended; it was started again and heard all once more",
        "hangs",
        lambda f: float(f.engine_hangs),
    ),
    "engine_restarts": _Criterion(
        "restarts of the engine after a crash",
        "restarts",
        lambda f: float(max(0, f.engine_restarts - f.engine_hangs)),
    ),
    "actor_restarts": _Criterion(
        "restarts of actors", "restarts", lambda f: float(f.actor_restarts)
    ),
    "growing_objects": _Criterion(
        "growth of Python's objects",
        "blocks/h",
        lambda f: f.objects.slope.value if f.objects else None,
    ),
    "memory_short": _Criterion("the machine is short of memory", "s", lambda f: f.memory_short_s),
}
"""What should not happen at all."""


class Judge:
    """Holds facts against targets, and remembers since when each is missed."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def judge(self, facts: Facts, targets: TargetSettings) -> tuple[Finding, ...]:
        """What is missed: targets first, then faults."""
        missed = [
            (name, criterion, measured, limit)
            for name, criterion in (*TARGETS.items(), *FAULTS.items())
            if (limit := _limit(name, targets)) is not None
            and (measured := criterion.measured(facts)) is not None
            and measured > limit
        ]
        names = [name for name, *_ in missed]
        self._since = {name: self._since.get(name, facts.at) for name in names}
        return tuple(
            Finding(
                name=name,
                what=criterion.said(facts),
                measured=measured,
                target=limit,
                unit=criterion.unit,
                since=self._since[name],
            )
            for name, criterion, measured, limit in missed
        )


def _limit(name: str, targets: TargetSettings) -> float | None:
    if name in FAULTS:
        return 0.0
    limit: float | None = getattr(targets, name)
    return limit
