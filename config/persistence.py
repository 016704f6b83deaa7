"""One switch that turns everything off that writes what was said to disk."""

from __future__ import annotations

from msgspec.structs import replace

from vivavoce.config.schema import Profile


def without_persistence(profile: Profile) -> Profile:
    """The profile, without history and without text in logs where ``persistence`` is off. Pure."""
    if profile.persistence:
        return profile
    return replace(
        profile,
        history=replace(profile.history, enabled=False, audio=False),
        log=replace(profile.log, captions=False),
    )
