"""What differs between two profiles, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from vivavoce.config.power import CONDITIONS
from vivavoce.config.schema import Profile
from vivavoce.config.yaml_lines import Path

_LONGEST_SHOWN = 40
_PRIVATE = {
    ("transcription", "initial_prompt"),
    ("transcription", "hotwords"),
    ("cleanup", "replacements"),
    ("cleanup", "vocabulary"),
    ("applications",),
}
"""Settings that hold a person's own words: logs tell that they changed, not how."""


class Change(msgspec.Struct, frozen=True):
    """One setting that differs; a value is :data:`msgspec.UNSET` where there is none.

    As text: ``transcription.partial_interval_ms: 250 → 400``.
    """

    path: Path
    before: Any
    after: Any

    def __str__(self) -> str:
        dotted = ".".join(self.path)
        if _is_private(self.path):
            return f"{dotted}: changed"
        return f"{dotted}: {_shown(self.before)} → {_shown(self.after)}"


def changes(old: Profile, new: Profile) -> list[Change]:
    """What differs from ``old`` to ``new``, setting by setting, in the order of the schema."""
    return list(_differences(msgspec.to_builtins(old), msgspec.to_builtins(new), ()))


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> Iterator[Change]:
    for key in (*old, *(key for key in new if key not in old)):
        inner = (*path, key)
        before, after = old.get(key, msgspec.UNSET), new.get(key, msgspec.UNSET)
        if before == after and type(before) is type(after):
            continue
        sides = [{} if side is msgspec.UNSET else side for side in (before, after)]
        if all(isinstance(side, Mapping) for side in sides) and not _is_private(inner):
            yield from _differences(sides[0], sides[1], inner)
        else:
            yield Change(inner, before, after)


def _is_private(path: Path) -> bool:
    if path[0] == "power" and len(path) > 3 and path[1] in CONDITIONS:
        path = path[3:]
    return path in _PRIVATE


def _shown(value: Any) -> str:
    if value is msgspec.UNSET:
        return "not set"
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
