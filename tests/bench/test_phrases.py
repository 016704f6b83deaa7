"""The benchmark of the phrase cache, as quickly as it goes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from support.program import SPEECH

from bench import distortions
from vivavoce.bench import results

Bench = Callable[..., Result]


@pytest.mark.engine
def test_it_counts_hits_and_false_hits_and_what_they_save(bench: Bench, tmp_path: Path) -> None:
    shown = bench("phrases", "--quick", "--save", "r.json")
    assert shown.exit_code == 0, shown.output
    (result,) = results.load(tmp_path / "r.json")
    found = {figure.name: figure for figure in result.figures}
    assert found["exact hits, the same audio"].value == 100
    assert found["near hits, noise, 30 dB SNR"].value == 100
    assert found["false hits, all pairs"].value == 0
    assert found["false hits, all pairs"].samples == 6 * 5 * 3
    assert found["false hits, one word replaced"].samples == 20
    assert 0 < found["lookup, unknown phrase"].value < found["lookup, near hit"].value
    assert 0 < found["near hit against decoding"].value < 1


def test_a_phrase_is_cut_with_its_words_in_place() -> None:
    found = {phrase.name: phrase for phrase in distortions.spoken_phrases(SPEECH, 6.0)}
    phrase = found["utt-002-awb.wav:0"]
    assert phrase.text == "It is the only way."
    assert len(phrase.words) == 5
    assert phrase.words[0][0] == pytest.approx(0.32 * 16_000, abs=1)
    assert phrase.words[-1][1] == pytest.approx(len(phrase.pcm) - 0.16 * 16_000, abs=2)


def test_distortions_do_what_they_say() -> None:
    pcm = np.full(16_000, 1_000, np.int16)
    noise = distortions.noisy(pcm, 20).astype(float) - 1_000
    assert np.sqrt((noise**2).mean()) == pytest.approx(100, rel=0.05)
    assert distortions.amplified(pcm, 40).max() == 32_767
    assert len(distortions.later(pcm, 5)) - len(pcm) == 80
    assert len(pcm) - len(distortions.later(pcm, -5)) == 80
    assert len(distortions.stretched(pcm, 1.05)) == 16_800
    edited = distortions.replaced(pcm, 4_000, 5_000, np.full(600, -10, np.int16))
    assert len(edited) == 15_600
    assert edited[4_300] == -1_000
    assert (edited[:4_000] == 1_000).all()
