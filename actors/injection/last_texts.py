"""What becomes of texts that still wait when the run ends: they are copied, in one go, and each is
told, in time, whatever hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from vivavoce.actors.desktop.delivery import Delivery, Outcome
from vivavoce.actors.injection.delivery import joined_copies
from vivavoce.actors.injection.outfit import Attempt
from vivavoce.actors.injection.sanitise import clean
from vivavoce.actors.injection.typist import Typist
from vivavoce.pipeline.log import get_logger
from vivavoce.pipeline.messages import Final
from vivavoce.pipeline.tasks import in_background

log = get_logger("injection")

_FOCUS_S = 0.5
"""The window with the focus decides only about settings: it is not waited for as long as else."""


class LastText(msgspec.Struct, frozen=True):
    """A final that nobody will type any more, and why."""

    final: Final
    why: str


class _Copied(msgspec.Struct, frozen=True):
    attempt: Attempt
    application: str
    empty: frozenset[int]
    """Utterances of whose texts nothing is left once they are cleaned."""


async def copy_last(
    typist: Typist,
    texts: Sequence[LastText],
    tell: Callable[[Delivery], None],
    *,
    within_s: float,
) -> None:
    """Copy texts together, and tell of each what became of it: also where this is cancelled.

    One copy of all: each by itself takes three programs, and there may be hundreds.

    Args:
        typist: knows the clipboard.
        texts: in the order of speech.
        tell: is told of each text once, when all is done or time is over.
        within_s: when time is over. What hangs then is left behind: it may resist being ended.
    """
    if not texts:
        return
    copying = in_background(
        _copy(typist, [text.final for text in texts]), "copying the last texts", log
    )
    try:
        await asyncio.wait([copying], timeout=within_s)
    finally:
        for text in texts:
            if (delivery := _delivery(text, copying)) is not None:
                tell(delivery)
        copying.cancel()


async def _copy(typist: Typist, finals: Sequence[Final]) -> _Copied:
    place = await typist.here(_FOCUS_S)
    texts = {final.utterance: clean(final.text, place.settings).strip(" ") for final in finals}
    together = ""
    for text in texts.values():
        together = joined_copies(together, text)
    attempt = Attempt(outcome=Outcome.FAILED)
    if together:
        attempt = await typist.deliverer.copy(
            together,
            place.outfit,
            place.settings,
            "",
            asked_for=place.settings.focus_moved == "copy",
        )
    empty = frozenset(utterance for utterance, text in texts.items() if not text)
    return _Copied(attempt, place.application, empty)


def _delivery(text: LastText, copying: asyncio.Task[_Copied]) -> Delivery | None:
    """What is told of a text; None: it is empty, and nothing is."""
    utterance = text.final.utterance
    if not copying.done() or copying.cancelled():
        why = f"{text.why}, and it could not be copied in time"
        return Delivery(utterance=utterance, outcome=Outcome.FAILED, reason=why)
    if copying.exception() is not None:
        why = f"{text.why}, and copying it failed"
        return Delivery(utterance=utterance, outcome=Outcome.FAILED, reason=why)
    copied = copying.result()
    if utterance in copied.empty:
        return None
    attempt = copied.attempt
    return Delivery(
        utterance=utterance,
        outcome=attempt.outcome,
        back_end=attempt.back_end,
        application=copied.application,
        reason="; ".join(filter(None, (text.why, attempt.reason))),
    )
