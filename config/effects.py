"""When a changed setting takes effect while the program runs: one table for the whole schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from vivavoce.config.fields import field_type
from vivavoce.config.schema import Profile
from vivavoce.config.yaml_lines import Path


class Effect(StrEnum):
    """When a change of a setting is felt."""

    AT_ONCE = "at once"
    NEXT_UTTERANCE = "with the next utterance"
    NEXT_SILENCE = "at the next silence"
    ENGINE = "when another engine is loaded"
    NEXT_START = "at the next start"


_TABLE: Mapping[str, Effect] = {
    "description": Effect.AT_ONCE,
    "persistence": Effect.AT_ONCE,
    "capture": Effect.NEXT_START,
    "capture.device": Effect.NEXT_SILENCE,
    "capture.block_ms": Effect.NEXT_SILENCE,
    "trigger": Effect.AT_ONCE,
    "vad": Effect.NEXT_SILENCE,
    "transcription": Effect.NEXT_UTTERANCE,
    "transcription.engine": Effect.ENGINE,
    "transcription.model": Effect.ENGINE,
    "transcription.task": Effect.ENGINE,
    "transcription.language": Effect.ENGINE,
    "transcription.languages": Effect.ENGINE,
    "transcription.device": Effect.ENGINE,
    "transcription.compute_type": Effect.ENGINE,
    "transcription.threads": Effect.ENGINE,
    "transcription.python": Effect.ENGINE,
    "transcription.offline": Effect.ENGINE,
    "transcription.draft": Effect.ENGINE,
    "transcription.partials": Effect.AT_ONCE,
    "transcription.partial_interval_ms": Effect.AT_ONCE,
    "transcription.partial_cpu_share": Effect.AT_ONCE,
    "transcription.final_cpu_share": Effect.AT_ONCE,
    "transcription.longest_window_ms": Effect.AT_ONCE,
    "transcription.overload_ladder": Effect.AT_ONCE,
    "transcription.max_lag_ms": Effect.AT_ONCE,
    "transcription.max_pending": Effect.AT_ONCE,
    "transcription.batch_size": Effect.NEXT_START,
    "transcription.max_engine_restarts": Effect.NEXT_START,
    "cleanup": Effect.NEXT_UTTERANCE,
    "captions.format": Effect.NEXT_START,
    "captions.colour": Effect.AT_ONCE,
    "captions.subtitles": Effect.NEXT_START,
    "injection": Effect.NEXT_UTTERANCE,
    "history": Effect.AT_ONCE,
    "history.audio": Effect.NEXT_START,
    "history.path": Effect.NEXT_START,
    "applications": Effect.NEXT_UTTERANCE,
    "control": Effect.NEXT_START,
    "log.level": Effect.AT_ONCE,
    "log.levels": Effect.AT_ONCE,
    "log.captions": Effect.AT_ONCE,
    "log.format": Effect.NEXT_START,  # who reads JSON lines cannot read others
    "supervisor": Effect.NEXT_START,
    "power": Effect.AT_ONCE,
    "targets": Effect.AT_ONCE,
    "metrics.interval_s": Effect.AT_ONCE,
    "metrics.quiet_interval_s": Effect.AT_ONCE,
    "metrics.listen": Effect.NEXT_START,
    "metrics.listen_beyond_loopback": Effect.NEXT_START,
}
"""By path, or by that of the section; the longest that fits holds."""


def effect_of(path: Path) -> Effect | None:
    """When a change of the setting at ``path`` is felt; None: the schema has none there."""
    return _listed(path) if field_type(path) is not None else None


def changes_while_running(path: Path) -> bool:
    """Whether a change of the setting at ``path`` is felt before the next start.

    True also where the schema has no such setting. Costs nothing where the answer is yes.
    """
    return _listed(path) is not Effect.NEXT_START or field_type(path) is None


def every_setting() -> Iterator[Path]:
    """The paths of all settings of the schema, those of its sections left out."""
    yield from _settings_of(())


def keep_until_restart(running: Profile, profile: Profile) -> Profile:
    """``profile``, but for what takes effect at the next start: that is as in ``running``."""
    data: dict[str, Any] = msgspec.to_builtins(profile)
    kept: dict[str, Any] = msgspec.to_builtins(running)
    for path in every_setting():
        if effect_of(path) is Effect.NEXT_START:
            at, source = data, kept
            for key in path[:-1]:
                at, source = at[key], source[key]
            at[path[-1]] = source[path[-1]]
    return msgspec.convert(data, Profile)


def _listed(path: Path) -> Effect | None:
    found = (_TABLE.get(".".join(path[:count])) for count in range(len(path), 0, -1))
    return next((effect for effect in found if effect is not None), None)


def _settings_of(path: Path) -> Iterator[Path]:
    found = field_type(path)
    if not isinstance(found, msgspec.inspect.StructType):
        yield path
        return
    for field in found.fields:
        yield from _settings_of((*path, field.name))
