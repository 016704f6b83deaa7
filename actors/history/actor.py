"""The history actor: captions in, rows out."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from vivavoce.actors.history.entry import Kept, storable
from vivavoce.actors.history.keeper import AudioBook
from vivavoce.actors.history.place import history_wanted
from vivavoce.actors.history.recorder import Recorder
from vivavoce.actors.history.sound import to_wav
from vivavoce.pipeline.actor import TO_SINKS, Actor, ActorContext
from vivavoce.pipeline.messages import Caption, Final, RecordingEnded, Revision, seconds

_MOST_EMPTY = 64


class HistoryActor(Actor[Caption, None]):
    """Hands finals, and what changes them later, to the recorder, while the profile wants that.

    Args:
        recorder: opened before the actors start, and closed when all of them have ended: what
            became of the last texts is told to it late.
        profile_name: what the profile is called then; it stands in the rows.
        book: the sound of recent speech, where that is kept, too.
        context: as for every actor.
    """

    name = "history"
    closing_grace_s = None

    def __init__(
        self,
        recorder: Recorder,
        profile_name: Callable[[], str],
        book: AudioBook | None = None,
        context: ActorContext | None = None,
    ) -> None:
        super().__init__(context=context, capacity=TO_SINKS)
        self._recorder = recorder
        self._profile_name = profile_name
        self._book = book
        self._empty: OrderedDict[int, Final] = OrderedDict()  # a revision may find words in them

    async def on_message(self, message: Caption) -> None:
        """Keep, change or remove."""
        if not history_wanted(self.context.settings.profile):
            return
        if isinstance(message, Final):
            self._final(message)
        elif isinstance(message, Revision):
            self._revision(message)
        elif isinstance(message, RecordingEnded) and message.cancelled:
            self._empty.clear()
            self._recorder.discard(message.start, message.end)

    def _final(self, final: Final) -> None:
        if final.retracts:
            self._recorder.retract(final.utterance, final.retracts)
        if final.text.strip():
            self._keep(final)
            return
        self._empty[final.utterance] = final
        while len(self._empty) > _MOST_EMPTY:
            self._empty.popitem(last=False)

    def _revision(self, revision: Revision) -> None:
        final = self._empty.pop(revision.utterance, None)
        if final is None:
            self._recorder.revise(revision)
        elif revision.text.strip():
            self._keep(
                msgspec.structs.replace(
                    final,
                    text=revision.text,
                    words=revision.words,
                    confidence=revision.confidence,
                    engine=revision.engine or final.engine,
                    model=revision.model or final.model,
                    language=revision.language or final.language,
                )
            )

    def _keep(self, final: Final) -> None:
        began = self.context.stream.wall_start
        if began is None:  # finals without capture: a pipeline of somebody's own
            began = time.time() - seconds(final.end)
        focus = final.focus
        pcm = self._book.take(final.start, final.end) if self._book is not None else None
        self._recorder.add(
            kept(
                final,
                wall_start=began,
                profile=self._profile_name(),
                application=focus.application if focus is not None else "",
                wav=None if pcm is None else to_wav(pcm),
            )
        )


def kept(
    final: Final,
    *,
    wall_start: float,
    profile: str = "",
    application: str = "",
    wav: bytes | None = None,
) -> Kept:
    """What is kept of a final. Pure.

    Args:
        wall_start: :func:`time.time` of the first sample of the run.
    """
    heard = " ".join(word.text.strip() for word in final.words)
    return Kept(
        utterance=final.utterance,
        run_began=round(wall_start * 1000),
        began=round((wall_start + seconds(final.start)) * 1000),
        ended=round((wall_start + seconds(final.end)) * 1000),
        start=final.start,
        end=final.end,
        text=storable(final.text),
        heard="" if heard.split() == final.text.split() else storable(heard),
        profile=storable(profile),
        engine=storable(final.engine),
        model=storable(final.model),
        language=storable(final.language),
        confidence=final.confidence,
        application=storable(application),
        wav=wav,
    )
