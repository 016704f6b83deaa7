"""What the phrase cache takes for the same sound: all of what is, nothing of what is not."""

import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.program import SPEECH

from bench.distortions import (
    Phrase,
    amplified,
    later,
    noisy,
    replaced,
    spoken_phrases,
    stretched,
    trailing,
)
from vivavoce.actors.transcription.phrase_cache import PhraseCache
from vivavoce.actors.transcription.phrase_cache.comparison import Comparison, compare
from vivavoce.actors.transcription.phrase_cache.fingerprint import (
    BANDS,
    Samples,
    decibels,
    fingerprint,
    log_mel_levels,
)
from vivavoce.bench.sound import read
from vivavoce.config.schema import PhraseCacheSettings

PHRASES = spoken_phrases(SPEECH, longest_s=6.0)
SYNTHETIC = [phrase for phrase in PHRASES if phrase.voice != "human"]
# This reading has no silence at its ends, and too little inside, to tell noise from sound by.
NEVER_SILENT = "LJ001-0008.wav:0"
CACHE = PhraseCacheSettings(enabled=True, ttl_s=1e9)


@pytest.fixture(scope="module")
def kept() -> PhraseCache[str]:
    full = PhraseCache[str](CACHE)
    for phrase in PHRASES:
        full.store(phrase.pcm, phrase.name, 0.0)
    return full


def test_there_is_enough_to_confuse() -> None:
    assert len(PHRASES) >= 20
    assert len({phrase.text for phrase in PHRASES}) == len(PHRASES)
    assert sum(phrase.voice == "rms" for phrase in PHRASES) >= 12


# --- what must be found ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "distort",
    [
        pytest.param(lambda pcm: amplified(pcm, 0.3), id="a third as loud"),
        pytest.param(lambda pcm: amplified(pcm, 1.2), id="louder"),
        pytest.param(lambda pcm: noisy(pcm, 30), id="30 dB noise"),
        *(
            pytest.param(lambda pcm, ms=ms: later(pcm, ms), id=f"{ms} ms later")
            for ms in (5, 13.7, 32, 55, 80)
        ),
        pytest.param(lambda pcm: trailing(pcm, 300), id="trailing silence"),
        pytest.param(lambda pcm: noisy(later(trailing(pcm, 160), 47), 30), id="all of it"),
    ],
)
def test_a_repetition_is_found(
    kept: PhraseCache[str], distort: Callable[[Samples], Samples]
) -> None:
    for phrase in PHRASES:
        hit = kept.lookup(distort(phrase.pcm), 0.0)
        if phrase.name == NEVER_SILENT:
            assert hit is None or hit.value == phrase.name
            continue
        assert hit is not None, phrase.name
        assert (hit.value, hit.kind) == (phrase.name, "near")


def test_a_phrase_without_its_first_or_last_silence_is_found(kept: PhraseCache[str]) -> None:
    for phrase in SYNTHETIC:
        for changed in (later(phrase.pcm, -80), phrase.pcm[:-1_000]):
            hit = kept.lookup(changed, 0.0)
            assert hit is not None, phrase.name
            assert hit.value == phrase.name


def test_most_repetitions_are_found_in_20_db_noise(kept: PhraseCache[str]) -> None:
    hits = [kept.lookup(noisy(phrase.pcm, 20, seed=2), 0.0) for phrase in SYNTHETIC]
    assert sum(hit is not None for hit in hits) >= 0.85 * len(hits)
    for hit, phrase in zip(hits, SYNTHETIC, strict=True):
        assert hit is None or hit.value == phrase.name


def test_in_loud_noise_nothing_is_taken_for_known(kept: PhraseCache[str]) -> None:
    for phrase in SYNTHETIC:
        assert kept.lookup(noisy(phrase.pcm, 15), 0.0) is None


@given(
    number=st.integers(0, len(SYNTHETIC) - 1),
    offset=st.floats(0.0, 80.0),
    factor=st.floats(0.4, 1.2),
    snr_db=st.floats(26.0, 60.0),
    silence=st.floats(0.0, 400.0),
    seed=st.integers(0, 1_000),
)
@settings(max_examples=40, deadline=None)
def test_any_mixture_of_small_changes_is_found(
    number: int, offset: float, factor: float, snr_db: float, silence: float, seed: int
) -> None:
    phrase = SYNTHETIC[number]
    known = PhraseCache[str](CACHE)
    known.store(phrase.pcm, phrase.name, 0.0)
    changed = trailing(later(amplified(phrase.pcm, factor), offset), silence)
    hit = known.lookup(noisy(changed, snr_db, seed), 0.0)
    assert hit is not None
    assert hit.shift == pytest.approx(offset * 16, abs=24)


# --- what must not be found -----------------------------------------------------------------------


def others_of(kept: PhraseCache[str], phrase: Phrase, changed: Samples) -> None:
    """``changed`` is not taken for anything but ``phrase`` itself."""
    hit = kept.lookup(changed, 0.0)
    assert hit is None or hit.value == phrase.name


