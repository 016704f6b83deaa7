"""What follows from some settings for others. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from vivavoce.config.cleanup import engine_hints
from vivavoce.config.schema import Profile
from vivavoce.config.spoken import with_codes


def derived(profile: Profile) -> Profile:
    """The profile as it is meant: idempotent."""
    return _without_persistence(_with_vocabulary(with_codes(profile)))


def _without_persistence(profile: Profile) -> Profile:
    """Where ``persistence`` is off: no history, and no text in logs."""
    if profile.persistence:
        return profile
    return replace(
        profile,
        history=replace(profile.history, enabled=False, audio=False),
        log=replace(profile.log, captions=False),
    )


def _with_vocabulary(profile: Profile) -> Profile:
    """The engine is told to expect the words of ``cleanup.vocabulary``."""
    hints = engine_hints(profile.cleanup)
    own = profile.transcription.hotwords or ""
    if not hints or own.endswith(hints):
        return profile
    hotwords = f"{own} {hints}".strip()
    return replace(profile, transcription=replace(profile.transcription, hotwords=hotwords))
