"""What the schema says about the setting at a path of keys."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from vivavoce.config.power import CONDITIONS
from vivavoce.config.schema import Profile
from vivavoce.config.yaml_lines import Path


def field_type(path: Path) -> Any:
    """The type (of :mod:`msgspec.inspect`) of the setting at ``path``; None where there is none.

    The settings of a condition of the machine are those of a profile once more.
    """
    found: Any = _schema()
    if len(path) > 3 and path[0] == "power" and path[1] in CONDITIONS and path[2] == "settings":
        path = path[3:]
    for key in path:
        if isinstance(found, msgspec.inspect.DictType):
            found = _bare(found.value_type)
            continue
        fields = getattr(found, "fields", ())
        field = next((field for field in fields if field.name == key), None)
        if field is None:
            return None
        found = _bare(field.type)
    return found


def field_names(path: Path) -> list[str]:
    """The settings of the section at ``path``."""
    return [field.name for field in getattr(field_type(path), "fields", ())]


def field_choices(path: Path) -> tuple[Any, ...]:
    """The values that the setting at ``path`` may have, where they are listed."""
    values: tuple[Any, ...] = getattr(field_type(path), "values", ())
    return values


def is_text(path: Path) -> bool:
    """Whether the setting at ``path`` is any text, or nothing."""
    found = field_type(path)
    kinds = found.types if isinstance(found, msgspec.inspect.UnionType) else (found,)
    plain = msgspec.inspect.StrType | msgspec.inspect.NoneType
    return found is not None and all(isinstance(_bare(kind), plain) for kind in kinds)


def may_be_nothing(path: Path) -> bool:
    """Whether null is a value of the setting at ``path``."""
    found = field_type(path)
    kinds = found.types if isinstance(found, msgspec.inspect.UnionType) else (found,)
    return any(
        isinstance(kind, msgspec.inspect.NoneType | msgspec.inspect.AnyType) for kind in kinds
    )


@cache
def _schema() -> Any:
    return msgspec.inspect.type_info(Profile)


def _bare(found: Any) -> Any:
    while isinstance(found, msgspec.inspect.Metadata):
        found = found.type
    return found
