"""Which language Whisper decodes in: the one that was asked for, else the one that it hears.

Whisper tells the language from the output of its encoder, in the decoder's first step (Radford et
al., 2022, section 2.3). The encoder is most of the work, so the language is found out on an
encoding that is needed anyhow: ``WhisperModel.transcribe(language=None)`` would make one for the
language, and another one for the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from vivavoce.actors.transcription.engines.base import EngineError, EngineSpec, Hypothesis

_ENGLISH = "en"


class Language:
    """The language of one decoding.

    Attributes:
        code: in which it is decoded; None: not found out yet.
        heard: the most probable one, where it was found out, else empty.
        probability: of ``heard``, in [0, 1]: among those that there are to choose from.

    Args:
        model: a ``faster_whisper.WhisperModel``; one that knows only English decodes in English.
        code: the language that was asked for; None, or one that the model does not know: found out.
        among: the ones to choose from; none: all that the model knows.
    """

    def __init__(self, model: Any, code: str | None, among: Sequence[str] = ()) -> None:
        self.code = code if code is not None and knows(model, code) else None
        if not model.model.is_multilingual:
            self.code = _ENGLISH
        self.heard = ""
        self.probability = 0.0
        self._among = [one for one in among if knows(model, one)]

    def take(self, probabilities: Iterable[tuple[str, float]]) -> str:
        """Decide by what ``ctranslate2``'s ``detect_language`` says, if it is not decided yet.

        Args:
            probabilities: of each language, by its token, as ``<|en|>``.

        Returns:
            The code.
        """
        if self.code is None:
            found = {token[2:-2]: probability for token, probability in probabilities}
            choice = {one: found.get(one, 0.0) for one in self._among} or found
            self.heard = self.code = max(choice, key=lambda one: choice[one])
            self.probability = choice[self.code] / max(sum(choice.values()), 1e-9)
        return self.code


def knows(model: Any, code: str) -> bool:
    """Whether a ``WhisperModel`` has a token for the language ``code``."""
    return model.hf_tokenizer.token_to_id(f"<|{code}|>") is not None


def refuse_what_it_does_not_know(model: Any, spec: EngineSpec) -> None:
    """Check what a profile asks for against the model that was loaded.

    Raises:
        EngineError: ``bad_option``, with a line that says what to write instead.
    """
    asked = [code for code in (spec.language, *spec.languages) if code is not None]
    if not model.model.is_multilingual:
        other = next((code for code in asked if code != _ENGLISH), None)
        if other is None and spec.task == "transcribe":
            return
        what = f"transcription.task: {spec.task}" if other is None else f"language {other!r}"
        raise EngineError(
            f"{what}: the model {spec.model!r} knows only English; use a model for all languages, "
            "such as base, or transcribe English",
            "bad_option",
        )
    unknown = next((code for code in asked if not knows(model, code)), None)
    if unknown is not None:
        raise EngineError(
            f"the model {spec.model!r} does not know {unknown!r}: give the code of a language that "
            "it knows, or another model (large-v3 knows most)",
            "bad_option",
        )


def with_language(found: Hypothesis, language: Language, task: str) -> Hypothesis:
    """The hypothesis, its text's language (a translation is English), and what was heard."""
    return msgspec.structs.replace(
        found,
        language=_ENGLISH if task == "translate" else language.code or "",
        heard=language.heard,
        language_probability=language.probability,
    )
