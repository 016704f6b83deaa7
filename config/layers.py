"""The layers of a profile: each a piece of settings and where its values came from."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path as FilePath
from typing import Any

import msgspec

from vivavoce.config.errors import ProfileError
from vivavoce.config.fields import is_text
from vivavoce.config.schema import Profile
from vivavoce.config.yaml_lines import Path, deep_merge, parse_value, parse_yaml
from vivavoce.profiles import profile_names, profile_text

_PREFIX = "VIVAVOCE_"
_DEEPEST = 8
_QUOTES = ("'", '"')
_NOTHING = ("", "~", "null")
_LONGEST_ORIGIN = 80


class Layer(msgspec.Struct, frozen=True):
    """Settings, and for each path of keys where it was set."""

    data: dict[str, Any]
    origins: dict[Path, str]


def stacked(layers: Iterable[Layer]) -> Layer:
    """Layers laid over each other; the later wins."""
    data: dict[str, Any] = {}
    origins: dict[Path, str] = {}
    for layer in layers:
        data = deep_merge(data, layer.data)
        origins |= layer.origins
    return Layer(data, origins)


def at(layer: Layer, path: Path) -> str:
    """The path of a value, and before it where that (or what holds it) was set."""
    dotted = ".".join(path) or "profile"
    for count in range(len(path), 0, -1):
        origin = layer.origins.get(path[:count])
        if origin is not None:
            return f"{origin}: {dotted}"
    return dotted


def profile_layers(
    profile: str | FilePath,
    environ: Mapping[str, str],
    seen: tuple[str, ...] = (),
    *,
    shipped: bool = False,
    on_file: Callable[[FilePath], None] | None = None,
) -> list[Layer]:
    """The layers of a profile and of what it extends, the oldest ancestor first.

    A user's own `captions` that extends `captions` extends the shipped one: ``shipped`` leaves out
    the user's own. ``on_file`` is told of each file before it is read.

    Raises:
        ProfileError: no such profile, a syntax error, or a circle of ``extends``.
    """
    file = _place(profile, environ, shipped=shipped)
    if file is None:
        name, text = f"profile {profile}", profile_text(str(profile))
    else:
        if on_file is not None:
            on_file(file)
        name, text = str(file), _text_of(file)
    if name in seen or len(seen) > _DEEPEST:
        raise ProfileError(f"{name}: profiles extend each other in a circle: {' → '.join(seen)}")
    data, lines = parse_yaml(text, name)
    origins = {path: f"{name}:{line}" for path, line in lines.items()}
    parent = data.pop("extends", None)
    layer = Layer(data, origins)
    if parent is None:
        return [layer]
    if not isinstance(parent, str):
        raise ProfileError(f"{origins[('extends',)]}: extends: expected the name of a profile")
    target: str | FilePath = parent
    if file is not None and _is_path(parent):
        target = file.parent / parent
    itself = parent in profile_names() and known_profiles(environ)[parent] == name
    seen = (*seen, name)
    return [*profile_layers(target, environ, seen, shipped=itself, on_file=on_file), layer]


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """Settings from ``VIVAVOCE_SECTION__KEY=value``; other ``VIVAVOCE_*`` names mean other things.

    Raises:
        ProfileError: the name has ``__`` and is no setting's.
    """
    layers = []
    for name, text in sorted(environ.items()):
        if name.startswith(_PREFIX) and "__" in name:
            path = tuple(part.lower() for part in name.removeprefix(_PREFIX).split("__"))
            layers.append(_single(path, text, name))
    return stacked(layers)


def override_layer(overrides: Sequence[str]) -> Layer:
    """Settings from ``section.key=value``.

    Raises:
        ProfileError: one has no ``=``.
    """
    layers = []
    for override in overrides:
        dotted, equals, text = override.partition("=")
        if not equals or not dotted.strip():
            raise ProfileError(
                f"--set {override}: expected SECTION.KEY=VALUE, as in --set vad.threshold=0.6"
            )
        origin = f"--set {override}"
        if len(origin) > _LONGEST_ORIGIN:
            origin = f"{origin[:_LONGEST_ORIGIN]}…"
        layers.append(_single(tuple(dotted.strip().split(".")), text, origin))
    return stacked(layers)


def _single(path: Path, text: str, origin: str) -> Layer:
    data: Any = text.strip()
    # A text is taken as it is (`no` is Norwegian, `#` no comment) unless it is in quotes or null.
    if not is_text(path) or data[:1] in _QUOTES or data in _NOTHING:
        with suppress(ValueError):
            data = parse_value(text)
    nested = {path[-1]: data}
    for key in reversed(path[:-1]):
        nested = {key: nested}
    return Layer(nested, {path[:count]: origin for count in range(1, len(path) + 1)})


# -- finding profiles


def user_folder(environ: Mapping[str, str]) -> FilePath:
    """Where a user keeps own profiles."""
    base = environ.get("XDG_CONFIG_HOME") or str(FilePath.home() / ".config")
    return FilePath(base) / "vivavoce" / "profiles"


def known_profiles(environ: Mapping[str, str]) -> dict[str, str]:
    """All profiles by name, and where each lies: a path, or ``shipped``; a user's own wins."""
    found = dict.fromkeys(profile_names(), "shipped")
    for path in sorted(user_folder(environ).glob("*.y*ml")):
        found[path.stem] = str(path)
    return found


def _is_path(name: str) -> bool:
    return os.sep in name or name.endswith((".yaml", ".yml"))


def _place(
    profile: str | FilePath, environ: Mapping[str, str], *, shipped: bool
) -> FilePath | None:
    """The file of a profile; None for a shipped one."""
    if isinstance(profile, FilePath) or _is_path(profile):
        return FilePath(profile).expanduser()
    known = known_profiles(environ)
    place = "shipped" if shipped else known.get(profile)
    if place is None:
        near = difflib.get_close_matches(profile, known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ProfileError(
            f"there is no profile {profile!r}: {hint}There are {', '.join(sorted(known))}"
        )
    return None if place == "shipped" else FilePath(place)


def _text_of(path: FilePath) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ProfileError(f"there is no profile file {path}") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}: a profile is a text file in UTF-8, this is not") from error
    except OSError as error:
        raise ProfileError(f"{path} cannot be read: {error.strerror}") from error


__all__ = [
    "Layer",
    "Profile",
    "environment_layer",
    "known_profiles",
    "override_layer",
    "profile_layers",
    "stacked",
    "user_folder",
]
