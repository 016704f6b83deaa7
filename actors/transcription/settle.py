"""What an exact decoding settles: which of its words are whole sentences, and where to go on. Pure.

All positions are samples at 16 kHz since capture began.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from vivavoce.actors.transcription.agreement import is_word
from vivavoce.actors.transcription.engines.base import HypothesisWord
from vivavoce.actors.transcription.engines.scripts import spaceless
from vivavoce.pipeline.messages import SAMPLE_RATE, Pcm

_BEHIND = SAMPLE_RATE
"""Speech decoded behind a sentence: Whisper ends one wherever the audio ends."""

_WORDS_BEHIND = 2
_MUCH = 0.7
_LATE = 10 * SAMPLE_RATE
_AROUND = SAMPLE_RATE * 3 // 20
_FRAME = SAMPLE_RATE // 50

_ENDS = (".", "?", "!", "…", "。", "？", "！")
_CLOSING = "\"'”’»)]}」』"
_OPENING = "\"'“‘«([{「『¿¡-–—"
_ABBREVIATIONS = frozenset(
    (
        # English
        *("mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "lt", "col", "gen", "capt", "sgt"),
        *("rev", "hon", "gov", "sen", "rep", "vs", "etc", "fig", "vol", "inc", "ltd", "co", "corp"),
        *("dept", "approx", "ca", "e.g", "i.e", "a.m", "p.m", "u.s", "u.k"),
        # German
        *("hr", "fr", "str", "bzw", "usw", "z.b", "d.h", "nr", "evtl", "ggf", "inkl", "sog"),
        # French and Spanish
        *("mme", "mlle", "p.ex", "bd", "sra", "srta", "ud", "uds", "avda", "pág", "núm"),
    )
)
"""Words whose full stop ends no sentence by itself."""


class Pause(Struct, frozen=True):
    """A silence inside a stretch, or behind all that was heard of it: ``[start, end)``."""

    start: int
    end: int

    @property
    def middle(self) -> int:
        """Where it is cut."""
        return (self.start + self.end) // 2


class Sentence(Struct, frozen=True):
    """Words that become a final, and the interval that is theirs; together they leave no hole."""

    words: tuple[HypothesisWord, ...]
    start: int
    end: int

    @property
    def text(self) -> str:
        """As it is read."""
        return join(self.words)


class Settled(Struct, frozen=True):
    """The sentences that are certain, the words that are not yet, and where these begin.

    ``begun`` of those words are decoded for good: they lie before ``decode_from``, and are the
    beginning of a sentence that goes on behind it.
    """

    sentences: tuple[Sentence, ...]
    rest: tuple[HypothesisWord, ...]
    rest_from: int
    decode_from: int
    begun: int = 0


def settle(
    words: Sequence[HypothesisWord],
    begin: int,
    pcm: Pcm,
    start: int,
    pauses: Sequence[Pause],
    *,
    closing: bool,
) -> Settled:
    """Divide the words of an exact decoding into sentences.

    A sentence is settled when it ends as one, and enough of the next has been decoded behind it. A
    pause is no evidence. Where nothing can follow any more (``closing``), all words are settled.

    Args:
        words: with times, in order.
        begin: where what is not settled begins; not behind ``start``.
        pcm: what was decoded, ``(samples,)`` int16.
        start: the sample that it begins with.
        pauses: since ``begin``, by the VAD.
        closing: the stretch ends where the audio does.
    """
    end = start + len(pcm)
    sentences: list[Sentence] = []
    first = 0
    for last, following in divisions(words, pauses, closing=closing):
        seam = seam_between(words[last], words[following], pcm, start, pauses)
        if not begin < seam < end:
            continue  # the times are wrong: it has no audio of its own
        sentences.append(Sentence(tuple(words[first:following]), begin, seam))
        first, begin = following, seam
    if closing and begin < end:  # also where nothing was recognised
        sentences.append(Sentence(tuple(words[first:]), begin, end))
        first, begin = len(words), end
    return Settled(tuple(sentences), tuple(words[first:]), begin, max(start, begin))


def settle_full(
    settled: Settled, pcm: Pcm, start: int, pauses: Sequence[Pause], *, carry: bool
) -> Settled:
    """Let a window that is full go on.

    Where no sentence ends in it, it is cut: at the longest pause of its second half, else where it
    is quietest. Where what matters is how fast it goes on (``carry``), and the sentences that are
    settled leave much of the window, the beginning of the next one is kept as it was decoded, up to
    a long pause near the end, and the window goes on from there. (Not up to the last words: Whisper
    puts a full stop where the audio ends.) A sentence is put together of two windows at most.

    Args:
        settled: what :func:`settle` said.
        pcm: what was decoded, ``(samples,)`` int16.
        start: the sample that it begins with.
        pauses: in it, by the VAD.
        carry: as above.
    """
    if carry and settled.decode_from - start < _MUCH * len(pcm):
        late = max(settled.rest_from + 1, start + len(pcm) - _LATE)
        seam = longest_pause(pauses, late, start + len(pcm) - _BEHIND)
        if seam is not None and settled.rest_from >= start:
            begun = sum((word.start + word.end) // 2 < seam for word in settled.rest)
            return replace(settled, decode_from=seam, begun=begun)
    if settled.decode_from > start:
        return settled
    cut = longest_pause(pauses, start + len(pcm) // 2, start + len(pcm))
    if cut is None:
        cut = start + quietest_near(pcm, len(pcm) * 3 // 4, len(pcm) // 4)
    before = tuple(word for word in settled.rest if (word.start + word.end) // 2 < cut)
    sentence = Sentence(before, settled.rest_from, cut)
    return Settled((*settled.sentences, sentence), settled.rest[len(before) :], cut, cut)


def longest_pause(pauses: Sequence[Pause], begin: int, end: int) -> int | None:
    """The middle of the longest pause that lies in ``[begin, end]`` with it."""
    inside = [pause for pause in pauses if begin <= pause.middle and pause.end <= end]
    if not inside:
        return None
    return max(inside, key=lambda pause: pause.end - pause.start).middle


def divisions(
    words: Sequence[HypothesisWord], pauses: Sequence[Pause], *, closing: bool
) -> list[tuple[int, int]]:
    """The last word of each settled sentence, and the first of the next."""
    found = []
    for number, (word, following) in enumerate(pairwise(words)):
        if not ends_sentence(word.text) or not is_word(following.text):
            continue
        behind = words[number + 1 :]
        enough = closing or (len(behind) >= _WORDS_BEHIND and words[-1].end - word.end >= _BEHIND)
        # Behind a full stop, Whisper forgets a capital now and then.
        if enough and (begins_sentence(following.text) or pause_between(word, following, pauses)):
            found.append((number, number + 1))
    return found


def pause_between(
    word: HypothesisWord, following: HypothesisWord, pauses: Sequence[Pause]
) -> Pause | None:
    """The longest pause between two words; between their middles, for a word beside a pause often
    swallows it."""
    left, right = (word.start + word.end) // 2, (following.start + following.end) // 2
    between = [pause for pause in pauses if left <= pause.middle <= right]
    return max(between, key=lambda pause: pause.end - pause.start, default=None)


def ends_sentence(word: str) -> bool:
    """Whether a sentence may end behind ``word``."""
    bare = word.rstrip(_CLOSING)
    if not bare.endswith(_ENDS):
        return False
    if not bare.endswith(".") or bare.endswith(".."):
        return True
    stem = bare[:-1].lstrip(_OPENING).casefold()
    return not (stem in _ABBREVIATIONS or (len(stem) == 1 and stem.isalpha() and stem != "i"))


def begins_sentence(word: str) -> bool:
    """Whether a sentence may begin with ``word``: a capital, a digit, or a script without case."""
    bare = word.lstrip(_OPENING)
    if not bare:
        return bool(word)
    first = bare[0]
    return not first.islower()


def seam_between(
    word: HypothesisWord,
    following: HypothesisWord,
    pcm: Pcm,
    start: int,
    pauses: Sequence[Pause],
) -> int:
    """Where the audio of one word ends and that of the next begins.

    The middle of the longest pause there, else the quietest 20 ms: times of a Whisper are good to
    0.1 s inside speech.
    """
    pause = pause_between(word, following, pauses)
    if pause is not None:
        return pause.middle
    boundary = (word.end + following.start) // 2
    if boundary < start:
        return boundary  # the audio is gone
    return start + quietest_near(pcm, boundary - start, _AROUND)


def quietest_near(pcm: Pcm, position: int, around: int) -> int:
    """The middle of the quietest 20 ms within ``around`` samples of ``position`` in ``pcm``."""
    first = max(0, position - around)
    piece = pcm[first : position + around].astype(np.float32)
    frames = len(piece) // _FRAME
    if frames < 2:
        return min(max(0, position), len(pcm))
    energy = np.square(piece[: frames * _FRAME]).reshape(frames, _FRAME).sum(axis=1)
    return first + int(energy.argmin()) * _FRAME + _FRAME // 2


def join(words: Sequence[HypothesisWord]) -> str:
    """The words as a text; scripts that are written without spaces get none."""
    text = ""
    for word in words:
        glued = spaceless(text[-1:]) and spaceless(word.text[:1])
        text += word.text if glued or not text else f" {word.text}"
    return text
