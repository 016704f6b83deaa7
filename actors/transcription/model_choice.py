"""Which Whisper model suits a machine: a rule over figures, measured or estimated. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

Source = Literal["measured", "estimated"]

TARGET_ON_MAINS = 0.5
"""Largest real-time factor of finals: what is left is for partials, and for everything else."""
TARGET_ON_BATTERY = 0.25
_SPARED = 0.8  # of the free memory: the rest is for what else the machine does


class CudaDevice(Struct, frozen=True, kw_only=True):
    """An NVIDIA device, and its memory in bytes."""

    name: str
    total_bytes: float
    available_bytes: float


class Machine(Struct, frozen=True, kw_only=True):
    """What a model can be given: cores for this process, memory in bytes, a device, and power."""

    cores: int
    total_bytes: float
    available_bytes: float
    cuda: CudaDevice | None = None
    on_battery: bool = False

    @property
    def target(self) -> float:
        """The largest real-time factor of finals that is good here."""
        return TARGET_ON_BATTERY if self.on_battery else TARGET_ON_MAINS

    def room_bytes(self, device: str) -> float:
        """Memory that an engine on ``device`` may take."""
        if device == "cuda" and self.cuda is not None:
            return self.cuda.available_bytes * _SPARED
        return self.available_bytes * _SPARED


class ModelCost(Struct, frozen=True, kw_only=True):
    """What a model costs on this machine.

    ``accuracy`` orders models (higher: fewer errors); ``real_time_factor`` is the seconds of work
    that a final takes for a second of speech, ``partial_s`` the seconds of a partial. ``languages``
    is ``en`` for models that know only English; ``busy`` says that other programs took a good part
    of the machine while this (or what it is estimated from) was measured.
    """

    name: str
    accuracy: float
    real_time_factor: float
    partial_s: float
    memory_bytes: float
    source: Source
    here: bool
    languages: Literal["en", "all"] = "all"
    device: str = "cpu"
    basis: str = ""
    busy: bool = False


class Verdict(Struct, frozen=True, kw_only=True):
    """One model, whether it is the choice, and one sentence that says why (or why not)."""

    cost: ModelCost
    chosen: bool
    reason: str


class Choice(Struct, frozen=True, kw_only=True):
    """The chosen model, the machine that it is for, and what was said about each."""

    machine: Machine
    model: str
    reason: str
    keeps_up: bool
    verdicts: tuple[Verdict, ...]

    @property
    def cost(self) -> ModelCost:
        """The cost of the chosen model."""
        return next(verdict.cost for verdict in self.verdicts if verdict.chosen)


def choose(
    machine: Machine,
    costs: Sequence[ModelCost],
    *,
    language: str | None = "en",
    only_here: bool = False,
) -> Choice:
    """The most accurate model that keeps up with speech and fits; else the nearest to it.

    Among models that keep up, accuracy decides, then speed. Where none keeps up, the fastest that
    fits is taken (finals then come late, but they come); where none fits, the smallest.

    Args:
        machine: what there is.
        costs: the candidates, at least one.
        language: of the speech; None is any, which models that know only English do not.
        only_here: take only models that are on this machine, where there are any.

    Raises:
        ValueError: there are no candidates.
    """
    if not costs:
        raise ValueError("there are no models to choose from")
    allowed = [cost for cost in costs if _speaks(cost, language)] or list(costs)
    if only_here:
        allowed = [cost for cost in allowed if cost.here] or (
            [cost for cost in costs if cost.here] or allowed
        )
    fitting = [cost for cost in allowed if _fits(cost, machine)]
    fast = [cost for cost in fitting if cost.real_time_factor <= machine.target]
    if fast:
        best = max(fast, key=lambda c: (c.accuracy, -c.real_time_factor, -c.memory_bytes))
    elif fitting:
        best = min(fitting, key=lambda c: (c.real_time_factor, -c.accuracy))
    else:
        best = min(allowed, key=lambda c: (c.memory_bytes, c.real_time_factor, -c.accuracy))
    verdicts = tuple(
        Verdict(
            cost=cost,
            chosen=cost is best,
            reason=_why(cost, machine, keeps_up=bool(fast), fits=bool(fitting))
            if cost is best
            else _why_not(cost, machine, best, allowed, language),
        )
        for cost in costs
    )
    reason = next(verdict.reason for verdict in verdicts if verdict.chosen)
    return Choice(
        machine=machine, model=best.name, reason=reason, keeps_up=bool(fast), verdicts=verdicts
    )


def _speaks(cost: ModelCost, language: str | None) -> bool:
    return cost.languages == "all" or language == "en"


def _fits(cost: ModelCost, machine: Machine) -> bool:
    return cost.memory_bytes <= machine.room_bytes(cost.device)


def _pace(cost: ModelCost) -> str:
    return f"{cost.real_time_factor:.2g}× real time"


def _source(cost: ModelCost) -> str:
    return cost.source + (" while the machine was busy" if cost.busy else "")


def _room(cost: ModelCost, machine: Machine) -> str:
    where = " on the GPU" if cost.device == "cuda" else ""
    room = machine.room_bytes(cost.device)
    return f"needs {_gigabytes(cost.memory_bytes)}, {_gigabytes(room)} can be spared{where}"


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB"


def _why(cost: ModelCost, machine: Machine, *, keeps_up: bool, fits: bool) -> str:
    power = " on battery" if machine.on_battery else ""
    if keeps_up:
        return f"the most accurate that keeps up{power}: {_pace(cost)} ({_source(cost)})"
    if fits:
        return (
            f"none stays below {machine.target:g}× real time{power}; this is the fastest: "
            f"{_pace(cost)} ({_source(cost)})"
        )
    return f"none fits the memory; this is the smallest: {_room(cost, machine)}"


def _why_not(
    cost: ModelCost,
    machine: Machine,
    best: ModelCost,
    allowed: Sequence[ModelCost],
    language: str | None,
) -> str:
    if cost not in allowed:
        return "not on this machine" if _speaks(cost, language) else "knows only English"
    if not _fits(cost, machine):
        return _room(cost, machine)
    if cost.real_time_factor > machine.target:
        if cost.real_time_factor > 1:
            return f"too slow here: {_pace(cost)}"
        power = " on battery" if machine.on_battery else ""
        return f"too slow here: {_pace(cost)}, at most {machine.target:g}× leaves room{power}"
    if cost.accuracy == best.accuracy:
        return f"keeps up, and {best.name} is as accurate and not slower"
    return f"keeps up, but {best.name} is more accurate"


# -- what is known of the models

CANDIDATES: Mapping[str, tuple[str, ...]] = {
    "en": ("tiny.en", "base.en", "small.en", "medium.en", "large-v3-turbo", "large-v3"),
    "all": ("tiny", "base", "small", "medium", "large-v3-turbo", "large-v3"),
}
"""What is offered although it is not on the machine: for English, and for any language."""

_ORDER = (
    "tiny",
    "tiny.en",
    "base",
    "base.en",
    "distil-small.en",
    "small",
    "small.en",
    "distil-medium.en",
    "medium",
    "medium.en",
    "large-v1",
    "distil-large-v2",
    "distil-large-v3",
    "distil-large-v3.5",
    "large-v3-turbo",
    "large-v2",
    "large-v3",
)
_ALIASES = {"turbo": "large-v3-turbo", "large": "large-v3"}


def accuracy(name: str) -> float | None:
    """Where a known model stands among the others; higher is more accurate. None: not known.

    It is an order, not a figure. Within a family larger is better and, for English, `.en` better
    than its multilingual twin (Radford et al. 2022, section 3.2 and tables 8 to 10). Distilled
    models and turbo stand below the model that they were made from (their model cards).
    """
    name = _ALIASES.get(name, name)
    return float(_ORDER.index(name)) if name in _ORDER else None


def accuracy_by_size(parameters: int, sizes: Mapping[str, int]) -> float:
    """The order of a model that nobody measured: that of the largest known one it is as big as.

    ``sizes`` are parameters by name; only the original models count, and three quarters of one's
    parameters are as many.
    """
    known = [
        (count, place)
        for name, count in sizes.items()
        if "distil" not in name and "turbo" not in name and (place := accuracy(name)) is not None
    ]
    below = [place for count, place in known if parameters >= 0.75 * count]
    # Between two of its kind, the larger is taken for the better.
    return max(below, default=-1.0) + min(parameters / 1e12, 0.5)


def knows_only_english(name: str) -> bool:
    """Whether a known model was made for English alone."""
    return name.endswith(".en") or name.startswith("distil-")
