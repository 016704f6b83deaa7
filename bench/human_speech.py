"""Recordings of people with what they said and when: the sets that the benchmarks judge by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import ROOT
from bench.punctuation import ends_sentence
from vivavoce.config.errors import VivavoceError

DEFAULT = ROOT.parent / "shared" / "speech" / "human"
"""Where the set is looked for: beside the checkout."""

KINDS = (
    "talk",
    "read",
    "conversation",
    "spontaneous",
    "telephone",
    "noisy",
    "far-field",
    "order",
    "words",
    "nonspeech",
)
"""Subsets. ``words`` are recordings of a single word, ``nonspeech`` has no word at all."""

SPEECH_KINDS = ("talk", "read", "conversation")
"""What the error rates of the design are about."""

_SPELLED = {"word": "words"}


class SpeechSetError(VivavoceError):
    """The folder is no set of recordings, or has none of what is asked for."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word as it is written, punctuation included, and when it was said (seconds)."""

    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class SpokenSentence:
    """A sentence: ``words[first:last + 1]`` of its reference; times in seconds."""

    start: float
    end: float
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Reference:
    """What was said in a recording. Every word belongs to exactly one sentence, in order.

    Attributes:
        language: code of two letters; empty where nobody speaks.
        seconds: how long the recording is.
    """

    words: tuple[SpokenWord, ...]
    sentences: tuple[SpokenSentence, ...]
    language: str = "en"
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(word.text for word in self.words)

    def later(self, seconds: float) -> Reference:
        """The same with that much silence before it."""
        return Reference(
            words=tuple(
                SpokenWord(word.text, word.start + seconds, word.end + seconds)
                for word in self.words
            ),
            sentences=tuple(
                SpokenSentence(one.start + seconds, one.end + seconds, one.first, one.last)
                for one in self.sentences
            ),
            language=self.language,
            seconds=self.seconds + seconds,
        )

    def joined(self, other: Reference) -> Reference:
        """This one, and the other right behind it."""
        words, behind = len(self.words), other.later(self.seconds)
        return Reference(
            words=self.words + behind.words,
            sentences=self.sentences
            + tuple(
                SpokenSentence(one.start, one.end, one.first + words, one.last + words)
                for one in behind.sentences
            ),
            language=self.language,
            seconds=behind.seconds,
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """A sound file with its reference; ``name`` is its path within the set."""

    path: Path
    name: str
    kind: str
    reference: Reference

    @property
    def language(self) -> str:
        """Of the speech; empty where there is none."""
        return self.reference.language


def load(folder: Path = DEFAULT) -> tuple[Recording, ...]:
    """All recordings of a set, in the order of its ``refs.json``.

    Raises:
        SpeechSetError: there is no such file, or it is none.
    """
    refs = folder / "refs.json"
    try:
        items = json.loads(refs.read_bytes())["items"]
        return tuple(_recording(folder, item) for item in items)
    except OSError as error:
        raise SpeechSetError(
            f"no set of recordings in {folder}: {refs.name} cannot be read ({error.strerror}); "
            "name a folder with one by --speech DIR"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise SpeechSetError(
            f"{refs} is no list of recordings ({error!r}); each needs file, kind, language, "
            "seconds, sentences and words with start and end"
        ) from error


def select(
    recordings: Iterable[Recording],
    kinds: Sequence[str] = (),
    languages: Sequence[str] = ("en",),
) -> tuple[Recording, ...]:
    """Those of some kinds (none named: all) in some languages (none named: all).

    What is no speech has no language and belongs to each.

    Raises:
        SpeechSetError: nothing is left, or a kind does not exist.
    """
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise SpeechSetError(f"no kind {', '.join(unknown)}; there are {', '.join(KINDS)}")
    found = tuple(
        one
        for one in recordings
        if (not kinds or one.kind in kinds)
        and (not languages or not one.language or one.language in languages)
    )
    if not found:
        raise SpeechSetError(
            f"no recordings of the kinds {', '.join(kinds) or 'all'} in the languages "
            f"{', '.join(languages) or 'all'}"
        )
    return found


def reference_of(item: Mapping[str, Any]) -> Reference:
    """The reference of one item of a ``refs.json``.

    Where it has no sentences, they end where the words' punctuation says so; where a word has no
    start, it begins with the end of the one before.

    Raises:
        KeyError, TypeError, ValueError: something is missing, or the sentences have other words.
    """
    words: list[SpokenWord] = []
    for word in item["words"]:
        start = word.get("start", words[-1].end if words else 0.0)
        words.append(SpokenWord(str(word["word"]), float(start), float(word["end"])))
    sentences: tuple[SpokenSentence, ...]
    if "sentences" in item:
        sentences = tuple(_sentences(item["sentences"]))
        told = sentences[-1].last + 1 if sentences else 0
        if told != len(words):
            raise ValueError(f"{item['file']}: {told} words in sentences, {len(words)} words")
    else:
        sentences = sentences_of(words)
    return Reference(
        tuple(words), sentences, str(item.get("language", "en")), float(item.get("seconds", 0.0))
    )


def sentences_of(words: Sequence[SpokenWord]) -> tuple[SpokenSentence, ...]:
    """The sentences that the words' punctuation makes."""
    found, first = [], 0
    for place, word in enumerate(words):
        if ends_sentence(word.text) or place == len(words) - 1:
            found.append(SpokenSentence(words[first].start, word.end, first, place))
            first = place + 1
    return tuple(found)


def _sentences(items: Iterable[Mapping[str, Any]]) -> Iterator[SpokenSentence]:
    first = 0
    for item in items:
        last = first + len(item["text"].split()) - 1
        yield SpokenSentence(float(item["start"]), float(item["end"]), first, last)
        first = last + 1


def _recording(folder: Path, item: Mapping[str, Any]) -> Recording:
    name, kind = str(item["file"]), str(item["kind"])
    if name.startswith("order-"):
        kind = "order"
    return Recording(folder / name, name, _SPELLED.get(kind, kind), reference_of(item))
