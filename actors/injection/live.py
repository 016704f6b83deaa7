"""Words typed while they are said, and their correction. Pure."""

from __future__ import annotations

import msgspec

from vivavoce.actors.injection.graphemes import backspaces, clusters


class Live(msgspec.Struct, kw_only=True):
    """What was typed of an utterance that is not over.

    Attributes:
        tail: what was typed before it, in the same window.
        typed: what was typed of it.
        broken: why nothing of it can be typed or corrected any more; empty: it can.
        uncertain: more may be typed of it than :attr:`typed`.
        disturbed: how often a person had typed, as :attr:`Memory.disturbed`.
    """

    utterance: int
    window: str = ""
    application: str = ""
    tail: str = ""
    typed: str = ""
    back_end: str = ""
    broken: str = ""
    uncertain: bool = False
    disturbed: int = 0


def growth(typed: str, target: str) -> str:
    """What to type so that ``target`` stands there: only what can be appended.

    Nothing from the first line break or other control character on: an Enter cannot be corrected.
    """
    if not target.startswith(typed):
        return ""
    new = target[len(typed) :]
    return new[: next((at for at, c in enumerate(new) if not c.isprintable()), len(new))]


def correction(typed: str, target: str) -> tuple[int, str] | None:
    """How ``typed`` becomes ``target``: Backspaces, and the text after them.

    None: what would have to be erased cannot be erased for sure.
    """
    common = 0
    for old, new in zip(clusters(typed), clusters(target), strict=False):
        if old != new:
            break
        common += len(old)
    count = backspaces(typed[common:])
    return None if count is None else (count, target[common:])
