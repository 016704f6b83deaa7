"""The `cleanup` section: what becomes of the text between the engine and its readers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from vivavoce.config.section import Section


class CleanupSettings(Section, frozen=True, kw_only=True):
    """What is tidied in the text. No rule changes the meaning; each can be switched off."""

    whitespace: Annotated[bool, Meta(description="One space between words, none around.")] = True
    punctuation: Annotated[
        bool, Meta(description="No space before , . ! ? ; : and one space after.")
    ] = True
    sentence_case: Annotated[
        bool, Meta(description="A capital at the start of each sentence, and for English `I`.")
    ] = True
    repeated_phrases: Annotated[
        bool, Meta(description="Remove loops of a phrase where the engine itself was unsure.")
    ] = True
    hallucinations: Annotated[
        bool,
        Meta(
            description="Remove phrases that Whisper is known to invent (such as `Thanks for "
            "watching!`) where the audio was silent or the engine unsure."
        ),
    ] = True
    spoken_punctuation: Annotated[
        bool, Meta(description="`comma`, `question mark`, `open quote` and their like are signs.")
    ] = False
    spoken_layout: Annotated[
        bool, Meta(description="`new line` and `new paragraph` are line breaks.")
    ] = False
    spoken_edits: Annotated[
        bool,
        Meta(description="`scratch that`, `all caps …`, `cap …` and their like are carried out."),
    ] = False
    fillers: Annotated[bool, Meta(description="Remove `um`, `uh` and their like.")] = False
    numbers: Annotated[
        bool,
        Meta(
            description="Numbers in digits, in the languages that the library text2num knows "
            "(`vivavoce[dictation]`)."
        ),
    ] = False
    units: Annotated[
        bool, Meta(description="Units behind digits as signs: `5 percent` is `5%`.")
    ] = False
    profanity_mask: Annotated[bool, Meta(description="Show swear words as `f***`.")] = False
    vocabulary: Annotated[
        list[str],
        Meta(
            description="Names and terms as they are to be written; the engine is told to expect "
            "them, too."
        ),
    ] = field(default_factory=list)
    replacements: Annotated[
        dict[str, str],
        Meta(
            description="Words or phrases to replace, whole words, any case. A replacement in "
            "lower case takes over a capital, or capitals."
        ),
    ] = field(default_factory=dict)
    rules: Annotated[
        str | None,
        Meta(
            description="A YAML file with rules of your own, laid over those of the language "
            "(docs/dictation-text.md); read at the start."
        ),
    ] = None
    without: Annotated[
        list[str],
        Meta(
            description="Single rules, or whole stages, that are off, by the names that `vivavoce "
            "clean --list` shows, as `punctuation.comma`."
        ),
    ] = field(default_factory=list)


def engine_hints(settings: CleanupSettings) -> str:
    """What the engine is told to expect: the vocabulary as one text of hotwords, each term once."""
    terms = (" ".join(term.split()) for term in settings.vocabulary)
    return " ".join(dict.fromkeys(filter(None, terms)))
