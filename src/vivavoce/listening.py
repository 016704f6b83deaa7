"""Captions without asyncio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vivavoce.actors.capture.source import Source
from vivavoce.assembly import Pipeline
from vivavoce.config import Profile
from vivavoce.pipeline.messages import Final


def listen(
    profile: str | Path | Profile = "captions",
    *,
    source: Source | None = None,
    overrides: Sequence[str] = (),
) -> Iterator[Final]:
    """Yield each final with text as it comes, until the source ends.

    The pipeline runs in an event loop of its own in another thread. Leaving the loop early (or
    closing the generator) stops capture and releases everything.

    Args:
        profile: as for :class:`Pipeline`.
        source: as for :class:`Pipeline`.
        overrides: settings over the profile, such as ``"capture.source=talk.wav"``.

    Raises:
        ProfileError: the profile or an override is wrong.
        VivavoceError: the pipeline cannot go on: no microphone, no model, …
    """
    from anyio.from_thread import start_blocking_portal

    pipeline = Pipeline(
        profile, source=source, overrides=[*overrides, "transcription.partials=false"]
    )
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(pipeline) as running,
    ):
        events = running.events()
        while True:
            try:
                event = portal.call(events.__anext__)
            except StopAsyncIteration:
                return
            if isinstance(event, Final) and event.text:
                yield event
