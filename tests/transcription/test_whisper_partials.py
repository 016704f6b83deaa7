"""Partials of long speech: what they cost, what they keep, when their words were spoken."""

import json
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from support.program import MODEL, SPEECH, read_wave

from vivavoce.actors.transcription.agreement import LocalAgreement, bare
from vivavoce.actors.transcription.engines.base import EngineSpec, Hypothesis, SessionOptions
from vivavoce.actors.transcription.engines.faster_whisper import FasterWhisperEngine
from vivavoce.actors.transcription.engines.whisper_session import WholeAudio
from vivavoce.actors.transcription.hold_back import certain_words

pytestmark = pytest.mark.engine

RATE = 16_000
SECONDS = 20
STEP = 3 * RATE // 10
NEAR_S = 0.3 + 0.02
"""Whisper tells times in steps of 20 ms, and which of two depends on how threads share the work."""
TALK = "talk-2-rms.wav"


class Follow:
    """20 s of a talk, decoded every 0.3 s with the stable words as prefix, as the actor does."""

    def __init__(self) -> None:
        engine = FasterWhisperEngine(
            EngineSpec(engine="faster-whisper", model=str(MODEL), device="cpu")
        )
        engine.load(lambda *_: None)
        self.session = engine.open(SessionOptions(language="en", partial_context="trimmed"))
        pcm = read_wave(SPEECH / TALK)[: 2 * SECONDS * RATE]
        self.steps: list[tuple[tuple[str, ...], Hypothesis]] = []
        self.views: list[int] = []
        self.frames: list[int] = []
        self.computed = 0
        agreement = LocalAgreement()
        for end in range(STEP, SECONDS * RATE + 1, STEP):
            self.session.feed(pcm[2 * (end - STEP) : 2 * end])
            if end == 2 * STEP:
                self._watch(self.session._partials)
            found = self.session.partial(WholeAudio(end), agreement.stable, times=False)
            self.steps.append((agreement.stable, found))
            self.views.append(self.session._partials._view_frame)
            certain = certain_words(
                found.probabilities,
                last=2,
                least=0.5,
                stable=len(agreement.stable),
                agreed=agreement.agreed(found.text),
            )
            agreement.update(found.text, certain=certain, heard=end)
        self.computed = self.session._partials._log_mel.computed
        self.stable = agreement.stable
        self.timed = self.session.partial(WholeAudio(end), agreement.stable, times=True)
        self.final = self.session.final(WholeAudio(end), "", cheap=False)

    def _watch(self, decoder: Any) -> None:
        original = decoder._encode

        def spy(features: Any, frames: int) -> Any:
            self.frames.append(frames)
            return original(features, frames)

        decoder._encode = spy


@pytest.fixture(scope="module")
def follow() -> Follow:
    return Follow()


def words_said() -> list[tuple[str, float, float]]:
    items = json.loads((SPEECH / "refs.json").read_text())["items"]
    talk = next(item for item in items if item["file"] == TALK)
    return [
        (word["word"], word["start"], word["end"])
        for word in talk["words"]
        if word["end"] < SECONDS
    ]