def test_no_phrase_is_taken_for_another_one() -> None:
    """Every ordered pair, compared in full: the sketch may not be what keeps them apart."""
    prints = [fingerprint(phrase.pcm) for phrase in PHRASES]
    for (first, one), (second, other) in itertools.permutations(enumerate(PHRASES), 2):
        comparison = compare(one.pcm, prints[first].levels, prints[second].levels)
        assert comparison is None or not comparison.same, (one.name, other.name)


@pytest.mark.parametrize("factor", [0.9, 0.95, 0.97, 1.03, 1.05, 1.1])
def test_a_phrase_at_another_pace_is_not_the_same(kept: PhraseCache[str], factor: float) -> None:
    for phrase in PHRASES:
        assert kept.lookup(stretched(phrase.pcm, factor), 0.0) is None, phrase.name


def swaps() -> Iterator[tuple[Phrase, Samples]]:
    """Each phrase with each of its words replaced by words of the same voice."""
    rng = np.random.default_rng(3)
    for phrase in SYNTHETIC:
        donors = [
            donor.pcm[start:end]
            for donor in SYNTHETIC
            for start, end in donor.words
            if donor.voice == phrase.voice and donor is not phrase and end - start >= 1_600
        ]
        for start, end in phrase.words:
            for number in rng.permutation(len(donors))[:3]:
                donor = donors[number]
                yield phrase, replaced(phrase.pcm, start, end, donor)
                # As long as the word that it replaces: nothing but the sound itself differs.
                squeezed = stretched(donor, (end - start) / len(donor))
                yield phrase, replaced(phrase.pcm, start, end, squeezed)


@pytest.mark.thorough
def test_one_word_replaced_is_another_phrase(kept: PhraseCache[str]) -> None:
    count = 0
    for phrase, changed in swaps():
        assert kept.lookup(changed, 0.0) is None, phrase.name
        assert kept.lookup(noisy(changed, 22), 0.0) is None, phrase.name
        count += 1
    assert count > 300


@pytest.mark.thorough
def test_a_tenth_of_a_second_removed_or_silenced_is_another_phrase(kept: PhraseCache[str]) -> None:
    for phrase in SYNTHETIC:
        for start, end in phrase.words:
            middle = (start + end) // 2
            removed = np.concatenate([phrase.pcm[: middle - 800], phrase.pcm[middle + 800 :]])
            assert kept.lookup(removed, 0.0) is None, phrase.name
            if np.abs(phrase.pcm[middle - 800 : middle + 800].astype(int)).max() > 2_000:
                silenced = phrase.pcm.copy()
                silenced[middle - 800 : middle + 800] = 0
                assert kept.lookup(silenced, 0.0) is None, phrase.name


def test_a_phrase_with_a_word_before_or_after_is_another_phrase(kept: PhraseCache[str]) -> None:
    for phrase in SYNTHETIC:
        start, end = max(phrase.words, key=lambda word: word[1] - word[0])
        word = phrase.pcm[start:end]
        assert kept.lookup(np.concatenate([phrase.pcm, word]), 0.0) is None
        assert kept.lookup(np.concatenate([word, phrase.pcm]), 0.0) is None
        first, last = phrase.words[0], phrase.words[-1]
        assert kept.lookup(phrase.pcm[first[1] :], 0.0) is None
        assert kept.lookup(phrase.pcm[: last[0]], 0.0) is None


def test_a_faint_sound_that_noise_would_hide_is_not_taken_as_heard() -> None:
    time = np.arange(6_400) / 16_000
    loud = 9_000 * np.sin(2 * np.pi * (400 + 900 * time) * time)
    hiss = np.random.default_rng(1).normal(0, 300, 1_600)
    silence = np.zeros(3_200)
    without, with_hiss = (
        np.concatenate([silence, loud, gap, loud, silence]).astype(np.int16)
        for gap in (np.zeros(1_600), hiss)
    )
    heard = noisy(without, 21)
    levels = log_mel_levels(heard)
    again = compare(heard, levels, log_mel_levels(without))
    assert again is not None
    assert again.same
    unknown = compare(heard, levels, log_mel_levels(with_hiss))
    assert unknown is not None
    assert unknown.hidden_frames >= 6
    assert not unknown.same


# --- minimal pairs --------------------------------------------------------------------------------

