"""What a back end is: something that can get text into other windows; and how its tool is run.

A back end never decides what happens after a failure. It says what it knows, and above all whether
anything can have been typed: a text that was perhaps typed is never typed again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from vivavoce.pipeline.messages import Focus

if TYPE_CHECKING:  # what runs tools is for POSIX systems, pynput's back end for all
    from vivavoce.actors.injection.tool import Finished


class Result(StrEnum):
    """What became of a piece of text that a back end was given."""

    DONE = "done"
    """The back end says that all of it was typed."""
    NOTHING = "nothing"
    """It was certainly not typed, nor any part of it: another back end may try."""
    UNCERTAIN = "uncertain"
    """It failed while typing: part of it may be typed, and nobody may type it again."""


class Report(msgspec.Struct, frozen=True):
    """What a back end says; ``reason`` is one line, empty where all went well.

    ``typed`` counts the characters that are surely typed, where that is neither none of a failure
    nor all of a success: of what comes after them, ``result`` is true. With ``DONE`` they are as
    many as there was time for, and the rest is to be given once more. ``paused``: because a person
    holds a modifier; it may be none at all then. Of keys pressed, ``typed`` counts the times.
    """

    result: Result
    reason: str = ""
    typed: int | None = None
    paused: bool = False

    @property
    def done(self) -> bool:
        """Whether all went well."""
        return self.result is Result.DONE


DONE = Report(Result.DONE)
PRESSED = "a modifier key was pressed while it was typed"


def nullcontext_of(keys: str) -> AbstractContextManager[None]:
    """Nobody hears keys."""
    return nullcontext()


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How to type: the same for all pieces of a text.

    ``characters_per_s`` is a rate to keep to, ``timeout_s`` what a call may take in all.
    ``watched``: the person may press modifiers at any moment, for they are part of a hotkey.
    ``pressing`` gives what a combination of keys is pressed within, so that it is not heard as one.
    """

    characters_per_s: float = 200.0
    timeout_s: float = 3.0
    watched: bool = False
    pressing: Callable[[str], AbstractContextManager[None]] = nullcontext_of


class BackEnd(Protocol):
    """Gets text to where it belongs.

    Attributes:
        name: as in ``injection.backend``.
        piece: characters that it takes at once; longer texts come in several calls of :meth:`type`.
            A failure makes no more than one piece uncertain.
        pace: characters per second at which it is known to lose nothing.
        has_keys: it presses keys. Where it has none (a file), ``\\n`` is only a character of the
            text, and what was typed cannot be erased.
    """

    name: str
    piece: int
    pace: float
    has_keys: bool

    async def available(self) -> str | None:
        """None: usable now. Else one line: why not, and how to mend it.

        Cheap, and asked before each text that follows a failure: a harmless probe of the tool under
        a time-out. A tool that hangs is found out here, when nothing can have been typed.
        """
        ...

    async def type(self, text: str, manner: Manner) -> Report:
        """Type ``text``, which is sanitised.

        Only where there are no keys does it hold control characters that are allowed, line breaks
        among them; else those are pressed.
        """
        ...

    async def press(self, keys: str, manner: Manner, times: int = 1) -> Report:
        """Press keys together, ``times`` over: ``backspace``, ``shift+enter``, ``ctrl+v``.

        Names are those of hotkeys: ``ctrl``, ``alt``, ``shift``, ``super``, ``enter``, ``tab``,
        ``backspace``, ``insert``, ``f1`` …, or one character. Never called without ``has_keys``.
        """
        ...


@runtime_checkable
class LetsGo(Protocol):
    """A back end to whose keys those that a person holds down are added.

    One that is none brings modifiers of its own (wtype) or has no keys.
    """

    async def let_go(self, held: frozenset[str]) -> str:
        """Release the modifiers that are down, on both sides; never press one again.

        Args:
            held: those that a hotkey listener knows to be held, as :attr:`HeldKeys.held`.

        Returns:
            Why that cannot be done; empty: it is.
        """
        ...


@runtime_checkable
class Looks(Protocol):
    """A back end that sees the keys that are down, and looks before each of its own.

    Attributes:
        looks: whether it can, here.
    """

    looks: bool

    async def held(self) -> bool:
        """Whether a modifier is down now; False where that cannot be found out."""
        ...


@runtime_checkable
class Rests(Protocol):
    """A back end that leaves something behind for its next text: keys with other characters."""

    async def rest(self) -> None:
        """Leave nothing behind: another types next, and would take it for the keyboard."""
        ...


def is_blind(back_end: BackEnd) -> bool:
    """Whether modifiers that a person presses while it types change what it types, unseen."""
    sees = isinstance(back_end, Looks) and back_end.looks
    return isinstance(back_end, LetsGo) and not sees


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a clipboard holds. ``text`` None: something that is no text; empty: nothing."""

    text: str | None


class Clipboard(Protocol):
    """The clipboard of a session.

    Attributes:
        name: of its tool, as ``xclip``.
    """

    name: str

    async def available(self) -> str | None:
        """As that of a back end."""
        ...

    async def get(self) -> Content | None:
        """What it holds now; None: that cannot be found out."""
        ...

    async def set(self, text: str) -> Report:
        """Put ``text`` there; an empty text clears it."""
        ...


class FocusProbe(Protocol):
    """Asks the window system which window has the focus."""

    async def focus(self) -> Focus | None:
        """The window that has it now; None: that is not known. Never raises, never hangs."""
        ...


def report_of(finished: Finished, tool: str) -> Report:
    """What the end of a tool that had its text on standard input says about that text.

    A tool that took nothing of its input, or never ran, has certainly typed nothing, whatever it
    says itself; of any other that did not end well nobody knows how far it came.
    """
    if finished.ok and finished.unread:
        return Report(Result.NOTHING, f"{tool} did not take the text")
    if finished.ok:
        return DONE
    nothing = finished.error or finished.unread
    return Report(Result.NOTHING if nothing else Result.UNCERTAIN, finished.complaint(tool))
