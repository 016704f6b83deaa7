"""The user's own rules, rules that are off, and mistakes in both."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vivavoce.actors.cleanup import Cleaner
from vivavoce.actors.cleanup.rule_file import SECTIONS
from vivavoce.actors.cleanup.rule_names import STAGES, check_rules, rule_names
from vivavoce.actors.cleanup.tidy import TIDY
from vivavoce.config.cleanup import CleanupSettings
from vivavoce.config.errors import ProfileError

ALL = {
    "spoken_punctuation": True,
    "spoken_layout": True,
    "spoken_edits": True,
    "fillers": True,
    "numbers": True,
    "units": True,
    "profanity_mask": True,
}

OWN = """
punctuation:
  smile: {say: [smiley face, smiley], write: ":-)", space: both}
  comma: {say: [pause]}
  colon: false
fillers:
  you_know: [you know]
  um:
profanity:
  heck: [heck]
edits:
  forget_it: {say: forget it, do: scratch}
units:
  parsecs: {say: [parsecs], write: " pc"}
layout:
  item: {say: [next item], write: "\\n"}
literal: [verbatim]
languages:
  de:
    fillers:
      halt: [halt]
  pl:
    punctuation:
      comma: {say: [przecinek], write: ","}
"""


@pytest.fixture
def own(tmp_path: Path) -> Cleaner:
    path = tmp_path / "rules.yaml"
    path.write_text(OWN, encoding="utf-8")
    return Cleaner(CleanupSettings(**ALL, rules=str(path)))


@pytest.mark.parametrize(
    ("language", "said", "meant"),
    [
        ("", "hi smiley face you know there", "Hi :-) there"),
        ("", "well pause a comma colon here", "Well, a comma colon here"),
        ("", "um the heck", "Um the h***"),
        ("", "no forget it yes", "Yes"),
        ("", "5 parsecs next item 5 percent", "5 pc\n5%"),
        ("", "verbatim pause and literal period", "Pause and literal."),
        ("de", "das ist halt so Komma smiley", "Das ist so Komma :-)"),
        ("en", "halt there", "Halt there"),
        ("pl", "tak przecinek nie", "Tak, nie"),
    ],
)
def test_own_rules_lie_over_those_of_the_language(
    own: Cleaner, language: str, said: str, meant: str
) -> None:
    assert own.text(said, language) == meant


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("fillers: [um]\n", 1, ["fillers", "rules by their names"]),
        ("\nfilers: {um: [um]}\n", 2, ["unknown section", "did you mean 'fillers'"]),
        ("punctuation:\n  tilde: {say: [tilde], wrote: x}\n", 2, ["did you mean 'write'"]),
        ("punctuation:\n  tilde: {say: [tilde]}\n", 2, ["punctuation.tilde", "`write`"]),
        ("punctuation:\n  x: {say: [1], write: x}\n", 2, ["punctuation.x.say", "phrases"]),
        ("punctuation:\n  x: {say: [' '], write: x}\n", 2, ["1 to 200"]),
        ("punctuation:\n  x: {say: [a], write: 5}\n", 2, ["text in quotes", "5"]),
        ("punctuation:\n  x: {say: a, write: b, space: afer}\n", 2, ["did you mean 'after'"]),
        ("edits:\n  x: {say: [a], do: scrach}\n", 2, ["did you mean 'scratch'"]),
        ("edits:\n  x: [a]\n", 2, ["edits.x", "`do`"]),
        ("layout:\n  x: {say: [a], write: 'rm -rf'}\n", 2, ["line breaks"]),
        ("units:\n  x: [a]\n", 2, ["units.x", "`before`"]),
        ("languages: [de]\n", 1, ["languages"]),
        ("languages:\n  de: 5\n", 2, ["languages.de"]),
        ("languages:\n  de:\n    edits:\n      x: [a]\n", 4, ["languages.de.edits.x"]),
        ("fillers: {um: [um}\n", 1, ["not YAML"]),
        ("- a\n", 1, ["a rule file is a mapping", "`fillers:`"]),
        ("fillers:\n  x: []\n", 2, ["fillers.x", "`false` switches"]),
        ("edits:\n  x: {say: [], do: scratch}\n", 2, ["edits.x.say", "a phrase"]),
        ("punctuation:\n  x: {say: ['-'], write: x}\n", 2, ["'-' cannot be said"]),
        ("languages:\n  german: {}\n", 2, ["languages.german", "code of a language"]),
        ("languages:\n  de: {}\n  de-CH: {}\n", 3, ["'de' is the same language"]),
        ("languages:\n  de-CH:\n    edits:\n      x: [a]\n", 4, ["languages.de-CH.edits.x"]),
    ],
)
def test_a_mistake_is_one_line_with_file_and_line(
    tmp_path: Path, text: str, line: int, words: list[str]
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ProfileError) as raised:
        Cleaner(CleanupSettings(rules=str(path)))
    complaint = str(raised.value)
    assert complaint.startswith(f"{path}:{line}: ")
    assert all(word in complaint for word in words), complaint
    assert "\n" not in complaint


_KEYS = st.sampled_from(
    [*SECTIONS, "literal", "not_after", "small_words", "languages", "de", "say", "write", "do", "x"]
)
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), _KEYS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=12,
)


@pytest.mark.thorough
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_any_file_is_right_or_one_line(tmp_path: Path, data: dict[str, object]) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    complaint = ""
    try:
        cleaner = Cleaner(CleanupSettings(**ALL, rules=str(path)))
        for language in ("en", "de", "pl"):
            cleaner.text("x say comma de write, new line 5 percent", language)
    except ProfileError as error:
        complaint = str(error)
    assert not complaint or complaint.startswith(str(path))
    assert "\n" not in complaint


@pytest.mark.parametrize("code", ["de-CH", "DE", "de_AT"])
def test_rules_for_a_country_are_those_of_its_language(tmp_path: Path, code: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(f"languages: {{{code}: {{fillers: {{halt: [halt]}}}}}}\n")
    cleaner = Cleaner(CleanupSettings(fillers=True, rules=str(path)))
    assert cleaner.text("so halt ja", "de") == cleaner.text("so halt ja", "de-CH") == "So ja"
    assert cleaner.text("so halt ja", "en") == "So halt ja"


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.yaml", "there is no rule file"), (tmp_path, "directory")):
        with pytest.raises(ProfileError, match=words):
            check_rules(CleanupSettings(rules=str(path)))
    (tmp_path / "latin.yaml").write_bytes(b"fillers: {a: [\xe4h]}")
    with pytest.raises(ProfileError, match="UTF-8"):
        check_rules(CleanupSettings(rules=str(tmp_path / "latin.yaml")))


@pytest.mark.parametrize(
    ("name", "said", "kept"),
    [
        ("punctuation.comma", "yes comma no period", "Yes comma no."),
        ("punctuation", "yes comma new line no period", "Yes comma\nno period"),
        ("layout.new_line", "yes new line no", "Yes new line no"),
        ("edits.scratch_that", "yes scratch that no", "Yes scratch that no"),
        ("edits", "yes all caps no scratch that", "Yes all caps no scratch that"),
        ("fillers.um", "um uh yes", "Um yes"),
        ("fillers", "um uh yes", "Um uh yes"),
        ("numbers", "twenty three", "Twenty three"),
        ("units.percent", "5 percent 5 meters", "5 percent 5 m"),
        ("units", "5 percent", "5 percent"),
        ("profanity.shit", "shit fuck", "Shit f***"),
        ("profanity", "shit fuck", "Shit fuck"),
        ("vocabulary", "new york abc", "New york alphabet"),
        ("replacements", "new york abc", "New York abc"),
        ("tidy.sentence_case", "yes , i do", "yes, i do"),
        ("tidy.spacing", "yes , i do", "Yes , I do"),
        ("tidy.whitespace", "yes  no", "Yes  no"),
        ("tidy", " yes  , i ", " yes  , i "),
    ],
)
def test_each_rule_and_each_stage_can_be_switched_off(name: str, said: str, kept: str) -> None:
    more = {"vocabulary": ["New York"], "replacements": {"abc": "alphabet"}}
    assert Cleaner(CleanupSettings(**ALL, **more, without=[name])).text(said) == kept
    assert Cleaner(CleanupSettings(**ALL, **more)).text(said) != kept


def test_every_name_of_a_rule_is_known() -> None:
    names = rule_names()
    check_rules(CleanupSettings(without=sorted(names)))
    assert {*STAGES, *TIDY, "punctuation.comma", "fillers.aehm"} <= names
    everything_off = Cleaner(CleanupSettings(**ALL, without=sorted(names)))
    assert everything_off.text(" um , twenty comma  5 percent ") == " um , twenty comma  5 percent "


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("punctuation.coma", "did you mean 'punctuation.comma'"),
        ("filler", "did you mean 'fillers'"),
        ("layout.zzzzzzzzzz", "expected one of layout."),
        ("qqqqqqqqqqqqqqq", "expected a stage"),
    ],
)
def test_an_unknown_rule_is_one_line_with_what_is_near_it(name: str, hint: str) -> None:
    with pytest.raises(ProfileError, match="there is no rule") as raised:
        Cleaner(CleanupSettings(without=[name]))
    assert hint in str(raised.value)