ONE_SOUND_APART = """
    pat bat pad bad pit bit sit fit thin fin sin shin light night rice rise cap cab back bag sip zip
    vine fine wine cat cats
"""
FRAMES = [
    [f"turn {word}" for word in ("left", "right", "light", "back", "lift")],
    [f"call {word}" for word in ("Anna", "Anne", "Hannah", "Dan", "Sam", "Pam")],
    [f"a {word}" for word in ONE_SOUND_APART.split()],
    [f"set the timer to {n} minutes" for n in ("five", "nine", "fifteen", "fifty", "thirteen")],
    [f"set the timer to {n} minutes" for n in ("thirty", "fourteen", "forty", "six", "seven")],
    [f"my number is {n}" for n in ("five five nine", "five nine five", "nine five five")],
    [f"switch the {word} on" for word in ("light", "lights", "fan", "van", "pan", "heater")],
    [f"switch the {word} off" for word in ("light", "lights", "fan", "van", "pan", "heater")],
    ["I can do it", "I can't do it", "you should go", "you shouldn't go", "it is on", "it is off"],
]
VOICES = ("slt", "rms", "awb", "kal16")


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Samples]]:
    """Commands that differ in a word or a single sound, by voice and text."""
    if shutil.which("flite") is None:
        pytest.skip("flite is not on this machine (Debian: apt install flite)")
    folder = tmp_path_factory.mktemp("commands")

    def speak(voice: str, text: str) -> Samples:
        file = folder / f"{voice} {text}.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", file], check=True, timeout=60)
        return trailing(later(read(Path(file)), 320), 160)

    texts = list(itertools.chain(*FRAMES))
    jobs = list(itertools.product(VOICES, texts))
    with ThreadPoolExecutor(2) as pool:
        spoken = list(pool.map(lambda job: speak(*job), jobs))
    return {
        voice: {text: pcm for (by, text), pcm in zip(jobs, spoken, strict=True) if by == voice}
        for voice in VOICES
    }


@pytest.mark.parametrize("voice", VOICES)
def test_minimal_pairs_are_never_confused(
    commands: dict[str, dict[str, Samples]], voice: str
) -> None:
    """Clean, and in noise on either or both sides, down to where the cache still answers."""
    texts = commands[voice]
    for stored_snr in (None, 20.0):
        known = PhraseCache[str](CACHE)
        for seed, (text, pcm) in enumerate(texts.items()):
            known.store(pcm if stored_snr is None else noisy(pcm, stored_snr, seed), text, 0.0)
        for seed, (text, pcm) in enumerate(texts.items(), start=1_000):
            for heard in (pcm, noisy(pcm, 30, seed), noisy(later(pcm, 23), 20, seed)):
                hit = known.lookup(heard, 0.0)
                assert hit is None or hit.value == text, (text, hit)
        told = known.statistics()
        assert told.near_hits + told.exact_hits > 0.8 * 3 * len(texts)


@pytest.mark.parametrize("voice", VOICES)
def test_a_command_that_is_not_known_is_not_taken_for_its_neighbour(
    commands: dict[str, dict[str, Samples]], voice: str
) -> None:
    """Every pair in full, without the sketch and without the right answer being in the cache."""
    texts = commands[voice]
    prints = {text: fingerprint(pcm) for text, pcm in texts.items()}
    for seed, (text, pcm) in enumerate(texts.items()):
        heard = noisy(pcm, 20, seed)
        levels = log_mel_levels(heard)
        for other, known in prints.items():
            if other != text and np.dot(known.sketch, prints[text].sketch) > 0.95:
                for samples, ours in ((pcm, prints[text].levels), (heard, levels)):
                    comparison = compare(samples, ours, known.levels)
                    assert comparison is None or not comparison.same, (text, other, comparison)


# --- fingerprints ---------------------------------------------------------------------------------


def test_levels_are_those_of_the_bands() -> None:
    time = np.arange(16_000) / 16_000
    loudest = []
    for hertz in (150, 500, 1_000, 3_000, 7_000):
        levels = log_mel_levels((8_000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16))
        assert levels.shape == (98, BANDS)
        loudest.append(int(levels[50].argmax()))
    assert loudest == sorted(set(loudest))
    loud, soft = (
        log_mel_levels((volume * np.sin(4_000 * time)).astype(np.int16)) for volume in (9_000, 900)
    )
    assert decibels(loud).max() - decibels(soft).max() == pytest.approx(20.0, abs=0.5)


def test_a_start_inside_the_audio_is_the_same_as_less_audio() -> None:
    pcm = PHRASES[0].pcm
    assert (log_mel_levels(pcm, 57) == log_mel_levels(pcm[57:])).all()
    assert log_mel_levels(pcm[:399]).shape == (0, BANDS)
    assert len(log_mel_levels(pcm[:400])) == 1


def test_the_key_tells_sounds_and_lengths_apart() -> None:
    pcm = PHRASES[0].pcm
    keys = {
        fingerprint(other).key
        for other in (pcm, pcm[:-1], amplified(pcm, 0.5), noisy(pcm, 40), np.zeros(500, np.int16))
    }
    assert len(keys) == 5
    assert fingerprint(pcm.copy()).key == fingerprint(pcm).key


@given(data=st.binary(max_size=4_000), other=st.binary(max_size=4_000))
@settings(max_examples=60, deadline=None)
def test_no_audio_makes_a_comparison_fail(data: bytes, other: bytes) -> None:
    one, two = (np.frombuffer(raw[: len(raw) // 2 * 2], np.int16) for raw in (data, other))
    one, two = np.tile(one, 8), np.tile(two, 8)
    comparison = compare(one, log_mel_levels(one), log_mel_levels(two))
    assert comparison is None or isinstance(comparison, Comparison)
