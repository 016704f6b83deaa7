"""Says when to record: the small handle behind ``Pipeline.trigger``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vivavoce.config.trigger import TriggerMode

if TYPE_CHECKING:
    from vivavoce.actors.trigger import TriggerActor


class Trigger:
    """Begins and ends recordings of a running pipeline. Call it in the event loop.

    What is asked for holds from the moment of the call, however much audio waits. In the mode
    ``voice`` everything is recorded, and only :meth:`cancel` says something new. Once the stream
    has ended nothing is recorded, whatever is asked for.

    Example::

        async with vivavoce.Pipeline("push-to-talk") as pipeline:
            pipeline.trigger.start()
            await asyncio.sleep(3)
            pipeline.trigger.stop()
    """

    def __init__(self, actor: TriggerActor) -> None:
        self._actor = actor

    @property
    def recording(self) -> bool:
        """Whether what is said now is recognised."""
        return self._actor.recording

    @property
    def mode(self) -> TriggerMode:
        """The trigger mode that holds: ``voice``, ``hold``, ``toggle`` or ``manual``."""
        return self._actor.mode

    def start(self) -> None:
        """Record from now on (and from the pre-roll before it), until :meth:`stop`."""
        self._actor.start()

    def stop(self) -> None:
        """What was said until now, tail included, is finished; nothing more is wanted."""
        self._actor.stop()

    def toggle(self) -> None:
        """:meth:`stop` where it records, else :meth:`start`."""
        self._actor.toggle()

    def cancel(self) -> None:
        """Discard what was said since the recording began, also in its tail.

        In the mode ``voice``, which has no beginning, the utterance that is open is discarded.
        """
        self._actor.cancel()

    def force_mode(self, mode: TriggerMode | None) -> None:
        """Use this trigger mode until the end, whatever the profile says; None: as that says."""
        self._actor.force_mode(mode)

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Call ``watcher`` in the event loop whenever :attr:`recording` may have changed."""
        self._actor.watch(lambda _: watcher())
