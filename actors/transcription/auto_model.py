"""``model: auto``: the choice for this machine, from what was measured before or an estimate.

Nothing is measured with a model here, because capture must not wait; `vivavoce models recommend`
does that, and what it found is used from then on.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence

import msgspec

from vivavoce.actors.transcription.engines.models import AUTO, REPOSITORIES, cached_model
from vivavoce.actors.transcription.machine import BUSY_SHARE, calibrate, probe_machine
from vivavoce.actors.transcription.model_choice import CANDIDATES, Choice, choose
from vivavoce.actors.transcription.speed import model_costs
from vivavoce.actors.transcription.speed_cache import Calibration, SpeedCache, conditions
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.log import get_logger

_SAME_AS_ANOTHER = ("large", "turbo")

log = get_logger("transcription")


async def resolve_model(
    settings: TranscriptionSettings, *, environ: Mapping[str, str] | None = None
) -> TranscriptionSettings:
    """The settings with ``model: auto`` replaced by a model's name; others as they are."""
    if settings.model != AUTO or settings.engine == "pocketsphinx":
        return settings
    choice = await choose_model(settings, environ=os.environ if environ is None else environ)
    hint = "" if settings.language else "; with `language` set to en, English models are considered"
    log.info(f"model: auto is {choice.model}: {choice.reason}{hint}")
    return msgspec.structs.replace(settings, model=choice.model)


async def choose_model(
    settings: TranscriptionSettings,
    *,
    environ: Mapping[str, str],
    models: Sequence[str] = (),
    fresh: bool = False,
) -> Choice:
    """Choose for the profile's task, language, device and precision; among ``models`` where some
    are given, and with ``offline`` from what is here.

    Where nothing was measured, the processor's speed is, in a process of its own, and kept if the
    machine was quiet; ``fresh`` measures it again.

    Raises:
        InterpreterError: there is no Python to measure it with.
    """
    cache = await asyncio.to_thread(SpeedCache, environ)
    where = await asyncio.to_thread(conditions, settings)
    measured = cache.measurements(where)
    calibrated = None if fresh else cache.calibration(where)
    busy = False
    if calibrated is None and not measured and settings.device != "cuda":
        calibrated, others_share = await calibrate(where.threads, python=settings.python)
        busy = others_share > BUSY_SHARE
        if not busy:  # else it is no property of the machine: next time again
            found = Calibration(conditions=where, speed=calibrated)
            await asyncio.to_thread(cache.add_calibration, found)
    # A translation needs a model that knows what it translates from.
    language = None if settings.task == "translate" else settings.language
    names = models or candidates(language, environ)
    costs = model_costs(names, measured, calibrated, settings, environ=environ)
    if busy:
        costs = [msgspec.structs.replace(cost, busy=True) for cost in costs]
    cuda = any(cost.device == "cuda" for cost in costs)
    machine = await asyncio.to_thread(probe_machine, cuda=cuda)
    return choose(machine, costs, language=language, only_here=settings.offline)


def candidates(language: str | None, environ: Mapping[str, str]) -> list[str]:
    """What is offered for a language, and what is on this machine besides; smallest first."""
    offered = CANDIDATES["en" if language == "en" else "all"]
    here = [
        name
        for name in REPOSITORIES
        if name not in offered and name not in _SAME_AS_ANOTHER and cached_model(name, environ)
    ]
    return [*offered, *here]
