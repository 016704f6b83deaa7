"""What people see of a window while it grows and moves on."""

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.transcription.shown import Shown, shared_out


def test_words_become_stable_when_two_hypotheses_agree() -> None:
    shown = Shown()
    shown.take("there are")
    assert shown.news() == ("", "there are")
    shown.take("there are no")
    assert shown.news() == ("there are", "no")
    assert shown.news() is None
    assert shown.revision == 2


def test_stable_words_behind_a_sentence_stay_stable() -> None:
    shown = Shown()
    for _ in range(2):
        shown.take("There are none. On board was")
    shown.news()
    shares = shown.move_on([["There", "are", "none."]], ["On", "board", "was", "a", "crew"], 0)
    assert shares == [("There", "are", "none.")]
    assert shown.stable == ("On", "board", "was")
    assert shown.news() == ("On board was", "a crew")
    assert shown.revision == 1


def test_words_that_an_exact_decoding_is_sure_of_are_stable_at_once() -> None:
    shown = Shown()
    shown.take("There are none. On board")
    shown.move_on([["There", "are", "none."]], ["On", "board", "was", "a"], 3)
    assert shown.news() == ("On board was", "a")


def test_a_stable_word_that_the_text_does_not_have_goes_with_the_one_before_it() -> None:
    parts = [["There", "are", "none."], ["On", "board"]]
    assert shared_out(["there", "are", "uh", "none", "on"], parts) == [
        ("there", "are", "uh", "none"),
        ("on",),
    ]


@given(
    st.lists(st.sampled_from("abc"), max_size=12),
    st.lists(st.lists(st.sampled_from("abc"), max_size=5), min_size=1, max_size=4),
)
def test_no_stable_word_is_lost_or_reordered(stable: list[str], parts: list[list[str]]) -> None:
    shares = shared_out(stable, parts)
    assert len(shares) == len(parts)
    assert [word for share in shares for word in share] == stable
