"""What a stream of captions is worth: latency of each word, stability, errors. Pure.

People read the *running text*: the finals so far, and behind them what the open partials show. It
is judged as a whole, because one partial may become several finals, and one that is still open may
have a later one beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias

from bench.alignment import Alignment, align, words_of

_TOLERANCE_S = 0.5
"""How far outside of a final's interval a word of it may have been spoken."""

_GROWTH = 24
"""How many words beyond those of a partial are looked at for its place in the finals."""

_PHRASE = 3
"""So many words make a phrase; people see at once when one is said twice."""

_BEHIND = 12
"""Within how many words it is: also of the finals right before a partial."""


@dataclass(frozen=True, slots=True)
class PartialEvent:
    """A partial of the audio from ``start`` on, shown at ``t``; seconds since capture started."""

    t: float
    utterance: int
    stable: str
    tail: str
    start: float = 0.0


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
    """What :func:`measure` found; of several recordings, add them up.

    Attributes:
        words: latency of each correctly recognised word, in the order of the reference.
        endpoint_to_final: seconds from the decision that an utterance is over to its final, for
            each utterance that silence ended.
        reference_words: how many words were spoken.
        final_words: how many words the finals have.
        errors: substitutions, deletions and insertions of the finals against the reference.
        partials: how many there were.
        partial_words: words shown by all partials, each counted in every partial that shows it.
        unstable_words: of what partials show, the words that the next one, together with the
            finals between, changed or removed. Each change counts once, however long the word was
            shown before.
        wrong_partial_words: words in partials, each counted in every partial that shows it, that
            the finals have not at that place.
        erased_words: the words shown from the first one on that differs in the next text: what a
            display that can only append must take back.
        stable_words: words that were stable when a final came for them.
        stable_changed: stable words that a later partial of the utterance changed or removed,
            compared letter by letter. The contract says that there are none.
        stable_reopened: stable words behind a final that the next partial shows in its tail.
        stable_corrected: of ``stable_words``, those that what came has not at that place.
        doubling_partials: partials that say a phrase of three words twice within twelve words,
            where the reference does not.
    """

    words: tuple[WordLatency, ...] = ()
    endpoint_to_final: tuple[float, ...] = ()
    reference_words: int = 0
    final_words: int = 0
    errors: int = 0
    partials: int = 0
    partial_words: int = 0
    unstable_words: int = 0
    wrong_partial_words: int = 0
    erased_words: int = 0
    stable_words: int = 0
    stable_changed: int = 0
    stable_reopened: int = 0
    stable_corrected: int = 0
    doubling_partials: int = 0

    def __add__(self, other: StreamMetrics) -> StreamMetrics:
        return StreamMetrics(
            **{
                field.name: getattr(self, field.name) + getattr(other, field.name)
                for field in fields(self)
            }
        )

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

    @property
    def doubling_share(self) -> float:
        """The share of partials that say a phrase twice."""
        return self.doubling_partials / max(1, self.partials)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What stood behind the finals when a partial had come.

    ``settled`` is how many words of the finals were before it; the open partials are in the order
    of their utterances.
    """

    t: float
    settled: int
    open: tuple[PartialEvent, ...]
    text: tuple[str, ...]
    stable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Running:
    """A recording's captions as people saw them: each partial's view, and all words of finals."""

    finals: tuple[FinalEvent, ...]
    words: tuple[str, ...]
    views: tuple[_Shown, ...]


def measure(events: Iterable[Event], reference: Sequence[ReferenceWord]) -> StreamMetrics:
    """Judge the captions of a recording by what was spoken in it.

    The words of all finals are aligned with the reference by edit distance. An equal pair is a
    correctly recognised word, unless it was spoken more than half a second outside of that final's
    audio (a neighbour that only happens to read the same). It counts as shown (or stable) with the
    first partial in whose text (stable text), aligned with the finals from the first open one on,
    the word stands at its place; else with its final.

    Args:
        events: partials and finals in the order in which they came.
        reference: the words that were spoken, in order; one that is several words without its
            punctuation ("twenty-one") is taken apart.
    """
    running = _running(events)
    spoken = [(word, item.end) for item in reference for word in words_of(item.text)]
    alignment = align([word for word, _ in spoken], running.words)
    steps = [_step(running, number) for number in range(len(running.views))]
    said_twice = doubled([word for word, _ in spoken])
    return StreamMetrics(
        words=tuple(_latencies(running, alignment, [end for _, end in spoken])),
        endpoint_to_final=tuple(
            final.t - (final.end + final.endpoint_s)
            for final in running.finals
            if final.endpoint_s > 0
        ),
        reference_words=len(spoken),
        final_words=len(running.words),
        errors=alignment.errors,
        partials=len(running.views),
        partial_words=sum(len(view.text) for view in running.views),
        unstable_words=sum(step.unstable for step in steps),
        wrong_partial_words=sum(lost(view.text, _from(running, view)) for view in running.views),
        erased_words=sum(step.erased for step in steps),
        stable_words=sum(step.stable for step in steps),
        stable_changed=sum(step.stable_changed for step in steps),
        stable_reopened=sum(step.stable_reopened for step in steps),
        stable_corrected=sum(step.stable_corrected for step in steps),
        doubling_partials=sum(
            bool(doubled(_as_read(running, view)) - said_twice) for view in running.views
        ),
    )


def doubled(words: Sequence[str]) -> set[tuple[str, ...]]:
    """The phrases of three words that are said again within twelve words."""
    found = set()
    last: dict[tuple[str, ...], int] = {}
    for place in range(len(words) - _PHRASE + 1):
        phrase = tuple(words[place : place + _PHRASE])
        if _PHRASE <= place - last.get(phrase, place) <= _BEHIND:
            found.add(phrase)
        if place - last.get(phrase, -_PHRASE) >= _PHRASE:
            last[phrase] = place
    return found


def _running(events: Iterable[Event]) -> _Running:
    """Partials of utterances that never got a final (a gap took them) are left out."""
    known = list(events)
    ended = {event.utterance for event in known if isinstance(event, FinalEvent)}
    open_ones: dict[int, PartialEvent] = {}
    finals: list[FinalEvent] = []
    words: list[str] = []
    views: list[_Shown] = []
    for event in known:
        if isinstance(event, FinalEvent):
            finals.append(event)
            words += words_of(event.text)
            open_ones = {n: one for n, one in open_ones.items() if n > event.utterance}
        elif event.utterance in ended:
            earlier = {n: one for n, one in open_ones.items() if n < event.utterance}
            open_ones = {**earlier, event.utterance: event}
            shown = tuple(open_ones.values())
            views.append(
                _Shown(
                    t=event.t,
                    settled=len(words),
                    open=shown,
                    text=tuple(word for one in shown for word in _text(one)),
                    stable=tuple(word for one in shown for word in words_of(one.stable)),
                )
            )
    return _Running(tuple(finals), tuple(words), tuple(views))


def _text(partial: PartialEvent) -> list[str]:
    return words_of(f"{partial.stable} {partial.tail}")


def _from(running: _Running, view: _Shown) -> Sequence[str]:
    """The finals' words at the place of what is open, as many as could belong to it."""
    return running.words[view.settled : view.settled + len(view.text) + _GROWTH]


