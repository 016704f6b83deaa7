"""The sets of recordings: one made here, and the one beside the checkout where it is there."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import human_speech
from bench.human_speech import KINDS, SpeechSetError, load, select


def item(file: str, kind: str, text: str = "Yes. No.", language: str = "en") -> dict[str, Any]:
    words = [
        {"word": word, "start": place, "end": place + 0.5}
        for place, word in enumerate(text.split())
    ]
    sentences = [
        {"text": word["word"], "start": word["start"], "end": word["end"]} for word in words
    ]
    return {
        "file": file,
        "kind": kind,
        "language": language,
        "seconds": 3.0,
        "sentences": sentences,
        "words": words,
    }


def made(folder: Path, *items: dict[str, Any]) -> Path:
    (folder / "refs.json").write_text(json.dumps({"items": items}))
    return folder


def test_a_set_has_recordings_with_words_in_sentences(tmp_path: Path) -> None:
    (found,) = load(made(tmp_path, item("a.flac", "talk")))
    assert found.path == tmp_path / "a.flac"
    assert found.reference.text == "Yes. No."
    assert [(one.first, one.last) for one in found.reference.sentences] == [(0, 0), (1, 1)]


def test_subsets_are_chosen_by_kind_and_language(tmp_path: Path) -> None:
    found = load(
        made(
            tmp_path,
            item("a.flac", "talk"),
            item("de.flac", "talk", language="de"),
            item("order-1.flac", "spontaneous"),
            item("s.flac", "spontaneous"),
            item("words/one.flac", "word"),
            item("nonspeech/dog.flac", "nonspeech", text="", language=""),
        )
    )

    def names(*kinds: str, languages: tuple[str, ...] = ("en",)) -> list[str]:
        return [one.name for one in select(found, kinds, languages)]

    assert names("talk") == ["a.flac"]
    assert names("talk", languages=()) == ["a.flac", "de.flac"]
    assert names("order") == ["order-1.flac"]
    assert names("spontaneous", "words") == ["s.flac", "words/one.flac"]
    assert names("nonspeech", languages=("de",)) == ["nonspeech/dog.flac"]
    with pytest.raises(SpeechSetError, match="no kind speeches; there are talk, read,"):
        names("speeches")
    with pytest.raises(SpeechSetError, match="no recordings of the kinds read"):
        names("read")


def test_a_folder_that_is_no_set_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(SpeechSetError, match=r"refs\.json cannot be read \(No such file"):
        load(tmp_path)
    (tmp_path / "refs.json").write_text('{"items": [{"file": "a.flac"}]}')
    with pytest.raises(SpeechSetError, match="is no list of recordings"):
        load(tmp_path)


def test_sentences_have_the_words_of_the_recording(tmp_path: Path) -> None:
    broken = item("a.flac", "talk")
    broken["words"].append({"word": "more", "start": 3, "end": 4})
    with pytest.raises(SpeechSetError, match="2 words in sentences, 3 words"):
        load(made(tmp_path, broken))


@pytest.mark.skipif(
    not (human_speech.DEFAULT / "refs.json").is_file(),
    reason="needs the recordings in ../shared/speech/human beside the checkout",
)
def test_the_set_beside_the_checkout_has_every_kind_and_every_file() -> None:
    found = load()
    assert {one.kind for one in found} == set(KINDS)
    assert all(one.path.is_file() for one in found)
    for one in found:
        times = [time for word in one.reference.words for time in (word.start, word.end)]
        assert all(0 <= time <= one.reference.seconds + 0.1 for time in times)
