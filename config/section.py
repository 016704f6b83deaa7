"""The base of all sections of a profile, and the types that they share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all parts of a profile: immutable, unknown keys are errors."""


Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=600_000)]
Probability: TypeAlias = Annotated[float, Meta(ge=0.0, le=1.0)]
