"""The actors of the chain, made from a profile."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from vivavoce.config import Profile
from vivavoce.config.schema import CaptureSettings, TranscriptionSettings
from vivavoce.pipeline.actor import Actor, ActorContext
from vivavoce.pipeline.messages import Focus
from vivavoce.pipeline.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vivavoce.actors.desktop.held_keys import HeldKeys
    from vivavoce.actors.transcription import Starters
    from vivavoce.actors.transcription.engine import EngineClient, StartEngine
    from vivavoce.actors.transcription.selection import ChooseEngines


def reads_ahead(capture: CaptureSettings) -> bool:
    """Whether audio comes as fast as it is taken."""
    return capture.source != "mic" and capture.pace == "max"


_LONGEST_PAUSE_MS = 3_000
"""What separates the stretches of a recording that is read ahead: nobody pauses for longer inside a
sentence, and a Whisper that hears much silence may take it for the end."""

_LIVE_WINDOW_MS = TranscriptionSettings().longest_window_ms
_WHOLE_WINDOW_MS = 29_800
"""Whisper's own 30 s: nothing is spoken while it decodes, for which there would have to be room."""

_AROUND_MS = 1_000
"""What is kept of the silence around a stretch of it: there is enough, and the first and last words
may lie where the VAD is not sure."""


def as_played(profile: Profile) -> Profile:
    """The profile of a recording that is read ahead.

    Nobody watches words appear faster than they are spoken: finals only. The reader waits for the
    engine, so there is no overload to give anything up for. And nobody waits for a final: what was
    said before a silence and behind it is decoded together, as in the whole recording.
    """
    longest = profile.transcription.longest_window_ms
    transcription = msgspec.structs.replace(
        profile.transcription,
        draft=None,
        partials=False,
        overload_ladder=False,
        longest_window_ms=_WHOLE_WINDOW_MS if longest == _LIVE_WINDOW_MS else longest,
    )
    vad = msgspec.structs.replace(
        profile.vad,
        end_silence_ms=max(profile.vad.end_silence_ms, _LONGEST_PAUSE_MS),
        pre_roll_ms=max(profile.vad.pre_roll_ms, _AROUND_MS),
        hangover_ms=max(profile.vad.hangover_ms, _AROUND_MS),
    )
    return msgspec.structs.replace(profile, transcription=transcription, vad=vad)


def make_actors(
    profile: Profile,
    context: ActorContext,
    keys: HeldKeys,
    on_progress: Callable[[str, int, int], None] | None,
    *,
    ask_focus: Callable[[], Awaitable[Focus | None]] | None,
    ahead: bool,
    engine: EngineClient | None = None,
) -> list[Actor[Any, Any]]:
    """Trigger, VAD, transcription and cleanup.

    ``ahead``: finals are decoded side by side, and nobody is there to press a key.
    """
    from vivavoce.actors.cleanup import CleanupActor
    from vivavoce.actors.transcription import TranscriptionActor
    from vivavoce.actors.trigger import TriggerActor
    from vivavoce.actors.vad import VadActor

    side_by_side = profile.transcription.batch_size if ahead else 1
    choose: ChooseEngines = partial(
        choose_engines, metrics=context.metrics, on_progress=on_progress, side_by_side=side_by_side
    )
    if engine is not None:
        choose = partial(_this_engine, engine)
    return [
        *([] if ahead else [TriggerActor(keys, context)]),
        VadActor(profile.vad, ask_focus=ask_focus, context=context),
        TranscriptionActor(profile.transcription, choose, side_by_side, context, ahead=ahead),
        CleanupActor(profile.cleanup, profile=profile, context=context),
    ]


def _this_engine(engine: EngineClient, _: TranscriptionSettings) -> Starters:
    from vivavoce.actors.transcription import Starters

    async def start() -> EngineClient:
        await engine.start()
        return engine

    return Starters(start)


def choose_engines(
    settings: TranscriptionSettings,
    *,
    metrics: Metrics,
    on_progress: Callable[[str, int, int], None] | None,
    side_by_side: int,
) -> Starters:
    """What starts the engine that the settings ask for, and the better one behind a draft."""
    from vivavoce.actors.transcription import Starters, start_selected

    def starter(chosen: TranscriptionSettings, *, background: bool = False) -> StartEngine:
        return partial(
            start_selected, chosen, metrics, on_progress, side_by_side, background=background
        )

    if settings.draft is None:
        return Starters(starter(settings))
    draft = msgspec.structs.replace(settings, model=settings.draft)
    # Nothing may take the better model's place: a revision would be worse than the draft.
    better = msgspec.structs.replace(settings, engine="faster-whisper")
    return Starters(starter(draft), starter(better, background=True))
