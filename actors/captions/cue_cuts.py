"""Where a text is cut into cues and lines: the cheapest of all ways. Pure.

Each way has a price, in cues: what a reader minds about as much as one more cue costs 1. People
mind a cut inside a clause, a cue that flashes by or cannot be read in time, and a sentence that is
taken apart although it fits. The cheapest way is found from the end backwards, as paragraphs are
set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from vivavoce.actors.captions.openers import Opens
from vivavoce.actors.captions.sentence_ends import Ending, endings
from vivavoce.actors.captions.timed_text import Piece
from vivavoce.config.schema import SubtitleSettings
from vivavoce.pipeline.messages import SAMPLE_RATE, seconds

_CUT = {Ending.SENTENCE: 0.0, Ending.CLAUSE: 0.2, Ending.PHRASE: 0.35, Ending.NONE: 3.8}
_SECOND_SENTENCE = 1.6  # above 1: sentences share a cue only where one alone cannot be read
_TOO_SHORT = 3.0  # for a cue of no time; less for one that is nearly long enough
_TOO_FAST = 0.5  # and, for each second in which it could not be read to its end:
_UNREAD = 3.0
_UNEVEN = 0.4  # for a full cue beside an empty one: no last cue of one lonely word
_LINE = 0.3
# Of lines: what an uneven pair costs is the square of how full each is.
_LINE_CUT = {Ending.SENTENCE: 0.0, Ending.CLAUSE: 0.0, Ending.PHRASE: 0.0, Ending.NONE: 0.35}

# Inside a clause some places are better than others: parts of the price that are left there.
_BEFORE = {Opens.NOTHING: 1.0, Opens.PHRASE: 0.65, Opens.CLAUSE: 0.5}
_AFTER_A_PAUSE = 0.6  # of half a second
_AFTER_A_SHORT_WORD = 1.3  # articles and their like belong to what follows, in most languages
_SHORT_WORD = 3


def cut_into_cues(pieces: Sequence[Piece], settings: SubtitleSettings) -> list[int]:
    """Where the cues of a text end: the index behind the last piece of each.

    The last one is taken to have all the time that it needs: what follows is not known.
    """
    count = len(pieces)
    prices = _Prices(pieces, settings)
    cheapest = [0.0] * (count + 1)
    chosen = [0] * count
    for first in reversed(range(count)):
        cheapest[first] = float("inf")
        for last, lines in _possible_ends(pieces, first, settings):
            price = _LINE * lines + prices.of_cue(first, last) + cheapest[last]
            if price < cheapest[first]:
                cheapest[first], chosen[first] = price, last
    ends: list[int] = []
    while not ends or ends[-1] < count:
        ends.append(chosen[ends[-1] if ends else 0])
    return ends


def _possible_ends(
    pieces: Sequence[Piece], first: int, settings: SubtitleSettings
) -> Iterator[tuple[int, int]]:
    """Each end that a cue from ``first`` may have, and its fewest lines; one piece always may."""
    lines, used = 1, pieces[first].columns
    latest = pieces[first].start + settings.longest_ms * SAMPLE_RATE // 1000
    yield first + 1, lines
    for at in range(first + 1, len(pieces)):
        piece = pieces[at]
        used += piece.columns + piece.spaced
        if used > settings.line_characters:
            lines, used = lines + 1, piece.columns
        if lines > settings.lines or piece.end > latest:
            return
        yield at + 1, lines


def break_into_lines(pieces: Sequence[Piece], settings: SubtitleSettings) -> list[int]:
    """Where the lines of a cue end: as few as fit, about even, broken where it hurts least.

    A piece that is wider than a line has one of its own.
    """
    cuts = _Prices(pieces, settings).line_cuts
    # For each number of pieces that lines so far hold: the price, and where these lines end.
    reached: dict[int, tuple[float, list[int]]] = {0: (0.0, [])}
    while len(pieces) not in reached:
        further: dict[int, tuple[float, list[int]]] = {}
        for begin, (price, ends) in reached.items():
            used = -int(pieces[begin].spaced)
            for last in range(begin + 1, len(pieces) + 1):
                used += pieces[last - 1].columns + pieces[last - 1].spaced
                if used > settings.line_characters and last > begin + 1:
                    break
                cost = price + (used / settings.line_characters) ** 2 + cuts[last - 1]
                if last not in further or cost < further[last][0]:
                    further[last] = (cost, [*ends, last])
        reached = further
    return reached[len(pieces)][1]


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
    if piece.opens is Opens.NOTHING or len(piece.text) > _SHORT_WORD:
        part *= _BEFORE[following.opens]
    if piece.spaced and len(piece.text) <= _SHORT_WORD:
        part *= _AFTER_A_SHORT_WORD
    return part
