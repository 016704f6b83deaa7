"""From layers to a checked profile; every mistake becomes one line that says where it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path as FilePath

import msgspec

from vivavoce.config.conditions import check_conditions, settled_conditions
from vivavoce.config.contradictions import contradictions
from vivavoce.config.derived import derived
from vivavoce.config.errors import ProfileError
from vivavoce.config.gone import without_gone
from vivavoce.config.layers import (
    Layer,
    at,
    environment_layer,
    override_layer,
    profile_layers,
    stacked,
)
from vivavoce.config.mistakes import explain
from vivavoce.config.schema import Profile


def load_profile(
    profile: str | FilePath | None = None,
    *,
    environ: Mapping[str, str],
    overrides: Sequence[str] = (),
    on_file: Callable[[FilePath], None] | None = None,
    on_gone: Callable[[str], None] | None = None,
) -> Profile:
    """Load a profile with its layers: defaults, ``extends``, the profile, environment, overrides.

    Args:
        profile: a name, or a path (a :class:`pathlib.Path`, or text with a slash or ending in
            ``.yaml``); None is ``captions``.
        environ: for ``VIVAVOCE_SECTION__KEY`` settings and the user's configuration folder.
        overrides: ``"section.key=value"`` each; values are read as YAML.
        on_file: told of each file before it is read, also of one that turns out to be wrong.
        on_gone: told, in one line, of each setting that only an earlier release had; it is left
            out. None: such a setting is a mistake.

    Raises:
        ProfileError: one line with file and line (or variable, or option), path, what was expected,
            and what is near it.
    """
    layers = profile_layers(profile or "captions", environ, on_file=on_file)
    defaults = Layer(msgspec.to_builtins(Profile()), {})
    written = stacked([defaults, *layers, environment_layer(environ), override_layer(overrides)])
    return checked(without_gone(written, on_gone))


def checked(layer: Layer) -> Profile:
    """The profile that a layer describes, checked for every condition of the machine, too.

    Raises:
        ProfileError: it does not fit the schema, or its settings contradict each other.
    """
    layer = settled_conditions(layer)
    try:
        profile = msgspec.convert(layer.data, Profile)
    except msgspec.ValidationError as error:
        raise ProfileError(explain(str(error), layer)) from None
    for path, complaint in contradictions(profile):
        raise ProfileError(f"{at(layer, path)}: {complaint}")
    check_conditions(layer)
    return derived(profile)


__all__ = ["checked", "contradictions", "load_profile"]
