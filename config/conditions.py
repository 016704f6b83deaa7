"""Conditions of the machine (`power.on_battery` and its like): settings laid over the profile.

The settings of a condition merge over the layers of a profile as everything else does. They are
checked when the profile is loaded, each by itself and all that may hold together, so that laying
them over it later cannot fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

import msgspec

from vivavoce.config.contradictions import contradictions
from vivavoce.config.derived import derived
from vivavoce.config.effects import changes_while_running
from vivavoce.config.errors import ProfileError
from vivavoce.config.fields import field_type, may_be_nothing
from vivavoce.config.layers import Layer, at
from vivavoce.config.mistakes import explain
from vivavoce.config.power import CONDITIONS
from vivavoce.config.schema import Profile
from vivavoce.config.yaml_lines import Path, deep_merge

_OF_CONDITIONS = {*CONDITIONS, "low_battery_percent", "pressure_percent"}


def with_conditions(
    profile: Profile, *, on_battery: bool, low_battery: bool, under_pressure: bool
) -> Profile:
    """The profile as it holds under the given conditions; ``profile`` itself where none changes it.

    The settings are laid over it in this order, so those of ``under_pressure`` win. Start from the
    profile as it was loaded, never from one that this function returned. Pure.

    Raises:
        ProfileError: a condition's settings are wrong, which a loaded profile's cannot be.
    """
    met = zip(CONDITIONS, (on_battery, low_battery, under_pressure), strict=True)
    names = [name for name, holds in met if holds]
    if not any(getattr(profile.power, name).settings for name in names):
        return profile
    return _overlaid(Layer(msgspec.to_builtins(profile), {}), names)


def check_conditions(layer: Layer) -> None:
    """Check the settings of all conditions, and of all combinations, over a layer that is right.

    Raises:
        ProfileError: one line with the path ``power.<condition>.settings.…``.
    """
    conditions = [name for name in CONDITIONS if _settings(layer, name)]
    for name in conditions:
        _refuse_what_must_stay(layer, name)
    for count in range(1, len(conditions) + 1):
        for names in combinations(conditions, count):
            _overlaid(layer, names)


def settled_conditions(layer: Layer) -> Layer:
    """The layer with each condition's nulls resolved, and without defaults that would not save.

    A null takes out what a layer below has set, except where null is a value of the setting. The
    conditions' defaults are there to save: where the profile itself asks for fewer partials or an
    earlier rest than they do, they yield.
    """
    power = layer.data.get("power")
    if not isinstance(power, Mapping):
        return layer
    settled: dict[str, Any] = dict(power)
    for name in CONDITIONS:
        condition = power.get(name)
        if condition is None:
            condition = {}
        if not isinstance(condition, Mapping):
            continue
        settings = condition.get("settings")
        if settings is None:
            settings = {}
        if isinstance(settings, Mapping):
            settings = _without_nulls(settings, layer, _prefix(name))
            settings = _without_idle_defaults(settings, layer, _prefix(name))
        settled[name] = {**condition, "settings": settings}
    return Layer({**layer.data, "power": settled}, layer.origins)


def _overlaid(layer: Layer, names: Iterable[str]) -> Profile:
    data: dict[str, Any] = layer.data
    name = ""
    for name in names:
        data = deep_merge(data, _settings(layer, name))
    try:
        profile = msgspec.convert(data, Profile)
    except msgspec.ValidationError as error:
        raise ProfileError(explain(str(error), layer, _prefix(name))) from None
    for path, complaint in contradictions(profile):
        where, together = _blamed(layer, list(names), path)
        raise ProfileError(f"{at(layer, where)}: {complaint}{together}")
    return derived(profile)


def _blamed(layer: Layer, names: list[str], path: Path) -> tuple[Path, str]:
    """The path of the setting that makes the contradiction, and which conditions it takes."""
    of = [name for name in names if _has(_settings(layer, name), path)]
    where = (*_prefix(of[-1]), *path) if of else (*_prefix(names[-1]), path[0])
    others = [f"power.{name}" for name in names if name != where[1]]
    return where, f" (together with {' and '.join(others)})" if others else ""


def _refuse_what_must_stay(layer: Layer, name: str) -> None:
    for path in _leaves(_settings(layer, name), ()):
        where = at(layer, (*_prefix(name), *path))
        if path[0] == "power" and path[1:2] and path[1] in _OF_CONDITIONS:
            raise ProfileError(f"{where}: a condition cannot change what the conditions are")
        if not changes_while_running(path):
            raise ProfileError(
                f"{where}: no condition can change this: it takes effect only when the program "
                "starts"
            )


def _settings(layer: Layer, name: str) -> Mapping[str, Any]:
    settings: Mapping[str, Any] = layer.data["power"][name]["settings"]
    return settings


def _prefix(name: str) -> Path:
    return ("power", name, "settings")


def _has(data: Any, path: Path) -> bool:
    for key in path:
        if not isinstance(data, Mapping) or key not in data:
            return False
        data = data[key]
    return True


def _leaves(data: Mapping[str, Any], path: Path) -> Iterator[Path]:
    for key, value in data.items():
        inner = (*path, key)
        if isinstance(value, Mapping):
            yield from _leaves(value, inner)
        else:
            yield inner


def _without_nulls(data: Mapping[str, Any], layer: Layer, path: Path) -> dict[str, Any]:
    kept = {}
    for key, value in data.items():
        inner = (*path, key)
        if isinstance(value, Mapping):
            kept[key] = _without_nulls(value, layer, inner)
        elif value is not None or inner not in layer.origins or _takes_null(inner):
            kept[key] = value
    return kept


def _takes_null(path: Path) -> bool:
    return field_type(path) is None or may_be_nothing(path)


def _without_idle_defaults(settings: dict[str, Any], layer: Layer, prefix: Path) -> dict[str, Any]:
    """The settings but for defaults that save less than the profile does anyway."""
    kept = {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in settings.items()
    }
    for path, saves in _SAVING.items():
        section, key = path
        if (*prefix, *path) in layer.origins or not _has(kept, path) or not _has(layer.data, path):
            continue
        own, default = layer.data[section][key], kept[section][key]
        if saves(own, default):
            del kept[section][key]
    return kept


def _at_least(own: Any, default: Any) -> bool:
    return isinstance(own, int | float) and own >= default


def _at_most(own: Any, default: Any) -> bool:
    return isinstance(own, int | float) and own <= default


_SAVING = {
    ("transcription", "partial_interval_ms"): _at_least,
    ("power", "park_after_s"): _at_most,
}
