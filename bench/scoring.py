"""What finals are worth against what was said: words, sentences, delays, silences. Pure.

Finals are :class:`Caption`, whatever made them; :func:`score` judges those of one recording and
:func:`total` adds recordings up, errors over words and not a mean of means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

from bench.alignment import align, words_of
from bench.human_speech import Reference, SpokenWord
from bench.normalise import normalised
from bench.punctuation import ends_sentence, has_comma, marks_end

SILENCE_S = 1.5
"""After so much silence a sentence is known to be over."""

MISSING_S = 2.0
"""More speech than this without a word is a stretch that was not heard."""


@dataclass(frozen=True, slots=True)
class Caption:
    """A final: its text, the audio it is of, and when it was given out (seconds).

    ``t`` is None where nothing was live.
    """

    start: float
    end: float
    text: str
    t: float | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """Punctuation marks against those of the reference."""

    right: int = 0
    placed: int = 0
    expected: int = 0

    def __add__(self, other: Marks) -> Marks:
        return Marks(
            self.right + other.right, self.placed + other.placed, self.expected + other.expected
        )

    @property
    def precision(self) -> float:
        """Of those placed, the share that is right."""
        return self.right / self.placed if self.placed else 1.0

    @property
    def recall(self) -> float:
        """Of those expected, the share that was placed."""
        return self.right / self.expected if self.expected else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        return (
            2 * self.right / (self.placed + self.expected) if self.placed + self.expected else 1.0
        )


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one recording, or of many added up; delays in seconds, one for each sentence.

    Attributes:
        words: of the references, normalised.
        errors: substitutions, deletions and insertions against them.
        heard: of ``words``, those that the finals have.
        finals: finals with any word in them.
        inside: those whose end lies inside a sentence of the reference.
        sentence_ends, commas: marks behind words that stand beside each other.
        end_to_final: from the end of a sentence to the final with its last word.
        decidable_to_final: from when it could be known to be over, to that final.
        unheard: stretches of more than two seconds of speech without a word, as (start, end).
        nonspeech: recordings without speech.
        invented: those of them that have a final.
    """

    words: int = 0
    errors: int = 0
    heard: int = 0
    finals: int = 0
    inside: int = 0
    sentence_ends: Marks = Marks()
    commas: Marks = Marks()
    end_to_final: tuple[float, ...] = ()
    decidable_to_final: tuple[float, ...] = ()
    unheard: tuple[tuple[float, float], ...] = ()
    nonspeech: int = 0
    invented: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(
            **{
                field.name: getattr(self, field.name) + getattr(other, field.name)
                for field in fields(self)
            }
        )

    @property
    def word_error_rate(self) -> float:
        """Errors per word."""
        return self.errors / max(1, self.words)

    @property
    def share_heard(self) -> float:
        """Of the words, the share that the finals have; what they have beyond does not matter."""
        return self.heard / max(1, self.words)

    @property
    def fragmentation(self) -> float:
        """The share of finals that end inside a sentence."""
        return self.inside / max(1, self.finals)


@dataclass(frozen=True, slots=True)
class _Token:
    """A word as it is written, of which final, and its plain form to align by."""

    written: str
    plain: str
    final: int


def score(captions: Sequence[Caption], reference: Reference) -> Score:
    """Judge the finals of one recording.

    Written words are aligned with those of the reference by edit distance. A final ends inside a
    sentence when the next word that was heard, in whatever final, belongs to the sentence of its
    last one; behind the last final, when its last word is not the last of its sentence.
    """
    if not reference.words:
        invented = any(words_of(caption.text) for caption in captions)
        return Score(nonspeech=1, invented=int(invented))
    heard = _tokens(captions)
    spoken_at = _spoken_at(reference, heard)
    ends = frozenset(
        one.last for one in reference.sentences if marks_end(reference.words[one.last].text)
    )
    delays = tuple(_delays(captions, heard, spoken_at, reference))
    expected = normalised(reference.text, reference.language)
    text = " ".join(caption.text for caption in captions)
    alignment = align(expected, normalised(text, reference.language))
    return Score(
        words=len(expected),
        errors=alignment.errors,
        heard=len(alignment.matches),
        finals=sum(bool(words_of(caption.text)) for caption in captions),
        inside=_inside(heard, spoken_at, reference),
        sentence_ends=_sentence_ends(heard, spoken_at, ends),
        commas=_commas(heard, spoken_at, reference),
        end_to_final=tuple(end for end, _ in delays),
        decidable_to_final=tuple(decidable for _, decidable in delays),
        unheard=tuple(_unheard(reference, set(spoken_at.values()))),
    )


