"""When an exact decoding is worth its cost."""

import numpy as np
import pytest

from vivavoce.actors.transcription.plan import KNOWN, SHORTEST_PART, part_ends
from vivavoce.actors.transcription.schedule import Exact, ExactSpacing, Why, followed, may, must
from vivavoce.actors.transcription.settle import Pause
from vivavoce.actors.transcription.window import Window
from vivavoce.config.schema import TranscriptionSettings
from vivavoce.pipeline.messages import SAMPLE_RATE as RATE
from vivavoce.pipeline.messages import (
    EndReason,
    SpeechAudio,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
)

SETTINGS = TranscriptionSettings()


def heard(seconds: float, start: int = 0) -> Window:
    window = Window(1, start)
    hear(window, seconds)
    return window


def hear(window: Window, seconds: float) -> None:
    pcm = np.zeros(round(seconds * RATE), np.int16)
    window.append(SpeechAudio(utterance=1, start=window.heard, pcm=pcm))


def end(window: Window, at: float) -> None:
    window.end(
        SpeechEnded(
            utterance=1,
            start=window.start,
            end=window.heard,
            at=window.heard,
            reason=EndReason.SILENCE,
        ),
        at,
    )


def test_what_has_ended_is_decoded_at_once() -> None:
    window = heard(3)
    assert must(window, SETTINGS) is None
    end(window, 3.0)
    assert must(window, SETTINGS) == Exact(3 * RATE, Why.ENDED)


def test_a_window_that_is_full_is_decoded_at_once_up_to_its_last_long_pause() -> None:
    window = heard(27.9)
    assert must(window, SETTINGS) is None
    hear(window, 0.1)
    assert must(window, SETTINGS) is None, "it may end here, and fits"
    hear(window, 0.1)
    assert must(window, SETTINGS) == Exact(28 * RATE, Why.FULL)
    window.pauses = [Pause(25 * RATE, 26 * RATE), Pause(27 * RATE, 27 * RATE + 100)]
    assert must(window, SETTINGS) == Exact(25 * RATE + RATE // 2, Why.FULL)


def test_what_is_heard_behind_a_full_window_makes_no_difference() -> None:
    early, late = heard(28.1), heard(40)
    for window in (early, late):
        window.pauses = [Pause(25 * RATE, 26 * RATE)]
    late.pauses.append(Pause(27 * RATE, 30 * RATE))
    assert must(early, SETTINGS) == must(late, SETTINGS)


def test_a_sentence_that_is_followed_is_worth_it_when_its_share_allows() -> None:
    window = heard(4)
    assert may(window, SETTINGS, 1.0) is None
    window.shown.take("There are none. On board")
    assert may(window, SETTINGS, 1.0) == (Exact(4 * RATE, Why.FOLLOWED), 1.0)
    window.tried = 4 * RATE
    assert may(window, SETTINGS, 1.0) is None, "nothing new was heard"


def test_a_pause_is_worth_it_when_it_will_probably_be_long() -> None:
    window = heard(4)
    window.pause(SpeechPaused(utterance=1, end=4 * RATE, at=4 * RATE + RATE // 2), 10.0)
    assert may(window, SETTINGS, 0.0) == (Exact(4 * RATE, Why.PAUSED), pytest.approx(10.1))
    assert may(window, SETTINGS, 11.0) == (Exact(4 * RATE, Why.PAUSED), 11.0)
    window.resume(SpeechResumed(utterance=1, at=5 * RATE))
    assert may(window, SETTINGS, 0.0) is None
    assert window.pauses == [Pause(4 * RATE, 5 * RATE - 512)]


@pytest.mark.parametrize(
    ("text", "is_followed"),
    [
        ("There are none. On board", True),
        ("There are none. On", False),
        ("There are none.", False),
        ("there are none. on board was", False),
        ("Dr. Kalpana Chawla", False),
        ("", False),
    ],
)
def test_followed(text: str, is_followed: bool) -> None:
    assert followed(text.split()) is is_followed


def test_decodings_are_spaced_by_cost_and_share() -> None:
    spacing = ExactSpacing(0.2)
    assert spacing.due_at() == float("-inf")
    spacing.started(10.0)
    spacing.cost(0.5)
    assert spacing.due_at() == pytest.approx(12.5)
    assert spacing.due_at(longer_windows=True) == pytest.approx(20.0)
    spacing.cost(1.5)
    assert 12.5 < spacing.due_at() < 17.5, "it follows the mean"


def test_a_recording_is_divided_at_the_longest_pause_once_it_is_long_enough() -> None:
    window = heard(KNOWN / RATE - 1)
    window.pauses = [
        Pause(10 * RATE, 14 * RATE),
        Pause(SHORTEST_PART, SHORTEST_PART + RATE),
        Pause(80 * RATE, 82 * RATE),
    ]
    assert part_ends(window) is None
    hear(window, 1.0)
    assert part_ends(window) == 81 * RATE
    window.pauses = []
    assert part_ends(window) is None, "a stretch without pauses goes on"
