"""Partials of long speech: what they cost, what they keep, where they begin."""

from difflib import SequenceMatcher
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
TALK = "talk-2-rms.wav"


class Follow:
    """20 s of a talk, decoded every 0.3 s with the stable words as prefix, as the actor does."""

    def __init__(self) -> None:
        engine = FasterWhisperEngine(
            EngineSpec(engine="faster-whisper", model=str(MODEL), device="cpu")
        )
        engine.load(lambda *_: None)
        self.session = engine.open(SessionOptions(language="en", partial_context="trimmed"), 0)
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
            found = self.session.partial(WholeAudio(end), agreement.stable)
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
        self.exact = self.session.exact(WholeAudio(end), cheap=False)

    def _watch(self, decoder: Any) -> None:
        original = decoder._encode

        def spy(features: Any, frames: int) -> Any:
            self.frames.append(frames)
            return original(features, frames)

        decoder._encode = spy


@pytest.fixture(scope="module")
def follow() -> Follow:
    return Follow()


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
    found = follow.session.partial(WholeAudio(STEP * 15), prefix)
    assert found.text.split()[:5] == forced


def test_there_is_a_probability_for_each_word(follow: Follow) -> None:
    for _, found in follow.steps:
        assert len(found.probabilities) == len(found.text.split())
        assert all(0.0 < probability <= 1.0 for probability in found.probabilities)
        assert found.words == ()


def test_the_last_partial_is_near_the_final(follow: Follow) -> None:
    partial = [bare(word) for word in follow.steps[-1][1].text.split()]
    final = [bare(word) for word in follow.exact.text.split()]
    assert SequenceMatcher(None, partial, final, autojunk=False).ratio() > 0.75


def test_fewer_agreed_words_than_before_bring_the_view_back(follow: Follow) -> None:
    found = follow.session.partial(WholeAudio(STEP * 20), ())
    assert follow.session._partials._view_frame == 0
    assert found.text.startswith("Exactly, said Poirot dryly.")


def test_a_window_may_begin_anywhere_and_move_on(follow: Follow) -> None:
    """All positions are samples since capture began; nothing that was forgotten is heard."""
    pcm = read_wave(SPEECH / TALK)[: 2 * 8 * RATE]
    at, cut = 1_000_000, int(3.4 * RATE)  # in the pause behind "dryly."
    found = []
    for begins in (0, at):
        session = type(follow.session)(follow.session._model, follow.session._options, begins)
        session.feed(pcm)
        end = WholeAudio(begins + 8 * RATE)
        whole = session.partial(end, ()), session.exact(end, cheap=False)
        session.advance(begins + cut)
        assert session.heard == end.end
        found.append((*whole, session.partial(end, ()), session.exact(end, cheap=False)))
    for near, far in zip(*found, strict=True):
        assert near.text == far.text
        assert (near.samples, far.samples) == (8 * RATE, at + 8 * RATE)
        assert [(word.start + at, word.end + at) for word in near.words] == [
            (word.start, word.end) for word in far.words
        ]
    _, exact, partial, rest = found[1]
    assert exact.text.startswith("Exactly")
    assert exact.words[0].start < at + RATE
    assert "Exactly" not in partial.text + rest.text
    assert rest.words[0].start >= at + cut
    assert abs(rest.words[-1].end - exact.words[-1].end) < 0.3 * RATE
