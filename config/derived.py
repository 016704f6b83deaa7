"""What follows from some settings for others. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from vivavoce.config.schema import Profile


def derived(profile: Profile) -> Profile:
    """The profile as it is meant: idempotent."""
    return _without_persistence(_with_vocabulary(profile))


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
    hotwords = (profile.transcription.hotwords or "").split()
    known = set(hotwords)
    new = [
        word for term in profile.cleanup.vocabulary for word in term.split() if word not in known
    ]
    if not new:
        return profile
    text = " ".join([*hotwords, *dict.fromkeys(new)])
    return replace(profile, transcription=replace(profile.transcription, hotwords=text))
