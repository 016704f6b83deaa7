"""Words of two texts beside each other, by edit distance: for word error rates and word latency."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_BETWEEN_WORDS = re.compile(r"[^\w']+|_+")

_PAIR, _DELETED, _INSERTED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Alignment:
    """Which words of a reference stand beside which of a hypothesis.

    Attributes:
        pairs: ``(reference index, hypothesis index)``, both ascending; None on the left is an
            insertion, None on the right a deletion.
        matches: the pairs of equal words.
        errors: substitutions + deletions + insertions.
    """

    pairs: tuple[tuple[int | None, int | None], ...]
    matches: tuple[tuple[int, int], ...]
    errors: int


def words_of(text: str) -> list[str]:
    """The words of a text without case and punctuation; apostrophes inside of words stay."""
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").casefold()
    return [word for part in _BETWEEN_WORDS.split(plain) if (word := part.strip("'"))]


def align(
    reference: Sequence[str], hypothesis: Sequence[str], *, open_end: bool = False
) -> Alignment:
    """Align with the fewest errors (Levenshtein); among those, with the most equal words.

    Args:
        reference: words, compared as they are (see :func:`words_of`).
        hypothesis: words.
        open_end: the hypothesis is of the beginning only, as a partial is: reference words after
            its last one are neither paired nor errors.
    """
    rows, columns = len(reference), len(hypothesis)
    # One number for both aims: an error costs more than all equal words together are worth.
    error = min(rows, columns) + 1
    costs = [column * error for column in range(columns + 1)]
    steps = [bytearray([_INSERTED]) * (columns + 1)]
    last_costs = [costs[columns]]
    for row in range(1, rows + 1):
        above, costs = costs, [row * error]
        step = bytearray(columns + 1)
        step[0] = _DELETED
        word = reference[row - 1]
        for column in range(1, columns + 1):
            cost = above[column - 1] + (-1 if word == hypothesis[column - 1] else error)
            chosen = _PAIR
            if above[column] + error < cost:
                cost, chosen = above[column] + error, _DELETED
            if costs[column - 1] + error < cost:
                cost, chosen = costs[column - 1] + error, _INSERTED
            costs.append(cost)
            step[column] = chosen
        steps.append(step)
        last_costs.append(costs[columns])
    end = min(range(rows + 1), key=lambda row: (last_costs[row], -row)) if open_end else rows
    return _walk_back(reference, hypothesis, steps, end)


def _walk_back(
    reference: Sequence[str], hypothesis: Sequence[str], steps: Sequence[bytearray], row: int
) -> Alignment:
    pairs: list[tuple[int | None, int | None]] = []
    matches: list[tuple[int, int]] = []
    column = len(hypothesis)
    while row or column:
        step = steps[row][column]
        if step == _PAIR:
            row, column = row - 1, column - 1
            pairs.append((row, column))
            if reference[row] == hypothesis[column]:
                matches.append((row, column))
        elif step == _DELETED:
            row -= 1
            pairs.append((row, None))
        else:
            column -= 1
            pairs.append((None, column))
    return Alignment(tuple(pairs[::-1]), tuple(matches[::-1]), len(pairs) - len(matches))


def word_error_rate(reference: str, hypothesis: str) -> float:
    """Errors per word of the reference, case and punctuation aside; a reference has words."""
    expected = words_of(reference)
    return align(expected, words_of(hypothesis)).errors / len(expected)
