import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vivavoce.actors.transcription.agreement import LocalAgreement, agreeing, bare, corrected


def test_two_hypotheses_must_agree() -> None:
    agreement = LocalAgreement()
    assert agreement.update("the quick brown") == ("", "the quick brown")
    assert agreement.update("the quick crown fox") == ("the quick", "crown fox")
    assert agreement.update("the quick crown fox") == ("the quick crown fox", "")


def test_what_agrees_with_itself_too_soon_is_not_stable_yet() -> None:
    agreement = LocalAgreement(least_audio=5_000)
    assert agreement.update("the quick in", heard=10_000) == ("", "the quick in")
    assert agreement.update("the quick in tell", heard=12_000) == ("", "the quick in tell")
    assert agreement.update("the quick intelligent", heard=15_000) == (
        "the quick",
        "intelligent",
    )
    assert agreement.update("the quick intelligent fox", heard=19_000) == (
        "the quick",
        "intelligent fox",
    )
    assert agreement.update("the quick intelligent fox", heard=24_000) == (
        "the quick intelligent fox",
        "",
    )


def test_case_and_punctuation_do_not_break_agreement_and_the_newest_spelling_is_kept() -> None:
    agreement = LocalAgreement()
    agreement.update("hello world")
    assert agreement.update("Hello, world.") == ("Hello, world.", "")


def test_what_was_stable_stays_whatever_comes() -> None:
    agreement = LocalAgreement()
    agreement.update("one two")
    agreement.update("one two three")
    assert agreement.update("nothing like it") == ("one two", "it")
    assert agreement.update("") == ("one two", "")


def test_a_hypothesis_that_only_ends_sooner_takes_nothing_back() -> None:
    agreement = LocalAgreement()
    agreement.update("to have you")
    assert agreement.update("to have you here my pleasure") == ("to have you", "here my pleasure")
    assert agreement.update("to have you here.") == ("to have you here.", "my pleasure")
    assert agreement.update("to have you here my") == ("to have you here.", "my pleasure"), (
        "it was not in the one before: that is no second time"
    )
    assert agreement.update("to have you here my treasure") == (
        "to have you here. my",
        "treasure",
    )


def test_what_is_held_back_stays_where_it_is_shown_already() -> None:
    agreement = LocalAgreement()
    agreement.update("of how real", certain=3)
    assert agreement.update("of how real is", certain=2) == ("of how", "real")
    assert agreement.update("of how rare", certain=2) == ("of how", "real"), "another, but unsure"
    assert agreement.update("of how rare", certain=3) == ("of how", "rare")


def test_a_hypothesis_without_words_takes_back_what_is_not_stable() -> None:
    agreement = LocalAgreement()
    agreement.update("thank you")
    assert agreement.update("") == ("", "")


def test_an_engine_that_knows_what_is_settled_is_believed() -> None:
    assert LocalAgreement().update("one two three", settled=2) == ("one two", "three")


words = st.lists(st.sampled_from(["a", "b", "c", "A", "b,", "the", "I"]), max_size=8)


@pytest.mark.thorough
@given(st.lists(words, max_size=12))
@settings(max_examples=300)
def test_no_later_hypothesis_changes_stable_text(stream) -> None:
    agreement = LocalAgreement()
    before, last = "", []
    for hypothesis in stream:
        stable, tail = agreement.update(" ".join(hypothesis))
        assert stable.startswith(before)
        assert not before or stable == before or stable[len(before)] == " "
        # Exactly joined: the tail begins with all of the hypothesis that is not stable; what stands
        # behind that was in the tail before.
        known = agreement.stable
        if agreeing(known, hypothesis) == len(known):
            fresh = hypothesis[len(known) :]
            assert tail.split()[: len(fresh)] == fresh
            kept = tail.split()[len(fresh) :]
            assert kept == last[len(last) - len(kept) :]
        before, last = stable, tail.split()


def test_a_hypothesis_that_reads_differently_before_repeats_no_stable_word() -> None:
    agreement = LocalAgreement()
    for text in ("a b c", "a b c"):
        agreement.update(text)
    assert agreement.update("a x b c d") == ("a b c", "d")
    assert agreement.update("a x b c d e") == ("a b c d", "e")
    assert agreement.update("c d e") == ("a b c d e", "")


def test_a_stable_word_that_reads_differently_is_not_shown_again() -> None:
    agreement = LocalAgreement()
    for text in ("one too", "one too"):
        agreement.update(text)
    assert agreement.update("one two three") == ("one too", "three")
    assert agreement.update("one two three four") == ("one too three", "four")


@pytest.mark.parametrize(
    ("stable", "final", "count"),
    [
        ("the quick fox", "The quick fox.", 0),
        ("the quick box", "the quick fox", 1),
        ("the fox", "the quick brown fox", 0),
        ("one two", "", 2),
        ("", "anything", 0),
    ],
)
def test_corrections_are_counted(stable, final, count) -> None:
    assert corrected(stable.split(), final.split()) == count


def test_helpers() -> None:
    assert agreeing(["a", "B."], ["A,", "b", "c"]) == 2
    assert bare("don't!") == "dont"
    assert bare("...") == "..."
