"""The languages of a profile: what is wrong with them, and what they mean. Pure."""

from __future__ import annotations

import os

from msgspec.structs import replace

from vivavoce.config.languages import (
    CANTONESE,
    ENGLISH_MODELS,
    MODELS_WITHOUT_CANTONESE,
    language_code,
    wrong_language,
)
from vivavoce.config.schema import Profile, TranscriptionSettings
from vivavoce.config.yaml_lines import Path

_AT = "transcription"


def wrong_languages(profile: Profile) -> list[tuple[Path, str]]:
    """Languages that there are not, or that do not go together with the model: path and line.

    The languages may be as a person has written them. Pure.
    """
    settings = profile.transcription
    wrong = [
        (path, complaint)
        for path, written in _written(settings)
        if (complaint := wrong_language(written, auto=path[-1] == "language"))
    ]
    return wrong or [*_not_among(settings), *_not_of_the_model(settings)]


def with_codes(profile: Profile) -> Profile:
    """The profile with its languages as Whisper's codes, each once: idempotent.

    Where there is only one to choose among, it is the language.
    """
    settings = profile.transcription
    if settings.language is None and not settings.languages:
        return profile
    languages = _codes(settings.languages)
    (language,) = _codes([settings.language]) if settings.language is not None else (None,)
    if language is None and len(languages) == 1:
        language = languages[0]
    known = [code for code in languages if code is not None]
    return replace(profile, transcription=replace(settings, language=language, languages=known))


def _codes(written: list[str]) -> list[str | None]:
    return list(dict.fromkeys(language_code(one) for one in written))


def _written(settings: TranscriptionSettings) -> list[tuple[Path, str]]:
    one = [] if settings.language is None else [((_AT, "language"), settings.language)]
    return [*one, *(((_AT, "languages"), written) for written in settings.languages)]


def _not_among(settings: TranscriptionSettings) -> list[tuple[Path, str]]:
    (language,) = _codes([settings.language or ""])
    among = [code for code in _codes(settings.languages) if code is not None]
    if language is None or not among or language in among:
        return []
    listed = ", ".join(among)
    return [
        (
            (_AT, "language"),
            f"{settings.language!r} is none of transcription.languages ({listed}); expected one of "
            "them, or nothing: then it is chosen among them",
        )
    ]


def _not_of_the_model(settings: TranscriptionSettings) -> list[tuple[Path, str]]:
    """What the model cannot do, where that is known from its name."""
    if settings.engine == "pocketsphinx":
        return _beyond_english(settings, "pocketsphinx", "use engine: faster-whisper")
    for model in (settings.model, settings.draft or ""):
        if os.sep in model or "/" in model:
            continue  # the engine will see what is in it
        if model in ENGLISH_MODELS:
            instead = model.removesuffix(".en")
            instead = "small" if instead.startswith("distil") else instead
            found = _beyond_english(settings, repr(model), f"use a model such as {instead}")
        elif model in MODELS_WITHOUT_CANTONESE:
            found = [
                (path, f"{model!r} does not know {CANTONESE!r} (Cantonese); large-v3 does")
                for path, written in _written(settings)
                if language_code(written) == CANTONESE
            ]
        else:
            found = []
        if found:
            return found[:1]
    return []


def _beyond_english(
    settings: TranscriptionSettings, who: str, instead: str
) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = [
        (path, f"{written!r}: {who} knows only English; {instead}, or write `en`")
        for path, written in _written(settings)
        if language_code(written) not in ("en", None)
    ]
    if settings.task == "translate":
        found.append(((_AT, "task"), f"{who} knows only English and translates nothing; {instead}"))
    return found[:1]
