"""What a stream of captions is worth: latency of each word, stability, errors. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from bench.alignment import align, words_of

_TOLERANCE_S = 0.5
"""How far outside of a final's interval a word of it may have been spoken."""

_SAME_S = 0.002
_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class PartialEvent:
    """A partial, shown at ``t`` (seconds since capture started)."""

    t: float
    utterance: int
    stable: str
    tail: str


@dataclass(frozen=True, slots=True)
class FinalEvent:
    """A final of the audio ``[start, end)``, shown at ``t``; all in seconds since capture started.

    ``endpoint_s`` is how much audio after ``end`` it took to decide that the utterance is over; 0
    where no silence decided it (a cut, the end of the recording).
    """

    t: float
    utterance: int
    text: str
    start: float
    end: float
    endpoint_s: float = 0.0


Event: TypeAlias = PartialEvent | FinalEvent


@dataclass(frozen=True, slots=True)
class ReferenceWord:
    """A word that was spoken, and when it was over (seconds since capture started)."""

    text: str
    end: float


@dataclass(frozen=True, slots=True)
class WordLatency:
    """Seconds from the end of a correctly recognised word until it was seen.

    A word that is shown before it is over (guessed from its beginning) has a negative latency.
    """

    spoken: float
    first_shown: float
    stable: float
    final: float


@dataclass(frozen=True, slots=True)
class StreamMetrics:
    """What :func:`measure` found.

    Attributes:
        words: latency of each correctly recognised word, in the order of the reference.
        endpoint_to_final: seconds from the decision that an utterance is over to its final, for
            each utterance that silence ended.
        reference_words: how many words were spoken.
        final_words: how many words the finals have.
        errors: substitutions, deletions and insertions of the finals against the reference.
        partial_words: words shown by all partials, each counted in every partial that shows it.
        unstable_words: of consecutive hypotheses of an utterance (its partials, then its final),
            the words of the earlier one that the later one changed or removed. Each change counts
            once, however long the word was shown before.
        wrong_partial_words: words in partials, each counted in every partial that shows it, that
            the final has not at that place.
        erased_words: of consecutive hypotheses, the words of the earlier one from the first word
            on that differs: what a display that can only append must take back.
        stable_words: words that the last partial of each utterance called stable.
        stable_changed: stable words that a later partial of the utterance changed or removed,
            compared letter by letter. The contract says that there are none.
        stable_corrected: of ``stable_words``, those that the final has not at that place.
    """

    words: tuple[WordLatency, ...]
    endpoint_to_final: tuple[float, ...]
    reference_words: int
    final_words: int
    errors: int
    partial_words: int
    unstable_words: int
    wrong_partial_words: int
    erased_words: int
    stable_words: int
    stable_changed: int
    stable_corrected: int

    @property
    def word_error_rate(self) -> float:
        """WER of the finals."""
        return self.errors / max(1, self.reference_words)

    @property
    def unstable_partial_word_ratio(self) -> float:
        """UPWR: ``unstable_words`` per word of the finals.

        Y. Shangguan et al., "Analyzing the Quality and Stability of a Streaming End-to-End
        On-Device Speech Recognizer", 2020, arXiv 2006.01416: the unstable words of all partials
        over the words of all final results. Words are compared without case and punctuation; a
        hypothesis is aligned with the next one by edit distance, words that the next one has
        beyond it are growth, and a substituted or missing word is unstable. The step from the last
        partial to the final counts as well.
        """
        return self.unstable_words / max(1, self.final_words)

    @property
    def wrong_partial_word_share(self) -> float:
        """Of all words in all partials, the share that is not in the final at that place.

        Weighs a wrong word by how many partials show it, which the ratio above does not do.
        """
        return self.wrong_partial_words / max(1, self.partial_words)

    @property
    def normalised_erasure(self) -> float:
        """NE: ``erased_words`` per word of the finals.

        N. Arivazhagan et al., "Re-translation Strategies for Long Form, Simultaneous, Spoken
        Language Translation", 2019, arXiv 1912.03393: the words to be deleted from the end of each
        output before the next one can be appended, summed over an utterance's outputs (its final
        is the last), over the length of the final.
        """
        return self.erased_words / max(1, self.final_words)

    @property
    def stable_correction_rate(self) -> float:
        """The share of stable words that finals corrected."""
        return self.stable_corrected / max(1, self.stable_words)


@dataclass(frozen=True, slots=True)
class _Utterance:
    """The partials that led to a final, in order of time."""

    partials: tuple[PartialEvent, ...]
    final: FinalEvent


