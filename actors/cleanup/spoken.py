"""Spoken signs, line breaks, edits and fillers: one compiled expression, one pass. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from vivavoce.actors.cleanup.explanation import Note, Step
from vivavoce.actors.cleanup.language_rules import LanguageRules, Rule
from vivavoce.actors.cleanup.phrases import (
    BEFORE,
    BEHIND,
    GAP,
    beginnings,
    either,
    key_of,
    word_start,
)
from vivavoce.actors.cleanup.writing import MARKS, Carried, Writing

_LONGEST_WORD = 40
_MOST_TAKEN_BACK = 20
_OPENING = "\"'“„«‘([¿¡"
_APART = re.compile(rf"\s*(?:[{MARKS}]|\Z)").match


class Spoken:
    """The rules of these sections as one expression.

    Args:
        rules: of ``punctuation``, ``layout``, ``edits`` and ``fillers``; the first that says a
            phrase has it.
        language: whose words make a phrase a plain word, and which are small.
        words: the user's own phrases; where a command is part of one, it is meant as a word.
        capitals: whether a spoken full stop or paragraph has a capital follow.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        language: LanguageRules,
        *,
        words: Iterable[str] = (),
        capitals: bool = True,
    ) -> None:
        self._capitals = capitals
        self._small_words = language.small_words
        literal = language.literal
        self._table: dict[str, Rule] = {}
        for rule in rules:
            for phrase in rule.say:
                self._table.setdefault(phrase, rule)
        plain = set(self._plain((*words, *language.plain)))
        self._phrases = plain | self._table.keys()
        for phrase in plain:
            self._table.pop(phrase, None)
        escape = f"(?:(?P<literal>{either(literal, GAP)})\\s+)?" if literal else "(?P<literal>)"
        say = f"{escape}(?P<say>{either(self._phrases, GAP)}){BEHIND}(?P<after>[{MARKS}]*+)"
        self._find = re.compile(f"{BEFORE}{say}", re.IGNORECASE).finditer
        self._say, self._literal = say, literal

    @cached_property
    def _walk(self) -> Callable[[str], Iterator[re.Match[str]]]:
        """As ``_find``, and what has begun at the end of the text; compiled for partials only."""
        begun = f"(?P<begun>{either(self._beginnings(self._literal), GAP)})\\s*\\Z"
        return re.compile(f"{BEFORE}(?:{begun}|{self._say})", re.IGNORECASE).finditer

    def _plain(self, words: Iterable[str]) -> Iterator[str]:
        """Those of the phrases that have a command in them."""
        longest = max((phrase.count(" ") + 1 for phrase in self._table), default=0)
        for phrase in filter(None, map(key_of, words)):
            parts = phrase.split()
            if any(
                " ".join(parts[at : at + count]) in self._table
                for at in range(len(parts))
                for count in range(1, longest + 1)
            ):
                yield phrase

    def _beginnings(self, literal: tuple[str, ...]) -> set[str]:
        """What later words may turn into a phrase, or keep from being one."""
        begun = beginnings(self._phrases) | beginnings(literal) | set(literal)
        begun |= {f"{word} {phrase}" for word in literal for phrase in beginnings(self._phrases)}
        return begun | {
            phrase for phrase, rule in self._table.items() if rule.not_before or rule.apart
        }

    @cached_property
    def _ends(self) -> Callable[[str, int], re.Match[str] | None]:
        """Whether behind a place stands a mark, the end, or a spoken mark or line break; other
        commands to take back may stand before that."""
        ends, backs = set(), set()
        for phrase, rule in self._table.items():
            if rule.section == "layout" or (rule.write and not rule.write.strip().strip(MARKS)):
                ends.add(phrase)
            elif rule.do == "scratch":
                backs.add(phrase)
        return re.compile(
            rf"(?:[{MARKS}]*\s+(?:{either(backs, GAP)}){BEHIND}){{0,{_MOST_TAKEN_BACK}}}"
            rf"(?:\s*(?:[{MARKS}]|\Z)|\s+(?:{either(ends, GAP)}){BEHIND})",
            re.IGNORECASE,
        ).match

    def __bool__(self) -> bool:
        return bool(self._table)

    def run(
        self, text: str, note: Note | None = None, carried: Carried | None = None
    ) -> tuple[str, int]:
        """The text that was meant, and how many texts before it the speaker took back.

        ``carried``: what the text before it has switched on; then, what this one leaves on.
        """
        carried = carried or Carried()
        writing = Writing(capitals=self._capitals, small_words=self._small_words, case=carried.case)
        at = 0
        for match in self._find(text):
            rule = self._table.get(key_of(match["say"]))
            if rule is None or _meant_as_said(rule, match, at):
                continue
            said = text[at : match.start()]
            if rule.do == "scratch" and not (writing.holds(said) or self._alone(match)):
                continue  # what was typed before goes only where nothing else can be meant
            writing.say(said)
            at = match.end()
            before = writing.out
            if match["literal"]:
                writing.say(text[match.start("say") : at])
            else:
                _carry_out(writing, rule, match["after"])
            if note is not None:
                note(_step(rule.name, before, match, writing.out))
        writing.say(text[at:])
        carried.case = writing.locked
        return writing.out, writing.retracts

    def _alone(self, match: re.Match[str]) -> bool:
        return bool(match["literal"] or self._ends(match.string, match.end("say")))

    def settled(self, text: str) -> str:
        """What no later word can change of the result of a text that grows by whole words.

        Held back are the last word, since a sign may be joined to it, a phrase that has begun, and
        all from an edit on: what an edit takes back must not have been shown as stable.
        """
        for match in self._walk(text):
            rule = None if match["begun"] else self._table.get(key_of(match["say"]))
            if match["begun"] or (rule is not None and rule.do):
                text = text[: word_start(text, match.start())]
                break
        out = self.run(text.rstrip())[0]
        end = len(out)
        while end and (out[end - 1] in MARKS or out[end - 1].isspace()):
            end -= 1  # marks that stand alone may yet be joined
        return out[: word_start(out, end)]