def _as_read(running: _Running, view: _Shown) -> Sequence[str]:
    return (*running.words[max(0, view.settled - _BEHIND) : view.settled], *view.text)


def _latencies(
    running: _Running, alignment: Alignment, ends: Sequence[float]
) -> Iterable[WordLatency]:
    final_of = [final for final in running.finals for _ in words_of(final.text)]
    shown = [final.t for final in final_of]
    stable = list(shown)
    for view in reversed(running.views):
        for seen, words in ((shown, view.text), (stable, view.stable)):
            for place in _places(_from(running, view), words):
                seen[view.settled + place] = min(view.t, seen[view.settled + place])
    for spoken, heard in alignment.matches:
        final, end = final_of[heard], ends[spoken]
        if final.start - _TOLERANCE_S <= end <= final.end + _TOLERANCE_S:
            yield WordLatency(
                spoken=end,
                first_shown=min(shown[heard], stable[heard]) - end,
                stable=stable[heard] - end,
                final=final.t - end,
            )


@dataclass(frozen=True, slots=True)
class _Step:
    """What became of what was shown, with the next partial and the finals between."""

    unstable: int
    erased: int
    stable: int
    stable_changed: int
    stable_reopened: int
    stable_corrected: int


def _step(running: _Running, number: int) -> _Step:
    view = running.views[number]
    following = running.views[number + 1] if number + 1 < len(running.views) else None
    between = running.words[view.settled : following.settled if following else None]
    text = following.text if following else ()
    stable = following.stable if following else ()
    after = (*between, *text)
    settled, reopened, corrected = _promises(view.stable, between, text, stable)
    ended = following is None or _ended(view, following)
    return _Step(
        unstable=lost(view.text, after),
        erased=erased(view.text, after),
        stable=settled if ended else 0,
        stable_changed=_changed(view, following) if following else 0,
        stable_reopened=reopened if ended else 0,
        stable_corrected=corrected if ended else 0,
    )


def _ended(view: _Shown, following: _Shown) -> bool:
    """Whether a final came for any of what was open."""
    still = {one.utterance for one in following.open}
    return any(one.utterance not in still for one in view.open)


def _promises(
    promised: Sequence[str],
    finals: Sequence[str],
    text: Sequence[str],
    stable: Sequence[str],
) -> tuple[int, int, int]:
    """Of stable words, when finals came: how many these settled, reopened, corrected."""
    matches = _places([*finals, *text], promised)
    kept = sum(place >= len(finals) for place in matches)
    reopened = sum(place >= len(finals) + len(stable) for place in matches)
    return len(promised) - kept, reopened, len(promised) - len(matches)


def _changed(view: _Shown, following: _Shown) -> int:
    """Stable words that the next partial of the same utterance has not, letter by letter."""
    after = {one.utterance: one.stable.split() for one in following.open}
    return sum(
        erased(one.stable.split(), after[one.utterance])
        for one in view.open
        if one.utterance in after
    )


def _places(reference: Sequence[str], words: Sequence[str]) -> list[int]:
    """Where in a reference the words stand that are found at their place in it."""
    same = 0
    while same < min(len(reference), len(words)) and reference[same] == words[same]:
        same += 1
    # What is equal at the beginning stays so in one of the best alignments, and costs nothing.
    rest = align(reference[same:], words[same:], open_end=True).matches
    return [*range(same), *(same + place for place, _ in rest)]


def lost(before: Sequence[str], after: Sequence[str]) -> int:
    """How many words of ``before`` are changed or missing in ``after``, which may be longer."""
    return len(before) - len(_places(after, before))


def erased(before: Sequence[str], after: Sequence[str]) -> int:
    """How many words to delete from the end of ``before`` until only appending is left."""
    common = 0
    for one, other in zip(before, after, strict=False):
        if one != other:
            break
        common += 1
    return len(before) - common
