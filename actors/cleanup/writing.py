"""The text that comes of spoken words: it grows by words, signs, line breaks and what is undone."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from vivavoce.actors.cleanup.explanation import KEEP
from vivavoce.actors.cleanup.language_rules import Rule
from vivavoce.actors.cleanup.tidy import ABBREVIATIONS

Case: TypeAlias = Literal["upper", "capital", "lower"]

MARKS = ",.;:!?…"
_SENTENCE_ENDS = ".!?…"
_SPACES = " \t\r\v\f\u00a0\u202f"
_CLOSING = "\"'”’»)]}“"
_NO_WORDS = MARKS + _CLOSING + _SPACES + "–-" + KEEP

_WORD = re.compile(r"\S+")
_LETTERS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# The first word, behind opening signs, unless it is the beginning of an address or a name.
_FIRST_WORD = re.compile(r"[\W_]*?(?P<word>[^\W\d_](?:[^\W_]|['’](?=[^\W_]))*)(?![_@]|://|\.\w)")
_SENTENCE_END = re.compile(rf"[.!?…][{re.escape(_CLOSING)}]*\s+|\n+")

# "etc.", "e.g.": this full stop is part of the word, and no mark of the engine's.
_LONGEST_ABBREVIATION = 20
_ABBREVIATION = re.compile(
    rf"(?<![^\W_])(?:{'|'.join(sorted(ABBREVIATIONS))}|(?:[^\W\d_]\.)+[^\W\d_])\.\Z",
    re.IGNORECASE,
).search


class Writing:
    """What has been written of one text so far.

    Args:
        capitals: whether a sentence begins with a capital.
        small_words: lose their capital where the engine's full stop went and no sentence begins.
        case: what the text before this one has switched on.

    Attributes:
        out: the text.
        locked: the case that is switched on now.
        retracts: how many texts before this one the speaker took back.
    """

    def __init__(
        self,
        *,
        capitals: bool,
        small_words: frozenset[str] = frozenset(),
        case: Case | None = None,
    ) -> None:
        self.out = ""
        self.retracts = 0
        self._capitals = capitals
        self._small_words = small_words
        self._capital = False
        self._small = False
        self._joined = False  # the next word follows without a space
        self._spoken = 0  # up to here marks were spoken, and are not the engine's to lose
        self._word_case: Case | None = None
        self.locked: Case | None = case

    def say(self, text: str) -> None:
        """Words as they were recognised, with the white space around them."""
        if self._joined:
            text = text.lstrip(_SPACES)
        if not text:
            return
        self._joined = False
        if self.locked:
            text = _cased(self.locked, text)
        if self._word_case:
            case, count = self._word_case, 1
            changed, done = _WORD.subn(lambda match: _cased(case, match[0]), text, count)
            if done:
                text, self._word_case, self._capital = changed, None, False
        if self._capital and not self.locked:
            text = self._with_capital(text)
        elif self._small:
            text = self._without_capital(text)
        self.out += text

    def _with_capital(self, text: str) -> str:
        match = _FIRST_WORD.match(text)
        if match is not None:
            self._capital = False
            at = match.start("word")
            if match["word"].islower() and len(text[at].title()) == 1:
                return text[:at] + text[at].title() + text[at + 1 :]
        elif text.strip():
            self._capital = self._capital and not _LETTERS.search(text)
        return text

    def _without_capital(self, text: str) -> str:
        self._small = not text.strip()
        match = _FIRST_WORD.match(text)
        if match is not None and match["word"].lower() in self._small_words:
            at = match.start("word")
            return text[:at] + text[at].lower() + text[at + 1 :]
        return text

    # -- signs

    def sign(self, rule: Rule, after: str) -> None:
        """A spoken sign; ``after`` are the marks that the engine wrote behind its name."""
        write = rule.write
        bare = write.strip()
        is_mark = all(c in MARKS for c in bare)
        after = "".join(c for c in after if c in _SENTENCE_ENDS)
        self._small = bool(after) or self.out.rstrip(_SPACES).endswith(tuple(_SENTENCE_ENDS))
        if is_mark or rule.space in ("none", "both"):
            self._drop_marks(MARKS, before=bare)
            after = ""
        elif rule.space == "after":
            # A full stop there is the engine's, for the pause; it stands behind the closing sign.
            self._drop_marks(",;:" if self.out.rstrip(_SPACES).endswith("..") else ",;:.")
        else:
            self._strip()
            after = ""
        apart = rule.space in ("before", "both") and self.out and self.out[-1] not in "\n([{"
        self.out += (" " if apart and not self._joined else "") + write + after
        self._joined = rule.space in ("before", "none")
        self._spoken = len(self.out) - len(after)
        if self._capitals and (after or bare[-1:]) in tuple(".!?"):
            self._capital, self._small = True, False
        elif is_mark:
            self._capital = False
        if rule.space == "before" or bare[-1:] in tuple("…:"):
            self._small = False

    def line(self, rule: Rule) -> None:
        """Spoken line breaks, before which the engine's commas are of no use."""
        self._drop_marks(MARKS if rule.write[0] in MARKS else ",;:")
        self.out += rule.write
        self._spoken = len(self.out)
        self._joined, self._small = True, False
        if self._capitals and rule.write.count("\n") > 1:
            self._capital = True

    def _drop_marks(self, marks: str, before: str = ".") -> None:
        """Without the white space at the end, and the engine's marks of these kinds before it.

        The full stop of an abbreviation stays, unless another one (``before``) takes its place.
        """
        self._strip()
        end = len(self.out)
        while end > self._spoken and self.out[end - 1] in marks + _SPACES:
            if self.out[end - 1] == "." and before[:1] not in (".", "…"):
                beginning = max(0, end - _LONGEST_ABBREVIATION)
                if _ABBREVIATION(self.out, beginning, end):
                    break
            end -= 1
        self.out = self.out[:end]

    def _strip(self) -> None:
        self.out = self.out.rstrip(_SPACES)

    # -- what goes

    def filler(self, after: str) -> None:
        """A word that says nothing goes, with the comma that the engine put around it."""
        attached = bool(self.out) and not self.out[-1].isspace()
        self._strip()
        end = next((c for c in after if c in ".!?"), "")
        if "..." in after:
            end = ""
        if end and self.out and self.out[-1] not in _SENTENCE_ENDS + "\n":
            self._drop_marks(",;:")
            self.out += end  # the sentence ends all the same
        elif "," in after and len(self.out) > self._spoken and self.out.endswith(","):
            self.out = self.out[:-1]
        self._joined = attached or not self.out or self.out.endswith("\n")

    def holds(self, more: str) -> bool:
        """Whether, with ``more`` behind it, there is something to be taken back in this text."""
        return bool(more.rstrip(_NO_WORDS) or self.out.rstrip(_NO_WORDS))

    def take_back(self) -> None:
        """The last sentence goes, or the line break behind it; if there is none, a text before."""
        self._strip()
        if self.out.endswith("\n"):
            kept = self.out.rstrip("\n")
        else:
            body = self.out.rstrip(_NO_WORDS)
            if not body:
                self.retracts += 1
            ends = [match.end() for match in _SENTENCE_END.finditer(body)]
            kept = self.out[: ends[-1]].rstrip(_SPACES) if ends else ""
        self.out = kept
        self._spoken = min(self._spoken, len(kept))
        self._joined = not kept or kept.endswith("\n")
        self._capital = self._capitals and kept.endswith(("\n\n", *".!?"))
        self._word_case = None

    # -- case

    def set_case(self, do: str) -> None:
        """``upper_word`` and its like: the case of the next word, or of all up to ``…_off``."""
        self._strip()
        self._joined = not self.out or self.out.endswith("\n")
        case, _, reach = do.partition("_")
        chosen: Case = "upper" if case == "upper" else "lower" if case == "lower" else "capital"
        if reach == "word":
            self._word_case = chosen
        else:
            self.locked = chosen if reach == "on" else None


def _cased(case: Case, text: str) -> str:
    if case == "upper":
        return text.upper()
    if case == "lower":
        return _WORD.sub(lambda match: KEEP + match[0], text.lower())
    return _LETTERS.sub(lambda match: match[0][0].upper() + match[0][1:], text)


class Carried:
    """What one sentence of a stretch has switched on for the next.

    Attributes:
        case: of all letters that follow.
    """

    __slots__ = ("case",)

    def __init__(self, case: Case | None = None) -> None:
        self.case = case
