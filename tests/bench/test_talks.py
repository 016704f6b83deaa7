"""Recordings one after the other: where each lies, and whose captions are whose."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest
from support.program import SPEECH

from bench.human_speech import Reference, SpokenWord, sentences_of
from bench.judging import cut_at_full_stops, difference, judged, rated
from bench.offline import Baseline
from bench.options import DeveloperOptions
from bench.stream_metrics import FinalEvent, PartialEvent
from bench.talks import GAP_S, LEAD_IN_S, RecordingError, Sound, Talk, joined, pcm_of, prepared
from vivavoce.bench.sound import write


def sound(name: str, seconds: float, *words: str, kind: str = "talk") -> Sound:
    """A recording of ones, with a word each half second from its beginning."""
    spoken = tuple(SpokenWord(word, n / 2, n / 2 + 0.4) for n, word in enumerate(words))
    pcm = np.ones(round(seconds * 16_000), dtype="<i2").tobytes()
    return Sound(name, kind, pcm, Reference(spoken, sentences_of(spoken), "en", seconds))


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    sounds = [sound("a", 2.0, "We", "came."), sound("b", 1.0, kind="nonspeech")]
    return joined("two", "en", [*sounds, sound("c", 3.0, "They", "saw", "us.")], tmp_path)


def test_each_recording_lies_where_its_piece_says(talk: Talk) -> None:
    with wave.open(str(talk.path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    assert len(samples) / 16_000 == talk.length_s == LEAD_IN_S + 6.0 + 3 * GAP_S
    assert talk.duration_s == 6.0
    assert samples.sum() == 6.0 * 16_000
    for piece in talk.pieces:
        assert (samples[round(piece.start * 16_000) : round(piece.end * 16_000)] == 1).all()
        assert piece.reference.seconds == piece.end + GAP_S
    assert talk.pieces[2].reference.words[0].start == talk.pieces[2].start
    with wave.open(str(talk.lead_in)) as file:
        assert file.getnframes() == LEAD_IN_S * 16_000


def test_a_silence_is_shared_by_its_neighbours(talk: Talk) -> None:
    border = talk.pieces[0].end + GAP_S / 2
    assert [talk.number_at(at) for at in (0.0, border - 0.01, border + 0.01, 99.0)] == [0, 0, 1, 2]


def test_captions_belong_to_the_recording_that_they_are_of(talk: Talk) -> None:
    first, silent, last = (piece.start for piece in talk.pieces)
    found = judged(
        talk,
        [
            PartialEvent(first + 1.0, 1, "", "we", first),
            FinalEvent(first + 2.0, 1, "We came.", first, first + 1.0),
            FinalEvent(silent + 2.0, 2, "Thanks.", silent, silent + 0.5),
            PartialEvent(last + 1.0, 3, "", "they", last),
            FinalEvent(last + 4.0, 3, "They saw you.", last, last + 2.0),
        ],
    )
    assert found.texts == ("We came.", "Thanks.", "They saw you.")
    assert [one.errors for one in found.scores] == [0, 0, 1]
    assert (found.score.invented, found.score.nonspeech) == (1, 1)
    assert found.score.word_error_rate == 1 / 5
    assert found.metrics.partials == 2
    assert next(word.first_shown for word in found.metrics.words) == pytest.approx(0.6)
    assert found.score.end_to_final == (pytest.approx(1.1), pytest.approx(2.6))


def test_the_whole_file_is_rated_by_the_same_measure(talk: Talk) -> None:
    texts = ("We came.", "", "They saw. Us.")
    found = rated(talk, Baseline(texts, 1.0), conditioned=True)
    assert (found.score.errors, found.score.invented) == (0, 0)
    assert found.score.sentence_ends.precision == 2 / 3
    assert difference("en", ("We came.", "", "They saw you."), texts) == 1 / 5


def test_a_short_recording_is_played_until_it_is_long(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", bytes(2 * 16_000))
    item = {"file": "a.wav", "words": [{"word": "Yes.", "start": 0.2, "end": 0.5}]}
    (tmp_path / "refs.json").write_text(json.dumps({"items": [item]}))
    with prepared(DeveloperOptions(recording=tmp_path / "a.wav"), at_least_s=2.5) as talk:
        assert [piece.name for piece in talk.pieces] == ["a.wav"] * 3


def test_a_quick_run_of_a_set_takes_the_shortest_of_each_kind(tmp_path: Path) -> None:
    items = []
    for name, kind, seconds in (("a", "talk", 2), ("b", "talk", 1), ("c", "read", 1)):
        write(tmp_path / f"{name}.wav", bytes(2 * 16_000 * seconds))
        words = [{"word": "Yes.", "start": 0.2, "end": 0.5}]
        items.append({"file": f"{name}.wav", "kind": kind, "seconds": seconds, "words": words})
    (tmp_path / "refs.json").write_text(json.dumps({"items": items}))
    options = DeveloperOptions(speech=tmp_path, quick=True)
    with prepared(options) as talk:
        assert sorted(piece.name for piece in talk.pieces) == ["b.wav", "c.wav"]
    with prepared(DeveloperOptions(speech=tmp_path, kinds="talk")) as talk:
        assert talk.title == "2 recordings (talk)"


def test_sound_is_read_as_it_is() -> None:
    with wave.open(str(SPEECH / "utt-002-awb.wav")) as file:
        assert pcm_of(SPEECH / "utt-002-awb.wav") == file.readframes(file.getnframes())


def test_a_file_without_sound_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"nothing\.wav: .*(no sound|decoded)"):
        pcm_of(write(tmp_path / "nothing.wav", b""))


def test_a_whole_file_is_cut_at_its_full_stops() -> None:
    text = 'Dr. Brown was there. "Was he?" Yes, and'
    assert cut_at_full_stops(text) == ["Dr. Brown was there.", '"Was he?"', "Yes, and"]
    assert cut_at_full_stops("") == []
