"""What people see of an open window: its stable words, and a tail. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from vivavoce.actors.transcription.agreement import SECOND_OPINION, LocalAgreement, bare


class Shown:
    """The words of a window as they are shown, while it grows and while it moves on.

    Attributes:
        revision: counts what was told of the open utterance.
    """

    def __init__(self) -> None:
        self._agreement = LocalAgreement(SECOND_OPINION)
        self._now = ("", "")
        self._words: list[str] = []
        self._told = ("", "")
        self.revision = 0

    def _show(self, now: tuple[str, str]) -> None:
        self._now = now
        self._words = [*now[0].split(), *now[1].split()]  # asked for with every block of audio

    @property
    def stable(self) -> tuple[str, ...]:
        """The words that no later partial changes."""
        return self._agreement.stable

    @property
    def words(self) -> list[str]:
        """All that is shown."""
        return self._words

    def agreed(self, text: str) -> int:
        """How many words of a hypothesis the one before had, too."""
        return self._agreement.agreed(text)

    def take(self, text: str, settled: int = 0, certain: int | None = None, heard: int = 0) -> None:
        """The next hypothesis of the window; see :meth:`LocalAgreement.update`."""
        self._show(self._agreement.update(text, settled, certain, heard))

    def news(self) -> tuple[str, str] | None:
        """Stable text and tail, to be told now; None: they have not changed."""
        if self._now == self._told:
            return None
        self._told = self._now
        self.revision += 1
        return self._now

    def move_on(
        self, sentences: Sequence[Sequence[str]], rest: Sequence[str], sure: int, heard: int
    ) -> list[tuple[str, ...]]:
        """The window moves on behind some sentences.

        Args:
            sentences: the words of each, as they were decoded exactly.
            rest: the words behind them.
            sure: how many of those will not change any more.
            heard: up to where they were decoded.

        Returns:
            Of each sentence the words that had been shown as stable. Those behind stay stable.
        """
        shares = shared_out(self.stable, [*sentences, rest])
        self._agreement = LocalAgreement(SECOND_OPINION, shares[-1])
        self._show(self._agreement.update(" ".join(rest), sure, None, heard))
        self._told = ("", "")
        self.revision = 0
        return shares[:-1]


def shared_out(stable: Sequence[str], parts: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Which of the ``stable`` words belong to each of the consecutive ``parts`` of a text.

    A word that the text does not have goes where the word before it went.
    """
    part_of = [number for number, part in enumerate(parts) for _ in part]
    text = [bare(word) for part in parts for word in part]
    matcher = SequenceMatcher(None, [bare(word) for word in stable], text, autojunk=False)
    found: dict[int, int] = {}
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            found[block.a + offset] = part_of[block.b + offset]
    shares: list[list[str]] = [[] for _ in parts]
    at = min(found.values(), default=0)
    for number, word in enumerate(stable):
        at = found.get(number, at)
        shares[at].append(word)
    return [tuple(share) for share in shares]
