"""The language is found out once, held through short pieces, and changed on clear evidence."""

from hypothesis import given
from hypothesis import strategies as st

from vivavoce.actors.transcription.language import ENOUGH_S, LanguagePolicy


def decide(policy: LanguagePolicy, language: str, *, looks: int = 2) -> None:
    for _ in range(looks):
        assert policy.for_exact(4.0) is None
        assert policy.heard(language, 0.95, 4.0) is None
    assert policy.language == language


def english() -> LanguagePolicy:
    policy = LanguagePolicy()
    decide(policy, "en")
    return policy


def test_a_language_that_was_given_is_never_left() -> None:
    for policy in (
        LanguagePolicy("de"),
        LanguagePolicy("de", ["de", "en"]),
        LanguagePolicy(None, ["de"]),
    ):
        assert policy.heard("en", 1.0, 30.0) is None
        policy.silence(60.0)
        assert policy.for_partial() == policy.for_exact(20.0) == policy.language == "de"


def test_a_model_for_english_is_asked_in_english() -> None:
    policy = LanguagePolicy(multilingual=False)
    assert policy.for_partial() == policy.for_exact(20.0) == "en"


def test_it_is_found_out_until_there_was_enough_speech() -> None:
    policy = LanguagePolicy()
    for _ in range(4):
        assert policy.for_partial() is None
        assert policy.for_exact(0.7) is None
        assert policy.heard("en", 0.8, 0.7) is None
    assert policy.heard("en", 0.8, 0.7) is None
    assert policy.for_partial() == policy.for_exact(0.7) == policy.language == "en"


def test_a_doubtful_word_among_others_is_decoded_again() -> None:
    policy = LanguagePolicy()
    for _ in range(3):
        policy.heard("en", 0.8, 0.7)
    assert policy.heard("cy", 0.3, 0.6) == "en"
    assert policy.language is None, "it goes on gathering"


def test_two_that_are_as_probable_are_not_decided() -> None:
    policy = LanguagePolicy()
    for _ in range(20):
        assert policy.heard("no", 0.6, 1.0) in (None, "da")
        assert policy.heard("da", 0.6, 1.0) in (None, "no")
    assert policy.language is None


def test_speech_that_is_decoded_again_is_no_more_evidence() -> None:
    policy = LanguagePolicy()
    assert policy.heard("it", 0.9, 1.5) is None
    for _ in range(9):
        assert policy.heard("it", 0.9, 1.5, again_s=1.5) is None
    assert policy.language is None
    assert policy.heard("it", 0.9, 2.9, again_s=1.5) is None
    assert policy.language == "it"
    for _ in range(9):  # a minute and a half of windows, half a minute of speech
        policy.heard("", 0.0, 10.0, again_s=7.0)
    assert policy.for_exact(2.9) == "it"


def test_a_short_piece_never_changes_it() -> None:
    policy = english()
    policy.silence(30.0)
    for _ in range(50):
        assert policy.for_exact(2.9) == "en"
    assert policy.heard("fr", 0.99, 2.9) == "en"
    assert policy.language == "en"


def test_once_confirmed_it_is_looked_at_only_now_and_then() -> None:
    policy = english()
    looks = 0
    for _ in range(30):  # 10 s each
        asked = policy.for_exact(10.0)
        looks += asked is None
        assert policy.heard("" if asked else "en", 0.0 if asked else 0.99, 10.0) is None
    assert looks == 30 // 4


def test_a_single_look_that_is_clear_is_not_enough_and_two_are() -> None:
    policy = english()
    policy.silence(10.0)
    assert policy.for_exact(4.0) is None
    assert policy.heard("fr", 0.9, 4.0) == "en", "decode this again in English"
    assert policy.for_partial() == "en"
    assert policy.for_exact(1.0) == "en"
    assert policy.for_exact(4.0) is None, "but look again"
    assert policy.heard("fr", 0.9, 4.0) is None
    assert policy.language == "fr"


def test_two_looks_that_are_no_agreement_change_nothing() -> None:
    policy = english()
    for language in ("fr", "it", "fr", "en", "fr"):
        assert policy.heard(language, 0.9, 4.0) == (None if language == "en" else "en")
    assert policy.language == "en"


def test_a_doubtful_look_changes_nothing_however_often() -> None:
    policy = english()
    for _ in range(20):
        assert policy.heard("fr", 0.7, 20.0) == "en"
    assert policy.language == "en"


def test_much_speech_that_is_very_clear_changes_it_at_once() -> None:
    policy = english()
    policy.silence(10.0)
    assert policy.for_exact(8.0) is None
    assert policy.heard("fr", 0.99, 8.0) is None
    assert policy.for_partial() == policy.for_exact(1.0) == policy.language == "fr"


def test_a_change_is_looked_at_again_and_can_be_taken_back() -> None:
    policy = english()
    policy.heard("it", 0.97, 5.5)
    assert policy.language == "it"
    assert policy.for_exact(4.0) is None
    assert policy.heard("en", 0.85, 4.0) is None
    assert policy.language == "en"


def test_after_a_long_silence_the_first_piece_with_enough_speech_is_looked_at() -> None:
    policy = english()
    policy.silence(2.0)
    assert policy.for_exact(10.0) == "en"
    policy.silence(5.0)
    policy.silence(0.5)
    assert policy.for_exact(1.0) == "en"
    policy.heard("", 0.0, 1.0)
    assert policy.for_exact(10.0) is None
    policy.heard("en", 0.99, 10.0)
    assert policy.for_exact(10.0) == "en"


PIECES = st.lists(
    st.tuples(
        st.sampled_from(["en", "de", "fr", ""]),
        st.floats(0.0, 1.0),
        st.floats(0.0, 28.0),
        st.floats(0.0, 20.0),
    ),
    max_size=30,
)


@given(PIECES)
def test_whatever_is_heard_it_changes_only_by_enough_of_what_is_clear(
    pieces: list[tuple[str, float, float, float]],
) -> None:
    policy = LanguagePolicy()
    for language, probability, speech_s, silence_s in pieces:
        policy.silence(silence_s)
        before = policy.language
        asked = policy.for_exact(speech_s)
        assert asked in (None, before)
        assert before is None or speech_s >= ENOUGH_S or asked == before
        again = policy.heard("" if asked else language, probability, speech_s)
        if before is not None and policy.language != before:
            assert (policy.language, again) == (language, None)
            assert probability >= 0.8
            assert speech_s >= ENOUGH_S
        if again is not None:
            assert again != language
