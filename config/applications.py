"""The `applications` list: other settings while text goes into certain windows."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, field

from vivavoce.config.section import Section

OF_APPLICATIONS = ("cleanup", "injection")
"""The sections that can differ from one application to another."""


class ApplicationSettings(Section, frozen=True, kw_only=True):
    """Settings that hold for the windows of one application."""

    match: Annotated[
        str,
        Meta(
            min_length=1,
            description="Window class (X11) or app_id (Wayland), any case, with * and ?.",
        ),
    ]
    settings: Annotated[
        dict[str, Any],
        Meta(
            description="`cleanup` and `injection` settings over the profile's, as "
            "`injection: {newlines: enter}`.",
        ),
    ] = field(default_factory=dict)
