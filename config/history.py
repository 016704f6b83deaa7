"""The `history` section: what is kept of what was said."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from vivavoce.config.section import Section


class HistorySettings(Section, frozen=True, kw_only=True):
    """Finals, and what became of them, in a database of the user's."""

    enabled: Annotated[bool, Meta(description="Keep finals (`vivavoce history`).")] = False
    audio: Annotated[bool, Meta(description="Keep the sound of each final, too.")] = False
    path: Annotated[
        str | None,
        Meta(
            description="The database file; nothing: `vivavoce/history.sqlite3` in the user's data "
            "directory."
        ),
    ] = None
    keep_days: Annotated[
        Annotated[float, Meta(gt=0.0)] | None,
        Meta(description="Older finals are removed; nothing: never."),
    ] = 90.0
    keep_mb: Annotated[
        Annotated[float, Meta(ge=1.0)] | None,
        Meta(
            description="Where the database is larger, the oldest sounds are removed, then the "
            "oldest finals; nothing: never."
        ),
    ] = 512.0