def test_the_view_moves_on_so_that_the_cost_does_not_grow(follow: Follow) -> None:
    assert follow.views == sorted(follow.views)
    assert follow.views[-1] > 1_000
    # 4 s, what is not agreed on yet, and the margin of 2.56 s.
    assert max(follow.frames) <= 900
    late = follow.frames[len(follow.frames) // 2 :]
    assert np.mean(late) <= 700


def test_each_frame_of_the_spectrogram_is_computed_once(follow: Follow) -> None:
    assert follow.computed <= 100 * SECONDS + 3 * len(follow.steps)


def test_every_hypothesis_begins_with_the_words_it_was_given_but_the_last_two(
    follow: Follow,
) -> None:
    assert any(len(prefix) > 20 for prefix, _ in follow.steps)
    for prefix, found in follow.steps:
        forced = prefix[:-2]
        begins = [bare(word) for word in found.text.split()[: len(forced)]]
        assert begins == [bare(word) for word in forced]


def test_a_forced_word_is_not_prolonged(follow: Follow) -> None:
    """The decoder may go on inside the last word that it was given: "I" became "Ind"."""
    forced = ["Exactly,", "said", "Poirot", "dryly.", "I"]
    prefix = (*forced, "am", "not")  # the last two are decoded again
    found = follow.session.partial(WholeAudio(STEP * 15), prefix, times=False)
    assert found.text.split()[:5] == forced


def test_there_is_a_probability_for_each_word(follow: Follow) -> None:
    for _, found in follow.steps:
        assert len(found.probabilities) == len(found.text.split())
        assert all(0.0 < probability <= 1.0 for probability in found.probabilities)
        assert found.words == ()


def test_the_last_partial_is_near_the_final(follow: Follow) -> None:
    partial = [bare(word) for word in follow.steps[-1][1].text.split()]
    final = [bare(word) for word in follow.final.text.split()]
    assert SequenceMatcher(None, partial, final, autojunk=False).ratio() > 0.75


def test_word_times_are_monotone_and_close_to_when_they_were_spoken(follow: Follow) -> None:
    spoken = words_said()
    matched = missed = 0
    for end_s in (3, 6, 9, 12, 16, 19, 20):
        end = end_s * RATE
        fresh = follow.session._model  # the same model, a session of its own
        session = type(follow.session)(fresh, follow.session._options)
        session.feed(read_wave(SPEECH / TALK)[: 2 * end])
        words = session.partial(WholeAudio(end), (), times=True).words
        assert all(word.start <= word.end <= end for word in words)
        assert all(one.end <= other.start for one, other in pairwise(words))
        found = [bare(word.text) for word in words]
        matcher = SequenceMatcher(None, found, [bare(word) for word, _, _ in spoken])
        for block in matcher.get_matching_blocks():
            if block.size < 3:
                continue  # a word alone may be matched with its like elsewhere
            for offset in range(block.size):
                word, at = words[block.a + offset], block.b + offset
                # Where a pause follows or precedes, the time may lie anywhere in it.
                before = spoken[at - 1][2] if at else 0.0
                after = spoken[at + 1][1] if at + 1 < len(spoken) else SECONDS
                near = (
                    before - NEAR_S <= word.start / RATE <= spoken[at][1] + NEAR_S
                    and spoken[at][2] - NEAR_S <= word.end / RATE <= after + NEAR_S
                )
                matched += near
                missed += not near
    # The small model wavers at the edge of what it heard, on some processors more than on others.
    assert matched > 80
    assert missed <= matched // 10


def test_timed_words_are_those_behind_the_moved_view(follow: Follow) -> None:
    words = follow.timed.words
    assert follow.timed.text.split()[-len(words) :] == [word.text for word in words]
    assert words[0].start >= 160 * follow.views[-1] > 0
    assert abs(words[-1].end / RATE - words_said()[-1][2]) < 0.3


def test_fewer_agreed_words_than_before_bring_the_view_back(follow: Follow) -> None:
    found = follow.session.partial(WholeAudio(STEP * 20), (), times=False)
    assert follow.session._partials._view_frame == 0
    assert found.text.startswith("Exactly, said Poirot dryly.")


def test_positions_stay_where_audio_was_forgotten(follow: Follow) -> None:
    session = type(follow.session)(follow.session._model, follow.session._options)
    pcm = read_wave(SPEECH / TALK)
    session.feed(pcm[: 2 * 8 * RATE])
    whole = session.partial(WholeAudio(8 * RATE), (), times=True)
    cut = int(3.4 * RATE)  # in the pause behind "dryly."
    session.advance(cut)
    rest = session.partial(WholeAudio(8 * RATE), (), times=True)
    assert rest.samples == whole.samples == 8 * RATE
    assert rest.words[0].start >= cut
    assert abs(rest.words[-1].end - whole.words[-1].end) < 0.3 * RATE
