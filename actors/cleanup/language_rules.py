"""The rules of a language: shipped YAML, the user's own laid over it, checked and compiled once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path as FilePath
from typing import Any, Literal, TypeAlias

import msgspec

from vivavoce.actors.cleanup.phrases import key_of
from vivavoce.actors.cleanup.rule_file import SECTIONS, RuleFile, base_language, read_rule_file
from vivavoce.config.errors import ProfileError
from vivavoce.config.yaml_lines import deep_merge

# Not with importlib.resources, which imports archives, compression and temporary files.
_FOLDER = FilePath(__file__).parent / "rules"

Space: TypeAlias = Literal["after", "before", "both", "none"]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: what is said, and what is written or done for it.

    Attributes:
        name: ``section.rule``, as ``punctuation.comma``.
        say: phrases in the form of :func:`~vivavoce.actors.cleanup.phrases.key_of`.
        write: the text that stands for the phrase; of a unit, what follows the number.
        before: of a unit, what stands before the number.
        space: on which sides of ``write`` words keep their distance.
        do: of an edit, one of :data:`~vivavoce.actors.cleanup.rule_file.ACTIONS`.
        not_after: behind these words (or two words) the phrase is meant as it is said.
        not_before: and so before these words.
        apart: the phrase counts only where a mark or the end of the text stands behind it
            (``behind``), or before it as well (``both``); empty: anywhere.
    """

    name: str
    say: tuple[str, ...]
    write: str = ""
    before: str = ""
    space: Space = "after"
    do: str = ""
    not_after: frozenset[str] = frozenset()
    not_before: frozenset[str] = frozenset()
    apart: str = ""

    @property
    def section(self) -> str:
        """Where in a rule file it stands."""
        return self.name.partition(".")[0]


class LanguageRules(msgspec.Struct, frozen=True, kw_only=True):
    """All rules of one language.

    Attributes:
        rules: in the order of the file.
        literal: words that make the command behind them a plain word.
        plain: phrases in which no word is a command.
        small_words: have a capital only where a sentence begins.
    """

    rules: tuple[Rule, ...] = ()
    literal: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    small_words: frozenset[str] = frozenset()

    def of(self, *sections: str) -> tuple[Rule, ...]:
        """The rules of these sections."""
        return tuple(rule for rule in self.rules if rule.section in sections)

    def without(self, names: Iterable[str]) -> LanguageRules:
        """The rules but for those, and those of whole sections, that are named."""
        off = frozenset(names)
        kept = (rule for rule in self.rules if not {rule.name, rule.section} & off)
        return msgspec.structs.replace(self, rules=tuple(kept))


def shipped_languages() -> list[str]:
    """The languages that there are rules for, in order."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def language_rules(language: str, own: RuleFile | None = None) -> LanguageRules:
    """The rules of a language (of none, where none are shipped), with the user's laid over them."""
    code = base_language(language)
    data = _shipped(code)
    if own is None:
        return _compiled(code)
    for layer in (own.data, own.languages.get(code, {})):
        data = deep_merge(data, layer)
    return _rules_of(data)


@cache
def _compiled(code: str) -> LanguageRules:
    return _rules_of(_shipped(code))


@cache
def _shipped(code: str) -> Mapping[str, Any]:
    path = _FOLDER / f"{code}.yaml"
    # The code comes from the engine or the command line: it names no file but one of these.
    if code not in shipped_languages():
        return {}
    return read_rule_file(path.read_text(encoding="utf-8"), str(path)).data


def own_rules(path: str) -> RuleFile:
    """The user's rule file.

    Raises:
        ProfileError: it cannot be read, or is wrong: one line with file and line.
    """
    file = FilePath(path).expanduser()
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ProfileError(
            f"cleanup.rules: there is no rule file {file.absolute()}: write its whole path, or one "
            "that begins with ~"
        ) from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{file}: a rule file is a text file in UTF-8, this is not") from error
    except OSError as error:
        raise ProfileError(f"cleanup.rules: {file} cannot be read: {error.strerror}") from error
    own = read_rule_file(text, str(file))
    for complaint in _incomplete(own):
        raise ProfileError(complaint)
    return own


def _incomplete(own: RuleFile) -> Iterator[str]:
    """Rules that would never do anything, in no language: they lack what they write or do."""
    for language in (None, *own.languages):
        layer = own.data if language is None else own.languages[language]
        under = [_shipped(code) for code in shipped_languages()]
        if language is not None:
            under = [_shipped(language), own.data]
        for section in SECTIONS:
            for name, rule in layer.get(section, {}).items():
                if rule is None:
                    continue
                whole = [deep_merge(base.get(section, {}).get(name) or {}, rule) for base in under]
                if not any(_complete(section, each) for each in (rule, *whole)):
                    yield own.at(language, section, name) + ": " + _WANTED[section]


_WANTED = {
    "punctuation": "expected `say` and `write`, as in `{say: [tilde], write: '~'}`",
    "layout": 'expected `say` and `write`, as in `{say: [next line], write: "\\n"}`',
    "edits": "expected `say` and `do`, as in `{say: [forget it], do: scratch}`",
    "fillers": "expected the words, as in `[um, uhm]`",
    "units": "expected `say` and `write` (or `before`), as in `{say: [parsec], write: ' pc'}`",
    "profanity": "expected the words, as in `[darn, darned]`",
}


def _complete(section: str, rule: Mapping[str, Any]) -> bool:
    if "say" not in rule:
        return False
    if section == "edits":
        return "do" in rule
    if section == "units":
        return bool(rule.get("write") or rule.get("before"))
    return section in ("fillers", "profanity") or "write" in rule


def _rules_of(data: Mapping[str, Any]) -> LanguageRules:
    general = tuple(data.get("not_after", ()))
    rules = []
    for section in SECTIONS:
        for name, rule in data.get(section, {}).items():
            if not rule or not _complete(section, rule):
                continue
            not_after = rule.get("not_after", ())
            if section == "punctuation":
                not_after = (*general, *not_after)
            rules.append(
                Rule(
                    name=f"{section}.{name}",
                    say=tuple(dict.fromkeys(filter(None, map(key_of, rule["say"])))),
                    write=rule.get("write", ""),
                    before=rule.get("before", ""),
                    space=rule.get("space", "after"),
                    do=rule.get("do", ""),
                    not_after=frozenset(map(key_of, not_after)),
                    not_before=frozenset(map(key_of, rule.get("not_before", ()))),
                    apart=rule.get("apart", ""),
                )
            )
    literal = tuple(filter(None, map(key_of, data.get("literal", ()))))
    return LanguageRules(
        rules=tuple(rules),
        literal=literal,
        plain=tuple(data.get("plain", ())),
        small_words=frozenset(map(str.lower, data.get("small_words", ()))),
    )
