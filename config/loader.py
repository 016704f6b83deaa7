"""From layers to a checked profile; every mistake becomes one line that says where it is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

import msgspec

from vivavoce.config.errors import ProfileError
from vivavoce.config.fields import field_choices, field_names
from vivavoce.config.layers import (
    Layer,
    environment_layer,
    override_layer,
    profile_layers,
    stacked,
)
from vivavoce.config.schema import Profile
from vivavoce.config.yaml_lines import Path

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<key>.*)`$", re.DOTALL)
_NOT_QUOTED = re.compile(r"^expected `str\b.*got `(bool|int|float|date|datetime)`")
_LONGEST_SHOWN = 80
_ENUM = re.compile(r"^Invalid enum value (?P<value>.*)$", re.DOTALL)


def load_profile(
    profile: str | FilePath | None = None,
    *,
    environ: Mapping[str, str],
    overrides: Sequence[str] = (),
) -> Profile:
    """Load a profile with its layers: defaults, ``extends``, the profile, environment, overrides.

    Args:
        profile: a name, or a path (a :class:`pathlib.Path`, or text with a slash or ending in
            ``.yaml``); None is ``captions``.
        environ: for ``VIVAVOCE_SECTION__KEY`` settings and the user's configuration folder.
        overrides: ``"section.key=value"`` each; values are read as YAML.

    Raises:
        ProfileError: one line with file and line (or variable, or option), path, what was expected,
            and what is near it.
    """
    layers = profile_layers(profile or "captions", environ)
    layer = stacked([*layers, environment_layer(environ), override_layer(overrides)])
    return checked(layer)


def checked(layer: Layer) -> Profile:
    """The profile that a layer describes.

    Raises:
        ProfileError: it does not fit the schema, or its settings contradict each other.
    """
    try:
        profile = msgspec.convert(layer.data, Profile)
    except msgspec.ValidationError as error:
        raise ProfileError(_explain(str(error), layer)) from None
    for path, complaint in contradictions(profile):
        raise ProfileError(f"{_where(layer, path)}{'.'.join(path)}: {complaint}")
    return profile


def contradictions(profile: Profile) -> list[tuple[Path, str]]:
    """Settings that are fine alone but not together: the path of one, and what is wrong. Pure."""
    vad, transcription = profile.vad, profile.transcription
    found: list[tuple[Path, str]] = []

    def unless(fine: bool, section: str, key: str, complaint: str) -> None:
        if not fine:
            found.append(((section, key), complaint))

    unless(
        vad.release_threshold <= vad.threshold,
        "vad",
        "release_threshold",
        f"{vad.release_threshold} is above vad.threshold ({vad.threshold}): speech would end at "
        "once; expected at most the threshold",
    )
    unless(
        vad.release_threshold > 0,
        "vad",
        "release_threshold",
        f"{vad.release_threshold}: no probability is below that, so speech would never end; "
        "expected more than 0",
    )
    unless(
        vad.threshold < 1,
        "vad",
        "threshold",
        f"{vad.threshold}: no speech is that certain, so none would be heard; expected less than 1",
    )
    unless(
        vad.pause_ms < vad.end_silence_ms,
        "vad",
        "pause_ms",
        f"{vad.pause_ms} is not below vad.end_silence_ms ({vad.end_silence_ms})",
    )
    unless(
        vad.hangover_ms <= vad.end_silence_ms,
        "vad",
        "hangover_ms",
        f"{vad.hangover_ms} is above vad.end_silence_ms ({vad.end_silence_ms})",
    )
    unless(
        vad.pre_roll_ms + vad.min_speech_ms + vad.cut_search_ms < vad.max_utterance_ms,
        "vad",
        "cut_search_ms",
        f"{vad.cut_search_ms} with pre-roll and shortest speech is not below vad.max_utterance_ms "
        f"({vad.max_utterance_ms}): the cut could lie before the speech",
    )
    unless(
        vad.pre_roll_ms + vad.min_speech_ms + vad.end_silence_ms < vad.max_utterance_ms,
        "vad",
        "max_utterance_ms",
        "is shorter than pre-roll, shortest speech and end silence together",
    )
    unless(
        profile.supervisor.backoff_ms <= profile.supervisor.max_backoff_ms,
        "supervisor",
        "backoff_ms",
        f"{profile.supervisor.backoff_ms} is above supervisor.max_backoff_ms "
        f"({profile.supervisor.max_backoff_ms})",
    )
    unless(
        transcription.engine != "pocketsphinx" or transcription.language in (None, "en", "en-US"),
        "transcription",
        "language",
        f"{transcription.language!r}: pocketsphinx knows only English; use engine: faster-whisper",
    )
    unless(
        transcription.draft != "auto",
        "transcription",
        "draft",
        "only `model` can be chosen by itself; expected the name of a small model, as tiny.en",
    )
    unless(
        transcription.draft is None or transcription.engine != "pocketsphinx",
        "transcription",
        "draft",
        "pocketsphinx has no models to choose from; use engine: faster-whisper, or no draft",
    )
    unless(
        all(key.strip() for key in profile.cleanup.replacements),
        "cleanup",
        "replacements",
        "an empty text cannot be replaced",
    )
    return found


# -- errors for people


def _explain(message: str, layer: Layer) -> str:
    match = _AT.match(message)
    assert match is not None
    what = match["what"]
    path = tuple(part for part in re.split(r"[.\[]", match["path"] or "") if part)
    path = tuple(part for part in path if not part.endswith("]"))
    unknown = _UNKNOWN.match(what)
    if unknown:
        path = (*path, unknown["key"])
        known = field_names(path[:-1])
        near = difflib.get_close_matches(unknown["key"], known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"
        return f"{_where(layer, path)}{'.'.join(path)}: unknown setting: {hint}"
    value = _value(layer.data, path)
    what = what[0].lower() + what[1:]
    if _ENUM.match(what[0].upper() + what[1:]):
        allowed = [str(choice) for choice in field_choices(path)]
        near = difflib.get_close_matches(str(value), allowed, n=1)
        what = f"expected one of {', '.join(allowed)}"
        if near:
            what += f" (did you mean {near[0]!r}?)"
    if _NOT_QUOTED.match(what):
        what += " (write it in quotes, or YAML does not take it for text)"
    return f"{_where(layer, path)}{'.'.join(path) or 'profile'}: {_shown(value)}: {what}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _where(layer: Layer, path: Path) -> str:
    """Where the value at ``path`` (or what holds it) was set."""
    for count in range(len(path), 0, -1):
        origin = layer.origins.get(path[:count])
        if origin is not None:
            return f"{origin}: "
    return ""


def _value(data: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(data, Mapping) or key not in data:
            return data
        data = data[key]
    return data
