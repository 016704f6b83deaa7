"""Edit distance over words: against jiwer, and what jiwer does not have."""

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.alignment import align, word_error_rate, words_of

few_words = st.lists(st.sampled_from("abcde"), max_size=12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The quick, BROWN fox.", ["the", "quick", "brown", "fox"]),
        ("I'm 'quoted' — isn’t it?", ["i'm", "quoted", "isn't", "it"]),
        ("twenty-one_two", ["twenty", "one", "two"]),
        ("Straße ﬁn", ["strasse", "fin"]),
        (" … -- ' ", []),
        ("", []),
    ],
)
def test_words_are_compared_without_case_and_punctuation(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=12), few_words)
def test_errors_are_those_of_jiwer(reference: list[str], hypothesis: list[str]) -> None:
    expected = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    found = align(reference, hypothesis)
    assert found.errors == expected.substitutions + expected.deletions + expected.insertions
    assert word_error_rate(" ".join(reference), " ".join(hypothesis)) == pytest.approx(expected.wer)


@given(few_words, few_words, st.booleans())
def test_pairs_hold_every_word_once_and_in_order(
    reference: list[str], hypothesis: list[str], open_end: bool
) -> None:
    found = align(reference, hypothesis, open_end=open_end)
    left = [one for one, _ in found.pairs if one is not None]
    right = [other for _, other in found.pairs if other is not None]
    assert left == list(range(len(left)))
    assert right == list(range(len(hypothesis)))
    assert open_end or len(left) == len(reference)
    assert all(reference[one] == hypothesis[other] for one, other in found.matches)
    assert found.errors == len(found.pairs) - len(found.matches)


@given(few_words, few_words)
def test_an_open_end_is_the_best_of_all_beginnings(
    reference: list[str], hypothesis: list[str]
) -> None:
    best = min(align(reference[:end], hypothesis).errors for end in range(len(reference) + 1))
    assert align(reference, hypothesis, open_end=True).errors == best


@given(few_words, few_words)
def test_a_beginning_is_aligned_with_the_beginning(beginning: list[str], growth: list[str]) -> None:
    found = align([*beginning, *growth], beginning, open_end=True)
    assert found.matches == tuple((place, place) for place in range(len(beginning)))


def test_among_equal_errors_equal_words_stand_beside_each_other() -> None:
    assert align(["a", "b"], ["b", "c"]).matches == ((1, 0),)
    assert align(list("cat cat"), list("cat"), open_end=True).matches == (
        (0, 0),
        (1, 1),
        (2, 2),
    )