def total(scores: Iterable[Score]) -> Score:
    """All of them together."""
    return sum(scores, Score())


def decidable(reference: Reference, sentence: int) -> float:
    """When it could be known that a sentence is over, in seconds.

    The second word behind it has been spoken, or there were 1.5 s of silence, or the recording
    ended, whichever is first.
    """
    one = reference.sentences[sentence]
    following = reference.words[one.last + 1 : one.last + 3]
    moments = [one.end + SILENCE_S]
    if following and following[0].start - one.end < SILENCE_S:
        if len(following) > 1 and following[1].start - following[0].end < SILENCE_S:
            moments = [following[1].end]
        else:
            moments = [following[0].end + SILENCE_S]
    if reference.seconds:
        moments.append(max(one.end, reference.seconds))
    return min(moments)


def _tokens(captions: Sequence[Caption]) -> list[_Token]:
    """A written token that is several words ("twenty-one") keeps its mark on the last of them."""
    found = []
    for number, caption in enumerate(captions):
        for written in caption.text.split():
            plain = words_of(written)
            found += [_Token("", word, number) for word in plain[:-1]]
            found += [_Token(written, word, number) for word in plain[-1:]]
    return found


def _spoken_at(reference: Reference, heard: Sequence[_Token]) -> dict[int, int]:
    """By the place of a heard word, the word of the reference beside it; both ascend."""
    expected = [
        (index, plain)
        for index, word in enumerate(reference.words)
        for plain in words_of(word.text)
    ]
    alignment = align([plain for _, plain in expected], [token.plain for token in heard])
    return {
        right: expected[left][0]
        for left, right in alignment.pairs
        if left is not None and right is not None
    }


def _inside(
    heard: Sequence[_Token],
    spoken_at: Mapping[int, int],
    reference: Reference,
) -> int:
    """How many finals end inside a sentence. One that has no word of the reference does not."""
    sentence_of = [
        number
        for number, sentence in enumerate(reference.sentences)
        for _ in range(sentence.first, sentence.last + 1)
    ]
    last = {sentence.last for sentence in reference.sentences}
    found = 0
    for place, following in pairwise([*sorted(spoken_at), None]):
        assert place is not None
        index = spoken_at[place]
        if following is None:
            found += index not in last
        elif heard[place].final != heard[following].final:
            found += sentence_of[index] == sentence_of[spoken_at[following]]
    return found


def _sentence_ends(
    heard: Sequence[_Token], spoken_at: Mapping[int, int], ends: frozenset[int]
) -> Marks:
    right = placed = 0
    for place, token in enumerate(heard):
        hit = spoken_at.get(place) in ends
        if ends_sentence(token.written) or (hit and marks_end(token.written)):
            placed += 1
            right += hit
    return Marks(right, placed, len(ends))


def _commas(heard: Sequence[_Token], spoken_at: Mapping[int, int], reference: Reference) -> Marks:
    expected = {index for index, word in enumerate(reference.words) if has_comma(word.text)}
    placed = [place for place, token in enumerate(heard) if has_comma(token.written)]
    right = sum(spoken_at.get(place) in expected for place in placed)
    return Marks(right, len(placed), len(expected))


def _delays(
    captions: Sequence[Caption],
    heard: Sequence[_Token],
    spoken_at: Mapping[int, int],
    reference: Reference,
) -> Iterator[tuple[float, float]]:
    """For each sentence of which a word was heard: its end, and decidable, until its final."""
    place_of = {index: place for place, index in sorted(spoken_at.items())}
    for number, sentence in enumerate(reference.sentences):
        places = [
            place_of[index]
            for index in range(sentence.first, sentence.last + 1)
            if index in place_of
        ]
        t = captions[heard[places[-1]].final].t if places else None
        if t is not None:
            yield t - sentence.end, t - decidable(reference, number)


def _unheard(reference: Reference, paired: set[int]) -> Iterator[tuple[float, float]]:
    """Runs of words with no heard word beside them; pauses between them are no speech."""
    run: list[SpokenWord] = []
    for index, word in [*enumerate(reference.words), (-1, None)]:
        if word is not None and index not in paired:
            run.append(word)
            continue
        if sum(one.end - one.start for one in run) > MISSING_S:
            yield run[0].start, run[-1].end
        run = []
