"""Which engine runs: the profile's choice, and what `engine: auto` falls back to."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import msgspec

from vivavoce.actors.transcription.engine import StartEngine
from vivavoce.actors.transcription.engine_process import EngineProcess
from vivavoce.actors.transcription.engines.base import EngineError, EngineSpec
from vivavoce.actors.transcription.engines.models import AUTO, REPOSITORIES, is_directory_name
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.metrics import Metrics

log = get_logger("transcription")

_MENDED_BY_FALLBACK = ("model_not_found", "missing_dependency")


class Starters(NamedTuple):
    """What makes and starts the engine, and the better one where the first is of a draft."""

    engine: StartEngine
    reviser: StartEngine | None = None


ChooseEngines: TypeAlias = Callable[[TranscriptionSettings], Starters]


def engine_settings(settings: TranscriptionSettings) -> tuple[object, ...]:
    """What an engine is loaded with: where it differs, another one is needed."""
    return (
        settings.engine,
        settings.model,
        settings.draft,
        settings.task,
        settings.language,
        tuple(settings.languages),
        settings.device,
        settings.compute_type,
        settings.threads,
        settings.python,
        settings.offline,
    )


def engine_spec(
    settings: TranscriptionSettings, side_by_side: int = 1, *, background: bool = False
) -> EngineSpec:
    """The engine that a profile asks for; ``auto`` asks for faster-whisper first."""
    return EngineSpec(
        engine="faster-whisper" if settings.engine == "auto" else settings.engine,
        model=settings.model,
        task=settings.task,
        language=settings.language,
        languages=tuple(settings.languages),
        device=settings.device,
        compute_type=settings.compute_type,
        threads=settings.threads,
        offline=settings.offline,
        side_by_side=side_by_side,
        background=background,
    )


async def start_selected(
    settings: TranscriptionSettings,
    metrics: Metrics,
    on_progress: Callable[[str, int, int], None] | None = None,
    side_by_side: int = 1,
    *,
    background: bool = False,
) -> EngineProcess:
    """Start the engine of the profile, for ``side_by_side`` finals at once.

    In the ``background`` it lets every other process go first.

    With ``engine: auto``, a known model that is neither here nor to be fetched is replaced by the
    bundled pocketsphinx, with a warning. A wrong name or a broken directory is the user's to mend.

    Raises:
        EngineError: the engine cannot be loaded, and there is nothing to fall back to.
        EngineDied: the engine's process ended while it loaded.
    """
    asked = settings
    if asked.model == AUTO:
        from vivavoce.actors.transcription.auto_model import resolve_model

        settings = await resolve_model(asked)
    engine = EngineProcess(
        engine_spec(settings, side_by_side, background=background),
        metrics=metrics,
        on_progress=on_progress,
        python=settings.python,
    )
    try:
        info = await engine.start()
    except EngineError as error:
        if asked.model == AUTO and error.kind == "model_not_found" and not asked.offline:
            # What is best cannot be fetched; what is here may do.
            here = msgspec.structs.replace(asked, offline=True)
            return await start_selected(
                here, metrics, on_progress, side_by_side, background=background
            )
        known = settings.model in REPOSITORIES and not is_directory_name(settings.model)
        if settings.engine != "auto" or error.kind not in _MENDED_BY_FALLBACK or not known:
            raise
        engine = EngineProcess(
            msgspec.structs.replace(engine.spec, engine="pocketsphinx", model=""),
            metrics=metrics,
            on_progress=on_progress,
            python=settings.python,
        )
        info = await engine.start()
        log.warning(f"the bundled pocketsphinx is used, which hears far less well: {error}")
    for note in info.notes:
        log.warning(note)
    return engine
