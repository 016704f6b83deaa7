"""With every stage on: what a partial showed as stable stays, and no text is ever too strange."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vivavoce.actors.cleanup import Cleaner
from vivavoce.actors.cleanup.stages import LONGEST
from vivavoce.config.cleanup import CleanupSettings
from vivavoce.pipeline.messages import Partial

ALL = {
    "spoken_punctuation": True,
    "spoken_layout": True,
    "spoken_edits": True,
    "fillers": True,
    "numbers": True,
    "units": True,
    "profanity_mask": True,
    "vocabulary": ["New York", "npm", "Comma Inc"],
    "replacements": {"brb": "be right back", "new age": "na", "the new line": "X"},
}
EVERYTHING = Cleaner(CleanupSettings(**ALL))
CLEANERS = {
    "all": EVERYTHING,
    "no edits": Cleaner(CleanupSettings(**{**ALL, "spoken_edits": False})),
    "no whitespace": Cleaner(CleanupSettings(**{**ALL, "whitespace": False})),
    "edits only": Cleaner(CleanupSettings(spoken_edits=True)),
    "fillers only": Cleaner(CleanupSettings(fillers=True)),
}
SAID = """
hello there I um, um Um. comma, comma Comma. period Period. question mark new line Line. New york
paragraph literal open quote close quote, dash hyphen apostrophe scratch that That. all caps on off
cap lower case npm fuck five 5 percent of a the brb age x. ... , . " ( ) "um um) at sign underscore
don't e.g. i full stop dot com three million thirds twenty oh pm mm hm
streich das lösch rückgängig punkt für und komma em dos puntos más coma à la ligne deux points etc.
"""
WORDS = st.sampled_from(SAID.split())
LANGUAGES = st.sampled_from(["", "fr", "de", "es", "pl"])
TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(), max_size=20),  # with halves of surrogate pairs
    st.lists(st.one_of(WORDS, st.text(max_size=4)), max_size=15).map(" ".join),
    st.lists(WORDS, max_size=15).map("\n".join),
)


def partial(stable: str, tail: str = "") -> Partial:
    return Partial(utterance=1, revision=1, start=0, end=1, stable=stable, tail=tail)


@pytest.mark.thorough
@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=14), st.sampled_from(sorted(CLEANERS)), LANGUAGES)
def test_stable_text_only_grows(words: list[str], which: str, language: str) -> None:
    cleaner = CLEANERS[which]
    shown = ""
    whole = " ".join(words)
    for count in range(len(words) + 1):
        message = partial(" ".join(words[:count]), " ".join(words[count:]))
        cleaned = cleaner.partial(message, language)
        assert cleaned.stable.startswith(shown)
        shown = cleaned.stable
        # The whole is what is stable and what may change, with nothing lost between them.
        again = cleaner.partial(partial("", whole), language).tail
        together = "".join(f"{cleaned.stable}{cleaned.tail}".split())
        assert together == "".join(again.split())


def test_what_is_stable_is_the_beginning_of_what_is_meant() -> None:
    said = "dear John comma new line um thank you for new york period new paragraph bye"
    words = said.split()
    shown = [EVERYTHING.partial(partial(" ".join(words[:n]))).stable for n in range(len(words) + 1)]
    final = EVERYTHING.text(said)
    assert final == "Dear John,\nthank you for New York.\n\nBye"
    assert all(final.startswith(each) for each in shown)
    assert shown[-1] == "Dear John,\nthank you for New York."


def test_what_an_edit_may_take_back_is_not_shown_as_stable_behind_it() -> None:
    cleaned = EVERYTHING.partial(partial("we go home scratch that we stay", "here"))
    assert (cleaned.stable, cleaned.tail) == ("We go", "home scratch that we stay here")


@pytest.mark.thorough
@settings(max_examples=200, deadline=None)
@given(TEXTS, st.sampled_from(sorted(CLEANERS)), LANGUAGES)
def test_no_text_is_too_strange(text: str, which: str, language: str) -> None:
    cleaner = CLEANERS[which]
    cleaned, retracts = cleaner.cleaned(text, language)
    assert cleaner.text(text, language) == cleaned
    assert retracts >= 0
    for step in cleaner.explain(text, language):
        assert step.rule
    shown = cleaner.partial(partial(text, text), language)
    assert "\ufdd0" not in cleaned + shown.stable + shown.tail


@pytest.mark.thorough
@settings(max_examples=200, deadline=None)
@given(TEXTS, LANGUAGES)
def test_cleaning_twice_is_cleaning_once_where_no_command_is_spoken(
    text: str, language: str
) -> None:
    assume("literal" not in text.casefold())  # which protects the word behind it, once
    rules = {key: ALL[key] for key in ("fillers", "units", "profanity_mask", "vocabulary")}
    cleaner = Cleaner(CleanupSettings(**rules))
    once = cleaner.text(text, language)
    assert cleaner.text(once, language) == once


@pytest.mark.parametrize(
    "text",
    [
        "$(reboot) and `reboot`; rm -rf ~ && echo \"$HOME\" 'x' | sh > /dev/null",
        "\x1b]0;title\x07 \x1b[2J \\n \\x1b %s {0} ${x}",
        "See https://example.com/comma?period=1&um=2 or me@um.example",
        "😀👩\u200d👧 e\u0301 \u202eabc\u202c ﷽",
    ],
)
def test_what_looks_like_code_is_text_and_stays(text: str) -> None:
    assert EVERYTHING.text(text) == text


@pytest.mark.thorough
@pytest.mark.parametrize(
    "part",
    [
        "um, ",
        "comma ",
        "new ",
        "literal ",
        ", ",
        "scratch that ",
        "a. ",
        "all caps ",
        "'",
        "one ",
        "one hundred and ",
        "a,",
        "mm ",
        "etc. comma ",
        "5 million ",
        "scratch that x ",
    ],
)
def test_time_grows_with_the_text_and_no_faster(part: str) -> None:
    import time

    began = time.thread_time()
    for size in (LONGEST, 300_000):
        text = (part * (size // len(part) + 1))[:size]
        EVERYTHING.text(text)
        EVERYTHING.partial(partial(text))
    assert time.thread_time() - began < 6.0


def test_a_text_that_is_too_long_is_tidied_and_none_of_it_is_lost() -> None:
    said = "one fuck , comma " * 2_000
    assert EVERYTHING.text(said) == "One f***, comma " + ("one f***, comma " * 1_999).rstrip()


@pytest.mark.thorough
def test_what_is_stable_stays_where_a_partial_becomes_too_long() -> None:
    words = ("hello um comma there scratch that new york period " * 410).split()
    shown = ""
    for count in range(len(words) - 30, len(words)):
        cleaned = EVERYTHING.partial(partial(" ".join(words[:count]), "twenty um"))
        assert cleaned.stable.startswith(shown)
        shown = cleaned.stable
    assert len(" ".join(words)) > LONGEST
    assert shown.endswith("york")


def test_half_a_character_is_no_reason_to_lose_a_text() -> None:
    pytest.importorskip("text_to_num", reason="text2num is not installed (vivavoce[dictation])")
    assert EVERYTHING.text("twenty \ud800 comma yes") == "20 \ud800, yes"
