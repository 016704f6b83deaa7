"""Mistakes in a profile as one line for people: where, what, what was expected, what is near it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from vivavoce.config.fields import field_choices, field_names
from vivavoce.config.layers import Layer, at
from vivavoce.config.yaml_lines import Path

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<key>.*)`$", re.DOTALL)
_NOT_QUOTED = re.compile(r"^expected `str\b.*got `(bool|int|float|date|datetime)`")
_LONGEST_SHOWN = 80
_ENUM = re.compile(r"^Invalid enum value (?P<value>.*)$", re.DOTALL)


def explain(message: str, layer: Layer, prefix: Path = ()) -> str:
    """msgspec's ``message`` about a layer's data as one line for people.

    Args:
        message: of a :class:`msgspec.ValidationError`.
        layer: the data, and where they were set.
        prefix: the path, in the layer, of the data that did not fit the schema.
    """
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
        return f"{at(layer, (*prefix, *path))}: unknown setting: {hint}"
    value = _value(layer.data, (*prefix, *path))
    what = what[0].lower() + what[1:]
    if _ENUM.match(what[0].upper() + what[1:]):
        allowed = [str(choice) for choice in field_choices(path)]
        near = difflib.get_close_matches(str(value), allowed, n=1)
        what = f"expected one of {', '.join(allowed)}"
        if near:
            what += f" (did you mean {near[0]!r}?)"
    if _NOT_QUOTED.match(what):
        what += " (write it in quotes, or YAML does not take it for text)"
    return f"{at(layer, (*prefix, *path))}: {_shown(value)}: {what}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _value(data: Any, path: Path) -> Any:
    for key in path:
        if not isinstance(data, Mapping) or key not in data:
            return data
        data = data[key]
    return data