def _meant_as_said(rule: Rule, match: re.Match[str], since: int) -> bool:
    """Whether the phrase is no command here: ``the period of``.

    Up to ``since`` all is carried out, and no word that the phrase could belong to.
    """
    if match["literal"]:
        return False
    text, start, end = match.string, match.start(), match.end()
    before = text[max(since, start - _LONGEST_WORD) : start].rstrip()
    behind = text[end : end + _LONGEST_WORD]
    if rule.section == "fillers":
        abbreviation = len(match["say"]) > 1 and match["say"].isupper()
        if abbreviation or before[-1:].isdigit():  # behind digits it is a unit
            return True
    if rule.do.endswith("_word") and not behind.strip():
        return True  # there is no word to be changed
    if rule.apart and not _apart(rule, match, before):
        return True
    words = before.lower().replace("’", "'").split() if rule.not_after else []
    if words and (words[-1] in rule.not_after or " ".join(words[-2:]) in rule.not_after):
        return True
    words = behind.lower().split(None, 1) if rule.not_before and not match["after"] else []
    return bool(words) and words[0].strip(MARKS) in rule.not_before


def _apart(rule: Rule, match: re.Match[str], before: str) -> bool:
    """Whether a mark or an end of the text stands where the rule wants one."""
    if not _APART(match.string, match.end("say")):
        return False
    return rule.apart == "behind" or not before.rstrip(_OPENING)[-1:].strip(MARKS)


def _carry_out(writing: Writing, rule: Rule, after: str) -> None:
    section = rule.section
    if section == "punctuation":
        writing.sign(rule, after)
    elif section == "layout":
        writing.line(rule)
    elif section == "fillers":
        writing.filler(after)
    elif rule.do == "scratch":
        writing.take_back()
    else:
        writing.set_case(rule.do)


def _step(name: str, before: str, match: re.Match[str], after: str) -> Step:
    """The change with the word before it."""
    said = match[0]
    same = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        same += 1
    at = word_start(before, min(same, len(before.rstrip())))
    return Step(name, before[at:] + said, after[at:])
