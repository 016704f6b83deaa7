"""Speech without a pause, made of a talk."""

import numpy as np

from bench.options import DeveloperOptions
from bench.talks import prepared
from bench.unbroken import unbroken

RATE = 1_000


def talk() -> tuple[bytes, list[dict]]:
    """Two words of 200 ms, the first of ones and the second of twos, with silence around them."""
    samples = np.zeros(2_000, dtype="<i2")
    samples[300:500] = 1
    samples[1_200:1_400] = 2
    words = [
        {"word": "one", "start": 0.3, "end": 0.5},
        {"word": "two", "start": 1.2, "end": 1.4},
    ]
    return samples.tobytes(), words


def test_pauses_go_and_words_stay_where_their_times_say() -> None:
    pcm, words = unbroken(*talk(), seconds=0.1, sample_rate=RATE)
    samples = np.frombuffer(pcm, dtype="<i2")
    assert len(samples) == 200 + 80 + 200
    assert [word["word"] for word in words] == ["one", "two"]
    for word, value in zip(words, (1, 2), strict=True):
        heard = samples[round(word["start"] * RATE) : round(word["end"] * RATE)]
        assert len(heard) == 200
        assert (heard == value).all()


def test_it_is_repeated_until_it_is_long_enough() -> None:
    pcm, words = unbroken(*talk(), seconds=1.0, sample_rate=RATE)
    assert len(pcm) / 2 / RATE >= 1.0
    assert len(words) == 6
    ends = [word["end"] for word in words]
    assert ends == sorted(ends)
    samples = np.frombuffer(pcm, dtype="<i2")
    last = words[-1]
    assert (samples[round(last["start"] * RATE) : round(last["end"] * RATE)] == 2).all()


def test_words_that_touch_lose_nothing() -> None:
    samples = np.arange(600, dtype="<i2").tobytes()
    words = [
        {"word": "a", "start": 0.0, "end": 0.3},
        {"word": "b", "start": 0.3, "end": 0.6},
    ]
    assert unbroken(samples, words, 0.0, RATE)[0] == samples


def test_the_recording_that_stream_and_throughput_share_is_unbroken() -> None:
    with prepared(DeveloperOptions(quick=True)) as talk:
        plain = talk
    with prepared(DeveloperOptions(quick=True, unbroken=0.1)) as talk:
        assert talk.duration_s >= 6.0
        assert talk.title == f"{plain.title} without pauses"
        before, after = (len(one.pieces[0].reference.words) for one in (plain, talk))
        assert after % before == 0
        assert after > before
