"""Which rule did what: the steps that `vivavoce clean --explain` shows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

import msgspec


class Step(msgspec.Struct, frozen=True):
    """One change: the rule that made it, and the part of the text before and after it."""

    rule: str
    before: str
    after: str


Note: TypeAlias = Callable[[Step], None]
"""Told of each change while a text is cleaned."""

KEEP = "\ufdd0"
"""Put before a word whose case is final. A noncharacter of Unicode: no text holds it; it is gone
before a text leaves the cleaner."""

_PIECES = re.compile(r"\s+|[^\s]+").findall


def changes(rule: str, before: str, after: str) -> Iterator[Step]:
    """The parts in which two texts differ, word by word, each as a step of ``rule``."""
    if before == after:
        return
    old, new = _PIECES(before), _PIECES(after)
    for what, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what != "equal":
            yield Step(rule, "".join(old[a:b]), "".join(new[c:d]))
