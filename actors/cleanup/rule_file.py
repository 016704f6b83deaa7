"""Rule files: YAML in, checked plain data out; a mistake is one line with file and line.

A file has the sections of :data:`SECTIONS`, each with rules by name, the lists of
:data:`LISTS`, and ``languages`` with the same for single languages. A rule is a mapping; a text or
a list stands for its ``say``; nothing or false switches it off.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from vivavoce.config.errors import ProfileError
from vivavoce.config.yaml_lines import Path, parse_yaml

_WORDS = ("say", "not_after", "not_before")
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "punctuation": (*_WORDS, "write", "space"),
    "layout": (*_WORDS, "write"),
    "edits": (*_WORDS, "do", "apart"),
    "fillers": (*_WORDS, "apart"),
    "units": ("say", "write", "before"),
    "profanity": ("say",),
}
"""The sections, and what a rule in each can say of itself."""

LISTS = ("literal", "not_after", "plain", "small_words")

ACTIONS = (
    "scratch",
    "upper_word",
    "upper_on",
    "upper_off",
    "capital_word",
    "capital_on",
    "capital_off",
    "lower_word",
    "lower_on",
    "lower_off",
)
"""What an edit can do: take back, or set the case of the next word or of all up to ``…_off``."""

SPACES = ("after", "before", "both", "none")
APART = ("behind", "both")

_LONGEST_PHRASE = 200
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*").fullmatch
_LINES = re.compile(r"[.!?…]?\n+", re.ASCII).fullmatch


class RuleFile(msgspec.Struct, frozen=True, kw_only=True):
    """A checked file: rules for all languages, rules for single ones, and where each stands."""

    name: str = ""
    data: dict[str, Any]
    languages: dict[str, dict[str, Any]]
    written_as: dict[str, str]
    lines: dict[Path, int]

    def at(self, language: str | None, *path: str) -> str:
        """File, line and path of a value, for complaints."""
        whole = path
        if language is not None:
            whole = ("languages", self.written_as.get(language, language), *path)
        return _at(self.name, self.lines, whole)


def read_rule_file(text: str, name: str) -> RuleFile:
    """Read and check the text of a rule file that errors call ``name``.

    Raises:
        ProfileError: one line with file and line, what was expected, and what is near it.
    """
    data, lines = parse_yaml(text, name, what="rule file", section="fillers")
    check = _Check(name, lines)
    languages = data.pop("languages", None) or {}
    if not isinstance(languages, dict):
        check.fail(("languages",), "expected languages by their codes, as in `de: …`")
    checked = check.document(data, (), more=("languages",))
    by_language: dict[str, dict[str, Any]] = {}
    written_as: dict[str, str] = {}
    for code, layer in languages.items():
        path: Path = ("languages", code)
        if not isinstance(layer, dict):
            check.fail(path, "expected sections, as in `fillers: …`")
        if not _LANGUAGE(code):
            check.fail(path, "expected the code of a language, as in `de` or `pt-BR`")
        # Engines tell the language, not the country: what is there for one holds for all of it.
        language = base_language(code)
        if language in written_as:
            check.fail(path, f"{written_as[language]!r} is the same language: write them as one")
        written_as[language] = code
        by_language[language] = check.document(layer, path)
    return RuleFile(
        name=name, data=checked, languages=by_language, written_as=written_as, lines=lines
    )


def base_language(language: str) -> str:
    """The code by which rules go: ``en-US`` is ``en``, and so is a language that is not known."""
    return language.lower().replace("_", "-").partition("-")[0] or "en"


def _at(name: str, lines: Mapping[Path, int], path: Path) -> str:
    for count in range(len(path), 0, -1):
        if path[:count] in lines:
            return f"{name}:{lines[path[:count]]}: {'.'.join(path)}"
    return f"{name}: {'.'.join(path)}"


class _Check:
    def __init__(self, name: str, lines: Mapping[Path, int]) -> None:
        self._name = name
        self._lines = lines

    def fail(self, path: Path, complaint: str) -> None:
        raise ProfileError(f"{_at(self._name, self._lines, path)}: {complaint}")

    def document(
        self, data: Mapping[str, Any], path: Path, more: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        checked: dict[str, Any] = {}
        for section, value in data.items():
            here = (*path, section)
            if section in LISTS:
                checked[section] = self._words(value, here)
            elif section in SECTIONS:
                if not isinstance(value, dict):
                    self.fail(here, "expected rules by their names")
                checked[section] = {
                    rule: self._rule(section, content, (*here, rule))
                    for rule, content in value.items()
                }
            else:
                self._unknown(section, (*SECTIONS, *LISTS, *more), here, "section")
        return checked

    def _rule(self, section: str, value: Any, path: Path) -> dict[str, Any] | None:
        if value is None or value is False:
            return None
        if not isinstance(value, dict):
            return {"say": self._say(value, path)}
        checked: dict[str, Any] = {}
        for key, content in value.items():
            here = (*path, key)
            if key not in SECTIONS[section]:
                self._unknown(key, SECTIONS[section], here, "setting")
            elif key == "say":
                checked[key] = self._say(content, here)
            elif key in _WORDS:
                checked[key] = self._words(content, here)
            else:
                checked[key] = self._text(content, here)
        for key, known in (("do", ACTIONS), ("space", SPACES), ("apart", APART)):
            if key in checked and checked[key] not in known:
                near = difflib.get_close_matches(checked[key], known, n=1)
                hint = f" (did you mean {near[0]!r}?)" if near else ""
                self.fail((*path, key), f"expected one of {', '.join(known)}{hint}")
        if section == "layout" and not _LINES(checked.get("write", "\n")):
            self.fail((*path, "write"), 'expected line breaks, as in "\\n" or ".\\n\\n"')
        return checked

    def _words(self, value: Any, path: Path) -> list[str]:
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            self.fail(path, "expected words or phrases, in quotes where YAML takes them for others")
        for word in words:
            if not word.strip() or len(word) > _LONGEST_PHRASE:
                self.fail(path, f"expected phrases of 1 to {_LONGEST_PHRASE} characters")
        return list(words)

    def _say(self, value: Any, path: Path) -> list[str]:
        words = self._words(value, path)
        if not words:
            self.fail(
                path, "nothing is said for it: expected a phrase; `false` switches a rule off"
            )
        for word in words:
            if not any(map(str.isalnum, word)):
                self.fail(path, f"{word!r} cannot be said: expected words")
        return words

    def _text(self, value: Any, path: Path) -> str:
        if not isinstance(value, str):
            self.fail(path, f"expected a text in quotes, got {value!r}")
        return str(value)

    def _unknown(self, key: str, known: Iterable[str], path: Path, what: str) -> None:
        known = list(known)
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(known)}"
        self.fail(path, f"unknown {what}: {hint}")
