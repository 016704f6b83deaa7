"""YAML that remembers the line of every value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import yaml

from vivavoce.config.errors import ProfileError

Path: TypeAlias = tuple[str, ...]

_MOST_BYTES = 1_000_000
_MOST_NODES = 10_000
_MOST_LEVELS = 20
_TOO_DEEP = f"values nested more than {_MOST_LEVELS} deep: this is no "


def parse_yaml(
    text: str, name: str, *, what: str = "profile", section: str = "vad"
) -> tuple[dict[str, Any], dict[Path, int]]:
    """Read a YAML mapping.

    Args:
        text: the document.
        name: what errors call it, usually the file's path.
        what: the kind of file, in their words.
        section: one that such a file has, as an example.

    Returns:
        The data, and the line (from 1) of each value by its path of keys.

    Raises:
        ProfileError: a syntax error, a duplicate key, no mapping, or absurdly large.
    """
    if len(text) > _MOST_BYTES:
        raise ProfileError(f"{name}: a {what} of {len(text)} bytes is too large to be one")
    try:
        line = _too_deep(text)
    except yaml.YAMLError as error:
        raise ProfileError(_syntax_error(error, name)) from error
    if line is not None:
        raise ProfileError(f"{name}:{line}: {_TOO_DEEP}{what}")
    loader = _SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return {}, {}
        if not isinstance(node, yaml.MappingNode):
            line = node.start_mark.line + 1
            raise ProfileError(
                f"{name}:{line}: a {what} is a mapping of sections, as in `{section}:`"
            )
        reader = _Reader(loader, name, what)
        return reader.mapping(node, ()), reader.lines
    except yaml.YAMLError as error:
        raise ProfileError(_syntax_error(error, name)) from error
    finally:
        loader.dispose()


# What PyYAML raises, besides its own errors, for `!!int x`, the date 2024-13-45 and their like.
_NO_VALUE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _too_deep(text: str) -> int | None:
    """The line where YAML is nested too deeply for a profile: PyYAML's recursion would crash."""
    depth = 0
    for event in yaml.parse(text, Loader=_SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MOST_LEVELS:
            mark: Any = event.start_mark
            return int(mark.line) + 1
    return None


def _syntax_error(error: yaml.YAMLError, name: str) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"{name}:{mark.line + 1}" if mark is not None else name
    problem = getattr(error, "problem", None) or str(error)
    return f"{where}: this is not YAML: {' '.join(str(problem).split())}"


class _Reader:
    """Turns nodes into plain data and notes their lines."""

    def __init__(self, loader: Any, name: str, what: str) -> None:
        self._loader = loader
        self._name = name
        self._what = what
        self._nodes = 0
        self._level = 0
        self.lines: dict[Path, int] = {}

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise ProfileError(f"{self._name}:{line}: a key must be a plain word")
            key = str(key_node.value)
            if key in data:
                dotted = ".".join((*path, key))
                raise ProfileError(f"{self._name}:{line}: {dotted} is given twice")
            self.lines[(*path, key)] = line
            data[key] = self._value(value_node, (*path, key))
        return data

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self._nodes += 1
        if self._nodes > _MOST_NODES:  # aliases can make a small file huge
            raise ProfileError(
                f"{self._name}: more than {_MOST_NODES} values: this is no {self._what}"
            )
        line = node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            try:
                return self._loader.construct_object(node)
            except _NO_VALUE as error:
                raise ProfileError(
                    f"{self._name}:{line}: {'.'.join(path)}: {node.value[:40]!r} is no "
                    f"{node.tag.rpartition(':')[2]}; a text is written in quotes"
                ) from error
        self._level += 1
        if self._level > _MOST_LEVELS:  # a value that holds itself has no end
            raise ProfileError(f"{self._name}:{line}: {_TOO_DEEP}{self._what}")
        value = (
            self.mapping(node, path)
            if isinstance(node, yaml.MappingNode)
            else [self._value(item, path) for item in node.value]
        )
        self._level -= 1
        return value


def parse_value(text: str) -> Any:
    """A single value as YAML reads it: a number, true, a list, or the text itself.

    Raises:
        ValueError: it is not YAML.
    """
    try:
        if _too_deep(text) is not None:
            raise ValueError(f"{_TOO_DEEP}profile")
        return yaml.load(text, Loader=_SafeLoader)  # noqa: S506 - it is the safe loader
    except (yaml.YAMLError, *_NO_VALUE) as error:
        raise ValueError(str(error)) from error


def deep_merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid over ``under``: mappings merge, everything else is replaced."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = deep_merge(below, value)
        else:
            merged[key] = value
    return merged
