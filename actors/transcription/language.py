"""Which language the next decoding is asked in, where the profile leaves that open. Pure.

A model tells the language of a sentence nearly always, that of a word or two often wrongly. Whisper
base, with people: 4 of 60 single English words were of another language; of pieces of 3 s and more
none in English, German and French was, but a fifth in Spanish (as Italian, once at 0.97). To find
it out costs a step of the decoder. So it is found out until it is decided, then looked at only now
and then, where there is enough speech, and changed only where another language is clear.
"""

from __future__ import annotations

from collections.abc import Collection

ENOUGH_S = 3.0
"""Seconds of speech from which what is heard may confirm or change a decision."""
_DECIDED_S = 2.0  # of speech, weighed with the squared probabilities, for the first decision
_CLEAR = 0.8
_VERY_CLEAR = 0.95
_LONG_S = 5.0  # of speech, from which one look that is very clear changes it
_LOOK_AFTER_S = 30.0  # of speech
_SILENCE_S = 5.0  # after which another may speak
_LEADS = 2.0  # so many times the evidence of another, before it is decided


class LanguagePolicy:
    """Holds on to a language.

    For each exact decoding: ask in ``for_exact(speech_s)``; tell :meth:`heard` of the answer, and
    if that returns a language, decode again in it. Partials are asked in ``for_partial()``.

    Args:
        language: the profile's; where there is one, it is always that.
        languages: those to choose among (the engine does); one alone is as ``language``.
        multilingual: whether the model knows other languages than English.
    """

    def __init__(
        self,
        language: str | None = None,
        languages: Collection[str] = (),
        *,
        multilingual: bool = True,
    ) -> None:
        if len(languages) == 1:
            (only,) = languages
            language = language or only
        self._given = language if multilingual else "en"
        self._held: str | None = None
        self._confirmed = False  # heard once more since it was decided
        self._other: str | None = None  # was clear in the last look, and not enough to change
        self._unseen_s = 0.0  # speech since the last look
        self._silent = False
        self._evidence: dict[str, float] = {}

    @property
    def given(self) -> bool:
        """Whether there is nothing to find out."""
        return self._given is not None

    @property
    def language(self) -> str | None:
        """The language that is held; None: not decided yet."""
        return self._given or self._held

    def for_partial(self) -> str | None:
        """The language to ask a partial in; None: as it is heard."""
        return self.language

    def for_exact(self, speech_s: float) -> str | None:
        """The language to ask an exact decoding in; None: as it is heard.

        Args:
            speech_s: seconds of speech in what is decoded.
        """
        if self._given is not None or self._held is None:
            return self._given
        doubtful = not self._confirmed or self._other is not None
        due = doubtful or self._silent or self._unseen_s >= _LOOK_AFTER_S
        return None if due and speech_s >= ENOUGH_S else self._held

    def silence(self, seconds: float) -> None:
        """Nobody spoke for so long: after a long silence it may be somebody else."""
        self._silent = self._silent or seconds >= _SILENCE_S

    def heard(
        self, language: str, probability: float, speech_s: float, *, again_s: float = 0.0
    ) -> str | None:
        """What became of an exact decoding, once for each whose text is used.

        Args:
            language: ``Hypothesis.heard``: the most probable; empty where it was given.
            probability: ``Hypothesis.language_probability``.
            speech_s: seconds of speech in what was decoded.
            again_s: of these, seconds that it was told about before.

        Returns:
            The language to decode the same in once more, because what was heard is no reason to
            leave it; None: its text stays.
        """
        if self._given is not None:
            return None
        if not language:
            self._unseen_s += speech_s - again_s
            return None
        if speech_s >= ENOUGH_S:
            self._unseen_s = 0.0
            self._silent = False
        if self._held is None:
            return self._decide(language, probability**2 * (speech_s - again_s))
        if language == self._held:
            self._confirmed = self._confirmed or speech_s >= ENOUGH_S
            self._other = None
            return None
        clear = probability >= _CLEAR and speech_s >= ENOUGH_S
        very_clear = probability >= _VERY_CLEAR and speech_s >= _LONG_S
        if clear and (very_clear or not self._confirmed or self._other == language):
            self._hold(language)
            return None
        if clear:
            self._other = language
        return self._held

    def _decide(self, language: str, evidence_s: float) -> str | None:
        """Gather what is heard until it is enough; meanwhile the best so far is believed."""
        self._evidence[language] = self._evidence.get(language, 0.0) + evidence_s
        best = max(self._evidence, key=lambda one: self._evidence[one])
        rest = sum(self._evidence.values()) - self._evidence[best]
        leads = self._evidence[best] >= _LEADS * rest
        if leads and self._evidence[best] >= _DECIDED_S:
            self._hold(best)
        return best if leads and best != language else None

    def _hold(self, language: str) -> None:
        self._held = language
        self._confirmed = False
        self._other = None
        self._evidence.clear()
