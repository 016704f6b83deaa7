"""Where a text is cut into cues and lines: the cheapest of all ways. Pure.

Each way has a price, in cues: what a reader minds about as much as one more cue costs 1. People
mind a cut inside a clause, a cue that flashes by or cannot be read in time, and a sentence that is
taken apart although it fits. The cheapest way is found from the end backwards, as paragraphs are
set.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import msgspec

from vivavoce.actors.captions.openers import Opener
from vivavoce.actors.captions.sentence_ends import Ending, endings
from vivavoce.actors.captions.timed_text import Piece
from vivavoce.config.schema import SubtitleSettings
from vivavoce.pipeline.messages import seconds

_CUT = {Ending.SENTENCE: 0.0, Ending.CLAUSE: 0.2, Ending.PHRASE: 0.35, Ending.NONE: 3.4}
_SECOND_SENTENCE = 1.6  # above 1: sentences share a cue only where one alone cannot be read
_TOO_SHORT = 3.0  # for a cue of no time; less for one that is nearly long enough
_TOO_FAST = 0.5  # and, for each second in which it could not be read to its end:
_UNREAD = 3.0
_UNEVEN = 0.4  # for a full cue beside an empty one: no last cue of one lonely word
_LINE = 0.3
_LINE_CUT = {Ending.SENTENCE: 0.0, Ending.CLAUSE: 0.0, Ending.PHRASE: 0.0, Ending.NONE: 0.3}

# Inside a clause some places are better than others: parts of the price that are left there.
_BEFORE = {Opener.NOTHING: 1.0, Opener.PHRASE: 0.65, Opener.CLAUSE: 0.5}
_AFTER_A_PAUSE = 0.6  # of half a second
_AFTER_A_SHORT_WORD = 1.3  # articles and their like belong to what follows, in most languages
_SHORT_WORD = 3


class CuePlan(msgspec.Struct, frozen=True):
    """The pieces ``[first, last)`` of a text; ``breaks``: where its lines after the first begin."""

    first: int
    last: int
    breaks: tuple[int, ...]


class _Lines(msgspec.Struct, frozen=True):
    price: float
    breaks: tuple[int, ...]


def cut_into_cues(pieces: Sequence[Piece], settings: SubtitleSettings) -> list[CuePlan]:
    """The cues of a text, in order; together they hold each piece once.

    The last one is taken to have all the time that it needs: what follows is not known.
    """
    count = len(pieces)
    prices = _Prices(pieces, settings)
    cheapest = [0.0] * (count + 1)
    chosen: list[CuePlan | None] = [None] * count
    for first in reversed(range(count)):
        cheapest[first] = float("inf")
        for last, lines in _ways_to_break(pieces, first, prices, settings).items():
            price = lines.price + prices.of_cue(first, last) + cheapest[last]
            if price < cheapest[first]:
                cheapest[first] = price
                chosen[first] = CuePlan(first, last, lines.breaks)
    plans: list[CuePlan] = []
    at = 0
    while at < count:
        plan = chosen[at]
        assert plan is not None  # a cue of one piece is always possible
        plans.append(plan)
        at = plan.last
    return plans


def _ways_to_break(
    pieces: Sequence[Piece], first: int, prices: _Prices, settings: SubtitleSettings
) -> dict[int, _Lines]:
    """For each end of a cue that begins at ``first``: its lines, as they are broken best."""
    found: dict[int, _Lines] = {}
    begun = {first: _Lines(0.0, ())}
    for _ in range(settings.lines):
        following: dict[int, _Lines] = {}
        for begin, before in begun.items():
            used = 0
            for last in range(begin + 1, len(pieces) + 1):
                piece = pieces[last - 1]
                used += piece.columns + (piece.spaced and last - 1 > begin)
                alone = last == begin + 1
                late = seconds(piece.end - pieces[first].start) * 1000 > settings.longest_ms
                if (used > settings.line_characters and not alone) or (late and last > first + 1):
                    break
                price = before.price + _LINE * (1 + (used / settings.line_characters) ** 2)
                if last not in found or price < found[last].price:
                    found[last] = _Lines(price, before.breaks)
                price += prices.line_cuts[last - 1]
                if last not in following or price < following[last].price:
                    following[last] = _Lines(price, (*before.breaks, last))
        begun = following
    return found


class _Prices:
    """What each cue would cost, and each cut behind a piece."""

    def __init__(self, pieces: Sequence[Piece], settings: SubtitleSettings) -> None:
        ends = endings([piece.text for piece in pieces], [piece.spaced for piece in pieces])
        self._pieces = pieces
        self._settings = settings
        self._widths = [0, *accumulate(piece.columns + piece.spaced for piece in pieces)]
        self._sentences = [0, *accumulate(ending is Ending.SENTENCE for ending in ends)]
        self.line_cuts, self._cuts = [], []
        for piece, following, ending in zip(pieces, [*pieces[1:], None], ends, strict=True):
            part = _part_left(piece, following) if following and ending is Ending.NONE else 1.0
            self.line_cuts.append(_LINE_CUT[ending] * part)
            self._cuts.append(_CUT[ending] * part)

    def of_cue(self, first: int, last: int) -> float:
        """A cue of ``[first, last)``, and the cut behind it."""
        pieces, settings = self._pieces, self._settings
        columns = self._widths[last] - self._widths[first] - pieces[first].spaced
        fullness = columns / (settings.lines * settings.line_characters)
        price = 1.0 + _UNEVEN * fullness**2
        price += _SECOND_SENTENCE * (self._sentences[last - 1] - self._sentences[first])
        longest = settings.longest_ms / 1000
        available = longest
        if last < len(pieces):
            price += self._cuts[last - 1]
            available = min(longest, seconds(pieces[last].start - pieces[first].start))
        shortest = settings.shortest_ms / 1000
        if available < shortest:
            price += _TOO_SHORT * (1 - available / shortest)
        needed = columns / settings.characters_per_second
        if available < needed:
            price += _TOO_FAST + _UNREAD * (needed - available)
        return price


def _part_left(piece: Piece, following: Piece) -> float:
    """What is left of the price of a cut inside a clause, between these two."""
    pause = min(1.0, 2 * seconds(max(0, following.start - piece.end)))
    part = 1.0 - (1.0 - _AFTER_A_PAUSE) * pause
    if piece.opens is Opener.NOTHING or len(piece.text) > _SHORT_WORD:
        part *= _BEFORE[following.opens]
    if piece.spaced and len(piece.text) <= _SHORT_WORD:
        part *= _AFTER_A_SHORT_WORD
    return part
