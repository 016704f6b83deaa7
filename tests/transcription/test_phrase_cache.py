"""The phrase cache as a cache: what it keeps, for how long, how much, and what it tells."""

import subprocess
import sys
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.program import SPEECH

from bench.distortions import amplified, later, noisy
from vivavoce.actors.transcription.engines.base import Hypothesis, HypothesisWord
from vivavoce.actors.transcription.phrase_cache import PhraseCache, cache, placed
from vivavoce.actors.transcription.phrase_cache.fingerprint import BANDS, SKETCH, fingerprint
from vivavoce.bench.sound import read
from vivavoce.config.schema import PhraseCacheSettings

SECOND = 16_000
LEFT, RIGHT = read(SPEECH / "utt-002-awb.wav"), read(SPEECH / "utt-007-kal16.wav")


def tone(number: int, seconds: float = 0.5) -> np.ndarray:
    """A sound of its own for each number: a chirp between silences."""
    time = np.arange(round(seconds * SECOND)) / SECOND
    chirp = 9_000 * np.sin(2 * np.pi * (200 + 97 * number) * time * (1 + 0.3 * time))
    silence = np.zeros(SECOND // 10)
    return np.concatenate([silence, chirp, silence]).astype(np.int16)


TONES = [tone(number, 0.2) for number in range(7)]


def new(**settings: object) -> PhraseCache[str]:
    return PhraseCache(PhraseCacheSettings(enabled=True, **settings))  # type: ignore[arg-type]


def test_the_same_sound_is_an_exact_hit_as_array_or_bytes() -> None:
    kept = new()
    assert kept.lookup(LEFT, 0.0) is None
    kept.store(LEFT.tobytes(), "it is the only way", 0.0)
    for pcm in (LEFT, LEFT.tobytes(), bytearray(LEFT.tobytes())):
        hit = kept.lookup(pcm, 1.0)  # type: ignore[arg-type]
        assert hit is not None
        assert (hit.value, hit.kind, hit.shift) == ("it is the only way", "exact", 0)
    assert kept.lookup(RIGHT, 1.0) is None
    told = kept.statistics()
    assert (told.exact_hits, told.near_hits, told.misses, told.stored) == (3, 0, 2, 1)


def test_near_matches_can_be_switched_off() -> None:
    kept = new(near_matches=False)
    kept.store(LEFT, "x", 0.0)
    assert kept.lookup(noisy(LEFT, 30), 0.0) is None
    assert kept.lookup(LEFT, 0.0) is not None


@pytest.mark.parametrize("milliseconds", [-40, 5, 37.5, 80])
def test_a_near_hit_tells_how_much_later_the_phrase_begins(milliseconds: float) -> None:
    kept = new()
    kept.store(LEFT, "x", 0.0)
    hit = kept.lookup(noisy(later(LEFT, milliseconds), 30), 0.0)
    assert hit is not None
    assert hit.kind == "near"
    assert hit.shift == pytest.approx(milliseconds * 16, abs=12)


def test_words_are_placed_where_they_are_now() -> None:
    words = tuple(
        HypothesisWord(text=text, start=start, end=end, probability=0.9)
        for text, start, end in (("only", 100, 900), ("way", 1_000, 1_900))
    )
    kept = Hypothesis(text="only way", words=words, samples=2_000, confidence=0.8, decode_s=0.3)
    moved = placed(kept, -200, 1_600)
    assert [(word.start, word.end) for word in moved.words] == [(0, 700), (800, 1_600)]
    assert (moved.text, moved.samples, moved.decode_s) == ("only way", 1_600, 0.0)
    assert moved.confidence == 0.8
    assert kept.words[0].start == 100


def test_the_least_recently_used_phrase_goes_first() -> None:
    kept = new(max_entries=2)
    kept.store(tone(1), "one", 0.0)
    kept.store(tone(2), "two", 0.0)
    assert kept.lookup(tone(1), 0.0) is not None  # now two is the older one
    kept.store(tone(3), "three", 0.0)
    assert kept.lookup(tone(2), 0.0) is None
    assert [entry.value for entry in kept.entries()] == ["three", "one"]
    assert kept.statistics().evictions == 1


def test_a_near_hit_counts_as_use() -> None:
    kept = new(max_entries=2)
    kept.store(LEFT, "left", 0.0)
    kept.store(tone(2), "two", 0.0)
    assert kept.lookup(amplified(LEFT, 0.5), 0.0) is not None
    kept.store(tone(3), "three", 0.0)
    assert {entry.value for entry in kept.entries()} == {"left", "three"}


def test_a_phrase_is_forgotten_when_it_is_old_even_if_it_was_used() -> None:
    kept = new(ttl_s=10.0)
    kept.store(tone(1), "one", 100.0)
    kept.store(tone(2), "two", 105.0)
    assert kept.lookup(tone(1), 109.9) is not None
    assert kept.lookup(tone(1), 110.0) is None
    assert kept.lookup(tone(2), 110.0) is not None
    assert kept.statistics().expired == 1
    assert kept.statistics().evictions == 0
    kept.store(tone(2), "two again", 112.0)  # a store makes it young
    found = kept.lookup(tone(2), 121.0)
    assert found is not None
    assert found.value == "two again"
    assert len(kept) == 1


def test_an_old_phrase_is_no_near_hit_either() -> None:
    kept = new(ttl_s=10.0)
    kept.store(LEFT, "left", 0.0)
    assert kept.lookup(noisy(LEFT, 30), 9.0) is not None
    assert kept.lookup(noisy(LEFT, 30), 10.0) is None


def test_too_long_and_empty_phrases_are_left_alone() -> None:
    kept = new(max_phrase_ms=1_000)
    for pcm in (tone(1, 0.9), np.zeros(0, np.int16)):
        kept.store(pcm, "x", 0.0)
        assert kept.lookup(pcm, 0.0) is None
    assert (len(kept), kept.statistics().skipped, kept.statistics().misses) == (0, 2, 0)
    kept.store(tone(1, 0.8), "fits", 0.0)
    assert kept.lookup(tone(1, 0.8), 0.0) is not None


def test_inspection_and_clearing() -> None:
    kept = new()
    kept.store(LEFT, "left", 3.0)
    kept.store(RIGHT, "right", 4.0)
    kept.lookup(LEFT, 5.0)
    kept.lookup(noisy(LEFT, 30), 5.0)
    left, right = kept.entries()
    assert (left.value, left.stored_at, left.exact_hits, left.near_hits) == ("left", 3.0, 1, 1)
    assert (right.value, right.samples) == ("right", len(RIGHT))
    assert left.key == fingerprint(LEFT).key.hex()
    assert left.bytes == fingerprint(LEFT).levels.nbytes + SKETCH * 4
    before = kept.statistics()
    assert kept.clear() == 2
    assert (len(kept), kept.entries()) == (0, [])
    assert kept.lookup(LEFT, 5.0) is None
    assert kept.lookup(noisy(LEFT, 30), 5.0) is None
    after = kept.statistics()
    assert after.bytes < before.bytes
    assert (after.exact_hits, after.near_hits) == (1, 1)
    kept.store(LEFT, "again", 6.0)
    assert kept.lookup(LEFT, 6.0) is not None


def test_memory_stays_within_the_bound() -> None:
    kept = new(max_entries=20)
    for number in range(100):
        kept.store(tone(number), str(number), 0.0)
    told = kept.statistics()
    assert (told.entries, told.evictions) == (20, 80)
    frames = max(entry.samples for entry in kept.entries()) // 160
    # Rows of sketches double: at most twice as many as are needed, and never fewer than 16.
    assert told.bytes <= 20 * frames * BANDS + 2 * 20 * SKETCH * 4


def test_the_fingerprint_is_computed_once_for_lookup_and_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed = []
    monkeypatch.setattr(cache, "fingerprint", lambda pcm: (computed.append(1), fingerprint(pcm))[1])
    kept = new()
    # The next utterance is looked up before the final of the first one is there.
    kept.lookup(tone(1), 0.0)
    kept.lookup(tone(2), 0.0)
    kept.store(tone(1), "one", 0.0)
    kept.store(tone(2), "two", 0.0)
    assert len(computed) == 2
    for number in range(10):
        kept.lookup(tone(number + 3), 0.0)
    assert len(kept._remembered) == cache._REMEMBERED


def test_silence_is_never_a_near_hit() -> None:
    kept = new()
    rng = np.random.default_rng(1)
    kept.store(np.zeros(SECOND, np.int16), "", 0.0)
    kept.store(rng.normal(0, 300, SECOND).astype(np.int16), "", 0.0)
    assert kept.lookup(np.zeros(SECOND + 800, np.int16), 0.0) is None
    assert kept.lookup(rng.normal(0, 300, SECOND).astype(np.int16), 0.0) is None
    assert kept.lookup(np.zeros(100, np.int16), 0.0) is None  # shorter than a frame


@given(
    actions=st.lists(
        st.tuples(
            st.sampled_from(["lookup", "store", "clear"]), st.integers(0, 6), st.integers(0, 3)
        )
    ),
    most=st.integers(1, 4),
)
@settings(max_examples=60, deadline=None)
def test_it_behaves_as_a_plain_ordered_dictionary_with_ages(
    actions: list[tuple[str, int, int]], most: int
) -> None:
    kept = new(max_entries=most, ttl_s=5.0)
    expected: OrderedDict[int, tuple[str, int]] = OrderedDict()
    now = 0
    for step, (action, number, later_by) in enumerate(actions):
        now += later_by
        if action == "clear":
            assert kept.clear() == len(expected)
            expected.clear()
            continue
        for old in [key for key, (_, at) in expected.items() if now - at >= 5]:
            del expected[old]
        if action == "store":
            if number in expected:
                del expected[number]
            elif len(expected) == most:
                expected.popitem(last=False)
            expected[number] = (str(step), now)
            kept.store(TONES[number], str(step), now)
        else:
            hit = kept.lookup(TONES[number], now)
            assert (hit.value if hit else None) == expected.get(number, (None,))[0]
            if number in expected:
                expected.move_to_end(number)
        assert [entry.value for entry in reversed(kept.entries())] == [
            value for value, _ in expected.values()
        ]
        told = kept.statistics()
        assert told.entries == len(expected) <= most
        assert told.stored >= told.entries + told.evictions + told.expired


def test_the_main_process_needs_numpy_only() -> None:
    probe = (
        "import sys, vivavoce.actors.transcription.phrase_cache as cache, numpy as np;"
        "from vivavoce.actors.transcription.phrase_cache.fingerprint import fingerprint;"
        "fingerprint(np.ones(16000, np.int16));"
        "print([m for m in ('faster_whisper', 'ctranslate2', 'scipy', 'av') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", probe], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