def measure(events: Iterable[Event], reference: Sequence[ReferenceWord]) -> StreamMetrics:
    """Judge the captions of a recording by what was spoken in it.

    The words of all finals are aligned with the reference by edit distance. An equal pair is a
    correctly recognised word, unless it was spoken more than half a second outside of that final's
    audio (a neighbour that only happens to read the same). It counts as shown (or stable) at the
    first partial of that utterance in whose text (stable text), aligned with the final, the word
    stands at its place; else at its final.

    Args:
        events: partials and finals in the order in which they came.
        reference: the words that were spoken, in order; one that is several words without its
            punctuation ("twenty-one") is taken apart.
    """
    utterances = _utterances(events)
    spoken = [(word, item.end) for item in reference for word in words_of(item.text)]
    finals = [words_of(utterance.final.text) for utterance in utterances]
    heard = [(number, place) for number, final in enumerate(finals) for place in range(len(final))]
    alignment = align([word for word, _ in spoken], [finals[n][p] for n, p in heard])
    beyond = _beyond(utterances, finals)
    seen = _seen(utterances, finals, beyond)
    latencies = []
    for spoken_index, heard_index in alignment.matches:
        end = spoken[spoken_index][1]
        number, place = heard[heard_index]
        final = utterances[number].final
        if final.start - _TOLERANCE_S <= end <= final.end + _TOLERANCE_S:
            latencies.append(
                WordLatency(
                    spoken=end,
                    first_shown=seen[number][place][0] - end,
                    stable=seen[number][place][1] - end,
                    final=final.t - end,
                )
            )
    changes = [
        _stability(utterance, [*final, *more])
        for utterance, final, more in zip(utterances, finals, beyond, strict=True)
    ]
    return StreamMetrics(
        words=tuple(latencies),
        endpoint_to_final=tuple(
            final.t - (final.end + final.endpoint_s)
            for final in (utterance.final for utterance in utterances)
            if final.endpoint_s > 0
        ),
        reference_words=len(spoken),
        final_words=len(heard),
        errors=alignment.errors,
        partial_words=sum(change.shown for change in changes),
        unstable_words=sum(change.unstable for change in changes),
        wrong_partial_words=sum(change.wrong for change in changes),
        erased_words=sum(change.erased for change in changes),
        stable_words=sum(change.stable for change in changes),
        stable_changed=sum(change.stable_changed for change in changes),
        stable_corrected=sum(change.stable_corrected for change in changes),
    )


def _utterances(events: Iterable[Event]) -> list[_Utterance]:
    """Finals with the partials before them; partials without a final (a gap took it) are left out.

    Should an utterance have several finals, each has the partials since the one before.
    """
    waiting: dict[int, list[PartialEvent]] = {}
    found = []
    for event in events:
        if isinstance(event, PartialEvent):
            waiting.setdefault(event.utterance, []).append(event)
        else:
            found.append(_Utterance(tuple(waiting.pop(event.utterance, ())), event))
    return found


def _beyond(
    utterances: Sequence[_Utterance], finals: Sequence[Sequence[str]]
) -> list[Sequence[str]]:
    """For each utterance that was cut, so that speech goes on: the words of the next final.

    Its last partials show words behind the cut. They are neither changed nor lost: they come in the
    next utterance.
    """
    after: list[Sequence[str]] = []
    for utterance, following in pairwise([*utterances, None]):
        assert utterance is not None
        cut = (
            following is not None
            and utterance.final.endpoint_s == 0
            and abs(following.final.start - utterance.final.end) < _SAME_S
        )
        after.append(finals[len(after) + 1] if cut else ())
    return after


def _seen(
    utterances: Sequence[_Utterance],
    finals: Sequence[Sequence[str]],
    beyond: Sequence[Sequence[str]],
) -> list[list[tuple[float, float]]]:
    """When each word of each final was first shown and first stable.

    A word behind a cut was shown when it stood in a partial of the utterance before; it is stable
    only in its own.
    """
    found = []
    earlier: Sequence[float] = ()
    for utterance, final, more in zip(utterances, finals, beyond, strict=True):
        at = utterance.final.t
        own = _first_seen(utterance.partials, [*final, *more])
        before = [*earlier, *[_NEVER] * len(final)]
        found.append(
            [
                (min(shown, known, at), min(stable, at))
                for (shown, stable), known in zip(own[: len(final)], before, strict=False)
            ]
        )
        earlier = [shown for shown, _ in own[len(final) :]]
    return found


def _shown(partial: PartialEvent) -> list[str]:
    return words_of(f"{partial.stable} {partial.tail}")


def _first_seen(
    partials: Sequence[PartialEvent], words: Sequence[str]
) -> list[tuple[float, float]]:
    """When each word was first shown, and first stable, at its place in a partial."""
    shown = [_NEVER] * len(words)
    stable = [_NEVER] * len(words)
    for partial in reversed(partials):
        for place, _ in align(words, _shown(partial), open_end=True).matches:
            shown[place] = partial.t
        for place, _ in align(words, words_of(partial.stable), open_end=True).matches:
            shown[place] = stable[place] = partial.t
    return list(zip(shown, stable, strict=True))


@dataclass(frozen=True, slots=True)
class _Stability:
    shown: int
    unstable: int
    wrong: int
    erased: int
    stable: int
    stable_changed: int
    stable_corrected: int


def _stability(utterance: _Utterance, final: Sequence[str]) -> _Stability:
    texts = [_shown(partial) for partial in utterance.partials]
    steps = list(pairwise([*texts, list(final)]))
    promised = [partial.stable.split() for partial in utterance.partials]
    last_stable = words_of(utterance.partials[-1].stable) if utterance.partials else []
    return _Stability(
        shown=sum(len(text) for text in texts),
        unstable=sum(lost(before, after) for before, after in steps),
        wrong=sum(lost(text, final) for text in texts),
        erased=sum(erased(before, after) for before, after in steps),
        stable=len(last_stable),
        stable_changed=sum(erased(before, after) for before, after in pairwise(promised)),
        stable_corrected=lost(last_stable, final),
    )


def lost(before: Sequence[str], after: Sequence[str]) -> int:
    """How many words of ``before`` are changed or missing in ``after``, which may be longer."""
    return len(before) - len(align(after, before, open_end=True).matches)


def erased(before: Sequence[str], after: Sequence[str]) -> int:
    """How many words to delete from the end of ``before`` until only appending is left."""
    common = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        common += 1
    return len(before) - common
